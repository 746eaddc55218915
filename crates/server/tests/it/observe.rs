//! A workspace that observes: everything is decided and recorded, nothing is stopped, and it ends by itself.

use crate::harness::{Answer, Server};
use reqwest::Method;
use serde_json::json;

const POLICY: &str = "
policy: test
rules:
  - { id: small, action: process_refund, decision: ALLOW }
  - { id: held, action: process_refund, when: context.amount > 50, decision: REQUIRE_APPROVAL }
  - { id: big, action: process_refund, when: context.amount > 500, decision: BLOCK }
";
/// A day after the servers of these tests start.
const UNTIL: &str = "2026-11-23T12:00:00Z";
const DAY: u64 = 86_400;

async fn observe(server: &Server, until: &str) -> Answer {
    let patch = json!({ "observe": { "until": until } });
    server.admin(Method::PATCH, "/api/v1/settings", Some(&patch)).await
}

async fn refund(server: &Server, id: &str, amount: u64) -> Answer {
    let action = json!({ "type": "process_refund", "target": "stripe", "context": { "amount": amount } });
    server.guard(&json!({ "action": action, "requestId": id })).await
}

#[tokio::test]
async fn nothing_is_stopped_everything_is_recorded_and_it_ends_by_itself() {
    let server = Server::with_policy(POLICY).await;
    assert!(refund(&server, "a", 900).await.json.get("observed").is_none());
    assert_eq!(observe(&server, UNTIL).await.status, 200);
    let change = server.entries().pop().unwrap();
    assert_eq!((&change["body"]["detail"]["observe"], &change["body"]["by"]), (&json!(UNTIL), &json!("admin")));
    for (id, amount, enforced) in [("b", 900, "BLOCK"), ("c", 100, "REQUIRE_APPROVAL"), ("d", 5, "ALLOW")] {
        let answer = refund(&server, id, amount).await;
        assert_eq!((answer.text("decision"), &answer.json["approvalId"]), ("ALLOW", &json!(null)), "{answer:?}");
        assert_eq!(answer.json["observed"]["decision"], enforced, "{answer:?}");
    }
    let approvals = server.admin_get("/api/v1/approvals").await;
    assert_eq!(approvals.json["approvals"], json!([]), "{approvals:?}");
    let entries = server.entries();
    let recorded = &entries.last().unwrap()["body"]["decision"];
    assert_eq!((&recorded["outcome"], &recorded["observed"]["outcome"]), (&json!("ALLOW"), &json!("ALLOW")));
    let session = server.page(&server.person("viewer").await, Method::GET, "/api/v1/session", None).await;
    assert!(session.text("observingUntil").starts_with("2026-11-23T12:00:00"), "{session:?}");
    server.advance(DAY - 1);
    assert_eq!(refund(&server, "e", 900).await.text("decision"), "ALLOW");
    server.advance(2);
    let ended = refund(&server, "f", 900).await;
    assert_eq!((ended.text("decision"), ended.json.get("observed")), ("BLOCK", None), "{ended:?}");
    // What was let through a moment ago is not let through again by its old answer.
    let again = refund(&server, "e", 900).await;
    assert_eq!((again.text("decision"), again.text("matchedRule")), ("BLOCK", "test/big"), "{again:?}");
}

#[tokio::test]
async fn what_was_only_observed_teaches_nothing() {
    let server = Server::with_policy(POLICY).await;
    assert_eq!(observe(&server, UNTIL).await.status, 200);
    for (id, amount, learned) in [("a", 900, false), ("b", 5, true)] {
        let answer = refund(&server, id, amount).await;
        let path = format!("/api/v1/executions/{}", answer.text("requestId"));
        let report = json!({ "status": "succeeded" });
        assert_eq!(server.post_as(&server.installed.agent_key, &path, &report).await.status, 200);
        assert_eq!(server.entries().pop().unwrap()["body"].get("learned").is_some(), learned, "{id}");
    }
}

#[tokio::test]
async fn containment_invalid_keys_and_unreadable_requests_are_stopped_all_the_same() {
    let server = Server::with_policy(POLICY).await;
    assert_eq!(observe(&server, UNTIL).await.status, 200);
    let unread = server.guard(&json!({ "action": 5 })).await;
    assert_eq!((unread.text("decision"), unread.text("reasonCode")), ("BLOCK", "invalid_request"));
    let stranger = server.post_as("rk_nobody", "/api/v1/guard", &json!({})).await;
    assert_eq!(stranger.status, 401);
    let switch = json!({ "scope": "workspace", "reason": "incident" });
    assert!(server.admin_post("/api/v1/containment", &switch).await.status < 300);
    let contained = refund(&server, "c", 5).await;
    assert_eq!((contained.text("decision"), contained.text("reasonCode")), ("BLOCK", "containment"));
}

#[tokio::test]
async fn observing_needs_an_end_that_is_near() {
    let server = Server::with_policy(POLICY).await;
    for until in ["2026-11-22T11:59:59Z", "2027-03-01T00:00:00Z", "some day"] {
        let refused = observe(&server, until).await;
        assert_eq!((refused.status, refused.text("error")), (422, "invalid_settings"), "{until}: {refused:?}");
    }
    let endless = json!({ "observe": {} });
    assert_eq!(server.admin(Method::PATCH, "/api/v1/settings", Some(&endless)).await.status, 422);
    assert_eq!(observe(&server, UNTIL).await.status, 200);
    let off = json!({ "observe": null });
    assert_eq!(server.admin(Method::PATCH, "/api/v1/settings", Some(&off)).await.status, 200);
    assert_eq!(server.entries().pop().unwrap()["body"]["detail"]["observe"], "off");
    assert_eq!(refund(&server, "a", 900).await.text("decision"), "BLOCK");
}
