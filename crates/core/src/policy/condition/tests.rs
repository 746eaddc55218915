//! What conditions mean: a table of expressions with their value, one of failures, one of load errors.

use super::evaluate::holds;
use super::*;
use crate::catalogue::Catalogue;
use crate::decide::testing::call;
use crate::inspect::{Reading, Readings};
use crate::meter::MeterValue;
use crate::policy::selector::Actions;
use crate::risk::{Risk, Severity};
use crate::settings::Settings;
use crate::time::Micros;
use crate::value::Value;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

mod differential;
mod load_errors;
mod past;

const CONTEXT: &str = r#"{
    "amount": 500.01, "count": 3, "text": "Grüße", "flag": true, "nothing": null, "zero": 0,
    "list": [1, 2, 3], "mixed": [1, "a", null], "names": ["ana", "bob"], "empty": [],
    "deep": {"a": {"b": 7}, "c": null, "l": [{"x": 1}, {"y": 2}]}
}"#;

/// Publishes and evaluates a condition on the call above; names of context are not checked.
pub(super) fn evaluate(text: &str) -> Result<bool, String> {
    evaluate_with(text, Budget(STEPS))
}

fn evaluate_with(text: &str, mut budget: Budget) -> Result<bool, String> {
    let condition = publish(text, true).map_err(|findings| format!("does not publish: {findings:?}"))?;
    let call = call("process_refund", "stripe", CONTEXT);
    let sql = [("kind", "SELECT"), ("has_where", "UNKNOWN")];
    let members = sql.map(|(name, text)| (name.to_owned(), Value::from(text)));
    let readings = Readings { sql: Reading::Object(members.into()), url: Reading::Unknown, ..Readings::default() };
    let risk = Risk { score: 58, severity: Severity::High, factors: Vec::new() };
    let settings = Settings { internal_domains: vec!["acme.example".to_owned()], ..Settings::default() };
    let meters = [(0, MeterValue::Ready("1500.5".parse().unwrap())), (1, MeterValue::Filling)];
    let state = State {
        now: "2026-11-22T16:30:05Z".parse::<Micros>().unwrap(),
        meters: &meters,
        names: &["spent".into(), "filling".into(), "unread".into()],
    };
    let view = View { call: &call, readings: &readings, risk: &risk, settings: &settings, state: Some(state) };
    holds(&condition.root, &view, &mut budget).map_err(|failure| failure.to_string())
}

/// Findings as `line:column: message (help)`.
pub(super) fn publish(text: &str, lenient: bool) -> Result<Condition, Vec<String>> {
    let catalogue = Catalogue::builtin();
    let types: BTreeSet<&str> = catalogue.types().map(|kind| &*kind.name).collect();
    let meters = BTreeMap::from([("spent", 0), ("filling", 1), ("unread", 2)].map(|(name, at)| (name.to_owned(), at)));
    let names = Names {
        catalogue: &catalogue,
        actions: &Actions::Any,
        types: &types,
        meters: &meters,
        state_allowed: true,
        shadow: false,
        counters: &RefCell::default(),
    };
    let source = Source::bare(text);
    let mut findings = Findings::new("c");
    findings.lenient = lenient;
    let mut batch = Batch::default();
    let ticket = batch.add(&source);
    let condition = batch.parse().condition(ticket, &source, Wanted::Truth, &names, &mut findings);
    condition.ok_or_else(|| findings.errors.iter().map(|error| error.to_string().replacen("c:", "", 1)).collect())
}

