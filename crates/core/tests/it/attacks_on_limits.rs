//! Attacks on every limit that is shipped: slowly, around the edge of a window, with made-up targets and with a fresh
//! session for every call. Whatever is tried, no window holds more than the limit says.

use crate::sandbox::{production_agent, settings_with_default, shipped};
use runplane_core::call::{Asked, Call, Established};
use runplane_core::decide::{Facts, decide, prepare};
use runplane_core::inspect;
use runplane_core::json;
use runplane_core::meter::Meters;
use runplane_core::outcome::Outcome;
use runplane_core::policy::Bundle;
use runplane_core::time::{Micros, Span};
use runplane_core::value::{Object, Value};

struct Limit {
    rule: &'static str,
    count: usize,
    within: i64,
    action: &'static str,
    context: &'static str,
    target: &'static str,
    /// Calls are kept apart by target as well.
    per_target: bool,
}

const LIMITS: [Limit; 4] = [
    Limit {
        rule: "database/select-is-allowed",
        count: 60,
        within: 60,
        action: "execute_query",
        context: r#"{"sql":"SELECT 1"}"#,
        target: "prod-db",
        per_target: true,
    },
    Limit {
        rule: "database/select-volume",
        count: 300,
        within: 60,
        action: "execute_query",
        context: r#"{"sql":"SELECT 1"}"#,
        target: "prod-db",
        per_target: false,
    },
    Limit {
        rule: "communication/chat-volume",
        count: 100,
        within: 3_600,
        action: "post_message",
        context: r##"{"channel":"#deploys","text":"hello"}"##,
        target: "slack",
        per_target: false,
    },
    Limit {
        rule: "communication/mail-volume",
        count: 100,
        within: 3_600,
        action: "send_email",
        context: r#"{"to":"a@example.com","subject":"s","body":"b"}"#,
        target: "mail",
        per_target: false,
    },
];

#[test]
fn every_shipped_limit_is_attacked_here() {
    let (bundle, _) = Bundle::publish(&shipped(settings_with_default(Outcome::RequireApproval))).unwrap();
    let shipped: Vec<String> =
        bundle.rules().iter().filter(|rule| rule.limit.is_some()).map(|rule| rule.id.to_string()).collect();
    let mut attacked: Vec<&str> = LIMITS.iter().map(|limit| limit.rule).collect();
    attacked.sort_unstable();
    assert_eq!(shipped, attacked);
}

/// One attempt: when, at which target, in which session.
type Attempt = (Span, String, Option<String>);

struct World {
    bundle: Bundle,
    meters: Meters,
}

impl World {
    fn new() -> Self {
        let (bundle, _) = Bundle::publish(&shipped(settings_with_default(Outcome::RequireApproval))).unwrap();
        Self { bundle, meters: Meters::default() }
    }

    /// Whether the call may run, now or once somebody approves it.
    fn passes(&mut self, limit: &Limit, (after, target, session): &Attempt) -> bool {
        let context: Object = match json::read(limit.context.as_bytes(), &json::Limits::default()) {
            Ok(Value::Object(context)) => context,
            other => panic!("{other:?}"),
        };
        let asked = Asked {
            action: limit.action.to_owned(),
            target: target.clone(),
            session: session.clone(),
            context,
            ..Asked::default()
        };
        let established = Established {
            workspace: "ws_1".to_owned(),
            agent: production_agent(),
            source: None,
            asserts_subject: false,
        };
        let (catalogue, settings) = (self.bundle.catalogue(), self.bundle.settings());
        let mut call = Call::new(asked, established, catalogue, settings).unwrap();
        let readings = inspect::read_all(&mut call, catalogue, settings);
        let prepared = prepare(&self.bundle, call, readings);
        let now = Micros(1_790_000_000_000_000).after(*after);
        let meters = prepared.meter_keys().map(|key| self.meters.read(key, now)).collect();
        let decision = decide(&self.bundle, &prepared, &Facts { now, meters, ..Facts::default() });
        for charge in decision.charges.iter().filter(|charge| charge.on.is_immediate()) {
            self.meters.put(charge, now);
        }
        decision.outcome != Outcome::Block
    }
}

/// Runs the attempts and says the most that passed within any window, and how many passed at all.
fn most(limit: &Limit, attempts: &[Attempt]) -> (usize, usize) {
    let mut world = World::new();
    let passed: Vec<i64> =
        attempts.iter().filter(|attempt| world.passes(limit, attempt)).map(|(after, ..)| after.0).collect();
    let window = Span::seconds(limit.within).0;
    let within = |start: &i64| passed.iter().filter(|at| **at >= *start && **at < start + window).count();
    (passed.iter().map(within).max().unwrap_or(0), passed.len())
}

fn plain(limit: &Limit, micros: i64) -> Attempt {
    (Span(micros), limit.target.to_owned(), None)
}

/// Limits that one target reaches: the other ones are attacked with many.
fn own() -> impl Iterator<Item = &'static Limit> {
    LIMITS.iter().filter(|limit| limit.rule != "database/select-volume")
}

#[test]
fn low_and_slow_gets_no_more_than_the_limit_into_any_window() {
    for limit in own() {
        let window = Span::seconds(limit.within).0;
        let gap = window / (limit.count as i64 * 10 / 9);
        let attempts: Vec<Attempt> = (0..limit.count as i64 * 3).map(|number| plain(limit, number * gap)).collect();
        let (most, all) = most(limit, &attempts);
        assert!(most <= limit.count, "{}: {most}", limit.rule);
        assert!(all > limit.count * 2, "{}: the limit comes back: {all}", limit.rule);
    }
}

#[test]
fn the_edge_of_a_window_is_no_way_to_get_twice_as_much() {
    for limit in own() {
        let window = Span::seconds(limit.within).0;
        let mut attempts = Vec::new();
        for edge in [window - 1_000, window, window + 1_000, 2 * window - 500_000, 2 * window] {
            attempts.extend((0..limit.count as i64).map(|number| plain(limit, edge + number)));
        }
        attempts.sort();
        let (most, _) = most(limit, &attempts);
        assert_eq!(most, limit.count, "{}", limit.rule);
    }
}

#[test]
fn a_fresh_session_is_no_fresh_budget() {
    for limit in own() {
        let attempts: Vec<Attempt> = (0..limit.count * 2)
            .map(|number| (Span(number as i64), limit.target.to_owned(), Some(format!("session-{number}"))))
            .collect();
        assert_eq!(most(limit, &attempts).1, limit.count, "{}", limit.rule);
    }
}

#[test]
fn made_up_targets_are_no_fresh_budget() {
    for limit in LIMITS.iter().filter(|limit| !limit.per_target) {
        let attempts: Vec<Attempt> =
            (0..limit.count * 2).map(|number| (Span(number as i64), format!("t-{number}"), None)).collect();
        assert_eq!(most(limit, &attempts).1, limit.count, "{}", limit.rule);
    }
}

#[test]
fn spellings_of_a_target_are_one_target() {
    for limit in own() {
        let spelling = |number: usize| match number % 3 {
            0 => limit.target.to_uppercase(),
            1 => format!(" {} ", limit.target),
            _ => limit.target.to_owned(),
        };
        let attempts: Vec<Attempt> =
            (0..limit.count * 2).map(|number| (Span(number as i64), spelling(number), None)).collect();
        assert_eq!(most(limit, &attempts).1, limit.count, "{}", limit.rule);
    }
}
