use std::sync::Arc;

use super::*;
use crate::contract::Place;
use crate::contract::samples::Chain;
use crate::{Options, SqliteStore};

struct Folder(tempfile::TempDir);

impl Place for Folder {
    fn open(&self) -> Box<dyn Store> {
        Box::new(FaultStore::new(SqliteStore::open(self.0.path(), &Options::default()).unwrap()))
    }
}

mod contract {
    crate::contract_tests!(super::Folder(tempfile::tempdir().unwrap()));
}

fn faulty() -> (tempfile::TempDir, FaultStore<SqliteStore>) {
    let folder = tempfile::tempdir().unwrap();
    let store = FaultStore::new(SqliteStore::open(folder.path(), &Options::default()).unwrap());
    (folder, store)
}

#[test]
fn a_fault_hits_one_commit_and_the_nonce_tells_what_happened() {
    let (_folder, store) = faulty();
    let chain = Chain::begin(&store, "one");
    let batch = chain.next_full(2);
    for (fault, stored) in [(Fault::BeforeCommit, false), (Fault::LostCommit, false), (Fault::AfterCommit, true)] {
        store.inject(fault);
        let error = store.commit_batch("ws_one", &batch).unwrap_err();
        assert_eq!(matches!(error, CommitError::Ambiguous(_)), fault != Fault::BeforeCommit);
        assert_eq!(store.load_head("ws_one").unwrap().nonce == batch.head.nonce, stored);
        assert_eq!(store.read_entries("ws_one", 1, 10).unwrap().len(), if stored { 2 } else { 0 });
    }
    assert_eq!(store.pending(), 0);
    assert_eq!(store.commit_batch("ws_one", &batch), Err(CommitError::HeadMoved));
}

#[test]
fn on_a_full_disk_reads_go_on_and_no_write_does() {
    let (_folder, store) = faulty();
    let mut chain = Chain::begin(&store, "one");
    let batch = chain.next_full(1);
    store.set(Condition::DiskFull);
    assert!(matches!(store.commit_batch("ws_one", &batch), Err(CommitError::NotCommitted(_))));
    assert!(store.health().is_err());
    assert_eq!(store.load_head("ws_one").unwrap(), chain.head);
    store.set(Condition::Gone);
    assert!(store.load_head("ws_one").is_err());
    store.set(Condition::Sound);
    chain.commit(&store, &batch);
}

#[test]
fn a_held_commit_waits_until_it_is_released() {
    let (_folder, store) = faulty();
    let chain = Chain::begin(&store, "one");
    let batch = chain.next(1);
    let store = Arc::new(store);
    store.hold_commits();
    std::thread::scope(|scope| {
        let commit = scope.spawn(|| store.commit_batch("ws_one", &batch));
        store.wait_for_held_commits(1);
        assert_eq!(store.load_head("ws_one").unwrap().size, 1);
        store.release_commits();
        assert_eq!(commit.join().unwrap(), Ok(()));
    });
    assert_eq!(store.load_head("ws_one").unwrap().size, 2);
}
