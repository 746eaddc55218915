//! `audit export`.
//!
//! Refuses to write over a file: an older export may be the one that shows what was changed.

use super::source::Folder;
use crate::args::Global;
use crate::exit::Exit;
use crate::output::Output;
use crate::remote::Remote;
use anyhow::{Context, bail};
use runplane_ledger::Hash;
use runplane_ledger::checkpoint::origin;
use runplane_ledger::export::{Header, write_checkpoint, write_entry};
use runplane_server::history::{History, Row};

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

const PIECE: usize = 256 * 1024;
const DEFAULT_WORKSPACE: &str = "default";

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Where to write; without it, to standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Export from the running server instead of the data folder.
    #[arg(long)]
    server: bool,
}

pub fn run(args: &Args, global: &Global, out: &Output) -> anyhow::Result<Exit> {
    if global.json && args.output.is_none() {
        bail!("an export is NDJSON already: name a file with --output to get a JSON answer about it");
    }
    let mut sink: Box<dyn Write> = match &args.output {
        Some(path) => Box::new(BufWriter::with_capacity(
            PIECE,
            File::create_new(path).with_context(|| format!("`{}` could not be made", path.display()))?,
        )),
        None => Box::new(BufWriter::with_capacity(PIECE, io::stdout())),
    };
    let written = if args.server { from_server(global, &mut sink) } else { from_folder(global, &mut sink, out) };
    let bytes = written.and_then(|bytes| sink.flush().map(|()| bytes).context("the export could not be written"))?;
    if let Some(path) = &args.output {
        let answer = serde_json::json!({ "file": path, "bytes": bytes });
        out.answer(&answer, |out| out.line(format_args!("{}: {bytes} bytes", path.display())));
    }
    Ok(Exit::Ok)
}

fn from_server(global: &Global, sink: &mut dyn Write) -> anyhow::Result<u64> {
    let mut export = Remote::admin(global)?.stream(&["ledger", "export"])?;
    io::copy(&mut export, sink).context("the export broke off")
}

fn from_folder(global: &Global, sink: &mut dyn Write, out: &Output) -> anyhow::Result<u64> {
    let folder = Folder::open(global)?;
    let name = global.workspace.as_deref().unwrap_or(DEFAULT_WORKSPACE);
    let workspaces = folder.workspaces(Some(name))?;
    let workspace = workspaces.first().with_context(|| format!("there is no workspace `{name}`"))?;
    let head = folder.store.load_head(&workspace.id)?;
    let key = folder.key(&workspace.id)?.to_string();
    let mut lines = Vec::with_capacity(PIECE * 2);
    let mut written = 0u64;
    let bar = out.progress(Some(head.size), "entries");
    Header::new(&origin(&workspace.id), &key, head.size).write(&mut lines)?;
    let mut history = History::of(&workspace.id);
    while let Some(row) = history.next(&*folder.store, head.size)? {
        match row {
            Row::Entry(row) => write_entry(&mut lines, row.index, &Hash::new(row.leaf_hash), &row.bytes)?,
            Row::Checkpoint(checkpoint) => write_checkpoint(&mut lines, &checkpoint.note)?,
        }
        if lines.len() >= PIECE {
            written += drain(&mut lines, sink)?;
            bar.set_position(history.position());
        }
    }
    bar.finish_and_clear();
    Ok(written + drain(&mut lines, sink)?)
}

fn drain(lines: &mut Vec<u8>, sink: &mut dyn Write) -> anyhow::Result<u64> {
    sink.write_all(lines).context("the export could not be written")?;
    let length = u64::try_from(lines.len())?;
    lines.clear();
    Ok(length)
}
