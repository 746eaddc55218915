//! The committed use cases against the shipped packs. Cases that need an inspector which does not read
//! yet are listed in `needs-inspector.txt`; the list may only shrink, and none of them may be laxer
//! than expected.

use crate::sandbox::{Sandbox, action};
use runplane_core::call::Agent;
use runplane_core::environment::Environment;
use runplane_core::meter::Meters;
use runplane_core::outcome::Outcome;
use runplane_core::settings::Settings;
use runplane_core::value::{Object, Value};
use std::collections::BTreeSet;

const CASES: &str = include_str!("../../../../contracts/cases/use-cases.jsonl");
const NEED_INSPECTOR: &str = include_str!("../../../../contracts/cases/needs-inspector.txt");

fn needs_inspector() -> BTreeSet<&'static str> {
    NEED_INSPECTOR.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

fn sandbox(setup: &str) -> Sandbox {
    let setup: serde_json::Value = serde_json::from_str(setup).expect("the first line is the setup");
    let setup = &setup["setup"];
    let settings: Settings = serde_json::from_value(setup["settings"].clone()).expect("usable settings");
    let agent = &setup["agent"];
    let agent = Agent {
        id: "agt_case".to_owned(),
        name: agent["name"].as_str().expect("a name").to_owned(),
        environment: Environment::new(agent["environment"].as_str().expect("an environment")).expect("usable"),
        labels: Vec::new(),
        owner: None,
    };
    Sandbox::new(settings, agent)
}

/// What the last of the repeated calls got, and everything that is not as the case expects.
fn differences(sandbox: &Sandbox, case: &Object) -> (Outcome, Outcome, Vec<String>) {
    let text = |name: &str| case.get(name).and_then(Value::as_text);
    let expected = text("expect").expect("an expectation");
    let expected = *Outcome::ALL.iter().find(|outcome| outcome.as_str() == expected).expect("an outcome");
    let repeat = case.get("repeat").and_then(Value::as_number).and_then(|number| number.to_i64()).unwrap_or(1);
    let asked = case.get("action").and_then(Value::as_object).expect("an action");
    let mut meters = Meters::default();
    let mut decision = sandbox.run(asked, &mut meters);
    for _ in 1..repeat {
        decision = sandbox.run(asked, &mut meters);
    }
    let mut wrong = Vec::new();
    if decision.outcome != expected {
        wrong.push(format!("{} by `{}`: {}", decision.outcome, decision.matched_rule, decision.reason));
    }
    if let Some(score) = case.get("riskScore").and_then(Value::as_number)
        && score != u64::from(decision.risk.score).into()
    {
        wrong.push(format!("risk {} instead of {score}", decision.risk.score));
    }
    let payload = serde_json::to_value(&decision.audit).unwrap()["payload"].as_str().unwrap_or_default().to_owned();
    if let Some(audit) = text("audit").filter(|audit| *audit != payload) {
        wrong.push(format!("audit {payload} instead of {audit}"));
    }
    (decision.outcome, expected, wrong)
}

#[test]
fn every_use_case_is_decided_as_expected() {
    let mut lines = CASES.lines();
    let sandbox = sandbox(lines.next().expect("a setup"));
    let excused = needs_inspector();
    let (mut seen, mut failures) = (BTreeSet::new(), Vec::new());
    for line in lines {
        let case = action(line);
        let id = case.get("id").and_then(Value::as_text).expect("an id").to_owned();
        let (outcome, expected, wrong) = differences(&sandbox, &case);
        match (excused.contains(id.as_str()), wrong.is_empty()) {
            (false, false) => failures.push(format!("{id}: expected {expected}, got {}", wrong.join(", "))),
            (true, true) => failures.push(format!("{id}: is as expected now: take it off needs-inspector.txt")),
            _ => {}
        }
        if outcome < expected {
            failures.push(format!("{id}: LAXER than expected: {outcome} instead of {expected}"));
        }
        seen.insert(id);
    }
    let unknown: Vec<&&str> = excused.iter().filter(|id| !seen.contains(**id)).collect();
    assert!(unknown.is_empty(), "needs-inspector.txt names no case: {unknown:?}");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
