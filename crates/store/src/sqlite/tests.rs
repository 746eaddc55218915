//! SQLite under the contract, and what is SQLite's own: files, locks, versions, a full disk.

mod crash;

use super::Options;
use crate::contract::Place;
use crate::contract::samples::{self, Chain, START_US};
use crate::{
    ApprovalFilter, Batch, CommitError, DecisionFilter, DecisionRow, NewPayload, Payload, SqliteStore, Store,
    StoreError, WalState,
};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl Place for Folder {
    fn open(&self) -> Box<dyn Store> {
        Box::new(SqliteStore::open(self.0.path(), &Options::default()).unwrap())
    }
}

mod contract {
    crate::contract_tests!(super::Folder::new());
}

fn open(folder: &Folder) -> SqliteStore {
    SqliteStore::open(folder.0.path(), &Options::default()).unwrap()
}

/// A connection of a stranger to one of the files.
fn outside(folder: &Folder, file: &str) -> rusqlite::Connection {
    rusqlite::Connection::open(folder.0.path().join(file)).unwrap()
}

fn refusal(outcome: Result<SqliteStore, StoreError>) -> StoreError {
    outcome.err().expect("opening must be refused")
}

#[test]
fn a_folder_in_use_is_refused_until_it_is_let_go() {
    let folder = Folder::new();
    let store = open(&folder);
    let error = refusal(SqliteStore::open(folder.0.path(), &Options::default()));
    assert_eq!(error, StoreError::InUse(folder.0.path().display().to_string()));
    drop(store);
    open(&folder);
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = Folder::new();
    let folder = parent.0.path().join("made").join("here");
    let widen = |name: &str| {
        std::fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(0o644)).unwrap();
    };
    drop(SqliteStore::open(&folder, &Options::default()).unwrap());
    widen("runplane.db");
    let store = SqliteStore::open(&folder, &Options::default()).unwrap();
    Chain::begin(&store, "one");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let names: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(names.len() >= 5, "both databases, logs and the lock: {names:?}");
    for name in names {
        assert_eq!(mode(&name), 0o600, "{}", name.display());
    }
}

#[test]
fn a_newer_older_or_foreign_database_is_refused_and_left_alone() {
    let folder = Folder::new();
    drop(open(&folder));
    outside(&folder, "runplane.db").execute("INSERT INTO versions (version) VALUES (99)", []).unwrap();
    let error = refusal(SqliteStore::open(folder.0.path(), &Options::default()));
    assert_eq!(error, StoreError::Newer { found: 99, known: 5 });

    let folder = Folder::new();
    drop(open(&folder));
    outside(&folder, "runplane.db").execute_batch("DELETE FROM versions; INSERT INTO versions VALUES (1)").unwrap();
    let error = refusal(SqliteStore::open(folder.0.path(), &Options::default()));
    assert_eq!(error, StoreError::Older { found: 1, oldest: 2 });

    let folder = Folder::new();
    outside(&folder, "runplane.db")
        .execute_batch("CREATE TABLE diary (day TEXT); INSERT INTO diary VALUES ('x')")
        .unwrap();
    let error = refusal(SqliteStore::open(folder.0.path(), &Options::default()));
    assert!(matches!(error, StoreError::Foreign(_)), "{error:?}");
    let tables: i64 =
        outside(&folder, "runplane.db").query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 1);
}

/// Bytes that cannot be made shorter.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}

#[test]
fn what_is_shortened_is_read_and_erased_like_anything_else() {
    let folder = Folder::new();
    let store = open(&folder);
    let mut chain = Chain::begin(&store, "one");
    // A short commit, which stays as it is, and a long one.
    for count in [2, 200] {
        let mut batch = chain.next(count);
        let first = batch.expected_size;
        for (entry, index) in batch.entries.iter_mut().zip(first..) {
            entry.bytes = format!("{{\"index\":{index},\"the same\":\"in every entry\"}}").into_bytes();
        }
        let payload = |index: u64| {
            let due = index.is_multiple_of(2).then_some(START_US);
            let bytes = format!("payload {index} of an action like any other").into_bytes();
            NewPayload { bytes, ..samples::payload(index, due) }
        };
        batch.payloads = (first..first + count).map(payload).collect();
        chain.commit(&store, &batch);
    }
    let codings: Vec<i64> = outside(&folder, "runplane.db")
        .prepare("SELECT s.coding + p.coding FROM segments s JOIN payloads p USING (id) ORDER BY id")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(codings, [0, 2]);
    assert_eq!(store.erase_payloads("ws_one", START_US, 1_000).unwrap(), 101);
    for row in store.read_entries("ws_one", 1, 1_000).unwrap() {
        let index = row.index;
        assert_eq!(row.bytes, format!("{{\"index\":{index},\"the same\":\"in every entry\"}}").into_bytes());
        match store.load_payload("ws_one", index).unwrap() {
            Payload::Present(stored) if index % 2 == 1 => {
                assert_eq!(stored.bytes, format!("payload {index} of an action like any other").into_bytes());
            }
            Payload::Erased if index % 2 == 0 => {}
            other => panic!("{index}: {other:?}"),
        }
    }
    assert_eq!(store.read_entries("ws_one", 1, 1_000).unwrap().len(), 202);
}

