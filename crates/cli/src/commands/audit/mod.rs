//! `audit`: is the ledger what was signed, and a copy of it to keep elsewhere.

mod blocks;
mod export;
mod report;
mod source;
mod verify;

use crate::args::Global;
use crate::exit::Exit;
use crate::output::Output;
use clap::Subcommand;

#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    ask: Ask,
}

#[derive(Debug, Subcommand)]
enum Ask {
    /// Verify every entry and signature: of the data folder, of an export, or of a running server.
    Verify(verify::Args),
    /// Write the ledger as NDJSON that can be verified anywhere.
    Export(export::Args),
}

pub fn run(args: &Args, global: &Global, out: &Output) -> anyhow::Result<Exit> {
    match &args.ask {
        Ask::Verify(args) => verify::run(args, global, out),
        Ask::Export(args) => export::run(args, global, out),
    }
}
