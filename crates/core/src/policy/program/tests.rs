//! What the index leaves out, and what it may take up.

use super::Asking;
use crate::decide::testing::{World, call};
use crate::inspect::Readings;
use crate::policy::condition::{Budget, STEPS, View};
use crate::risk;
use std::fmt::Write;

/// The rules that are looked at for a call.
fn looked_at(world: &World, context: &str) -> usize {
    let call = call("process_refund", "stripe", context);
    let (bundle, readings) = (&world.bundle, Readings::default());
    let risk = risk::score(&call, bundle.catalogue(), bundle.weights());
    let view = View { call: &call, readings: &readings, risk: &risk, settings: bundle.settings(), state: None };
    bundle.program().rules(&mut Asking::new(bundle.program(), &view, Budget(STEPS))).len()
}

fn world(rules: usize, condition: impl Fn(usize) -> String) -> World {
    let mut text = String::new();
    for rule in 0..rules {
        let _ =
            writeln!(text, "- {{ id: r{rule}, action: process_refund, when: '{}', decision: BLOCK }}", condition(rule));
    }
    World::new(&[&format!("policy: p\nstrict: false\nrules:\n{text}")])
}

#[test]
fn only_rules_that_a_threshold_lets_through_are_looked_at() {
    let world = world(100, |rule| format!("context.customer != \"x\" && context.amount > {rule}"));
    assert_eq!(looked_at(&world, r#"{"amount": 3, "customer": "a"}"#), 3);
    assert_eq!(looked_at(&world, r#"{"amount": 0.5, "customer": "a"}"#), 1);
    // Without a number every one of them fails, and has to say so.
    assert_eq!(looked_at(&world, r#"{"amount": "3", "customer": "a"}"#), 100);
    assert_eq!(looked_at(&world, "{}"), 100);
}

#[test]
fn only_rules_about_the_same_constant_are_looked_at() {
    let world = world(100, |rule| format!("context.customer in [\"c{rule}\", \"d{rule}\"] && context.amount > 5"));
    assert_eq!(looked_at(&world, r#"{"amount": 9, "customer": "c7"}"#), 1);
    assert_eq!(looked_at(&world, r#"{"amount": 9, "customer": "e"}"#), 0);
    assert_eq!(looked_at(&world, r#"{"amount": 9, "customer": 7}"#), 100);
}

#[test]
fn a_part_that_many_rules_share_rules_them_all_out_at_once() {
    let world =
        world(100, |rule| format!("(context.flag || context.amount > 5) && context.items.exists(x, x == {rule})"));
    assert_eq!(looked_at(&world, r#"{"amount": 3, "flag": false, "items": []}"#), 0);
    assert_eq!(looked_at(&world, r#"{"amount": 9, "flag": false, "items": []}"#), 100);
}

/// Lists of literals in one rule do not multiply.
#[test]
fn long_lists_of_literals_take_up_no_more_than_they_are_long() {
    let list = (0..40).map(|number| number.to_string()).collect::<Vec<_>>().join(",");
    let world = world(30, |_| format!("context.a in [{list}] && context.b in [{list}] && context.c in [{list}]"));
    assert!(world.bundle.program().places() <= 30 * 40, "{}", world.bundle.program().places());
    assert_eq!(looked_at(&world, r#"{"a": 1, "b": 1, "c": 1}"#), 30);
    assert_eq!(looked_at(&world, r#"{"a": null, "b": 1, "c": 1}"#), 30);
    assert_eq!(looked_at(&world, r#"{"a": 99, "b": 1, "c": 1}"#), 0);
}
