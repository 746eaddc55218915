use super::*;
use crate::outcome::Outcome;
use proptest::prelude::*;

fn inputs(policies: &[(&str, &str)]) -> BundleInputs {
    BundleInputs {
        catalogue: Catalogue::builtin(),
        settings: Settings::default(),
        weights: Weights::default(),
        policies: policies.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect(),
    }
}

fn errors(text: &str) -> Vec<String> {
    match Bundle::publish(&inputs(&[("p.yaml", text)])) {
        Ok(_) => panic!("publishes: {text}"),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

fn warnings(text: &str) -> Vec<String> {
    let (_, warnings) = Bundle::publish(&inputs(&[("p.yaml", text)])).unwrap();
    warnings.iter().map(ToString::to_string).collect()
}

/// The example of the design: everything a document may contain.
const WHOLE: &str = r#"
policy: payments
description: Govern AI-initiated financial transactions
source: stripe
mode: enforce
meters:
  refunded_today: { sum: context.amount, action: process_refund, within: 24h, per: [agent] }
  calls: { count: true, within: 1h, when: context.amount > 5, target: stripe, per: context.customer.id }
rules:
  - id: refund-over-500
    action: process_refund
    target: [stripe, "stripe:*"]
    when: context.amount > 500
    unless: agent.labels.exists(l, l == "refund-desk")
    decision: REQUIRE_APPROVAL
    severity: high
    reason: Refunds over $500 need a person
    approval: { from: [finance], quorum: 1, expires: 30m }
  - id: refund-daily-cap
    action: process_refund
    when: type(context.amount) == number && meters.refunded_today + context.amount > 2000 && meters.calls < 9
    decision: BLOCK
  - { id: balance-is-free, action: read_balance, decision: ALLOW }
  - id: select-rate
    action: execute_query
    when: sql.kind == "SELECT"
    limit: { count: 60, within: 1m, per: [agent, target], otherwise: BLOCK }
    decision: ALLOW
  - { id: audit-mutations, action: { domain: payments, effect: write }, audit: { payload: full, tags: [pci] } }
  - { id: globbed, action: ["*_record*", read_balance], limit: { count: 1, within: 7d, otherwise: REQUIRE_APPROVAL } }
"#;

#[test]
fn a_whole_document_publishes() {
    let (bundle, warnings) = Bundle::publish(&inputs(&[("payments.yaml", WHOLE)])).unwrap();
    assert_eq!(warnings, []);
    let ids: Vec<String> = bundle.rules().iter().map(|rule| rule.id.to_string()).collect();
    let expected =
        ["audit-mutations", "balance-is-free", "globbed", "refund-daily-cap", "refund-over-500", "select-rate"];
    assert_eq!(ids, expected.map(|id| format!("payments/{id}")));
    let globbed: Vec<&str> = bundle.rules()[2].actions.types().unwrap().iter().map(|name| &**name).collect();
    assert_eq!(globbed, ["delete_record", "delete_records", "modify_record", "read_balance"]);
    assert_eq!(bundle.policies()[0].source.as_deref(), Some("stripe"));
}

#[test]
fn mistakes_in_a_document_are_found_where_they_stand() {
    let rule = |member: &str| format!("policy: p\nrules:\n  - id: r\n    decision: BLOCK\n    {member}\n");
    for (member, finding) in [
        ("desision: ALLOW", "p.yaml:5:5: a rule has no member `desision` (did you mean `decision`)"),
        ("decision: ALLOW", "p.yaml:5:5: "),
        ("action: process_refun", "p.yaml:5:13: unknown action type `process_refun` (did you mean `process_refund`)"),
        (
            "action: deleteUser",
            "p.yaml:5:13: unknown action type `deleteUser` (write its canonical name `delete_user`)",
        ),
        ("action: [read_balance, 'zzz*']", "p.yaml:5:28: no action type is named like `zzz*`"),
        ("action: []", "p.yaml:5:13: `action` is an empty list"),
        (
            "action: { domian: payments }",
            "p.yaml:5:15: a selector of actions has no member `domian` (did you mean `domain`)",
        ),
        ("action: { domain: payment }", "p.yaml:5:23: unknown domain `payment` (did you mean `payments`)"),
        ("action: { effect: [read, wrte] }", "p.yaml:5:30: unknown effect `wrte` (did you mean `write`)"),
        ("action: {}", "p.yaml:5:13: a selector of actions needs `domain` or `effect`"),
        ("target: [\"a\\u0000b\"]", "p.yaml:5:14: "),
        ("when: true", "p.yaml:5:11: `when` is a condition, not true or false"),
        ("when: context.amuont > 5", "p.yaml:5:19: unknown name `context.amuont` (did you mean `amount`)"),
        ("when: \"context.amuont > 5\"", "p.yaml:5:20: unknown name `context.amuont`"),
        (
            "when: |\n      context.amount > 5 &&\n        context.amuont > 5",
            "p.yaml:7:17: unknown name `context.amuont`",
        ),
        (
            "when: >-\n      context.amount > 5\n      && context.amuont > 5",
            "p.yaml:7:18: unknown name `context.amuont`",
        ),
        ("when: context.amount > 5\n      && context.amuont > 5", "p.yaml:6:18: unknown name `context.amuont`"),
        ("when: '\"it''s\" == context.amuont'", "p.yaml:5:31: unknown name `context.amuont`"),
        ("severity: hgih", "p.yaml:5:15: `severity` is one of low, medium, high, critical (did you mean `high`)"),
        ("reason: 404", "p.yaml:5:13: `reason` is text, not a number (put it in quotes)"),
        ("approval: { from: [finance] }", "p.yaml:5:15: `approval` belongs to a rule that can require one"),
        ("limit: { count: 5 }", "p.yaml:5:12: `limit` needs `within`"),
        ("limit: { count: -1, within: 1m }", "p.yaml:5:21: `count` is a whole number"),
        ("limit: { count: 1.5, within: 1m }", "p.yaml:5:21: `count` is a whole number"),
        ("limit: { count: 1, within: 60 }", "p.yaml:5:32: `within` is a length of time"),
        ("limit: { count: 1, within: 99d }", "p.yaml:5:32: `within` is from 1s to 31d"),
        (
            "limit: { count: 1, within: 1m, per: [agnt] }",
            "p.yaml:5:42: meters are not kept apart by `agnt` (did you mean `agent`)",
        ),
        ("limit: { count: 1, within: 1m, per: [agent, agent] }", "`agent` is given twice"),
        ("limit: { count: 1, within: 1m, otherwise: ALLOW }", "p.yaml:5:47: `otherwise` is BLOCK or REQUIRE_APPROVAL"),
        ("audit: { payload: all }", "p.yaml:5:23: `payload` is `none`, `replay` or `full`"),
    ] {
        let found = errors(&rule(member));
        assert!(found.iter().any(|error| error.contains(finding)), "{member}: {found:#?}");
    }
}

#[test]
fn mistakes_around_the_rules_are_found_too() {
    for (text, finding) in [
        ("rules: []", "p.yaml:1:1: a policy needs `policy`"),
        ("policy: p", "p.yaml:1:1: a policy needs `rules`"),
        ("policy: P\nrules: []", "p.yaml:1:9: `P` is not a name for a policy"),
        ("policy: runplane\nrules: []", "p.yaml:1:9: the name `runplane` belongs to the engine"),
        ("policy: p\nmode: shadw\nrules: []", "p.yaml:2:7: `mode` is `enforce` or `shadow`"),
        ("policy: p\nstrict: no\nrules: []", "p.yaml:2:9: `strict` is true or false"),
        ("policy: p\nsource: ''\nrules: []", "p.yaml:2:9: `source` is the name of a platform"),
        ("policy: p\nrules: {}", "p.yaml:2:8: `rules` is a list of rules, not a map"),
        ("policy: p\nrules:\n- { decision: BLOCK }", "p.yaml:3:3: a rule needs `id`"),
        ("policy: p\nrules:\n- { id: a }", "p.yaml:3:9: rule `a` does nothing"),
        ("policy: p\nrules:\n- { id: a/b, decision: BLOCK }", "`a/b` is not a name for a rule"),
        (
            "policy: p\nrules:\n- { id: a, decision: BLOCK }\n- { id: a, decision: ALLOW }",
            "p.yaml:4:9: there already is a rule `a`",
        ),
        ("policy: p\nrules:\n- { id: a, decision: REQUIRE_APPROVAL, approval: { quorum: 0 } }", "`quorum`"),
        (
            "policy: p\nrules:\n- { id: a, decision: Block }",
            "`decision` is one of ALLOW, REQUIRE_APPROVAL, BLOCK (did you mean `BLOCK`)",
        ),
        ("policy: p\nrules: []\nrules: []", "p.yaml:3:1: `rules` is given twice"),
        ("policy: p\nmeters: { m: { within: 1h } }\nrules: []", "a meter has either `count: true` or `sum`"),
        ("policy: p\nmeters: { m: { count: 5, within: 1h } }\nrules: []", "a counting meter is written `count: true`"),
        ("policy: p\nmeters: { m-1: { count: true, within: 1h } }\nrules: []", "`m-1` is not a name for a meter"),
        (
            "policy: p\nmeters: { m: { sum: meters.m, within: 1h } }\nrules: []",
            "a meter's own conditions cannot name meters",
        ),
        (
            "policy: p\nmeters: { m: { count: true, when: now > now, within: 1h } }\nrules: []",
            "a meter's own conditions cannot name `now`",
        ),
        ("policy: p\nmeters: { m: { sum: target, within: 1h } }\nrules: []", "the condition is a string, not a number"),
        ("- a", "p.yaml:1:1: a policy is a map, not a list"),
        ("policy: [", "p.yaml:1:9: unclosed bracket `[`"),
        ("<<: { a: 1 }\npolicy: p\nrules: []", "merge keys (`<<`) are not allowed"),
        ("policy: p\nrules: *x", "p.yaml:2:8: alias references unknown anchor"),
        ("policy: p\nrules: !!set []", "p.yaml:2:"),
        ("a: 1\n---\nb: 2", "p.yaml:2:1: the file holds more than one document"),
        ("", "p.yaml:1:1: "),
    ] {
        let found = errors(text);
        assert!(found.iter().any(|error| error.contains(finding)), "{text}: {found:#?}");
    }
}

#[test]
fn all_mistakes_of_all_files_are_reported_at_once() {
    let bad = "policy: p\nrules:\n- { id: a, decison: BLOCK }\n- { id: b, when: amount > 5, decision: BLOCK }";
    let other = "policy: p\nrules: []";
    let errors = Bundle::publish(&inputs(&[("b.yaml", bad), ("c.yaml", other)])).unwrap_err();
    let lines: Vec<String> = errors.iter().map(|error| format!("{}:{}", error.file, error.line)).collect();
    assert_eq!(lines, ["b.yaml:3", "b.yaml:3", "b.yaml:4", "c.yaml:1"]);
}

#[test]
fn strict_false_turns_unknown_names_into_warnings() {
    let text = "policy: p\nstrict: false\nrules:\n- { id: a, action: launch_rocket, when: context.fuel > 1, decision: BLOCK }\n\
                - { id: b, when: context.fule > 1, decision: BLOCK }";
    assert!(!errors(&text.replace("strict: false", "strict: true")).is_empty());
    let warnings = warnings(text);
    assert!(warnings.iter().any(|warning| warning.contains("unknown action type `launch_rocket`")), "{warnings:?}");
    assert!(warnings.iter().any(|warning| warning.contains("unknown name `context.fule`")), "{warnings:?}");
    // Fields of an action type that nobody knows cannot be checked.
    assert!(!warnings.iter().any(|warning| warning.contains("fuel")), "{warnings:?}");
}

#[test]
fn a_meter_that_no_rule_reads_is_a_warning() {
    let found = warnings("policy: p\nmeters: { m: { count: true, within: 1h } }\nrules: []");
    assert_eq!(found, ["p.yaml:2:11: no rule reads the meter `m`"]);
}

#[test]
fn the_digest_names_the_inputs_whatever_the_order_of_files() {
    let (a, b) = (("a.yaml", "policy: a\nrules: []"), ("b.yaml", "policy: b\nrules: []"));
    let digest = |inputs: &BundleInputs| Bundle::publish(inputs).unwrap().0.digest();
    let one = digest(&inputs(&[a, b]));
    assert_eq!(one, digest(&inputs(&[b, a])));
    let mut others = vec![inputs(&[a]), inputs(&[a, ("b.yaml", "policy: b\nrules: [] ")])];
    others.push(BundleInputs {
        settings: Settings { default_decision: Outcome::Allow, ..Settings::default() },
        ..inputs(&[a, b])
    });
    others.push(BundleInputs { weights: Weights { per_decade: 9, ..Weights::default() }, ..inputs(&[a, b]) });
    assert!(others.iter().all(|other| digest(other) != one));
}

#[test]
fn the_stored_form_publishes_to_the_same_bundle_and_nothing_else_does() {
    let (bundle, _) = Bundle::publish(&inputs(&[("payments.yaml", WHOLE)])).unwrap();
    let again = Bundle::from_canonical(bundle.canonical()).unwrap();
    assert_eq!((again.digest(), again.canonical()), (bundle.digest(), bundle.canonical()));
    let mut spaced = bundle.canonical().to_vec();
    spaced.push(b' ');
    assert_eq!(Bundle::from_canonical(&spaced).unwrap_err(), BundleError::Different);
    assert!(matches!(Bundle::from_canonical(b"{}"), Err(BundleError::Unreadable(_))));
}

#[test]
fn a_bundle_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Bundle>();
    shared::<crate::decide::Prepared>();
}

proptest! {
    /// Whatever bytes arrive as a policy, publishing ends with a bundle or with findings in this file.
    #[test]
    fn any_document_is_published_or_refused(text in r#"(policy: p\n)?(rules:\n)?([- {}\[\]:,a-z"'&*!|>#%0-9\n]|when: |id: |action: ){0,40}"#) {
        if let Err(errors) = Bundle::publish(&inputs(&[("p.yaml", &text)])) {
            prop_assert!(!errors.is_empty());
            prop_assert!(errors.iter().all(|error| error.file == "p.yaml" && error.line > 0 && error.column > 0));
        }
    }
}
