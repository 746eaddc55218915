//! Limits and meters.

use super::support::*;
use crate::decide::{Facts, ReasonCode, decide, prepare};
use crate::decimal::Decimal;
use crate::meter::{MeterValue, Meters};
use crate::outcome::Outcome::{Allow, Block, RequireApproval};
use crate::time::{Micros, Span};

const START: Micros = Micros(1_800_000_000_000_000);

#[test]
fn the_call_after_the_last_counted_one_is_stopped() {
    let world = World::policy(
        "- { id: r, action: read_balance, decision: ALLOW, limit: { count: 60, within: 1m, per: [agent, target] } }",
    );
    let (mut meters, call) = (Meters::default(), call("read_balance", "stripe", "{}"));
    for _ in 0..60 {
        assert_eq!(world.run(&call, &mut meters, START).outcome, Allow);
    }
    let stopped = world.run(&call, &mut meters, START);
    assert_eq!((stopped.outcome, stopped.code), (Block, ReasonCode::Limit));
    assert!(stopped.charges.is_empty(), "a blocked call does not count");
    let elsewhere = super::call("read_balance", "adyen", "{}");
    assert_eq!(world.run(&elsewhere, &mut meters, START).outcome, Allow);
    assert_eq!(world.run(&call, &mut meters, START.after(Span::seconds(62))).outcome, Allow);
}

#[test]
fn a_limit_counts_every_member_of_the_types() {
    let world =
        World::policy("- { id: r, action: delete_records, limit: { count: 1, within: 1h } }").default_decision(Allow);
    let mut meters = Meters::default();
    assert_eq!(world.run(&call("delete_user", "crm", "{}"), &mut meters, START).outcome, Allow);
    assert_eq!(world.run(&call("delete_records", "crm", "{}"), &mut meters, START).outcome, Block);
}

#[test]
fn a_limit_whose_condition_cannot_be_evaluated_counts_and_stops_only_when_used_up() {
    let world = World::policy(
        "- { id: r, action: process_refund, when: context.amount > 10, limit: { count: 1, within: 1h } }",
    )
    .default_decision(Allow);
    let mut meters = Meters::default();
    assert_eq!(world.run(&refund("\"x\""), &mut meters, START).outcome, Allow);
    let second = world.run(&refund("\"x\""), &mut meters, START);
    assert_eq!((second.outcome, second.code), (Block, ReasonCode::EvaluationError));
    assert_eq!(world.run(&refund("5"), &mut meters, START).outcome, Allow);
}

#[test]
fn a_limit_may_ask_for_a_person_instead() {
    let world = World::policy(
        "- { id: r, action: read_balance, decision: ALLOW, approval: { from: [ops], expires: 5m },\n\
           limit: { count: 0, within: 1h, otherwise: REQUIRE_APPROVAL } }",
    );
    let decision = world.run(&call("read_balance", "stripe", "{}"), &mut Meters::default(), START);
    assert_eq!(decision.outcome, RequireApproval);
    assert_eq!(decision.requirements[0].from, ["ops"]);
    assert_eq!(decision.requirements[0].expires_at, Some(START.after(Span::seconds(300))));
    assert_eq!(decision.charges.len(), 1, "a held call counts while it is pending");
}

const DAILY: &str = "policy: p
meters:
  refunded: { sum: context.amount, action: process_refund, within: 24h, per: [agent] }
rules:
  - { id: free, action: process_refund, decision: ALLOW }
  - id: cap
    action: process_refund
    when: type(context.amount) == number && meters.refunded + context.amount > 2000
    decision: BLOCK
";

#[test]
fn a_sum_caps_what_is_added_up() {
    let (world, mut meters) = (World::new(&[DAILY]), Meters::default());
    for amount in ["999.99", "1000.00"] {
        assert_eq!(world.run(&refund(amount), &mut meters, START).outcome, Allow);
    }
    assert_eq!(world.run(&refund("0.02"), &mut meters, START).outcome, Block);
    assert_eq!(world.run(&refund("0.01"), &mut meters, START).outcome, Allow);
    assert_eq!(world.run(&refund("0.01"), &mut meters, START).outcome, Block);
}

#[test]
fn an_amount_that_cannot_be_counted_is_held() {
    let (world, mut meters) = (World::new(&[DAILY]), Meters::default());
    for amount in ["\"5\"", "-5", "null"] {
        let decision = world.run(&refund(amount), &mut meters, START);
        assert_eq!((decision.outcome, decision.code), (RequireApproval, ReasonCode::Uncounted), "{amount}");
    }
    assert!(meters.is_empty());
}

