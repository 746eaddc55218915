//! The list of decisions and the trace of one: complete, filtered, and never somebody else's.

use crate::harness::{Answer, Server};
use serde_json::{Value, json};

async fn list(server: &Server, query: &str) -> Answer {
    server.admin_get(&format!("/api/v1/decisions?{query}")).await
}

fn ids(answer: &Answer) -> Vec<&str> {
    let decisions = answer.json["decisions"].as_array().unwrap_or_else(|| panic!("{answer:?}"));
    decisions.iter().map(|decision| decision["requestId"].as_str().unwrap()).collect()
}

async fn ask(server: &Server, key: &str, id: &str, action: &str, target: &str, context: Value) -> Answer {
    let action = json!({ "type": action, "target": target, "context": context });
    server.post_as(key, "/api/v1/guard", &json!({ "requestId": id, "action": action })).await
}

#[tokio::test]
async fn the_list_is_newest_first_filtered_and_paged() {
    let server = Server::start().await;
    let key = server.installed.agent_key.clone();
    let (other, other_key) = server.agent("other").await;
    ask(&server, &key, "a", "read_balance", "Stripe", json!({})).await;
    server.advance(60);
    ask(&server, &key, "b", "process_refund", "stripe", json!({ "amount": 800 })).await;
    server.advance(60);
    ask(&server, &other_key, "c", "read_balance", "adyen", json!({})).await;
    server.post_as(&key, "/api/v1/guard", &json!({ "requestId": "d" })).await;
    server.listed().await;

    let all = list(&server, "").await;
    assert_eq!(ids(&all), ["d", "c", "b", "a"]);
    assert_eq!(all.json["projectedTo"], all.json["ledgerSize"], "{all:?}");
    let newest = &all.json["decisions"][0];
    assert_eq!((&newest["decision"], &newest["reasonCode"]), (&json!("BLOCK"), &json!("invalid_request")));
    assert_eq!(all.json["decisions"][1]["agent"], json!({ "id": other, "name": "other" }));
    for (query, expected) in [
        ("type=read_balance".to_owned(), vec!["c", "a"]),
        ("target=STRIPE".to_owned(), vec!["b", "a"]),
        ("outcome=REQUIRE_APPROVAL".to_owned(), vec!["b"]),
        (format!("agent={other}"), vec!["c"]),
        ("since=2026-11-22T12:01:00Z&until=2026-11-22T12:02:00Z".to_owned(), vec!["b"]),
        (format!("rule={}", all.json["decisions"][3]["matchedRule"].as_str().unwrap()), vec!["c", "a"]),
        ("type=read_balance&target=adyen".to_owned(), vec!["c"]),
    ] {
        assert_eq!(ids(&list(&server, &query).await), expected, "{query}");
    }
    let first = list(&server, "limit=3").await;
    assert_eq!(ids(&first), ["d", "c", "b"]);
    let second = list(&server, &format!("limit=3&cursor={}", first.json["nextCursor"])).await;
    assert_eq!((ids(&second), &second.json["nextCursor"]), (vec!["a"], &json!(null)));
    for query in ["limit=x", "since=yesterday", "colour=red", "outcome=NEVER", "outcome=allow", "severity=none"] {
        let refused = list(&server, query).await;
        assert_eq!((refused.status, refused.text("error")), (400, "invalid_request"), "{query}");
    }
}

#[tokio::test]
async fn a_trace_shows_record_payload_outcome_and_redemption() {
    let server = Server::start().await;
    let key = server.installed.agent_key.clone();
    let held = server.act("process_refund", "stripe", json!({ "amount": 800, "note": "shown to people" })).await;
    let id = held.text("requestId").to_owned();
    let approval = format!("/api/v1/approvals/{}", held.text("approvalId"));
    server.admin_post(&format!("{approval}/approve"), &json!({})).await;
    server.post_as(&key, &format!("{approval}/redeem"), &json!({ "redemptionId": "r" })).await;
    let report = json!({ "status": "succeeded", "detail": "re_1" });
    server.post_as(&key, &format!("/api/v1/executions/{id}"), &report).await;
    server.listed().await;

    let trace = server.admin_get(&format!("/api/v1/decisions/{id}")).await;
    assert_eq!((trace.status, trace.text("decision")), (200, "REQUIRE_APPROVAL"), "{trace:?}");
    assert_eq!((trace.text("kind"), trace.text("approvalId")), ("decision", held.text("approvalId")));
    let record = &trace.json["record"];
    assert_eq!((&record["kind"], &record["body"]["requestId"]), (&json!("decision"), &json!(id)));
    assert!(!record.to_string().contains("shown to people"), "the record holds no arguments");
    assert_eq!(trace.json["payload"]["state"], json!("shown"), "payments are kept in full: {trace:?}");
    assert!(trace.json["payload"]["content"].to_string().contains("shown to people"));
    assert_eq!(
        (&trace.json["outcome"]["status"], &trace.json["outcome"]["detail"]),
        (&json!("succeeded"), &json!("re_1"))
    );
    let related = trace.json["related"].as_array().unwrap();
    assert_eq!(related.len(), 1, "{trace:?}");
    assert_eq!((&related[0]["kind"], &related[0]["decision"]), (&json!("redemption"), &json!("ALLOW")));

    let own = server.get_as(&key, &format!("/api/v1/decisions/{id}")).await;
    assert_eq!((own.status, &own.json["payload"]), (200, &json!({ "state": "notShown" })), "payloads are for people");

    let free = server.act("read_balance", "stripe", json!({ "note": "kept to decide again" })).await;
    let trace = server.admin_get(&format!("/api/v1/decisions/{}", free.text("requestId"))).await;
    assert_eq!(trace.json["payload"], json!({ "state": "notShown" }), "only what a rule keeps in full: {trace:?}");
}

