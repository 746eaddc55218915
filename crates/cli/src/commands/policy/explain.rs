//! `policy explain`: what policies say of one call, rule by rule.
//!
//! Against files or the shipped packs it is decided in process, with nothing counted yet; else the server is asked,
//! which has the meters of this moment. Nothing is recorded either way.

use super::trial::{Action, Trial};
use super::{gather, settings};
use crate::args::Global;
use crate::exit::Exit;
use crate::output::{Output, Tone};
use crate::remote::{Remote, list as members, shown};
use anyhow::{Context, bail};
use runplane_core::call::Agent;
use runplane_core::environment::Environment;
use runplane_core::packs;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::fs;
use std::io::Read;
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The call, `{"action": {"type": …, "target": …, "context": {…}}}`: JSON, the name of a file, or `-`.
    call: String,
    /// Policy files, and folders of them, to decide it by; `packs` for those that are shipped.
    #[arg(long, value_name = "FILE")]
    policies: Vec<PathBuf>,
    /// Settings to decide it with, as `GET /api/v1/settings` gives them.
    #[arg(long, value_name = "FILE", requires = "policies")]
    settings: Option<PathBuf>,
    /// Environment of the agent that asks.
    #[arg(long, value_name = "NAME", default_value = "production", requires = "policies")]
    environment: String,
    /// A label of the agent that asks.
    #[arg(long = "label", value_name = "LABEL", requires = "policies")]
    labels: Vec<String>,
    /// The platform the agent's tools come from.
    #[arg(long, value_name = "NAME", requires = "policies")]
    source: Option<String>,
    /// The registered agent that asks, on the server.
    #[arg(long, value_name = "ID", conflicts_with = "policies")]
    agent: Option<String>,
    /// A policy to try in place of the one in force on the server.
    #[arg(long, value_name = "FILE", conflicts_with = "policies")]
    draft: Option<PathBuf>,
    /// When it is asked [default: a Monday at noon for files, now for the server].
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    action: Action,
    #[serde(default)]
    subject: Option<String>,
    #[serde(default)]
    session: Option<String>,
}

pub fn run(args: &Args, global: &Global, out: &Output) -> anyhow::Result<Exit> {
    let answer = answer(args, global)?;
    out.answer(&answer, |out| print(&answer, out));
    Ok(Exit::Ok)
}

/// What the server, or the files, say of the call.
pub fn answer(args: &Args, global: &Global) -> anyhow::Result<Value> {
    let text = call_text(&args.call)?;
    if args.policies.is_empty() { ask(args, &text, global) } else { decide(args, &text) }
}

/// JSON as given, from a file or from standard input.
fn call_text(given: &str) -> anyhow::Result<String> {
    if given.trim_start().starts_with('{') {
        return Ok(given.to_owned());
    }
    let mut text = String::new();
    if given == "-" {
        std::io::stdin().read_to_string(&mut text).context("standard input could not be read")?;
    } else {
        text = fs::read_to_string(given).with_context(|| format!("`{given}` could not be read"))?;
    }
    Ok(text)
}

fn ask(args: &Args, call: &str, global: &Global) -> anyhow::Result<Value> {
    let call: Box<RawValue> = RawValue::from_string(call.trim().to_owned()).context("the call is not JSON")?;
    let yaml = args.draft.as_deref().map(super::read).transpose()?.map(|(_, text)| text);
    let request = Request { call, agent_id: args.agent.as_deref(), yaml, at: args.at.as_deref() };
    Remote::admin(global)?.post(&["policies", "explain"], &request)
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    call: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    yaml: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<&'a str>,
}

