//! The compiled engine against the reference: the same verdicts, failures and steps for single rules, the
//! same decision for whole bundles. `RUNPLANE_FULL=1` makes it more than a million pairs of rule and call.

mod conditions;
mod oracle;

use super::support::{agent, object};
use crate::call::{Asked, Call, Established};
use crate::catalogue::Catalogue;
use crate::decide::pending::Pending;
use crate::decide::prepare::{Prepared, prepare_within};
use crate::decide::{Candidate, Decision, Facts, Verdict, decide};
use crate::decimal::DecimalError;
use crate::environment::Environment;
use crate::inspect::{Inspector, Reading, Readings};
use crate::meter::MeterValue;
use crate::outcome::Outcome;
use crate::policy::condition::ast::{Expr, FACTS, Kind, TypeWord};
use crate::policy::condition::failure::What;
use crate::policy::condition::{Budget, STEPS, State, View};
use crate::policy::program::Asking;
use crate::policy::rule::Rule;
use crate::policy::{Bundle, BundleInputs};
use crate::risk::{self, Risk, Weights};
use crate::settings::Settings;
use crate::time::Micros;
use crate::value::Value;
use conditions::{Dice, context, truth};
use oracle::{Names, Oracle};
use std::collections::{BTreeMap, BTreeSet};

const RULES: usize = 64;
const HEAD: &str = "policy: p\nstrict: false\nmeters:\n  spent: { sum: context.amount, within: 1h }\n  \
                    filling: { count: true, within: 2h }\n  unread: { count: true, within: 3h }\nrules:\n";
const LINES_OF_HEAD: u32 = 7;

#[allow(clippy::disallowed_methods)] // tests have no config.rs
fn is_full() -> bool {
    std::env::var_os("RUNPLANE_FULL").is_some_and(|value| value == "1")
}

fn settings(dice: &mut Dice) -> Settings {
    let stripe = serde_json::json!({
        "environment": dice.pick(&["production", "staging"]),
        "sensitivity": dice.pick(&["high", "low"]),
        "audience": dice.pick(&["internal", "external"]),
        "hosts": dice.pick(&["api.stripe.example", "stripe.com"]).split(' ').collect::<Vec<_>>(),
    });
    Settings {
        internal_domains: ["acme.example", "group.example"][dice.roll(2)..].iter().map(ToString::to_string).collect(),
        targets: [("stripe".to_owned(), serde_json::from_value(stripe).unwrap())].into(),
        ..Settings::default()
    }
}

/// One reading: nothing there, unreadable, or members of which some are.
fn read_as(dice: &mut Dice) -> Reading {
    let flag = |dice: &mut Dice| match dice.roll(3) {
        0 => Value::from("UNKNOWN"),
        flag => Value::Bool(flag == 1),
    };
    let number = |dice: &mut Dice| Value::from([1, 9, 100][dice.roll(3)]);
    match dice.roll(4) {
        0 => Reading::NotApplicable,
        1 => Reading::Unknown,
        _ => {
            let paths = Value::List((0..dice.roll(9)).map(|n| Value::from(format!("p{n}"))).collect());
            let tables = Value::List(vec!["users".into(), "orders".into()]);
            let members = [
                ("kind", Value::from(dice.pick(&["SELECT", "DELETE"]))),
                ("has_where", flag(dice)),
                ("tables", tables),
                ("destructive", flag(dice)),
                ("secret", flag(dice)),
                ("paths", paths),
                ("amount", number(dice)),
                ("external", number(dice)),
                ("count", number(dice)),
                ("host", Value::from(dice.pick(&["a.example", "UNKNOWN"]))),
            ];
            Reading::Object(members.map(|(name, value)| (name.to_owned(), value)).into())
        }
    }
}

