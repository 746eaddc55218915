//! What is usual for an agent is learned from what succeeded, read at the place in the log, and the same after a
//! restart.

use crate::harness::{Answer, Server};
use serde_json::{Value, json};

const POLICY: &str = "
policy: test
rules:
  - { id: reads, action: [read_balance, process_refund], decision: ALLOW }
  - { id: held, action: process_refund, when: context.amount == 7, decision: REQUIRE_APPROVAL }
  - { id: unusual, action: process_refund, when: risk.score >= 58, decision: BLOCK }
";

async fn refund(server: &Server, amount: u64) -> Answer {
    server.act("process_refund", "stripe", json!({ "amount": amount })).await
}

async fn report(server: &Server, answer: &Answer, status: &str) {
    let path = format!("/api/v1/executions/{}", answer.text("requestId"));
    let reported = server.post_as(&server.installed.agent_key, &path, &json!({ "status": status })).await;
    assert_eq!(reported.status, 200, "{reported:?}");
}

fn profile(answer: &Answer) -> (i64, String) {
    let factors = answer.json["risk"]["factors"].as_array().unwrap();
    let factor = factors.iter().find(|factor| factor["name"] == "profile").unwrap();
    (factor["points"].as_i64().unwrap(), factor["sentence"].as_str().unwrap().to_owned())
}

/// What a call now would read: by the server's own account.
async fn explained(server: &Server, amount: u64) -> Value {
    let agents = server.admin_get("/api/v1/agents").await;
    let agent = agents.json["agents"][0]["id"].clone();
    let call = json!({ "action": { "type": "process_refund", "target": "stripe", "context": { "amount": amount } } });
    let answer = server.admin_post("/api/v1/policies/explain", &json!({ "call": call, "agentId": agent })).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json["decision"]["risk"].clone()
}

#[tokio::test]
async fn what_succeeded_becomes_usual_and_what_is_not_becomes_risk() {
    let server = Server::with_policy(POLICY).await;
    for _ in 0..40 {
        let answer = refund(&server, 20).await;
        assert_eq!((answer.text("decision"), profile(&answer).0), ("ALLOW", 0), "{answer:?}");
        report(&server, &answer, "succeeded").await;
        server.advance(1_200);
    }
    let usual = refund(&server, 30).await;
    assert_eq!(profile(&usual), (0, "it is what the agent usually does".to_owned()));
    // Alone it would be 22 + 12 + 12 + 8 = 54: the rule is about the score with what is usual.
    let large = refund(&server, 600).await;
    assert_eq!(profile(&large).0, 12, "{large:?}");
    assert_eq!((large.text("decision"), large.text("matchedRule")), ("BLOCK", "test/unusual"), "{large:?}");
    let other = server.act("read_balance", "stripe", json!({})).await;
    assert_eq!(profile(&other), (15, "the agent has never done `read_balance` in 40 actions".to_owned()));
    let id = server.installed.agent_id.clone();
    let usual = server.admin_get(&format!("/api/v1/agents/{id}/profile")).await;
    assert_eq!((&usual.json["observations"], &usual.json["needed"]), (&json!(40), &json!(30)), "{usual:?}");
    let refunds = json!({ "type": "process_refund", "observations": 40, "lastHour": 5,
        "usuallyBelowPerHour": 4, "usuallySmallerThan": "50" });
    assert_eq!(usual.json["types"], json!([refunds]), "{usual:?}");
    let (stranger, _) = server.agent("stranger").await;
    let nothing = server.admin_get(&format!("/api/v1/agents/{stranger}/profile")).await;
    assert_eq!((&nothing.json["observations"], &nothing.json["types"]), (&json!(0), &json!([])), "{nothing:?}");
    let before = explained(&server, 600).await;
    assert_eq!(before["score"], large.json["risk"]["score"]);
    let server = server.restart().await;
    assert_eq!(explained(&server, 600).await, before);
    let entries = server.entries();
    let learned = entries.iter().filter(|entry| !entry["body"]["learned"].is_null()).count();
    assert_eq!(learned, 40);
}

#[tokio::test]
async fn nothing_is_learned_from_failures_and_from_what_a_person_let_through() {
    let server = Server::with_policy(POLICY).await;
    for status in ["failed", "unknown"] {
        let answer = refund(&server, 20).await;
        report(&server, &answer, status).await;
    }
    let held = refund(&server, 7).await;
    assert_eq!(held.text("decision"), "REQUIRE_APPROVAL");
    let id = held.text("approvalId").to_owned();
    let approved = server.admin_post(&format!("/api/v1/approvals/{id}/approve"), &json!({})).await;
    assert_eq!(approved.status, 200, "{approved:?}");
    let path = format!("/api/v1/approvals/{id}/redeem");
    let redeemed = server.post_as(&server.installed.agent_key, &path, &json!({ "redemptionId": "r-1" })).await;
    assert_eq!(redeemed.text("decision"), "ALLOW", "{redeemed:?}");
    report(&server, &held, "succeeded").await;
    let entries = server.entries();
    assert!(entries.iter().all(|entry| entry["body"]["learned"].is_null()));
    let read = &entries.iter().rev().find(|entry| entry["kind"] == "redemption").unwrap()["body"]["state"];
    assert_eq!(read["usual"]["agent"], 0, "{read}");
}
