//! Attacks on every limit that is shipped, whether a rule has a `limit:` or compares a meter: slowly, around the edge of
//! a window, in many small pieces, with made-up targets, sessions, subjects and ids, and in other spellings. Whatever is
//! tried, no window holds more than the pack says.
//!
//! The table is compared with the packs: a rule that remembers and has no row here fails.

use crate::sandbox::{production_agent, settings_with_default, shipped};
use runplane_core::call::{Agent, Asked, Call, Established};
use runplane_core::decide::{Decision, Facts, decide, prepare};
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
    /// A limit of one target is smaller, so it is used up by way of this many.
    targets: usize,
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

/// A payment that says what it is for under this name.
fn paid(name: &str, key: &str, number: usize) -> String {
    format!(r#"{{"amount":1,"currency":"USD","statementDescriptor":"no {number}","{name}":"{key}"}}"#)
}

/// A payment is made once in a day under what it says it is for.
const PAID_ONCE: Limit = Limit {
    rule: "",
    most: 1,
    weight: 1,
    within: 24 * 3_600,
    stops_by: Outcome::RequireApproval,
    action: "process_refund",
    target: "stripe",
    context: |_, amount| refund("ch_1", amount),
    per_target: false,
    targets: 1,
    other_key: Some(|number| refund(&format!("ch_other_{number}"), 1)),
};

const LIMITS: [Limit; 11] = [
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
        targets: 1,
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
        targets: 30,
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
        targets: 1,
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
        targets: 1,
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
        targets: 1,
        other_key: None,
    },
    Limit { rule: "payments/refunded-before-needs-a-person", ..PAID_ONCE },
    Limit {
        rule: "payments/charged-before-needs-a-person",
        action: "create_charge",
        context: |number, _| charge("in_1", number),
        other_key: Some(|number| charge(&format!("in_other_{number}"), number)),
        ..PAID_ONCE
    },
    Limit {
        rule: "payments/refunded-payment-needs-a-person",
        context: |number, _| paid("paymentId", "k_1", number),
        other_key: Some(|number| paid("paymentId", &format!("k_other_{number}"), number)),
        ..PAID_ONCE
    },
    Limit {
        rule: "payments/refunded-order-needs-a-person",
        context: |number, _| paid("orderId", "k_1", number),
        other_key: Some(|number| paid("orderId", &format!("k_other_{number}"), number)),
        ..PAID_ONCE
    },
    Limit {
        rule: "payments/refunded-invoice-needs-a-person",
        context: |number, _| paid("invoiceId", "k_1", number),
        other_key: Some(|number| paid("invoiceId", &format!("k_other_{number}"), number)),
        ..PAID_ONCE
    },
    Limit {
        rule: "payments/charged-order-needs-a-person",
        action: "create_charge",
        context: |number, _| paid("orderId", "k_1", number),
        other_key: Some(|number| paid("orderId", &format!("k_other_{number}"), number)),
        ..PAID_ONCE
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
    agent: String,
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
            agent: "agt_1".to_owned(),
            action: self.action.to_owned(),
            target: match self.targets {
                1 => self.target.to_owned(),
                targets => format!("{}-{}", self.target, number % targets),
            },
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
        self.decide(limit, attempt).outcome < limit.stops_by
    }

    fn decide(&mut self, limit: &Limit, attempt: &Attempt) -> Decision {
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
        let agent = Agent { id: attempt.agent.clone(), ..production_agent() };
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
        if decision.outcome >= limit.stops_by {
            for charge in decision.charges.iter().filter(|charge| charge.on == On::Use) {
                self.meters.give_back(charge, now);
            }
        }
        decision
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

#[test]
fn low_and_slow_gets_no_more_than_the_limit_into_any_window() {
    for limit in &LIMITS {
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
    for limit in &LIMITS {
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
    for limit in &LIMITS {
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
    for limit in &LIMITS {
        no_fresh_budget(limit, |number, attempt| {
            attempt.target = match number % 3 {
                0 => attempt.target.to_uppercase(),
                1 => format!(" {} ", attempt.target),
                _ => attempt.target.clone(),
            };
        });
    }
}

#[test]
fn spellings_and_other_names_of_an_action_are_one_action() {
    let bundle = published();
    for limit in &LIMITS {
        let mut names: Vec<String> = vec![limit.action.to_uppercase(), limit.action.replace('_', "-")];
        let definition = bundle.catalogue().get(limit.action).unwrap();
        names.extend(definition.definition.aliases.iter().take(6).map(ToString::to_string));
        no_fresh_budget(limit, |number, attempt| attempt.action = names[number % names.len()].clone());
    }
}

#[test]
fn small_pieces_of_a_sum_are_the_sum() {
    for limit in LIMITS.iter().filter(|limit| limit.weight > 1) {
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

/// Names of members by which a tool says what is paid back or paid for.
fn names_of_payments(action: &str) -> Vec<String> {
    const OTHERS: [&str; 12] = [
        "amount",
        "currency",
        "refundId",
        "originalAmount",
        "source",
        "paymentMethod",
        "merchant",
        "email",
        "receiptEmail",
        "statementDescriptor",
        "capture",
        "quantity",
    ];
    let bundle = published();
    let definition = bundle.catalogue().get(action).unwrap();
    definition
        .definition
        .fields
        .iter()
        .map(|field| field.name.clone())
        .filter(|name| !OTHERS.contains(&name.as_str()))
        .collect()
}

#[test]
fn a_payment_is_the_same_under_every_name_that_the_catalogue_lists() {
    for (action, rules, least) in [
        (
            "process_refund",
            ["refunded-before", "refunded-payment", "refunded-invoice", "refunded-order"].as_slice(),
            15,
        ),
        ("create_charge", &["charged-before", "charged-order"], 8),
    ] {
        let names = names_of_payments(action);
        assert!(names.len() >= least, "{names:?}");
        for name in names {
            let rule_of = |decision: &Decision| {
                let mut found =
                    decision.matched.iter().filter_map(|entry| entry.rule.rule.strip_suffix("-needs-a-person"));
                found.find(|rule| rules.contains(rule)).map(str::to_owned)
            };
            let limit = LIMITS.iter().find(|limit| limit.action == action && limit.other_key.is_some()).unwrap();
            let mut world = World::with_most_keys(MOST_KEYS);
            let mut ask = |key: &str, number: usize| {
                let context = paid(&name, key, number);
                world.decide(limit, &Attempt { context, ..limit.attempt(number, number as i64) })
            };
            assert_eq!(ask("k_1", 1).outcome, Outcome::Allow, "{action} {name}");
            let again = ask("k_1", 2);
            assert_eq!(again.outcome, Outcome::RequireApproval, "{action} {name}");
            assert!(rule_of(&again).is_some(), "{action} {name}: held for something else: {:?}", again.matched);
            assert_eq!(ask("k_2", 3).outcome, Outcome::Allow, "{action} {name}");
        }
    }
}

/// The flood is of whatever keeps the counters of a limit apart: members of the call, targets, or agents.
#[test]
fn a_flood_of_other_keys_pushes_nothing_out() {
    const KEYS: usize = 100;
    for limit in &LIMITS {
        let mut world = World::with_most_keys(KEYS);
        for used in 0..limit.calls() {
            assert!(world.passes(limit, &limit.attempt(used, used as i64)), "{}: {used}", limit.rule);
        }
        let other = |number: usize| {
            let mut other = limit.attempt(number, 1_000 + number as i64);
            match limit.other_key {
                Some(other_key) => other.context = other_key(number),
                None if limit.per_target => other.target = format!("flood-{number}"),
                None => other.agent = format!("agt_flood_{number}"),
            }
            other.session = Some(format!("flood-{number}"));
            other
        };
        let stops = |decision: &Decision| {
            let mut blamed = decision.matched.iter().map(|entry| (entry.rule.to_string(), entry.outcome));
            blamed.any(|(rule, outcome)| rule == limit.rule && outcome == limit.stops_by)
        };
        let mut passed = 0;
        for number in 0..KEYS * 5 {
            passed += usize::from(world.passes(limit, &other(number)));
        }
        assert!(passed >= KEYS / 2, "{}: the flood itself was stopped, so it filled nothing: {passed}", limit.rule);
        let again = world.decide(limit, &limit.attempt(limit.calls() + 1, 5_000));
        assert!(stops(&again), "{}: what was used is forgotten: {:?}", limit.rule, again.matched);
        // Keys beyond the bound have one budget together, and it is used up; of the two limits on SELECT the smaller one.
        let fresh = world.decide(limit, &other(KEYS * 5 + 1));
        assert!(fresh.outcome >= limit.stops_by, "{}: the bound was not reached: {:?}", limit.rule, fresh.matched);
    }
}