/// A bundle of generated rules; those that do not publish are left out.
fn bundle(dice: &mut Dice) -> Bundle {
    let shared: Vec<String> = (0..4).map(|_| truth(dice, 1)).collect();
    let mut rules: Vec<String> = (0..RULES).map(|number| rule(dice, number, &shared)).collect();
    loop {
        let inputs = BundleInputs {
            catalogue: Catalogue::builtin(),
            settings: settings(dice),
            weights: Weights::default(),
            policies: vec![("p.yaml".to_owned(), format!("{HEAD}{}", rules.concat()))],
        };
        match Bundle::publish(&inputs) {
            Ok((bundle, _)) => {
                assert!(bundle.rules().len() > RULES / 2, "too few generated rules publish");
                return bundle;
            }
            Err(errors) => {
                let wrong: BTreeSet<usize> =
                    errors.iter().map(|error| ((error.line - LINES_OF_HEAD - 1) / 6) as usize).collect();
                let mut place = 0;
                rules.retain(|_| (!wrong.contains(&place), place += 1).0);
            }
        }
    }
}

/// Six lines, so that the line of a load error tells the rule.
fn rule(dice: &mut Dice, number: usize, shared: &[String]) -> String {
    let condition = |dice: &mut Dice| match dice.roll(6) {
        0 => shared[dice.roll(shared.len())].clone(),
        1 => format!("{} && {}", shared[dice.roll(shared.len())], truth(dice, 1)),
        _ => {
            let depth = dice.roll(3);
            truth(dice, depth)
        }
    };
    let when = condition(dice);
    let unless = if dice.roll(5) == 0 { format!("unless: '{}'", condition(dice)) } else { String::new() };
    let action = dice.pick(&["", "", "", "", "action: process_refund", "action: '*'", "action: { domain: payments }"]);
    let target = dice.pick(&["", "", "", "", "target: stripe", "target: 's*'", "target: other"]);
    let decision = dice.pick(&["BLOCK", "REQUIRE_APPROVAL", "ALLOW"]);
    format!("- id: r{number:03}\n  when: '{when}'\n  {unless}\n  {action}\n  {target}\n  decision: {decision}\n")
}

struct Asker {
    call: Call,
    readings: Readings,
    risk: Risk,
    now: Micros,
    meters: Vec<(u32, MeterValue)>,
}

fn asker(dice: &mut Dice, bundle: &Bundle) -> Asker {
    let asked = Asked {
        action: dice.pick(&["process_refund", "process_refund", "execute_query", "launch_rocket"]).to_owned(),
        target: dice.pick(&["stripe", "Other"]).to_owned(),
        tool: (dice.roll(2) == 0).then(|| dice.pick(&["refund", "query"]).to_owned()),
        subject: (dice.roll(2) == 0).then(|| "ana".to_owned()),
        session: (dice.roll(2) == 0).then(|| dice.pick(&["run", "walk"]).to_owned()),
        context: object(&context(dice)),
    };
    let asserts_subject = dice.roll(3) > 0;
    let source = (dice.roll(2) == 0).then(|| dice.pick(&["stripe", "aws"]).to_owned());
    let mut agent = agent();
    match dice.roll(4) {
        0 => agent.id = "agt_2".to_owned(),
        1 => agent.name = "other".to_owned(),
        2 => agent.environment = Environment::new("staging").unwrap(),
        _ => {}
    }
    let established = Established { workspace: "ws_1".to_owned(), agent, source, asserts_subject };
    let call = Call::new(asked, established, bundle.catalogue(), bundle.settings()).unwrap();
    let readings = Readings {
        sql: read_as(dice),
        recipients: read_as(dice),
        url: read_as(dice),
        shell: read_as(dice),
        money: read_as(dice),
        file: read_as(dice),
        blast: read_as(dice),
        ..Readings::default()
    };
    let risk = risk::score(&call, bundle.catalogue(), bundle.weights());
    let spent = ["0", "3", "499.5", "9999999999999999999999999999999999"][dice.roll(4)];
    let mut meters = vec![(0, MeterValue::Ready(spent.parse().unwrap())), (1, MeterValue::Filling)];
    // What is asked of the past; the meter that is not read is before all of it.
    for place in 3..bundle.counters().len() as u32 {
        meters.push((
            place,
            match dice.roll(5) {
                0 => MeterValue::Filling,
                1 => MeterValue::Doubtful,
                2 => MeterValue::Ready(0i64.into()),
                _ => MeterValue::Ready((dice.roll(5) as i64).into()),
            },
        ));
    }
    let now = ["2026-11-22T16:30:05Z", "2025-01-01T03:00:00Z"][dice.roll(2)];
    Asker { call, readings, risk, now: now.parse().unwrap(), meters }
}

