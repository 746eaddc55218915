//! `contain`: switches that stop what matches, at once and whatever policy says.

use crate::args::Global;
use crate::exit::Exit;
use crate::output::{Output, Tone};
use crate::remote::{Remote, list, shown};
use anyhow::bail;
use clap::{Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    ask: Ask,
}

#[derive(Debug, Subcommand)]
enum Ask {
    /// List the switches that are on.
    List,
    /// Block everything in a scope from now on, approved actions included.
    On {
        scope: Scope,
        /// Agent id, action type or source; nothing for the workspace.
        value: Option<String>,
        /// Why; recorded.
        #[arg(long)]
        reason: String,
    },
    /// Turn a switch off.
    Off { id: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Scope {
    Workspace,
    Agent,
    ActionType,
    Source,
}

impl Scope {
    const fn wire(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::Agent => "agent",
            Self::ActionType => "actionType",
            Self::Source => "source",
        }
    }
}

pub fn run(args: &Args, global: &Global, out: &Output) -> anyhow::Result<Exit> {
    match &args.ask {
        Ask::List => {
            let page = Remote::admin(global)?.get(&["containment"], &[])?;
            out.answer(&page, |out| print_list(&page, out));
        }
        Ask::On { scope, value, reason } => {
            let mut body = Map::new();
            match (scope, value) {
                (Scope::Workspace, Some(value)) => bail!("the scope `workspace` takes no value, not `{value}`"),
                (Scope::Workspace, None) => {}
                (scope, None) => bail!("say which {} is to be contained", scope.wire()),
                (_, Some(value)) => _ = body.insert("value".into(), json!(value)),
            }
            body.insert("scope".into(), json!(scope.wire()));
            body.insert("reason".into(), json!(reason));
            let switch = Remote::admin(global)?.post(&["containment"], &body)?;
            out.answer(&switch, |out| {
                out.toned(Tone::Bad, "CONTAINED", shown(&switch, "/reason"));
                out.line(format_args!("  turn it off with  runplane contain off {}", shown(&switch, "/id")));
            });
        }
        Ask::Off { id } => {
            let answer = Remote::admin(global)?.delete(&["containment", id])?;
            out.answer(&answer, |out| out.toned(Tone::Good, "OFF", id));
        }
    }
    Ok(Exit::Ok)
}

fn print_list(page: &Value, out: &Output) {
    let rows = list(page, "switches").iter().map(|switch| {
        ["/id", "/scope", "/value", "/reason", "/by", "/at"].map(|pointer| shown(switch, pointer)).to_vec()
    });
    out.table(&["id", "scope", "value", "reason", "by", "since"], rows.collect(), "nothing is contained");
}
