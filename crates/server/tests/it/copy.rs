//! An installation moves from the embedded database to PostgreSQL, and nothing is different afterwards.

use crate::harness::{Home, Server};
use crate::limits::POLICY_OF_THREE;
use runplane_server::Place;
use runplane_server::copy::{Phase, copy};
use runplane_store::Store;
use runplane_store::fault::{Fault, FaultStore};
use runplane_store::postgres::testing::Database;
use serde_json::{Value, json};
use std::sync::Arc;

const POLICY: &str = "
policy: more
rules:
  - { id: held, action: process_refund, decision: REQUIRE_APPROVAL }
  - { id: free, action: create_charge, decision: ALLOW }
";

fn charge(request: &str) -> Value {
    json!({ "requestId": request, "action": { "type": "create_charge", "target": "stripe", "context": { "amount": 5 } } })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_goes_on_where_the_original_stopped() {
    let policies = vec![("test".to_owned(), POLICY_OF_THREE.to_owned()), ("more".to_owned(), POLICY.to_owned())];
    let server = Server::at(Home::embedded(), policies).await;
    let key = server.installed.agent_key.clone();
    for _ in 0..2 {
        assert_eq!(server.act("read_balance", "stripe", json!({})).await.text("decision"), "ALLOW");
    }
    let first = server.guard(&charge("r-1")).await;
    let held = server.act("process_refund", "stripe", json!({ "amount": 800 })).await;
    let id = held.text("approvalId").to_owned();
    // More than one step of the copy.
    let more: Vec<_> = (0..2_300).map(|call| server.guard_later(charge(&format!("more-{call}")))).collect();
    for call in more {
        assert_eq!(call.await.unwrap().text("decision"), "ALLOW");
    }
    server.person("approver").await;
    let size = server.verify_ledger();

    let database = Database::create();
    let server = server
        .restart_with(|home| {
            let (source, seeds) = (Place::embedded(home.place().data), home.place().seeds().unwrap());
            let (from, to) = (source.open().unwrap(), FaultStore::new(database.open()));
            to.inject(Fault::BeforeCommit);
            assert!(copy(&*from, &to, &seeds, |_| ()).is_err(), "nothing of it yet");
            let mut steps = 0;
            let interrupted = copy(&*from, &to, &seeds, |progress| {
                steps += 1;
                if progress.phase == Phase::Copying && progress.done > 0 && progress.done < progress.of {
                    to.inject(Fault::AfterCommit);
                }
            });
            assert!(interrupted.is_err(), "interrupted in the middle");
            assert_eq!(to.load_installation().unwrap(), None, "half a copy is no installation");
            let copied = copy(&*from, &to, &seeds, |_| ()).unwrap();
            assert_eq!((copied.len(), copied[0].entries), (1, size));
            assert!(copy(&*from, &to, &seeds, |_| ()).is_err(), "it is done once");
            drop(to);
            home.database = Some(Arc::new(database));
        })
        .await;
    assert_eq!(server.verify_ledger(), size, "the same ledger, which verifies and can be recomputed");
    let again = server.guard(&charge("r-1")).await;
    assert_eq!(
        (&again.json["replayed"], &again.json["ledger"]["index"]),
        (&json!(true), &first.json["ledger"]["index"])
    );
    assert_eq!(server.act("read_balance", "stripe", json!({})).await.text("decision"), "ALLOW", "the third of three");
    assert_eq!(server.act("read_balance", "stripe", json!({})).await.text("decision"), "BLOCK");
    let voted = server.admin_post(&format!("/api/v1/approvals/{id}/approve"), &json!({})).await;
    assert_eq!(voted.text("status"), "approved", "{voted:?}");
    let redeemed =
        server.post_as(&key, &format!("/api/v1/approvals/{id}/redeem"), &json!({ "redemptionId": "r" })).await;
    assert_eq!(redeemed.text("decision"), "ALLOW", "{redeemed:?}");
    let users = server.admin_get("/api/v1/users").await;
    assert_eq!(users.json["users"].as_array().map(Vec::len), Some(1), "{users:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_not_gone_on_with_from_a_source_that_moved() {
    let server = Server::at(Home::embedded(), vec![("more".to_owned(), POLICY.to_owned())]).await;
    server.guard(&charge("r-1")).await;
    let database = Database::create();
    let to = FaultStore::new(database.open());
    let server = server
        .restart_with(|home| {
            let (from, seeds) = (Place::embedded(home.place().data).open().unwrap(), home.place().seeds().unwrap());
            to.inject(Fault::AfterCommit);
            assert!(copy(&*from, &to, &seeds, |_| ()).is_err(), "interrupted");
        })
        .await;
    let copied = to.load_head(&to.list_workspaces().unwrap()[0].id).unwrap();
    // What the copy has of these it would not read again.
    server.guard(&charge("r-2")).await;
    let home = server.stopped().await;
    let ((_, from), seeds) = (home.open().await, home.place().seeds().unwrap());
    let refused = copy(&*from, &to, &seeds, |_| ()).err().map(|refused| refused.to_string()).unwrap_or_default();
    assert!(refused.contains("the source has changed since"), "{refused}");
    assert_eq!(to.load_installation().unwrap(), None, "and no server starts on what there is of it");
    assert_eq!(to.load_head(&to.list_workspaces().unwrap()[0].id).unwrap(), copied);
}
