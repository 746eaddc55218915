//! Texts and payloads made to hurt: each ends in an answer or in an error, soon.
//!
//! The bounds on time are generous, because these run unoptimised and beside other work; `bench/peers` measures the
//! same cases optimised.

mod cases;

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
        // Whatever could not be evaluated to its end holds the call or blocks it.
        let failed = !decision.suspected.is_empty();
        assert!(!failed || decision.outcome != Outcome::Allow, "{}", case.what);
    }
}
