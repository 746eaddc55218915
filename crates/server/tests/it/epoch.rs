//! Changes of control under load: from the change's index on, no decision follows the old state.

use crate::harness::{Answer, Server};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const CLIENTS: usize = 16;

/// Calls from many clients while `change` is made; returns every answer, and the ledger size right before the change
/// was asked for and right after it was acknowledged.
async fn during<F: AsyncFnOnce(&Server)>(server: &Arc<Server>, change: F) -> (Vec<Answer>, u64) {
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (server, stop) = (Arc::clone(server), Arc::clone(&stop));
            #[allow(clippy::disallowed_methods, reason = "joined below")]
            tokio::spawn(async move {
                let mut seen = Vec::new();
                // Everybody makes some calls that were surely sent after the change.
                let mut after = 0;
                while after < 3 {
                    after += usize::from(stop.load(Ordering::SeqCst));
                    seen.push(server.act("read_balance", "stripe", json!({})).await);
                }
                seen
            })
        })
        .collect();
    while server.act("read_balance", "stripe", json!({})).await.json["ledger"]["index"].as_u64().unwrap_or(0) < 60 {}
    change(server).await;
    let index = index_of_last_change(server);
    stop.store(true, Ordering::SeqCst);
    let mut answers = Vec::new();
    for client in clients {
        answers.extend(client.await.unwrap());
    }
    (answers, index)
}

/// The index of the last `control` entry.
fn index_of_last_change(server: &Server) -> u64 {
    server
        .entries()
        .iter()
        .filter(|entry| entry["kind"] == "control")
        .filter_map(|entry| entry["index"].as_u64())
        .max()
        .unwrap()
}

