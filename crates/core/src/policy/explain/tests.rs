//! What a trace says, held against the decision.

use super::{Explanation, RuleTrace, Standing, Truth, explain};
use crate::decide::testing::{World, call, refund};
use crate::decide::{Facts, prepare};
use crate::inspect::Readings;
use crate::meter::MeterValue;
use crate::outcome::Outcome;
use crate::time::Micros;

const RULES: &str = "policy: p
meters: { spent: { sum: context.amount, action: process_refund, within: 1h } }
rules:
  - id: over-500
    action: process_refund
    when: context.amount > 500 && environment == 'production'
    decision: REQUIRE_APPROVAL
  - id: small
    action: process_refund
    when: context.amount <= 500
    unless: context.currency in ['JPY', 'KRW']
    decision: ALLOW
    limit: { count: 3, within: 1h, per: [agent] }
  - id: cap
    action: process_refund
    when: meters.spent + context.amount > 2000
    decision: BLOCK
  - id: elsewhere
    action: process_refund
    target: paypal
    decision: BLOCK
  - id: deploys
    action: deploy_service
    decision: ALLOW
";

fn explained(context: &str, meters: &[u64]) -> Explanation {
    let world = World::new(&[RULES]);
    let prepared = prepare(&world.bundle, call("process_refund", "stripe", context), Readings::default());
    let mut values = meters.iter().map(|value| MeterValue::Ready((*value).into()));
    let meters = prepared.meter_keys().map(|_| values.next().unwrap_or(MeterValue::Ready(0u64.into()))).collect();
    let facts = Facts { now: Micros(5), meters, ..Facts::default() };
    explain(&world.bundle, &world.inputs.policies, &prepared, &facts)
}

fn of<'e>(explanation: &'e Explanation, rule: &str) -> &'e RuleTrace {
    explanation.rules.iter().find(|trace| &*trace.rule.rule == rule).unwrap_or_else(|| panic!("no `{rule}`"))
}

#[test]
fn a_rule_that_nearly_matched_says_what_it_found_and_what_it_needs() {
    let explanation = explained(r#"{"amount": 120, "currency": "USD"}"#, &[]);
    assert_eq!(explanation.decision.outcome, Outcome::Allow);
    let near = of(&explanation, "over-500");
    assert_eq!((near.standing, near.says.as_str()), (Standing::Near, "context.amount is 120, needs > 500"));
    let [first, second] = near.parts.as_slice() else { panic!("{near:?}") };
    assert_eq!((first.result, second.result), (Truth::False, Truth::True));
    assert_eq!((first.line, first.column), (6, 11));
    assert_eq!(first.found["context.amount"], "120");
    assert_eq!(second.found["environment"], "'production'");
    let decides = &explanation.rules[0];
    assert_eq!((decides.rule.to_string().as_str(), decides.decides), ("p/small", true));
    let limit = decides.limit.as_ref().unwrap();
    assert_eq!((limit.count.as_str(), limit.used.as_deref(), limit.used_up), ("3", Some("0"), false));
}

#[test]
fn an_exception_that_applies_is_named() {
    let explanation = explained(r#"{"amount": 120, "currency": "JPY"}"#, &[]);
    let small = of(&explanation, "small");
    assert_eq!(small.standing, Standing::Near, "{small:?}");
    assert!(small.says.contains("the rule excepts that"), "{}", small.says);
    assert!(small.parts[1].excepts && small.parts[1].stops());
}

#[test]
fn what_cannot_be_told_is_suspected_and_says_why() {
    let explanation = explained(r#"{"amount": "much"}"#, &[]);
    assert_eq!(explanation.decision.outcome, Outcome::Block);
    let cap = of(&explanation, "cap");
    assert_eq!(cap.standing, Standing::Suspected);
    let small = of(&explanation, "small");
    assert_eq!((small.standing, small.parts[0].result), (Standing::Unmatched, Truth::Error));
    assert_eq!(small.says, "string and number do not compare");
}

#[test]
fn scope_and_meters_are_shown_and_other_actions_are_left_out() {
    let explanation = explained(r#"{"amount": 120}"#, &[1990, 3]);
    let elsewhere = of(&explanation, "elsewhere");
    assert_eq!(elsewhere.standing, Standing::OutOfScope);
    assert_eq!(elsewhere.says, "the target is `stripe`, the rule is for `paypal`");
    assert!(!explanation.rules.iter().any(|trace| &*trace.rule.rule == "deploys"));
    assert_eq!(explanation.omitted, 1);
    let names: Vec<&str> = explanation.meters.iter().map(|meter| meter.name.as_str()).collect();
    assert!(names.contains(&"spent"), "{names:?}");
}

#[test]
fn matched_and_suspected_are_those_of_the_decision() {
    let world = World::new(&[RULES]);
    for amount in ["1", "500", "500.5", "9000", "-3", "null", "\"x\""] {
        let prepared = prepare(&world.bundle, refund(amount), Readings::default());
        let facts = prepared.supposing(Micros(5), |_| MeterValue::Ready(0u64.into()));
        let explanation = explain(&world.bundle, &world.inputs.policies, &prepared, &facts);
        for trace in explanation.rules.iter().filter(|trace| trace.does.is_some()) {
            let matched = explanation.decision.matched.iter().any(|entry| entry.rule == trace.rule);
            let suspected = explanation.decision.suspected.iter().any(|entry| entry.rule == trace.rule);
            assert_eq!(trace.standing == Standing::Matched, matched, "{amount}: {trace:?}");
            assert_eq!(trace.standing == Standing::Suspected, suspected, "{amount}: {trace:?}");
        }
        assert!(explanation.rules.iter().filter(|trace| trace.decides).count() <= 1);
    }
}
