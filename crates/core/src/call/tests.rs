use super::*;
use crate::json::Limits;
use crate::value::Value;
use proptest::prelude::*;

fn settings() -> Settings {
    serde_json::from_str(r#"{"targets":{"finance-system":{"environment":"prod","sensitivity":"high","hosts":["a.example"],"audience":"internal"}}}"#).unwrap()
}

fn established() -> Established {
    let agent = Agent {
        id: "agt_1".into(),
        name: "billing".into(),
        environment: Environment::new("staging").unwrap(),
        labels: vec!["refund-desk".into(), "é".into()],
        owner: Some("usr_1".into()),
    };
    Established { workspace: "ws_1".into(), agent, source: Some("stripe".into()), asserts_subject: false }
}

fn asked(context: &str) -> Asked {
    let context = json::read(context.as_bytes(), &Limits::default()).unwrap();
    Asked {
        action: "processRefund".into(),
        target: " Finance-System ".into(),
        context: context.as_object().unwrap().clone(),
        session: Some("s1".into()),
        ..Asked::default()
    }
}

fn call(context: &str) -> Call {
    Call::new(asked(context), established(), &Catalogue::builtin(), &settings()).unwrap()
}

#[test]
fn canonical_bytes_are_fixed() {
    let call = call(r#"{"b":1.50,"a":["é"]}"#);
    let expected = concat!(
        r#"{"agent":"agt_1","context":{"a":["é"],"b":1.5},"declaredType":"processRefund","environment":"production","#,
        r#""source":"stripe","subject":null,"target":"finance-system","tool":null,"type":"process_refund","v":1,"workspace":"ws_1"}"#
    );
    assert_eq!(String::from_utf8(call.canonical()).unwrap(), expected);
    assert_eq!(call.digest(), sha256(&[b"runplane-action-v1\n", expected.as_bytes()]));
    let read = json::read(&call.canonical(), &Limits::default()).unwrap();
    assert_eq!(json::to_canonical(&read), call.canonical());
}

#[test]
fn anything_the_caller_can_choose_changes_the_digest() {
    let base = call("{}").digest();
    let make = |change: &dyn Fn(&mut Asked, &mut Established)| {
        let (mut asked, mut established) = (asked("{}"), established());
        change(&mut asked, &mut established);
        Call::new(asked, established, &Catalogue::builtin(), &settings()).unwrap().digest()
    };
    assert_eq!(make(&|_, _| {}), base);
    assert_ne!(make(&|asked, _| asked.action = "process_refund".into()), base);
    assert_ne!(make(&|asked, _| asked.target = "stripe".into()), base);
    assert_ne!(make(&|asked, _| asked.tool = Some("x".into())), base);
    assert_ne!(make(&|asked, _| asked.subject = Some("x".into())), base);
    assert_ne!(make(&|asked, _| drop(asked.context.insert("a", Value::Null))), base);
    assert_ne!(make(&|_, established| established.source = None), base);
    assert_ne!(make(&|_, established| established.workspace = "ws_2".into()), base);
    assert_ne!(make(&|_, established| established.agent.id = "agt_2".into()), base);
    // A null and an absent subject cannot be confused with text.
    assert_ne!(make(&|asked, _| asked.subject = Some("null".into())), base);
}

#[test]
fn a_payload_brings_back_the_call() {
    let call = call(r#"{"amount":12000,"environment":"dev","deep":{"x":[1,null,true]}}"#);
    let payload = call.to_payload();
    let value = json::read(&payload, &Limits::default()).unwrap();
    assert_eq!(json::to_canonical(&value), payload, "a payload is canonical");
    let stored = Call::from_payload(&payload).unwrap();
    assert_eq!(stored.digest, call.digest());
    assert_eq!(stored.clone().as_recorded(&Catalogue::builtin()).unwrap(), call);
    assert_eq!(stored.today(established(), &Catalogue::builtin(), &settings()).unwrap(), call);
}

#[test]
fn today_means_the_registration_of_today() {
    let call = call("{}");
    let stored = Call::from_payload(&call.to_payload()).unwrap();
    let moved = stored.clone().today(established(), &Catalogue::builtin(), &Settings::default()).unwrap();
    assert_eq!(moved.environment.as_str(), "staging");
    assert_ne!(moved.digest(), call.digest());
    assert_eq!(stored.as_recorded(&Catalogue::builtin()).unwrap().environment.as_str(), "production");
}

#[test]
fn another_catalogue_is_noticed() {
    let asked = Asked { action: "refund".into(), ..asked("{}") };
    let call = Call::new(asked, established(), &Catalogue::builtin(), &settings()).unwrap();
    let stored = Call::from_payload(&call.to_payload()).unwrap();
    assert_eq!(stored.as_recorded(&Catalogue::default()), Err(PayloadError::Different));
}

#[test]
fn damaged_payloads_are_refused() {
    let payload = String::from_utf8(call("{}").to_payload()).unwrap();
    let damaged = |from: &str, to: &str| {
        assert!(payload.contains(from), "{from}");
        Call::from_payload(payload.replace(from, to).as_bytes()).unwrap_err()
    };
    assert_eq!(damaged("\"v\":1", "\"v\":2"), PayloadError::Version("2".into()));
    assert_eq!(damaged("\"context\":{}", "\"context\":[]"), PayloadError::Member("context"));
    assert_eq!(damaged("\"tool\":null,", ""), PayloadError::Member("tool"));
    assert_eq!(damaged("\"sensitivity\":\"high\"", "\"sensitivity\":\"huge\""), PayloadError::Member("registration"));
    assert!(matches!(damaged("}", ""), PayloadError::Json(_)));
    let edited = payload.replace("\"environment\":\"production\",\"source\"", "\"environment\":\"staging\",\"source\"");
    let stored = Call::from_payload(edited.as_bytes()).unwrap();
    assert_eq!(stored.as_recorded(&Catalogue::builtin()), Err(PayloadError::Different));
}

#[test]
fn unusable_names_say_which() {
    let refused = |change: &dyn Fn(&mut Asked)| {
        let mut asked = asked("{}");
        change(&mut asked);
        Call::new(asked, established(), &Catalogue::builtin(), &settings()).unwrap_err().to_string()
    };
    assert_eq!(refused(&|asked| asked.target = " ".into()), "`target` must not be empty");
    assert_eq!(refused(&|asked| asked.action = String::new()), "`action.type` must not be empty");
    assert!(refused(&|asked| asked.subject = Some("a\0".into())).starts_with("`subject` contains"));
    assert!(refused(&|asked| asked.session = Some("a".repeat(300))).starts_with("`session` is longer"));
}

proptest! {
    #[test]
    fn every_context_survives_the_payload(keys in prop::collection::vec(("\\PC{0,6}", any::<i32>(), any::<String>()), 0..6)) {
        let mut asked = asked("{}");
        for (key, number, text) in keys {
            asked.context.insert(format!("n{key}"), Value::from(i64::from(number)));
            asked.context.insert(key, Value::from(text));
        }
        let call = Call::new(asked, established(), &Catalogue::builtin(), &settings()).unwrap();
        let again = Call::from_payload(&call.to_payload()).unwrap().as_recorded(&Catalogue::builtin()).unwrap();
        prop_assert_eq!(call.payload_and_digest(), (call.to_payload(), call.digest()));
        prop_assert_eq!(again, call);
    }
}
