//! What a long ledger costs: the same server on an empty and on a large one, in turns.

use crate::guard::{median, micros};
use crate::http;
use crate::load::closed_loop;
use crate::seed;
use crate::subject::{Folder, Subject, pause};
use anyhow::{Context, Result};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

const CONNECTIONS: [usize; 2] = [1, 64];
/// How long the lists may take to catch up with what was seeded, before the measurement starts anyway.
const PATIENCE: Duration = Duration::from_secs(1_800);

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Growth {
    pub entries: u64,
    /// From the command to the first answer.
    pub start_ms: f64,
    pub empty_start_ms: f64,
    /// After the measurement.
    pub resident_mib: f64,
    /// Of the data folder.
    pub disk_mib: f64,
    pub rows: Vec<Row>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    pub connections: usize,
    pub empty_p50_us: f64,
    pub large_p50_us: f64,
    /// Large against empty.
    pub ratio: f64,
    pub ratio_min: f64,
    pub ratio_max: f64,
}

/// The large ledger, where it was made before or made now.
pub async fn large(runplane: &Path, folder: PathBuf, entries: u64) -> Result<Folder> {
    if let Some(kept) = Folder::kept(&folder)? {
        return Ok(kept);
    }
    let begin = crate::load::now();
    let large = seed::folder(runplane, folder, entries).await?;
    crate::say(&format!("writing {entries} entries took {:.0} s", begin.elapsed().as_secs_f64()));
    // The first start replays what was seeded and leaves a snapshot behind, as a server that wrote it all would have.
    let (first, replay) = large.serve(runplane, "large")?;
    crate::say(&format!("replaying {entries} entries without a snapshot took {:.1} s", replay.as_secs_f64()));
    wait_for_lists(&large, &first)?;
    first.stop()?;
    large.keep()?;
    Ok(large)
}

pub async fn measure(
    runplane: &Path,
    folder: &Path,
    large: &Folder,
    entries: u64,
    seconds: u64,
    rounds: usize,
) -> Result<Growth> {
    let small = seed::folder(runplane, folder.join("small"), 1).await?;
    let (large_server, start) = large.serve(runplane, "large")?;
    let (small_server, empty_start) = small.serve(runplane, "empty")?;
    let length = Duration::from_secs(seconds);
    let mut rows = Vec::new();
    for connections in CONNECTIONS {
        let (mut on_small, mut on_large) = (Vec::new(), Vec::new());
        for _ in 0..rounds.max(1) {
            for (server, seen) in [(&small_server, &mut on_small), (&large_server, &mut on_large)] {
                let run = closed_loop(server.address, &server.request, connections, length, None).await?;
                seen.push(micros(run.p50));
            }
        }
        let ratios: Vec<f64> = on_small.iter().zip(&on_large).map(|(small, large)| large / small).collect();
        rows.push(Row {
            connections,
            empty_p50_us: median(on_small.into_iter()),
            large_p50_us: median(on_large.into_iter()),
            ratio: median(ratios.iter().copied()),
            ratio_min: ratios.iter().copied().fold(f64::INFINITY, f64::min),
            ratio_max: ratios.iter().copied().fold(0.0, f64::max),
        });
    }
    // What was measured on both was a decision that allows: no limit is used up by what was seeded.
    [&small_server, &large_server].into_iter().try_for_each(Subject::expect_allow)?;
    Ok(Growth {
        entries,
        start_ms: start.as_secs_f64() * 1e3,
        empty_start_ms: empty_start.as_secs_f64() * 1e3,
        resident_mib: large_server.resident_mib().context("the server's memory cannot be read")?,
        disk_mib: disk_mib(&large.path)?,
        rows,
    })
}

/// Returns when the lists cover the ledger.
fn wait_for_lists(folder: &Folder, server: &Subject) -> Result<()> {
    let begin = crate::load::now();
    loop {
        let metrics = http::send(server.address, "GET", "/metrics", &folder.admin_token, "text/plain", "")?;
        let lag: Option<f64> = metrics
            .lines()
            .find(|line| line.starts_with("runplane_projection_lag_entries"))
            .and_then(|line| line.rsplit(' ').next()?.parse().ok());
        if lag == Some(0.0) {
            crate::say(&format!("listing them took {:.0} s", begin.elapsed().as_secs_f64()));
            return Ok(());
        }
        if begin.elapsed() > PATIENCE {
            crate::say(&format!("the lists are still {lag:?} entries behind; measuring meanwhile"));
            return Ok(());
        }
        pause(Duration::from_secs(1));
    }
}

fn disk_mib(folder: &Path) -> Result<f64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes as f64 / (1 << 20) as f64)
}