#[test]
fn what_cannot_be_read_is_not_written_back_by_erasing_and_the_rest_is_erased() {
    let folder = Folder::new();
    let store = open(&folder);
    let mut chain = Chain::begin(&store, "one");
    // Two short commits and two long ones, all of them due.
    let mut firsts = Vec::new();
    for count in [2, 200, 2, 200] {
        let mut batch = chain.next(count);
        firsts.push(batch.expected_size);
        let payloads = batch.expected_size..batch.expected_size + count;
        let payload = |index: u64| {
            let bytes = format!("payload {index} of an action like any other").into_bytes();
            NewPayload { bytes, ..samples::payload(index, Some(START_US)) }
        };
        batch.payloads = payloads.map(payload).collect();
        chain.commit(&store, &batch);
    }
    drop(store);
    let rows = |folder: &Folder| -> Vec<(Vec<u8>, Vec<u8>, i64)> {
        let database = outside(folder, "runplane.db");
        let mut read = database.prepare("SELECT heads, bytes, coding FROM payloads ORDER BY id").unwrap();
        let rows = read.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    let whole = rows(&folder);
    assert_eq!(whole.iter().map(|(_, _, coding)| *coding).collect::<Vec<_>>(), [0, 1, 0, 1]);
    // A long one that cannot be restored, and a short one that ends too early.
    let spoil = "UPDATE payloads SET bytes = substr(bytes, 1, length(bytes) - 1)
                 WHERE id IN (SELECT id FROM payloads ORDER BY id LIMIT 2 OFFSET 1)";
    assert_eq!(outside(&folder, "runplane.db").execute(spoil, []).unwrap(), 2);
    let spoiled = rows(&folder);

    let store = open(&folder);
    assert_eq!(store.erase_payloads("ws_one", START_US, 150).unwrap(), 150, "whoever gets all of it comes again");
    let error = store.erase_payloads("ws_one", START_US, 150).unwrap_err().to_string();
    assert!(error.contains("2 commits") && error.contains(&format!("entry {}", firsts[1])), "{error}");
    assert!(store.erase_payloads("ws_one", START_US, 150).is_err(), "as long as something due is not erased");
    for index in [firsts[0], firsts[3], firsts[3] + 199] {
        assert_eq!(store.load_payload("ws_one", index).unwrap(), Payload::Erased, "{index}");
    }
    assert!(store.load_payload("ws_one", firsts[1]).is_err());
    drop(store);
    assert_eq!(rows(&folder)[1..3], spoiled[1..3], "not one byte of it is another one");

    let mend = "UPDATE payloads SET bytes = ?2 WHERE id = (SELECT id FROM payloads ORDER BY id LIMIT 1 OFFSET ?1)";
    for (place, (_, bytes, _)) in (0i64..).zip(&whole).skip(1).take(2) {
        outside(&folder, "runplane.db").execute(mend, rusqlite::params![place, bytes]).unwrap();
    }
    let store = open(&folder);
    assert_eq!(store.erase_payloads("ws_one", START_US, 500).unwrap(), 202);
    assert_eq!(store.load_payload("ws_one", firsts[1]).unwrap(), Payload::Erased);
}

#[test]
fn a_full_database_refuses_the_batch_whole_and_goes_on_when_there_is_room() {
    let folder = Folder::new();
    let full = Options { max_pages: Some(80), ..Options::default() };
    let store = SqliteStore::open(folder.0.path(), &full).unwrap();
    let mut chain = Chain::begin(&store, "one");
    let big = |chain: &Chain| -> Batch {
        let mut batch = chain.next_full(4);
        batch.payloads.iter_mut().for_each(|payload| payload.bytes = noise(5_000));
        batch
    };
    let refused = loop {
        let batch = big(&chain);
        match store.commit_batch("ws_one", &batch) {
            Ok(()) => chain.head = batch.head.clone(),
            Err(error) => break error,
        }
        assert!(chain.head.size < 1_000, "the database never became full");
    };
    assert!(matches!(&refused, CommitError::NotCommitted(reason) if reason.contains("full")), "{refused:?}");
    assert!(chain.head.size > 1, "something fitted");
    assert_eq!(store.load_head("ws_one").unwrap(), chain.head);
    assert_eq!(store.read_entries("ws_one", chain.head.size, 10).unwrap(), []);
    assert_eq!(store.load_request("ws_one", "agt_a", &format!("request {}", chain.head.size)).unwrap(), None);
    drop(store);

    let store = open(&folder);
    let batch = big(&chain);
    chain.commit(&store, &batch);
    assert_eq!(store.load_head("ws_one").unwrap(), batch.head);
}

#[test]
fn an_erased_payload_is_in_no_file_any_more() {
    let folder = Folder::new();
    let store = open(&folder);
    let mut chain = Chain::begin(&store, "one");
    let secret = b"the-word-nobody-may-find";
    let found = || {
        std::fs::read_dir(folder.0.path())
            .unwrap()
            .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
            .any(|bytes| bytes.windows(secret.len()).any(|window| window == secret))
    };
    for size in [1, 20_000] {
        let mut batch = chain.next(1);
        batch.payloads = vec![samples::payload(batch.expected_size, Some(START_US))];
        batch.payloads[0].bytes = secret.repeat(size);
        chain.commit(&store, &batch);
    }
    store.checkpoint_wal().unwrap();
    assert!(found());
    assert_eq!(store.erase_payloads("ws_one", START_US, 10).unwrap(), 2);
    assert_eq!(store.checkpoint_wal().unwrap(), WalState::default(), "the log is empty");
    assert!(!found());
}

#[test]
fn a_long_log_starts_over_and_does_not_grow_on() {
    let folder = Folder::new();
    let store = open(&folder);
    let mut chain = Chain::begin(&store, "one");
    let mut longest = 0;
    for _ in 0..12 {
        let mut batch = chain.next(1);
        batch.entries[0].bytes = vec![7; 8 << 20];
        chain.commit(&store, &batch);
        store.checkpoint_wal().unwrap();
        longest = longest.max(std::fs::metadata(folder.0.path().join("runplane.db-wal")).unwrap().len());
    }
    assert!(longest < 48 << 20, "12 × 8 MiB went through a log of {longest} bytes");
}

#[test]
fn lists_that_are_damaged_or_of_another_history_are_made_again() {
    let folder = Folder::new();
    let all = DecisionFilter { limit: 10, ..DecisionFilter::default() };
    let run = |sql: &str| assert_eq!(outside(&folder, "lists.db").execute(sql, []).unwrap(), 1);
    let spoils: [&dyn Fn(); 4] = [
        &|| std::fs::write(folder.0.path().join("lists.db"), b"this is no database, but long enough").unwrap(),
        &|| run("UPDATE cursors SET leaf_hash = zeroblob(32)"),
        &|| run("UPDATE cursors SET size = 77"),
        &|| run("INSERT INTO versions (version) VALUES (99)"),
    ];
    drop(Chain::begin(&open(&folder), "one"));
    for spoil in spoils {
        let store = open(&folder);
        store.project_decisions("ws_one", &[samples::decision(0)], 1).unwrap();
        drop(store);
        assert_eq!(open(&folder).list_decisions("ws_one", &all).unwrap(), [samples::decision(0)]);
        spoil();
        let store = open(&folder);
        assert_eq!(store.projection_cursor("ws_one").unwrap(), 0);
        assert_eq!(store.list_decisions("ws_one", &all).unwrap(), []);
        assert_eq!(store.load_head("ws_one").unwrap(), samples::head(1));
    }
}

#[test]
fn probes_do_not_let_the_database_grow() {
    let folder = Folder::new();
    let store = open(&folder);
    Chain::begin(&store, "one");
    let pages = || -> i64 {
        store.checkpoint_wal().unwrap();
        outside(&folder, "runplane.db").pragma_query_value(None, "page_count", |row| row.get(0)).unwrap()
    };
    let before = pages();
    for _ in 0..500 {
        store.health().unwrap();
    }
    assert_eq!(pages(), before);
}

#[test]
fn a_reader_in_a_long_read_does_not_hold_up_commits() {
    let folder = Folder::new();
    let store = open(&folder);
    let mut chain = Chain::begin(&store, "one");
    store
        .read("ws_one", |db, number| {
            let before = super::ledger::load_head(db, number)?;
            let batch = chain.next_full(3);
            chain.commit(&store, &batch);
            store.checkpoint_wal().unwrap();
            assert_eq!(super::ledger::load_head(db, number)?, before, "one read sees one commit");
            Ok(())
        })
        .unwrap();
    assert_eq!(store.load_head("ws_one").unwrap(), chain.head);
}

#[test]
fn a_search_reads_only_the_blocks_that_may_hold_something() {
    let folder = Folder::new();
    let store = open(&folder);
    let mut chain = Chain::begin(&store, "one");
    let batch = chain.next(20_000);
    chain.commit(&store, &batch);
    let rows: Vec<_> = (1..=20_000)
        .map(|index| DecisionRow {
            target: format!("target {}", index / 7),
            rule: if index == 777 { "rare/rule".into() } else { "common/rule".into() },
            ..samples::decision(index)
        })
        .collect();
    for part in rows.chunks(300) {
        store.project_decisions("ws_one", part, part.last().unwrap().index + 1).unwrap();
    }
    let read = |filter: &DecisionFilter| {
        let mut blocks = 0;
        let count = |_| {
            blocks += 1;
            Ok(true)
        };
        store.lists.reader().unwrap().read(|db| super::lists::search(db, 1, filter, count)).unwrap();
        (blocks, store.list_decisions("ws_one", filter).unwrap().len())
    };
    let all = DecisionFilter { limit: 100, ..DecisionFilter::default() };
    assert_eq!(read(&all), (79, 100), "20,000 rows in blocks of 256");
    let (blocks, found) = read(&DecisionFilter { rule: Some("rare/rule".into()), ..all.clone() });
    assert!(found == 1 && blocks <= 3, "{blocks} blocks for one row");
    let (blocks, found) = read(&DecisionFilter { target: Some("target 1000".into()), ..all.clone() });
    assert!(found == 7 && blocks <= 3, "{blocks} blocks for seven neighbours");
    let (blocks, found) = read(&DecisionFilter { agent: Some("nobody".into()), ..all.clone() });
    assert!(found == 0 && blocks <= 2, "{blocks} blocks for nothing");
    let at = rows[9_999].at_us;
    let (blocks, _) = read(&DecisionFilter { since_us: Some(at), until_us: Some(at + 10), ..all });
    assert!(blocks <= 2, "{blocks} blocks for ten microseconds");
    assert_eq!(store.find_decisions("ws_one", "req_12345", None, 9).unwrap(), [rows[12_344].clone()]);
}

#[test]
fn rows_that_come_late_or_again_find_their_place() {
    let folder = Folder::new();
    let store = open(&folder);
    let mut chain = Chain::begin(&store, "one");
    let batch = chain.next(2_000);
    chain.commit(&store, &batch);
    let put = |indexes: &mut dyn Iterator<Item = u64>| {
        let rows: Vec<_> = indexes.map(samples::decision).collect();
        store.project_decisions("ws_one", &rows, 2_001).unwrap();
    };
    put(&mut (500..1_000));
    put(&mut (1..400).rev());
    put(&mut (900..1_500));
    put(&mut [450, 1_999, 450, 3].into_iter());
    let mut expected: Vec<u64> = (1..400).chain([450]).chain(500..1_500).chain([1_999]).collect();
    expected.reverse();
    let all = DecisionFilter { limit: 4_000, ..DecisionFilter::default() };
    let found = store.list_decisions("ws_one", &all).unwrap();
    assert_eq!(found.iter().map(|row| row.index).collect::<Vec<_>>(), expected);
    assert!(found.iter().all(|row| *row == samples::decision(row.index)));
}

#[test]
fn every_filter_of_approvals_reads_its_own_index_and_sorts_nothing() {
    let folder = Folder::new();
    let store = open(&folder);
    let all = ApprovalFilter { before: Some(5), limit: 10, ..ApprovalFilter::default() };
    let of_agent = ApprovalFilter { agent: Some("agt_a".into()), ..all.clone() };
    let cases = [
        ("approvals_by_index", None, all.clone()),
        ("approvals_by_status", Some("pending"), all),
        ("approvals_by_agent", None, of_agent.clone()),
        ("approvals_by_agent", Some("pending"), of_agent),
    ];
    for (index, status, filter) in cases {
        let plan = plan(&store.ledger, |_| super::approvals::query(1, status, &filter));
        assert!(plan.contains(index) && plan.contains("entry_index<?") && !plan.contains("TEMP"), "{plan}");
    }
}

/// How the database would go about a query.
fn plan(
    database: &super::Database,
    query: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<(String, Vec<rusqlite::types::Value>)>,
) -> String {
    let steps = database.reader().unwrap().read(|db| {
        let (sql, values) = query(db)?;
        let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
        let steps = explain.query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>(3))?;
        steps.collect::<rusqlite::Result<Vec<_>>>()
    });
    steps.unwrap().join("; ")
}