impl Asker {
    fn view<'a>(&'a self, bundle: &'a Bundle) -> View<'a> {
        View { call: &self.call, readings: &self.readings, risk: &self.risk, settings: bundle.settings(), state: None }
    }

    fn later<'a>(&'a self, bundle: &'a Bundle) -> View<'a> {
        let state = State { now: self.now, meters: &self.meters, names: bundle.counter_names() };
        View { state: Some(state), ..self.view(bundle) }
    }
}

/// What was generated, and what came of it.
#[derive(Default)]
struct Coverage {
    pairs: usize,
    /// By word of the language: how often a condition with it was true, false, and had no value.
    words: BTreeMap<String, [usize; 3]>,
    failures: BTreeMap<&'static str, usize>,
}

impl Coverage {
    fn take(&mut self, words: &BTreeSet<String>, verdict: &Verdict) {
        self.pairs += 1;
        let column = match verdict {
            Verdict::True => 0,
            Verdict::False => 1,
            _ => 2,
        };
        if let Verdict::Failed(failure) = verdict {
            *self.failures.entry(name_of(&failure.what)).or_default() += 1;
        }
        for word in words {
            match self.words.get_mut(word) {
                Some(seen) => seen[column] += 1,
                None => self.words.entry(word.clone()).or_default()[column] += 1,
            }
        }
    }
}

/// The words of the language that a rule is written in, and what it names.
fn words(bundle: &Bundle, rule: &Rule) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for condition in rule.conditions() {
        condition.root.walk(&mut |expr| {
            words.insert(word(expr));
            words.extend(named(bundle, expr));
        });
    }
    words
}

fn word(expr: &Expr) -> String {
    match &expr.kind {
        Kind::Binary(operator, ..) => format!("{operator:?}"),
        Kind::Call(function, _) => format!("{function:?}"),
        Kind::Macro(shape) => format!("{:?}", shape.kind),
        other => {
            let text = format!("{other:?}");
            text.split(['(', ' ']).next().unwrap_or_default().to_owned()
        }
    }
}

/// Which fact, inspector, type or question it is.
fn named(bundle: &Bundle, expr: &Expr) -> Option<String> {
    Some(match &expr.kind {
        Kind::Fact(fact) | Kind::HasFact(fact) => format!("fact {}", fact.name()),
        Kind::Reading(inspector) => format!("reading {}", inspector.as_str()),
        Kind::Type(word) => format!("type {}", word.as_str()),
        Kind::Meter(place) => {
            let counter = &bundle.counters()[*place as usize];
            let question = counter.name.split('(').next().filter(|_| counter.is_past)?;
            format!("past {question}")
        }
        _ => return None,
    })
}

/// What some condition has to name, so that both evaluators are compared on it.
fn all_named() -> Vec<String> {
    let facts = FACTS.iter().map(|(name, _)| format!("fact {name}"));
    let readings = Inspector::ALL.iter().map(|inspector| format!("reading {}", inspector.as_str()));
    let types = TypeWord::ALL.iter().map(|word| format!("type {}", word.as_str()));
    let past = ["formerly", "count", "sum", "previous", "since"].iter().map(|name| format!("past {name}"));
    facts.chain(readings).chain(types).chain(past).collect()
}

