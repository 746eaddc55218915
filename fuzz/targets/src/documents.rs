//! Texts that people write: policies, conditions, JSON.

use runplane_core::catalogue::Catalogue;
use runplane_core::decide::{Facts, decide, prepare};
use runplane_core::json::{self, Limits};
use runplane_core::policy::{Bundle, BundleInputs};
use runplane_core::risk::Weights;
use runplane_core::settings::Settings;
use runplane_core::time::Micros;

use crate::payloads::call;

fn publish(text: &str) -> Option<Bundle> {
    let inputs = BundleInputs {
        catalogue: Catalogue::builtin(),
        settings: Settings::default(),
        weights: Weights::default(),
        policies: vec![("fuzz.yaml".to_owned(), text.to_owned())],
    };
    Bundle::publish(&inputs).ok().map(|(bundle, _)| bundle)
}

/// A policy that publishes comes back from its stored form as it was.
pub fn policy(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(bundle) = publish(text) {
        let again = Bundle::from_canonical(bundle.canonical()).map(|again| again.digest());
        assert_eq!(again.ok(), Some(bundle.digest()), "{text}");
    }
}

/// A condition that publishes has the same outcome twice.
pub fn condition(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(quoted) = serde_json::to_string(text) else { return };
    let policy = format!("policy: fuzz\nrules:\n  - id: fuzzed\n    decision: BLOCK\n    when: {quoted}\n");
    let Some(bundle) = publish(&policy) else { return };
    let context =
        r#"{"amount":750.5,"currency":"usd","items":[{"amount":1},{"amount":2}],"reason":"x","a":{"b":null}}"#;
    let Some(one) = call("process_refund", context.as_bytes()) else { return };
    let decided = || {
        let (call, readings) = (one.0.clone(), one.1.clone());
        let prepared = prepare(&bundle, call, readings);
        decide(&bundle, &prepared, &Facts { now: Micros(1_790_000_000_000_000), ..Facts::default() })
    };
    let (first, second) = (decided(), decided());
    assert_eq!((first.outcome, first.matched_rule), (second.outcome, second.matched_rule), "{text}");
}

/// What is read is written and read again as the same, and another reader agrees with it.
pub fn json(data: &[u8]) {
    let Ok(value) = json::read(data, &Limits::default()) else { return };
    let canonical = json::to_canonical(&value);
    let again = json::read(&canonical, &Limits::default());
    assert_eq!(again.as_ref(), Ok(&value), "{}", String::from_utf8_lossy(data));
    assert_eq!(again.map(|again| json::to_canonical(&again)).as_ref(), Ok(&canonical));
    let ours: Option<serde_json::Value> = serde_json::from_slice(&canonical).ok();
    let theirs: Option<serde_json::Value> = serde_json::from_slice(data).ok();
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => assert!(same(&ours, &theirs), "{ours} is not {theirs}"),
        other => assert!(other.0.is_some() && other.1.is_some(), "accepted by one reader only: {other:?}"),
    }
}

/// Equal, with numbers compared as doubles: `1.0` and `1` are one number here. The other reader's doubles may be
/// the next ones beside the nearest.
fn same(one: &serde_json::Value, other: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Number, Object};
    match (one, other) {
        (Number(one), Number(other)) => match (one.as_f64(), other.as_f64()) {
            (Some(one), Some(other)) => one == other || one.next_up() == other || one.next_down() == other,
            _ => false,
        },
        (Array(one), Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Object(one), Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| other.get(name).is_some_and(|other| same(value, other)))
        }
        _ => one == other,
    }
}
