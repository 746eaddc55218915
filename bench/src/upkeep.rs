//! What is not a guarded call: publishing under load, idling, starting, verifying an export.

use crate::guard::median;
use crate::load::now;
use crate::open;
use crate::rules;
use crate::seed;
use crate::subject::{Folder, pause};
use anyhow::{Context, Result, bail};
use serde::Serialize;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const PUBLISHED: usize = 10_000;
/// Requests per second meanwhile.
const RATE: u64 = 500;
const IDLE: Duration = Duration::from_secs(5);
const VERIFIED: u64 = 300_000;

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Upkeep {
    /// Publish of 10,000 rules under 500 req/s, until it is in force.
    pub publish_ms: f64,
    /// The longest any request took meanwhile, and the longest in as much time without a publish.
    pub stall_ms: f64,
    pub stall_without_ms: f64,
    pub idle_mib: f64,
    /// From the command to the first answer, on an initialised folder.
    pub start_ms: f64,
    pub verified_entries: u64,
    pub verify_per_second: f64,
}

pub async fn measure(runplane: &Path, folder: &Path, rounds: usize) -> Result<Upkeep> {
    let fresh = Folder::init(runplane, folder.join("upkeep"))?;
    let mut starts = Vec::new();
    let mut idle = Vec::new();
    for _ in 0..rounds.max(1) {
        let (server, start) = fresh.serve(runplane, "idle")?;
        starts.push(start.as_secs_f64() * 1e3);
        pause(IDLE);
        idle.push(server.resident_mib().context("the server's memory cannot be read")?);
        server.stop()?;
    }
    let (mut publishes, mut stalls, mut without) = (Vec::new(), Vec::new(), Vec::new());
    let (server, _) = fresh.serve(runplane, "publish")?;
    for round in 0..rounds.max(1) {
        without.push(longest(&server.request, server.address, || Ok(()))?.0);
        let policy = rules::policy(PUBLISHED, round)?;
        let (stall, publish) = longest(&server.request, server.address, || {
            pause(Duration::from_millis(500));
            fresh.publish(server.address, &policy)
        })?;
        stalls.push(stall);
        // Less the pause before it.
        publishes.push(publish - 500.0);
    }
    server.stop()?;
    Ok(Upkeep {
        publish_ms: median(publishes.into_iter()),
        stall_ms: median(stalls.into_iter()),
        stall_without_ms: median(without.into_iter()),
        idle_mib: median(idle.into_iter()),
        start_ms: median(starts.into_iter()),
        verified_entries: VERIFIED,
        verify_per_second: verify(runplane, folder, rounds).await?,
    })
}

/// The longest request of four seconds at [`RATE`], and how long `work` took beside them, in milliseconds.
fn longest(
    request: &[u8],
    address: std::net::SocketAddr,
    work: impl FnOnce() -> Result<()> + Send,
) -> Result<(f64, f64)> {
    #[allow(clippy::disallowed_methods)] // joined when the scope ends
    std::thread::scope(|scope| {
        let load = scope.spawn(|| open::run(address, request, RATE, RATE * 4));
        let begin = now();
        work()?;
        let took = begin.elapsed().as_secs_f64() * 1e3;
        let Ok(times) = load.join() else { bail!("the load panicked") };
        Ok((times?.most().as_secs_f64() * 1e3, took))
    })
}

async fn verify(runplane: &Path, folder: &Path, rounds: usize) -> Result<f64> {
    let seeded = seed::folder(runplane, folder.join("verified"), VERIFIED).await?;
    let export = folder.join("export.ndjson");
    run(Command::new(runplane).args(["audit", "export", "--data"]).arg(&seeded.path).arg("--output").arg(&export))?;
    let mut rates = Vec::new();
    for _ in 0..rounds.max(1) {
        let begin = now();
        run(Command::new(runplane).args(["audit", "verify", "--data"]).arg(&seeded.path).arg(&export))?;
        rates.push(VERIFIED as f64 / begin.elapsed().as_secs_f64());
    }
    Ok(median(rates.into_iter()))
}

fn run(command: &mut Command) -> Result<()> {
    let done = command.stdout(Stdio::null()).stderr(Stdio::piped()).output()?;
    if !done.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(())
}
