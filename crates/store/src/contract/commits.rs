//! The commit: whole, exact, fenced and durable.

use super::Place;
use super::samples::{self, Chain};
use crate::{Change, Payload, Store, StoredPayload};

pub fn a_new_workspace_has_the_head_of_its_first_batch(place: &dyn Place) {
    let store = place.open();
    let chain = Chain::begin(&*store, "one");
    assert_eq!(store.list_workspaces().unwrap(), [samples::workspace("one")]);
    assert_eq!(store.load_head("ws_one").unwrap(), samples::head(1));
    assert_eq!(store.load_head("ws_one").unwrap(), chain.head);
    assert_eq!(store.read_entries("ws_one", 0, 10).unwrap().len(), 1);
    assert_eq!(store.read_checkpoints("ws_one", 0, 10).unwrap().len(), 1);
}

pub fn a_commit_writes_exactly_its_batch(place: &dyn Place) {
    let store = place.open();
    let mut chain = Chain::begin(&*store, "one");
    let mut batch = chain.next_full(3);
    batch.documents.push(Change::Put { kind: "policy".into(), key: "a".into(), bytes: b"text".to_vec() });
    chain.commit(&*store, &batch);
    assert_batch_is_stored(&*store, &batch);
    assert_eq!(store.load_head("ws_one").unwrap(), batch.head);
    assert_eq!(store.load_payload("ws_one", 0).unwrap(), Payload::NotKept);
    assert_eq!(store.load_execution("ws_one", 0).unwrap(), None);
}

pub fn what_was_committed_is_there_after_reopening(place: &dyn Place) {
    let store = place.open();
    let mut chain = Chain::begin(&*store, "one");
    let batch = chain.next_full(5);
    chain.commit(&*store, &batch);
    drop(store);
    let store = place.open();
    assert_batch_is_stored(&*store, &batch);
    let next = chain.next(1);
    chain.commit(&*store, &next);
}

/// Every row of the batch reads back as it was given.
pub(super) fn assert_batch_is_stored(store: &dyn Store, batch: &crate::Batch) {
    let rows = store.read_entries("ws_one", batch.expected_size, batch.entries.len()).unwrap();
    assert_eq!(rows.len(), batch.entries.len());
    for ((row, entry), index) in rows.iter().zip(&batch.entries).zip(batch.expected_size..) {
        assert_eq!((row.index, &row.bytes, row.leaf_hash), (index, &entry.bytes, entry.leaf_hash));
    }
    let notes = store.read_checkpoints("ws_one", batch.head.size, 1).unwrap();
    assert_eq!((notes[0].size, &notes[0].note), (batch.head.size, &batch.head.checkpoint));
    for payload in &batch.payloads {
        let stored = StoredPayload {
            salt: payload.salt,
            bytes: payload.bytes.clone(),
            retention: payload.retention,
            erase_after_us: payload.erase_after_us,
        };
        assert_eq!(store.load_payload("ws_one", payload.index).unwrap(), Payload::Present(stored));
    }
    for request in &batch.requests {
        let loaded = store.load_request("ws_one", &request.agent, &request.request_id).unwrap();
        assert_eq!(loaded.as_ref(), Some(request));
    }
    for execution in &batch.executions {
        assert_eq!(store.load_execution("ws_one", execution.index).unwrap().as_ref(), Some(execution));
    }
    for approval in &batch.approvals {
        assert_eq!(store.load_approval("ws_one", &approval.id).unwrap().as_ref(), Some(approval));
    }
    for change in &batch.documents {
        if let Change::Put { kind, key, bytes } = change {
            assert_eq!(store.load_document("ws_one", kind, key).unwrap().as_ref(), Some(bytes));
        }
    }
}
