use super::super::tests::call;
use super::*;

fn reading(action: &str, context: &str) -> Object {
    match read(&call(action, context)) {
        Reading::Object(members) => members,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_largest_number_of_things_counts() {
    for (context, expected) in [
        (r#"{"count":10}"#, Value::from(10)),
        (r#"{"rows":10,"count":5000}"#, 5000.into()),
        (r#"{"count":1,"ids":["a","b","c"]}"#, 3.into()),
        (r#"{"recordIds":[]}"#, 0.into()),
        (r#"{}"#, unknown()),
        (r#"{"where":"inactive"}"#, unknown()),
        (r#"{"count":"10"}"#, unknown()),
        (r#"{"count":-1}"#, unknown()),
        (r#"{"count":null}"#, unknown()),
        (r#"{"count":10,"rows":"many"}"#, unknown()),
        (r#"{"count":10,"records":"all"}"#, unknown()),
        (r#"{"count":10,"Count":{"$gt":0}}"#, unknown()),
    ] {
        assert_eq!(reading("delete_records", context)["count"], expected, "{context}");
    }
    assert_eq!(reading("delete_record", r#"{"recordId":"r_1"}"#)["count"], 1.into());
    assert_eq!(reading("delete_user", r#"{"userId":"u_1","count":9}"#)["count"], 9.into());
    assert_eq!(reading("delete_record", r#"{"recordId":"r_1","where":{}}"#)["count"], unknown());
}

#[test]
fn everything_is_noticed() {
    for context in [
        r#"{"all":true}"#,
        r#"{"where":""}"#,
        r#"{"where":" 1 = 1 ;"}"#,
        r#"{"where":"WHERE 1=1"}"#,
        r#"{"filter":{}}"#,
        r#"{"criteria":[]}"#,
        r#"{"where":null}"#,
        r#"{"where":"TRUE"}"#,
        r#"{"count":3,"filter":"*"}"#,
        r#"{"where":1}"#,
    ] {
        assert_eq!(reading("delete_records", context)["everything"], Value::Bool(true), "{context}");
    }
    assert_eq!(reading("delete_records", r#"{"all":"yes"}"#)["everything"], unknown());
    assert_eq!(reading("delete_records", r#"{"where":"id = 7"}"#)["everything"], Value::Bool(false));
}

#[test]
fn a_deployment_that_says_nothing_goes_everywhere() {
    for (context, expected) in [
        (r#"{"percent":10}"#, Value::from(10)),
        (r#"{}"#, 100.into()),
        (r#"{"percent":10,"percentage":90}"#, 90.into()),
        (r#"{"percent":"10"}"#, unknown()),
        (r#"{"percent":null}"#, unknown()),
        (r#"{"percent":10,"traffic":{"v2":100}}"#, unknown()),
        (r#"{"percent":-5}"#, unknown()),
    ] {
        assert_eq!(reading("deploy_service", context)["percent"], expected, "{context}");
    }
}

#[test]
fn scaling_is_read_both_ways() {
    let members = reading("scale_resources", r#"{"from":4,"to":120}"#);
    assert_eq!((&members["factor"], &members["to_zero"]), (&30.into(), &Value::Bool(false)));
    assert_eq!(reading("scale_resources", r#"{"current":9,"desired":4}"#)["factor"], 3.into());
    assert_eq!(reading("scale_resources", r#"{"from":4,"to":4}"#)["factor"], 1.into());
    let members = reading("scale_resources", r#"{"from":4,"to":0}"#);
    assert_eq!((members.get("factor"), &members["to_zero"]), (None, &Value::Bool(true)));
    for context in [
        r#"{}"#,
        r#"{"from":4}"#,
        r#"{"from":4,"to":"6"}"#,
        r#"{"from":4,"to":6,"replicas":600}"#,
        r#"{"from":4,"to":-6}"#,
        r#"{"from":4,"current":1,"to":6}"#,
    ] {
        assert!(Reading::Object(reading("scale_resources", context)).is_unreadable(), "{context}");
    }
}
