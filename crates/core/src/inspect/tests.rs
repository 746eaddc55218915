use super::*;

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
