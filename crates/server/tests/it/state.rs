//! `check_state` finds each kind of difference that is planted, and names it; and nothing where nothing was planted.

use crate::harness::{Answer, Server};
use reqwest::Method;
use runplane_core::json;
use runplane_ledger::checkpoint::origin;
use runplane_ledger::{Checkpoint, Frontier, SigningKey, leaf_hash};
use runplane_server::{StateReport, check_state};
use runplane_store::{Approval, Batch, Change, Entry, Head, NewPayload, Payload, Snapshot};
use serde_json::{Value, json as object};

const RULES: &str = "
policy: test
meters:
  paid: { sum: context.amount, action: process_refund, within: 1h, per: [agent] }
rules:
  - { id: small, action: process_refund, decision: ALLOW, when: context.amount < 100 }
  - { id: large, action: process_refund, decision: REQUIRE_APPROVAL, when: context.amount >= 100 }
  - { id: cap, action: process_refund, when: meters.paid + context.amount > 1000, decision: BLOCK }
  - { id: charges, action: create_charge, decision: ALLOW, limit: { count: 5, within: 1h, per: [agent], refund: reported_failure } }
";

async fn refund(server: &Server, amount: i64) -> Answer {
    server.act("process_refund", "stripe", object!({ "amount": amount })).await
}

async fn report(server: &Server, answer: &Answer, status: &str) {
    let path = format!("/api/v1/executions/{}", answer.text("requestId"));
    let key = server.installed.agent_key.clone();
    assert_eq!(server.post_as(&key, &path, &object!({ "status": status })).await.status, 200);
}

/// A server on which everything has happened once, and that is not looked at in the end.
async fn lived() -> Server {
    let mut server = Server::with_policy(RULES).await;
    let paid = refund(&server, 7).await;
    report(&server, &paid, "succeeded").await;
    let charged = server.act("create_charge", "stripe", object!({ "amount": 1 })).await;
    report(&server, &charged, "failed").await;
    let denied = refund(&server, 100).await;
    server.admin_post(&format!("/api/v1/approvals/{}/deny", denied.text("approvalId")), &object!({})).await;
    assert_eq!(refund(&server, 200).await.text("decision"), "REQUIRE_APPROVAL", "left open");
    server.tampered = true;
    server
}

fn workspace(server: &Server) -> String {
    server.app.workspace("default").unwrap().id.clone()
}

fn looked_at(server: &Server) -> StateReport {
    check_state(&*server.app.store, &workspace(server)).unwrap()
}

#[track_caller]
fn finds(server: &Server, wanted: &[&str]) {
    let report = looked_at(server);
    for wanted in wanted {
        let found = report.differences.iter().any(|difference| difference.contains(wanted));
        assert!(found, "`{wanted}` is not among {:#?}", report.differences);
    }
}

/// The newest entry of this kind.
fn newest(server: &Server, kind: &str) -> (u64, Value) {
    let entries = server.entries();
    let index = entries.iter().rposition(|entry| entry["kind"] == kind).unwrap();
    (index as u64, entries[index].clone())
}

/// Appends an entry that the engine did not make, properly signed: only what it says can give it away.
fn forge(server: &Server, kind: &str, body: &Value, change: impl FnOnce(&mut Batch)) {
    let (store, workspace) = (&server.app.store, workspace(server));
    let key = SigningKey::from_seed(&origin(&workspace), &server.ledger_seed()).unwrap();
    let head = store.load_head(&workspace).unwrap();
    let last = store.read_entries(&workspace, head.size - 1, 1).unwrap().pop().unwrap();
    let entry = object!({
        "at": head.time_us, "body": body, "epoch": head.epoch, "index": head.size, "kind": kind,
        "prev": hex::encode(last.leaf_hash), "v": 1,
    });
    let read = json::read(entry.to_string().as_bytes(), &json::Limits { max_depth: 64, ..Default::default() }).unwrap();
    let bytes = json::to_canonical(&read);
    let leaf = leaf_hash(&bytes);
    let mut frontier = Frontier::from_bytes(&head.frontier).unwrap();
    frontier.append(leaf);
    let (size, root) = (head.size + 1, frontier.root());
    let checkpoint = Checkpoint::sign(&key, size, root, Some(head.time_us)).unwrap();
    let mut nonce = head.nonce;
    nonce[0] ^= 1;
    let (root, frontier) = (root.to_bytes(), frontier.to_bytes());
    let next = Head { size, root, frontier, nonce, checkpoint, ..head.clone() };
    let entries = vec![Entry { bytes, leaf_hash: leaf.to_bytes() }];
    let mut batch = Batch::of_entries(head.size, head.nonce, next, entries);
    change(&mut batch);
    match store.begin_turn(&workspace).unwrap() {
        Some(turn) => turn.commit(&batch).unwrap(),
        None => store.commit_batch(&workspace, &batch).unwrap(),
    }
}

