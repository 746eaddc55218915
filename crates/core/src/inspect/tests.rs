use super::*;
use crate::call::{Agent, Asked, Established};
use crate::environment::Environment;

/// A call in production with the given type and context, on a target registered for `api.github.com`.
pub(super) fn call(action: &str, context: &str) -> Call {
    let settings: Settings = serde_json::from_str(
        r#"{"targets":{"github":{"hosts":["api.github.com","*.githubusercontent.com","203.0.113.7"]}}}"#,
    )
    .unwrap();
    let agent = Agent {
        id: "agt_1".into(),
        name: "a".into(),
        environment: Environment::production(),
        labels: Vec::new(),
        owner: None,
    };
    let context = crate::json::read(context.as_bytes(), &crate::json::Limits::default()).expect(context);
    let context = context.as_object().unwrap().clone();
    let asked = Asked { action: action.into(), target: "github".into(), context, ..Asked::default() };
    let established = Established { workspace: "ws_1".into(), agent, source: None, asserts_subject: false };
    Call::new(asked, established, &Catalogue::builtin(), &settings).unwrap()
}

#[test]
fn readings_survive_the_record() {
    let mut readings = Readings { found: vec!["delete_records".into()], ..Readings::default() };
    readings.set(Inspector::Sql, Reading::Object(Object::from([("kind".to_owned(), Value::from("SELECT"))])));
    readings.set(Inspector::Url, Reading::Unknown);
    assert_eq!(Readings::from_value(&readings.to_value()), readings);
    assert_eq!(readings.unreadable().collect::<Vec<_>>(), [Inspector::Url]);
}

#[test]
fn one_unknown_member_makes_a_reading_unreadable() {
    let reading = Reading::Object(Object::from([("method".to_owned(), Value::from(UNKNOWN))]));
    assert!(reading.is_unreadable());
    assert!(!Reading::NotApplicable.is_unreadable());
    assert!(Reading::Unknown.is_unreadable());
}

#[test]
fn a_damaged_record_reads_as_unknown() {
    let value = Value::Object(Object::from([("sql".to_owned(), Value::from(3))]));
    assert_eq!(Readings::from_value(&value).sql, Reading::Unknown);
}
