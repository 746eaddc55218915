//! Against the `cel` crate's own interpreter, where its semantics and ours are the same: integers,
//! booleans, strings and lists, no failures inside of a deciding `&&` or `||`.

use super::evaluate;
use proptest::prelude::*;

fn number() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![(-20i64..20).prop_map(|number| format!("({number})")), Just("context.count".to_owned())];
    leaf.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            (inner.clone(), prop_oneof![Just("+"), Just("-"), Just("*")], inner)
                .prop_map(|(left, operator, right)| format!("({left} {operator} {right})")),
            prop::collection::vec(-3i64..3, 0..3).prop_map(|items| format!("size({items:?})")),
        ]
    })
}

fn truth() -> impl Strategy<Value = String> {
    let compare =
        (number(), prop_oneof![Just("<"), Just("<="), Just("=="), Just("!="), Just(">"), Just(">=")], number())
            .prop_map(|(left, operator, right)| format!("{left} {operator} {right}"));
    let member =
        (number(), prop::collection::vec(-3i64..3, 0..4)).prop_map(|(left, items)| format!("{left} in {items:?}"));
    let macros =
        (prop_oneof![Just("exists"), Just("all"), Just("exists_one")], prop::collection::vec(-3i64..3, 0..4), -3i64..3)
            .prop_map(|(name, items, bound)| format!("{items:?}.{name}(x, x < ({bound}))"));
    // These have no typed form, so that the interpreter is the only other opinion on them.
    let made = (prop::collection::vec(-3i64..3, 0..4), -3i64..3, prop::collection::vec(-3i64..3, 0..3)).prop_map(
        |(items, bound, others)| match bound.rem_euclid(3) {
            0 => format!("{items:?}.filter(x, x < ({bound})) == {others:?}"),
            1 => format!("size({items:?}.filter(x, x != ({bound})).map(x, x * 2)) > 1"),
            _ => format!("{items:?}.map(x, x + ({bound})) == {others:?}.map(x, x > 0, x * 2)"),
        },
    );
    let texts = ("[ab]{0,2}", prop_oneof![Just("startsWith"), Just("endsWith"), Just("contains")], "[ab]{0,2}")
        .prop_map(|(left, function, right)| format!("\"{left}\".{function}(\"{right}\")"));
    let leaf = prop_oneof![compare, member, macros, made, texts, Just("true".to_owned()), Just("false".to_owned())];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            (inner.clone(), prop_oneof![Just("&&"), Just("||")], inner.clone())
                .prop_map(|(left, operator, right)| format!("({left} {operator} {right})")),
            inner.clone().prop_map(|inner| format!("!({inner})")),
            (inner.clone(), inner.clone(), inner)
                .prop_map(|(test, then, other)| format!("({test} ? {then} : {other})")),
        ]
    })
}

fn reference(text: &str) -> bool {
    let text = text.replace("context.count", "3");
    let program = cel::Program::compile(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
    match program.execute(&cel::Context::default()) {
        Ok(cel::Value::Bool(value)) => value,
        other => panic!("{text}: {other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn the_same_value_as_the_cel_interpreter(text in truth()) {
        prop_assert_eq!(evaluate(&text), Ok(reference(&text)), "{}", text);
    }

    /// Whatever is written, publishing ends with a condition or findings.
    #[test]
    fn any_text_is_accepted_or_refused(text in "[a-z0-9.()\\[\\]{}\"'!&|<>=+*/%? ,:_-]{0,60}") {
        let _ = super::publish(&text, true);
    }
}