/// The held action of the newest entry that holds one, as it is kept.
fn held(server: &Server) -> (u64, Approval) {
    let row = server.app.store.list_open_approvals(&workspace(server)).unwrap().pop().unwrap();
    (row.index, row)
}

#[tokio::test]
async fn nothing_is_found_where_nothing_was_planted() {
    let server = lived().await;
    let report = looked_at(&server);
    assert_eq!(report.differences, Vec::<String>::new());
    assert_eq!((report.decisions, report.erased, report.open_approvals), (4, 0, 1), "{report:?}");
}

#[tokio::test]
async fn a_decision_that_read_another_counter_is_found() {
    let server = lived().await;
    let (index, entry) = newest(&server, "decision");
    let Payload::Present(payload) = server.app.store.load_payload(&workspace(&server), index).unwrap() else {
        panic!()
    };
    let mut body = entry["body"].clone();
    body["heldAs"] = Value::Null;
    body["state"]["meters"] = object!([{ "ready": "3" }]);
    body["requestId"] = "req_forged".into();
    forge(&server, "decision", &body, |batch| {
        let index = batch.expected_size;
        let (salt, bytes, retention) = (payload.salt, payload.bytes.clone(), payload.retention);
        batch.payloads.push(NewPayload { index, salt, bytes, retention, erase_after_us: None });
    });
    finds(&server, &["it read 3 of counter `paid`, the entries before add up to 207"]);
}

#[tokio::test]
async fn a_share_that_was_not_given_back_is_found() {
    for kind in ["vote", "closed"] {
        let server = lived().await;
        let (index, row) = held(&server);
        let returned = object!({ "at": 0, "charges": [] });
        let body = match kind {
            "vote" => {
                let (_, entry) = newest(&server, "vote");
                let mut body = entry["body"].clone();
                (body["approval"], body["held"], body["returned"]) = (row.id.clone().into(), index.into(), returned);
                body
            }
            _ => object!({
                "approval": row.id, "by": null, "comment": null, "held": index, "returned": returned, "state": "expired",
            }),
        };
        forge(&server, kind, &body, |batch| batch.approvals.push(Approval { open: false, ..row }));
        let what = format!("the share of 200 that entry {index} has of counter `paid` was not given back");
        finds(&server, &[&what]);
    }
}

#[tokio::test]
async fn a_share_that_was_given_back_without_a_reason_is_found() {
    let server = lived().await;
    // Of the charge that was reported to have failed, given back once more by a denial of something else.
    let (_, outcome) = newest(&server, "outcome");
    let (_, vote) = newest(&server, "vote");
    let (index, row) = held(&server);
    let mut body = vote["body"].clone();
    (body["approval"], body["held"]) = (row.id.clone().into(), index.into());
    body["returned"] = outcome["body"]["returned"].clone();
    forge(&server, "vote", &body, |batch| batch.approvals.push(Approval { open: false, ..row }));
    finds(&server, &["was given back, which entry", "was not given back"]);
}

#[tokio::test]
async fn a_refund_that_a_reported_failure_was_denied_is_found() {
    let server = lived().await;
    let charged = server.act("create_charge", "stripe", object!({ "amount": 1 })).await;
    let (index, _) = newest(&server, "decision");
    let (_, outcome) = newest(&server, "outcome");
    let mut body = outcome["body"].clone();
    (body["decision"], body["requestId"]) = (index.into(), charged.text("requestId").into());
    body.as_object_mut().unwrap().remove("returned");
    forge(&server, "outcome", &body, |_| ());
    finds(&server, &["was not given back"]);
}

#[tokio::test]
async fn a_profile_that_was_taught_something_else_is_found() {
    let server = lived().await;
    let paid = refund(&server, 8).await;
    report(&server, &paid, "succeeded").await;
    let (_, outcome) = newest(&server, "outcome");
    let again = refund(&server, 9).await;
    let (index, _) = newest(&server, "decision");
    let mut body = outcome["body"].clone();
    (body["decision"], body["requestId"]) = (index.into(), again.text("requestId").into());
    body["status"] = "failed".into();
    forge(&server, "outcome", &body, |_| ());
    finds(&server, &["was taught something else than what succeeded"]);
}

/// Puts what an older snapshot keeps in the place of a newer one, as somebody would who knows how they are written.
fn plant(server: &Server, older: &Snapshot, newer: &Snapshot) {
    let (store, workspace) = (&server.app.store, workspace(server));
    for part in 0.. {
        let Some(bytes) = store.load_snapshot_part(&workspace, older.size, part).unwrap() else { break };
        store.put_snapshot_part(&workspace, newer.size, part, &bytes).unwrap();
    }
    // Format, workspace, entry and leaf are the newer one's.
    let mut bytes = newer.bytes[..88].to_vec();
    bytes.extend_from_slice(&older.bytes[88..older.bytes.len() - 32]);
    let digest = runplane_core::digest::sha256(&[&bytes]);
    bytes.extend_from_slice(&digest.0);
    store.save_snapshot(&workspace, &Snapshot { size: newer.size, bytes }).unwrap();
}

