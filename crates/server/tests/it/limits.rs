//! Limits are exact under any concurrency, across restarts, and give back only what never ran.

use crate::harness::Server;
use serde_json::json;
use std::sync::Arc;

pub const POLICY_OF_THREE: &str = "
policy: test
rules:
  - id: reads
    action: read_balance
    limit: { count: 3, within: 1h, per: [agent], otherwise: BLOCK }
    decision: ALLOW
";

const POLICY_OF_A_THOUSAND: &str = "
policy: test
rules:
  - id: reads
    action: read_balance
    limit: { count: 1000, within: 1h, per: [agent], otherwise: BLOCK }
    decision: ALLOW
";

/// `clients` at once, each calling `each` times; says how many calls were allowed and how many blocked.
async fn rush(server: &Arc<Server>, clients: usize, each: usize) -> (usize, usize) {
    let tasks: Vec<_> = (0..clients)
        .map(|_| {
            let server = Arc::clone(server);
            #[allow(clippy::disallowed_methods, reason = "joined below")]
            tokio::spawn(async move {
                let (mut allowed, mut blocked) = (0, 0);
                for _ in 0..each {
                    let answer = server.act("read_balance", "stripe", json!({})).await;
                    match (answer.text("decision"), answer.text("reasonCode")) {
                        ("ALLOW", _) => allowed += 1,
                        ("BLOCK", "limit") => blocked += 1,
                        _ => panic!("{answer:?}"),
                    }
                }
                (allowed, blocked)
            })
        })
        .collect();
    let (mut allowed, mut blocked) = (0, 0);
    for task in tasks {
        let (a, b) = task.await.unwrap();
        allowed += a;
        blocked += b;
    }
    (allowed, blocked)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_256_clients_exactly_a_thousand_calls_pass() {
    let server = Arc::new(Server::with_policy(POLICY_OF_A_THOUSAND).await);
    let before = rush(&server, 256, 3).await;
    assert_eq!(before, (768, 0));
    let server = Arc::new(Arc::into_inner(server).unwrap().restart().await);
    let after = rush(&server, 256, 3).await;
    assert_eq!(before.0 + after.0, 1_000);
    assert_eq!(after.1, 768 - 232);
    server.advance(3_700);
    assert_eq!(rush(&server, 1, 1).await, (1, 0), "the window has passed");
    server.verify_ledger();
}

const HELD_POLICY: &str = "
policy: test
rules:
  - id: holds
    action: process_refund
    limit: { count: 2, within: 1h, per: [agent], otherwise: BLOCK }
    decision: REQUIRE_APPROVAL
";

#[tokio::test]
async fn a_hold_counts_while_it_is_open_and_gives_back_when_denied_or_expired() {
    let server = Server::with_policy(HELD_POLICY).await;
    let ask = async || server.act("process_refund", "stripe", json!({ "amount": 1 })).await;
    let first = ask().await;
    let second = ask().await;
    assert_eq!(second.text("decision"), "REQUIRE_APPROVAL", "{second:?}");
    assert_eq!(ask().await.text("reasonCode"), "limit");
    server.admin_post(&format!("/api/v1/approvals/{}/deny", first.text("approvalId")), &json!({})).await;
    let third = ask().await;
    assert_eq!(third.text("decision"), "REQUIRE_APPROVAL", "{third:?}");
    assert_eq!(ask().await.text("reasonCode"), "limit");
    // A redeemed one has run and counts on.
    server.admin_post(&format!("/api/v1/approvals/{}/approve", second.text("approvalId")), &json!({})).await;
    let path = format!("/api/v1/approvals/{}/redeem", second.text("approvalId"));
    let key = server.installed.agent_key.clone();
    let redeemed = server.post_as(&key, &path, &json!({ "redemptionId": "x" })).await;
    assert_eq!(redeemed.text("decision"), "ALLOW", "its own reservation is not counted: {redeemed:?}");
    assert_eq!(ask().await.text("reasonCode"), "limit");
    let server = server.restart().await;
    let answer = server.act("process_refund", "stripe", json!({ "amount": 1 })).await;
    assert_eq!(answer.text("reasonCode"), "limit", "{answer:?}");
}

#[tokio::test]
async fn a_clock_set_forward_empties_no_window_until_somebody_accepts_it() {
    let server = Server::with_policy(POLICY_OF_THREE).await;
    let ask = async |server: &Server| server.act("read_balance", "stripe", json!({})).await.text("decision").to_owned();
    for expected in ["ALLOW", "ALLOW", "ALLOW", "BLOCK"] {
        assert_eq!(ask(&server).await, expected);
    }
    server.clock.step_wall(2 * 3_600 * 1_000_000);
    assert_eq!(ask(&server).await, "BLOCK", "two hours on the wall, none that passed");
    let server = server.restart().await;
    assert_eq!(ask(&server).await, "BLOCK");
    server.clock.step_wall(-3_600 * 1_000_000);
    assert_eq!(ask(&server).await, "BLOCK", "nor does a step back");
    let accepted = server.admin_post("/api/v1/clock/accept", &json!({})).await;
    assert_eq!((accepted.status, &accepted.json["widenedSeconds"]), (200, &json!(7_200)), "{accepted:?}");
    assert_eq!(ask(&server).await, "ALLOW");
    let again = server.admin_post("/api/v1/clock/accept", &json!({})).await;
    assert_eq!(again.json, json!({ "widenedSeconds": 0 }));
    let steps = server.entries().iter().filter(|entry| entry["kind"] == "clock").count();
    assert_eq!(steps, 3, "two steps and their acceptance are on the ledger");
}
