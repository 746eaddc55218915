//! A process that is killed, and one whose disk refuses to grow, in earnest: the test starts itself again
//! as a child that commits and says so, line by line.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::{Folder, Options};
use crate::contract::samples::{self, Chain};
use crate::{CommitError, Payload, SqliteStore, Store};

const FOLDER: &str = "STORE_TEST_FOLDER";
const ENTRIES_PER_BATCH: u64 = 3;

#[expect(clippy::disallowed_methods, reason = "how a test hands its child a folder")]
fn given_folder() -> Option<std::path::PathBuf> {
    std::env::var_os(FOLDER).map(Into::into)
}

/// This test binary again, running only `test`, as a child of which `shell` is the first command.
fn start_again(shell: &str, test: &str, folder: &Path) -> Child {
    let name = format!("{}::{test}", module_path!().split_once("::").unwrap().1);
    Command::new("sh")
        .args(["-c", &format!("{shell} exec \"$0\" --exact \"$1\" --nocapture")])
        .arg(std::env::current_exe().unwrap())
        .arg(name)
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Commits until it must stop; every commit is said aloud only when it is done.
fn commit_on_and_on(folder: &Path) -> (SqliteStore, Chain, CommitError) {
    let store = SqliteStore::open(folder, &Options::default()).unwrap();
    let mut chain = Chain { workspace: "ws_one".into(), head: store.load_head("ws_one").unwrap() };
    loop {
        let batch = chain.next_full(ENTRIES_PER_BATCH);
        match store.commit_batch("ws_one", &batch) {
            Ok(()) => chain.head = batch.head,
            Err(error) => return (store, chain, error),
        }
        // Its own line, whatever the harness has printed before.
        writeln!(std::io::stdout(), "\ncommitted {}", chain.head.size).unwrap();
        if chain.head.size.is_multiple_of(100) {
            store.checkpoint_wal().unwrap();
        }
    }
}

/// Whole batches only, nothing missing, nothing beyond the head.
fn assert_whole(store: &SqliteStore) -> u64 {
    let size = store.load_head("ws_one").unwrap().size;
    assert_eq!(store.load_head("ws_one").unwrap(), samples::head(size));
    assert_eq!(size % ENTRIES_PER_BATCH, 1, "half a batch");
    let mut next = 0;
    loop {
        let rows = store.read_entries("ws_one", next, crate::MAX_PAGE).unwrap();
        let Some(last) = rows.last() else { break };
        assert!(rows.iter().map(|row| row.index).eq(next..=last.index), "a gap");
        next = last.index + 1;
    }
    assert_eq!(next, size);
    for index in (size.saturating_sub(30).max(1))..size {
        assert!(matches!(store.load_payload("ws_one", index).unwrap(), Payload::Present(_)));
        assert_eq!(store.load_request("ws_one", "agt_a", &format!("request {index}")).unwrap().unwrap().index, index);
    }
    assert_eq!(store.load_payload("ws_one", size).unwrap(), Payload::NotKept);
    assert_eq!(store.load_request("ws_one", "agt_a", &format!("request {size}")).unwrap(), None);
    size
}

fn said(line: &str) -> Option<u64> {
    line.strip_prefix("committed ").map(|size| size.parse().unwrap())
}

#[test]
fn what_was_said_to_be_committed_survives_a_kill() {
    if let Some(folder) = given_folder() {
        let (_, _, error) = commit_on_and_on(&folder);
        panic!("only the kill ends this: {error}");
    }
    let folder = Folder::new();
    drop(Chain::begin(&super::open(&folder), "one"));
    for round in 0..10 {
        let mut child = start_again("", "what_was_said_to_be_committed_survives_a_kill", folder.0.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let wanted = 5 + round * 13 % 40;
        let mut last = lines.by_ref().filter_map(|line| said(&line)).nth(wanted).expect("the child commits");
        child.kill().unwrap();
        // What it had said before it died counts as well; a line cut short was not said.
        last = lines.filter_map(|line| line.strip_prefix("committed ")?.parse().ok()).fold(last, u64::max);
        child.wait().unwrap();
        let size = assert_whole(&super::open(&folder));
        assert!(size >= last, "{last} entries were said to be committed, {size} are there");
    }
}

#[cfg(unix)]
#[test]
fn a_disk_that_refuses_to_grow_loses_no_commit_and_keeps_no_half() {
    if let Some(folder) = given_folder() {
        let (store, chain, error) = commit_on_and_on(&folder);
        assert!(matches!(error, CommitError::Ambiguous(_) | CommitError::NotCommitted(_)), "{error:?}");
        let refused = chain.next_full(ENTRIES_PER_BATCH);
        assert_ne!(store.load_head("ws_one").unwrap().nonce, refused.head.nonce);
        assert_eq!(assert_whole(&store), chain.head.size, "the process itself goes on from the last commit");
        writeln!(std::io::stdout(), "\nrefused with {error}").unwrap();
        return;
    }
    let folder = Folder::new();
    drop(Chain::begin(&super::open(&folder), "one"));
    // No file may become longer than this; writing beyond fails like a full disk instead of a signal.
    let limit = "trap '' XFSZ; ulimit -f 1000;";
    let test = "a_disk_that_refuses_to_grow_loses_no_commit_and_keeps_no_half";
    let child = start_again(limit, test, folder.0.path()).wait_with_output().unwrap();
    let output = String::from_utf8(child.stdout).unwrap();
    assert!(child.status.success() && output.contains("\nrefused with"), "{output}");
    let last = output.lines().filter_map(said).next_back().expect("something fitted");
    let store = super::open(&folder);
    let size = assert_whole(&store);
    assert!(size == last || size == last + ENTRIES_PER_BATCH, "{last} were said, {size} are there");
    let mut chain = Chain { workspace: "ws_one".into(), head: store.load_head("ws_one").unwrap() };
    let next = chain.next_full(ENTRIES_PER_BATCH);
    chain.commit(&store, &next);
}