/// Every decision before `index` is `before`, every one after it is `after`; there are some of each.
fn assert_split(answers: &[Answer], index: u64, before: &str, after: &str) {
    let (mut early, mut late) = (0, 0);
    for answer in answers.iter().filter(|answer| answer.status == 200) {
        let at = answer.json["ledger"]["index"].as_u64().unwrap();
        assert_eq!(answer.text("decision"), if at < index { before } else { after }, "at {at}, change at {index}");
        if at < index { early += 1 } else { late += 1 }
    }
    assert!(early > 0 && late >= CLIENTS, "{early} before, {late} after");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn containment_holds_from_its_index_on() {
    let server = Arc::new(Server::start().await);
    let (answers, index) = during(&server, async |server: &Server| {
        let body = json!({ "scope": "workspace", "reason": "incident" });
        assert_eq!(server.admin_post("/api/v1/containment", &body).await.status, 201);
    })
    .await;
    assert_split(&answers, index, "ALLOW", "BLOCK");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_bundle_decides_from_its_index_on() {
    let server = Arc::new(Server::start().await);
    let (answers, index) = during(&server, async |server: &Server| {
        let yaml = "policy: stop\nrules:\n  - { id: all, action: read_balance, decision: BLOCK }\n";
        let request = server.client.put(server.url("/api/v1/policies/stop")).bearer_auth(&server.installed.admin_token);
        let put = server.send(request.header("content-type", "application/yaml").body(yaml)).await;
        assert_eq!(put.status, 200, "{put:?}");
    })
    .await;
    assert_split(&answers, index, "ALLOW", "BLOCK");
    let bundles: std::collections::HashSet<&str> = answers.iter().map(|answer| answer.text("bundle")).collect();
    assert_eq!(bundles.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changed_settings_decide_from_their_index_on() {
    let server = Arc::new(Server::with_policy("policy: test\nrules: []\n").await);
    patch(&server, json!({ "defaultDecision": "ALLOW" })).await;
    let (answers, index) =
        during(&server, async |server: &Server| patch(server, json!({ "defaultDecision": "BLOCK" })).await).await;
    assert_split(&answers, index, "ALLOW", "BLOCK");
}

async fn patch(server: &Server, settings: Value) {
    let request = server.client.patch(server.url("/api/v1/settings")).bearer_auth(&server.installed.admin_token);
    assert_eq!(server.send(request.json(&settings)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_decides_nothing_from_its_index_on() {
    let server = Arc::new(Server::start().await);
    let (answers, index) = during(&server, async |server: &Server| {
        let keys = server.admin_get(&format!("/api/v1/agents/{}/keys", server.installed.agent_id)).await;
        let key = keys.json["keys"][0]["id"].as_str().unwrap_or_else(|| panic!("{keys:?}")).to_owned();
        let revoked = server.admin_post(&format!("/api/v1/keys/{key}/revoke"), &json!({})).await;
        assert_eq!(revoked.status, 200, "{revoked:?}");
    })
    .await;
    let decided = answers.iter().filter(|answer| answer.status == 200);
    assert!(decided.clone().all(|answer| answer.json["ledger"]["index"].as_u64().unwrap() < index));
    assert!(decided.count() > 0);
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status != 200).collect();
    assert!(refused.len() >= CLIENTS);
    assert!(refused.iter().all(|answer| answer.text("error") == "invalid_key"));
    let none_later = |entry: &Value| entry["kind"] != "decision" || entry["index"].as_u64().unwrap() < index;
    assert!(server.entries().iter().all(none_later));
}

#[tokio::test]
async fn containment_and_suspension_override_a_stored_allow_and_an_approval() {
    let server = Server::start().await;
    let retry = json!({ "requestId": "once", "action": { "type": "read_balance", "target": "stripe" } });
    assert_eq!(server.guard(&retry).await.text("decision"), "ALLOW");
    let held = server.act("process_refund", "stripe", json!({ "amount": 800 })).await;
    let id = held.text("approvalId").to_owned();
    server.admin_post(&format!("/api/v1/approvals/{id}/approve"), &json!({})).await;
    let agent = format!("/api/v1/agents/{}", server.installed.agent_id);
    let request = server.client.patch(server.url(&agent)).bearer_auth(&server.installed.admin_token);
    assert_eq!(server.send(request.json(&json!({ "status": "suspended" }))).await.status, 200);
    let again = server.guard(&retry).await;
    assert_eq!((again.text("decision"), again.text("reasonCode")), ("BLOCK", "containment"), "{again:?}");
    let key = server.installed.agent_key.clone();
    let path = format!("/api/v1/approvals/{id}/redeem");
    let refused = server.post_as(&key, &path, &json!({ "redemptionId": "r" })).await;
    assert_eq!((refused.status, refused.text("decision")), (200, "BLOCK"), "{refused:?}");
    let polled = server.poll(&id).await;
    assert_eq!(polled.text("status"), "denied", "{polled:?}");
}

#[tokio::test]
async fn a_stricter_policy_of_today_refuses_an_old_approval_finally() {
    let server = Server::start().await;
    let held = server.act("process_refund", "stripe", json!({ "amount": 800 })).await;
    let id = held.text("approvalId").to_owned();
    server.admin_post(&format!("/api/v1/approvals/{id}/approve"), &json!({})).await;
    let yaml = "policy: freeze\nrules:\n  - { id: no-refunds, action: process_refund, decision: BLOCK }\n";
    let put = server.client.put(server.url("/api/v1/policies/freeze")).bearer_auth(&server.installed.admin_token);
    assert_eq!(server.send(put.json(&json!({ "yaml": yaml }))).await.status, 200);
    let key = server.installed.agent_key.clone();
    let path = format!("/api/v1/approvals/{id}/redeem");
    let refused = server.post_as(&key, &path, &json!({ "redemptionId": "r" })).await;
    assert_eq!((refused.text("decision"), refused.text("matchedRule")), ("BLOCK", "freeze/no-refunds"), "{refused:?}");
    let request =
        server.client.delete(server.url("/api/v1/policies/freeze")).bearer_auth(&server.installed.admin_token);
    assert_eq!(server.send(request).await.status, 200);
    let later = server.post_as(&key, &path, &json!({ "redemptionId": "r2" })).await;
    assert_eq!((later.status, later.text("error")), (409, "already_redeemed"), "a refusal is final: {later:?}");
}
