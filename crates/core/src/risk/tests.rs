use super::*;
use crate::call::{Agent, Asked, Established};
use crate::environment::Environment;
use crate::inspect::{Reading, Readings};
use crate::profile::{Size, UNREAD, Usual, UsualType};
use crate::settings::Settings;
use crate::value::Object;
use proptest::prelude::*;

fn call(action: &str, environment: &str, sensitivity: Option<&str>, members: &[(&str, Value)]) -> Call {
    let target = match sensitivity {
        Some(sensitivity) => serde_json::json!({ "t": { "sensitivity": sensitivity } }),
        None => serde_json::json!({}),
    };
    let settings: Settings = serde_json::from_value(serde_json::json!({ "targets": target })).unwrap();
    let agent = Agent {
        id: "agt_1".into(),
        name: "a".into(),
        environment: Environment::new(environment).unwrap(),
        labels: Vec::new(),
        owner: None,
    };
    let context: Object = members.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    let asked = Asked { action: action.into(), target: "t".into(), context, ..Asked::default() };
    let established = Established { workspace: "ws_1".into(), agent, source: None, asserts_subject: false };
    Call::new(asked, established, &Catalogue::builtin(), &settings).unwrap()
}

fn scored(action: &str, environment: &str, sensitivity: Option<&str>, members: &[(&str, Value)]) -> Risk {
    score(&call(action, environment, sensitivity, members), &Catalogue::builtin(), &Weights::default())
}

#[test]
fn the_documented_transfer_scores_58() {
    let risk = scored("transfer_funds", "production", Some("high"), &[("amount", 12000.into())]);
    assert_eq!((risk.score, risk.severity), (58, Severity::High));
    let points: Vec<_> = risk.factors.iter().map(|factor| (&*factor.name, factor.points)).collect();
    assert_eq!(points, [("action", 22), ("target", 12), ("environment", 12), ("scale", 12)]);
    // An unregistered target is not known to be harmless, so the published example scores the same.
    assert_eq!(scored("transfer_funds", "production", None, &[("amount", 12000.into())]).score, 58);
}

#[test]
fn bands_begin_where_documented() {
    for (score, severity) in [
        (0, Severity::Low),
        (24, Severity::Low),
        (25, Severity::Medium),
        (49, Severity::Medium),
        (50, Severity::High),
        (74, Severity::High),
        (75, Severity::Critical),
        (100, Severity::Critical),
    ] {
        assert_eq!(Severity::of_score(score), severity, "{score}");
    }
}

#[test]
fn what_cannot_be_read_counts_at_its_worst() {
    let at = |members: &[(&str, Value)]| scored("process_refund", "staging", Some("low"), members).score;
    let missing = at(&[]);
    assert_eq!(missing, at(&[("amount", "800".into())]));
    assert_eq!(missing, at(&[("amount", Value::Null)]));
    assert!(missing >= at(&[("amount", 1_000_000_000.into())]));
    assert_eq!(at(&[("amount", (-800).into())]), at(&[("amount", 800.into())]));
}

#[test]
fn a_read_is_low_even_in_production() {
    assert_eq!(scored("read_balance", "production", None, &[]).severity, Severity::Low);
    assert_eq!(scored("get_weather", "production", None, &[]).severity, Severity::Low);
}

#[test]
fn destroying_much_in_production_is_critical() {
    let risk = scored("delete_records", "production", Some("high"), &[("count", 5000.into())]);
    assert_eq!(risk.severity, Severity::Critical);
    assert!(risk.factors[3].sentence.contains("`count` is 5000"));
}

#[test]
fn percentages_count_in_proportion() {
    let at = |percent: Value| scored("deploy_service", "production", None, &[("percent", percent)]).factors[3].points;
    assert_eq!(at(100.into()), 30);
    assert_eq!(at(10.into()), 3);
    assert_eq!(at(400.into()), 30);
    assert_eq!(at(Value::Number("99.99".parse().unwrap())), 30);
    assert_eq!(at(Value::Number("1e-40".parse().unwrap())), 0);
    assert_eq!(at("10".into()), 30);
}

