//! The ledger for people: pages, checkpoint, export and verification, also after somebody changed it.

use crate::harness::{Answer, Server};
use crate::stranger::Stranger;
use runplane_ledger::checkpoint::origin;
use runplane_ledger::export::Reader;
use runplane_ledger::{Checkpoint, VerifyingKey};
use serde_json::json;
use std::sync::Arc;

async fn with_decisions(count: usize) -> Server {
    let server = Server::start().await;
    for _ in 0..count {
        server.act("read_balance", "stripe", json!({})).await;
    }
    server
}

async fn verify(server: &Server) -> Answer {
    server.admin_get("/api/v1/ledger/verify").await
}

/// The whole export as bytes.
async fn export(server: &Server) -> Vec<u8> {
    let request = server.client.get(server.url("/api/v1/ledger/export")).bearer_auth(&server.installed.admin_token);
    let response = request.send().await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
    assert_eq!(response.headers()["content-type"], "application/x-ndjson");
    response.bytes().await.unwrap().to_vec()
}

#[tokio::test]
async fn entries_come_in_pages_in_the_order_of_the_ledger() {
    let server = with_decisions(5).await;
    let size = server.verify_ledger();
    let (mut from, mut seen) = (0, Vec::new());
    loop {
        let page = server.admin_get(&format!("/api/v1/ledger/entries?from={from}&limit=3")).await;
        assert_eq!(page.json["size"], json!(size));
        for entry in page.json["entries"].as_array().unwrap() {
            assert_eq!(entry["entry"]["index"], entry["index"]);
            seen.push(entry["index"].as_u64().unwrap());
        }
        match page.json["next"].as_u64() {
            Some(next) => from = next,
            None => break,
        }
    }
    assert_eq!(seen, (0..size).collect::<Vec<_>>());
    let first = server.admin_get("/api/v1/ledger/entries?limit=1").await;
    assert_eq!(first.json["entries"][0]["entry"]["kind"], json!("genesis"));
    let beyond = server.admin_get("/api/v1/ledger/entries?from=999999").await;
    assert_eq!((&beyond.json["entries"], &beyond.json["next"]), (&json!([]), &json!(null)));
    for query in ["from=-1", "limit=x", "start=1"] {
        let refused = server.admin_get(&format!("/api/v1/ledger/entries?{query}")).await;
        assert_eq!((refused.status, refused.text("error")), (400, "invalid_request"), "{query}");
    }
}

#[tokio::test]
async fn the_checkpoint_is_signed_by_the_key_it_comes_with() {
    let server = with_decisions(1).await;
    let answer = server.admin_get("/api/v1/ledger/checkpoint").await;
    let key = VerifyingKey::parse(answer.text("key")).unwrap();
    let workspace = server.app.workspace("default").unwrap();
    assert_eq!(answer.text("origin"), origin(&workspace.id));
    let checkpoint = Checkpoint::open(answer.text("checkpoint"), &[key], answer.text("origin")).unwrap();
    assert_eq!(json!(checkpoint.size), answer.json["size"]);
    assert_eq!(checkpoint.root.to_string(), answer.text("root"));
}

#[tokio::test]
async fn an_export_verifies_elsewhere_against_the_pinned_key() {
    let server = with_decisions(700).await;
    let size = server.verify_ledger();
    let key = VerifyingKey::parse(server.admin_get("/api/v1/ledger/checkpoint").await.text("key")).unwrap();
    let bytes = export(&server).await;
    let mut reader = Reader::new(vec![key], Vec::new());
    reader.feed(&bytes).unwrap();
    let outcome = reader.finish().unwrap();
    assert!(outcome.report.valid, "{outcome:?}");
    assert_eq!((outcome.header.size, outcome.report.proven, outcome.key_pinned), (size, size, true));
}

#[tokio::test]
async fn a_sound_ledger_is_valid_to_people_and_agents() {
    let server = with_decisions(3).await;
    let size = server.verify_ledger();
    let people = verify(&server).await;
    let members = [&people.json["valid"], &people.json["chainLength"], &people.json["checkedTo"]];
    assert_eq!(members, [&json!(true), &json!(size), &json!(size)], "{people:?}");
    assert_eq!(people.text("rollback"), "not excluded");
    assert_eq!(people.json.get("brokenAt"), None);
    let agent = server.get_as(&server.installed.agent_key.clone(), "/api/audit/verify").await;
    assert_eq!(agent.json, json!({ "valid": true, "chainLength": size }), "exactly the published shape");
}

#[tokio::test]
async fn whatever_is_changed_is_found_and_named_while_the_server_runs() {
    type Change = fn(&mut Stranger<'_>, &str);
    let changes: [(&str, Change, u64); 4] = [
        ("a bit of an entry", |tamper, id| tamper.flip_entry_bit(id, 4, 40), 4),
        ("a leaf hash", |tamper, id| tamper.replace_leaf_hash(id, 5, [7; 32]), 5),
        ("two entries swapped", |tamper, id| tamper.swap_entries(id, 3, 6), 3),
        ("an entry removed", |tamper, id| tamper.remove_entry(id, 4), 4),
    ];
    for (what, change, index) in changes {
        let mut server = with_decisions(6).await;
        server.tampered = true;
        let workspace = server.app.workspace("default").unwrap();
        assert_eq!(verify(&server).await.json["valid"], json!(true));
        change(&mut Stranger::of(&server), &workspace.id);
        let broken = verify(&server).await;
        assert_eq!(
            (&broken.json["valid"], &broken.json["brokenAt"]),
            (&json!(false), &json!(index)),
            "{what}: {broken:?}"
        );
        assert!(!broken.text("problem").is_empty());
        let agent = server.get_as(&server.installed.agent_key.clone(), "/api/audit/verify").await;
        assert_eq!(agent.json["brokenAt"], json!(index.to_string()), "{what}: {agent:?}");
    }
}

/// Large enough that a question no longer reads all of it.
const LARGE: usize = 8_200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_ledger_is_answered_from_its_verified_prefix_and_the_tail() {
    let server = Arc::new(Server::start().await);
    let clients: Vec<_> = (0..64)
        .map(|_| {
            let server = Arc::clone(&server);
            #[allow(clippy::disallowed_methods, reason = "joined below")]
            tokio::spawn(async move {
                for _ in 0..LARGE / 64 + 1 {
                    server.act("read_balance", "stripe", json!({})).await;
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    let server = Arc::into_inner(server).unwrap().restart().await;
    let size = server.verify_ledger();
    // The new process has read nothing yet, and says so rather than vouching for it.
    let mut answer = verify(&server).await;
    while answer.status == 503 {
        assert_eq!(answer.text("error"), "overloaded");
        assert!(answer.json["checkedTo"].as_u64().unwrap() < size, "{answer:?}");
        answer = verify(&server).await;
    }
    assert_eq!((&answer.json["valid"], &answer.json["checkedTo"]), (&json!(true), &json!(size)), "{answer:?}");

    let mut server = server;
    server.act("read_balance", "stripe", json!({})).await;
    server.act("read_balance", "stripe", json!({})).await;
    server.tampered = true;
    let workspace = server.app.workspace("default").unwrap();
    let mut tamper = Stranger::of(&server);
    tamper.flip_entry_bit(&workspace.id, i64::try_from(size).unwrap(), 40);
    let broken = verify(&server).await;
    assert_eq!((&broken.json["valid"], &broken.json["brokenAt"]), (&json!(false), &json!(size)), "{broken:?}");
    let again = verify(&server).await;
    assert_eq!(again.json["brokenAt"], json!(size), "a fault stays the answer");
}
