//! A newer program brings the database up to date while nodes of this version decide on it.
//!
//! What the newer version says of this one is all that differs: that it may go on, or that it may not.

use crate::harness::{Home, Server};
use crate::limits::POLICY_OF_THREE;
use runplane_store::PostgresStore;
use runplane_store::postgres::testing::patient;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

const MORE: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS runplane.moods (mood text)",
    "ALTER TABLE runplane.heads ADD COLUMN mood text DEFAULT 'fine'; ALTER TABLE runplane.entries ADD COLUMN mood text",
];
const POLICY: &str = "
policy: more
rules:
  - { id: free, action: create_charge, decision: ALLOW }
  - { id: held, action: process_refund, decision: REQUIRE_APPROVAL }
";

fn policies() -> Vec<(String, String)> {
    vec![("test".to_owned(), POLICY_OF_THREE.to_owned()), ("more".to_owned(), POLICY.to_owned())]
}

/// Clients of a node, until they are told to stop; how often they were answered with each status.
async fn ask(node: Arc<Server>, stop: Arc<AtomicBool>) -> (usize, usize) {
    let (mut decided, mut failed) = (0, 0);
    while !stop.load(Ordering::Relaxed) {
        // Every entry is decided again when the ledger is verified in the end: a few hundred are enough.
        tokio::time::sleep(Duration::from_millis(25)).await;
        let answer = node.act("create_charge", "stripe", json!({ "amount": 5 })).await;
        match (answer.status, answer.text("decision"), answer.text("error")) {
            (200, "ALLOW", _) => decided += 1,
            (503, _, "audit_unavailable" | "store_unavailable" | "overloaded") => failed += 1,
            _ => panic!("{answer:?}"),
        }
    }
    (decided, failed)
}

/// Two clients of each node.
struct Asking {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<(usize, usize)>>,
}

impl Asking {
    #[allow(clippy::disallowed_methods, reason = "joined when they are told to stop")]
    fn of(first: &Arc<Server>, second: &Arc<Server>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let clients = [first, second, first, second];
        let clients = clients.map(|node| tokio::spawn(ask(Arc::clone(node), Arc::clone(&stop)))).into_iter().collect();
        Self { stop, clients }
    }

    /// How many calls were decided, and how many were sent away.
    async fn stop(self) -> (usize, usize) {
        self.stop.store(true, Ordering::Relaxed);
        let mut sum = (0, 0);
        for client in self.clients {
            let (decided, failed) = client.await.unwrap();
            sum = (sum.0 + decided, sum.1 + failed);
        }
        sum
    }
}

async fn two_nodes() -> (Arc<Server>, Arc<Server>) {
    let first = Arc::new(Server::at(Home::shared(), policies()).await);
    let second = Arc::new(first.beside(|_| ()).await);
    (first, second)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_decide_on_through_a_migration_that_allows_it_and_new_ones_join() {
    let (first, second) = two_nodes().await;
    assert_eq!(first.act("read_balance", "stripe", json!({})).await.text("decision"), "ALLOW");
    let held = second.act("process_refund", "stripe", json!({ "amount": 800 })).await;
    let asking = Asking::of(&first, &second);
    let migrating = Arc::clone(&first);
    tokio::task::spawn_blocking(move || migrating.database().unwrap().raise_beyond(true, MORE)).await.unwrap();
    let third = first.beside(|_| ()).await;
    for node in [&first, &second] {
        assert_eq!(node.act("create_charge", "stripe", json!({ "amount": 5 })).await.text("decision"), "ALLOW");
    }
    let (decided, failed) = asking.stop().await;
    assert_eq!(failed, 0, "nobody was sent away");
    assert!(decided > 0);
    // Limits, approvals and the ledger are one, before and after.
    assert_eq!(second.act("read_balance", "stripe", json!({})).await.text("decision"), "ALLOW");
    assert_eq!(third.act("read_balance", "stripe", json!({})).await.text("decision"), "ALLOW");
    assert_eq!(first.act("read_balance", "stripe", json!({})).await.text("decision"), "BLOCK");
    let path = format!("/api/v1/approvals/{}", held.text("approvalId"));
    assert_eq!(third.admin_post(&format!("{path}/approve"), &json!({})).await.text("status"), "approved");
    let key = first.installed.agent_key.clone();
    let redeemed = first.post_as(&key, &format!("{path}/redeem"), &json!({ "redemptionId": "r" })).await;
    assert_eq!(redeemed.text("decision"), "ALLOW", "{redeemed:?}");
    assert_eq!(first.verify_ledger(), third.verify_ledger());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_are_too_old_for_a_migration_decide_nothing_after_it_and_do_not_start() {
    let (first, second) = two_nodes().await;
    let asking = Asking::of(&first, &second);
    let migrating = Arc::clone(&first);
    tokio::task::spawn_blocking(move || migrating.database().unwrap().raise_beyond(false, MORE)).await.unwrap();
    let size = first.verify_ledger();
    for node in [&first, &second] {
        let refused = node.act("create_charge", "stripe", json!({})).await;
        assert_eq!((refused.status, refused.text("error")), (503, "audit_unavailable"), "{refused:?}");
        let thrown = json!({ "scope": "actionType", "value": "read_balance", "reason": "incident" });
        assert_eq!(node.admin_post("/api/v1/containment", &thrown).await.status, 503);
        node.advance(2);
        let ready = node.send(node.client.get(node.url("/readyz"))).await;
        assert_eq!(ready.status, 503, "a balancer sends it nothing more: {ready:?}");
    }
    assert!(asking.stop().await.1 > 0, "nobody was there to be refused");
    assert_eq!(first.verify_ledger(), size, "not one entry was written after the migration");
    let address = first.database().unwrap().address();
    let opened = tokio::task::spawn_blocking(move || PostgresStore::open(&address, &patient())).await.unwrap();
    let why = opened.err().unwrap().to_string();
    assert!(why.contains("needs a newer program"), "{why}");
}
