//! Runplane's own engine, and the cases that were made to cost it most.

use crate::rules::{self, BODY};
use crate::{Row, SIZES, timed};
use anyhow::{Context, Result, anyhow, bail};
use cases::Case;
use runplane_core::call::{Agent, Asked, Call, Established};
use runplane_core::catalogue::Catalogue;
use runplane_core::decide::{Facts, Prepared, decide, prepare};
use runplane_core::environment::Environment;
use runplane_core::inspect;
use runplane_core::json::{self, Limits};
use runplane_core::outcome::Outcome;
use runplane_core::policy::{Bundle, BundleInputs};
use runplane_core::risk::Weights;
use runplane_core::settings::Settings;
use runplane_core::value::{Object, Value};
use serde::Serialize;
use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;

// The very cases that the tests run.
#[allow(dead_code)]
#[path = "../../../crates/core/tests/it/hostile/cases.rs"]
mod cases;

/// One plain read, as agents ask it.
const SELECT: &str = r#"{"action":{"type":"execute_query","target":"warehouse","context":{"sql":"SELECT id, email FROM users WHERE created_at > '2024-01-01' ORDER BY id LIMIT 50"}}}"#;
/// The same with a quoted name, which the shortcut for plain reads does not take.
const SELECT_IN_FULL: &str = r#"{"action":{"type":"execute_query","target":"warehouse","context":{"sql":"SELECT \"id\", email FROM users WHERE created_at > '2024-01-01' ORDER BY id LIMIT 50"}}}"#;

/// Decisions about a call that is prepared already, and the preparation.
pub fn decided() -> Result<Vec<Row>> {
    let (mut decided, mut prepared) = (Vec::new(), Vec::new());
    for size in SIZES {
        let bundle = bundle(size)?;
        let ready = ready(&bundle, &call(&bundle, BODY)?);
        let facts = Facts::default();
        decided.push(timed(|| Ok(decide(&bundle, black_box(&ready), &facts).outcome == Outcome::Allow)).ok());
        // What is cloned here is moved in the server.
        let call = call(&bundle, BODY)?;
        let cloning = timed(|| {
            black_box(call.clone());
            Ok(true)
        })?;
        let both = timed(|| {
            black_box(prepare(&bundle, black_box(call.clone()), inspect::Readings::default()));
            Ok(true)
        })?;
        prepared.push(Some(both - cloning));
    }
    Ok(vec![
        Row { engine: "runplane, decide", ns: decided },
        Row { engine: "runplane, risk and every condition of the call before it", ns: prepared },
    ])
}

