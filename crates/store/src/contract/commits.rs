//! The commit: whole, exact, fenced and durable.

use super::Place;
use super::samples::{self, Chain};
use crate::{Batch, Change, CommitError, Payload, Store, StoreError, StoredPayload};

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
    batch.documents.push(Change::Put { kind: "policy".into(), key: "a".into(), bytes: b"text".to_vec().into() });
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

pub fn a_workspace_is_inserted_once(place: &dyn Place) {
    let store = place.open();
    let chain = Chain::begin(&*store, "one");
    let first = Batch::of_entries(0, [0; 16], samples::head(1), samples::entries("other", 0, 1));
    let mut same_name = samples::workspace("one");
    same_name.id = "ws_other".into();
    for taken in [samples::workspace("one"), same_name] {
        assert_eq!(store.insert_workspace(&taken, &first), Err(CommitError::WorkspaceExists));
    }
    assert_eq!(store.list_workspaces().unwrap(), [samples::workspace("one")]);
    assert_eq!(store.load_head("ws_one").unwrap(), chain.head);
    assert_eq!(store.load_head("ws_other"), Err(StoreError::UnknownWorkspace("ws_other".into())));
}

pub fn an_unknown_workspace_is_an_error_everywhere(place: &dyn Place) {
    let store = place.open();
    let chain = Chain::begin(&*store, "one");
    let batch = chain.next(1);
    let unknown = StoreError::UnknownWorkspace("ws_no".into());
    assert!(matches!(store.commit_batch("ws_no", &batch), Err(CommitError::NotCommitted(_))));
    let errors = [
        store.load_head("ws_no").unwrap_err(),
        store.find_requests("ws_no", &[("a", "b")]).unwrap_err(),
        store.read_entries("ws_no", 0, 1).unwrap_err(),
        store.read_checkpoints("ws_no", 0, 1).unwrap_err(),
        store.load_documents("ws_no", &[]).unwrap_err(),
        store.load_document("ws_no", "a", "b").unwrap_err(),
        store.load_request("ws_no", "a", "b").unwrap_err(),
        store.load_execution("ws_no", 0).unwrap_err(),
        store.load_approval("ws_no", "a").unwrap_err(),
        store.list_approvals("ws_no", &Default::default()).unwrap_err(),
        store.list_open_approvals("ws_no").unwrap_err(),
        store.approvals_of("ws_no", &[1]).unwrap_err(),
        store.count_approvals("ws_no", &Default::default()).unwrap_err(),
        store.load_payload("ws_no", 0).unwrap_err(),
        store.erase_payloads("ws_no", 0, 1).unwrap_err(),
        store.save_snapshot("ws_no", &crate::Snapshot { size: 0, bytes: vec![] }).unwrap_err(),
        store.load_snapshots("ws_no").unwrap_err(),
        store.project_decisions("ws_no", &[], 0).unwrap_err(),
        store.projection_cursor("ws_no").unwrap_err(),
        store.reset_projection("ws_no").unwrap_err(),
        store.list_decisions("ws_no", &Default::default()).unwrap_err(),
        store.find_decisions("ws_no", "a", None, 1).unwrap_err(),
    ];
    assert!(errors.iter().all(|error| *error == unknown), "{errors:?}");
}

pub fn a_batch_on_another_head_writes_nothing(place: &dyn Place) {
    let store = place.open();
    let mut chain = Chain::begin(&*store, "one");
    let late = chain.next_full(2);
    let mut winner = chain.next(1);
    winner.head.nonce = [9; 16];
    chain.commit(&*store, &winner);
    assert_eq!(store.commit_batch("ws_one", &late), Err(CommitError::HeadMoved));
    let mut right_size_wrong_nonce = chain.next_full(1);
    right_size_wrong_nonce.expected_nonce = [8; 16];
    assert_eq!(store.commit_batch("ws_one", &right_size_wrong_nonce), Err(CommitError::HeadMoved));
    let mut from_nothing = late.clone();
    from_nothing.expected_size = 0;
    from_nothing.head.size = 2;
    from_nothing.payloads.clear();
    from_nothing.requests.clear();
    from_nothing.executions.clear();
    from_nothing.approvals.clear();
    assert_eq!(store.commit_batch("ws_one", &from_nothing), Err(CommitError::HeadMoved));
    assert_eq!(store.load_head("ws_one").unwrap(), winner.head);
    assert_eq!(store.read_entries("ws_one", 0, 10).unwrap().len(), 2);
    assert_eq!(store.load_payload("ws_one", 1).unwrap(), Payload::NotKept);
    assert_eq!(store.list_open_approvals("ws_one").unwrap(), []);
}

