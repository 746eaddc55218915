//! Containment: from the next index on every matching decision and redemption is BLOCK.

use crate::harness::Server;
use reqwest::Method;
use serde_json::json;

const PATH: &str = "/api/v1/containment";

#[tokio::test]
async fn every_scope_stops_what_it_covers_until_it_is_released() {
    let server = Server::start().await;
    let (_, other_key) = server.agent("other").await;
    let tester = &server.installed.agent_id;
    for (scope, others_too) in [
        (json!({ "scope": "workspace" }), true),
        (json!({ "scope": "agent", "value": tester }), false),
        (json!({ "scope": "actionType", "value": "readBalance" }), true),
        // Neither agent has a known source, so their calls may come from there.
        (json!({ "scope": "source", "value": " Stripe " }), true),
    ] {
        let mut body = scope.clone();
        body["reason"] = json!("incident 7");
        let thrown = server.admin_post(PATH, &body).await;
        assert_eq!(thrown.status, 201, "{scope}: {thrown:?}");
        let answer = server.act("read_balance", "stripe", json!({})).await;
        assert_eq!((answer.text("decision"), answer.text("reasonCode")), ("BLOCK", "containment"), "{scope}");
        assert!(answer.text("reason").contains("incident 7"), "the reason is told: {answer:?}");
        let guard = json!({ "action": { "type": "read_balance", "target": "stripe" } });
        let other = server.post_as(&other_key, "/api/v1/guard", &guard).await;
        assert_eq!(other.text("decision") == "BLOCK", others_too, "{scope}: {other:?}");

        let listed = server.admin_get(PATH).await;
        assert_eq!(listed.json["switches"], json!([thrown.json]));
        let path = format!("{PATH}/{}", thrown.text("id"));
        let released = server.admin(Method::DELETE, &path, None).await;
        assert_eq!((released.status, &released.json), (200, &thrown.json));
        assert_eq!(server.act("read_balance", "stripe", json!({})).await.text("decision"), "ALLOW", "{scope}");
        let again = server.admin(Method::DELETE, &path, None).await;
        assert_eq!((again.status, again.text("error")), (404, "unknown_switch"));
    }
    server.verify_ledger();
}

#[tokio::test]
async fn a_switch_outlives_the_process_and_stops_a_redemption() {
    let server = Server::start().await;
    let held = server.act("process_refund", "stripe", json!({ "amount": 800 })).await;
    let id = held.text("approvalId").to_owned();
    server.admin_post(&format!("/api/v1/approvals/{id}/approve"), &json!({})).await;
    server.admin_post(PATH, &json!({ "scope": "actionType", "value": "process_refund", "reason": "fraud" })).await;
    let server = server.restart().await;
    assert_eq!(server.admin_get(PATH).await.json["switches"][0]["value"], json!("process_refund"));
    let key = server.installed.agent_key.clone();
    let redeem = format!("/api/v1/approvals/{id}/redeem");
    let refused = server.post_as(&key, &redeem, &json!({ "redemptionId": "r" })).await;
    assert_eq!((refused.text("decision"), refused.text("reasonCode")), ("BLOCK", "containment"), "{refused:?}");
    assert_eq!(refused.json["permit"], json!(null));
}

#[tokio::test]
async fn a_switch_that_would_stop_nothing_is_refused() {
    let server = Server::start().await;
    for (body, status) in [
        (json!({ "scope": "workspace", "value": "x", "reason": "r" }), 400),
        (json!({ "scope": "agent", "reason": "r" }), 400),
        (json!({ "scope": "agent", "value": "agt_nobody", "reason": "r" }), 404),
        (json!({ "scope": "actionType", "value": "", "reason": "r" }), 400),
        (json!({ "scope": "source", "value": "a\u{0}b", "reason": "r" }), 400),
        (json!({ "scope": "target", "value": "x", "reason": "r" }), 400),
        (json!({ "scope": "workspace" }), 400),
        (json!({ "scope": "workspace", "reason": "" }), 400),
        (json!({ "scope": "workspace", "reason": "x".repeat(1_025) }), 400),
    ] {
        let refused = server.admin_post(PATH, &body).await;
        assert_eq!(refused.status, status, "{body}: {refused:?}");
    }
    assert_eq!(server.admin_get(PATH).await.json, json!({ "switches": [] }));
}

#[tokio::test]
async fn a_misspelt_action_type_is_refused_with_the_nearest_name() {
    let server = Server::start().await;
    let misspelt = json!({ "scope": "actionType", "value": "process_refnud", "reason": "incident" });
    let refused = server.admin_post(PATH, &misspelt).await;
    assert_eq!((refused.status, refused.text("error")), (400, "invalid_request"), "{refused:?}");
    assert!(refused.text("detail").contains("did you mean `process_refund`"), "{refused:?}");
    let own = json!({ "scope": "actionType", "value": "launch_rocket", "reason": "a name of one's own" });
    assert_eq!(server.admin_post(PATH, &own).await.status, 201);
}

#[tokio::test]
async fn a_pattern_is_no_action_type() {
    let server = Server::start().await;
    for value in ["*", "process_*", "refund?"] {
        let refused =
            server.admin_post(PATH, &json!({ "scope": "actionType", "value": value, "reason": "incident" })).await;
        assert_eq!((refused.status, refused.text("error")), (400, "invalid_request"), "{value}: {refused:?}");
    }
}
