//! Installation, approvals, payloads and snapshots.

use super::Place;
use super::samples::{self, Chain, START_US};
use crate::{Approval, ApprovalFilter, Installation, Payload, Snapshot, Store, StoreError};

pub fn there_is_one_installation(place: &dyn Place) {
    let store = place.open();
    assert_eq!(store.load_installation().unwrap(), None);
    let installation = Installation { id: "ins_1".into(), admin_token_hash: [3; 32], created_us: START_US };
    store.insert_installation(&installation).unwrap();
    let second = Installation { id: "ins_2".into(), ..installation.clone() };
    assert_eq!(store.insert_installation(&second), Err(StoreError::Exists("the installation")));
    drop(store);
    assert_eq!(place.open().load_installation().unwrap(), Some(installation));
}

pub fn approvals_are_listed_newest_first_and_filtered(place: &dyn Place) {
    let store = place.open();
    let mut chain = Chain::begin(&*store, "one");
    let mut batch = chain.next_full(8);
    for approval in &mut batch.approvals {
        if approval.index > 6 {
            approval.status = "approved".into();
        }
        if approval.index <= 2 {
            (approval.status, approval.open) = ("denied".into(), false);
        }
    }
    chain.commit(&*store, &batch);
    let indexes = |approvals: Vec<Approval>| -> Vec<u64> { approvals.iter().map(|approval| approval.index).collect() };
    let list = |filter: ApprovalFilter| indexes(store.list_approvals("ws_one", &filter).unwrap());
    let count = |filter: ApprovalFilter| store.count_approvals("ws_one", &filter).unwrap();
    let all = ApprovalFilter { limit: 100, ..Default::default() };
    let of = |statuses: &[&str]| statuses.iter().map(|status| (*status).to_owned()).collect::<Vec<_>>();

    assert_eq!(list(all.clone()), [8, 7, 6, 5, 4, 3, 2, 1]);
    assert_eq!(list(ApprovalFilter { limit: 3, before: Some(6), ..Default::default() }), [5, 4, 3]);
    assert_eq!(list(ApprovalFilter { statuses: of(&["pending"]), ..all.clone() }), [6, 5, 4, 3]);
    assert_eq!(list(ApprovalFilter { statuses: of(&["denied", "approved"]), ..all.clone() }), [8, 7, 2, 1]);
    let odd = ApprovalFilter { statuses: of(&["pending"]), agent: Some("agt_odd".into()), ..all.clone() };
    assert_eq!(list(odd.clone()), [5, 3]);
    assert_eq!(count(odd), 2);
    assert_eq!(count(ApprovalFilter { limit: 1, before: Some(2), ..Default::default() }), 8);
    assert_eq!(indexes(store.list_open_approvals("ws_one").unwrap()), [3, 4, 5, 6, 7, 8]);
    assert_eq!(indexes(store.approvals_of("ws_one", &[7, 0, 2, 99]).unwrap()), [2, 7]);
    assert_eq!(indexes(store.approvals_of("ws_one", &[]).unwrap()), [] as [u64; 0]);
    assert_eq!(store.load_approval("ws_one", "apr_no").unwrap(), None);
}

pub fn payloads_are_erased_when_their_time_has_come(place: &dyn Place) {
    let store = place.open();
    let mut chain = Chain::begin(&*store, "one");
    let mut batch = chain.next(6);
    batch.payloads = (1..=5)
        .map(|index| samples::payload(index, (index != 5).then(|| START_US + i64::try_from(index).unwrap())))
        .collect();
    chain.commit(&*store, &batch);
    let entries = store.read_entries("ws_one", 0, 10).unwrap();
    let together = || {
        let one = |index| (index, store.load_payload("ws_one", index).unwrap());
        let all: Vec<_> = (2..6).map(one).filter(|(_, payload)| *payload != Payload::NotKept).collect();
        assert_eq!(store.read_payloads("ws_one", 2, 4).unwrap(), all);
        all.len()
    };
    assert_eq!(together(), 4);
    let present = || -> Vec<u64> {
        (1..=6).filter(|index| matches!(store.load_payload("ws_one", *index), Ok(Payload::Present(_)))).collect()
    };

    assert_eq!(store.erase_payloads("ws_one", START_US, 10).unwrap(), 0);
    assert_eq!(present(), [1, 2, 3, 4, 5]);
    assert_eq!(store.erase_payloads("ws_one", START_US + 3, 2).unwrap(), 2);
    assert_eq!(present(), [3, 4, 5]);
    assert_eq!(together(), 4, "what is erased was there");
    assert_eq!(store.erase_payloads("ws_one", i64::MAX, 10).unwrap(), 2);
    assert_eq!(store.erase_payloads("ws_one", i64::MAX, 10).unwrap(), 0);
    assert_eq!(present(), [5], "without a time it stays");
    assert_eq!(store.load_payload("ws_one", 1).unwrap(), Payload::Erased);
    assert_eq!(store.load_payload("ws_one", 6).unwrap(), Payload::NotKept);
    assert_eq!(store.read_entries("ws_one", 0, 10).unwrap(), entries, "the ledger is untouched");
    drop(store);
    assert_eq!(place.open().load_payload("ws_one", 1).unwrap(), Payload::Erased);
}

