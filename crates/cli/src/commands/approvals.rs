//! `approvals`: what waits for a person, and the person's answer.
//!
//! Shows every argument of the action, each as JSON and made visible, since they are what is approved.

use crate::args::Global;
use crate::exit::Exit;
use crate::output::{Output, Tone};
use crate::remote::{Remote, list, shown};
use clap::Subcommand;
use serde_json::{Value, json};

#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    ask: Ask,
}

#[derive(Debug, Subcommand)]
enum Ask {
    /// List approvals, newest first.
    List {
        /// Only those in this state: pending, approved, denied, expired; `all` for every one.
        #[arg(long, default_value = "pending")]
        status: String,
        /// Only what this agent asked for (its id).
        #[arg(long)]
        agent: Option<String>,
        /// At most this many.
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// Go on where a former list ended.
        #[arg(long)]
        cursor: Option<String>,
    },
    /// Show one approval with every argument of the action.
    Show { id: String },
    /// Approve: the action may run once, if policy still lets it.
    Approve {
        id: String,
        /// Why; recorded with your vote.
        #[arg(long)]
        comment: Option<String>,
    },
    /// Deny: the action may not run.
    Deny {
        id: String,
        /// Why; recorded, and told to the agent.
        #[arg(long)]
        comment: Option<String>,
    },
}

pub fn run(args: &Args, global: &Global, out: &Output) -> anyhow::Result<Exit> {
    let remote = Remote::admin(global)?;
    match &args.ask {
        Ask::List { status, agent, limit, cursor } => {
            let limit = limit.to_string();
            let mut query = vec![("limit", limit.as_str())];
            query.extend((status != "all").then_some(("status", status.as_str())));
            query.extend(agent.as_deref().map(|agent| ("agent", agent)));
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let page = remote.get(&["approvals"], &query)?;
            out.answer(&page, |out| print_list(&page, out));
        }
        Ask::Show { id } => {
            let approval = remote.get(&["approvals", id], &[])?;
            out.answer(&approval, |out| print(&approval, out));
        }
        Ask::Approve { id, comment } => vote(&remote, id, "approve", comment.as_deref(), out)?,
        Ask::Deny { id, comment } => vote(&remote, id, "deny", comment.as_deref(), out)?,
    }
    Ok(Exit::Ok)
}

fn vote(remote: &Remote, id: &str, verdict: &str, comment: Option<&str>, out: &Output) -> anyhow::Result<()> {
    let body = comment.map_or_else(|| json!({}), |comment| json!({ "comment": comment }));
    let approval = remote.post(&["approvals", id, verdict], &body)?;
    out.answer(&approval, |out| print_head(&approval, out));
    Ok(())
}

fn print_list(page: &Value, out: &Output) {
    let rows = list(page, "approvals").iter().map(|approval| {
        ["/id", "/status", "/agent/name", "/action/summary", "/severity", "/expiresAt"]
            .map(|pointer| shown(approval, pointer))
            .to_vec()
    });
    out.table(&["id", "status", "agent", "action", "severity", "expires"], rows.collect(), "nothing waits for you");
    if let Some(cursor) = page.get("nextCursor").and_then(Value::as_str) {
        out.remark(format_args!("there are more: --cursor {cursor}"));
    }
}

fn print_head(approval: &Value, out: &Output) {
    let status = shown(approval, "/status");
    let tone = match status.as_str() {
        "approved" => Tone::Good,
        "pending" => Tone::Waiting,
        _ => Tone::Bad,
    };
    out.toned(tone, &status.to_uppercase(), shown(approval, "/action/summary"));
    out.field("approval", 12, shown(approval, "/id"));
}

fn print(approval: &Value, out: &Output) {
    const WIDTH: usize = 12;
    let field = |name: &str, pointer: &str| out.field(name, WIDTH, shown(approval, pointer));
    print_head(approval, out);
    field("type", "/action/type");
    if shown(approval, "/action/declared") != shown(approval, "/action/type") {
        field("asked for as", "/action/declared");
    }
    field("target", "/action/target");
    field("environment", "/action/environment");
    match approval.pointer("/action/context") {
        Some(Value::Object(context)) if !context.is_empty() => {
            for (name, value) in context {
                out.field("context", WIDTH, format_args!("{name} = {value}"));
            }
        }
        other => out.field("context", WIDTH, other.map_or_else(|| "not kept".to_owned(), Value::to_string)),
    }
    field("held because", "/reason");
    field("rule", "/matchedRule");
    out.field(
        "risk",
        WIDTH,
        format_args!("{} of 100, severity {}", shown(approval, "/riskScore"), shown(approval, "/severity")),
    );
    out.field("agent", WIDTH, format_args!("{} ({})", shown(approval, "/agent/name"), shown(approval, "/agent/id")));
    field("request", "/requestId");
    field("asked", "/createdAt");
    field("expires", "/expiresAt");
    field("state", "/state");
    for requirement in list(approval, "requirements") {
        let from = list(requirement, "from").iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ");
        let from = if from.is_empty() { "anyone".to_owned() } else { from };
        let quorum = shown(requirement, "/quorum");
        out.field("needs", WIDTH, format_args!("{quorum} of {from}, for {}", shown(requirement, "/rule")));
    }
    for vote in list(approval, "votes") {
        let [by, at, verdict, comment] = ["/by", "/at", "/verdict", "/comment"].map(|pointer| shown(vote, pointer));
        out.field("vote", WIDTH, format_args!("{verdict} by {by} at {at}: {comment}"));
    }
    field("digest", "/digest");
}
