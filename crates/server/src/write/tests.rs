use super::*;
use proptest::prelude::*;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

fn same(value: &impl Serialize) {
    let (own, theirs) = (json(value, 16).unwrap(), serde_json::to_vec(value).unwrap());
    assert_eq!(String::from_utf8_lossy(&own), String::from_utf8_lossy(&theirs));
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Kind<'a> {
    Plain,
    Of(u8),
    Pair(i64, &'a str),
    Members { first_one: Option<bool>, text: &'a str },
}

#[derive(Serialize)]
struct Unit;

#[derive(Serialize)]
struct Tuple(u8, char);

#[derive(Serialize)]
struct Flat {
    own: u8,
    #[serde(flatten)]
    more: BTreeMap<String, f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    absent: Option<u8>,
}

#[test]
fn every_form_is_written_as_serde_json_writes_it() {
    for text in ["", "plain", "a \"quote\"", "back\\slash", "\u{0}\u{8}\n\t\r\u{c}\u{1f}\u{7f}", "ünï ∞ 🦀"] {
        same(&text);
        same(&Kind::Pair(i64::MIN, text));
        same(&Kind::Members { first_one: None, text });
        same(&(text, vec![text, text], [Some(text), None]));
        same(&BTreeMap::from([(text, 1), ("other", 2)]));
    }
    same(&[Kind::Plain, Kind::Of(7), Kind::Members { first_one: Some(true), text: "x" }]);
    same(&(Unit, Tuple(1, '"'), Tuple(2, 'ß'), ()));
    same(&Vec::<u8>::new());
    same(&BTreeMap::<String, u8>::new());
    same(&(u64::MAX, i8::MIN, 0.1, -1.5e300, 3.0_f32, f64::NAN));
    same(&Flat { own: 1, more: BTreeMap::from([("a".to_owned(), 1.0)]), absent: None });
    same(&format_args!("{}/{}", "a\"", 1));
}

#[test]
fn what_is_json_already_is_copied() {
    let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
    same(&(raw(r#"{"a":[1,"\n"]}"#), "after \" it"));
    same(&BTreeMap::from([("readings", Some(raw("null"))), ("z", Some(raw("\"x\"")))]));
}

#[test]
fn a_name_that_is_no_text_is_refused() {
    assert!(json(&BTreeMap::from([(1, 2)]), 16).is_err());
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[ -~]{0,100}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_value_is_written_as_serde_json_writes_it(value in values()) {
        prop_assert_eq!(json(&value, 0).unwrap(), serde_json::to_vec(&value).unwrap());
    }
}
