//! The committed use cases against the shipped packs.

use crate::sandbox::{Sandbox, action};
use runplane_core::call::Agent;
use runplane_core::environment::Environment;
use runplane_core::meter::Meters;
use runplane_core::outcome::Outcome;
use runplane_core::settings::Settings;
use runplane_core::value::{Object, Value};

const CASES: &str = include_str!("../../../../contracts/cases/use-cases.jsonl");
const MORE: &str = include_str!("../../../../contracts/cases/more.jsonl");

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

/// What the case expects, and everything that is otherwise for the last of the repeated calls.
fn differences(sandbox: &Sandbox, case: &Object) -> (Outcome, Vec<String>) {
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
    (expected, wrong)
}

/// Cases with a past are run by `policy test` only, which has a past to give them.
#[test]
fn every_further_case_is_decided_as_expected() {
    let mut lines = MORE.lines();
    let sandbox = sandbox(lines.next().expect("a setup"));
    let (mut run, mut failures) = (0, Vec::new());
    for line in lines {
        let case = action(line);
        if case.get("history").and_then(Value::as_list).is_some_and(|past| !past.is_empty()) {
            continue;
        }
        run += 1;
        let (expected, wrong) = differences(&sandbox, &case);
        if !wrong.is_empty() {
            let id = case.get("id").and_then(Value::as_text).expect("an id");
            failures.push(format!("{id}: expected {expected}, got {}", wrong.join(", ")));
        }
    }
    assert!(run > 1_000, "only {run} cases were run");
    assert!(failures.is_empty(), "{} of {run}:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_use_case_is_decided_as_expected() {
    let mut lines = CASES.lines();
    let sandbox = sandbox(lines.next().expect("a setup"));
    let (mut run, mut failures) = (0, Vec::new());
    for line in lines {
        let case = action(line);
        let id = case.get("id").and_then(Value::as_text).expect("an id");
        let (expected, wrong) = differences(&sandbox, &case);
        if !wrong.is_empty() {
            failures.push(format!("{id}: expected {expected}, got {}", wrong.join(", ")));
        }
        run += 1;
    }
    assert_eq!(run, 77);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
