//! The sets are compared with what the reference evaluator says of the same call: whatever it says, the call has
//! to fit the set for it.

use super::*;
use crate::decide::testing::{World, call};
use crate::inspect::Readings;
use crate::policy::condition::{Budget, STEPS, View, evaluate};
use crate::policy::lint::cube::Slot;
use crate::risk::{Risk, Severity};
use crate::settings::Settings;
use crate::value::{Object, Value};
use proptest::prelude::*;

const ATOMS: [&str; 30] = [
    "context.a > 5",
    "context.a <= 5",
    "5 < context.a",
    "context.a == 5",
    "context.a != 5",
    "context.a == 'x'",
    "'x' != context.a",
    "context.a in ['x', 'y']",
    "context.a in [1, 'x']",
    "context.a in []",
    "has(context.a)",
    "context.a == null",
    "context.a != null",
    "context.a == true",
    "context.a",
    "type(context.a) == number",
    "type(context.a) != string",
    "type(context.a) == null_type",
    "context.a.startsWith('x')",
    "context.a.matches('^y')",
    "size(context.a) > 1",
    "size(context.a) <= 1",
    "context.d.b > 5",
    "context.d.b == 'x'",
    "has(context.d.b)",
    "has(context.d)",
    "type(context.d.b) == null_type",
    "context.a + 1 > 7",
    "context.a < context.d.b",
    "true",
];
const VALUES: [&str; 12] =
    ["", "null", "true", "false", "5", "6.5", "-1", "\"x\"", "\"yz\"", "[1, 2]", "{}", "{\"b\": 9}"];

fn any_condition() -> impl Strategy<Value = String> {
    let atom = prop::sample::select(&ATOMS[..]).prop_map(|atom| format!("({atom})"));
    atom.prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|one| format!("!{one}")),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("({left} && {right})")),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("({left} || {right})")),
            (inner.clone(), inner.clone(), inner)
                .prop_map(|(test, then, other)| format!("({test} ? {then} : {other})")),
        ]
    })
}

/// Exactly what the call has in the slots that are members of its context.
fn point(context: &Object, sets: &[Cubes]) -> Cube {
    let mut point = Cube::default();
    for place in sets.iter().flatten().flat_map(Cube::places) {
        let values = match &place.key.slot {
            Slot::Context(path) => looked_up(context, path),
            Slot::Size(path) => size(context, path),
            _ => continue,
        };
        let one = Cube::of(place.key.clone(), values, None).expect("one value is not nothing");
        if point.get(&place.key.name).is_none() {
            point = point.and(&one).expect("every slot once");
        }
    }
    point
}

fn looked_up(context: &Object, path: &[Box<str>]) -> Values {
    let (first, rest) = path.split_first().unwrap();
    let Some(value) = context.get(first) else { return Values::of_kinds(kinds::MISSING) };
    match (value, rest) {
        (value, []) => exactly(value),
        (Value::Object(inner), rest) => looked_up(inner, rest),
        _ => Values::of_kinds(kinds::BROKEN),
    }
}

fn exactly(value: &Value) -> Values {
    match value {
        Value::Null => Values::of_kinds(kinds::NULL),
        Value::Bool(value) => Values::of_kinds(if *value { kinds::YES } else { kinds::NO }),
        Value::Number(number) => Values::number(*number),
        Value::Text(text) => Values::texts([text.as_str()]),
        Value::List(_) => Values::of_kinds(kinds::LIST),
        Value::Object(_) => Values::of_kinds(kinds::MAP),
    }
}

fn size(context: &Object, path: &[Box<str>]) -> Values {
    let mut value = None;
    for (depth, name) in path.iter().enumerate() {
        value = if depth == 0 { context.get(name) } else { value.and_then(|value: &Value| value.get(name)) };
    }
    let size = match value {
        Some(Value::Text(text)) => text.chars().count(),
        Some(Value::List(items)) => items.len(),
        Some(Value::Object(members)) => members.len(),
        None => return Values::of_kinds(kinds::MISSING),
        Some(_) => return Values::of_kinds(kinds::BROKEN),
    };
    Values::number(Decimal::from(u64::try_from(size).unwrap()))
}

proptest! {
    #[test]
    fn a_call_fits_the_set_of_what_its_condition_came_out_as(
        text in any_condition(),
        a in prop::sample::select(&VALUES[..]),
        d in prop::sample::select(&VALUES[..]),
    ) {
        let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
        let world = World::new(&[&format!(
            "policy: p\nstrict: false\nrules:\n  - {{ id: r, action: process_refund, when: \"{quoted}\", decision: BLOCK }}\n"
        )]);
        let when = &world.bundle.rules()[0].when.as_ref().unwrap().root;
        let members: Vec<String> =
            [("a", a), ("d", d)].iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("\"{name}\": {value}")).collect();
        let call = call("process_refund", "stripe", &format!("{{{}}}", members.join(", ")));
        let (readings, settings) = (Readings::default(), Settings::default());
        let risk = Risk { score: 10, severity: Severity::Low, factors: Vec::new() };
        let view = View { call: &call, readings: &readings, risk: &risk, settings: &settings, state: None };
        let outcome = evaluate::holds(when, &view, &mut Budget(STEPS)).ok();
        let wants = [Want::True, Want::False, Want::NotTrue, Want::NotFalse];
        let sets = wants.map(|want| cubes(when, want));
        let point = [point(&call.context, &sets)];
        let has_to_fit = [outcome == Some(true), outcome == Some(false), outcome != Some(true), outcome != Some(false)];
        for ((set, want), fits) in sets.iter().zip(wants).zip(has_to_fit) {
            prop_assert!(!fits || cube::meet(&point, set), "{text} on a = {a}, d = {d} came out {outcome:?}, not in {want:?}");
        }
    }
}

#[test]
fn what_is_proved_empty_is_what_cannot_be() {
    for (text, want) in [
        ("context.a > 5 && context.a < 3", Want::True),
        ("context.a in ['x', 'y'] && context.a.startsWith('z')", Want::True),
        ("has(context.a) || !has(context.a)", Want::NotTrue),
        ("type(context.a) == number && context.a > 5 && context.a < 3", Want::NotFalse),
    ] {
        let world = World::new(&[&format!(
            "policy: p\nstrict: false\nrules:\n  - {{ id: r, when: \"{text}\", decision: BLOCK }}\n"
        )]);
        let when = &world.bundle.rules()[0].when.as_ref().unwrap().root;
        assert!(cubes(when, want).is_empty(), "{text}");
    }
}

#[test]
fn a_condition_with_too_many_branches_proves_nothing() {
    let side = |name: &str| (0..13).map(|n| format!("has(context.{name}{n})")).collect::<Vec<_>>().join(" || ");
    let text = format!("({}) && ({}) && ({})", side("a"), side("b"), side("c"));
    let world = World::new(&[&format!(
        "policy: p\nstrict: false\nrules:\n  - {{ id: r, when: \"{text}\", decision: BLOCK }}\n"
    )]);
    let when = &world.bundle.rules()[0].when.as_ref().unwrap().root;
    let sets = cubes(when, Want::True);
    assert!(!sets.is_empty() && sets.len() <= cube::MOST);
}
