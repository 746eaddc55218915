//! Publishing policies: what compiles is in force at once, what does not changes nothing.

use crate::harness::Server;
use reqwest::Method;
use serde_json::json;

const OPEN: &str = "
policy: test
description: Balances are free
rules:
  - { id: balances, action: read_balance, decision: ALLOW }
";

const CLOSED: &str = "
policy: closed
description: Nobody reads balances
source: stripe
rules:
  - { id: balances, action: read_balance, decision: BLOCK, reason: closed today }
  - { id: refunds, action: process_refund, decision: BLOCK }
";

async fn balance(server: &Server) -> (String, String) {
    let answer = server.act("read_balance", "stripe", json!({})).await;
    (answer.text("decision").to_owned(), answer.text("matchedRule").to_owned())
}

#[tokio::test]
async fn a_policy_is_in_force_from_its_publish_to_its_withdrawal() {
    let server = Server::with_policy(OPEN).await;
    assert_eq!(balance(&server).await, ("ALLOW".into(), "test/balances".into()));
    let before = server.admin_get("/api/v1/policies").await;

    let put = server.admin(Method::PUT, "/api/v1/policies/closed", Some(&json!({ "yaml": CLOSED }))).await;
    assert_eq!((put.status, put.text("name")), (200, "closed"), "{put:?}");
    assert_ne!(put.json["bundle"], before.json["bundle"]);
    assert_eq!(put.json["epoch"].as_u64(), before.json["epoch"].as_u64().map(|epoch| epoch + 1));
    assert_eq!(balance(&server).await, ("BLOCK".into(), "closed/balances".into()));

    let list = server.admin_get("/api/v1/policies").await;
    let names: Vec<_> = list.json["policies"].as_array().unwrap().iter().map(|policy| &policy["name"]).collect();
    assert_eq!(names, ["closed", "test"]);
    let listed = &list.json["policies"][0];
    assert_eq!(
        (&listed["rules"], &listed["mode"], &listed["source"]),
        (&json!(2), &json!("enforce"), &json!("stripe"))
    );
    let one = server.admin_get("/api/v1/policies/closed").await;
    assert_eq!((one.text("yaml"), one.text("description")), (CLOSED, "Nobody reads balances"));

    let server = server.restart().await;
    assert_eq!(balance(&server).await.0, "BLOCK", "a publish outlives the process");
    let gone = server.admin(Method::DELETE, "/api/v1/policies/closed", None).await;
    assert_eq!((gone.status, &gone.json["bundle"]), (200, &before.json["bundle"]), "equal policies, equal bundle");
    assert_eq!(balance(&server).await.0, "ALLOW");
    let again = server.admin(Method::DELETE, "/api/v1/policies/closed", None).await;
    assert_eq!((again.status, again.text("error")), (404, "unknown_policy"));
}

#[tokio::test]
async fn a_document_may_be_sent_as_yaml_text() {
    let server = Server::with_policy(OPEN).await;
    let request = server
        .client
        .put(server.url("/api/v1/policies/closed"))
        .bearer_auth(&server.installed.admin_token)
        .header("content-type", "application/yaml")
        .body(CLOSED);
    assert_eq!(server.send(request).await.status, 200);
    let not_text = server
        .client
        .put(server.url("/api/v1/policies/closed"))
        .bearer_auth(&server.installed.admin_token)
        .body(vec![0xff, 0xfe]);
    let refused = server.send(not_text).await;
    assert_eq!((refused.status, refused.text("error")), (400, "invalid_request"));
}

#[tokio::test]
async fn a_bad_publish_names_the_place_and_changes_nothing() {
    let server = Server::with_policy(OPEN).await;
    let before = server.admin_get("/api/v1/policies").await;
    let unknown_name = CLOSED.replace("decision: BLOCK }", "when: context.amout > 5, decision: BLOCK }");
    let other_name = OPEN.replace("policy: test", "policy: other");
    for (name, yaml) in [
        ("closed", unknown_name.as_str()),
        ("closed", "policy: closed"),
        ("closed", "not yaml: ["),
        ("closed", ""),
        ("closed", &CLOSED.replace("rules:", "rule:")),
        ("closed", other_name.as_str()),
        // Somebody else's name: two documents would call themselves `test`.
        ("closed", OPEN),
    ] {
        let path = format!("/api/v1/policies/{name}");
        let refused = server.admin(Method::PUT, &path, Some(&json!({ "yaml": yaml }))).await;
        assert_eq!((refused.status, refused.text("error")), (422, "invalid_policy"), "{yaml}: {refused:?}");
        let first = &refused.json["errors"][0];
        assert!(first["line"].is_u64() && first["column"].is_u64() && first["message"].is_string(), "{refused:?}");
        assert_eq!(first["file"], json!("closed.yaml"), "{refused:?}");
    }
    let after = server.admin_get("/api/v1/policies").await;
    assert_eq!(after.json, before.json, "the good bundle is still in force");
    assert_eq!(balance(&server).await.0, "ALLOW");
}

#[tokio::test]
async fn a_check_says_what_a_publish_would_and_changes_nothing() {
    let server = Server::with_policy(OPEN).await;
    let before = server.admin_get("/api/v1/policies").await;
    let good = server.admin_post("/api/v1/policies/check", &json!({ "yaml": CLOSED })).await;
    assert_eq!(good.json, json!({ "valid": true, "errors": [], "warnings": [] }));
    let replacing = server.admin_post("/api/v1/policies/check", &json!({ "yaml": OPEN })).await;
    assert_eq!(replacing.json["valid"], json!(true), "it stands for the published one of its name: {replacing:?}");
    let misspelt = CLOSED.replace("action: process_refund", "action: process_refnd");
    let bad = server.admin_post("/api/v1/policies/check", &json!({ "yaml": misspelt })).await;
    assert_eq!((bad.status, &bad.json["valid"]), (200, &json!(false)), "{bad:?}");
    let help = bad.json["errors"][0]["help"].as_str().unwrap_or_default();
    assert!(help.contains("process_refund"), "the nearest name is shown: {bad:?}");
    assert_eq!(server.admin_get("/api/v1/policies").await.json, before.json);
}

#[tokio::test]
async fn of_many_publishes_at_once_none_is_lost() {
    let server = std::sync::Arc::new(Server::with_policy(OPEN).await);
    let tasks: Vec<_> = (0..8)
        .map(|number| {
            let server = std::sync::Arc::clone(&server);
            #[allow(clippy::disallowed_methods, reason = "joined below")]
            tokio::spawn(async move {
                let yaml = CLOSED.replace("policy: closed", &format!("policy: closed-{number}"));
                let path = format!("/api/v1/policies/closed-{number}");
                server.admin(Method::PUT, &path, Some(&json!({ "yaml": yaml }))).await.status
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 200);
    }
    let list = server.admin_get("/api/v1/policies").await;
    assert_eq!(list.json["policies"].as_array().unwrap().len(), 9);
    server.verify_ledger();
}
