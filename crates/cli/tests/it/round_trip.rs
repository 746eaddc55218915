//! Ask, hold, approve or deny, redeem: each command against a real server.

use crate::binary::{Installation, Server, code, json, stderr, stdout};
use serde_json::Value;
use std::process::{Child, Stdio};

const REFUND: [&str; 4] = ["guard", "process_refund", "stripe", r#"{"amount":800,"currency":"usd"}"#];

/// Asks and waits for a person.
fn wait_for_approval(server: &Server<'_>) -> Child {
    let args = [&REFUND[..], &["--wait=60s", "--json"]].concat();
    server.client(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The one action that waits for a person.
fn held(server: &Server<'_>) -> Value {
    loop {
        let listed = json(&server.run(&["approvals", "list", "--json"]));
        if let [approval] = listed["approvals"].as_array().unwrap().as_slice() {
            return approval.clone();
        }
    }
}

#[test]
fn each_decision_has_its_exit_code() {
    let installation = Installation::new();
    let server = installation.serve();
    let allowed = server.run(&["guard", "read_balance", "stripe", "--json"]);
    assert_eq!((code(&allowed), json(&allowed)["decision"].as_str()), (0, Some("ALLOW")), "{}", stderr(&allowed));
    let blocked = server.run(&["guard", "create_charge", "stripe", r#"{"amount":60000,"currency":"usd"}"#]);
    assert_eq!(code(&blocked), 2, "{}", stderr(&blocked));
    assert!(stdout(&blocked).starts_with("BLOCK  "), "{}", stdout(&blocked));
    let held = server.run(&REFUND);
    assert_eq!(code(&held), 4);
    assert!(stdout(&held).contains("approvals approve apr_"), "{}", stdout(&held));
    // What the caller wrote goes to the server as it is: a duplicate member is blocked, not resolved.
    let doubled = server.run(&["guard", "create_charge", "stripe", r#"{"amount":60000,"amount":5}"#, "--json"]);
    assert_eq!((code(&doubled), json(&doubled)["reasonCode"].as_str()), (2, Some("duplicate_key")));
    let mut foreign = server.client(&["guard", "read_balance", "stripe"]);
    foreign.env("RUNPLANE_API_KEY", format!("rpk_{}", "A".repeat(43)));
    let refused = foreign.output().unwrap();
    assert_eq!(code(&refused), 1);
    assert!(stderr(&refused).contains("invalid_key"), "{}", stderr(&refused));
    assert_eq!(server.stop(), 0);
}

#[test]
fn what_a_person_approves_runs_once_and_what_a_person_denies_does_not() {
    let installation = Installation::new();
    let server = installation.serve();
    let waiting = wait_for_approval(&server);
    let approval = held(&server);
    let id = approval["id"].as_str().unwrap();
    let shown = server.run(&["approvals", "show", id]);
    assert!(stdout(&shown).contains("amount = 800"), "{}", stdout(&shown));
    let approved = server.run(&["approvals", "approve", id, "--comment", "fine", "--json"]);
    assert_eq!((code(&approved), json(&approved)["status"].as_str()), (0, Some("approved")));
    let answered = waiting.wait_with_output().unwrap();
    assert_eq!(code(&answered), 0, "{}", stderr(&answered));
    let redeemed = json(&answered);
    assert_eq!(redeemed["decision"], "ALLOW");
    assert!(redeemed["permit"].as_str().is_some_and(|permit| permit.split('.').count() == 3), "{redeemed}");
    let again = server.run(&["approvals", "approve", id]);
    assert_eq!(code(&again), 1);
    assert!(stderr(&again).contains("approval_not_pending"), "{}", stderr(&again));

    let waiting = wait_for_approval(&server);
    let approval = held(&server);
    let denied = server.run(&["approvals", "deny", approval["id"].as_str().unwrap(), "--comment", "not today"]);
    assert_eq!(code(&denied), 0, "{}", stderr(&denied));
    let answered = waiting.wait_with_output().unwrap();
    assert_eq!(code(&answered), 2, "{}", stderr(&answered));
    assert_eq!(json(&answered)["approval"]["comment"], "not today");
}

#[test]
fn waiting_ends_when_it_was_told_to() {
    let installation = Installation::new();
    let server = installation.serve();
    let args = [&REFUND[..], &["--wait=1s", "--json"]].concat();
    let output = server.run(&args);
    assert_eq!(
        (code(&output), json(&output)["approval"]["status"].as_str()),
        (4, Some("pending")),
        "{}",
        stderr(&output)
    );
}