pub fn the_last_two_snapshots_are_kept(place: &dyn Place) {
    let store = place.open();
    let mut chain = Chain::begin(&*store, "one");
    let batch = chain.next(9);
    chain.commit(&*store, &batch);
    let snapshot = |size: u64, text: &str| Snapshot { size, bytes: text.as_bytes().to_vec() };
    assert_eq!(store.load_snapshots("ws_one").unwrap(), []);
    for taken in [snapshot(2, "a"), snapshot(5, "b"), snapshot(9, "c"), snapshot(9, "d")] {
        for part in 0..2 {
            store.put_snapshot_part("ws_one", taken.size, part, &taken.bytes).unwrap();
        }
        store.save_snapshot("ws_one", &taken).unwrap();
    }
    // One that is being made while another is saved.
    store.put_snapshot_part("ws_one", 10, 0, b"e").unwrap();
    store.save_snapshot("ws_one", &snapshot(9, "d")).unwrap();
    let parts = |store: &dyn Store| -> Vec<Option<Vec<u8>>> {
        let places = [(2, 0), (5, 1), (9, 0), (9, 1), (9, 2), (10, 0)];
        places.map(|(size, part)| store.load_snapshot_part("ws_one", size, part).unwrap()).to_vec()
    };
    let there = |text: &str| Some(text.as_bytes().to_vec());
    let kept_parts = [None, there("b"), there("d"), there("d"), None, there("e")];
    assert_eq!(parts(&*store), kept_parts);
    let kept = [snapshot(9, "d"), snapshot(5, "b")];
    assert_eq!(store.load_snapshots("ws_one").unwrap(), kept);
    let ahead = store.save_snapshot("ws_one", &snapshot(11, "e"));
    assert!(matches!(ahead, Err(StoreError::Contradiction(_))), "{ahead:?}");
    drop(store);
    let store = place.open();
    assert_eq!(store.load_snapshots("ws_one").unwrap(), kept);
    assert_eq!(parts(&*store), kept_parts);
}

pub fn a_document_is_kept_beside_the_commits_and_taken_away(place: &dyn Place) {
    let store = place.open();
    let mut chain = Chain::begin(&*store, "one");
    let batch = chain.next(2);
    chain.commit(&*store, &batch);
    let head = store.load_head("ws_one").unwrap();
    let load = |store: &dyn crate::Store| store.load_document("ws_one", "work", "progress").unwrap();
    let before = store.load_documents("ws_one", &[]).unwrap();
    assert_eq!(load(&*store), None);
    for bytes in [b"a".as_slice(), b"\0b"] {
        store.keep_document("ws_one", "work", "progress", Some(bytes)).unwrap();
        assert_eq!(load(&*store).as_deref(), Some(bytes));
    }
    assert_eq!(store.load_head("ws_one").unwrap(), head, "the ledger is untouched");
    let unknown = store.keep_document("ws_two", "work", "progress", None);
    assert!(matches!(unknown, Err(StoreError::UnknownWorkspace(_))), "{unknown:?}");
    drop(store);
    let store = place.open();
    assert_eq!(load(&*store).as_deref(), Some(b"\0b".as_slice()));
    for _ in 0..2 {
        store.keep_document("ws_one", "work", "progress", None).unwrap();
        assert_eq!(load(&*store), None);
    }
    assert_eq!(store.load_documents("ws_one", &[]).unwrap(), before);
}

pub fn probes_and_log_copies_change_nothing(place: &dyn Place) {
    let store = place.open();
    let mut chain = Chain::begin(&*store, "one");
    for round in 0..300 {
        store.health().unwrap();
        if round % 100 == 0 {
            let batch = chain.next_full(2);
            chain.commit(&*store, &batch);
            let wal = store.checkpoint_wal().unwrap();
            assert!(wal.copied <= wal.frames, "{wal:?}");
            super::commits::assert_batch_is_stored(&*store, &batch);
        }
    }
    assert_eq!(store.load_head("ws_one").unwrap(), chain.head);
}
