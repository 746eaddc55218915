//! `make bench`: what a governed call costs, beside what the machine allows in the same run.
//!
//! Each figure is a median over rounds in which the server under test and its floors take turns, so that a noisy
//! neighbour hits all of them. Closed loop; one in-flight request per connection.

mod decide;
mod floor;
mod guard;
mod load;
mod table;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::path::PathBuf;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
struct Arguments {
    /// The release binary under test.
    #[arg(long)]
    runplane: Option<PathBuf>,
    /// Seconds per measurement.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Rounds; the median counts.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Where to write the figures as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
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
    },
    /// Only the decision in process.
    Decide,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match arguments.part {
        Some(Part::Floor { log }) => runtime.block_on(floor::serve(log.as_deref())),
        Some(Part::Decide) => {
            say(&table::decide(&decide::measure()?));
            Ok(())
        }
        None => {
            let decide = decide::measure()?;
            let guard =
                runtime.block_on(guard::measure(arguments.runplane.as_deref(), arguments.seconds, arguments.rounds))?;
            say(&table::guard(&guard));
            say(&table::decide(&decide));
            if let Some(path) = arguments.json {
                let figures = serde_json::json!({ "guard": guard, "decide": decide });
                std::fs::write(path, serde_json::to_vec_pretty(&figures)?)?;
            }
            Ok(())
        }
    }
}

/// The only way this program prints.
#[allow(clippy::print_stdout)]
pub fn say(text: &str) {
    println!("{text}");
}
