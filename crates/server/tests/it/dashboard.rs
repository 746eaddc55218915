//! What the dashboard is made of: votes of accounts, the inbox, events, statistics, proofs.

use crate::harness::{Browser, Server};
use reqwest::{Method, Response};
use runplane_ledger::proof::verify_inclusion;
use runplane_ledger::{Checkpoint, Hash, leaf_hash};
use serde_json::{Value, json};
use std::time::Duration;

const TWO_OF_FINANCE: &str = "policy: test\nrules:\n- { id: two, action: process_refund, decision: REQUIRE_APPROVAL, \
                              approval: { from: [finance], quorum: 2 } }\n- { id: free, action: read_balance, decision: ALLOW }\n";

async fn ask(server: &Server, amount: u32) -> String {
    let held = server.act("process_refund", "stripe", json!({ "amount": amount })).await;
    assert_eq!(held.text("decision"), "REQUIRE_APPROVAL", "{held:?}");
    held.text("approvalId").to_owned()
}

async fn vote(server: &Server, browser: &Browser, id: &str, verdict: &str) -> crate::harness::Answer {
    server.page(browser, Method::POST, &format!("/api/v1/approvals/{id}/{verdict}"), Some(&json!({}))).await
}

#[tokio::test]
async fn two_people_of_the_group_must_agree_and_nobody_counts_twice() {
    let server = Server::with_policy(TWO_OF_FINANCE).await;
    let ada = server.person_called("ada", "approver", &["finance"]).await;
    let bo = server.person_called("bo", "approver", &["finance", "legal"]).await;
    let cy = server.person_called("cy", "approver", &["legal"]).await;
    let dee = server.person_called("dee", "viewer", &["finance"]).await;
    let id = ask(&server, 800).await;
    let shown = async |browser: &Browser| {
        let path = format!("/api/v1/approvals/{id}");
        let view = server.page(browser, Method::GET, &path, None).await.json;
        (view["canDecide"] == json!(true), view["cannotDecideBecause"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(shown(&ada).await, (true, String::new()));
    assert!(shown(&cy).await.1.contains("none of the groups"));
    assert!(shown(&dee).await.1.contains("needs the role `approver`"));
    assert_eq!(vote(&server, &dee, &id, "approve").await.status, 403, "a viewer does not vote");
    let refused = vote(&server, &cy, &id, "approve").await;
    assert!(refused.status == 403 && refused.text("detail").contains("none of the groups"), "{refused:?}");
    let first = vote(&server, &ada, &id, "approve").await;
    assert_eq!((first.status, first.text("state")), (200, "pending"), "{first:?}");
    assert_eq!(first.json["votes"][0]["by"], json!(ada.id));
    assert_eq!(first.json["votes"][0]["byName"], json!("ada"));
    let again = vote(&server, &ada, &id, "approve").await;
    assert!(again.status == 403 && again.text("detail").contains("already voted"), "{again:?}");
    assert!(shown(&ada).await.1.contains("already voted"), "the page is told before");
    let polled = server.get_as(&server.installed.agent_key, "/api/v1/approvals?status=pending").await;
    assert!(polled.json["approvals"][0].get("canDecide").is_none(), "an agent never decides: {polled:?}");
    let key = server.installed.agent_key.clone();
    let early = server.post_as(&key, &format!("/api/v1/approvals/{id}/redeem"), &json!({ "redemptionId": "r" })).await;
    assert_eq!(early.text("error"), "approval_not_approved");
    assert_eq!(vote(&server, &bo, &id, "approve").await.text("state"), "approved");
    let redeemed =
        server.post_as(&key, &format!("/api/v1/approvals/{id}/redeem"), &json!({ "redemptionId": "r" })).await;
    assert_eq!(redeemed.text("decision"), "ALLOW", "{redeemed:?}");
}

#[tokio::test]
async fn whoever_asked_does_not_decide() {
    let server = Server::start().await;
    let ada = server.person_called("ada", "owner", &["*"]).await;
    let agent = server.installed.agent_id.clone();
    let path = format!("/api/v1/agents/{agent}");
    server.admin(Method::PATCH, &path, Some(&json!({ "owner": " ADA " }))).await;
    let refused = vote(&server, &ada, &ask(&server, 800).await, "approve").await;
    assert!(refused.status == 403 && refused.text("detail").contains("asked for this action"), "{refused:?}");
    server.admin(Method::PATCH, &path, Some(&json!({ "owner": ada.id }))).await;
    assert_eq!(vote(&server, &ada, &ask(&server, 801).await, "approve").await.status, 403);
    server.admin(Method::PATCH, &path, Some(&json!({ "owner": null }))).await;
    assert_eq!(vote(&server, &ada, &ask(&server, 802).await, "approve").await.text("state"), "approved");
}

#[tokio::test]
async fn identical_asks_are_one_group_and_are_decided_together_or_withdrawn() {
    let server = Server::start().await;
    let ada = server.person_called("ada", "approver", &["*"]).await;
    let mut same = Vec::new();
    for _ in 0..3 {
        same.push(ask(&server, 800).await);
        server.advance(1);
    }
    let other = ask(&server, 900).await;
    let groups = server.page(&ada, Method::GET, "/api/v1/approvals/groups", None).await;
    assert_eq!(
        (groups.json["groups"][0]["count"].clone(), groups.json["groups"][0]["ids"].clone()),
        (json!(3), json!(same))
    );
    assert_eq!(groups.json["groups"][1]["ids"], json!([other]));
    assert_eq!(groups.json["groups"][0]["first"]["action"]["context"]["amount"], json!(800));
    let before = server.entries().len();
    let body = json!({ "ids": [same[0], same[1], "apr_nobody"], "verdict": "deny", "comment": "not today" });
    let decided = server.page(&ada, Method::POST, "/api/v1/approvals/decide", Some(&body)).await;
    assert_eq!(decided.json["results"][0], json!({ "id": same[0], "decided": true, "state": "denied" }));
    assert_eq!(decided.json["results"][2]["error"], json!("unknown_approval"));
    assert_eq!(server.entries().len(), before + 2, "each vote is an entry of its own");
    let cancelled =
        server.page(&ada, Method::POST, &format!("/api/v1/approvals/{other}/cancel"), Some(&json!({}))).await;
    assert_eq!(
        (cancelled.text("state"), cancelled.text("resolvedBy")),
        ("cancelled", ada.id.as_str()),
        "{cancelled:?}"
    );
    let again = server.page(&ada, Method::POST, &format!("/api/v1/approvals/{other}/cancel"), None).await;
    assert_eq!(again.text("error"), "approval_not_pending");
    assert_eq!(server.poll(&other).await.text("status"), "denied");
}

/// Reads a stream until a text has come, and hands out everything so far.
async fn until(stream: &mut Response, text: &str) -> String {
    let mut read = String::new();
    while !read.contains(text) {
        let piece = tokio::time::timeout(Duration::from_secs(60), stream.chunk()).await.expect(text).unwrap();
        let Some(piece) = piece else { panic!("the stream ended before `{text}`: {read}") };
        read.push_str(std::str::from_utf8(&piece).unwrap());
    }
    read
}

async fn listen(server: &Server, browser: &Browser, query: &str, last: Option<u64>) -> Response {
    let mut request = server.browser(browser, Method::GET, &format!("/api/v1/events{query}"));
    if let Some(last) = last {
        request = request.header("last-event-id", last.to_string());
    }
    let response = request.send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (200, &"text/event-stream".parse().unwrap())
    );
    response
}

#[tokio::test]
async fn events_follow_the_ledger_and_go_on_where_they_were_left() {
    let server = Server::start().await;
    let ada = server.person_called("ada", "approver", &["*"]).await;
    let mut stream = listen(&server, &ada, "", None).await;
    until(&mut stream, "event: hello").await;
    let first = server.act("read_balance", "stripe", json!({})).await;
    let index = first.json["ledger"]["index"].as_u64().unwrap();
    let read = until(&mut stream, &format!("id: {index}\n")).await;
    assert!(read.contains("event: decision") && read.contains(first.text("requestId")), "{read}");
    let id = ask(&server, 800).await;
    let read = until(&mut stream, "event: approval").await;
    assert!(read.contains("\"change\":\"opened\"") && read.contains(&id), "{read}");
    drop(stream);
    vote(&server, &ada, &id, "approve").await;
    server.admin_post("/api/v1/containment", &json!({ "scope": "source", "value": "x", "reason": "r" })).await;
    let mut stream = listen(&server, &ada, "", Some(index)).await;
    let read = until(&mut stream, "switch_thrown").await;
    for expected in ["\"change\":\"opened\"", "\"change\":\"approved\"", &ada.id, "event: containment"] {
        assert!(read.contains(expected), "{expected} is missing: {read}");
    }
    assert!(!read.contains(first.text("requestId")), "what was told before is not told again: {read}");
    let mut only = listen(&server, &ada, "?types=containment", Some(0)).await;
    let read = until(&mut only, "switch_thrown").await;
    assert!(!read.contains("event: decision"), "{read}");
    let refused = server.send(server.browser(&ada, Method::GET, "/api/v1/events?types=weather")).await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn an_agent_hears_only_its_own_and_accounts_are_for_admins() {
    let server = Server::start().await;
    let ada = server.person_called("ada", "viewer", &[]).await;
    let (_, other_key) = server.agent("other").await;
    let foreign = server.act("read_balance", "stripe", json!({})).await;
    let guard = json!({ "action": { "type": "read_balance", "target": "adyen" } });
    let own = server.post_as(&other_key, "/api/v1/guard", &guard).await;
    let request = server.client.get(server.url("/api/v1/events?after=0")).bearer_auth(&other_key);
    let mut stream = request.send().await.unwrap();
    let read = until(&mut stream, own.text("requestId")).await;
    assert!(!read.contains(foreign.text("requestId")) && !read.contains("event: control"), "{read}");
    let mut stream = listen(&server, &ada, "?after=0", None).await;
    let read = until(&mut stream, own.text("requestId")).await;
    assert!(read.contains("agent_created") && !read.contains("user_created"), "{read}");
    let bo = server.person_called("bo", "admin", &[]).await;
    let mut stream = listen(&server, &bo, "?after=0", None).await;
    until(&mut stream, "user_created").await;
}

#[tokio::test]
async fn an_open_stream_ends_with_the_right_to_it() {
    let server = Server::start().await;
    let ada = server.person_called("ada", "viewer", &[]).await;
    let bo = server.person_called("bo", "viewer", &[]).await;
    for (browser, how) in [(&ada, "disabled"), (&bo, "signed out")] {
        let mut stream = listen(&server, browser, "", None).await;
        until(&mut stream, "event: hello").await;
        if how == "disabled" {
            let path = format!("/api/v1/users/{}", browser.id);
            server.admin(Method::PATCH, &path, Some(&json!({ "status": "disabled" }))).await;
        } else {
            server.page(browser, Method::DELETE, "/api/v1/session", None).await;
        }
        let after = server.act("read_balance", "stripe", json!({})).await;
        let mut rest = String::new();
        while let Some(piece) = tokio::time::timeout(Duration::from_secs(60), stream.chunk()).await.unwrap().unwrap() {
            rest.push_str(std::str::from_utf8(&piece).unwrap());
        }
        assert!(!rest.contains(after.text("requestId")), "{how}: {rest}");
    }
}

#[tokio::test]
async fn statistics_count_what_was_decided() {
    let server = Server::start().await;
    let ada = server.person_called("ada", "viewer", &[]).await;
    for _ in 0..3 {
        server.act("read_balance", "stripe", json!({})).await;
    }
    server.advance(120);
    let held = server.act("process_refund", "stripe", json!({ "amount": 800 })).await;
    server.listed().await;
    let path = "/api/v1/statistics?from=2026-11-22T11:30:00Z&to=2026-11-22T12:30:00Z&buckets=60";
    let read = server.page(&ada, Method::GET, path, None).await;
    assert_eq!(read.json["totals"], json!({ "allow": 3, "requireApproval": 1, "block": 0 }), "{read:?}");
    let buckets = read.json["decisions"].as_array().unwrap();
    assert_eq!((buckets.len(), &read.json["granularity"]), (60, &json!("1m")));
    assert_eq!(
        buckets[30],
        json!({ "at": "2026-11-22T12:00:00.000000Z", "allow": 3, "requireApproval": 0, "block": 0 })
    );
    assert_eq!(buckets[32]["requireApproval"], json!(1));
    assert_eq!(read.json["actions"][0]["key"], json!("read_balance"));
    assert_eq!(read.json["agents"][0]["name"], json!("tester"));
    assert_eq!(read.json["rules"].as_array().unwrap().len(), 2);
    let band = held.json["riskScore"].as_u64().unwrap() / 10;
    let band = usize::try_from(band).unwrap();
    assert_eq!(read.json["risk"][band]["requireApproval"], json!(1));
    assert_eq!((&read.json["approvals"]["waiting"], &read.json["latency"]["count"]), (&json!(1), &json!(4)));
    let long = server
        .page(&ada, Method::GET, "/api/v1/statistics?from=2026-11-01T00:00:00Z&to=2026-11-23T00:00:00Z", None)
        .await;
    assert_eq!((&long.json["granularity"], &long.json["totals"]["allow"]), (&json!("1h"), &json!(3)));
    let refused = server
        .page(&ada, Method::GET, "/api/v1/statistics?from=2026-11-23T00:00:00Z&to=2026-11-01T00:00:00Z", None)
        .await;
    assert_eq!(refused.status, 400);
}

fn hash(text: &Value) -> Hash {
    let mut bytes = [0u8; 32];
    hex(text.as_str().unwrap(), &mut bytes);
    Hash::new(bytes)
}

fn hex(text: &str, bytes: &mut [u8; 32]) {
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(place * 2..place * 2 + 2).unwrap(), 16).unwrap();
    }
}

#[tokio::test]
async fn a_receipt_proves_its_entry_to_whoever_has_the_key() {
    let server = Server::start().await;
    let ada = server.person_called("ada", "viewer", &[]).await;
    for _ in 0..600 {
        server.act("read_balance", "stripe", json!({})).await;
    }
    let size = u64::try_from(server.entries().len()).unwrap();
    for index in [0, 1, 255, 256, 511, 600, size - 1] {
        let proof = server.page(&ada, Method::GET, &format!("/api/v1/ledger/proof/{index}"), None).await;
        assert_eq!((proof.status, proof.json["size"].as_u64()), (200, Some(size)), "{proof:?}");
        let leaf = leaf_hash(proof.text("entry").as_bytes());
        assert_eq!(leaf, hash(&proof.json["leafHash"]));
        let path: Vec<Hash> = proof.json["proof"].as_array().unwrap().iter().map(hash).collect();
        verify_inclusion(index, leaf, size, &hash(&proof.json["root"]), &path).unwrap();
        let key = server.app.workspace("default").unwrap().verifying_key().clone();
        let checkpoint = Checkpoint::open(proof.text("checkpoint"), &[key], proof.text("origin")).unwrap();
        assert_eq!((checkpoint.size, checkpoint.root), (size, hash(&proof.json["root"])));
    }
    let older = server.page(&ada, Method::GET, "/api/v1/ledger/proof/3?size=600", None).await;
    let path: Vec<Hash> = older.json["proof"].as_array().unwrap().iter().map(hash).collect();
    verify_inclusion(3, hash(&older.json["leafHash"]), 600, &hash(&older.json["root"]), &path).unwrap();
    for path in [format!("/api/v1/ledger/proof/{size}"), "/api/v1/ledger/proof/0?size=99999".to_owned()] {
        assert_eq!(server.page(&ada, Method::GET, &path, None).await.text("error"), "unknown_entry", "{path}");
    }
}

#[tokio::test]
async fn the_list_is_read_in_both_directions() {
    let server = Server::start().await;
    for _ in 0..5 {
        server.act("read_balance", "stripe", json!({})).await;
    }
    server.listed().await;
    let indexes = |answer: &crate::harness::Answer| -> Vec<u64> {
        answer.json["decisions"].as_array().unwrap().iter().map(|one| one["index"].as_u64().unwrap()).collect()
    };
    let all = indexes(&server.admin_get("/api/v1/decisions").await);
    let last = server.admin_get(&format!("/api/v1/decisions?limit=2&cursor={}", all[2])).await;
    assert_eq!(indexes(&last), &all[3..]);
    let up = server.admin_get(&format!("/api/v1/decisions?limit=2&after={}", last.json["prevCursor"])).await;
    assert_eq!(indexes(&up), &all[1..3], "the page next to it, newest first");
}

#[tokio::test]
async fn permits_are_verified_with_the_published_key() {
    let server = Server::start().await;
    let set = server.send(server.client.get(server.url("/.well-known/jwks.json"))).await;
    let key = &set.json["keys"][0];
    assert_eq!((&key["kty"], &key["crv"], &key["alg"]), (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA")));
    assert_eq!(key["x"].as_str().unwrap().len(), 43, "32 bytes in unpadded base64url");
    assert!(!key["kid"].as_str().unwrap().is_empty());
}