#[tokio::test]
async fn a_decision_is_found_by_any_id_before_and_after_it_is_listed() {
    let server = Server::start().await;
    let key = server.installed.agent_key.clone();
    let (other, other_key) = server.agent("other").await;
    let made = server.act("read_balance", "stripe", json!({})).await;
    ask(&server, &key, "order-17", "read_balance", "stripe", json!({})).await;
    ask(&server, &key, "order-17", "process_refund", "stripe", json!({ "amount": 5 })).await;
    ask(&server, &other_key, "order-17", "read_balance", "adyen", json!({})).await;
    // At once: people wait for the list, agents do not need it.
    for id in [made.text("requestId"), "order-17"] {
        for credential in [&key, &server.installed.admin_token] {
            let found = server.get_as(credential, &format!("/api/v1/decisions/{id}")).await;
            assert_eq!((found.status, found.text("decision")), (200, "ALLOW"), "{id}: {found:?}");
        }
    }
    server.listed().await;
    let person = server.admin_get("/api/v1/decisions/order-17").await;
    assert_eq!(person.text("target"), "stripe", "the one that owns the id: {person:?}");
    assert_eq!(person.json["related"].as_array().unwrap().len(), 2, "a refused reuse and another agent's");
    let chosen = server.admin_get(&format!("/api/v1/decisions/order-17?agent={other}")).await;
    assert_eq!((chosen.text("target"), &chosen.json["related"]), ("adyen", &json!([])));
    let unknown = server.admin_get("/api/v1/decisions/order-18").await;
    assert_eq!((unknown.status, unknown.text("error")), (404, "unknown_request"));
}

#[tokio::test]
async fn an_agent_cannot_tell_a_foreign_decision_from_none() {
    let server = Server::start().await;
    let (own, own_key) = server.agent("curious").await;
    let foreign = server.act("read_balance", "stripe", json!({})).await;
    let victim = &server.installed.agent_id;
    let index = foreign.json["ledger"]["index"].as_u64().unwrap();
    ask(&server, &own_key, "mine", "read_balance", "stripe", json!({})).await;
    server.listed().await;
    let seen = server.get_as(&own_key, &format!("/api/v1/decisions/{}", foreign.text("requestId"))).await;
    let none = server.get_as(&own_key, "/api/v1/decisions/req_0190000000007000800000000000ffff").await;
    assert_eq!((seen.status, &seen.json), (none.status, &none.json), "a foreign id answers like an unknown one");
    let narrowed = format!("/api/v1/decisions/{}?agent={victim}", foreign.text("requestId"));
    assert_eq!(server.get_as(&own_key, &narrowed).await.json, none.json);
    for query in [String::new(), format!("?agent={victim}"), format!("?cursor={}", index + 1)] {
        let list = server.get_as(&own_key, &format!("/api/v1/decisions{query}")).await;
        let agents: Vec<_> =
            list.json["decisions"].as_array().unwrap().iter().map(|decision| &decision["agent"]["id"]).collect();
        assert!(agents.iter().all(|agent| **agent == json!(own)), "{query}: {list:?}");
    }
}

#[tokio::test]
async fn the_list_is_made_again_from_the_ledger() {
    let server = Server::start().await;
    for _ in 0..20 {
        server.act("read_balance", "stripe", json!({})).await;
    }
    server.listed().await;
    let before = list(&server, "").await;
    if let Some(database) = server.database() {
        database.execute("TRUNCATE runplane.cursors, runplane.list_blocks, runplane.list_terms, runplane.tallies");
    }
    let data = server.app.options.place.data.clone();
    let server = server.restart_after(|| {
        for entry in std::fs::read_dir(&data).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("lists.db")) {
                std::fs::remove_file(path).unwrap();
            }
        }
    });
    let server = server.await;
    server.listed().await;
    assert_eq!(list(&server, "").await.json, before.json);
}