fn name_of(what: &What) -> &'static str {
    match what {
        What::Missing(_) => "missing",
        What::Null => "null",
        What::Wanted { .. } => "wanted",
        What::Mismatch { .. } => "mismatch",
        What::Number(DecimalError::DivisionByZero) => "division by zero",
        What::Number(_) => "digits",
        What::NoSuchIndex => "index",
        What::Budget => "budget",
        What::MeterFilling(_) => "filling",
        What::PastDoubtful(_) => "doubtful",
        What::NotRead(_) => "not read",
        What::Claimed => "claimed",
        What::Time => "time",
    }
}

/// A rule's verdict and the steps left, by the compiled engine: the index is part of it.
fn compiled(bundle: &Bundle, asker: &Asker, budget: u32, places: &[u32], rule: u32) -> (Verdict, Budget) {
    let (first, second) = (asker.view(bundle), asker.later(bundle));
    let mut asking = Asking::new(bundle.program(), &first, Budget(budget));
    let found = places.binary_search(&rule).is_ok();
    let Some(pending) = found.then(|| Pending::new(bundle, rule, &mut asking)).flatten() else {
        return (Verdict::False, asking.budget);
    };
    let mut asking = Asking::new(bundle.program(), &second, asking.budget);
    (pending.verdict(bundle, &bundle.rules()[rule as usize], &mut asking), asking.budget)
}

fn reference(bundle: &Bundle, names: &Names, asker: &Asker, budget: u32, rule: u32) -> (Verdict, Budget) {
    let mut oracle = Oracle::new(bundle, names, budget);
    let verdicts = oracle.verdicts(&[rule], &asker.view(bundle), &asker.later(bundle));
    (verdicts.into_iter().next().map_or(Verdict::False, |(_, verdict)| verdict), oracle.budget)
}

#[test]
fn every_rule_means_to_the_compiled_engine_what_it_means_to_the_reference() {
    let (bundles, calls) = if is_full() { (180, 110) } else { (24, 18) };
    let mut coverage = Coverage::default();
    let mut typed = (0, 0);
    for seed in 0..bundles {
        let dice = &mut Dice(seed);
        let bundle = bundle(dice);
        let names = Names::of(&bundle);
        let written: Vec<BTreeSet<String>> = bundle.rules().iter().map(|rule| words(&bundle, rule)).collect();
        let (of, all) = bundle.program().typed();
        typed = (typed.0 + of, typed.1 + all);
        for number in 0..calls {
            let asker = asker(dice, &bundle);
            let view = asker.view(&bundle);
            let places = bundle.program().rules(&mut Asking::new(bundle.program(), &view, Budget(STEPS)));
            for rule in 0..bundle.rules().len() as u32 {
                let budget = if dice.roll(4) == 0 { dice.roll(60) as u32 } else { STEPS };
                let expected = reference(&bundle, &names, &asker, budget, rule);
                let found = compiled(&bundle, &asker, budget, &places, rule);
                assert!(
                    found == expected,
                    "seed {seed}, call {number}, budget {budget}: compiled {found:?}, reference {expected:?}\n{:#?}\n{:?}",
                    bundle.rules()[rule as usize],
                    asker.call.context,
                );
                coverage.take(&written[rule as usize], &expected.0);
            }
        }
    }
    assert!(coverage.pairs > if is_full() { 1_000_000 } else { 10_000 });
    // Most predicates are typed: otherwise the reference would only be compared with itself.
    assert!(typed.0 * 2 > typed.1, "{typed:?} predicates are typed");
    let seen = |word: &str| coverage.words.get(word).copied().unwrap_or_default();
    let missed: Vec<_> = WORDS.iter().map(|word| (word, seen(word))).filter(|(_, seen)| seen.contains(&0)).collect();
    assert!(missed.is_empty(), "words without a condition that is true, false or has no value: {missed:?}");
    let decided = |name: &String| seen(name)[0] > 0 && seen(name)[1] > 0;
    let missed: Vec<_> = all_named().into_iter().filter(|name| !decided(name)).collect();
    assert!(missed.is_empty(), "not named by a condition that is true and by one that is false: {missed:?}");
    for failure in FAILURES {
        assert!(coverage.failures.contains_key(failure), "{failure} was not reached: {:?}", coverage.failures);
    }
}