fn amounts() -> impl Strategy<Value = Decimal> {
    (0u64..1_000_000_000_000, -6i32..16).prop_map(|(digits, exponent)| Decimal::new(digits.into(), exponent).unwrap())
}

const ENVIRONMENTS: [&str; 4] = ["development", "staging", "elsewhere", "production"];
const SENSITIVITIES: [Option<&str>; 4] = [Some("low"), Some("normal"), Some("high"), None];

proptest! {
    #[test]
    fn more_of_any_factor_never_lowers_the_score(
        kind in prop::sample::select(vec![("process_refund", "amount"), ("transfer_funds", "amount"), ("delete_records", "count"), ("scale_resources", "to"), ("deploy_service", "percent"), ("read_balance", "amount")]),
        pair in (amounts(), amounts()),
        environments in (0usize..4, 0usize..4),
        sensitivities in (0usize..4, 0usize..4),
    ) {
        let (action, field) = kind;
        let low = scored(action, ENVIRONMENTS[environments.0.min(environments.1)], SENSITIVITIES[sensitivities.0.min(sensitivities.1)], &[(field, Value::Number(pair.0.min(pair.1)))]);
        let high = scored(action, ENVIRONMENTS[environments.0.max(environments.1)], SENSITIVITIES[sensitivities.0.max(sensitivities.1)], &[(field, Value::Number(pair.0.max(pair.1)))]);
        prop_assert!(high.score >= low.score, "{low:?} {high:?}");
        prop_assert!(high.score <= 100);
    }

    #[test]
    fn a_further_field_never_lowers_the_score(amount in amounts(), count in 0i64..100_000) {
        let alone = scored("delete_records", "staging", None, &[("count", Value::Number(amount))]);
        let more = scored("delete_records", "staging", None, &[("count", Value::Number(amount)), ("rows", count.into())]);
        prop_assert!(more.score >= alone.score);
    }

    #[test]
    fn a_found_type_never_lowers_the_score(index in 0usize..32) {
        let catalogue = Catalogue::builtin();
        let mut call = call("execute_query", "production", None, &[]);
        let before = score(&call, &catalogue, &Weights::default()).score;
        call.action.add(&catalogue, &catalogue.types().nth(index).unwrap().name);
        prop_assert!(score(&call, &catalogue, &Weights::default()).score >= before);
    }
}

fn usual(agent: u64, size: Option<i64>, kind: UsualType) -> Usual {
    Usual { agent, hour: 0, size: size.map(|size| Size::of(size.into())), types: vec![kind] }
}

fn known() -> UsualType {
    UsualType {
        observations: 200,
        pace: 2,
        r#type: "process_refund".into(),
        usual_pace: Some(1),
        usual_size: Some(Size::of(Decimal::from(100i64))),
    }
}

fn deviation_of(usual: &Usual) -> Factor {
    let base = Risk::of(vec![]);
    with_profile(&base, usual, &Weights::default()).factors.remove(0)
}

#[test]
fn what_is_unusual_gives_points_and_says_why() {
    for (name, usual, points, says) in [
        ("no profile yet", usual(29, Some(1_000_000), known()), 0, "29 of 30"),
        ("as ever", usual(500, Some(150), known()), 0, "usually does"),
        ("five times as large", usual(500, Some(500), known()), 6, "at least 500, usually below 200"),
        ("very large", usual(500, Some(5_000_000), known()), 15, "at least 5000000"),
        ("a bit faster", usual(500, Some(100), UsualType { pace: 7, ..known() }), 0, "usually does"),
        (
            "fast",
            usual(500, Some(100), UsualType { pace: 8, ..known() }),
            3,
            "call 8 within an hour, usually fewer than 4",
        ),
        ("never done", usual(500, None, UsualType { observations: 0, ..UsualType::default() }), 15, "never done"),
        ("rare", usual(500, None, UsualType { observations: 10, ..UsualType::default() }), 10, "10 of 500"),
    ] {
        let factor = deviation_of(&usual);
        assert_eq!(u32::from(factor.points), points, "{name}: {}", factor.sentence);
        assert!(factor.sentence.contains(says), "{name}: {}", factor.sentence);
    }
    let unread = Usual { size: Some(UNREAD), ..usual(500, None, known()) };
    assert_eq!(deviation_of(&unread).points, 15);
}

