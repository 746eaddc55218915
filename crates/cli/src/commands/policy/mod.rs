//! `policy`: files on this machine (check, test) and policies in force on a server (list, get, put, delete).

mod cases;
mod check;
mod published;
mod render;
mod trial;

use crate::args::Global;
use crate::exit::Exit;
use crate::output::Output;
use anyhow::Context;
use clap::Subcommand;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    ask: Ask,
}

#[derive(Debug, Subcommand)]
enum Ask {
    /// Check policy files without a server; exit code 3 if one would be refused.
    Check(check::Args),
    /// Decide the calls of a file in process and compare with what is expected; exit code 3 if one differs.
    Test(cases::Args),
    /// List the policies in force.
    List,
    /// Print the text of a policy in force.
    Get { name: String },
    /// Put a policy in force, at once and for every call from then on.
    Put {
        /// The policy, YAML.
        file: PathBuf,
        /// Its name, if it is not the one in the file.
        #[arg(long)]
        name: Option<String>,
    },
    /// Take a policy out of force.
    Delete { name: String },
}

pub fn run(args: &Args, global: &Global, out: &Output) -> anyhow::Result<Exit> {
    match &args.ask {
        Ask::Check(args) => check::run(args, out),
        Ask::Test(args) => cases::run(args, out),
        Ask::List => published::list(global, out),
        Ask::Get { name } => published::get(name, global, out),
        Ask::Put { file, name } => published::put(file, name.as_deref(), global, out),
        Ask::Delete { name } => published::delete(name, global, out),
    }
}

/// A file as findings name it, and its text.
fn read(path: &Path) -> anyhow::Result<(String, String)> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path).with_context(|| format!("`{name}` could not be read"))?;
    Ok((name, text))
}
