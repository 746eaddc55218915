//! The durable guard over HTTP, beside the two floors, in turns. Closed loop: one request in flight per connection.

use crate::load::{Run, closed_loop};
use crate::memory;
use crate::rules;
use crate::subject::{self, Folder, Subject};
use anyhow::{Context, Result};
use serde::Serialize;
use std::path::Path;
use std::time::Duration;

const CONNECTIONS: [usize; 3] = [1, 64, 256];
pub const RULES: usize = 1_000;

/// Medians of one subject at one number of connections.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    pub subject: String,
    pub durability: &'static str,
    /// Requests in flight.
    pub connections: usize,
    pub per_second: f64,
    pub per_second_min: f64,
    pub per_second_max: f64,
    pub p50_us: f64,
    pub p99_us: f64,
    pub cpu_us: Option<f64>,
    /// Of the durable floor at the same number of connections.
    pub of_durable: f64,
    pub of_bare: f64,
}

pub async fn measure(runplane: &Path, folder: &Path, seconds: u64, rounds: usize) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for connections in CONNECTIONS {
        // New ones each time: beyond a million charges in a day the shipped packs take another one for a repetition.
        let folder = folder.join(format!("guard-{connections}"));
        std::fs::create_dir_all(&folder)?;
        let packs = Folder::init(runplane, folder.join("packs"))?;
        let many = Folder::init(runplane, folder.join("many"))?;
        let subjects = [
            subject::floor(None)?,
            subject::floor(Some(&folder.join("floor.log")))?,
            packs.serve(runplane, "runplane, shipped packs")?.0,
            many.serve(runplane, "runplane, + 1,000 rules, meters")?.0,
        ];
        let last = subjects.last().context("no subject")?;
        many.publish(last.address, &rules::policy(RULES, 0)?)?;
        rows.extend(closed(&subjects, &[connections], seconds, rounds).await?);
        subjects.iter().try_for_each(Subject::expect_allow)?;
    }
    Ok(rows)
}

/// The same rules with and without a thousand more meters, of which 31 count every call.
pub async fn with_meters(runplane: &Path, folder: &Path, seconds: u64, rounds: usize) -> Result<Vec<Row>> {
    let few = Folder::init(runplane, folder.join("few"))?;
    let spread = Folder::init(runplane, folder.join("spread"))?;
    let subjects = [
        subject::floor(None)?,
        subject::floor(Some(&folder.join("floor-meters.log")))?,
        few.serve(runplane, "runplane, 1,000 rules")?.0,
        spread.serve(runplane, "runplane, + 1,000 meters")?.0,
    ];
    let [.., without, with] = &subjects;
    few.publish(without.address, &rules::policy(RULES, 0)?)?;
    spread.publish(with.address, &memory::policy(memory::Shape::Spread)?)?;
    closed(&subjects, &[1, 64], seconds, rounds).await
}

/// One server with 1,000 rules under load, for somebody who looks into it meanwhile.
pub async fn drive(runplane: &Path, folder: &Path, connections: usize, seconds: u64) -> Result<()> {
    let many = Folder::init(runplane, folder.join("drive"))?;
    let (server, _) = many.serve(runplane, "runplane")?;
    many.publish(server.address, &rules::policy(RULES, 0)?)?;
    crate::say(&server.pid().to_string());
    let run =
        closed_loop(server.address, &server.request, connections, Duration::from_secs(seconds), Some(server.pid()));
    let run = run.await?;
    server.expect_allow()?;
    let cpu = run.cpu.map_or(f64::NAN, micros);
    crate::say(&format!("{:.0} req/s, p50 {:.0} µs, CPU {cpu:.1} µs", run.per_second, micros(run.p50)));
    server.stop()
}

/// Every subject at every number of connections, in turns. The first is the bare floor, the second the durable one.
pub async fn closed(subjects: &[Subject], connections: &[usize], seconds: u64, rounds: usize) -> Result<Vec<Row>> {
    let mut runs: Vec<(usize, usize, Vec<Run>)> = Vec::new();
    for connections in connections {
        runs.extend((0..subjects.len()).map(|place| (place, *connections, Vec::new())));
    }
    for _ in 0..rounds.max(1) {
        for (place, connections, seen) in &mut runs {
            let subject = subjects.get(*place).context("a subject is missing")?;
            let length = Duration::from_secs(seconds);
            let run = closed_loop(subject.address, &subject.request, *connections, length, Some(subject.pid()))
                .await
                .with_context(|| format!("{} at {connections} connections", subject.name))?;
            seen.push(run);
        }
    }
    let mut rows = Vec::new();
    for (place, connections, seen) in &runs {
        let subject = subjects.get(*place).context("a subject is missing")?;
        let of = |place: usize| {
            let found = runs.iter().find(|(other, at, _)| *other == place && at == connections);
            found.map_or(f64::NAN, |(_, _, seen)| median(seen.iter().map(|run| run.per_second)))
        };
        let per_second = median(seen.iter().map(|run| run.per_second));
        let cpu: Option<Vec<f64>> = seen.iter().map(|run| run.cpu.map(micros)).collect();
        rows.push(Row {
            subject: subject.name.clone(),
            durability: subject.durability,
            connections: *connections,
            per_second,
            per_second_min: seen.iter().map(|run| run.per_second).fold(f64::INFINITY, f64::min),
            per_second_max: seen.iter().map(|run| run.per_second).fold(0.0, f64::max),
            p50_us: median(seen.iter().map(|run| micros(run.p50))),
            p99_us: median(seen.iter().map(|run| micros(run.p99))),
            cpu_us: cpu.map(|cpu| median(cpu.into_iter())),
            of_durable: per_second / of(1),
            of_bare: per_second / of(0),
        });
    }
    Ok(rows)
}

#[must_use]
pub fn micros(value: Duration) -> f64 {
    value.as_secs_f64() * 1e6
}

pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
