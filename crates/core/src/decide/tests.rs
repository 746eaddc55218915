//! Sentences of the outcome rule, one test each. Generated cases are in `properties`.

mod approvals;
mod differential;
mod generate;
mod limits;
mod observe;
mod properties;
mod shadow;
pub mod support;
mod trace;

use super::*;
use crate::outcome::Outcome::{self, Allow, Block, RequireApproval};
use support::*;

#[test]
fn an_empty_bundle_gives_the_default() {
    for outcome in Outcome::ALL {
        let world = World::new(&[]).default_decision(outcome);
        let decision = world.decide(&refund("100"));
        assert_eq!((decision.outcome, decision.code), (outcome, ReasonCode::Default));
        assert_eq!(decision.matched_rule.to_string(), "runplane/default");
    }
}

#[test]
fn the_strictest_matched_rule_decides_whatever_the_order() {
    let rules = [
        "- { id: c, action: process_refund, decision: ALLOW }",
        "- { id: b, action: process_refund, decision: BLOCK, reason: never }",
        "- { id: a, action: process_refund, decision: REQUIRE_APPROVAL }",
    ];
    let forward = World::policy(&rules.join("\n")).decide(&refund("1"));
    let mut turned = rules;
    turned.reverse();
    let backward = World::policy(&turned.join("\n")).decide(&refund("1"));
    assert_eq!(forward, backward);
    assert_eq!((forward.outcome, forward.reason.as_str()), (Block, "never"));
    assert_eq!(forward.matched_rule.to_string(), "p/b");
    assert_eq!(forward.matched.len(), 3);
}

#[test]
fn the_least_id_among_the_strictest_is_the_matched_rule() {
    let one = "policy: zz\nrules:\n- { id: a, decision: BLOCK }";
    let two = "policy: aa\nrules:\n- { id: z, decision: BLOCK }\n- { id: b, decision: BLOCK }";
    let decision = World::new(&[one, two]).decide(&refund("1"));
    assert_eq!(decision.matched_rule.to_string(), "aa/b");
}

#[test]
fn a_restriction_that_cannot_be_evaluated_is_suspected_and_counts() {
    let world = World::policy(
        "- { id: free, action: process_refund, decision: ALLOW }\n\
         - { id: over, action: process_refund, when: context.amount > 500, decision: REQUIRE_APPROVAL }",
    );
    assert_eq!(world.decide(&refund("500")).outcome, Allow);
    assert_eq!(world.decide(&refund("500.01")).outcome, RequireApproval);
    for doubtful in ["\"800\"", "null", "[1]"] {
        let decision = world.decide(&refund(doubtful));
        assert_eq!((decision.outcome, decision.code), (RequireApproval, ReasonCode::EvaluationError), "{doubtful}");
        assert_eq!(decision.suspected.len(), 1);
    }
    let missing = world.decide(&call("process_refund", "stripe", "{}"));
    assert_eq!(missing.outcome, RequireApproval);
    assert!(missing.suspected[0].error.contains("`context.amount` is missing"), "{missing:?}");
}

#[test]
fn a_suspicion_alone_does_not_keep_a_stricter_default_from_holding() {
    let rule = "- { id: over, action: process_refund, when: context.amount > 500, decision: REQUIRE_APPROVAL }";
    let world = World::policy(rule).default_decision(Block);
    assert_eq!(world.decide(&refund("\"800\"")).outcome, Block);
    assert_eq!(world.decide(&refund("800")).outcome, RequireApproval);
}

