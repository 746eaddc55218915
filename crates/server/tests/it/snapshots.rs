//! A snapshot that is not what was written for this ledger is no snapshot: the ledger is read instead.

use crate::harness::Server;
use crate::limits::POLICY_OF_THREE;
use runplane_store::{Snapshot, Store};
use serde_json::json;

async fn read(server: &Server) -> String {
    server.act("read_balance", "stripe", json!({})).await.text("decision").to_owned()
}

fn parts_of(store: &dyn Store, workspace: &str, size: u64) -> Vec<Vec<u8>> {
    (0..).map_while(|part| store.load_snapshot_part(workspace, size, part).unwrap()).collect()
}

/// The workspace of a server that has stopped, and its newest snapshot.
fn newest(store: &dyn Store) -> (String, Snapshot) {
    let workspace = store.list_workspaces().unwrap().remove(0).id;
    let snapshot = store.load_snapshots(&workspace).unwrap().remove(0);
    assert_eq!(snapshot.size, store.load_head(&workspace).unwrap().size, "one is taken at a graceful stop");
    assert!(!parts_of(store, &workspace, snapshot.size).is_empty());
    (workspace, snapshot)
}

/// Uses up two of three, has the snapshot changed while the server is down, and finds that one is left.
async fn survives(spoil: impl FnOnce(&dyn Store, &str, Snapshot)) -> Server {
    let server = Server::with_policy(POLICY_OF_THREE).await;
    assert_eq!((read(&server).await, read(&server).await), ("ALLOW".to_owned(), "ALLOW".to_owned()));
    let mut server = server
        .restart_on(|store| {
            let (workspace, snapshot) = newest(store);
            spoil(store, &workspace, snapshot);
        })
        .await;
    assert_eq!((read(&server).await, read(&server).await), ("ALLOW".to_owned(), "BLOCK".to_owned()));
    // What was spoiled is still there, and would be found.
    server.tampered = true;
    server
}

#[tokio::test]
async fn one_that_is_whole_is_gone_on_from() {
    survives(|_, _, _| ()).await.verify_ledger();
}

#[tokio::test]
async fn a_start_that_found_none_leaves_one_although_nothing_came_since() {
    let server = Server::with_policy(POLICY_OF_THREE).await;
    assert_eq!(read(&server).await, "ALLOW");
    let (mut first, mut again) = (Vec::new(), Vec::new());
    let spoil = |store: &dyn Store| {
        let (workspace, mut snapshot) = newest(store);
        first = snapshot.bytes.clone();
        snapshot.bytes[60] ^= 1;
        store.save_snapshot(&workspace, &snapshot).unwrap();
    };
    let server = server.restart_on(spoil).await;
    let server = server.restart_on(|store| again = newest(store).1.bytes).await;
    assert_eq!(first, again, "the same state has the same bytes");
    assert_eq!((read(&server).await, read(&server).await), ("ALLOW".to_owned(), "ALLOW".to_owned()));
    server.verify_ledger();
}

#[tokio::test]
async fn one_with_a_changed_byte_is_refused() {
    for place in [0, 15, 20, 60, 90, 130] {
        survives(move |store, workspace, mut snapshot| {
            let last = snapshot.bytes.len() - 1;
            snapshot.bytes[place.min(last)] ^= 1;
            store.save_snapshot(workspace, &snapshot).unwrap();
        })
        .await;
    }
    survives(|store, workspace, snapshot| {
        let mut part = parts_of(store, workspace, snapshot.size).remove(0);
        let last = part.len() - 1;
        part[last] ^= 1;
        store.put_snapshot_part(workspace, snapshot.size, 0, &part).unwrap();
    })
    .await;
}

#[tokio::test]
async fn one_that_ends_too_early_is_refused() {
    survives(|store, workspace, mut snapshot| {
        snapshot.bytes.truncate(100);
        store.save_snapshot(workspace, &snapshot).unwrap();
    })
    .await;
    survives(|store, workspace, snapshot| {
        let part = parts_of(store, workspace, snapshot.size).remove(0);
        store.put_snapshot_part(workspace, snapshot.size, 0, &part[..part.len() / 2]).unwrap();
    })
    .await;
    survives(|store, workspace, snapshot| store.put_snapshot_part(workspace, snapshot.size, 0, &[]).unwrap()).await;
}

#[tokio::test]
async fn one_of_another_version_is_refused() {
    for bytes in [b"runplane-state-5".to_vec(), br#"{"version":3,"meters":{"counters":[],"filling":[]}}"#.to_vec()] {
        survives(move |store, workspace, snapshot| {
            let mut head = bytes.clone();
            if bytes.len() == 16 {
                // As a later version might write it, with a digest of its own.
                head.extend_from_slice(&snapshot.bytes[16..snapshot.bytes.len() - 32]);
                let digest = runplane_core::digest::sha256(&[&head]);
                head.extend_from_slice(&digest.0);
            }
            store.save_snapshot(workspace, &Snapshot { size: snapshot.size, bytes: head }).unwrap();
        })
        .await;
    }
}

#[tokio::test]
async fn one_of_another_ledger_or_another_index_is_refused() {
    // Another installation, as long, in which nothing was used.
    let other = Server::with_policy(POLICY_OF_THREE).await;
    for _ in 0..2 {
        assert_eq!(other.act("deploy", "prod", json!({})).await.status, 200);
    }
    let home = other.stopped().await;
    let (_, store) = home.open().await;
    let (workspace, foreign) = newest(&*store);
    let parts = parts_of(&*store, &workspace, foreign.size);
    survives(move |store, workspace, own| {
        assert_eq!(own.size, foreign.size);
        for (part, bytes) in (0..).zip(&parts) {
            store.put_snapshot_part(workspace, own.size, part, bytes).unwrap();
        }
        store.save_snapshot(workspace, &foreign).unwrap();
    })
    .await;
    // Its own of before, under the newest index.
    survives(|store, workspace, snapshot| {
        let size = snapshot.size - 1;
        for (part, bytes) in (0..).zip(parts_of(store, workspace, snapshot.size)) {
            store.put_snapshot_part(workspace, size, part, &bytes).unwrap();
        }
        store.save_snapshot(workspace, &Snapshot { size, bytes: snapshot.bytes.clone() }).unwrap();
        store.save_snapshot(workspace, &Snapshot { size: snapshot.size, bytes: Vec::new() }).unwrap();
    })
    .await;
}