/// From the request's text, as it comes over the wire, to the decision.
pub fn from_bytes() -> Result<Vec<Row>> {
    let ways: [(&'static str, &str, bool); 4] = [
        ("runplane, with risk and inspectors", BODY, false),
        ("runplane, also canonical form and digest", BODY, true),
        ("runplane, a plain SELECT, all of it", SELECT, true),
        ("runplane, a SELECT with a quoted name, all of it", SELECT_IN_FULL, true),
    ];
    let mut rows: Vec<Row> = ways.iter().map(|(engine, ..)| Row { engine, ns: Vec::new() }).collect();
    for size in SIZES {
        let bundle = bundle(size)?;
        for (row, (_, body, digest)) in rows.iter_mut().zip(ways) {
            row.ns.push(Some(timed(|| whole(&bundle, body, digest))?));
        }
    }
    Ok(rows)
}

/// The whole way, so many times.
pub fn profile(calls: u32) -> Result<()> {
    let bundle = bundle(1_000)?;
    for _ in 0..calls {
        black_box(whole(&bundle, BODY, true)?);
    }
    Ok(())
}

/// A bundle of 10,000 rules, so many times; each with other amounts, so that nothing of it was read before.
pub fn publish(times: u32) -> Result<()> {
    for salt in 0..times {
        let begin = Instant::now();
        black_box(salted(10_000, usize::try_from(salt)?)?);
        crate::table::say(&format!("{:.1} ms", begin.elapsed().as_secs_f64() * 1e3));
    }
    Ok(())
}

/// From bytes to whether the call is allowed.
fn whole(bundle: &Bundle, body: &str, digest: bool) -> Result<bool> {
    let mut call = call(bundle, black_box(body))?;
    if digest {
        black_box(call.canonical_and_digest());
    }
    let readings = inspect::read_all(&mut call, bundle.catalogue(), bundle.settings());
    Ok(decide(bundle, &prepare(bundle, call, readings), &Facts::default()).outcome == Outcome::Allow)
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Worst {
    pub what: String,
    /// The longest of a few runs, in milliseconds.
    pub ms: f64,
    /// The shortest: what it costs on a machine that does nothing else meanwhile.
    pub least: f64,
    pub outcome: String,
}

/// The longest that a hostile rule or payload may take, in milliseconds.
pub const MOST_MS: f64 = 50.0;

/// Fails for what takes longer than it may.
pub fn check(rows: &[Worst]) -> Result<()> {
    let slow: Vec<String> =
        rows.iter().filter(|row| row.least > MOST_MS).map(|row| format!("{}: {:.1} ms", row.what, row.least)).collect();
    anyhow::ensure!(slow.is_empty(), "more than {MOST_MS} ms:\n{}", slow.join("\n"));
    Ok(())
}

/// Hostile rules and payloads, the slowest first.
pub fn worst() -> Result<Vec<Worst>> {
    let mut rows = Vec::new();
    for (what, condition) in cases::conditions() {
        let policy = cases::with_condition(&condition);
        rows.push(longest(&format!("rule: {what}"), || match cases::publish(&policy) {
            Ok(_) => "published".to_owned(),
            Err(_) => "refused".to_owned(),
        }));
    }
    for (what, document) in cases::documents() {
        rows.push(longest(&format!("document: {what}"), || match cases::publish(&document) {
            Ok(_) => "published".to_owned(),
            Err(_) => "refused".to_owned(),
        }));
    }
    let run = |bundle: &Bundle, body: &[u8]| match cases::run(bundle, body) {
        Ok(decision) => format!("{}, {}", decision.outcome, decision.code.as_str()),
        Err(_) => "refused".to_owned(),
    };
    let hostile = cases::cases();
    for Case { what, policy, body } in &hostile {
        let bundle = cases::publish(policy).map_err(|error| anyhow!("{what}: {error}"))?;
        rows.push(longest(what, || run(&bundle, body)));
    }
    for (policy, text) in cases::costly() {
        let bundle = cases::publish(&text).map_err(|error| anyhow!("{policy}: {error}"))?;
        for Case { what, body, .. } in &hostile {
            rows.push(longest(&format!("{policy}: {what}"), || run(&bundle, body)));
        }
    }
    rows.sort_by(|left, right| right.ms.total_cmp(&left.ms));
    Ok(rows)
}

fn longest(what: &str, work: impl Fn() -> String) -> Worst {
    let mut worst = Worst { what: what.to_owned(), ms: 0.0, least: f64::MAX, outcome: String::new() };
    for _ in 0..3 {
        let begin = Instant::now();
        worst.outcome = work();
        let ms = begin.elapsed().as_secs_f64() * 1e3;
        (worst.ms, worst.least) = (worst.ms.max(ms), worst.least.min(ms));
    }
    worst
}

fn bundle(size: usize) -> Result<Bundle> {
    salted(size, 0)
}

fn salted(size: usize, salt: usize) -> Result<Bundle> {
    let catalogue = Catalogue::builtin();
    let names: Vec<&str> =
        catalogue.types().map(|action| &*action.name).filter(|name| *name != rules::ACTION).collect();
    let mut yaml = format!(
        "policy: bench\nrules:\n- {{ id: ok, action: {}, decision: ALLOW }}\n\
         - {{ id: read, action: execute_query, when: sql.reads, decision: ALLOW }}\n",
        rules::ACTION
    );
    for (rule, (kind, target, amount)) in rules::restrictions(size).enumerate() {
        let name = if kind == 0 { rules::ACTION } else { names[kind % names.len()] };
        let target = rules::target(&target, amount);
        writeln!(yaml, "- id: r{rule}\n  action: {name}\n  target: {target}\n  decision: REQUIRE_APPROVAL")?;
        if catalogue.field(name, "amount").is_some() {
            writeln!(yaml, "  when: context.amount > {}", amount + salt * 100_000)?;
        }
    }
    // Two decisions come of a refund and of a query; neither is about a target that they name.
    let inputs = BundleInputs {
        catalogue: Catalogue::builtin(),
        settings: Settings::default(),
        weights: Weights::default(),
        policies: vec![("bench.yaml".to_owned(), yaml)],
    };
    let (bundle, _) = Bundle::publish(&inputs).map_err(|errors| anyhow!("{:?}", errors.into_iter().next()))?;
    Ok(bundle)
}

fn call(bundle: &Bundle, body: &str) -> Result<Call> {
    let Value::Object(mut body) = json::read(body.as_bytes(), &Limits::default())? else { bail!("no object") };
    let Some(Value::Object(mut action)) = body.remove("action") else { bail!("no action") };
    let text = |value: Option<Value>| match value {
        Some(Value::Text(text)) => Ok(text.into()),
        _ => Err(anyhow!("no text")),
    };
    let context = match action.remove("context") {
        Some(Value::Object(context)) => context,
        _ => Object::new(),
    };
    let asked = Asked {
        action: text(action.remove("type"))?,
        target: text(action.remove("target"))?,
        context,
        ..Asked::default()
    };
    let agent = Agent {
        id: "agt_1".to_owned(),
        name: "bench".to_owned(),
        environment: Environment::new("production").ok().context("no environment")?,
        labels: Vec::new(),
        owner: None,
    };
    let established = Established { workspace: "ws_1".to_owned(), agent, source: None, asserts_subject: false };
    Ok(Call::new(asked, established, bundle.catalogue(), bundle.settings())?)
}

fn ready(bundle: &Bundle, call: &Call) -> Prepared {
    let mut call = call.clone();
    let readings = inspect::read_all(&mut call, bundle.catalogue(), bundle.settings());
    prepare(bundle, call, readings)
}
