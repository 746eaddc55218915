//! `receipt`: the proof that one entry is on the ledger, fetched and checked.
//!
//! Checked here and nowhere else: what the server says of it is not asked for.

use crate::args::Global;
use crate::exit::Exit;
use crate::output::{Output, Tone};
use crate::remote::{Remote, member};
use anyhow::Context;
use clap::Subcommand;
use runplane_ledger::VerifyingKey;
use runplane_ledger::receipt::{MAX_BYTES, Proven, Receipt};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    ask: Ask,
}

#[derive(Debug, Subcommand)]
enum Ask {
    /// Fetch the receipt of an entry, by its index or by a request id, and check it before it is kept.
    Get {
        #[arg(value_name = "INDEX|REQUEST-ID")]
        entry: String,
        /// Write it to this file, which must not exist, instead of printing it.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Check a receipt without any server.
    Verify {
        file: PathBuf,
        /// The key to believe, as `name+id+key`, got from somebody you trust; without it, the key the receipt names.
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
}

pub fn run(args: &Args, global: &Global, out: &Output) -> anyhow::Result<Exit> {
    match &args.ask {
        Ask::Get { entry, output } => get(entry, output.as_deref(), global, out),
        Ask::Verify { file, key } => verify(file, key.as_deref(), out),
    }
}

fn get(entry: &str, output: Option<&Path>, global: &Global, out: &Output) -> anyhow::Result<Exit> {
    let remote = Remote::admin(global)?;
    let index: u64 = match entry.parse() {
        Ok(index) => index,
        Err(_) => member(&remote.get(&["decisions", entry], &[])?, "index")?,
    };
    let answer = remote.get(&["ledger", "proof", &index.to_string()], &[])?;
    let text = serde_json::to_string_pretty(&answer)?;
    Receipt::read(&text)?.verify(None).context("the server's receipt does not hold")?;
    match output {
        None => out.text(&format!("{text}\n")),
        Some(path) => {
            let name = path.display();
            let mut file = File::create_new(path).with_context(|| format!("`{name}` could not be made"))?;
            writeln!(file, "{text}").with_context(|| format!("`{name}` could not be written"))?;
            out.answer(&json!({ "index": index, "file": path }), |out| {
                out.toned(Tone::Good, "KEPT", format_args!("the receipt of entry {index} in {name}"));
            });
        }
    }
    Ok(Exit::Ok)
}

fn verify(path: &Path, key: Option<&str>, out: &Output) -> anyhow::Result<Exit> {
    let name = path.display();
    let key = key.map(VerifyingKey::parse).transpose().context("the key of --key cannot be used")?;
    let mut text = String::new();
    let most = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path)
        .and_then(|file| file.take(most).read_to_string(&mut text))
        .with_context(|| format!("`{name}` could not be read"))?;
    // What cannot be read as a receipt is a failure; one that does not hold is a finding.
    let receipt = Receipt::read(&text).with_context(|| format!("`{name}`"))?;
    let trust = if key.is_some() { "pinned" } else { "unpinned" };
    match receipt.verify(key.as_ref()) {
        Ok(Proven { index, leaf, checkpoint, key }) => {
            let answer = json!({
                "valid": true, "index": index, "size": checkpoint.size, "origin": checkpoint.origin,
                "leafHash": leaf.to_string(), "root": checkpoint.root.to_string(), "key": key.to_string(),
                "keyTrust": trust, "entry": entry_of(&receipt),
            });
            out.answer(&answer, |out| {
                out.toned(
                    Tone::Good,
                    "VALID",
                    format_args!("entry {index} of {} in {}", checkpoint.size, checkpoint.origin),
                );
                out.line(format_args!("  leaf {leaf}"));
                out.line(format_args!("  root {}", checkpoint.root));
                let says =
                    if trust == "pinned" { "pinned" } else { "as the receipt says of itself; pin it with --key" };
                out.line(format_args!("  key {key} ({says})"));
            });
            Ok(Exit::Ok)
        }
        Err(problem) => {
            let answer = json!({ "valid": false, "index": receipt.index, "problem": problem.to_string() });
            out.answer(&answer, |out| out.toned(Tone::Bad, "BROKEN", format_args!("{name}: {problem}")));
            Ok(Exit::Findings)
        }
    }
}

/// The record, where it is JSON; a receipt may prove any text.
fn entry_of(receipt: &Receipt) -> Value {
    serde_json::from_str(&receipt.entry).unwrap_or_else(|_| Value::String(receipt.entry.clone()))
}
