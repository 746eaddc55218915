//! `agents`: the software that acts, as the server knows it.

use crate::args::Global;
use crate::exit::Exit;
use crate::output::{Output, Tone};
use crate::remote::{Remote, list, shown};
use clap::Subcommand;
use serde_json::{Map, Value, json};

#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    ask: Ask,
}

#[derive(Debug, Subcommand)]
enum Ask {
    /// List the agents of the workspace.
    List,
    /// Register an agent and make its first key, which is shown once.
    Create {
        name: String,
        /// Where it acts; decides how strictly its calls are taken.
        #[arg(long, default_value = "production")]
        environment: String,
        /// A label that policies can ask for; may be given several times.
        #[arg(long = "label", value_name = "LABEL")]
        labels: Vec<String>,
        /// The person answerable for it, who may not approve what it asks for.
        #[arg(long)]
        owner: Option<String>,
        /// The platform all its tools come from, such as `stripe`.
        #[arg(long)]
        source: Option<String>,
    },
    /// Answer BLOCK to everything the agent asks, from now on.
    Suspend { id: String },
    /// Take that back.
    Resume { id: String },
}

pub fn run(args: &Args, global: &Global, out: &Output) -> anyhow::Result<Exit> {
    let remote = Remote::admin(global)?;
    match &args.ask {
        Ask::List => {
            let page = remote.get(&["agents"], &[])?;
            out.answer(&page, |out| print_list(&page, out));
        }
        Ask::Create { name, environment, labels, owner, source } => {
            let mut body = Map::new();
            body.insert("name".into(), json!(name));
            body.insert("environment".into(), json!(environment));
            body.insert("labels".into(), json!(labels));
            body.extend(owner.as_ref().map(|owner| ("owner".into(), json!(owner))));
            body.extend(source.as_ref().map(|source| ("source".into(), json!(source))));
            let agent = remote.post(&["agents"], &body)?;
            out.answer(&agent, |out| print_new(&agent, out));
        }
        Ask::Suspend { id } => set_status(&remote, id, "suspended", out)?,
        Ask::Resume { id } => set_status(&remote, id, "active", out)?,
    }
    Ok(Exit::Ok)
}

fn set_status(remote: &Remote, id: &str, status: &str, out: &Output) -> anyhow::Result<()> {
    let agent = remote.patch(&["agents", id], &json!({ "status": status }))?;
    let tone = if status == "active" { Tone::Good } else { Tone::Bad };
    out.answer(&agent, |out| {
        out.toned(
            tone,
            &shown(&agent, "/status"),
            format_args!("{} ({})", shown(&agent, "/name"), shown(&agent, "/id")),
        );
    });
    Ok(())
}

fn print_list(page: &Value, out: &Output) {
    let rows = list(page, "agents").iter().map(|agent| {
        let labels = list(agent, "labels").iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ");
        let mut row =
            ["/id", "/name", "/environment", "/status", "/owner"].map(|pointer| shown(agent, pointer)).to_vec();
        row.push(labels);
        row
    });
    out.table(&["id", "name", "environment", "status", "owner", "labels"], rows.collect(), "no agents");
}

fn print_new(agent: &Value, out: &Output) {
    out.toned(Tone::Name, &shown(agent, "/name"), format_args!("in {}", shown(agent, "/environment")));
    out.field("agent", 5, shown(agent, "/id"));
    out.field("key", 5, shown(agent, "/key/key"));
    out.remark("the key is shown this once and kept nowhere");
}
