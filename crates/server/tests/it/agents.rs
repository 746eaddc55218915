//! Agents and keys: shown once, kept as a fingerprint, dead when they say so.

use crate::harness::Server;
use reqwest::Method;
use runplane_server::clock::rfc3339;
use serde_json::json;

/// What guarding a free read with this key is answered.
async fn try_key(server: &Server, key: &str) -> (u16, String) {
    let body = json!({ "action": { "type": "read_balance", "target": "stripe" } });
    let answer = server.post_as(key, "/api/v1/guard", &body).await;
    let word = if answer.status == 200 { "decision" } else { "error" };
    (answer.status, answer.text(word).to_owned())
}

fn allowed() -> (u16, String) {
    (200, "ALLOW".to_owned())
}

fn refused() -> (u16, String) {
    (401, "invalid_key".to_owned())
}

#[tokio::test]
async fn an_agent_is_registered_with_a_key_that_is_shown_once() {
    let server = Server::start().await;
    let new = json!({ "name": "refunds", "environment": "prod", "labels": ["refund-desk", "refund-desk"],
                      "owner": "ada@acme.example", "source": "Stripe", "assertsSubject": true });
    let made = server.admin_post("/api/v1/agents", &new).await;
    assert_eq!(made.status, 201, "{made:?}");
    let (id, key) = (made.text("id").to_owned(), made.json["key"]["key"].as_str().unwrap().to_owned());
    assert!(id.starts_with("agt_") && key.starts_with("rpk_") && key.len() == 47, "{made:?}");
    assert_eq!(try_key(&server, &key).await, allowed());

    let seen = server.admin_get(&format!("/api/v1/agents/{id}")).await;
    assert_eq!(seen.json["environment"], json!("production"), "one word for every spelling");
    assert_eq!((&seen.json["labels"], seen.text("source")), (&json!(["refund-desk"]), "stripe"));
    let listed = server.admin_get("/api/v1/agents").await;
    let keys = server.admin_get(&format!("/api/v1/agents/{id}/keys")).await;
    assert_eq!(keys.json["keys"][0]["status"], json!("active"));
    for answer in [&seen, &listed, &keys] {
        assert!(!answer.json.to_string().contains(&key), "a secret is shown once");
    }
    if let Some(database) = server.database() {
        for table in ["documents", "entries", "payloads"] {
            let sql = format!("SELECT count(*) FROM runplane.{table} WHERE position('{key}'::bytea in bytes) > 0");
            assert_eq!(database.execute(&sql).as_deref(), Some("0"), "`{table}` holds a secret");
        }
    }
    for entry in std::fs::read_dir(&server.app.options.place.data).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let found = bytes.windows(key.len()).any(|window| window == key.as_bytes());
        assert!(!found, "`{}` holds a secret", path.display());
    }
    let server = server.restart().await;
    assert_eq!(try_key(&server, &key).await, allowed());
}

#[tokio::test]
async fn names_are_unique_bounded_and_printable() {
    let server = Server::start().await;
    let (first, _) = server.agent("Refunds").await;
    let (second, _) = server.agent("other").await;
    for taken in ["Refunds", "refunds", " REFUNDS ", "ｒefunds"] {
        let again = server.admin_post("/api/v1/agents", &json!({ "name": taken, "environment": "test" })).await;
        assert_eq!((again.status, again.text("error")), (409, "already_exists"), "{taken}");
        let path = format!("/api/v1/agents/{second}");
        let renamed = server.admin(Method::PATCH, &path, Some(&json!({ "name": taken }))).await;
        assert_eq!(renamed.status, 409, "{taken}");
    }
    let path = format!("/api/v1/agents/{first}");
    let own = server.admin(Method::PATCH, &path, Some(&json!({ "name": "REFUNDS" }))).await;
    assert_eq!((own.status, own.text("name")), (200, "REFUNDS"), "its own name in another case is not taken");
    let long = "x".repeat(129);
    for bad in [
        json!({ "environment": "test" }),
        json!({ "name": "a" }),
        json!({ "name": "", "environment": "test" }),
        json!({ "name": "a\u{202e}b", "environment": "test" }),
        json!({ "name": long, "environment": "test" }),
        json!({ "name": "a", "environment": "" }),
        json!({ "name": "a", "environment": "te\u{0}st" }),
        json!({ "name": "a", "environment": "test", "owner": "\n" }),
        json!({ "name": "a", "environment": "test", "labels": [""] }),
        json!({ "name": "a", "environment": "test", "label": [] }),
        json!({ "name": 7, "environment": "test" }),
        json!([]),
    ] {
        let answer = server.admin_post("/api/v1/agents", &bad).await;
        assert_eq!((answer.status, answer.text("error")), (400, "invalid_request"), "{bad}");
    }
}