#[tokio::test]
async fn a_snapshot_with_other_counters_and_profiles_is_found_and_both_are_named() {
    let server = lived().await.restart().await;
    let before = server.app.store.load_snapshots(&workspace(&server)).unwrap().remove(0);
    let paid = refund(&server, 8).await;
    report(&server, &paid, "succeeded").await;
    let mut server = server.restart().await;
    server.tampered = true;
    let after = server.app.store.load_snapshots(&workspace(&server)).unwrap().remove(0);
    assert!(after.size > before.size, "{} after {}", after.size, before.size);
    assert_eq!(looked_at(&server).differences, Vec::<String>::new());
    plant(&server, &before, &after);
    let at = format!("the snapshot at entry {}: ", after.size);
    let agent = newest(&server, "decision").1["body"]["agent"].as_str().unwrap().to_owned();
    finds(&server, &[&format!("{at}counter `paid` of key"), "is 207, the ledger says 215"]);
    finds(&server, &[&format!("{at}the profile of {agent} for process_refund is not what its reports taught")]);
}

#[tokio::test]
async fn an_approval_that_is_kept_otherwise_is_found() {
    let accepted = object!({ "step": 0, "unaccepted": 0 });
    let server = lived().await;
    let (index, row) = held(&server);
    let mut kept: Value = serde_json::from_slice(&row.bytes).unwrap();
    kept["approval"]["state"] = "approved".into();
    let bytes = kept.to_string().into_bytes();
    forge(&server, "clock", &accepted, |batch| batch.approvals.push(Approval { bytes, ..row.clone() }));
    let what = format!("approval {} of entry {index} is kept as approved, the ledger says pending", row.id);
    finds(&server, &[&what]);

    let server = lived().await;
    let (index, row) = held(&server);
    let mut kept: Value = serde_json::from_slice(&row.bytes).unwrap();
    kept["charges"] = object!([]);
    let bytes = kept.to_string().into_bytes();
    forge(&server, "clock", &accepted, |batch| batch.approvals.push(Approval { bytes, ..row.clone() }));
    finds(&server, &[&format!("approval {} of entry {index} is kept with other shares of limits", row.id)]);

    let server = lived().await;
    let (index, row) = held(&server);
    forge(&server, "clock", &accepted, |batch| batch.approvals.push(Approval { open: false, ..row.clone() }));
    finds(&server, &[&format!("approval {} of entry {index} is open and is not kept as such", row.id)]);
}

#[tokio::test]
async fn windows_that_were_widened_by_too_little_are_found() {
    let server = lived().await;
    forge(&server, "clock", &object!({ "step": 7_200_000_000i64, "unaccepted": 0 }), |_| ());
    finds(&server, &["windows are widened by 0 µs, the steps add up to 7200000000 µs"]);
}

#[tokio::test]
async fn a_past_that_was_counted_otherwise_is_found_and_one_that_is_erased_is_said_so() {
    let yaml = "policy: late
meters: { all: { sum: context.amount, action: process_refund, within: 2h, per: [agent] } }
rules: [{ id: late, action: process_refund, when: meters.all > 100000, decision: BLOCK }]
";
    let mut server = Server::with_policy(RULES).await;
    refund(&server, 7).await;
    let published = server.admin(Method::PUT, "/api/v1/policies/late", Some(&object!({ "yaml": yaml }))).await;
    assert_eq!(published.status, 200, "{published:?}");
    let report = looked_at(&server);
    assert_eq!((report.fills, report.differences, report.unknown), (1, vec![], vec![]));
    server.tampered = true;

    // The same counter is said to be new once more, and to have come to what it was before.
    let (at, filled) = newest(&server, "filled");
    let document = server.app.store.load_document(&workspace(&server), "fill", &at.to_string()).unwrap().unwrap();
    refund(&server, 8).await;
    let control = server.entries()[usize::try_from(filled["body"]["from"].as_u64().unwrap()).unwrap()]["body"].clone();
    let from = server.app.store.load_head(&workspace(&server)).unwrap().size;
    forge(&server, "control", &control, |_| ());
    let mut body = filled["body"].clone();
    body["from"] = from.into();
    forge(&server, "filled", &body, |batch| {
        let key = batch.expected_size.to_string();
        batch.documents.push(Change::Put { kind: "fill".to_owned(), key, bytes: document.into() });
    });
    finds(&server, &["the past of counter `all` comes to something else"]);

    let far = i64::MAX / 2;
    while server.app.store.erase_payloads(&workspace(&server), far, 100).unwrap() > 0 {}
    // What lies there goes with its day, which is not over.
    server.database().map(|database| database.execute("TRUNCATE runplane.kept"));
    let report = looked_at(&server);
    assert_eq!((report.erased, report.differences), (2, vec![]));
    assert!(report.unknown.iter().any(|unknown| unknown.contains("calls of it are erased")), "{:?}", report.unknown);
}
