//! Settings: merge patches that take effect at their place in the ledger, or not at all.

use crate::harness::Server;
use reqwest::Method;
use serde_json::json;

const PATH: &str = "/api/v1/settings";

#[tokio::test]
async fn the_default_decision_holds_from_the_patch_on() {
    let server = Server::with_policy("policy: test\nrules: []\n").await;
    let before = server.admin_get(PATH).await;
    assert_eq!(before.text("defaultDecision"), "BLOCK", "{before:?}");
    let blocked = server.act("read_balance", "stripe", json!({})).await;
    assert_eq!((blocked.text("decision"), blocked.text("reasonCode")), ("BLOCK", "default"));
    let patched = server.admin(Method::PATCH, PATH, Some(&json!({ "defaultDecision": "ALLOW" }))).await;
    assert_eq!((patched.status, patched.text("defaultDecision")), (200, "ALLOW"), "{patched:?}");
    assert_eq!(patched.json["limits"], before.json["limits"], "what is not named stays");
    let allowed = server.act("read_balance", "stripe", json!({})).await;
    assert_eq!(allowed.text("decision"), "ALLOW");
    assert_ne!(allowed.text("bundle"), blocked.text("bundle"), "settings are part of the bundle");
    let server = server.restart().await;
    assert_eq!(server.admin_get(PATH).await.json, patched.json);
    let reset = server.admin(Method::PATCH, PATH, Some(&json!({ "defaultDecision": null }))).await;
    assert_eq!(reset.json, before.json, "null goes back to the default");
}

#[tokio::test]
async fn a_registered_target_decides_its_environment() {
    let server = Server::start().await;
    let register = json!({ "targets": { "Finance-System": { "sensitivity": "high", "environment": "production" } } });
    let patched = server.admin(Method::PATCH, PATH, Some(&register)).await;
    assert!(patched.json["targets"]["finance-system"].is_object(), "kept under its normal name: {patched:?}");
    let context = json!({ "amount": 12_000, "currency": "usd" });
    let answer = server.act("transfer_funds", "finance-system", context).await;
    assert_eq!((answer.text("decision"), &answer.json["riskScore"]), ("REQUIRE_APPROVAL", &json!(58)), "{answer:?}");
}

#[tokio::test]
async fn settings_that_cannot_hold_change_nothing() {
    let server = Server::start().await;
    let before = server.admin_get(PATH).await;
    let size = server.verify_ledger();
    for (patch, named) in [
        (json!({ "limit": {} }), "limit"),
        (json!({ "limits": { "maxDepth": 1 } }), "maxDepth"),
        (json!({ "limits": { "legacyApprovalSeconds": 400 } }), "legacyApprovalSeconds"),
        (json!({ "internalDomains": ["com"] }), "internalDomains"),
        (json!({ "defaultDecision": "allow" }), "allow"),
        (json!({ "targets": { "a": { "hosts": ["http://x"] } } }), "http://x"),
        (json!({ "targets": { "a": {}, "A": {} } }), "targets."),
        (json!([]), "object"),
        (json!("x"), "object"),
    ] {
        let refused = server.admin(Method::PATCH, PATH, Some(&patch)).await;
        assert_eq!((refused.status, refused.text("error")), (422, "invalid_settings"), "{patch}: {refused:?}");
        assert!(refused.text("detail").contains(named), "{patch}: {refused:?}");
    }
    assert_eq!(server.admin_get(PATH).await.json, before.json);
    assert_eq!(server.verify_ledger(), size, "a refused change is no entry");
}

#[tokio::test]
async fn a_change_of_settings_is_an_entry_without_their_content() {
    let server = Server::start().await;
    server.admin(Method::PATCH, PATH, Some(&json!({ "internalDomains": ["secret-project.example"] }))).await;
    let size = server.verify_ledger();
    let last = server.admin_get(&format!("/api/v1/ledger/entries?from={}", size - 1)).await;
    let entry = &last.json["entries"][0]["entry"];
    assert_eq!((&entry["kind"], &entry["body"]["change"]), (&json!("control"), &json!("settings_changed")), "{last:?}");
    assert!(!entry.to_string().contains("secret-project"));
}
