//! `make bench`: what a governed call costs, beside what the machine allows in the same run.
//!
//! Each figure is a median over rounds in which the server under test and its floors take turns, so that a noisy
//! neighbour hits all of them. What limits them, and how to repeat them, is in `bench/README.md`.

mod capacity;
mod floor;
mod growth;
mod guard;
mod http;
mod keys;
mod load;
mod memory;
mod open;
mod peers_http;
mod postgres;
mod rules;
mod seed;
mod subject;
mod table;
mod upkeep;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
struct Arguments {
    /// The release binary under test.
    #[arg(long, global = true)]
    runplane: Option<PathBuf>,
    /// The Cerbos binary, as `bench/fetch-cerbos` prints it; left out without it.
    #[arg(long, global = true)]
    cerbos: Option<PathBuf>,
    /// Seconds per measurement.
    #[arg(long, global = true, default_value_t = 3)]
    seconds: u64,
    /// Rounds; the median counts.
    #[arg(long, global = true, default_value_t = 5)]
    rounds: usize,
    /// Where to make data folders: must be on the disk that is to be measured.
    #[arg(long, global = true, default_value = ".")]
    scratch: PathBuf,
    /// Where to write the figures as JSON.
    #[arg(long, global = true)]
    json: Option<PathBuf>,
    /// A PostgreSQL server on which the benchmark may make databases; what needs one is left out without it.
    #[arg(long, global = true, env = "RUNPLANE_BENCH_POSTGRES")]
    postgres: Option<String>,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Subcommand)]
enum Part {
    /// Serve a floor; used by the benchmark itself.
    Floor {
        /// Make every answer durable in this file.
        #[arg(long)]
        log: Option<PathBuf>,
        /// Make every answer durable in this PostgreSQL database.
        #[arg(long, conflicts_with = "log")]
        database: Option<String>,
    },
    /// Only the durable guard, closed loop.
    Guard,
    /// Only the durable guard, open loop.
    Open,
    /// Only publishing, idling, starting, verifying.
    Upkeep,
    /// Only what remembering costs, in process.
    Memory,
    /// Only what a thousand meters cost the durable guard.
    Meters,
    /// Only the peer over HTTP.
    Peers,
    /// Only PostgreSQL: sequencing and the durable guard with one, two and three nodes.
    Postgres {
        /// Only one of: floor, sequencing, guard, workspaces.
        #[arg(long)]
        only: Option<postgres::Section>,
    },
    /// A server under load for a profiler: prints its process id, then what it answered.
    Drive {
        #[arg(long, default_value_t = 64)]
        connections: usize,
        /// Nodes on PostgreSQL instead of one on the embedded database.
        #[arg(long)]
        nodes: Option<usize>,
    },
    /// What a load would need, from the figures of an earlier run.
    Capacity(capacity::Options),
    /// A large ledger against an empty one. Takes long and much disk, so it is not part of the whole.
    Growth {
        #[arg(long, default_value_t = 10_000_000)]
        entries: u64,
        /// Where the large ledger is made and kept: used again if it is there.
        #[arg(long)]
        keep: Option<PathBuf>,
        /// Only make it.
        #[arg(long, requires = "keep")]
        only_make: bool,
    },
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if let Some(Part::Floor { log, database }) = &arguments.part {
        return runtime.block_on(floor::serve(log.as_deref(), database.as_deref()));
    }
    if let Some(Part::Capacity(options)) = &arguments.part {
        say(&capacity::table(options)?);
        return Ok(());
    }
    let figures = runtime.block_on(measure(&arguments))?;
    if let Some(path) = &arguments.json {
        std::fs::write(path, serde_json::to_vec_pretty(&figures)?)?;
    }
    Ok(())
}