#[test]
fn of_several_types_the_most_unusual_counts() {
    let novel = UsualType { r#type: "delete_records".into(), pace: 1, ..UsualType::default() };
    let both = Usual { types: vec![known(), novel], ..usual(500, Some(100), known()) };
    let factor = deviation_of(&both);
    assert_eq!((factor.points, factor.sentence.contains("delete_records")), (15, true));
}

#[test]
fn the_size_of_a_call_is_its_largest_measure() {
    let size = |call: &Call, readings: &Readings| measure(call, readings, &Catalogue::builtin());
    let refund = call("process_refund", "production", None, &[("amount", 120.into())]);
    assert_eq!(size(&refund, &Readings::default()), Some(Size::of(Decimal::from(120i64))));
    let money = Reading::Object([("amount".to_owned(), Value::from(5_000))].into_iter().collect());
    assert_eq!(size(&refund, &Readings { money, ..Readings::default() }), Some(Size::of(Decimal::from(5_000i64))));
    assert_eq!(size(&refund, &Readings { money: Reading::Unknown, ..Readings::default() }), Some(UNREAD));
    let nothing = call("process_refund", "production", None, &[]);
    assert_eq!(size(&nothing, &Readings::default()), Some(UNREAD));
    assert_eq!(size(&call("get_weather", "production", None, &[]), &Readings::default()), None);
}

#[test]
fn weights_that_are_not_monotone_are_refused() {
    assert_eq!(Weights::default().check(), Ok(()));
    let down = Weights { sensitivity: [5, 3, 12], ..Weights::default() };
    assert_eq!(down.check().unwrap_err().0, "sensitivity");
    let wide = Weights { scale_most: 101, ..Weights::default() };
    assert_eq!(wide.check().unwrap_err().0, "scaleMost");
}

fn any_kind() -> impl Strategy<Value = UsualType> {
    let numbers = (0u64..80, 0u32..5_000, prop::option::of(0u8..12), prop::option::of(0i64..1_000_000));
    numbers.prop_map(|(observations, pace, usual_pace, usual)| UsualType {
        observations,
        pace,
        r#type: "x".into(),
        usual_pace,
        usual_size: usual.map(|size| Size::of(size.into())),
    })
}

proptest! {
    #[test]
    fn rarer_faster_or_larger_never_lowers_the_score(
        agent in 0u64..100, kind in any_kind(), size in 0i64..10_000_000,
        fewer in 0u64..80, faster in 0u32..5_000, larger in 0i64..10_000_000, base in 0u32..110,
    ) {
        let base = Risk::of(vec![factor("action", base, Text::default())]);
        let score = |usual: &Usual| with_profile(&base, usual, &Weights::default()).score;
        let before = score(&usual(agent, Some(size), kind.clone()));
        let rarer = UsualType { observations: kind.observations.saturating_sub(fewer), ..kind.clone() };
        let faster = UsualType { pace: kind.pace + faster, ..kind.clone() };
        prop_assert!(score(&usual(agent, Some(size), rarer)) >= before);
        prop_assert!(score(&usual(agent, Some(size), faster)) >= before);
        prop_assert!(score(&usual(agent, Some(size + larger), kind.clone())) >= before);
        let unread = score(&Usual { size: Some(UNREAD), ..usual(agent, None, kind) });
        prop_assert!(unread >= before);
        prop_assert!(before >= base.score && before <= 100);
    }
}
