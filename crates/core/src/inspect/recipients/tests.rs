use super::super::tests::call;
use super::*;
use proptest::prelude::*;

fn settings() -> Settings {
    serde_json::from_str(r#"{"internalDomains":["acme.example"]}"#).unwrap()
}

fn reading(context: &str) -> Object {
    match read(&call("send_email", context), &settings()) {
        Reading::Object(members) => members,
        other => panic!("{context}: {other:?}"),
    }
}

/// External is more than zero, or nobody can tell.
fn is_safe(members: &Object) -> bool {
    members["external"] != Value::from(0) || members["count"] == unknown()
}

#[test]
fn every_usual_form_is_read() {
    for context in [
        r#"{"to":"ana@acme.example"}"#,
        r#"{"to":["ana@acme.example"]}"#,
        r#"{"to":"Ana <ana@acme.example>"}"#,
        r#"{"to":"\"Weber, Ana\" <Ana@ACME.example>"}"#,
        r#"{"to":{"email":"ana@acme.example","name":"Ana"}}"#,
        r#"{"to":[{"address":"ana@acme.example"}]}"#,
        r#"{"toRecipients":[{"emailAddress":{"address":"ana@acme.example","name":"Ana"}}]}"#,
        r#"{"Destination":{"ToAddresses":["ana@acme.example"]}}"#,
        r#"{"personalizations":[{"to":[{"email":"ana@acme.example"}]}],"from":{"email":"me@other.test"}}"#,
        r#"{"headers":{"To":"ana@acme.example"}}"#,
        r#"{"headers":[{"name":"To","value":"ana@acme.example"}]}"#,
        r#"{"message":{"to":"ana@acme.example","subject":"hi"}}"#,
        r#"{"to":{"ana@acme.example":"Ana"}}"#,
        r#"{"to":"ana@acme.example."}"#,
        r#"{"to":"ana@acme.example, ","cc":null,"bcc":[]}"#,
        r#"{"to":"ana@acme.example","replyTo":"x@evil.test","from":"y@evil.test","body":"write to z@evil.test\nBcc: q@evil.test"}"#,
    ] {
        let members = reading(context);
        let seen = (&members["count"], &members["external"], &members["internal"]);
        assert_eq!(seen, (&Value::from(1), &Value::from(0), &Value::from(1)), "{context}");
    }
}

#[test]
fn all_recipients_count() {
    let members =
        reading(r#"{"to":"a@acme.example; b@acme.example","cc":["c@x.test"],"bcc":"D <d@y.test>, e@acme.example"}"#);
    assert_eq!((&members["count"], &members["external"], &members["internal"]), (&5.into(), &2.into(), &3.into()));
    assert_eq!(members["domains"], texts(["acme.example", "x.test", "y.test"].map(str::to_owned)));
    assert_eq!(reading(r#"{"to":"a@acme.example","recipientCount":900}"#)["count"], 900.into());
    assert_eq!(reading(r#"{"to":"+1 555 0100"}"#)["phones"], 1.into());
    assert_eq!(reading(r#"{"to":15550100}"#)["external"], 1.into());
}

#[test]
fn external_recipients_are_found_wherever_they_hide() {
    for context in [
        r#"{"to":"ana@acme.example","bcc":"x@evil.test"}"#,
        r#"{"to":["ana@acme.example","x@evil.test"]}"#,
        r#"{"to":"ana@acme.example,x@evil.test"}"#,
        r#"{"to":"ana@acme.example;x@evil.test"}"#,
        r#"{"to":"ana@acme.example","Bcc":"x@evil.test"}"#,
        r#"{"to":"ana@acme.example","headers":{"BCC":"x@evil.test"}}"#,
        r#"{"to":"ana@acme.example","headers":{"Resent-To":"x@evil.test"}}"#,
        r#"{"to":"ana@acme.example","headers":[["Bcc","x@evil.test"]]}"#,
        r#"{"to":"ana@acme.example","forwardTo":"x@evil.test"}"#,
        r#"{"to":"ana@acme.example","cc_list":["x@evil.test"]}"#,
        r#"{"to":"ana@acme.example","extra":{"deep":[{"recipients":["x@evil.test"]}]}}"#,
        r#"{"to":"ana@acme.example","watcher":"x@evil.test"}"#,
        r#"{"to":"ana@acme.example","watchers":["x@evil.test"]}"#,
        r#"{"to":"ana@acme.example.evil.test"}"#,
        r#"{"to":"ana@acmeexample"}"#,
        r#"{"to":"ana@notacme.example"}"#,
        r#"{"to":"ana@acme-example.test"}"#,
        r#"{"to":"ana@acmе.example"}"#,
        r#"{"to":"ana@ａcme.example"}"#,
        r#"{"to":"ana@evil。acme.example"}"#,
        r#"{"to":"\"ana@acme.example\" <x@evil.test>"}"#,
        r#"{"to":"\"ana@acme.example\\\" <ana@acme.example>\" <x@evil.test>"}"#,
        r#"{"to":{"email":"x@evil.test","name":"ana@acme.example"}}"#,
        r#"{"to":{"x@evil.test":"ana@acme.example"}}"#,
        r#"{"to":["ana@acme.example",15550100]}"#,
        r#"{"to":"ana@acme.example","body":{"cc":"x@evil.test"}}"#,
    ] {
        assert!(is_safe(&reading(context)), "{context}: {:?}", reading(context));
    }
}

#[test]
fn what_mail_programs_read_differently_is_unknown() {
    for address in [
        "ana@acme.example <x@evil.test>",
        "x@evil.test <ana@acme.example>",
        "ana@acme.example@evil.test",
        "x@evil.test@acme.example",
        "<ana@acme.example><x@evil.test>",
        "<x@evil.test> ana@acme.example",
        "x%evil.test@acme.example",
        "evil.test!x@acme.example",
        "\\\"x@evil.test\\\"@acme.example",
        "ana(x@evil.test)@acme.example",
        "ana@(x@evil.test)acme.example",
        "ana@acme.example (x@evil.test)",
        "<@evil.test:ana@acme.example>",
        "team: x@evil.test, ana@acme.example;",
        "undisclosed-recipients:;",
        "ana@acme.example\\r\\nBcc: x@evil.test",
        "ana@acme.example\\nx@evil.test",
        "ana@acme.example\\u0000@evil.test",
        "ana@acme.example x@evil.test",
        "ana @acme.example",
        "ana@ acme.example",
        "ana@acme..example",
        "ana@[127.0.0.1]",
        "ana@",
        "@acme.example",
        "ana",
        "everyone",
        "mailto:ana@acme.example?bcc=x@evil.test",
        "ana@acme.example?bcc=x@evil.test",
        "ana@acme.example/x@evil.test",
        "\\\"unclosed <ana@acme.example>",
        "a <ana@acme.example",
        "ana@acme.example>",
        "=?utf-8?q?x=40evil.test?= <ana@acme.example>, =?utf-8?q?x=40evil.test?=",
    ] {
        let members = reading(&format!(r#"{{"to":"{address}"}}"#));
        assert_eq!(members["count"], unknown(), "{address}: {members:?}");
        assert_ne!(members["external"], Value::from(0), "{address}");
    }
}

#[test]
fn unnamed_recipients_are_unknown() {
    for context in [
        "{}",
        r#"{"subject":"hi"}"#,
        r#"{"to":""}"#,
        r#"{"to":[]}"#,
        r#"{"to":null}"#,
        r#"{"to":{}}"#,
        r#"{"to":{"name":"ana@acme.example"}}"#,
        r#"{"to":true}"#,
        r#"{"to":"ana@acme.example","list":"customers"}"#,
        r#"{"to":"ana@acme.example","segmentId":7}"#,
        r#"{"to":"ana@acme.example","sendToAll":true}"#,
        r#"{"to":"ana@acme.example","audience":"all-users"}"#,
        r#"{"to":"ana@acme.example","raw":"VG86IHhAZXZpbC50ZXN0"}"#,
        r#"{"to":"ana@acme.example","headers":"Bcc: x@evil.test"}"#,
        r#"{"to":"ana@acme.example","headers":["Bcc: x@evil.test"]}"#,
        r#"{"to":"ana@acme.example","headers":{"X-Thing":"a\r\nBcc: x@evil.test"}}"#,
        r#"{"to":"ana@acme.example","subject":"hi\r\nBcc: x@evil.test"}"#,
        r#"{"to":"ana@acme.example","from":"me@acme.example\nBcc: x@evil.test"}"#,
        r#"{"to":{"email":"ana@acme.example","name":"A\nBcc: x@evil.test"}}"#,
        r#"{"to":"ana@acme.example","recipientCount":"many"}"#,
        r#"{"to":"ana@acme.example","recipientCount":-1}"#,
        r#"{"to":{"id":"grp_1"}}"#,
        r#"{"to":"U0123"}"#,
    ] {
        let members = reading(context);
        assert_eq!(members["count"], unknown(), "{context}: {members:?}");
        assert_ne!(members["external"], Value::from(0), "{context}");
    }
}

#[test]
fn too_much_to_read_is_unknown() {
    let many = serde_json::json!({ "to": vec!["ana@acme.example"; 20_000] }).to_string();
    let mut wide = call("send_email", "{}");
    wide.context =
        crate::json::read(many.as_bytes(), &crate::json::Limits::default()).unwrap().as_object().unwrap().clone();
    let Reading::Object(members) = read(&wide, &settings()) else { panic!() };
    assert_eq!(members["count"], unknown());
}

proptest! {
    #[test]
    fn an_external_recipient_is_never_hidden_by_more_text(key in "[a-zA-Z_]{1,10}", noise in "\\PC{0,24}", place in 0usize..3) {
        let hidden = Value::from("x@evil.test");
        let mut members = Object::from([("to".to_owned(), Value::from("ana@acme.example"))]);
        members.insert(key, Value::from(noise));
        members.insert(["bcc", "cc", "recipients"][place].to_owned(), hidden);
        let mut call = call("send_email", "{}");
        call.context = members;
        let Reading::Object(members) = read(&call, &settings()) else { panic!() };
        prop_assert!(is_safe(&members));
    }

    #[test]
    fn an_internal_reading_comes_only_from_plain_internal_addresses(text in "[ -~]{0,6}[a-z@.<>\", ]{0,10}@?acme.example[ -~]{0,8}") {
        let mut call = call("send_email", "{}");
        call.context.insert("to".to_owned(), Value::from(text.clone()));
        let Reading::Object(members) = read(&call, &settings()) else { panic!() };
        if members["external"] == Value::from(0) {
            // Whoever splits at every separator there is finds only addresses of ours.
            let domains = text.split('@').skip(1).map(|rest| rest.split([',', ';', '>', ' ', '"']).next().unwrap_or("").trim_end_matches('.'));
            prop_assert!(text.contains('"') || domains.clone().all(|domain| settings().is_internal_domain(&domain.to_ascii_lowercase())), "{text}");
        }
    }
}
