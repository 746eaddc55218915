//! `observe`: a workspace in which everything is decided and recorded, and nothing is stopped, until a date.

use crate::args::Global;
use crate::exit::Exit;
use crate::output::{Output, Tone};
use crate::remote::Remote;
use crate::times;
use anyhow::Context;
use clap::Subcommand;
use runplane_core::time::{Micros, Span};
use serde_json::{Value, json};

#[derive(clap::Args, Debug)]
#[command(arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    ask: Ask,
}

#[derive(Debug, Subcommand)]
enum Ask {
    /// Say whether the workspace enforces or observes.
    Status,
    /// Stop nothing until a moment; what is contained or has no valid key is stopped all the same.
    On {
        /// When enforcement begins: a length such as `14d`, or a time such as `2026-01-31T09:00:00Z`; at most 90 days.
        #[arg(long, value_name = "WHEN")]
        until: String,
    },
    /// Enforce from now on.
    Off,
}

pub fn run(args: &Args, global: &Global, out: &Output) -> anyhow::Result<Exit> {
    let remote = Remote::admin(global)?;
    match &args.ask {
        Ask::Status => {}
        Ask::On { until } => {
            let until = moment(until)?.to_string();
            remote.patch(&["settings"], &json!({ "observe": { "until": until } }))?;
        }
        Ask::Off => _ = remote.patch(&["settings"], &json!({ "observe": null }))?,
    }
    let until = until(&remote)?;
    let mode = if until.is_some() { "observe" } else { "enforce" };
    out.answer(&json!({ "mode": mode, "until": until.map(|until| until.to_string()) }), |out| match until {
        Some(until) => out.toned(Tone::Waiting, "OBSERVING", format_args!("nothing is stopped until {until}")),
        None => out.toned(Tone::Good, "ENFORCING", "decisions are followed"),
    });
    Ok(Exit::Ok)
}

/// Until when the workspace only observes; nothing if it enforces.
pub fn until(remote: &Remote) -> anyhow::Result<Option<Micros>> {
    let settings = remote.get(&["settings"], &[])?;
    let Some(until) = settings.pointer("/observe/until").and_then(Value::as_str) else { return Ok(None) };
    let until: Micros = until.parse().with_context(|| format!("the server says `{until}`, which is not a time"))?;
    Ok(Some(until).filter(|until| times::now() < *until))
}

fn moment(text: &str) -> anyhow::Result<Micros> {
    match text.parse::<Span>() {
        Ok(length) => Ok(times::now().after(length)),
        Err(_) => text.parse().with_context(|| format!("`{text}` is neither a length nor a time")),
    }
}
