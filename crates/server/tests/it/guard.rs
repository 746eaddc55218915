//! The guard endpoint: decide, hold, approve, redeem, repeat.

use crate::harness::Server;
use serde_json::json;

#[tokio::test]
async fn a_free_read_is_allowed_and_on_the_ledger() {
    let server = Server::start().await;
    let answer = server.act("read_balance", "stripe", json!({})).await;
    assert_eq!((answer.status, answer.text("decision")), (200, "ALLOW"), "{answer:?}");
    assert_eq!(answer.json["approvalId"], json!(null));
    assert!(answer.json["ledger"]["index"].as_u64().unwrap() >= 2);
    assert_eq!(answer.text("matchedRule").split('/').count(), 2);
}

#[tokio::test]
async fn a_held_action_is_approved_redeemed_once_and_reported() {
    let server = Server::start().await;
    let held = server.act("process_refund", "stripe", json!({ "amount": 800, "currency": "usd" })).await;
    assert_eq!(held.text("decision"), "REQUIRE_APPROVAL", "{held:?}");
    let id = held.text("approvalId").to_owned();
    let request = held.text("requestId").to_owned();
    let key = server.installed.agent_key.clone();

    let early = server.post_as(&key, &format!("/api/v1/approvals/{id}/redeem"), &json!({ "redemptionId": "r1" })).await;
    assert_eq!((early.status, early.text("error")), (409, "approval_not_approved"));
    let unreported =
        server.post_as(&key, &format!("/api/v1/executions/{request}"), &json!({ "status": "succeeded" })).await;
    assert_eq!((unreported.status, unreported.text("error")), (409, "not_executable"));

    let approved = server.admin_post(&format!("/api/v1/approvals/{id}/approve"), &json!({ "comment": "fine" })).await;
    assert_eq!((approved.status, approved.text("status")), (200, "approved"), "{approved:?}");
    let twice = server.admin_post(&format!("/api/v1/approvals/{id}/deny"), &json!({})).await;
    assert_eq!((twice.status, twice.text("error")), (409, "approval_not_pending"));

    let path = format!("/api/v1/approvals/{id}/redeem");
    let redeemed = server.post_as(&key, &path, &json!({ "redemptionId": "r1" })).await;
    assert_eq!((redeemed.status, redeemed.text("decision")), (200, "ALLOW"), "{redeemed:?}");
    assert_eq!(redeemed.text("permit").split('.').count(), 3);
    let again = server.post_as(&key, &path, &json!({ "redemptionId": "r1" })).await;
    assert_eq!(again.text("permit"), redeemed.text("permit"));
    let other = server.post_as(&key, &path, &json!({ "redemptionId": "r2" })).await;
    assert_eq!((other.status, other.text("error")), (409, "already_redeemed"));
    server.advance(121);
    let late = server.post_as(&key, &path, &json!({ "redemptionId": "r1" })).await;
    assert_eq!((late.status, late.text("error")), (409, "already_redeemed"));

    let report = format!("/api/v1/executions/{request}");
    let done = server.post_as(&key, &report, &json!({ "status": "succeeded", "detail": "re_1" })).await;
    assert_eq!((done.status, done.text("status")), (200, "succeeded"), "{done:?}");
    let same = server.post_as(&key, &report, &json!({ "status": "succeeded" })).await;
    assert_eq!(same.json["ledger"]["index"], done.json["ledger"]["index"]);
    let conflict = server.post_as(&key, &report, &json!({ "status": "failed" })).await;
    assert_eq!((conflict.status, conflict.text("error")), (409, "outcome_conflict"));
}

#[tokio::test]
async fn the_published_client_redeems_by_polling() {
    let server = Server::start().await;
    let body = json!({ "action": { "type": "process_refund", "target": "stripe", "context": { "amount": 800 } } });
    let key = server.installed.agent_key.clone();
    let request = server.client.post(server.url("/api/v1/guard")).bearer_auth(&key).json(&body);
    let held = server.send(request).await;
    let id = held.text("approvalId").to_owned();
    assert_eq!(server.poll(&id).await.json, json!({ "status": "pending" }));
    server.admin_post(&format!("/api/v1/approvals/{id}/approve"), &json!({})).await;
    assert_eq!(server.poll(&id).await.text("status"), "approved");
    assert_eq!(server.poll(&id).await.text("status"), "approved");
    let seen = server.admin_get(&format!("/api/v1/approvals/{id}")).await;
    assert_eq!(seen.text("state"), "redeemed", "{seen:?}");
    let unknown = server.poll("apr_nobody").await;
    assert_eq!((unknown.status, unknown.json), (200, json!({ "status": "denied", "comment": "unknown approval" })));
}

