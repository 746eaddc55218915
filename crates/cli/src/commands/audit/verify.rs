//! `audit verify`.
//!
//! All of it is checked here, also what a running server sends: its own word is not asked for.

use super::blocks;
use super::report::{Ledger, Trust, conclude};
use super::source::Folder;
use crate::args::Global;
use crate::exit::Exit;
use crate::output::Output;
use crate::remote::Remote;
use anyhow::{Context, bail};
use runplane_ledger::checkpoint::origin;
use runplane_ledger::export::Reader;
use runplane_ledger::verify::Head;
use runplane_ledger::{Hash, Verifier, VerifyingKey};
use runplane_server::check_state;
use runplane_server::history::{History, Row};
use runplane_store::Workspace;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Rows between two steps of the progress bar.
const STEP: u64 = 1_024;
/// More entries than any ledger holds.
const TO_THE_END: u64 = u64::MAX - 1;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// An export to verify; without it, the ledgers of the data folder.
    #[arg(value_name = "EXPORT", conflicts_with = "server")]
    file: Option<PathBuf>,
    /// Verify what the running server exports.
    #[arg(long)]
    server: bool,
    /// The key to believe, as `name+id+key`, got from somebody you trust; without it, the key at hand.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// A checkpoint that was kept elsewhere: rules out that the ledger was cut or rolled back to before it.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Of an export, check the last signature and one in about 1,024 entries instead of all of them: each entry is
    /// still covered by a signature, and much time is saved where commits were small.
    #[arg(long, conflicts_with = "state")]
    sparse: bool,
    /// Add up meters, limits, profiles and open approvals from the ledger, too, and compare them with what is kept.
    #[arg(long, conflicts_with_all = ["file", "server"])]
    state: bool,
}

pub fn run(args: &Args, global: &Global, out: &Output) -> anyhow::Result<Exit> {
    let key = args.key.as_deref().map(VerifyingKey::parse).transpose().context("the key of --key cannot be used")?;
    let outside = args
        .checkpoint
        .as_ref()
        .map(|path| fs::read_to_string(path).with_context(|| format!("`{}` could not be read", path.display())))
        .transpose()?;
    let ledgers = match &args.file {
        Some(path) => vec![file(args, path, key.as_ref(), outside.as_ref(), out)?],
        None if args.server => {
            let remote = Remote::admin(global)?;
            let export = remote.stream(&["ledger", "export"])?;
            vec![read(export, args.sparse, key.as_ref(), outside.as_ref(), out).context("the server's export")?]
        }
        None if args.sparse => bail!("--sparse is for exports: name a file or add --server"),
        None => folder(args.state, global, key.as_ref(), outside.as_deref(), out)?,
    };
    Ok(conclude(ledgers, out))
}

/// Verifies an export as it streams in.
fn read(
    export: impl Read,
    sparse: bool,
    key: Option<&VerifyingKey>,
    outside: Option<&String>,
    out: &Output,
) -> anyhow::Result<Ledger> {
    let reader = Reader::new(key.cloned().into_iter().collect(), outside.cloned().into_iter().collect());
    let reader = if sparse { reader.sparse() } else { reader };
    let bar = out.progress(None, "entries");
    let outcome = blocks::verify(export, reader, |reader| {
        if let Some(header) = reader.header() {
            bar.set_length(header.size);
        }
        bar.set_position(reader.entries());
    })?;
    bar.finish_and_clear();
    let trust = if outcome.key_pinned { Trust::Pinned } else { Trust::Unpinned };
    let believed = key.map_or_else(|| outcome.header.key.clone(), |key| key.to_string());
    let ledger = Ledger::new(&outcome.header.origin, &believed, trust, &outcome.report, outcome.line);
    Ok(ledger.sparse(outcome.sparse))
}

/// Verifies a file. What a sparse reading finds bad is read again in full, which says more exactly what is wrong.
fn file(
    args: &Args,
    path: &Path,
    key: Option<&VerifyingKey>,
    outside: Option<&String>,
    out: &Output,
) -> anyhow::Result<Ledger> {
    let verify = |sparse| {
        let file = File::open(path).with_context(|| format!("`{}` could not be read", path.display()))?;
        read(file, sparse, key, outside, out).with_context(|| format!("`{}`", path.display()))
    };
    let ledger = verify(args.sparse)?;
    if args.sparse && !ledger.valid { verify(false) } else { Ok(ledger) }
}

/// Verifies the ledgers of a data folder: of the workspace that was named, or that the pinned key is for, or all.
fn folder(
    with_state: bool,
    global: &Global,
    pinned: Option<&VerifyingKey>,
    outside: Option<&str>,
    out: &Output,
) -> anyhow::Result<Vec<Ledger>> {
    let folder = Folder::open(global)?;
    let mut workspaces = folder.workspaces(global.workspace.as_deref())?;
    if let Some(key) = pinned {
        workspaces.retain(|workspace| origin(&workspace.id) == key.name());
    }
    // The first line of a checkpoint says whose it is.
    if let Some(of) = outside.and_then(|note| note.lines().next()) {
        workspaces.retain(|workspace| origin(&workspace.id) == of);
    }
    if workspaces.is_empty() {
        bail!("no ledger here is the one that the key or the checkpoint is for");
    }
    let ledger = |workspace: &Workspace| {
        let ledger = stored(&folder, workspace, pinned, outside, out)?;
        let state = if with_state { Some(check_state(&*folder.store, &workspace.id)?) } else { None };
        Ok(ledger.with_state(state))
    };
    workspaces.iter().map(ledger).collect()
}

fn stored(
    folder: &Folder,
    workspace: &Workspace,
    pinned: Option<&VerifyingKey>,
    outside: Option<&str>,
    out: &Output,
) -> anyhow::Result<Ledger> {
    let origin = origin(&workspace.id);
    let key = pinned.cloned().map_or_else(|| folder.key(&workspace.id), Ok)?;
    let mut verifier = Verifier::new(vec![key.clone()], &origin);
    if let Some(note) = outside {
        verifier.outside(note).context("the given checkpoint cannot be used")?;
    }
    let head = folder.store.load_head(&workspace.id)?;
    let bar = out.progress(Some(head.size), "entries");
    // Beyond the head as well: a row that was put in behind it is a finding.
    let mut history = History::of(&workspace.id);
    while let Some(row) = history.next(&*folder.store, TO_THE_END)? {
        match row {
            Row::Entry(row) => {
                verifier.entry(row.index, &row.bytes, Hash::new(row.leaf_hash));
                if row.index % STEP == 0 {
                    bar.set_position(row.index);
                }
            }
            Row::Checkpoint(checkpoint) => verifier.checkpoint(&checkpoint.note),
        }
    }
    bar.finish_and_clear();
    let report = verifier.report(Some(&Head { size: head.size, root: Some(Hash::new(head.root)) }));
    let trust = if pinned.is_some() { Trust::Pinned } else { Trust::DataFolder };
    Ok(Ledger::new(&origin, &key.to_string(), trust, &report, None))
}
