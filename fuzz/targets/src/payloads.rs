//! Payloads that models write, read by the inspectors.
//!
//! The bytes are one text in a call. What is true of every text: a harm put behind one that was read as
//! harmless is seen.

use runplane_core::call::{Agent, Asked, Call, Established};
use runplane_core::catalogue::Catalogue;
use runplane_core::environment::Environment;
use runplane_core::inspect::{self, Inspector, Reading, Readings, UNKNOWN};
use runplane_core::json;
use runplane_core::settings::Settings;
use runplane_core::value::Value;
use std::sync::{Arc, LazyLock};

pub(crate) static CATALOGUE: LazyLock<Arc<Catalogue>> = LazyLock::new(Catalogue::builtin);
pub(crate) static SETTINGS: LazyLock<Settings> = LazyLock::new(|| {
    let text = r#"{"internalDomains":["acme.example"],"targets":{"github":{"hosts":["api.github.com"]}}}"#;
    serde_json::from_str(text).unwrap_or_default()
});

/// Whoever calls.
pub(crate) fn agent() -> Agent {
    Agent {
        id: "agt_1".to_owned(),
        name: "fuzz".to_owned(),
        environment: Environment::production(),
        labels: Vec::new(),
        owner: None,
    }
}

/// A call with this context, and what is read of it.
pub(crate) fn call(action: &str, context: &[u8]) -> Option<(Call, Readings)> {
    let context = json::read(context, &json::Limits::default()).ok()?.as_object()?.clone();
    let asked = Asked { action: action.to_owned(), target: "github".to_owned(), context, ..Asked::default() };
    let established =
        Established { workspace: "ws_1".to_owned(), agent: agent(), source: None, asserts_subject: false };
    let mut call = Call::new(asked, established, &CATALOGUE, &SETTINGS).ok()?;
    let readings = inspect::read_all(&mut call, &CATALOGUE, &SETTINGS);
    Some((call, readings))
}

/// The reading of a context whose texts are these.
fn reading(inspector: Inspector, action: &str, members: &[(&str, &str)]) -> Option<Reading> {
    let mut context = serde_json::Map::new();
    for (name, text) in members {
        context.insert((*name).to_owned(), (*text).into());
    }
    let (_, readings) = call(action, serde_json::Value::Object(context).to_string().as_bytes())?;
    Some(readings.get(inspector).clone())
}

fn member(reading: &Reading, name: &str) -> Option<Value> {
    match reading {
        Reading::Object(members) => members.get(name).cloned(),
        Reading::Unknown => Some(Value::from(UNKNOWN)),
        Reading::NotApplicable => None,
    }
}

/// Whether a member is this value, or nobody knows.
fn is_or_unknown(reading: &Reading, name: &str, value: &Value) -> bool {
    member(reading, name).is_some_and(|seen| seen == *value || seen.as_text() == Some(UNKNOWN))
}

/// A statement behind a read is found.
pub fn sql(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let read = |text: &str| reading(Inspector::Sql, "execute_query", &[("sql", text)]);
    let Some(first) = read(text) else { return };
    if member(&first, "reads") == Some(Value::Bool(true)) {
        let behind = read(&format!("{text}\n; DELETE FROM users"));
        let seen = behind.is_some_and(|reading| {
            is_or_unknown(&reading, "deletes", &Value::Bool(true))
                && member(&reading, "reads") != Some(Value::Bool(true))
        });
        assert!(seen, "{text}");
    }
    let filter = serde_json::json!({ "count": 1, "where": text });
    let _ = call("delete_records", filter.to_string().as_bytes());
}

/// A second address is found, and a registered host is the host of the text.
pub fn url(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some(first) = reading(Inspector::Url, "call_api", &[("url", text), ("method", "GET")]) else { return };
    if member(&first, "registered") == Some(Value::Bool(true)) {
        assert!(text.to_ascii_lowercase().contains("api.github.com"), "{text}");
    }
    let two = reading(Inspector::Url, "call_api", &[("url", text), ("uri", "http://127.0.0.1/"), ("method", "GET")]);
    let seen = two.is_some_and(|reading| {
        member(&reading, "private") == Some(Value::Bool(true))
            && member(&reading, "registered") == Some(Value::Bool(false))
    });
    assert!(seen, "{text}");
}

/// A command behind a harmless line is found.
pub fn shell(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let read = |text: &str| reading(Inspector::Shell, "run_command", &[("command", text)]);
    let Some(first) = read(text) else { return };
    if !first.is_unreadable() && first != Reading::NotApplicable {
        let seen = read(&format!("{text}\nrm x"));
        let seen = seen.is_some_and(|reading| is_or_unknown(&reading, "destructive", &Value::Bool(true)));
        assert!(seen, "{text}");
    }
    let list: Vec<&str> = text.split('\n').collect();
    let _ = call("run_command", serde_json::json!({ "command": list }).to_string().as_bytes());
}

/// One more recipient is found.
pub fn recipients(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = reading(Inspector::Recipients, "send_email", &[("to", text)]);
    let more = reading(Inspector::Recipients, "send_email", &[("to", text), ("cc", "eve@evil.test")]);
    let external = more.as_ref().and_then(|reading| member(reading, "external"));
    let seen = external.is_some_and(|seen| seen.as_number() >= Some(1u64.into()) || seen.as_text() == Some(UNKNOWN));
    assert!(seen, "{text}");
    let _ = reading(Inspector::Recipients, "send_email", &[("to", "a@acme.example"), ("x", text), ("subject", text)]);
}

/// A path that climbs in front of another does not stop climbing.
pub fn file(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = reading(Inspector::File, "read_file", &[("path", text)]);
    let climbs = reading(Inspector::File, "read_file", &[("path", &format!("../{text}"))]);
    assert!(climbs.is_some_and(|reading| is_or_unknown(&reading, "traversal", &Value::Bool(true))), "{text}");
    let _ = reading(Inspector::File, "read_file", &[("x", text), (text, "x")]);
}
