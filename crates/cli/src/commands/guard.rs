//! `guard`: may this action run?
//!
//! SECURITY: the context goes to the server byte for byte as it was given, so that duplicate members and
//! ambiguous numbers are refused there and not smoothed over here. Exit code 0 is given for a recorded ALLOW
//! and for nothing else.

use crate::args::Global;
use crate::exit::Exit;
use crate::output::{Output, Tone};
use crate::remote::{Remote, member, shown};
use crate::times;
use anyhow::{Context, bail};
use runplane_core::outcome::Outcome;
use runplane_core::time::Micros;
use runplane_server::clock::SystemClock;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::io::Read;
use std::thread;
use std::time::Duration;

/// How long one look at an approval waits at the server.
const LOOK: Duration = Duration::from_secs(25);
/// A server that is restarted meanwhile is given this many further chances in a row.
const CHANCES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(2);

#[derive(clap::Args, Debug)]
pub struct Args {
    /// What is to be done, such as `process_refund`.
    #[arg(value_name = "TYPE")]
    action_type: String,
    /// The system it is done to, such as `stripe`.
    target: String,
    /// The arguments of the action, a JSON object; `-` reads it from standard input.
    #[arg(value_name = "JSON", default_value = "{}")]
    context: String,
    /// The tool that will run it.
    #[arg(long)]
    tool: Option<String>,
    /// On whose behalf.
    #[arg(long)]
    subject: Option<String>,
    /// The run of the agent it belongs to.
    #[arg(long)]
    session: Option<String>,
    /// Asking again with the same id gives the same decision.
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
    /// If a person must decide, wait for it (at most TIME, such as `10m`) and redeem the approval.
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true)]
    #[allow(clippy::option_option)] // absent, present, present with a value
    wait: Option<Option<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    action: Action<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
}

#[derive(Serialize)]
struct Action<'a> {
    #[serde(rename = "type")]
    action_type: &'a str,
    target: &'a str,
    context: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool: Option<&'a str>,
}

pub fn run(args: &Args, global: &Global, out: &Output) -> anyhow::Result<Exit> {
    let limit = match &args.wait {
        Some(Some(text)) => Some(times::length(text)?),
        _ => None,
    };
    let context = context(&args.context)?;
    let remote = Remote::agent(global)?;
    let request = Request {
        action: Action {
            action_type: &args.action_type,
            target: &args.target,
            context: &context,
            tool: args.tool.as_deref(),
        },
        request_id: args.request_id.as_deref(),
        subject: args.subject.as_deref(),
        session: args.session.as_deref(),
    };
    let decision = remote.post(&["guard"], &request)?;
    let outcome: Outcome = member(&decision, "decision")?;
    if outcome != Outcome::RequireApproval || args.wait.is_none() {
        out.answer(&decision, |out| print(&decision, outcome, out));
        return Ok(exit(outcome));
    }
    let approval: String = member(&decision, "approvalId")?;
    out.remark(format_args!("held as {approval}: {}", shown(&decision, "/reason")));
    await_approval(&remote, &decision, &approval, limit, out)
}

fn context(text: &str) -> anyhow::Result<Box<RawValue>> {
    let mut read = String::new();
    let text = if text == "-" {
        std::io::stdin().read_to_string(&mut read).context("standard input could not be read")?;
        read
    } else {
        text.to_owned()
    };
    RawValue::from_string(text.trim().to_owned()).context("the context is not JSON")
}

