//! Texts and payloads made to hurt: each ends in an answer or in an error, soon.
//!
//! The bounds on time are generous, because these run unoptimised and beside other work; `bench/peers --worst` runs the
//! same cases optimised, and fails if one takes more than 50 ms.

mod cases;

use runplane_core::decide::Decision;
use runplane_core::outcome::Outcome;
use std::time::{Duration, Instant};

const GENEROUS: Duration = Duration::from_secs(10);

fn soon<T>(what: &str, work: impl FnOnce() -> T) -> T {
    #[allow(clippy::disallowed_methods)] // how long it takes is the question
    let begin = Instant::now();
    let made = work();
    let took = begin.elapsed();
    assert!(took < GENEROUS, "{what} took {took:?}");
    made
}

#[test]
fn hostile_rule_texts_are_refused_soon() {
    for (what, condition) in cases::conditions() {
        let published = soon(what, || cases::publish(&cases::with_condition(&condition)));
        if what != "just below every bound" {
            assert!(published.is_err(), "{what} was published");
        }
    }
}

#[test]
fn hostile_documents_are_refused_soon() {
    for (what, document) in cases::documents() {
        assert!(soon(what, || cases::publish(&document)).is_err(), "{what} was published");
    }
}

#[test]
fn hostile_payloads_end_soon_and_never_run_for_want_of_steps() {
    for case in cases::cases() {
        let bundle = cases::publish(&case.policy).unwrap_or_else(|error| panic!("{}: {error}", case.what));
        let decided = soon(case.what, || cases::run(&bundle, &case.body));
        let Ok(decision) = decided else { continue };
        never_runs_on_doubt(case.what, &decision);
    }
}

/// Whatever could not be evaluated to its end holds the call or blocks it.
fn never_runs_on_doubt(what: &str, decision: &Decision) {
    assert!(decision.suspected.is_empty() || decision.outcome != Outcome::Allow, "{what}");
}

#[test]
fn hostile_payloads_end_soon_under_policies_that_look_through_them_to_count() {
    let cases = cases::cases();
    for (policy, text) in cases::costly() {
        let bundle = cases::publish(&text).unwrap_or_else(|error| panic!("{policy}: {error}"));
        assert!(bundle.counters().len() >= 200, "{policy}");
        let mut starved = 0;
        for case in &cases {
            let what = format!("{policy}: {}", case.what);
            let Ok(decision) = soon(&what, || cases::run(&bundle, &case.body)) else { continue };
            never_runs_on_doubt(&what, &decision);
            if case.what.ends_with("over 60,000 items") {
                // What could not be looked through to its end is counted, or makes the question doubtful.
                assert!(decision.charges.len() >= 190, "{what}: {} charges", decision.charges.len());
                starved += 1;
            }
        }
        assert!(starved >= 4, "{policy}");
    }
}
