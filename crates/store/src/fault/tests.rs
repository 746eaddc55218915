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

#[test]
fn tampering_reaches_the_rows_of_an_open_store_and_says_when_it_misses() {
    let (folder, store) = faulty();
    let mut chain = Chain::begin(&store, "one");
    let batch = chain.next(4);
    chain.commit(&store, &batch);
    let before = store.read_entries("ws_one", 0, 10).unwrap();
    let mut tamper = tamper::Tamper::open(folder.path()).unwrap();

    tamper.flip_entry_bit("ws_one", 1, 2).unwrap();
    tamper.swap_entries("ws_one", 2, 3).unwrap();
    tamper.remove_entry("ws_one", 4).unwrap();
    tamper.replace_leaf_hash("ws_one", 0, [9; 32]).unwrap();

    let after = store.read_entries("ws_one", 0, 10).unwrap();
    assert_eq!(after.iter().map(|row| row.index).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!((after[0].leaf_hash, &after[0].bytes), ([9; 32], &before[0].bytes));
    assert_eq!(after[1].bytes[2], before[1].bytes[2] ^ 1);
    assert_eq!((&after[2].bytes, after[2].leaf_hash), (&before[3].bytes, before[3].leaf_hash));
    assert_eq!((&after[3].bytes, after[3].leaf_hash), (&before[2].bytes, before[2].leaf_hash));
    assert!(tamper.remove_entry("ws_one", 4).is_err());
    assert!(tamper.flip_entry_bit("ws_one", 4, 0).is_err());
    assert!(tamper.swap_entries("ws_one", 1, 4).is_err());
    assert!(tamper.replace_entry("ws_no", 1, b"x").is_err());

    // In the middle of a commit, and one that is a commit of its own.
    let alone = chain.next(1);
    chain.commit(&store, &alone);
    let after = chain.next(1);
    chain.commit(&store, &after);
    tamper.remove_entry("ws_one", 2).unwrap();
    tamper.remove_entry("ws_one", 5).unwrap();
    let left = store.read_entries("ws_one", 0, 10).unwrap();
    assert_eq!(left.iter().map(|row| row.index).collect::<Vec<_>>(), [0, 1, 3, 6]);
    let notes = store.read_checkpoints("ws_one", 0, 10).unwrap();
    assert_eq!(notes.iter().map(|note| note.size).collect::<Vec<_>>(), [1, 5, 6, 7], "the notes stay");
}
