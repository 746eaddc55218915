//! `kill -9` while the past is counted for a new limit: the next start goes on where it was, and the count is right.

use crate::binary::{Installation, Server, code, runplane, stdout};
use reqwest::blocking::Client;
use serde_json::{Value, json};
use std::thread;
use std::time::{Duration, Instant};

const CALLS: u64 = 24_000;
const CLIENTS: u64 = 32;
/// How far the past has to be counted before the kill: further than between two times that is kept.
const FAR: u64 = 4_600;

/// Publishes beside whatever else is done. Nobody need hear the answer: the server may be killed before it.
#[allow(clippy::disallowed_methods)] // the thread ends with the request
fn publish(name: &str, yaml: &str, server: &Server<'_>, http: &Client) {
    let request = http.put(format!("{}/api/v1/policies/{name}", server.url)).json(&json!({ "yaml": yaml }));
    let request = request.bearer_auth(server.installation.key("adminToken"));
    thread::spawn(move || request.send());
}

/// How far the past is counted; nothing once it is.
fn filling(server: &Server<'_>, http: &Client) -> Option<u64> {
    let request = http.get(format!("{}/api/v1/limits", server.url)).bearer_auth(server.installation.key("adminToken"));
    let limits: Value = request.send().unwrap().json().unwrap();
    limits.get("filling").map(|filling| filling["read"].as_u64().unwrap())
}

fn ask(server: &Server<'_>, http: &Client) -> Value {
    let body = json!({ "action": { "type": "read_balance", "target": "stripe", "context": {} } });
    let request = http.post(format!("{}/api/v1/guard", server.url)).json(&body);
    let request = request.bearer_auth(server.installation.key("agentKey")).header("runplane-client", "test/1");
    request.send().unwrap().json().unwrap()
}

#[test]
#[allow(clippy::disallowed_methods)] // another process is waited for
fn a_past_half_counted_is_not_begun_again_after_a_kill() {
    let installation = Installation::new();
    let http = Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().unwrap();
    let mut server = installation.serve();
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                for _ in 0..CALLS / CLIENTS {
                    assert_eq!(ask(&server, &http)["decision"], "ALLOW");
                }
            });
        }
    });
    let all = CALLS / CLIENTS * CLIENTS;
    let late = format!(
        "policy: late\nrules: [{{ id: cap, action: read_balance, limit: {{ count: {}, within: 12h, per: [agent], otherwise: BLOCK }} }}]\n",
        all + 3
    );
    publish("late", &late, &server, &http);
    let (begin, mut has_begun) = (Instant::now(), false);
    let read = loop {
        let read = filling(&server, &http);
        if let Some(read) = read.filter(|read| *read >= FAR) {
            break read;
        }
        has_begun |= read.is_some();
        assert!(read.is_some() || !has_begun, "the past was counted before the kill: it is too short for this test");
        assert!(begin.elapsed() < Duration::from_secs(60), "the past is not counted: {read:?}");
        thread::sleep(Duration::from_millis(2));
    };
    server.kill();
    drop(server);

    let server = installation.serve();
    assert_eq!(ask(&server, &http)["decision"], "REQUIRE_APPROVAL", "a limit without a past holds");
    let mut seen = Vec::new();
    while let Some(read) = filling(&server, &http) {
        seen.push(read);
        assert!(begin.elapsed() < Duration::from_secs(120), "the past is not counted: {seen:?}");
        thread::sleep(Duration::from_millis(5));
    }
    let first = seen.iter().find(|read| **read > 0).expect("the past was counted before anybody could look");
    assert!(*first >= 4_096, "it began again: {first} after {read}");
    // What was counted before and after the kill, once each; the call that was held is one of them.
    for expected in ["ALLOW", "ALLOW", "BLOCK"] {
        let answer = ask(&server, &http);
        assert_eq!(answer["decision"], expected, "{answer}");
    }
    assert_eq!(server.stop(), 0);
    let verified = runplane(&["audit", "verify", "--state", "--data", installation.data()]).output().unwrap();
    assert_eq!(code(&verified), 0, "{}", stdout(&verified));
    assert!(stdout(&verified).contains("1 past counted again"), "{}", stdout(&verified));
}
