//! Duties, shadow rules and what is written down.

use super::support::*;
use crate::decide::Facts;
use crate::meter::Meters;
use crate::outcome::Outcome::{Allow, Block};
use crate::policy::Retention;
use crate::time::Micros;

#[test]
fn shadow_rules_are_shown_and_never_count() {
    let shadow = "policy: s\nmode: shadow\nrules:\n\
        - { id: no, action: process_refund, decision: BLOCK, severity: critical, audit: { payload: full, tags: [x] } }\n\
        - { id: odd, action: process_refund, when: context.currency == \"eur\", decision: REQUIRE_APPROVAL }\n\
        - { id: yes, action: process_refund, decision: ALLOW }";
    let with = World::new(&[shadow]).decide(&refund("1"));
    let without = World::new(&[]).decide(&refund("1"));
    assert_eq!((with.outcome, with.severity, &with.audit), (without.outcome, without.severity, &without.audit));
    let seen: Vec<(String, bool)> =
        with.shadow.iter().map(|rule| (rule.rule.to_string(), rule.error.is_some())).collect();
    assert_eq!(seen, [("s/no".to_owned(), false), ("s/odd".to_owned(), true), ("s/yes".to_owned(), false)]);
}

#[test]
fn shadow_limits_keep_counters_of_their_own() {
    let limit = "rules:\n- { id: l, action: process_refund, limit: { count: 1, within: 1h } }";
    let shadow = World::new(&[&format!("policy: s\nmode: shadow\n{limit}")]).default_decision(Allow);
    let mut meters = Meters::default();
    for shown in [0, 1] {
        let decision = shadow.run(&refund("1"), &mut meters, Micros(0));
        assert_eq!((decision.outcome, decision.shadow.len()), (Allow, shown));
    }
    let enforced = World::new(&[&format!("policy: s\n{limit}")]).default_decision(Allow);
    assert_eq!(enforced.run(&refund("1"), &mut meters, Micros(0)).outcome, Allow);
    assert_eq!(enforced.run(&refund("1"), &mut meters, Micros(0)).outcome, Block);
}

#[test]
fn duties_add_up_and_never_decide() {
    let world = World::policy(
        "- { id: a, action: { domain: payments, effect: write }, audit: { payload: full, tags: [pci, b] } }\n\
         - { id: b, action: process_refund, audit: { payload: none, tags: [a, pci] } }\n\
         - { id: c, action: read_balance, audit: { payload: none } }",
    );
    let refund = world.decide(&refund("1"));
    assert_eq!((refund.outcome, refund.audit.payload), (Block, Retention::Full));
    assert_eq!(refund.audit.tags, ["a", "b", "pci"]);
    assert_eq!(world.decide(&call("read_balance", "stripe", "{}")).audit.payload, Retention::None);
    assert_eq!(world.decide(&call("send_email", "smtp", "{}")).audit.payload, Retention::Replay);
}

#[test]
fn a_duty_holds_unless_its_condition_is_false() {
    let world =
        World::policy("- { id: a, action: process_refund, when: context.amount > 10, audit: { payload: full } }");
    for (amount, payload) in [("11", Retention::Full), ("\"x\"", Retention::Full), ("10", Retention::Replay)] {
        assert_eq!(world.decide(&refund(amount)).audit.payload, payload, "{amount}");
    }
}

#[test]
fn errors_on_the_record_name_no_values() {
    let world = World::policy("- { id: a, action: process_refund, when: context.amount > 10, decision: BLOCK }");
    let decision = world.decide(&refund("\"very secret\""));
    let text = serde_json::to_string(&decision).unwrap();
    assert!(text.contains("string and number do not compare"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn the_record_has_stable_names() {
    let world =
        World::policy("- { id: a, action: process_refund, decision: REQUIRE_APPROVAL, approval: { from: [x] } }");
    let decision = world.decide_with(&refund("1"), &Facts::default());
    let value: serde_json::Value = serde_json::to_value(&decision).unwrap();
    let members: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "audit",
        "charges",
        "code",
        "matched",
        "matchedRule",
        "outcome",
        "reason",
        "requirements",
        "risk",
        "severity",
        "shadow",
        "suspected",
        "uncovered",
    ];
    assert_eq!(members, expected);
    assert_eq!(value["matchedRule"], "p/a");
    assert_eq!(value["code"], "policy");
}