pub fn of_two_writers_on_one_head_one_wins(place: &dyn Place) {
    let store = place.open();
    let mut chain = Chain::begin(&*store, "one");
    for _ in 0..20 {
        let rivals: Vec<Batch> = (1..=4)
            .map(|rival| {
                let mut batch = chain.next_full(rival);
                batch.head.nonce[0] = u8::try_from(rival).unwrap();
                batch
            })
            .collect();
        let store = &*store;
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                rivals.iter().map(|batch| scope.spawn(move || store.commit_batch("ws_one", batch))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let winners: Vec<_> = rivals.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()).collect();
        assert_eq!(winners.len(), 1, "{outcomes:?}");
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(()) | Err(CommitError::HeadMoved))));
        assert_batch_is_stored(store, winners[0].0);
        chain.head = winners[0].0.head.clone();
        assert_eq!(store.load_head("ws_one").unwrap(), chain.head);
        let stored = store.read_entries("ws_one", 0, crate::MAX_PAGE).unwrap().len();
        assert_eq!(u64::try_from(stored).unwrap(), chain.head.size);
    }
}

pub fn a_batch_that_does_not_add_up_is_refused(place: &dyn Place) {
    let store = place.open();
    let chain = Chain::begin(&*store, "one");
    let sound = chain.next_full(2);
    type Spoil = fn(&mut Batch);
    let spoils: [(&str, Spoil); 12] = [
        ("no entry", |batch| *batch = Batch::of_entries(1, batch.expected_nonce, samples::head(1), vec![])),
        ("size too small", |batch| batch.head.size = 2),
        ("size too large", |batch| batch.head.size = 4),
        ("nonce kept", |batch| batch.head.nonce = batch.expected_nonce),
        ("payload of another entry", |batch| batch.payloads[0].index = 0),
        ("two payloads of one entry", |batch| batch.payloads[1].index = 1),
        ("request of another entry", |batch| batch.requests[0].index = 3),
        ("execution of no entry", |batch| batch.executions[0].index = 3),
        ("approval of no entry", |batch| batch.approvals[0].index = 3),
        ("two approvals of one entry", |batch| batch.approvals[0].index = 2),
        ("epoch goes back", |batch| batch.head.epoch = 0),
        ("time goes back", |batch| batch.head.time_us = samples::START_US),
    ];
    for (what, spoil) in spoils {
        let mut batch = sound.clone();
        spoil(&mut batch);
        let outcome = store.commit_batch("ws_one", &batch);
        assert!(matches!(outcome, Err(CommitError::NotCommitted(_))), "{what}: {outcome:?}");
        assert_eq!(store.load_head("ws_one").unwrap(), chain.head, "{what}");
        assert_eq!(store.read_entries("ws_one", 1, 10).unwrap(), [], "{what}");
    }
    assert_eq!(store.commit_batch("ws_one", &sound), Ok(()));
}

pub fn a_request_id_is_stored_once_per_agent(place: &dyn Place) {
    let store = place.open();
    let mut chain = Chain::begin(&*store, "one");
    let batch = chain.next_full(1);
    chain.commit(&*store, &batch);
    let mut again = chain.next_full(1);
    again.requests[0].request_id = "request 1".into();
    assert!(matches!(store.commit_batch("ws_one", &again), Err(CommitError::NotCommitted(_))));
    assert_eq!(store.load_head("ws_one").unwrap(), chain.head);
    assert_eq!(store.load_payload("ws_one", 2).unwrap(), Payload::NotKept);
    again.requests[0].agent = "agt_b".into();
    chain.commit(&*store, &again);
    let found = store.find_requests("ws_one", &[("agt_b", "request 1"), ("agt_b", "no"), ("agt_a", "request 1")]);
    assert_eq!(found.unwrap(), [Some(again.requests[0].clone()), None, Some(batch.requests[0].clone())]);
}

