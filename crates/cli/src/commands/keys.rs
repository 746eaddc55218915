//! `keys`: the API keys of agents. A key is shown when it is made and never again.

use crate::args::Global;
use crate::exit::Exit;
use crate::output::Output;
use crate::remote::{Remote, list, shown};
use crate::times;
use clap::Subcommand;
use serde_json::{Map, Value, json};

#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    ask: Ask,
}

#[derive(Debug, Subcommand)]
enum Ask {
    /// List the keys of an agent.
    List {
        #[arg(value_name = "AGENT_ID")]
        agent: String,
    },
    /// Make a further key for an agent.
    Create {
        #[arg(value_name = "AGENT_ID")]
        agent: String,
        /// When it ends: a time in RFC 3339, or a length of time from now such as `90d`.
        #[arg(long, value_name = "WHEN")]
        expires: Option<String>,
    },
    /// Replace a key by a new one.
    Rotate {
        #[arg(value_name = "KEY_ID")]
        key: String,
        /// How long the old one still works, such as `10m`; without it, not at all.
        #[arg(long, value_name = "TIME")]
        grace: Option<String>,
    },
    /// End a key at once.
    Revoke {
        #[arg(value_name = "KEY_ID")]
        key: String,
    },
}

pub fn run(args: &Args, global: &Global, out: &Output) -> anyhow::Result<Exit> {
    let remote = Remote::admin(global)?;
    match &args.ask {
        Ask::List { agent } => {
            let page = remote.get(&["agents", agent, "keys"], &[])?;
            out.answer(&page, |out| print_list(&page, out));
        }
        Ask::Create { agent, expires } => {
            let mut body = Map::new();
            if let Some(expires) = expires {
                body.insert("expiresAt".into(), json!(times::moment(expires)?));
            }
            let key = remote.post(&["agents", agent, "keys"], &body)?;
            out.answer(&key, |out| print_new(&key, out));
        }
        Ask::Rotate { key, grace } => {
            let mut body = Map::new();
            if let Some(grace) = grace {
                body.insert("graceSeconds".into(), json!(times::length(grace)?.as_secs()));
            }
            let key = remote.post(&["keys", key, "rotate"], &body)?;
            out.answer(&key, |out| print_new(&key, out));
        }
        Ask::Revoke { key: id } => {
            let key = remote.post(&["keys", id, "revoke"], &json!({}))?;
            out.answer(&key, |out| out.line(format_args!("{id} is revoked")));
        }
    }
    Ok(Exit::Ok)
}

fn print_list(page: &Value, out: &Output) {
    let rows = list(page, "keys")
        .iter()
        .map(|key| ["/id", "/createdAt", "/expiresAt", "/revokedAt"].map(|pointer| shown(key, pointer)).to_vec());
    out.table(&["id", "created", "expires", "revoked"], rows.collect(), "no keys");
}

fn print_new(answer: &Value, out: &Output) {
    // A new key is the answer itself or its member `key`, as where an agent is made.
    let key = answer.get("key").filter(|key| key.is_object()).unwrap_or(answer);
    out.field("id", 7, shown(key, "/id"));
    out.field("key", 7, shown(key, "/key"));
    out.field("expires", 7, shown(key, "/expiresAt"));
    out.remark("the key is shown this once and kept nowhere");
}
