//! `policy test`: calls with expected decisions.
//!
//! The file is JSON lines: first `{"setup": {"settings": …, "agent": …}}`, then one call per line with what is
//! expected of it. Unknown members are refused, so that a misspelt expectation is not silently none.
//!
//! A case on the list of exceptions may be stricter than expected, never laxer; marked `held` it may also be held
//! for a person where BLOCK is expected. One that is met must leave the list.

use super::coverage::Coverage;
use super::trial::{Action, Before, Decided, Trial};
use super::{read, render};
use crate::exit::Exit;
use crate::output::{Output, Tone};
use anyhow::{Context, bail};
use runplane_core::call::Agent;
use runplane_core::environment::Environment;
use runplane_core::meter::On;
use runplane_core::outcome::Outcome;
use runplane_core::packs;
use runplane_core::settings::Settings;
use runplane_core::time::{Micros, Span};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A Monday at noon, so that a rule about office hours is tested within them unless said otherwise.
pub const DEFAULT_NOW: &str = "2026-01-05T12:00:00Z";

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The cases.
    file: PathBuf,
    /// Policies to test, every .yaml file in a folder; without it, the shipped packs.
    #[arg(long, value_name = "DIR")]
    policies: Option<PathBuf>,
    /// Ids of cases, one per line, that may be stricter than expected for now, but never laxer; `held` after the id
    /// lets it be held where BLOCK is expected.
    #[arg(long, value_name = "FILE")]
    exceptions: Option<PathBuf>,
    /// The time at which the first call is made.
    #[arg(long, value_name = "TIME", default_value = DEFAULT_NOW)]
    at: String,
    /// Show which rules the cases made true, false, or left without a value, and which never.
    #[arg(long)]
    coverage: bool,
    /// Fail with exit code 3 if less than this share of the rules was ever true.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    min_coverage: Option<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetupLine {
    setup: Setup,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Setup {
    #[serde(default)]
    settings: Settings,
    agent: SetupAgent,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetupAgent {
    name: String,
    environment: Environment,
    #[serde(default)]
    labels: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Case {
    id: String,
    action: Action,
    expect: Outcome,
    #[serde(default)]
    why: String,
    /// The n-th identical call decides.
    #[serde(default)]
    repeat: Option<u32>,
    /// What was before it, in a workspace of its own; an empty list is nothing.
    #[serde(default)]
    history: Option<Vec<CaseBefore>>,
    #[serde(default)]
    audit: Option<String>,
    #[serde(default)]
    risk_score: Option<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseBefore {
    action: Action,
    /// A length of time such as `2h`.
    ago: String,
    /// As `past.outcome` says it; `allowed` if absent.
    #[serde(default)]
    outcome: Option<String>,
}

impl CaseBefore {
    fn read(&self) -> anyhow::Result<Before<'_>> {
        let word = self.outcome.as_deref().unwrap_or("allowed");
        let Some(outcome) = On::named(word) else {
            let words: Vec<&str> = On::NAMED.iter().map(|(name, _)| *name).collect();
            bail!("`{word}` is no outcome of a past call: one of {}", words.join(", "));
        };
        let ago: Span = self.ago.parse().with_context(|| format!("`{}` is no length of time", self.ago))?;
        Ok(Before { ask: self.action.ask(), outcome, ago })
    }
}

/// A case that did not end as it must.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    id: String,
    problems: Vec<String>,
    why: String,
    reason: String,
    matched_rule: String,
}

#[derive(Default, Serialize)]
struct Results {
    cases: usize,
    met: usize,
    /// Stricter than expected, as the list of exceptions lets them be.
    excepted: usize,
    failures: Vec<Failure>,
    /// What the cases did to the rules; only if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<Coverage>,
}

pub fn run(args: &Args, out: &Output) -> anyhow::Result<Exit> {
    let (setup, cases) = parse(&args.file)?;
    let mut exceptions = args.exceptions.as_deref().map(list).transpose()?.unwrap_or_default();
    let policies = policies(args.policies.as_deref())?;
    let now: Micros = args.at.parse().with_context(|| format!("`{}` is not a time", args.at))?;
    let agent = Agent {
        id: "agt_trial".to_owned(),
        name: setup.agent.name,
        environment: setup.agent.environment,
        labels: setup.agent.labels,
        owner: None,
    };
    let mut trial = match Trial::new(setup.settings, agent, policies.clone(), now) {
        Ok(trial) => trial,
        Err(errors) => {
            out.answer(&serde_json::json!({ "errors": errors }), |out| {
                for error in &errors {
                    let text = policies.iter().find(|(file, _)| *file == error.file).map(|(_, text)| text.as_str());
                    render::finding(Tone::Bad, "error", error, text, out);
                }
            });
            return Ok(Exit::Findings);
        }
    };
    let mut results = Results { cases: cases.len(), ..Results::default() };
    let mut coverage = Coverage::of(&trial.bundle);
    for case in &cases {
        let decided = decide(&mut trial, case, &mut coverage).with_context(|| format!("case `{}`", case.id))?;
        results.judge(case, &decided, exceptions.remove(&case.id).as_ref());
    }
    results.failures.extend(exceptions.into_keys().map(|id| Failure {
        id,
        problems: vec!["is on the list of exceptions, and there is no such case".to_owned()],
        why: String::new(),
        reason: String::new(),
        matched_rule: String::new(),
    }));
    let enough = args.min_coverage.is_none_or(|least| coverage.percent >= least);
    results.coverage = (args.coverage || args.min_coverage.is_some()).then_some(coverage);
    out.answer(&results, |out| {
        print(&results, out);
        if let Some(coverage) = &results.coverage {
            coverage.print(args.min_coverage, out);
        }
    });
    Ok(if results.failures.is_empty() && enough { Exit::Ok } else { Exit::Findings })
}

fn decide(trial: &mut Trial, case: &Case, coverage: &mut Coverage) -> anyhow::Result<Decided> {
    let Some(history) = &case.history else { return repeat(trial, case, coverage) };
    let past = history.iter().map(CaseBefore::read).collect::<anyhow::Result<Vec<_>>>()?;
    trial.after(&past, |trial| repeat(trial, case, coverage))?
}

fn repeat(trial: &mut Trial, case: &Case, coverage: &mut Coverage) -> anyhow::Result<Decided> {
    let ask = case.action.ask();
    let mut decided = trial.decide(&ask)?;
    coverage.add(&decided.verdicts);
    for _ in 1..case.repeat.unwrap_or(1) {
        decided = trial.decide(&ask)?;
        coverage.add(&decided.verdicts);
    }
    Ok(decided)
}

impl Results {
    fn judge(&mut self, case: &Case, decided: &Decided, exception: Option<&Exception>) {
        let mut problems = Vec::new();
        let mut expect = |what: &str, expected: &dyn std::fmt::Display, got: &dyn std::fmt::Display, met: bool| {
            if !met {
                problems.push(format!("{what} is {got}, expected {expected}"));
            }
        };
        expect("the decision", &case.expect, &decided.outcome, case.expect == decided.outcome);
        if let Some(audit) = &case.audit {
            expect("the audit duty", audit, &decided.audit, *audit == decided.audit);
        }
        if let Some(score) = &case.risk_score {
            expect("the risk score", score, &decided.risk_score, *score == decided.risk_score);
        }
        if let Some(exception) = exception {
            if problems.is_empty() {
                problems.push("is met now: take it off the list of exceptions".to_owned());
            } else if decided.outcome >= case.expect.min(exception.least) {
                self.excepted += 1;
                return;
            } else {
                problems.push("an exception may be stricter than expected, never laxer".to_owned());
            }
        }
        if problems.is_empty() {
            self.met += 1;
            return;
        }
        self.failures.push(Failure {
            id: case.id.clone(),
            problems,
            why: case.why.clone(),
            reason: decided.reason.clone(),
            matched_rule: decided.matched_rule.clone(),
        });
    }
}

fn print(results: &Results, out: &Output) {
    for failure in &results.failures {
        out.toned(Tone::Bad, "FAILED", &failure.id);
        for problem in &failure.problems {
            out.line(format_args!("  {problem}"));
        }
        if !failure.why.is_empty() {
            out.line(format_args!("  expected because: {}", failure.why));
        }
        if !failure.matched_rule.is_empty() {
            out.line(format_args!("  decided by {}: {}", failure.matched_rule, failure.reason));
        }
    }
    let Results { cases, met, excepted, failures, .. } = results;
    let (tone, word) = if failures.is_empty() { (Tone::Good, "OK") } else { (Tone::Bad, "FAILED") };
    let failed = failures.len();
    out.toned(tone, word, format_args!("{cases} cases: {met} met, {excepted} excepted, {failed} failed"));
}

fn parse(path: &Path) -> anyhow::Result<(Setup, Vec<Case>)> {
    let (name, text) = read(path)?;
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let Some((_, first)) = lines.next() else { bail!("`{name}` is empty") };
    let setup: SetupLine = serde_json::from_str(first).with_context(|| format!("{name}:1 is not a setup"))?;
    let mut ids = BTreeSet::new();
    let mut cases = Vec::new();
    for (number, line) in lines {
        let case: Case = serde_json::from_str(line).with_context(|| format!("{name}:{number} is not a case"))?;
        if case.repeat == Some(0) {
            bail!("{name}:{number}: `repeat` starts at 1");
        }
        if !ids.insert(case.id.clone()) {
            bail!("{name}:{number}: there are two cases `{}`", case.id);
        }
        cases.push(case);
    }
    if cases.is_empty() {
        bail!("`{name}` holds no case: nothing would be tested");
    }
    Ok((setup.setup, cases))
}

/// How far a case on the list may be off.
struct Exception {
    least: Outcome,
}

/// One id per line, with or without `held`; empty lines and what follows a `#` do not count.
fn list(path: &Path) -> anyhow::Result<BTreeMap<String, Exception>> {
    let (name, text) = read(path)?;
    let mut exceptions = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let Some(id) = words.next() else { continue };
        let least = match (words.next(), words.next()) {
            (None, _) => Outcome::Block,
            (Some("held"), None) => Outcome::RequireApproval,
            _ => bail!("{name}:{number} is not the id of a case, nor such an id and `held`"),
        };
        exceptions.insert(id.to_owned(), Exception { least });
    }
    Ok(exceptions)
}

fn policies(folder: Option<&Path>) -> anyhow::Result<Vec<(String, String)>> {
    match folder {
        Some(folder) => super::folder(folder),
        None => Ok(packs::ALL.iter().map(|pack| (pack.file.to_owned(), pack.source.to_owned())).collect()),
    }
}