const WORDS: [&str; 49] = [
    "Equal",
    "NotEqual",
    "Less",
    "LessOrEqual",
    "Greater",
    "GreaterOrEqual",
    "In",
    "Add",
    "Subtract",
    "Multiply",
    "Divide",
    "Remainder",
    "Exists",
    "ExistsOne",
    "All",
    "Map",
    "Filter",
    "Size",
    "StartsWith",
    "EndsWith",
    "Contains",
    "LowerAscii",
    "UpperAscii",
    "Type",
    "FullYear",
    "Month",
    "Date",
    "DayOfWeek",
    "Hours",
    "Minutes",
    "Seconds",
    "Matches",
    "And",
    "Or",
    "Not",
    "Negate",
    "If",
    "IsNull",
    "Has",
    "HasFact",
    "Index",
    "List",
    "Moment",
    "Length",
    "Fact",
    "Reading",
    "Meter",
    "Variable",
    "Unknown",
];

const FAILURES: [&str; 13] = [
    "claimed",
    "doubtful",
    "missing",
    "null",
    "wanted",
    "mismatch",
    "division by zero",
    "digits",
    "index",
    "budget",
    "filling",
    "not read",
    "time",
];

/// The rules that count for a call, each asked on its own.
fn expected(bundle: &Bundle, asker: &Asker) -> Vec<(u32, Verdict)> {
    let (view, later) = (asker.view(bundle), asker.later(bundle));
    let verdict = |(place, rule): (u32, &Rule)| {
        let mut budget = Budget(STEPS);
        let candidate = rule.touches(&asker.call).then(|| Candidate::new(place, rule, &view, &mut budget)).flatten()?;
        let verdict = candidate.verdict(rule, &later, &mut budget);
        (verdict != Verdict::False).then_some((place, verdict))
    };
    (0..).zip(bundle.rules()).filter_map(verdict).collect()
}

/// The same from prepared calls.
fn prepared_verdicts(bundle: &Bundle, prepared: &Prepared, asker: &Asker) -> Vec<(u32, Verdict)> {
    let later = asker.later(bundle);
    let mut asking = Asking::new(bundle.program(), &later, prepared.budget);
    let verdict = |pending: &Pending| {
        let verdict = pending.verdict(bundle, &bundle.rules()[pending.rule as usize], &mut asking);
        (verdict != Verdict::False).then_some((pending.rule, verdict))
    };
    prepared.candidates.iter().filter_map(verdict).collect()
}

fn facts(asker: &Asker, prepared: &Prepared) -> Facts {
    // Facts are in the order of the keys, and stop before the meter that is not read.
    let mut meters = Vec::new();
    for read in &prepared.reads {
        let Some((_, value)) = asker.meters.iter().find(|(known, _)| *known == read.counter) else { break };
        let zero = MeterValue::Ready(0i64.into());
        let ready = |amount: i64| MeterValue::Ready(amount.into());
        meters.resize(meters.len().max(read.key + 1), zero);
        match (value, read.doubts) {
            (MeterValue::Doubtful, None) => meters[read.key] = ready(2),
            (MeterValue::Doubtful, Some(_)) => {}
            (value, _) => meters[read.key] = *value,
        }
        if let Some(doubts) = read.doubts {
            meters.resize(meters.len().max(doubts + 1), zero);
            meters[doubts] = if *value == MeterValue::Doubtful { ready(1) } else { zero };
        }
    }
    Facts { now: asker.now, meters, ..Facts::default() }
}