#[test]
fn an_unless_that_cannot_be_evaluated_is_not_true() {
    let rule = |decision: &str| {
        format!("- {{ id: r, action: process_refund, unless: context.currency == \"eur\", decision: {decision} }}")
    };
    let restrictive = World::policy(&rule("BLOCK")).default_decision(Allow);
    assert_eq!(restrictive.decide(&refund("1")).outcome, Block);
    assert_eq!(restrictive.decide(&refund("1")).suspected.len(), 1);
    let eur = call("process_refund", "stripe", r#"{"currency":"eur"}"#);
    assert_eq!(restrictive.decide(&eur).outcome, Allow);
    // For an ALLOW the doubt counts against it.
    let permissive = World::policy(&rule("ALLOW"));
    assert_eq!(permissive.decide(&refund("1")).outcome, Block);
}

#[test]
fn an_allow_must_cover_every_own_type() {
    let world = World::policy("- { id: parent, action: delete_record, decision: ALLOW }");
    assert_eq!(world.decide(&call("delete_record", "crm", "{}")).outcome, Allow);
    let child = world.decide(&call("delete_user", "crm", "{}"));
    assert_eq!((child.outcome, child.code), (Block, ReasonCode::Default));
    assert_eq!(child.uncovered.iter().map(|name| &**name).collect::<Vec<_>>(), ["delete_user"]);
    // The parents of an allowed type need no ALLOW of their own.
    let world = World::policy("- { id: child, action: delete_user, decision: ALLOW }");
    assert_eq!(world.decide(&call("delete_user", "crm", "{}")).outcome, Allow);
}

#[test]
fn a_type_found_in_the_payload_needs_an_allow_of_its_own() {
    let query = "- { id: q, action: read_balance, decision: ALLOW }";
    let found = |mut call: crate::call::Call| {
        call.action.add(&crate::catalogue::Catalogue::builtin(), "delete_record");
        call
    };
    let call = || call("read_balance", "stripe", "{}");
    let world = World::policy(query);
    assert_eq!(world.decide(&call()).outcome, Allow);
    assert_eq!(world.decide(&found(call())).outcome, Block);
    let both = World::policy(&format!("{query}\n- {{ id: d, action: delete_record, decision: ALLOW }}"));
    assert_eq!(both.decide(&found(call())).outcome, Allow);
    let parent = World::policy(&format!(
        "{query}\n- {{ id: d, action: delete_record, decision: ALLOW }}\n\
         - {{ id: x, action: delete_records, decision: REQUIRE_APPROVAL }}"
    ));
    assert_eq!(parent.decide(&found(call())).outcome, RequireApproval);
}

#[test]
fn a_restriction_on_a_parent_holds_for_the_child() {
    let world = World::policy("- { id: r, action: delete_records, decision: BLOCK }").default_decision(Allow);
    assert_eq!(world.decide(&call("deleteUser", "crm", "{}")).outcome, Block);
}

#[test]
fn an_unknown_source_is_restricted_by_every_source_and_allowed_by_none() {
    let policy = |decision: &str| {
        format!("policy: p\nsource: Stripe\nrules:\n- {{ id: r, action: process_refund, decision: {decision} }}")
    };
    let from = |source: Option<&str>| {
        let mut call = refund("1");
        call.source = source.map(str::to_owned);
        call
    };
    let restrictive = World::new(&[&policy("REQUIRE_APPROVAL")]).default_decision(Allow);
    assert_eq!(restrictive.decide(&from(None)).outcome, RequireApproval);
    assert_eq!(restrictive.decide(&from(Some("stripe"))).outcome, RequireApproval);
    assert_eq!(restrictive.decide(&from(Some("aws"))).outcome, Allow);
    let permissive = World::new(&[&policy("ALLOW")]);
    assert_eq!(permissive.decide(&from(None)).outcome, Block);
    assert_eq!(permissive.decide(&from(Some("stripe"))).outcome, Allow);
}

#[test]
fn what_an_inspector_cannot_read_is_held_and_never_more() {
    let select = |decision: &str| {
        format!("- {{ id: r, action: execute_query, when: 'sql.kind == \"SELECT\"', decision: {decision} }}")
    };
    let query = call("execute_query", "db", r#"{"sql":"SELECT 1"}"#);
    let unread = crate::inspect::Readings { sql: crate::inspect::Reading::Unknown, ..Default::default() };
    let world = World::policy("- { id: any, decision: ALLOW }");
    let decision = world.decide_read(&query, &unread, &Facts::default());
    assert_eq!((decision.outcome, decision.code), (RequireApproval, ReasonCode::Unreadable));
    assert_eq!(decision.matched_rule.to_string(), "runplane/unreadable");
    // `UNKNOWN` is an ordinary value: it is not SELECT, and no failure.
    let decision =
        World::policy(&select("BLOCK")).default_decision(Allow).decide_read(&query, &unread, &Facts::default());
    assert_eq!(decision.outcome, RequireApproval);
    assert!(decision.suspected.iter().all(|rule| rule.rule.is_built_in()));
    // The hold cannot keep a stricter default from holding.
    let decision = World::policy(&select("ALLOW")).decide_read(&query, &unread, &Facts::default());
    assert_eq!(decision.outcome, Block);
}

#[test]
fn targets_are_compared_in_normal_form() {
    let world = World::policy("- { id: r, target: [' STRIPE ', 'acme:*'], decision: BLOCK }").default_decision(Allow);
    for (target, outcome) in [("stripe", Block), ("Stripe", Block), ("ＡＣＭＥ:eu", Block), ("acme", Allow)] {
        assert_eq!(world.decide(&call("process_refund", target, "{}")).outcome, outcome, "{target}");
    }
}

#[test]
fn containment_blocks_whatever_the_rules_say() {
    let world = World::policy("- { id: r, decision: ALLOW }");
    let facts = Facts { containment: Some(everything_contained()), ..Facts::default() };
    let decision = world.decide_with(&refund("1"), &facts);
    assert_eq!((decision.outcome, decision.code), (Block, ReasonCode::Containment));
    assert_eq!(decision.severity, crate::risk::Severity::Critical);
    assert!(decision.charges.is_empty());
}

#[test]
fn a_call_prepared_under_another_bundle_is_blocked() {
    let (old, new) = (World::policy("- { id: r, decision: ALLOW }"), World::policy("- { id: s, decision: ALLOW }"));
    let prepared = prepare(&old.bundle, refund("1"), Default::default());
    let decision = decide(&new.bundle, &prepared, &Facts::default());
    assert_eq!((decision.outcome, decision.code), (Block, ReasonCode::StaleBundle));
}

#[test]
fn a_subject_that_is_only_claimed_never_helps() {
    let world = World::policy(
        "- { id: anas, action: process_refund, when: 'subject == \"ana\"', decision: ALLOW }\n\
         - { id: nobody, action: process_refund, when: subject == null, decision: ALLOW }\n\
         - { id: not-eve, action: process_refund, unless: 'subject == \"ana\"', decision: REQUIRE_APPROVAL }\n\
         - { id: often, action: process_refund, limit: { count: 1, within: 1h, per: [subject], otherwise: BLOCK } }",
    )
    .default_decision(Allow);
    let outcome = |call: &crate::call::Call| world.decide(call).outcome;
    let key = |call: &crate::call::Call| {
        *prepare(&world.bundle, call.clone(), crate::inspect::Readings::default()).meter_keys().next().unwrap()
    };
    let ana = refund_for("ana", true);
    assert_eq!(outcome(&ana), Allow);
    let claimed = world.decide(&refund_for("ana", false));
    assert_eq!((claimed.outcome, claimed.code), (RequireApproval, ReasonCode::EvaluationError));
    assert_ne!(key(&ana), key(&refund_for("bo", true)));
    assert_eq!(key(&refund_for("ana", false)), key(&refund_for("bo", false)), "all that are claimed share a bucket");
    assert_eq!(key(&refund_for("ana", false)), key(&refund("1")), "with those that name nobody");
}

#[test]
fn severity_is_the_highest_of_rules_and_risk() {
    let world = World::policy(
        "- { id: a, action: read_balance, decision: ALLOW, severity: high }\n\
         - { id: b, action: read_balance, when: 'context.note == \"x\"', decision: BLOCK, severity: critical }",
    );
    let plain = world.decide(&call("read_balance", "stripe", r#"{"note":"y"}"#));
    assert_eq!(plain.severity, crate::risk::Severity::High);
    let suspected = world.decide(&call("read_balance", "stripe", "{}"));
    assert_eq!(suspected.severity, crate::risk::Severity::Critical);
}
