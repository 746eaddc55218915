//! What lint must not say.

use super::{Kind, Options, lint};
use crate::decide::testing::World;

fn kinds(policy: &str) -> Vec<Kind> {
    let world = World::new(&[policy]);
    let report = lint(&world.inputs, &Options::default()).unwrap();
    report.findings.into_iter().map(|finding| finding.kind).collect()
}

fn rules(rules: &str) -> Vec<Kind> {
    kinds(&format!("policy: p\nrules:\n{rules}\n"))
}

#[test]
fn a_hold_for_what_a_guarded_block_cannot_read_is_not_in_its_shadow() {
    // A missing amount is no number: the block does not apply, and the hold is what is left.
    let found = rules(
        "  - { id: held, action: create_charge, when: context.amount > 900, decision: REQUIRE_APPROVAL }
  - { id: block, action: create_charge, when: 'type(context.amount) == number && context.amount > 100', decision: BLOCK }",
    );
    assert_eq!(found, []);
}

#[test]
fn a_restriction_that_names_a_target_alone_is_meant_so() {
    let found = rules(
        "  - { id: reads, action: read_balance, decision: ALLOW }
  - { id: treasury, action: read_balance, target: treasury, decision: BLOCK }",
    );
    assert_eq!(found, []);
    let found = rules(
        "  - { id: updates, action: bulk_update, decision: ALLOW }
  - { id: many, action: bulk_update, target: prod-db, when: context.count > 100, decision: BLOCK }",
    );
    assert_eq!(found, []);
}

#[test]
fn a_hold_that_stands_alone_opens_what_it_is_for() {
    let found = rules(
        "  - { id: small, action: process_refund, when: context.amount <= 500, decision: ALLOW }
  - { id: large, action: process_refund, when: context.amount > 500, decision: REQUIRE_APPROVAL }",
    );
    assert_eq!(found, []);
}

#[test]
fn a_block_that_waits_for_a_meter_shadows_nothing() {
    let found = kinds(
        "policy: p
meters: { spent: { sum: context.amount, action: create_charge, within: 1h } }
rules:
  - { id: held, action: create_charge, when: meters.spent > 500, decision: REQUIRE_APPROVAL }
  - { id: block, action: create_charge, when: meters.spent > 100, decision: BLOCK }",
    );
    assert_eq!(found, []);
}

#[test]
fn shadow_policies_are_compared_with_nothing() {
    let found = kinds(
        "policy: p
mode: shadow
rules:
  - { id: one, action: process_refund, decision: REQUIRE_APPROVAL }
  - { id: two, action: process_refund, decision: BLOCK }",
    );
    assert_eq!(found, []);
}

#[test]
fn a_member_that_the_condition_tests_is_left_alone() {
    let found = rules(
        "  - { id: typed, action: create_charge, when: 'type(context.currency) == number && context.currency > 5', decision: BLOCK }
  - { id: asked, action: [create_charge, send_email], when: has(context.amount) && context.amount > 5, decision: BLOCK }",
    );
    assert_eq!(found, []);
}

#[test]
fn unknown_is_an_ordinary_word_of_every_reading() {
    let found = rules(
        "  - { id: unread, action: execute_query, when: sql.kind == UNKNOWN || sql.has_where == UNKNOWN, decision: BLOCK }
  - { id: uncounted, action: send_email, when: \"recipients.count == 'UNKNOWN'\", decision: BLOCK }",
    );
    assert_eq!(found, []);
}
