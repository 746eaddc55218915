//! PostgreSQL: what one commit for everybody who waits allows, what deciding makes of it, and what several nodes add.

mod database;
mod group;
mod nodes;
mod sequencing;

pub use group::Group;
pub use nodes::drive;

use crate::guard::{median, micros};
use crate::load::Run;
use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::Serialize;
use std::path::Path;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Section {
    Floor,
    Sequencing,
    Guard,
    Workspaces,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Postgres {
    pub settings: Vec<database::Setting>,
    pub floor: Vec<Row>,
    pub sequencing: Vec<Row>,
    pub guard: Vec<Row>,
    /// What one decision leaves behind; measured with `guard`.
    pub footprint: Option<database::Footprint>,
    pub workspaces: Vec<Row>,
}

/// One run, and what it cost per answer.
struct Seen {
    run: Run,
    /// CPU of the nodes, or of the floor's server; in process, of everything here.
    own: Option<Duration>,
    /// CPU of PostgreSQL's processes.
    database: Option<Duration>,
}

/// Medians of one subject with one number of calls in flight.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    pub subject: String,
    pub in_flight: usize,
    pub per_second: f64,
    pub per_second_min: f64,
    pub per_second_max: f64,
    pub p50_us: f64,
    pub p99_us: f64,
    pub cpu_us: Option<f64>,
    pub database_cpu_us: Option<f64>,
    /// Of the first subject with as many in flight.
    pub of_floor: f64,
}

impl Row {
    fn of(subject: &str, in_flight: usize, seen: &[Seen]) -> Self {
        let rates = || seen.iter().map(|seen| seen.run.per_second);
        let cost = |which: fn(&Seen) -> Option<Duration>| {
            let all: Option<Vec<f64>> = seen.iter().map(|seen| which(seen).map(micros)).collect();
            all.map(|all| median(all.into_iter()))
        };
        Self {
            subject: subject.to_owned(),
            in_flight,
            per_second: median(rates()),
            per_second_min: rates().fold(f64::INFINITY, f64::min),
            per_second_max: rates().fold(0.0, f64::max),
            p50_us: median(seen.iter().map(|seen| micros(seen.run.p50))),
            p99_us: median(seen.iter().map(|seen| micros(seen.run.p99))),
            cpu_us: cost(|seen| seen.own),
            database_cpu_us: cost(|seen| seen.database),
            of_floor: f64::NAN,
        }
    }

    /// The first row with as many calls in flight is the one that the others are held against.
    fn compare(rows: &mut [Self]) {
        let floors: Vec<(usize, f64)> = rows.iter().map(|row| (row.in_flight, row.per_second)).collect();
        for row in rows {
            let floor = floors.iter().find(|(in_flight, _)| *in_flight == row.in_flight);
            row.of_floor = row.per_second / floor.map_or(f64::NAN, |(_, rate)| *rate);
        }
    }
}

/// Every subject with every number of calls in flight, round by round.
async fn in_turns<S>(
    subjects: &[(String, S)],
    in_flight: &[usize],
    rounds: usize,
    run: impl AsyncFn(&S, usize) -> Result<Seen>,
) -> Result<Vec<Row>> {
    let mut each = Vec::new();
    for in_flight in in_flight {
        each.extend(subjects.iter().map(|(name, subject)| (*in_flight, name, subject, Vec::new())));
    }
    for _ in 0..rounds.max(1) {
        for (in_flight, name, subject, seen) in &mut each {
            let what = || format!("{name} with {in_flight} in flight");
            seen.push(run(subject, *in_flight).await.with_context(what)?);
        }
    }
    let mut rows: Vec<Row> = each.iter().map(|(in_flight, name, _, seen)| Row::of(name, *in_flight, seen)).collect();
    Row::compare(&mut rows);
    Ok(rows)
}

pub async fn measure(
    runplane: &Path,
    folder: &Path,
    server: &str,
    only: Option<Section>,
    seconds: u64,
    rounds: usize,
) -> Result<Postgres> {
    let wants = |section| only.is_none_or(|only| only == section);
    let mut found = Postgres {
        settings: database::settings(server).await?,
        floor: Vec::new(),
        sequencing: Vec::new(),
        guard: Vec::new(),
        footprint: None,
        workspaces: Vec::new(),
    };
    if only == Some(Section::Floor) {
        found.floor = sequencing::floor(server, seconds, rounds).await?;
    }
    if wants(Section::Sequencing) {
        found.sequencing = sequencing::measure(runplane, folder, server, seconds, rounds).await?;
    }
    if wants(Section::Guard) {
        let (rows, footprint) = nodes::guard(runplane, folder, server, seconds, rounds).await?;
        (found.guard, found.footprint) = (rows, Some(footprint));
    }
    if wants(Section::Workspaces) {
        found.workspaces = nodes::workspaces(runplane, folder, server, seconds, rounds).await?;
    }
    Ok(found)
}