pub fn executions_and_approvals_are_replaced_documents_put_and_deleted(place: &dyn Place) {
    let store = place.open();
    let mut chain = Chain::begin(&*store, "one");
    let put = |kind: &str, key: &str, bytes: &[u8]| Change::Put {
        kind: kind.into(),
        key: key.into(),
        bytes: bytes.to_vec().into(),
    };
    let mut batch = chain.next_full(1);
    batch.documents = vec![put("policy", "b", b"1"), put("policy", "a", b"1"), put("agent", "a", b"1")];
    chain.commit(&*store, &batch);

    let mut later = chain.next(1);
    later.executions = vec![crate::Execution { index: 1, status: "succeeded".into(), bytes: vec![2] }];
    later.approvals = vec![samples::approval(1, "approved", false)];
    later.documents = vec![put("policy", "b", b"2"), Change::Delete { kind: "agent".into(), key: "a".into() }];
    chain.commit(&*store, &later);

    assert_batch_is_stored(&*store, &later);
    assert_eq!(store.load_document("ws_one", "agent", "a").unwrap(), None);
    let documents = store.load_documents("ws_one", &[]).unwrap();
    let names: Vec<_> = documents.iter().map(|d| (d.kind.as_str(), d.key.as_str(), d.bytes.as_slice())).collect();
    assert_eq!(names, [("policy", "a", b"1".as_slice()), ("policy", "b", b"2".as_slice())]);
    assert_eq!(store.load_documents("ws_one", &["policy"]).unwrap(), documents);
    assert_eq!(store.load_documents("ws_one", &["agent", "key"]).unwrap(), []);

    // However they are stored.
    let long = b"{ id: more, action: refund_payment }\n".repeat(2_000);
    let mut longer = chain.next(1);
    longer.documents = vec![put("policy", "a", &long)];
    chain.commit(&*store, &longer);
    assert_eq!(store.load_document("ws_one", "policy", "a").unwrap(), Some(long.clone()));
    assert_eq!(store.load_documents("ws_one", &["policy"]).unwrap()[0].bytes, long);
    store.keep_document("ws_one", "policy", "a", Some(b"kept")).unwrap();
    assert_eq!(store.load_document("ws_one", "policy", "a").unwrap(), Some(b"kept".to_vec()));
}

pub fn workspaces_do_not_see_each_other(place: &dyn Place) {
    let store = place.open();
    let mut one = Chain::begin(&*store, "one");
    let two = Chain::begin(&*store, "two");
    let mut batch = one.next_full(3);
    batch.documents = vec![Change::Put { kind: "policy".into(), key: "a".into(), bytes: vec![1].into() }];
    one.commit(&*store, &batch);
    assert_eq!(store.load_head("ws_two").unwrap(), two.head);
    assert_eq!(store.read_entries("ws_two", 0, 10).unwrap().len(), 1);
    assert_eq!(store.load_documents("ws_two", &[]).unwrap(), []);
    assert_eq!(store.load_request("ws_two", "agt_a", "request 1").unwrap(), None);
    assert_eq!(store.load_approval("ws_two", "apr_1").unwrap(), None);
    assert_eq!(store.load_payload("ws_two", 1).unwrap(), Payload::NotKept);
    assert_eq!(store.load_execution("ws_two", 1).unwrap(), None);
    assert_eq!(store.list_open_approvals("ws_two").unwrap(), []);
    let names: Vec<_> = store.list_workspaces().unwrap().into_iter().map(|workspace| workspace.name).collect();
    assert_eq!(names, ["one", "two"]);
}

pub fn entries_and_checkpoints_are_read_in_pages(place: &dyn Place) {
    let store = place.open();
    let mut chain = Chain::begin(&*store, "one");
    for count in [4, 1, 5] {
        let batch = chain.next(count);
        chain.commit(&*store, &batch);
    }
    let indexes = |from, limit| -> Vec<u64> {
        store.read_entries("ws_one", from, limit).unwrap().iter().map(|row| row.index).collect()
    };
    assert_eq!(indexes(0, 3), [0, 1, 2]);
    assert_eq!(indexes(9, 100), [9, 10]);
    assert_eq!(indexes(11, 100), [] as [u64; 0]);
    assert_eq!(indexes(0, 0), [] as [u64; 0]);
    let sizes = |from, limit| -> Vec<u64> {
        store.read_checkpoints("ws_one", from, limit).unwrap().iter().map(|note| note.size).collect()
    };
    assert_eq!(sizes(0, 100), [1, 5, 6, 11]);
    assert_eq!(sizes(5, 2), [5, 6]);
}

pub fn bytes_and_ids_are_kept_as_they_are(place: &dyn Place) {
    let store = place.open();
    let mut chain = Chain::begin(&*store, "one");
    let mut batch = chain.next_full(1);
    batch.entries[0].bytes = (0..=255).collect();
    batch.payloads[0].bytes = vec![0; 300_000];
    batch.requests[0].request_id = "'; DROP TABLE entries; --".into();
    batch.requests[0].agent = "ÅÄÖ 漢字 \u{0}".into();
    batch.approvals[0].bytes = Vec::new();
    chain.commit(&*store, &batch);
    assert_batch_is_stored(&*store, &batch);
}

/// Every row of the batch reads back as it was given.
pub(crate) fn assert_batch_is_stored(store: &dyn Store, batch: &Batch) {
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
            assert_eq!(store.load_document("ws_one", kind, key).unwrap().as_deref(), Some(&*bytes.restored()));
        }
    }
}