/// The outcome rule once more, from verdicts alone.
fn outcome(bundle: &Bundle, asker: &Asker, verdicts: &[(u32, Verdict)]) -> Outcome {
    let (mut matched, mut suspected) = (Vec::new(), Vec::new());
    let mut uncovered: Vec<_> = asker.call.action.own_types.clone();
    let mut allowed = false;
    for (place, verdict) in verdicts {
        let rule = &bundle.rules()[*place as usize];
        match (rule.decision, verdict) {
            (Some(Outcome::Allow), Verdict::True) => {
                allowed = true;
                uncovered.retain(|member| !rule.actions.covers(member, &asker.call.action));
            }
            (Some(Outcome::Allow), _) | (None, _) => {}
            (Some(outcome), Verdict::True) => matched.push(outcome),
            (Some(_), Verdict::Failed(failure)) if failure.is_filling() => suspected.push(Outcome::RequireApproval),
            (Some(outcome), _) => suspected.push(outcome),
        }
    }
    if asker.readings.unreadable().next().is_some() {
        suspected.push(Outcome::RequireApproval);
    }
    // Every meter counts the call, and a sum of something that is no amount holds it.
    if asker.call.context.get("amount").and_then(Value::as_number).is_none_or(|amount| amount.is_negative()) {
        suspected.push(Outcome::RequireApproval);
    }
    if allowed && uncovered.is_empty() {
        matched.push(Outcome::Allow);
    }
    if matched.is_empty() {
        matched.push(bundle.settings().default_decision);
    }
    matched.into_iter().chain(suspected).max().unwrap()
}

fn counted_in(decision: &Decision) -> BTreeSet<String> {
    let matched = decision.matched.iter().map(|rule| format!("{} matched", rule.rule));
    let suspected = decision.suspected.iter().filter(|rule| !rule.rule.is_built_in());
    matched.chain(suspected.map(|rule| format!("{} suspected: {}", rule.rule, rule.error))).collect()
}

#[test]
fn a_whole_bundle_decides_as_its_rules_do_one_by_one() {
    let (bundles, calls) = if is_full() { (60, 60) } else { (4, 20) };
    for seed in 1_000..1_000 + bundles {
        let dice = &mut Dice(seed);
        let bundle = bundle(dice);
        let names = Names::of(&bundle);
        for number in 0..calls {
            let asker = asker(dice, &bundle);
            let prepared = prepare_within(&bundle, asker.call.clone(), asker.readings.clone(), Budget(STEPS));
            let facts = facts(&asker, &prepared);
            let asker = Asker { meters: prepared.values(&bundle, &facts), ..asker };
            let verdicts = expected(&bundle, &asker);
            let decision = decide(&bundle, &prepared, &facts);
            let counted = verdicts.iter().filter_map(|(place, verdict)| {
                let rule = &bundle.rules()[*place as usize];
                match (rule.decision?, verdict) {
                    (_, Verdict::True) => Some(format!("{} matched", rule.id)),
                    (Outcome::Allow, _) => None,
                    (_, Verdict::Failed(failure)) => Some(format!("{} suspected: {failure}", rule.id)),
                    _ => None,
                }
            });
            let at = format!("seed {seed}, call {number}");
            let all: Vec<u32> = (0..bundle.rules().len() as u32).collect();
            for budget in [STEPS, 2_000, 300, 40] {
                let (view, later) = (asker.view(&bundle), asker.later(&bundle));
                let slowly = Oracle::new(&bundle, &names, budget).verdicts(&all, &view, &later);
                let tight = prepare_within(&bundle, asker.call.clone(), asker.readings.clone(), Budget(budget));
                assert_eq!(prepared_verdicts(&bundle, &tight, &asker), slowly, "{at}, budget {budget}");
            }
            assert_eq!(counted_in(&decision), counted.collect::<BTreeSet<_>>(), "{at}");
            assert_eq!(decision.outcome, outcome(&bundle, &asker, &verdicts), "{at}: {decision:#?}");
        }
    }
}
