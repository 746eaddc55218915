//! `copy`: from the embedded database into a shared one.

use crate::args::{Global, Secret};
use crate::exit::Exit;
use crate::output::{Output, Tone};
use crate::times;
use anyhow::{Context, bail};
use runplane_core::time::{Micros, Span};
use runplane_server::Place;
use runplane_server::copy::{Copied, Phase, Progress, copy};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Time between two lines of progress.
const BETWEEN_LINES: Span = Span::seconds(5);

#[derive(clap::Args, Debug)]
pub struct Args {
    /// What to copy: sqlite://DIR names a data folder that no server is using [default: the one of --data].
    #[arg(long, value_name = "URL")]
    from: Option<String>,
    /// Where to: postgres://USER@HOST/NAME [default: the one of --database or RUNPLANE_DATABASE_URL].
    #[arg(long, value_name = "URL")]
    to: Option<Secret>,
}

pub fn run(args: &Args, global: &Global, out: &Output) -> anyhow::Result<Exit> {
    let data = match &args.from {
        Some(url) => url.strip_prefix("sqlite://").map(PathBuf::from).context("--from is named as sqlite://DIR")?,
        None => global.data.clone(),
    };
    let source = Place::embedded(data);
    if !source.is_initialised()? {
        bail!("`{}` holds no installation", source.name());
    }
    let target = Global { database: args.to.clone().or(global.database.clone()), ..global.clone() }.place()?;
    if target.database.is_none() {
        bail!("name the database to copy to with --to or RUNPLANE_DATABASE_URL");
    }
    let (seeds, from) = (source.seeds()?, source.open()?);
    let to = target.open().with_context(|| format!("`{}` cannot be used", target.name()))?;
    let bar = out.progress(None, "entries");
    let mut told: Option<(Micros, Phase)> = None;
    let copied = copy(&*from, &*to, &seeds, |Progress { workspace, phase, done, of }| {
        let doing = if phase == Phase::Copying { "copied" } else { "verified" };
        bar.set_length(of);
        bar.set_message(format!("{doing} of {workspace}"));
        bar.set_position(done);
        // Where nobody watches a bar, a line now and then says the same.
        let now = times::now();
        if bar.is_hidden() && told.is_none_or(|(last, what)| what != phase || now > last.after(BETWEEN_LINES)) {
            told = Some((now, phase));
            out.remark(format_args!("{doing} {done} of {of} entries of `{workspace}`"));
        }
    })?;
    bar.finish_and_clear();
    let listed: Vec<Value> = copied
        .iter()
        .map(|Copied { workspace, entries, root }| json!({ "workspace": workspace, "entries": entries, "root": root }))
        .collect();
    out.answer(&json!({ "to": target.name(), "workspaces": listed, "verified": true }), |out| {
        out.toned(Tone::Good, "COPIED", format_args!("to {}, and verified there", target.name()));
        for one in &copied {
            out.field(&one.workspace, 11, format_args!("{} entries, root {}", one.entries, one.root));
        }
        out.remark("next: `runplane serve` with RUNPLANE_DATABASE_URL, on the same data folder: its keys stay");
    });
    Ok(Exit::Ok)
}
