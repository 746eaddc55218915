//! Attacks on every limit that is shipped, whether a rule has a `limit:` or compares a meter: slowly, around the edge of
//! a window, in many small pieces, with made-up targets, sessions, subjects and ids, and in other spellings. Whatever is
//! tried, no window holds more than the pack says.
//!
//! The table is compared with the packs: a rule that remembers and has no row here fails.

use crate::sandbox::{production_agent, settings_with_default, shipped};
use runplane_core::call::{Asked, Call, Established};
use runplane_core::decide::{Facts, decide, prepare};
use runplane_core::decimal::Decimal;
use runplane_core::inspect;
use runplane_core::json;
use runplane_core::meter::{MOST_KEYS, Meters, On};
use runplane_core::outcome::Outcome;
use runplane_core::policy::Bundle;
use runplane_core::policy::counter::Per;
use runplane_core::policy::rule::Rule;
use runplane_core::time::{Micros, Span};
use runplane_core::value::{Object, Value};
use std::collections::BTreeSet;

/// A rule of a pack that remembers, and the call it is about.
struct Limit {
    rule: &'static str,
    /// The most that may pass within any window, and how much of it one call is.
    most: i64,
    weight: i64,
    /// Seconds.
    within: i64,
    /// What the rule says once that is used up.
    stops_by: Outcome,
    action: &'static str,
    target: &'static str,
    /// The arguments of a call that is this much. The number makes calls different in what the rule does not look at.
    context: fn(number: usize, weight: i64) -> String,
    /// Calls are kept apart by target as well; another limit bounds them all.
    per_target: bool,
    /// Calls are kept apart by a member of the context: the arguments with another value of it.
    other_key: Option<fn(usize) -> String>,
}