/// Waits until a person has decided, and redeems what was approved.
fn await_approval(
    remote: &Remote,
    decision: &Value,
    id: &str,
    limit: Option<Duration>,
    out: &Output,
) -> anyhow::Result<Exit> {
    let approval = look_until_decided(remote, id, limit)?;
    match shown(&approval, "/status").as_str() {
        "approved" => {}
        "pending" => {
            let document = with_approval(decision, approval);
            out.answer(&document, |out| print(decision, Outcome::RequireApproval, out));
            return Ok(Exit::Held);
        }
        status => {
            let comment = shown(&approval, "/comment");
            let by = shown(&approval, "/resolvedBy");
            out.answer(&with_approval(decision, approval.clone()), |out| {
                out.toned(Tone::Bad, &status.to_uppercase(), format_args!("by {by}: {comment}"));
            });
            return Ok(Exit::Blocked);
        }
    }
    // Made here and kept through repetitions, so that a lost answer does not lose the approval.
    let redemption = json!({ "redemptionId": format!("cli-{}", uuid::Uuid::now_v7()) });
    let redeemed = patiently(|| remote.post(&["approvals", id, "redeem"], &redemption))?;
    let outcome: Outcome = member(&redeemed, "decision")?;
    out.answer(&redeemed, |out| print(&redeemed, outcome, out));
    match outcome {
        Outcome::RequireApproval => bail!("the server holds what was approved"),
        outcome => Ok(exit(outcome)),
    }
}

fn look_until_decided(remote: &Remote, id: &str, limit: Option<Duration>) -> anyhow::Result<Value> {
    let clock = SystemClock::shared();
    let elapsed = || Duration::from_micros(u64::try_from(clock.read().elapsed.since(Micros(0)).0).unwrap_or(0));
    let until = limit.map(|limit| elapsed().saturating_add(limit));
    loop {
        let left = until.map(|until| until.saturating_sub(elapsed()));
        let wait = format!("{}s", left.map_or(LOOK, |left| left.min(LOOK)).as_secs());
        let approval = patiently(|| remote.get(&["approvals", id], &[("wait", &wait)]))?;
        if shown(&approval, "/status") != "pending" || left.is_some_and(|left| left.is_zero()) {
            return Ok(approval);
        }
        if left.is_some_and(|left| left < Duration::from_secs(1)) {
            thread::sleep(left.unwrap_or_default());
        }
    }
}

/// Repeats what failed for want of a server; a refusal is an answer and stands.
fn patiently(mut ask: impl FnMut() -> anyhow::Result<Value>) -> anyhow::Result<Value> {
    let mut chances = CHANCES;
    loop {
        match ask() {
            Err(error) if chances > 0 && is_outage(&error) => {
                chances -= 1;
                thread::sleep(PAUSE);
            }
            answered => return answered,
        }
    }
}

fn is_outage(error: &anyhow::Error) -> bool {
    match error.downcast_ref::<crate::remote::Refused>() {
        Some(refused) => refused.status >= 500,
        None => true,
    }
}

fn with_approval(decision: &Value, approval: Value) -> Value {
    let mut document = decision.clone();
    if let Some(members) = document.as_object_mut() {
        members.insert("approval".to_owned(), approval);
    }
    document
}

const fn exit(outcome: Outcome) -> Exit {
    match outcome {
        Outcome::Allow => Exit::Ok,
        Outcome::RequireApproval => Exit::Held,
        Outcome::Block => Exit::Blocked,
    }
}

fn print(decision: &Value, outcome: Outcome, out: &Output) {
    let tone = match outcome {
        Outcome::Allow => Tone::Good,
        Outcome::RequireApproval => Tone::Waiting,
        Outcome::Block => Tone::Bad,
    };
    out.toned(tone, outcome.as_str(), shown(decision, "/reason"));
    if decision.get("observed").is_some() {
        let (until, enforced) = (shown(decision, "/observed/until"), shown(decision, "/observed/decision"));
        out.toned(
            Tone::Waiting,
            "OBSERVED",
            format_args!("nothing is stopped until {until}; enforced it is {enforced}"),
        );
    }
    out.field("rule", 8, shown(decision, "/matchedRule"));
    out.field(
        "risk",
        8,
        format_args!("{} of 100, severity {}", shown(decision, "/riskScore"), shown(decision, "/severity")),
    );
    out.field("request", 8, shown(decision, "/requestId"));
    if outcome == Outcome::RequireApproval {
        let id = shown(decision, "/approvalId");
        out.field("approval", 8, &id);
        out.line(format_args!("  decide it with  runplane approvals approve {id}  or  deny {id}"));
    }
    if decision.get("permit").is_some() {
        out.field("permit", 8, shown(decision, "/permit"));
        out.field("until", 8, shown(decision, "/permitExpiresAt"));
    }
}