#[test]
fn a_meter_that_still_counts_its_past_holds_the_rules_that_need_it() {
    let world = World::new(&[DAILY]);
    let prepared = prepare(&world.bundle, refund("5"), Default::default());
    let facts = |meters| Facts { now: START, meters, ..Facts::default() };
    let filling = decide(&world.bundle, &prepared, &facts(vec![MeterValue::Filling]));
    assert_eq!((filling.outcome, filling.code), (RequireApproval, ReasonCode::EvaluationError));
    // A value the caller forgot is a failure of the BLOCK rule.
    let forgotten = decide(&world.bundle, &prepared, &facts(Vec::new()));
    assert_eq!(forgotten.outcome, Block);
}

#[test]
fn an_unchanged_limit_keeps_its_counter_across_publishes() {
    let rule = |id: &str, count: u32| {
        format!("- {{ id: {id}, action: read_balance, decision: ALLOW, limit: {{ count: {count}, within: 1m }} }}")
    };
    let key = |rules: &str| {
        let world = World::policy(rules);
        let prepared = prepare(&world.bundle, call("read_balance", "stripe", "{}"), Default::default());
        prepared.meter_keys().copied().collect::<Vec<_>>()
    };
    assert_eq!(key(&rule("a", 1)), key(&rule("b", 2)));
    // Two rules with one definition share a counter, and a call adds to it once.
    let both = format!("{}\n{}", rule("a", 5), rule("b", 9));
    assert_eq!(key(&both).len(), 1);
    let decision = World::policy(&both).run(&call("read_balance", "stripe", "{}"), &mut Meters::default(), START);
    assert_eq!(decision.charges.iter().map(|charge| charge.amount).collect::<Vec<_>>(), [Decimal::from(1i64)]);
}

#[test]
fn an_absent_key_is_one_shared_bucket() {
    let world = World::policy(
        "- { id: r, action: read_balance, decision: ALLOW, limit: { count: 1, within: 1h, per: [session] } }",
    );
    let (mut meters, anonymous) = (Meters::default(), call("read_balance", "stripe", "{}"));
    let mut named = anonymous.clone();
    named.session = Some("s1".to_owned());
    assert_eq!(world.run(&anonymous, &mut meters, START).outcome, Allow);
    assert_eq!(world.run(&anonymous, &mut meters, START).outcome, Block);
    assert_eq!(world.run(&named, &mut meters, START).outcome, Allow);
}

#[test]
fn time_can_be_named() {
    let world = World::policy(
        "- { id: office, when: 'now.getHours() >= 9 && now.getHours() < 17', decision: ALLOW }\n\
         - { id: freeze, when: 'now >= timestamp(\"2027-12-24T00:00:00Z\")', decision: BLOCK }",
    );
    let at = |text: &str| {
        let facts = Facts { now: text.parse().unwrap(), ..Facts::default() };
        world.decide_with(&refund("1"), &facts)
    };
    assert_eq!(at("2027-12-01T09:00:00Z").outcome, Allow);
    assert_eq!(at("2027-12-01T17:00:00Z").code, ReasonCode::Default);
    assert_eq!(at("2027-12-24T09:00:00Z").matched_rule.to_string(), "p/freeze");
}

/// A policy with so many limits, each with a counter of its own, and all counting every reading of a balance.
fn limits(name: &str, mode: &str, count: usize) -> String {
    let rule =
        |n: usize| format!("  - {{ id: r-{n}, action: read_balance, limit: {{ count: 5, within: {}m }} }}\n", n + 1);
    format!("policy: {name}\nmode: {mode}\nrules:\n{}", (0..count).map(rule).collect::<String>())
}

#[test]
fn more_limits_than_an_entry_has_room_for_block() {
    let read = call("read_balance", "stripe", "{}");
    for (count, expected) in [(200, Allow), (201, Block)] {
        let decision = World::new(&[&limits("p", "enforce", count)]).default_decision(Allow).decide(&read);
        assert_eq!(
            (decision.outcome, decision.charges.len().min(200)),
            (expected, if expected == Allow { 200 } else { 0 })
        );
    }
}

#[test]
fn limits_in_shadow_take_no_room_from_those_that_are_enforced() {
    let read = call("read_balance", "stripe", "{}");
    let enforced = limits("p", "enforce", 199);
    let alone = World::new(&[&enforced]).default_decision(Allow).decide(&read);
    assert_eq!(alone.charges.len(), 199);
    for shadow in [1, 2, 150] {
        // Its name comes first, and so would its counters.
        let shadow = limits("a", "shadow", shadow);
        let decision = World::new(&[&shadow, &enforced]).default_decision(Allow).decide(&read);
        assert_eq!((decision.outcome, decision.charges.len()), (Allow, 200), "{}", decision.reason);
        assert_eq!(decision.charges[..199], alone.charges[..], "the enforced ones are all there");
        assert_eq!(decision.limits, alone.limits);
    }
}
