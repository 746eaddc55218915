//! `policy`: files on this machine (check, test) and policies in force on a server (list, get, put, delete).

mod cases;
mod check;
mod coverage;
pub mod explain;
mod history;
mod lint;
mod published;
mod render;
mod shadow;
mod trial;

use crate::args::Global;
use crate::exit::Exit;
use crate::output::Output;
use anyhow::{Context, bail};
use clap::Subcommand;
use runplane_core::settings::Settings;
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
    /// Look for mistakes in policies that would publish; exit code 3 if there are any.
    Lint(lint::Args),
    /// Say what policies decide about a call, and why, rule by rule.
    Explain(explain::Args),
    /// Decide the calls of a file in process and compare with what is expected; exit code 3 if one differs.
    Test(cases::Args),
    /// Say what shadow policies, or enforcement where the workspace observed, would have decided otherwise.
    ShadowReport(shadow::Args),
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
        /// Why, for those who read the history.
        #[arg(long, short)]
        message: Option<String>,
    },
    /// Take a policy out of force.
    Delete {
        name: String,
        /// Why, for those who read the history.
        #[arg(long, short)]
        message: Option<String>,
    },
    /// List the versions of a policy, newest first.
    History { name: String },
    /// Compare two versions of a policy.
    Diff {
        name: String,
        /// The older version.
        #[arg(value_name = "A")]
        from: u64,
        /// The newer one [default: the newest].
        #[arg(value_name = "B")]
        to: Option<u64>,
    },
    /// Put an old version of a policy in force again; the rollback is a version of its own.
    Rollback {
        name: String,
        version: u64,
        /// Why, for those who read the history.
        #[arg(long, short)]
        message: Option<String>,
    },
}

pub fn run(args: &Args, global: &Global, out: &Output) -> anyhow::Result<Exit> {
    match &args.ask {
        Ask::Check(args) => check::run(args, out),
        Ask::Lint(args) => lint::run(args, global, out),
        Ask::Explain(args) => explain::run(args, global, out),
        Ask::Test(args) => cases::run(args, out),
        Ask::ShadowReport(args) => shadow::run(args, global, out),
        Ask::List => published::list(global, out),
        Ask::Get { name } => published::get(name, global, out),
        Ask::Put { file, name, message } => published::put(file, name.as_deref(), message.as_deref(), global, out),
        Ask::Delete { name, message } => published::delete(name, message.as_deref(), global, out),
        Ask::History { name } => history::list(name, global, out),
        Ask::Diff { name, from, to } => history::diff(name, *from, *to, global, out),
        Ask::Rollback { name, version, message } => history::rollback(name, *version, message.as_deref(), global, out),
    }
}

/// A file as findings name it, and its text.
fn read(path: &Path) -> anyhow::Result<(String, String)> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path).with_context(|| format!("`{name}` could not be read"))?;
    Ok((name, text))
}

/// Not a policy, but what policies speak about.
const CATALOGUE: &str = "catalogue.yaml";

/// Policy files, and those in folders, sorted within each folder.
fn gather(paths: &[PathBuf]) -> anyhow::Result<Vec<(String, String)>> {
    let mut policies = Vec::new();
    for path in paths {
        if path.is_dir() {
            policies.extend(folder(path)?);
        } else {
            policies.push(read(path)?);
        }
    }
    Ok(policies)
}

/// Every policy in a folder.
fn folder(folder: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let unreadable = || format!("`{}` could not be read", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(unreadable)? {
        let path = entry.with_context(unreadable)?.path();
        let is_yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        if is_yaml && path.file_name().is_some_and(|name| name != CATALOGUE) {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        bail!("`{}` holds no policies (.yaml)", folder.display());
    }
    files.iter().map(|path| read(path)).collect()
}

/// Settings as a server gives and takes them.
fn settings(path: &Path) -> anyhow::Result<Settings> {
    let (name, text) = read(path)?;
    serde_json::from_str(&text).with_context(|| format!("`{name}` does not hold settings"))
}