fn decide(args: &Args, call: &str) -> anyhow::Result<Value> {
    let call: Call = serde_json::from_str(call).context("the call is not one")?;
    let shipped = args.policies.iter().any(|path| path.as_os_str() == "packs" && !path.exists());
    let policies = if shipped {
        packs::ALL.iter().map(|pack| (pack.file.to_owned(), pack.source.to_owned())).collect()
    } else {
        gather(&args.policies)?
    };
    let environment = Environment::new(&args.environment)
        .map_err(|problem| anyhow::anyhow!("the environment `{}` {problem}", args.environment))?;
    let agent = Agent {
        id: "agt_trial".to_owned(),
        name: "trial".to_owned(),
        environment,
        labels: args.labels.clone(),
        owner: None,
    };
    let at = args.at.as_deref().unwrap_or(super::cases::DEFAULT_NOW);
    let at = at.parse().with_context(|| format!("`{at}` is not a time"))?;
    let settings = args.settings.as_deref().map(settings).transpose()?.unwrap_or_default();
    let trial = Trial::new(settings, agent, policies.clone(), at).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("the policies do not publish: {}", lines.join("; "))
    })?;
    let ask = call.action.ask();
    let who = super::trial::Who { subject: call.subject, session: call.session, source: args.source.clone() };
    let Some((explanation, canonical, readings)) = trial.explain(&ask, who, &policies)? else {
        bail!("a server would block this call unread: it is no call");
    };
    let decision = serde_json::to_value(&explanation.decision)?;
    Ok(json!({
        "basis": { "policies": "files", "at": args.at, "says": "the files given, with nothing counted yet" },
        "decision": decision,
        "call": canonical,
        "readings": readings,
        "meters": explanation.meters,
        "rules": explanation.rules,
        "omitted": explanation.omitted,
    }))
}

fn print(answer: &Value, out: &Output) {
    let outcome = shown(answer, "/decision/outcome");
    let tone = match outcome.as_str() {
        "ALLOW" => Tone::Good,
        "BLOCK" => Tone::Bad,
        _ => Tone::Waiting,
    };
    out.toned(tone, &outcome, shown(answer, "/decision/reason"));
    out.field("rule", 8, shown(answer, "/decision/matchedRule"));
    let (score, severity) = (shown(answer, "/decision/risk/score"), shown(answer, "/decision/risk/severity"));
    out.field("risk", 8, format_args!("{score} of 100, {severity}"));
    for factor in answer.pointer("/decision/risk/factors").and_then(Value::as_array).into_iter().flatten() {
        out.line(format_args!("            {:>3}  {}", shown(factor, "/points"), shown(factor, "/sentence")));
    }
    let call = |pointer: &str| shown(answer, pointer);
    out.field(
        "call",
        8,
        format_args!("{} on {} in {}", call("/call/type"), call("/call/target"), call("/call/environment")),
    );
    out.field("basis", 8, shown(answer, "/basis/says"));
    for meter in members(answer, "meters") {
        let value = meter.get("value").and_then(Value::as_str).unwrap_or("still counting its past");
        out.field("meter", 8, format_args!("{} in {}: {value}", shown(meter, "/name"), shown(meter, "/within")));
    }
    let mut standing = String::new();
    for rule in members(answer, "rules") {
        let now = shown(rule, "/standing");
        if now != standing {
            out.line("");
            out.line(format_args!("{}:", now.replace('_', " ")));
            standing = now;
        }
        print_rule(rule, out);
    }
    let omitted = shown(answer, "/omitted");
    if omitted != "0" {
        out.remark(format_args!("{omitted} rules are about other actions"));
    }
}

fn print_rule(rule: &Value, out: &Output) {
    let does = rule.get("does").and_then(Value::as_str).unwrap_or("no decision");
    let decides = if rule.get("decides") == Some(&Value::Bool(true)) { ", decides" } else { "" };
    let shadow = if rule.get("shadow") == Some(&Value::Bool(true)) { ", shadow" } else { "" };
    let place = format!("{}:{}:{}", shown(rule, "/file"), shown(rule, "/line"), shown(rule, "/column"));
    out.toned(Tone::Name, &format!("  {}", shown(rule, "/rule")), format_args!("{does}{decides}{shadow}  {place}"));
    out.line(format_args!("    {}", shown(rule, "/says")));
    let parts = members(rule, "parts");
    for part in parts.iter().filter(|_| parts.len() > 1 || shown(rule, "/standing") == "matched") {
        let (result, text) = (shown(part, "/result"), shown(part, "/text"));
        let unless = if part.get("excepts") == Some(&Value::Bool(true)) { "unless " } else { "" };
        out.line(format_args!("      {result:8}  {unless}{text}"));
    }
    if rule.get("limit").is_some() {
        let (used, count) = (shown(rule, "/limit/used"), shown(rule, "/limit/count"));
        out.line(format_args!("      limit     {used} of {count} in {} used", shown(rule, "/limit/within")));
    }
}
