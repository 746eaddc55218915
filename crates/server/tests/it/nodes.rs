//! Several nodes on one PostgreSQL database: what is true on one is true on all, whichever is asked.

mod forms;
mod served;

use crate::harness::{Answer, Home, Server};
use crate::limits::POLICY_OF_THREE;
use reqwest::Method;
use runplane_core::packs;
use runplane_server::start_with;
use runplane_server::{Options, Place, Seeds};
use runplane_store::postgres::testing::Proxy;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

fn shipped() -> Vec<(String, String)> {
    packs::ALL.iter().map(|pack| (pack.name.to_owned(), pack.source.to_owned())).collect()
}

fn refund(amount: i64) -> Value {
    json!({ "action": { "type": "process_refund", "target": "stripe", "context": { "amount": amount } } })
}

/// Nodes on one new database.
async fn nodes(count: usize, policies: Vec<(String, String)>) -> Vec<Arc<Server>> {
    let first = Server::at(Home::shared(), policies).await;
    let mut nodes = vec![];
    for _ in 1..count {
        nodes.push(Arc::new(first.beside(|_| ()).await));
    }
    nodes.insert(0, Arc::new(first));
    nodes
}

/// Asks until the answer is as wanted: what is heard of by notices takes a moment.
async fn soon(mut ask: impl AsyncFnMut() -> Answer, wanted: impl Fn(&Answer) -> bool) -> Answer {
    let asking = async {
        loop {
            let answer = ask().await;
            if wanted(&answer) {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asking).await.expect("the node does not hear of it")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_changes_every_other_one_decides_by_at_once() {
    let nodes = nodes(2, shipped()).await;
    for round in 0..6 {
        let (here, there) = (&nodes[round % 2], &nodes[(round + 1) % 2]);
        let switch = json!({ "scope": "actionType", "value": "read_balance", "reason": "incident" });
        let thrown = here.admin_post("/api/v1/containment", &switch).await;
        assert_eq!(thrown.status, 201, "{thrown:?}");
        let stopped = there.act("read_balance", "stripe", json!({})).await;
        assert_eq!((stopped.text("decision"), stopped.text("reasonCode")), ("BLOCK", "containment"), "{stopped:?}");
        let path = format!("/api/v1/containment/{}", thrown.text("id"));
        assert_eq!(here.admin(Method::DELETE, &path, None).await.status, 200);
        let goes_on = there.act("read_balance", "stripe", json!({})).await;
        assert_eq!(goes_on.text("decision"), "ALLOW", "{goes_on:?}");
    }
    let policy = "policy: mine\nrules: [{ id: no, action: read_balance, decision: BLOCK, reason: none of yours }]";
    let put = nodes[0].admin(Method::PUT, "/api/v1/policies/mine", Some(&json!({ "yaml": policy }))).await;
    assert_eq!(put.status, 200, "{put:?}");
    let blocked = nodes[1].act("read_balance", "stripe", json!({})).await;
    assert_eq!(blocked.text("decision"), "BLOCK", "{blocked:?}");
    assert_eq!(nodes[0].verify_ledger(), nodes[1].verify_ledger());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_is_one_limit_however_many_nodes_count() {
    let nodes = nodes(3, vec![("test".into(), POLICY_OF_THREE.into())]).await;
    let calls: Vec<_> = (0..24)
        .map(|call| {
            let node = Arc::clone(&nodes[call % 3]);
            #[allow(clippy::disallowed_methods, reason = "joined below")]
            tokio::spawn(async move { node.act("read_balance", "stripe", json!({})).await.text("decision").to_owned() })
        })
        .collect();
    let mut allowed = 0;
    for call in calls {
        allowed += usize::from(call.await.unwrap() == "ALLOW");
    }
    assert_eq!(allowed, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_published_on_one_node_knows_the_past_of_all_and_is_known_to_all() {
    let rules = "
policy: test
rules:
  - { id: reads, action: read_balance, decision: ALLOW }
  - { id: holds, action: process_refund, decision: REQUIRE_APPROVAL }
";
    let nodes = nodes(3, vec![("test".into(), rules.into())]).await;
    let read = |node: usize| {
        let node = Arc::clone(&nodes[node]);
        async move { node.act("read_balance", "stripe", json!({})).await }
    };
    read(0).await;
    read(1).await;
    let held = nodes[2].guard(&refund(800)).await;
    let late = "
policy: late
rules:
  - { id: cap, action: read_balance, limit: { count: 4, within: 1h, per: [agent], otherwise: BLOCK } }
  - { id: refunds, action: process_refund, limit: { count: 1, within: 1h, per: [agent], otherwise: BLOCK } }
";
    let put = nodes[1].admin(Method::PUT, "/api/v1/policies/late", Some(&json!({ "yaml": late }))).await;
    assert_eq!(put.status, 200, "{put:?}");
    assert!(put.json.get("filling").is_none(), "{put:?}");
    let third = read(2).await;
    assert_eq!((third.text("decision"), &third.json["limits"][0]["used"]), ("ALLOW", &json!("3")), "{third:?}");
    // One that was not there when it was counted.
    let joined = nodes[0].beside(|_| ()).await;
    assert_eq!(joined.act("read_balance", "stripe", json!({})).await.text("decision"), "ALLOW");
    for node in 0..3 {
        assert_eq!(read(node).await.text("reasonCode"), "limit", "node {node}");
    }
    assert_eq!(nodes[1].guard(&refund(1)).await.text("decision"), "BLOCK", "the hold has the share");
    let denied = nodes[0].admin_post(&format!("/api/v1/approvals/{}/deny", held.text("approvalId")), &json!({})).await;
    assert_eq!(denied.status, 200, "{denied:?}");
    assert_eq!(nodes[1].guard(&refund(1)).await.text("decision"), "REQUIRE_APPROVAL", "it has come back");
    assert_eq!(nodes[2].guard(&refund(1)).await.text("decision"), "BLOCK");
    assert_eq!(nodes[0].verify_ledger(), nodes[2].verify_ledger());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_is_voted_here_heard_of_there_and_redeemed_once() {
    let nodes = nodes(3, shipped()).await;
    let key = nodes[0].installed.agent_key.clone();
    let held = nodes[0].guard(&refund(800)).await;
    let id = held.text("approvalId").to_owned();
    let waiting = {
        let (node, key, path) = (nodes[1].clone(), key.clone(), format!("/api/v1/approvals/{id}?wait=10s"));
        #[allow(clippy::disallowed_methods, reason = "joined below")]
        tokio::spawn(async move { node.get_as(&key, &path).await })
    };
    let voted = nodes[2].admin_post(&format!("/api/v1/approvals/{id}/approve"), &json!({})).await;
    assert_eq!(voted.text("status"), "approved", "{voted:?}");
    let heard = waiting.await.unwrap();
    assert_eq!(heard.text("status"), "approved", "{heard:?}");
    let path = format!("/api/v1/approvals/{id}/redeem");
    let redeem = |node: usize| {
        let (node, key, path) = (nodes[node].clone(), key.clone(), path.clone());
        let body = json!({ "redemptionId": format!("r{}", node.address.port()) });
        async move { node.post_as(&key, &path, &body).await }
    };
    let (one, two, three) = tokio::join!(redeem(0), redeem(1), redeem(2));
    let mut answers: Vec<u16> = [&one, &two, &three].iter().map(|answer| answer.status).collect();
    answers.sort_unstable();
    assert_eq!(answers, [200, 409, 409], "{one:?} {two:?} {three:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_the_same_request_on_every_node() {
    let nodes = nodes(2, shipped()).await;
    let mut call = refund(100);
    call["requestId"] = json!("r-1");
    let first = nodes[0].guard(&call).await;
    let again = nodes[1].guard(&call).await;
    assert_eq!((again.text("decision"), &again.json["replayed"]), ("ALLOW", &json!(true)), "{again:?}");
    assert_eq!(again.json["ledger"]["index"], first.json["ledger"]["index"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_and_workspaces_are_known_everywhere_and_a_revoked_key_nowhere() {
    let nodes = nodes(2, shipped()).await;
    let (agent, key) = nodes[0].agent("other").await;
    let call = json!({ "action": { "type": "read_balance", "target": "stripe" } });
    soon(async || nodes[1].post_as(&key, "/api/v1/guard", &call).await, |answer| answer.status == 200).await;
    let keys = nodes[0].admin_get(&format!("/api/v1/agents/{agent}/keys")).await;
    let path = format!("/api/v1/keys/{}/revoke", keys.json["keys"][0]["id"].as_str().unwrap());
    let revoked = nodes[0].admin_post(&path, &json!({})).await;
    assert_eq!(revoked.status, 200, "{revoked:?}");
    let refused = nodes[1].post_as(&key, "/api/v1/guard", &call).await;
    assert_eq!(refused.status, 401, "no decision is made for it from then on: {refused:?}");

    let made = nodes[1].admin_post("/api/v1/workspaces", &json!({ "name": "other" })).await;
    assert_eq!(made.status, 201, "{made:?}");
    let look = async || nodes[0].admin_of("other", Method::GET, "/api/v1/policies", None).await;
    soon(look, |answer| answer.status == 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_node_makes_the_lists_and_all_of_them_show_them() {
    let nodes = nodes(2, shipped()).await;
    for call in 0..20 {
        nodes[call % 2].act("read_balance", "stripe", json!({})).await;
    }
    for node in &nodes {
        let list = async || node.admin_get("/api/v1/decisions").await;
        let listed = soon(list, |answer| answer.json["decisions"].as_array().is_some_and(|all| all.len() == 20)).await;
        assert_eq!(listed.status, 200);
    }
    let counted = nodes[0]
        .database()
        .unwrap()
        .execute("SELECT sum(allowed) FROM runplane.tallies WHERE dimension = 'all' AND span_us = 60000000");
    assert_eq!(counted.as_deref(), Some("20"), "each decision is counted once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_with_another_key_is_refused() {
    let nodes = nodes(1, shipped()).await;
    let folder = tempfile::tempdir().unwrap();
    let database = Some(nodes[0].database().unwrap().address());
    let place = Place { data: folder.path().to_owned(), database };
    let missing = place.seeds().err().unwrap().to_string();
    assert!(missing.contains("ledger.key"), "{missing}");
    let seeds = Seeds { ledger: [1; 32], permit: [2; 32] };
    let options = Options::new(place.clone(), SocketAddr::from(([127, 0, 0, 1], 0)));
    let store: Arc<dyn runplane_store::Store> = place.open().unwrap();
    let refused = start_with(options, store, nodes[0].clock.clone(), &seeds).await.err().unwrap().to_string();
    assert!(refused.contains("ledger key"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_freezes_in_its_turn_loses_it_and_decides_nothing_late() {
    let first = Server::at(Home::shared(), vec![("test".into(), POLICY_OF_THREE.into())]).await;
    let frozen = first.beside(|home| home.options.idle_in_turn = Duration::from_millis(300)).await;
    let before = first.verify_ledger();
    frozen.store.hold_commits();
    let (lost, ()) = tokio::join!(frozen.act("read_balance", "stripe", json!({})), async {
        let store = frozen.store.clone();
        tokio::task::spawn_blocking(move || store.wait_for_held_commits(1)).await.unwrap();
        // It has the lock and moves no more. The other one is not kept from deciding.
        for decision in ["ALLOW", "ALLOW", "ALLOW", "BLOCK"] {
            let answer = first.act("read_balance", "stripe", json!({})).await;
            assert_eq!(answer.text("decision"), decision, "{answer:?}");
        }
        frozen.store.release_commits();
    });
    assert_eq!((lost.status, lost.text("error")), (503, "audit_unavailable"), "{lost:?}");
    assert_eq!(first.verify_ledger(), before + 4, "nothing of the lost turn is on the ledger");
    first.advance(1);
    let late = frozen.act("read_balance", "stripe", json!({})).await;
    assert_eq!(late.text("decision"), "BLOCK", "it knows what was decided meanwhile: {late:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_lost_is_answered_all_the_same() {
    let first = Arc::new(Server::at(Home::shared(), shipped()).await);
    let proxy = Proxy::before(&first.database().unwrap().address());
    let through = runplane_store::Address::parse(&proxy.url(first.database().unwrap().address().database())).unwrap();
    let node = first.beside(|home| home.address = Some(through)).await;
    assert_eq!(node.act("read_balance", "stripe", json!({})).await.text("decision"), "ALLOW");
    let size = first.verify_ledger();
    node.store.hold_commits();
    let call = refund(100);
    let (answer, ()) = tokio::join!(node.guard(&call), async {
        let store = node.store.clone();
        tokio::task::spawn_blocking(move || store.wait_for_held_commits(1)).await.unwrap();
        proxy.lose_answers(true);
        node.store.release_commits();
        let stored = "SELECT size FROM runplane.heads";
        let (watched, old) = (Arc::clone(&first), size.to_string());
        let arrived = move || watched.database().unwrap().until(stored, |size| size != Some(old.as_str()));
        tokio::task::spawn_blocking(arrived).await.unwrap();
        proxy.lose_answers(false);
    });
    assert_eq!((answer.status, answer.text("decision")), (200, "ALLOW"), "{answer:?}");
    assert_eq!(first.verify_ledger(), size + 1, "recorded once");
    proxy.cut();
    let after = node.guard(&refund(50)).await;
    assert_eq!(after.text("decision"), "ALLOW", "a cut connection is made again: {after:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_snapshot_that_somebody_keeps_open_changes_no_decision() {
    let nodes = nodes(2, vec![("test".into(), POLICY_OF_THREE.into())]).await;
    let watched = Arc::clone(&nodes[0]);
    let foreign = tokio::task::spawn_blocking(move || {
        let database = watched.database().unwrap();
        database.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT size FROM runplane.heads; SELECT pg_sleep(3)")
    });
    let mut decided = Vec::new();
    while !foreign.is_finished() {
        let answer = nodes[decided.len() % 2].act("read_balance", "stripe", json!({})).await;
        decided.push(answer.text("decision").to_owned());
    }
    foreign.await.unwrap();
    assert!(decided.len() > 10, "decisions went on: {}", decided.len());
    assert_eq!(decided.iter().filter(|decision| *decision == "ALLOW").count(), 3);
    assert_eq!(decided.iter().filter(|decision| *decision == "BLOCK").count(), decided.len() - 3);
}
