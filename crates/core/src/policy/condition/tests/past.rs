//! Questions about the past: what publishes, and what is refused where.

use crate::decide::testing::{World, call, refund};
use crate::meter::Meters;
use crate::outcome::Outcome;
use crate::policy::{Bundle, BundleInputs};
use crate::risk::Weights;
use crate::settings::Settings;
use crate::time::{Micros, Span};

const START: Micros = Micros(1_700_000_000_000_000);

fn policy(when: &str) -> String {
    format!(
        "policy: p\nrules:\n  - {{ id: free, decision: ALLOW }}\n  - id: r\n    when: >-\n      {when}\n    decision: BLOCK\n"
    )
}

/// The first error, with the text from its place on.
fn refused(when: &str) -> String {
    let text = policy(when);
    let inputs = BundleInputs {
        catalogue: crate::catalogue::Catalogue::builtin(),
        settings: Settings::default(),
        weights: Weights::default(),
        policies: vec![("p.yaml".to_owned(), text.clone())],
    };
    let errors = Bundle::publish(&inputs).expect_err(when);
    let error = &errors[0];
    let line = text.lines().nth(error.line as usize - 1).unwrap();
    let at: String = line.chars().skip(error.column as usize - 1).collect();
    format!("{} @ {at}", error.message)
}

#[test]
fn what_cannot_be_kept_at_a_constant_cost_is_refused_with_its_place() {
    for (when, expected) in [
        (
            "formerly('1h', past.action.type == 'read_balance')",
            "nothing says which past calls belong to this one @ past",
        ),
        ("count(context.window, past.target == target) > 1", "the first argument is how far back"),
        (
            "count('32d', past.target == target) > 1",
            "the first argument is how far back it looks, from '1s' to '31d', as a literal @ '32d'",
        ),
        ("previous(past.target == target)", "it is written `previous(window, condition)`"),
        (
            "count('1h', past.target == target && past.context.amount > context.amount) > 1",
            "a past call and this one can only be compared for equality",
        ),
        ("count('1h', past.target == target && context.amount > 5) > 1", "this says nothing about the past call"),
        ("count('1h', past.target == agent.id) > 1", "past calls belong to this one by"),
        ("count('1h', past.target == context.customerId) > 1", "past calls belong to this one by"),
        ("count('1h', past.target == target && past.outcome == 'gone') > 1", "`past.outcome` is compared once"),
        ("count('1h', past.target == target && !(past.outcome == 'failed')) > 1", "`past.outcome` is compared once"),
        ("sum('1h', context.amount, past.target == target) > 1", "what is added up is a number of the past call"),
        (
            "count('1h', past.target == target && count('1h', past.target == target) > 1) > 1",
            "what is counted cannot itself",
        ),
        (
            "count('1h', past.target == target && past.now.getHours() > 1) > 1",
            "a meter's own conditions cannot name `now`",
        ),
        ("count('1h', past.target == target && past.context.amuont > 1) > 1", "unknown name `context.amuont`"),
        (
            "since('1h', past.target == target, past.agent.id == agent.id)",
            "the event and its reset have to compare the same",
        ),
        ("past.target == target", "unknown name `past`"),
        ("formerly('1h', past.target == target) > 1", "this can only fail"),
    ] {
        let found = refused(when);
        assert!(found.starts_with(expected), "{when}: {found}");
    }
}

#[test]
fn a_duplicate_payment_is_found_and_only_within_its_window_and_key() {
    let world = World::new(&[&policy(
        "formerly('10m', past.agent.id == agent.id && past.context.amount == context.amount && \
         past.action.type == 'process_refund')",
    )]);
    let mut meters = Meters::default();
    let mut run = |amount: &str, after: i64| world.run(&refund(amount), &mut meters, START.after(Span::seconds(after)));
    assert_eq!(run("5", 0).outcome, Outcome::Allow);
    assert_eq!(run("5.0", 1).outcome, Outcome::Block, "the same number, written otherwise");
    assert_eq!(run("6", 2).outcome, Outcome::Allow);
    assert_eq!(run("5", 700).outcome, Outcome::Allow);
    let lacking = world.run(&call("process_refund", "stripe", "{}"), &mut meters, START);
    assert_eq!(lacking.outcome, Outcome::Block, "what is not there equals nothing, and that is doubt");
    assert!(lacking.suspected[0].error.contains("what it compares is missing"), "{lacking:?}");
}

#[test]
fn doubt_about_a_past_call_is_doubt_for_allow_and_block_alike() {
    let text = "policy: p\nrules:
  - { id: some, action: process_refund, decision: ALLOW }
  - id: reads
    action: read_balance
    when: formerly('1h', past.target == target && past.context.amount > 5)
    decision: ALLOW\n";
    let world = World::new(&[text]);
    let (mut meters, read) = (Meters::default(), call("read_balance", "stripe", "{}"));
    assert_eq!(world.run(&read, &mut meters, START).outcome, Outcome::Block);
    world.run(&refund("\"6\""), &mut meters, START);
    let decision = world.run(&read, &mut meters, START);
    assert_eq!((decision.outcome, decision.matched.len()), (Outcome::Block, 0));
    world.run(&refund("6"), &mut meters, START);
    assert_eq!(world.run(&read, &mut meters, START).outcome, Outcome::Block, "one of them may be no number");
    let later = START.after(Span::seconds(4_000));
    world.run(&refund("6"), &mut meters, later);
    assert_eq!(world.run(&read, &mut meters, later).outcome, Outcome::Allow);
}

#[test]
fn the_same_question_is_counted_once_and_shown_as_it_is_written() {
    let text = "policy: p\nrules:
  - { id: a, when: \"count('1h', past.target == target) > 5\", decision: BLOCK }
  - { id: b, when: \"count('1h', past.target == target) > 6\", decision: BLOCK }\n";
    let world = World::new(&[text]);
    let names: Vec<&str> = world.bundle.counters().iter().map(|counter| &*counter.name).collect();
    assert_eq!(names, ["count('1h', past.target == target)"]);
    let decision = world.run(&refund("1"), &mut Meters::default(), START);
    assert_eq!(decision.limits.len(), 2, "what is left is shown: {:?}", decision.limits);
}