fn select(number: usize, _: i64) -> String {
    format!(r#"{{"sql":"SELECT {number}"}}"#)
}

fn charge(invoice: &str, number: usize) -> String {
    format!(r#"{{"amount":1,"currency":"USD","customer":"cus_{number}","invoiceId":"{invoice}"}}"#)
}

fn refund(charge: &str, amount: i64) -> String {
    format!(r#"{{"amount":{amount},"currency":"USD","chargeId":"{charge}"}}"#)
}

const LIMITS: [Limit; 7] = [
    Limit {
        rule: "database/select-is-allowed",
        most: 60,
        weight: 1,
        within: 60,
        stops_by: Outcome::Block,
        action: "execute_query",
        target: "prod-db",
        context: select,
        per_target: true,
        other_key: None,
    },
    Limit {
        rule: "database/select-volume",
        most: 300,
        weight: 1,
        within: 60,
        stops_by: Outcome::Block,
        action: "execute_query",
        target: "prod-db",
        context: select,
        per_target: false,
        other_key: None,
    },
    Limit {
        rule: "communication/chat-volume",
        most: 100,
        weight: 1,
        within: 3_600,
        stops_by: Outcome::Block,
        action: "post_message",
        target: "slack",
        context: |number, _| format!(r##"{{"channel":"#deploys","text":"hello {number}"}}"##),
        per_target: false,
        other_key: None,
    },
    Limit {
        rule: "communication/mail-volume",
        most: 100,
        weight: 1,
        within: 3_600,
        stops_by: Outcome::Block,
        action: "send_email",
        target: "mail",
        context: |number, _| format!(r#"{{"to":"a{number}@example.com","subject":"s","body":"b"}}"#),
        per_target: false,
        other_key: None,
    },
    Limit {
        rule: "payments/refunds-of-a-day-need-a-person",
        most: 5_000,
        weight: 500,
        within: 24 * 3_600,
        stops_by: Outcome::RequireApproval,
        action: "process_refund",
        target: "stripe",
        context: |number, amount| refund(&format!("ch_{number}"), amount),
        per_target: false,
        other_key: None,
    },
    Limit {
        rule: "payments/refunded-before-needs-a-person",
        most: 1,
        weight: 1,
        within: 24 * 3_600,
        stops_by: Outcome::RequireApproval,
        action: "process_refund",
        target: "stripe",
        context: |_, amount| refund("ch_1", amount),
        per_target: false,
        other_key: Some(|number| refund(&format!("ch_other_{number}"), 1)),
    },
    Limit {
        rule: "payments/charged-before-needs-a-person",
        most: 1,
        weight: 1,
        within: 24 * 3_600,
        stops_by: Outcome::RequireApproval,
        action: "create_charge",
        target: "stripe",
        context: |number, _| charge("in_1", number),
        per_target: false,
        other_key: Some(|number| charge(&format!("in_other_{number}"), number)),
    },
];

fn published() -> Bundle {
    Bundle::publish(&shipped(settings_with_default(Outcome::RequireApproval))).unwrap().0
}

/// The counters a rule asks, by their places in the bundle.
fn counters_of(rule: &Rule) -> BTreeSet<u32> {
    let compared = rule.conditions().flat_map(|condition| condition.meters.iter().copied());
    compared.chain(rule.limit.as_ref().map(|limit| limit.counter)).collect()
}

#[test]
fn every_shipped_limit_and_meter_is_attacked_here_as_it_is_shipped() {
    let bundle = published();
    let remember: Vec<&Rule> = bundle.rules().iter().filter(|rule| !counters_of(rule).is_empty()).collect();
    let shipped: Vec<String> = remember.iter().map(|rule| rule.id.to_string()).collect();
    let mut attacked: Vec<&str> = LIMITS.iter().map(|limit| limit.rule).collect();
    attacked.sort_unstable();
    assert_eq!(shipped, attacked, "each rule that remembers needs a row in the table of this file");
    let asked: BTreeSet<u32> = remember.iter().flat_map(|rule| counters_of(rule)).collect();
    assert_eq!(asked.len(), bundle.counters().len(), "a shipped meter that no rule asks");
    for rule in remember {
        let limit = LIMITS.iter().find(|limit| limit.rule == rule.id.to_string()).unwrap();
        let most = Decimal::from(limit.most);
        assert!(rule.limit.as_ref().is_none_or(|shipped| shipped.count == most), "{}", rule.id);
        assert!(rule.ceilings.iter().all(|(_, ceiling)| *ceiling == most), "{}", rule.id);
        let stops_by = rule.limit.as_ref().map(|shipped| shipped.otherwise).or(rule.decision);
        assert_eq!(stops_by, Some(limit.stops_by), "{}", rule.id);
        let mut per = Vec::new();
        for place in counters_of(rule) {
            let counter = &bundle.counters()[place as usize];
            assert_eq!(counter.within, Span::seconds(limit.within), "{}", rule.id);
            per.extend(counter.per.iter().cloned());
        }
        assert_eq!(per.contains(&Per::Target), limit.per_target, "{}", rule.id);
        let by_context = per.iter().any(|per| matches!(per, Per::Context(_)));
        assert_eq!(by_context, limit.other_key.is_some(), "{}", rule.id);
        assert!(!per.contains(&Per::Session) && !per.contains(&Per::Subject), "{}: made up by whoever asks", rule.id);
    }
}

/// One attempt.
#[derive(Clone)]
struct Attempt {
    at: Span,
    action: String,
    target: String,
    session: Option<String>,
    subject: Option<String>,
    context: String,
    weight: i64,
}

impl Limit {
    fn attempt(&self, number: usize, micros: i64) -> Attempt {
        Attempt {
            at: Span(micros),
            action: self.action.to_owned(),
            target: self.target.to_owned(),
            session: None,
            subject: None,
            context: (self.context)(number, self.weight),
            weight: self.weight,
        }
    }

    /// How many calls use it up.
    fn calls(&self) -> usize {
        usize::try_from(self.most / self.weight).unwrap()
    }

    fn window(&self) -> i64 {
        Span::seconds(self.within).0
    }
}

struct World {
    bundle: Bundle,
    meters: Meters,
}

impl World {
    fn with_most_keys(most: usize) -> Self {
        Self { bundle: published(), meters: Meters::with_most_keys(most) }
    }

    /// Whether the call passes this limit: it may run, now or once somebody approves it for another reason. What the
    /// limit itself holds is denied at once.
    fn passes(&mut self, limit: &Limit, attempt: &Attempt) -> bool {
        let context: Object = match json::read(attempt.context.as_bytes(), &json::Limits::default()) {
            Ok(Value::Object(context)) => context,
            other => panic!("{other:?}"),
        };
        let asked = Asked {
            action: attempt.action.clone(),
            target: attempt.target.clone(),
            session: attempt.session.clone(),
            subject: attempt.subject.clone(),
            context,
            ..Asked::default()
        };
        let agent = production_agent();
        let established = Established { workspace: "ws_1".to_owned(), agent, source: None, asserts_subject: false };
        let (catalogue, settings) = (self.bundle.catalogue(), self.bundle.settings());
        let mut call = Call::new(asked, established, catalogue, settings).unwrap();
        let readings = inspect::read_all(&mut call, catalogue, settings);
        let prepared = prepare(&self.bundle, call, readings);
        let now = Micros(1_790_000_000_000_000).after(attempt.at);
        let meters = prepared.meter_keys().map(|key| self.meters.read(key, now)).collect();
        let decision = decide(&self.bundle, &prepared, &Facts { now, meters, ..Facts::default() });
        for charge in decision.charges.iter().filter(|charge| charge.on.is_immediate()) {
            self.meters.put(charge, now);
        }
        let is_stopped = decision.outcome >= limit.stops_by;
        if is_stopped {
            for charge in decision.charges.iter().filter(|charge| charge.on == On::Use) {
                self.meters.give_back(charge, now);
            }
        }
        !is_stopped
    }
}

/// Runs the attempts and says the most that passed within any window, and how many passed at all.
fn most(limit: &Limit, attempts: &[Attempt]) -> (i64, usize) {
    let mut world = World::with_most_keys(MOST_KEYS);
    let mut passed: Vec<(i64, i64)> = Vec::new();
    for attempt in attempts {
        if world.passes(limit, attempt) {
            passed.push((attempt.at.0, attempt.weight));
        }
    }
    let within = |start: i64| -> i64 {
        let inside = passed.iter().filter(|(at, _)| (start..start + limit.window()).contains(at));
        inside.map(|(_, weight)| weight).sum()
    };
    (passed.iter().map(|(at, _)| within(*at)).max().unwrap_or(0), passed.len())
}

/// Limits that one target reaches: the other one is attacked with many.
fn own() -> impl Iterator<Item = &'static Limit> {
    LIMITS.iter().filter(|limit| limit.rule != "database/select-volume")
}

#[test]
fn low_and_slow_gets_no_more_than_the_limit_into_any_window() {
    for limit in own() {
        let in_a_window = limit.calls() + limit.calls() / 9 + 1;
        let gap = limit.window() / in_a_window as i64;
        let attempts: Vec<Attempt> =
            (0..in_a_window * 4).map(|number| limit.attempt(number, number as i64 * gap)).collect();
        let (most, all) = most(limit, &attempts);
        assert!(most <= limit.most, "{}: {most}", limit.rule);
        assert!(all >= limit.calls() * 2, "{}: the limit comes back: {all}", limit.rule);
    }
}

#[test]
fn the_edge_of_a_window_is_no_way_to_get_twice_as_much() {
    for limit in own() {
        let window = limit.window();
        let mut attempts = Vec::new();
        for edge in [window - 1_000, window, window + 1_000, 2 * window - 500_000, 2 * window] {
            let before = attempts.len();
            let attempt = |number: usize| limit.attempt(before + number, edge + (before + number) as i64);
            attempts.extend((0..limit.calls()).map(attempt));
        }
        attempts.sort_by_key(|attempt| attempt.at);
        let (most, _) = most(limit, &attempts);
        assert_eq!(most, limit.most, "{}", limit.rule);
    }
}

/// Twice as many calls as may pass, each changed; exactly as many pass as may.
#[track_caller]
fn no_fresh_budget(limit: &Limit, change: impl Fn(usize, &mut Attempt)) {
    let attempts: Vec<Attempt> = (0..limit.calls() * 2)
        .map(|number| {
            let mut attempt = limit.attempt(number, number as i64);
            change(number, &mut attempt);
            attempt
        })
        .collect();
    assert_eq!(most(limit, &attempts).1, limit.calls(), "{}", limit.rule);
}

#[test]
fn a_fresh_session_or_another_person_is_no_fresh_budget() {
    for limit in own() {
        no_fresh_budget(limit, |number, attempt| {
            attempt.session = Some(format!("session-{number}"));
            attempt.subject = Some(format!("person-{number}"));
        });
    }
}

#[test]
fn made_up_targets_are_no_fresh_budget() {
    for limit in LIMITS.iter().filter(|limit| !limit.per_target) {
        no_fresh_budget(limit, |number, attempt| attempt.target = format!("t-{number}"));
    }
}

#[test]
fn spellings_of_a_target_are_one_target() {
    for limit in own() {
        no_fresh_budget(limit, |number, attempt| {
            attempt.target = match number % 3 {
                0 => limit.target.to_uppercase(),
                1 => format!(" {} ", limit.target),
                _ => limit.target.to_owned(),
            };
        });
    }
}

#[test]
fn spellings_and_other_names_of_an_action_are_one_action() {
    let bundle = published();
    for limit in own() {
        let mut names: Vec<String> = vec![limit.action.to_uppercase(), limit.action.replace('_', "-")];
        let definition = bundle.catalogue().get(limit.action).unwrap();
        names.extend(definition.definition.aliases.iter().take(6).map(ToString::to_string));
        no_fresh_budget(limit, |number, attempt| attempt.action = names[number % names.len()].clone());
    }
}

#[test]
fn small_pieces_of_a_sum_are_the_sum() {
    for limit in own().filter(|limit| limit.weight > 1) {
        let attempts: Vec<Attempt> = (0..usize::try_from(limit.most).unwrap() + 50)
            .map(|number| Attempt {
                context: (limit.context)(number, 1),
                weight: 1,
                ..limit.attempt(number, number as i64)
            })
            .collect();
        assert_eq!(most(limit, &attempts).0, limit.most, "{}", limit.rule);
    }
}

#[test]
fn a_flood_of_other_keys_pushes_nothing_out() {
    const KEYS: usize = 100;
    for limit in &LIMITS {
        let mut world = World::with_most_keys(KEYS);
        let mut used = 0;
        while used < limit.calls() && (!limit.per_target || used < 60) {
            // The volume of all databases is used up by several.
            let mut attempt = limit.attempt(used, used as i64);
            if limit.rule == "database/select-volume" {
                attempt.target = format!("db-{}", used / 50);
            }
            assert!(world.passes(limit, &attempt), "{}: {used}", limit.rule);
            used += 1;
        }
        for number in 0..KEYS * 5 {
            let mut other = limit.attempt(number, 1_000 + number as i64);
            match limit.other_key {
                Some(other_key) => other.context = other_key(number),
                None => other.target = format!("flood-{number}"),
            }
            other.session = Some(format!("flood-{number}"));
            world.passes(limit, &other);
        }
        let again = limit.attempt(used + 1, 5_000);
        assert!(!world.passes(limit, &again), "{}: what was used is forgotten", limit.rule);
    }
}