#[test]
fn conditions_that_hold() {
    for text in [
        "context.amount > 500 && context.amount == 500.01 && 0.1 + 0.2 == 0.3",
        "context.amount < 500.010000000000000000000000000001",
        "123456789012345678.25 > 123456789012345678.24",
        "-context.count == -3 && 7 / 2 == 3.5 && 7 % 4 == 3 && 2 * -1.5 == -3",
        "1e3 == 1000 && .5 + .5 == 1 && -2.50 == -2.5",
        "type(context.amount) == number && type(context.text) == string && type(context.nothing) == null_type",
        "type(context.gone) == null_type && type(context.gone.a) != number && !(type(context.gone) == number)",
        "type(context.list) == list && type(context.deep) == map && type(context.flag) == bool && type(now) == timestamp",
        "has(context.deep.a.b) && !has(context.deep.x.y.z) && !has(context.gone.a) && has(context.nothing)",
        "has(context.deep[\"a\"]) && context[\"deep\"].a[\"b\"] == 7 && context.deep.l[1].y == 2",
        "context.nothing == null && context.amount != null && subject == null && !has(subject)",
        "context.flag ? context.count == 3 : context.gone",
        "context.list.exists(x, x > 2) && context.list.all(x, x > 0) && context.list.exists_one(x, x == 2)",
        "context.list.map(x, x * 2) == [2, 4, 6] && context.list.filter(x, x != 2) == [1, 3]",
        "context.list.map(x, x > 1, x + 1) == [3, 4] && [] == context.empty && context.empty.all(x, x > 1)",
        "context.list.exists(x, context.list.exists(y, x + y == 6))",
        "3 in context.list && !(4 in context.list) && \"amount\" in context && \"a\" in context.deep",
        "\"ana\" in context.names && \"bob\" in context.names",
        "size(context.text) == 5 && context.list.size() == 3 && size(context.deep) == 3",
        "context.text.startsWith(\"Gr\") && context.text.endsWith(\"e\") && context.text.contains(\"üß\")",
        "context.text.matches(\"^G.*e$\") && !context.text.matches(r\"\\d\")",
        "\"ABC\".lowerAscii() == \"abc\" && \"abc\".upperAscii() == \"ABC\" && \"a\" + \"b\" == \"ab\" && \"a\" < \"b\"",
        "[1] + [2] == [1, 2] && {\"a\": 1} == {\"a\": 1} && {\"a\": 2}.a == 2 && {\"a\": 1} != {\"a\": 2}",
        "now > timestamp(\"2026-01-01T00:00:00Z\") && now - timestamp(\"2026-11-22T16:00:05Z\") == duration(\"30m\")",
        "now.getHours() == 16 && now.getDayOfWeek() == 0 && now.getMonth() == 10 && now.getDate() == 22",
        "now + duration(\"1h\") - duration(\"1h\") == now && now.getFullYear() == 2026 && now.getMinutes() == 30",
        "meters.spent + context.amount > 2000 && meters.spent == 1500.5",
        "risk.score == 58 && risk.severity == \"high\" && environment == \"production\" && target == \"stripe\"",
        "action.type == \"process_refund\" && \"process_refund\" in action.types && action.domain == \"payments\"",
        "action.known && !action.inferred && action.source == null && action.tool == null && agent.id == \"agt_1\"",
        "agent.labels.exists(l, l == \"refund-desk\") && \"acme.example\" in internal_domains",
        "sql.kind == \"SELECT\" && sql.has_where == UNKNOWN && url.host == UNKNOWN && url == UNKNOWN && has(url.host)",
        "context[\"text\"] == 'Grüße' // a comment",
    ] {
        assert_eq!(evaluate(text), Ok(true), "{text}");
    }
}

#[test]
fn a_side_that_decides_decides_beside_a_failure() {
    for (text, value) in [
        ("context.gone > 1 && false", false),
        ("false && context.gone > 1", false),
        ("context.gone > 1 || true", true),
        ("context.mixed.exists(x, x == \"a\")", true),
        ("context.mixed.all(x, x == 2)", false),
        ("\"a\" in context.mixed", true),
        ("[context.count, 1] == [\"x\", 2]", false),
        ("context.flag || context.gone", true),
    ] {
        assert_eq!(evaluate(text), Ok(value), "{text}");
    }
    for text in ["context.gone > 1 && true", "true && context.gone > 1", "context.gone > 1 || false"] {
        assert!(evaluate(text).is_err(), "{text}");
    }
}

#[test]
fn conditions_without_a_value_say_why() {
    for (text, why) in [
        ("context.gone > 1", "`context.gone` is missing"),
        ("context.deep.a.x == 1", "`context.deep.a.x` is missing"),
        ("context.nothing > 1", "a value is null"),
        ("context.nothing == 1", "a value is null"),
        ("context.nothing == context.nothing", "a value is null"),
        ("context.deep.c.d == 1", "a value is null"),
        ("has(context.deep.c.d)", "a value is null"),
        ("has(context.text.d)", "an object is needed, not string"),
        ("context.text > 1", "string and number do not compare"),
        ("context.text == 1", "string and number do not compare"),
        ("context.flag > false || context.flag > context.count", "bool and bool do not compare"),
        ("context.mixed.exists(x, x == 5)", "string and number do not compare"),
        ("context.mixed.exists_one(x, x == 1)", "string and number do not compare"),
        ("5 in context.mixed", "string and number do not compare"),
        ("context.amount in context.nothing", "a value is null"),
        ("context.count / context.zero == 1", "division by zero"),
        ("1 / context.count == 1", "more than 34 digits"),
        ("context.list[3] == 1", "outside of the list"),
        ("context.list[0.5] == 1", "outside of the list"),
        ("context.list[context.text] == 1", "a number is needed, not string"),
        ("context.amount", "true or false is needed, not number"),
        ("!context.amount", "true or false is needed, not number"),
        ("context.text.startsWith(context.count)", "a string is needed, not number"),
        ("context.count.matches(\"1\")", "a string is needed, not number"),
        ("size(context.count) == 1", "a string, list or map is needed"),
        ("context.text.exists(x, true)", "a list is needed, not string"),
        ("money.amount > 1", "`money` is missing"),
        ("sql.tables == []", "`sql.tables` is missing"),
        ("url.port > 1", "string and number do not compare"),
        ("meters.filling > 1", "`filling` is still counting its past"),
        ("meters.unread > 1", "`unread` was not read"),
        ("subject == \"ana\"", "a value is null"),
    ] {
        let failure = evaluate(text).expect_err(text);
        assert!(failure.contains(why), "{text}: {failure}");
    }
}