async fn measure(arguments: &Arguments) -> Result<serde_json::Map<String, serde_json::Value>> {
    let folder = tempfile::Builder::new().prefix("runplane-bench").tempdir_in(&arguments.scratch)?;
    let (folder, seconds, rounds) = (folder.path(), arguments.seconds, arguments.rounds);
    let runplane = || arguments.runplane.as_deref().context("`--runplane` must name the release binary");
    let wants = |part: fn(&Part) -> bool| arguments.part.as_ref().is_none_or(part);
    let mut figures = serde_json::Map::new();
    let mut keep = |name: &str, rows: serde_json::Value, table: String| {
        say(&table);
        figures.insert(name.to_owned(), rows);
    };
    if wants(|part| matches!(part, Part::Guard)) {
        let rows = guard::measure(runplane()?, folder, seconds, rounds).await?;
        keep("guard", serde_json::to_value(&rows)?, table::guard("durable guard, closed loop", &rows));
    }
    if wants(|part| matches!(part, Part::Open)) {
        let rows = open::measure(runplane()?, folder, seconds, rounds)?;
        keep("open", serde_json::to_value(&rows)?, table::open(&rows));
    }
    if wants(|part| matches!(part, Part::Upkeep)) {
        let row = upkeep::measure(runplane()?, folder, rounds).await?;
        keep("upkeep", serde_json::to_value(&row)?, table::upkeep(&row));
    }
    if wants(|part| matches!(part, Part::Memory)) {
        let rows = memory::measure(rounds)?;
        keep("memory", serde_json::to_value(&rows)?, table::memory(&rows));
        let figures = keys::measure(folder)?;
        keep("keys", serde_json::to_value(&figures)?, table::keys(&figures));
    }
    if wants(|part| matches!(part, Part::Meters)) {
        let rows = guard::with_meters(runplane()?, folder, seconds, rounds).await?;
        keep("meters", serde_json::to_value(&rows)?, table::guard("durable guard with meters", &rows));
    }
    if wants(|part| matches!(part, Part::Peers)) {
        match cerbos(arguments.cerbos.as_deref()) {
            Some(cerbos) => {
                let rows = peers_http::measure(runplane()?, &cerbos, folder, seconds, rounds).await?;
                keep("peers", serde_json::to_value(&rows)?, table::guard("beside Cerbos over HTTP", &rows));
            }
            None => say("no Cerbos binary given (--cerbos): the peer over HTTP is left out"),
        }
    }
    if wants(|part| matches!(part, Part::Postgres { .. })) {
        match &arguments.postgres {
            Some(server) => {
                let only = match arguments.part {
                    Some(Part::Postgres { only }) => only,
                    _ => None,
                };
                let found = postgres::measure(runplane()?, folder, server, only, seconds, rounds).await?;
                keep("postgres", serde_json::to_value(&found)?, table::postgres(&found));
            }
            None => say("no PostgreSQL server given (--postgres): it is left out"),
        }
    }
    match arguments.part {
        Some(Part::Drive { connections, nodes: None }) => {
            guard::drive(runplane()?, folder, connections, seconds).await?;
        }
        Some(Part::Drive { connections, nodes: Some(nodes) }) => {
            let server = arguments.postgres.as_deref().context("`--postgres` must name a server")?;
            postgres::drive(runplane()?, folder, server, nodes, connections, seconds).await?;
        }
        _ => {}
    }
    if let Some(Part::Growth { entries, keep: kept, only_make }) = &arguments.part {
        let place = kept.clone().unwrap_or_else(|| folder.join("large"));
        let large = growth::large(runplane()?, place, *entries).await?;
        if !only_make {
            let grown = growth::measure(runplane()?, folder, &large, *entries, seconds, rounds).await?;
            keep("growth", serde_json::to_value(&grown)?, table::growth(&grown));
        }
    }
    Ok(figures)
}

fn cerbos(given: Option<&Path>) -> Option<PathBuf> {
    given.filter(|path| path.is_file()).and_then(|path| path.canonicalize().ok())
}

/// The only way this program prints.
#[allow(clippy::print_stdout)]
pub fn say(text: &str) {
    println!("{text}");
}
