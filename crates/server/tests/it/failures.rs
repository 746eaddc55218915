//! A disk that fails never yields an answer without a record, and never corrupts state.

use crate::harness::{Server, until};
use runplane_store::fault::{Condition, Fault};
use serde_json::{Value, json};

fn refund(request_id: &str, amount: i64) -> Value {
    json!({ "requestId": request_id,
            "action": { "type": "process_refund", "target": "stripe", "context": { "amount": amount } } })
}

/// Every fault of a commit, and whether the decision is on disk all the same.
pub const FAULTS: [(Fault, bool); 4] =
    [(Fault::BeforeCommit, false), (Fault::AfterCommit, true), (Fault::LostCommit, false), (Fault::HeadMoved, false)];

#[tokio::test]
async fn a_failed_commit_is_no_answer_and_the_retry_gets_the_recorded_one() {
    for (fault, recorded) in FAULTS {
        let server = Server::start().await;
        let before = server.verify_ledger();
        server.store.inject(fault);
        let failed = server.guard(&refund("r-1", 100)).await;
        assert_eq!((failed.status, failed.text("error")), (503, "audit_unavailable"), "{fault:?} {failed:?}");
        // State is loaded again at most every so often.
        server.advance(1);
        let retried = server.guard(&refund("r-1", 100)).await;
        assert_eq!((retried.status, retried.text("decision")), (200, "ALLOW"), "{fault:?} {retried:?}");
        assert_eq!(retried.json["replayed"], json!(recorded), "{fault:?}");
        assert_eq!(server.verify_ledger(), before + 1, "{fault:?}");
    }
}

#[tokio::test]
async fn while_the_disk_is_full_nothing_is_allowed_and_nothing_breaks() {
    let server = Server::start().await;
    let held = server.act("process_refund", "stripe", json!({ "amount": 800 })).await;
    let id = held.text("approvalId").to_owned();
    let before = server.verify_ledger();
    for condition in [Condition::DiskFull, Condition::Gone] {
        server.store.set(condition);
        for _ in 0..3 {
            let answer = server.act("read_balance", "stripe", json!({})).await;
            assert_eq!((answer.status, answer.text("error")), (503, "audit_unavailable"), "{condition:?}");
            let vote = server.admin_post(&format!("/api/v1/approvals/{id}/approve"), &json!({})).await;
            assert_eq!(vote.status, 503, "{condition:?} {vote:?}");
            server.advance(1);
        }
        server.store.set(Condition::Sound);
        server.advance(1);
        assert_eq!(server.act("read_balance", "stripe", json!({})).await.text("decision"), "ALLOW", "{condition:?}");
    }
    assert_eq!(server.verify_ledger(), before + 2);
    let approved = server.admin_post(&format!("/api/v1/approvals/{id}/approve"), &json!({})).await;
    assert_eq!(approved.text("status"), "approved", "{approved:?}");
}

#[tokio::test]
async fn a_limit_counts_what_an_unknown_commit_recorded() {
    let server = Server::with_policy(crate::limits::POLICY_OF_THREE).await;
    server.store.inject(Fault::AfterCommit);
    assert_eq!(server.act("read_balance", "stripe", json!({})).await.status, 503);
    server.advance(1);
    assert_eq!(server.act("read_balance", "stripe", json!({})).await.text("decision"), "ALLOW");
    assert_eq!(server.act("read_balance", "stripe", json!({})).await.text("decision"), "ALLOW");
    assert_eq!(server.act("read_balance", "stripe", json!({})).await.text("decision"), "BLOCK");
    let server = server.restart().await;
    assert_eq!(server.act("read_balance", "stripe", json!({})).await.text("decision"), "BLOCK");
}

#[tokio::test]
async fn a_call_that_waits_too_long_is_dropped_undecided() {
    let server = Server::start().await;
    let before = server.verify_ledger();
    server.store.hold_commits();
    let (first, late) = tokio::join!(server.act("read_balance", "stripe", json!({})), async {
        let store = server.store.clone();
        tokio::task::spawn_blocking(move || store.wait_for_held_commits(1)).await.unwrap();
        let waiting = server.act("read_balance", "stripe", json!({}));
        let moving = async {
            // The second call is queued behind the held commit before time passes.
            until("a call waits", || server.queued() > 0).await;
            server.advance(3);
            server.store.release_commits();
        };
        tokio::join!(waiting, moving).0
    });
    assert_eq!(first.text("decision"), "ALLOW", "{first:?}");
    assert_eq!((late.status, late.text("error")), (503, "overloaded"), "{late:?}");
    assert_eq!(server.verify_ledger(), before + 1);
}