#[tokio::test]
async fn a_poll_does_not_run_again_what_was_redeemed_with_a_permit() {
    let server = Server::start().await;
    let key = server.installed.agent_key.clone();
    for redemption in ["r1", "poll"] {
        let held = server.act("process_refund", "stripe", json!({ "amount": 800 })).await;
        let id = held.text("approvalId").to_owned();
        server.admin_post(&format!("/api/v1/approvals/{id}/approve"), &json!({})).await;
        let path = format!("/api/v1/approvals/{id}/redeem");
        let redeemed = server.post_as(&key, &path, &json!({ "redemptionId": redemption })).await;
        assert_eq!(redeemed.text("decision"), "ALLOW", "{redeemed:?}");
        let polled = server.poll(&id).await;
        assert_eq!((polled.text("status"), polled.text("comment")), ("denied", "the approval was redeemed before"));
    }
}

#[tokio::test]
async fn an_expired_approval_is_denied_to_the_published_client_and_expired_to_ours() {
    let server = Server::start().await;
    let held = server.act("process_refund", "stripe", json!({ "amount": 800 })).await;
    let id = held.text("approvalId").to_owned();
    server.advance(4_000);
    let polled = server.poll(&id).await;
    assert_eq!((polled.text("status"), polled.text("comment")), ("denied", "approval expired"), "{polled:?}");
    let ours = server.get_as(&server.installed.agent_key.clone(), &format!("/api/v1/approvals/{id}")).await;
    assert_eq!(ours.text("status"), "expired");
}

#[tokio::test]
async fn a_retry_gets_the_same_decision_and_another_action_does_not() {
    let server = Server::start().await;
    let body = |amount: i64| {
        json!({ "requestId": "order-17",
                "action": { "type": "process_refund", "target": "stripe", "context": { "amount": amount } } })
    };
    let first = server.guard(&body(100)).await;
    assert_eq!((first.text("decision"), &first.json["replayed"]), ("ALLOW", &json!(false)), "{first:?}");
    let second = server.guard(&body(100)).await;
    assert_eq!((second.text("decision"), &second.json["replayed"]), ("ALLOW", &json!(true)));
    assert_eq!(second.json["ledger"]["index"], first.json["ledger"]["index"]);
    let conflict = server.guard(&body(101)).await;
    assert_eq!((conflict.text("decision"), conflict.text("reasonCode")), ("BLOCK", "request_id_conflict"));
    let server = server.restart().await;
    let third = server.guard(&body(100)).await;
    assert_eq!(third.json["ledger"]["index"], first.json["ledger"]["index"], "{third:?}");
    server.advance(601);
    let late = server.guard(&body(100)).await;
    assert_eq!((late.text("decision"), late.text("reasonCode")), ("BLOCK", "request_id_reused"));
}

#[tokio::test]
async fn a_reported_request_id_is_used_up() {
    let server = Server::start().await;
    let body = json!({ "requestId": "r", "action": { "type": "read_balance", "target": "stripe" } });
    server.guard(&body).await;
    let key = server.installed.agent_key.clone();
    server.post_as(&key, "/api/v1/executions/r", &json!({ "status": "failed" })).await;
    assert_eq!(server.guard(&body).await.text("reasonCode"), "request_id_reused");
}

#[tokio::test]
async fn the_older_door_takes_three_shapes_and_no_contradiction() {
    let server = Server::start().await;
    let key = server.installed.agent_key.clone();
    let context = json!({ "amount": 800 });
    for body in [
        json!({ "action": { "type": "process_refund", "target": "stripe", "context": context } }),
        json!({ "action": "process_refund", "target": "stripe", "context": context }),
        json!({ "actionType": "process_refund", "target": "stripe", "context": context }),
    ] {
        let answer = server.post_as(&key, "/api/decide", &body).await;
        assert_eq!((answer.status, answer.text("decision")), (200, "REQUIRE_APPROVAL"), "{body}: {answer:?}");
    }
    let both = json!({ "action": "read_balance", "actionType": "process_refund", "target": "stripe" });
    let answer = server.post_as(&key, "/api/decide", &both).await;
    assert_eq!((answer.text("decision"), answer.text("reasonCode")), ("BLOCK", "invalid_request"), "{answer:?}");
}