#[test]
fn the_step_budget_ends_every_condition() {
    let text = "context.list.exists(x, context.list.exists(y, context.list.exists(z, x + y + z > 100)))";
    assert_eq!(evaluate(text), Ok(false));
    for steps in [0, 1, 5, 50] {
        let failure = evaluate_with(text, Budget(steps)).expect_err("used up");
        assert!(failure.contains("budget"), "{failure}");
    }
    // A decision that needs no further step stands; one that does, fails.
    assert_eq!(evaluate_with("true || context.list.exists(x, x > 1)", Budget(3)), Ok(true));
}

/// Every way of reading much at once is paid for before it is done.
#[test]
fn large_values_use_up_the_budget() {
    let many: Vec<String> = (0..600).map(|number| number.to_string()).collect();
    let long = "x".repeat(64_000);
    let context =
        format!(r#"{{"list": [{}], "deep": {{"a": [[{}]]}}, "text": "{long}"}}"#, many.join(","), many.join(","));
    let call = call("process_refund", "stripe", &context);
    let readings = Readings::default();
    let risk = Risk { score: 0, severity: Severity::Low, factors: Vec::new() };
    let settings = Settings::default();
    let view = View { call: &call, readings: &readings, risk: &risk, settings: &settings, state: None };
    for text in [
        "context.list.exists(x, -1 in context.list)",
        "context.list.exists(x, context.deep != context.deep)",
        "context.list.exists(x, context.text + \"y\" == \"z\")",
        "context.list.exists(x, context.text.contains(\"y\"))",
        "context.list.exists(x, context.text.matches(\"y\"))",
        "context.list.exists(x, context.list.exists(y, y < 0))",
    ] {
        let condition = publish(text, true).unwrap();
        let failure = holds(&condition.root, &view, &mut Budget(STEPS)).map_err(|failure| failure.what);
        assert_eq!(failure, Err(super::failure::What::Budget), "{text}");
    }
}

#[test]
fn what_a_condition_needs_is_known_at_publish() {
    let needs = |text: &str| publish(text, false).map(|condition| (condition.needs_state, condition.meters));
    assert_eq!(needs("context.amount > 1"), Ok((false, vec![])));
    assert_eq!(needs("now.getHours() > 1"), Ok((true, vec![])));
    assert_eq!(needs("meters.unread + meters.spent + meters.unread > 1"), Ok((true, vec![0, 2])));
}

/// The largest conditions that may be written, on a stack as small as a server's thread may have.
#[test]
fn the_largest_conditions_fit_on_a_small_stack() {
    let nested = format!("{}context.flag{}", "(".repeat(12), ")".repeat(12));
    let texts = [
        format!("has(context{})", ".a".repeat(95)),
        format!("context{} == 1", "[0]".repeat(96)),
        format!("context{}[0]{} == 1", ".a".repeat(50), ".b".repeat(45)),
        format!("{}context.flag", "!".repeat(40)),
        format!("{}1 > 0", "-".repeat(39)),
        format!("{}true", "context.flag ? false : ".repeat(40)),
        format!("context.count + {}1 > 0", "1 + ".repeat(38)),
        format!("{}context.flag", "context.flag && ".repeat(40)),
        format!("{}context.flag{}", "[".repeat(12), "]".repeat(12)) + " == []",
        format!("{}true{}", "context.list.exists(x, ".repeat(12), ")".repeat(12)),
        (0..3).fold(nested, |text, _| format!("{text} && !!!!!!!!!!context.flag")),
    ];
    let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(move || {
        for text in &texts {
            // `--1` is not a number for the parser; every other text must publish.
            assert!(publish(text, true).is_ok() || text.starts_with("--"), "{text}: {:?}", publish(text, true).err());
            let _ = evaluate(text);
        }
    });
    thread.unwrap().join().unwrap();
}