#[tokio::test]
async fn a_suspended_agent_is_blocked_until_it_is_active_again() {
    let server = Server::start().await;
    let (id, key) = server.agent("worker").await;
    let path = format!("/api/v1/agents/{id}");
    let suspended = server.admin(Method::PATCH, &path, Some(&json!({ "status": "suspended" }))).await;
    assert_eq!((suspended.status, suspended.text("status")), (200, "suspended"), "{suspended:?}");
    let body = json!({ "action": { "type": "read_balance", "target": "stripe" } });
    let answer = server.post_as(&key, "/api/v1/guard", &body).await;
    assert_eq!((answer.text("decision"), answer.text("reasonCode")), ("BLOCK", "containment"), "{answer:?}");
    let server = server.restart().await;
    assert_eq!(try_key(&server, &key).await, (200, "BLOCK".to_owned()), "also after a restart");
    server.admin(Method::PATCH, &path, Some(&json!({ "status": "active" }))).await;
    assert_eq!(try_key(&server, &key).await, allowed());
    let unknown = server.admin(Method::PATCH, "/api/v1/agents/agt_nobody", Some(&json!({}))).await;
    assert_eq!((unknown.status, unknown.text("error")), (404, "unknown_agent"));
}

#[tokio::test]
async fn what_a_patch_does_not_name_stays_and_null_takes_away() {
    let server = Server::start().await;
    let new = json!({ "name": "a", "environment": "staging", "owner": "ada", "source": "aws", "labels": ["x"] });
    let made = server.admin_post("/api/v1/agents", &new).await;
    let path = format!("/api/v1/agents/{}", made.text("id"));
    let patched = server.admin(Method::PATCH, &path, Some(&json!({ "owner": null, "labels": [] }))).await;
    assert_eq!(patched.json["owner"], json!(null));
    assert_eq!((patched.text("source"), patched.text("environment")), ("aws", "staging"), "{patched:?}");
    assert_eq!(patched.json["labels"], json!([]));
    let unknown = server.admin(Method::PATCH, &path, Some(&json!({ "id": "agt_other" }))).await;
    assert_eq!(unknown.status, 400, "what cannot be changed is refused: {unknown:?}");
}

#[tokio::test]
async fn a_rotated_key_works_through_its_grace_and_not_longer() {
    let server = Server::start().await;
    let (id, old) = server.agent("worker").await;
    let keys = server.admin_get(&format!("/api/v1/agents/{id}/keys")).await;
    let key_id = keys.json["keys"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/keys/{key_id}/rotate");
    let rotated = server.admin_post(&path, &json!({ "graceSeconds": 60 })).await;
    assert_eq!(rotated.status, 201, "{rotated:?}");
    let new = rotated.text("key").to_owned();
    assert_eq!((try_key(&server, &old).await, try_key(&server, &new).await), (allowed(), allowed()));
    server.advance(59);
    assert_eq!(try_key(&server, &old).await, allowed());
    server.advance(1);
    assert_eq!((try_key(&server, &old).await, try_key(&server, &new).await), (refused(), allowed()));
    let dead = server.admin_post(&path, &json!({})).await;
    assert_eq!((dead.status, dead.text("error")), (409, "key_not_active"));

    let at_once = server.admin_post(&format!("/api/v1/keys/{}/rotate", rotated.text("id")), &json!({})).await;
    assert_eq!(try_key(&server, &new).await, refused(), "without a grace it ends at once");
    assert_eq!(try_key(&server, at_once.text("key")).await, allowed());
    let long = server.admin_post(&path, &json!({ "graceSeconds": 604_801 })).await;
    assert_eq!(long.status, 400);
}

#[tokio::test]
async fn a_key_ends_when_it_is_revoked_or_expires_and_never_comes_back() {
    let server = Server::start().await;
    let (id, _) = server.agent("worker").await;
    let path = format!("/api/v1/agents/{id}/keys");
    let end = rfc3339(server.app.clock.now().after(runplane_core::time::Span::seconds(90)));
    let made = server.admin_post(&path, &json!({ "expiresAt": end })).await;
    assert_eq!((made.status, made.text("expiresAt")), (201, end.as_str()), "{made:?}");
    let (key_id, key) = (made.text("id").to_owned(), made.text("key").to_owned());
    assert_eq!(try_key(&server, &key).await, allowed());
    server.advance(90);
    assert_eq!(try_key(&server, &key).await, refused());
    let one = format!("/api/v1/keys/{key_id}");
    let revived = server.admin(Method::PATCH, &one, Some(&json!({ "expiresAt": null }))).await;
    assert_eq!((revived.status, revived.text("error")), (409, "key_not_active"));

    let second = server.admin_post(&path, &json!({})).await;
    let revoke = format!("/api/v1/keys/{}/revoke", second.text("id"));
    let revoked = server.admin(Method::POST, &revoke, None).await;
    assert_eq!((revoked.status, revoked.text("status")), (200, "revoked"), "{revoked:?}");
    assert_eq!(try_key(&server, second.text("key")).await, refused());
    let size = server.verify_ledger();
    let again = server.admin(Method::POST, &revoke, None).await;
    assert_eq!(again.json, revoked.json, "the same again is the same answer");
    assert_eq!(server.verify_ledger(), size, "and no second entry");
    let past = server.admin_post(&path, &json!({ "expiresAt": "2020-01-01T00:00:00Z" })).await;
    assert_eq!((past.status, past.text("error")), (400, "invalid_request"));
    let missing = server.admin(Method::PATCH, &one, Some(&json!({}))).await;
    assert_eq!(missing.status, 400);
    let server = server.restart().await;
    assert_eq!(try_key(&server, second.text("key")).await, refused(), "also after a restart");
}

#[tokio::test]
async fn a_subject_counts_only_where_the_agent_is_registered_to_assert_it() {
    let yaml =
        "policy: test\nrules:\n- { id: anas, action: process_refund, when: 'subject == \"ana\"', decision: ALLOW }\n";
    let server = Server::with_policy(yaml).await;
    let (id, key) = server.agent("refunds").await;
    let body = json!({ "action": { "type": "process_refund", "target": "stripe", "context": { "amount": 1 } }, "subject": "ana" });
    let ask = async || server.post_as(&key, "/api/v1/guard", &body).await.text("decision").to_owned();
    assert_eq!(ask().await, "BLOCK", "a claim allows nothing");
    let path = format!("/api/v1/agents/{id}");
    server.admin(Method::PATCH, &path, Some(&json!({ "assertsSubject": true }))).await;
    assert_eq!(ask().await, "ALLOW");
    let explain = json!({ "call": body, "agentId": id });
    let explained = server.admin_post("/api/v1/policies/explain", &explain).await;
    assert_eq!(explained.json["decision"]["outcome"], json!("ALLOW"), "{explained:?}");
    server.admin(Method::PATCH, &path, Some(&json!({ "assertsSubject": false }))).await;
    assert_eq!(ask().await, "BLOCK", "from the next call on");
}
