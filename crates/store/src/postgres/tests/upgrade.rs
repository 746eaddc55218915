//! Old and new programs on one database: those of before the partitions, and those that come after this one.

use super::super::partitions::DAY_US;
use super::super::testing::{Database, patient};
use super::super::{PostgresStore, schema};
use crate::contract::samples::{self, Chain, START_US};
use crate::{Batch, CommitError, DecisionFilter, Payload, Store, StoreError, Upkeep};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

/// What programs of schema version 4 write, in the statements they have for it.
struct Before<'d>(&'d Database);

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("'\\x".to_owned(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    }) + "'"
}

impl Before<'_> {
    fn begin(&self, name: &str) -> Chain {
        let workspace = samples::workspace(name);
        let first = Batch::of_entries(0, [0; 16], samples::head(1), samples::entries(name, 0, 1));
        self.0.execute(&format!(
            "INSERT INTO runplane.workspaces (id, name, created_us) VALUES ('{}', '{name}', {START_US});
             INSERT INTO runplane.heads (workspace, size, root, frontier, time_us, epoch, nonce, checkpoint)
             SELECT number, 0, '', '', 0, 0, {}, '' FROM runplane.workspaces WHERE name = '{name}'",
            workspace.id,
            hex(&[0; 16])
        ));
        assert!(self.commit(&workspace.id, &first));
        Chain { workspace: workspace.id, head: first.head }
    }

    /// `false` once the database needs a newer program.
    fn commit(&self, workspace: &str, batch: &Batch) -> bool {
        let head = &batch.head;
        let rows = |rows: Vec<String>| rows.join(", ");
        let entries = batch.entries.iter().zip(batch.expected_size..).map(|(entry, index)| {
            format!("({index}::bigint, {}::bytea, {}::bytea)", hex(&entry.leaf_hash), hex(&entry.bytes))
        });
        let mut sql = format!(
            "WITH moved AS (UPDATE runplane.heads SET size = {}, root = {}, frontier = {}, time_us = {}, epoch = {}, nonce = {},
                 checkpoint = '{}' WHERE size = {} AND nonce = {} AND (SELECT max(needs) FROM runplane.versions) <= 4 AND workspace =
                 (SELECT number FROM runplane.workspaces WHERE id = '{workspace}') RETURNING workspace),
             c AS (INSERT INTO runplane.checkpoints (workspace, size, note) SELECT workspace, {}, '{}' FROM moved),
             e AS (INSERT INTO runplane.entries (workspace, entry_index, leaf_hash, bytes)
                 SELECT workspace, v.* FROM moved, (VALUES {}) v)",
            head.size,
            hex(&head.root),
            hex(&head.frontier),
            head.time_us,
            head.epoch,
            hex(&head.nonce),
            head.checkpoint,
            batch.expected_size,
            hex(&batch.expected_nonce),
            head.size,
            head.checkpoint,
            rows(entries.collect())
        );
        if !batch.payloads.is_empty() {
            let payloads = batch.payloads.iter().map(|payload| {
                let time = payload.erase_after_us.map_or("NULL::bigint".into(), |time| format!("{time}::bigint"));
                let (salt, bytes) = (hex(&payload.salt), hex(&payload.bytes));
                format!("({}::bigint, 1::smallint, {time}, {salt}::bytea, {bytes}::bytea)", payload.index)
            });
            sql += &format!(
                ", p AS (INSERT INTO runplane.payloads (workspace, entry_index, retention, erase_after_us, salt, bytes)
                 SELECT workspace, v.* FROM moved, (VALUES {}) v)",
                rows(payloads.collect())
            );
            let executions = batch.executions.iter().map(|execution| {
                format!("({}::bigint, '{}', {}::bytea)", execution.index, execution.status, hex(&execution.bytes))
            });
            sql += &format!(
                ", x AS (INSERT INTO runplane.executions (workspace, entry_index, status, bytes)
                 SELECT workspace, v.* FROM moved, (VALUES {}) v ON CONFLICT (workspace, entry_index)
                 DO UPDATE SET status = excluded.status, bytes = excluded.bytes)",
                rows(executions.collect())
            );
        }
        sql += " SELECT count(*) FROM moved";
        self.0.execute(&sql) == Some("1".into())
    }
}

fn full(chain: &Chain, count: u64) -> Batch {
    let mut batch = chain.next_full(count);
    batch.requests.clear();
    batch.approvals.clear();
    for payload in &mut batch.payloads {
        payload.retention = crate::Retention::Replay;
        payload.erase_after_us = Some(START_US + i64::try_from(payload.index).unwrap());
    }
    batch
}

#[test]
fn a_database_of_before_gets_partitions_while_its_nodes_go_on() {
    let database = Database::create();
    database.raise_to(4);
    let before = Before(&database);
    let mut chain = before.begin("one");
    let mut batches = Vec::new();
    for _ in 0..20 {
        let batch = full(&chain, 50);
        assert!(before.commit("ws_one", &batch));
        chain.head = batch.head.clone();
        batches.push(batch);
    }
    let listed: Vec<_> = (1..=1_000).map(samples::decision).collect();
    // One transaction: a thousand would wait a thousand times for the disk.
    let mut lines = String::new();
    for row in &listed {
        let crate::DecisionRow { index, request_id, at_us, agent, action_type, target, outcome, rule, severity, bytes } =
            row;
        let bytes = hex(bytes);
        lines.push_str(&format!(
            "INSERT INTO runplane.decisions SELECT number, {index}, '{request_id}', {at_us}, '{agent}', '{action_type}',
                 '{target}', '{outcome}', '{rule}', '{severity}', {bytes} FROM runplane.workspaces;"
        ));
    }
    database.execute(&lines);
    database.execute("INSERT INTO runplane.cursors SELECT number, 1001 FROM runplane.workspaces");

    // Two new nodes start while the old one commits on.
    let stop = AtomicBool::new(false);
    let store = std::thread::scope(|scope| {
        let old = scope.spawn(|| {
            let mut made = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let batch = full(&chain, 3);
                if !before.commit("ws_one", &batch) {
                    break;
                }
                chain.head = batch.head.clone();
                made.push(batch);
            }
            made
        });
        let opening: Vec<_> = (0..2).map(|_| scope.spawn(|| database.open())).collect();
        let mut opened: Vec<_> = opening.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        stop.store(true, Ordering::Relaxed);
        batches.extend(old.join().unwrap());
        opened.pop().unwrap().unwrap()
    });
    assert!(batches.len() > 20, "the old node committed nothing meanwhile");
    let is_cut = "SELECT count(*) FROM pg_partitioned_table t JOIN pg_class c ON c.oid = t.partrelid
                  WHERE c.relnamespace = 'runplane'::regnamespace";
    assert_eq!(database.execute(is_cut), Some("6".into()));

    assert!(!before.commit("ws_one", &full(&chain, 1)), "it does not know what is written from now on");
    for _ in 0..3 {
        let batch = full(&chain, 2);
        store.commit_batch("ws_one", &batch).unwrap();
        chain.head = batch.head.clone();
        batches.push(batch);
    }
    for batch in &batches {
        let (from, count) = (batch.expected_size, batch.entries.len());
        let entries = store.read_entries("ws_one", from, count).unwrap();
        assert!(entries.iter().map(|row| &row.bytes).eq(batch.entries.iter().map(|entry| &entry.bytes)), "{from}");
        let kept = store.read_payloads("ws_one", from, count).unwrap();
        assert_eq!(kept.len(), count, "every entry of {from} has its payload");
        for ((index, payload), given) in kept.iter().zip(&batch.payloads) {
            let Payload::Present(payload) = payload else { panic!("{index} {payload:?}") };
            assert_eq!((*index, &payload.bytes, payload.salt), (given.index, &given.bytes, given.salt));
        }
        assert_eq!(store.load_execution("ws_one", from).unwrap().as_ref(), batch.executions.first());
    }
    // The lists are made again.
    let page = || store.list_decisions("ws_one", &DecisionFilter { limit: 5, ..Default::default() }).unwrap();
    assert_eq!((store.projection_cursor("ws_one").unwrap(), page()), (0, Vec::new()));
    store.project_decisions("ws_one", &listed, 1_001).unwrap();
    assert_eq!(page(), listed.iter().rev().take(5).cloned().collect::<Vec<_>>());
    let mut erased = 0;
    loop {
        match store.erase_payloads("ws_one", i64::MAX, 100).unwrap() {
            0 => break,
            some => erased += some,
        }
    }
    assert_eq!(erased, batches.iter().map(|batch| batch.payloads.len()).sum::<usize>(), "of old and new programs");
    assert_eq!(store.load_payload("ws_one", 1).unwrap(), Payload::Erased);
    assert_eq!(store.load_payload("ws_one", chain.head.size - 1).unwrap(), Payload::Erased);
}

#[test]
fn a_migration_that_was_interrupted_is_gone_on_with() {
    let interrupted = |version: usize| (0..schema::MIGRATIONS[version].steps.len()).map(move |done| (version, done));
    for (version, done) in [4, 5].into_iter().flat_map(interrupted) {
        let database = Database::create();
        database.raise_to(version);
        let before = Before(&database);
        let chain = before.begin("one");
        // Every step is a transaction; the program ended after some of them.
        let steps = schema::MIGRATIONS[version].steps.iter().take(done);
        steps.for_each(|step| drop(database.execute(&step.replace("{width}", "100"))));
        let batch = full(&chain, 3);
        assert!(before.commit("ws_one", &batch));
        let store = database.open();
        assert_eq!(store.read_entries("ws_one", 0, 9).unwrap().len(), 4);
        assert_eq!(database.execute("SELECT max(version) FROM runplane.versions"), Some(schema::newest().to_string()));
    }
}

/// Waits until somebody waits for a table, or has it.
fn until_locked(database: &Database, table: &str, mode: &str, is_granted: bool) {
    let sql = format!(
        "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE c.relname = '{table}'
             AND l.mode = '{mode}' AND l.granted = {is_granted}
             AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    );
    database.until(&sql, |count| count != Some("0"));
}

/// Somebody reads a table for some seconds, as a backup does; then comes `meanwhile`, which must not wait for them.
fn while_read(database: &Database, table: &str, meanwhile: impl FnOnce()) {
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            database.execute(&format!("BEGIN; LOCK TABLE runplane.{table} IN ACCESS SHARE MODE; SELECT pg_sleep(5)"))
        });
        until_locked(database, table, "AccessShareLock", true);
        meanwhile();
        assert!(!reading.is_finished(), "it waited for who reads `{table}`");
        reading.join().unwrap();
    });
}

#[test]
fn a_step_that_is_repeated_takes_no_lock_for_what_is_done() {
    let database = Database::create();
    database.raise_to(4);
    let chain = Before(&database).begin("one");
    let step = schema::MIGRATIONS[4].steps[0].replace("{width}", "100");
    database.execute(&step);
    while_read(&database, "entries", || {
        drop(database.execute(&format!("BEGIN; SET LOCAL lock_timeout = '500ms'; {step}; COMMIT")))
    });
    let made = |family: &str| -> i64 {
        let sql = format!("SELECT made FROM runplane.families WHERE family = '{family}'");
        database.execute(&sql).unwrap().parse().unwrap()
    };
    assert_eq!(made("ledger"), 6_400, "old nodes have room for as long as it takes");
    let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
    let now: i64 = database.execute(sql).unwrap().parse().unwrap();
    assert!(made("lists") - now > 59 * DAY_US && chain.head.size == 1);
    // A table that is read from end to end is the only one that is locked meanwhile.
    for step in schema::MIGRATIONS[4].steps {
        assert!(step.matches("VALIDATE").count() < 2, "{step}");
    }
}

#[test]
fn nobody_waits_long_for_the_window_of_versions() {
    let database = Database::create();
    database.raise_to(4);
    // It is there: a migration needs no lock that readers of the versions keep.
    while_read(&database, "versions", || drop(database.open()));

    let database = Database::create();
    database.raise_to(4);
    database.execute("ALTER TABLE runplane.versions DROP COLUMN needs");
    std::thread::scope(|scope| {
        let opening = std::cell::OnceCell::new();
        while_read(&database, "versions", || {
            opening.set(scope.spawn(|| database.open())).ok().unwrap();
            until_locked(&database, "versions", "AccessExclusiveLock", false);
            // Comes after who waits for the table, and yet before who reads it is done.
            database.execute("SELECT max(version) FROM runplane.versions");
        });
        drop(opening.into_inner().unwrap().join().unwrap());
    });
    assert_eq!(database.execute("SELECT max(needs) FROM runplane.versions"), Some(schema::newest().to_string()));
}

#[test]
fn lists_of_lines_become_lists_of_blocks_and_nothing_older_writes_to_them() {
    let database = Database::create();
    database.raise_to(5);
    let before = Before(&database);
    let mut chain = before.begin("one");
    let batch = full(&chain, 400);
    assert!(before.commit("ws_one", &batch));
    chain.head = batch.head.clone();
    let made = database.execute("SELECT made FROM runplane.families WHERE family = 'lists'").unwrap();
    let from = made.parse::<i64>().unwrap() - 200;
    let listed: Vec<_> = (1..=400_i64)
        .map(|index| crate::DecisionRow { at_us: from + index, ..samples::decision(u64::try_from(index).unwrap()) })
        .collect();
    database.execute(&format!(
        "SELECT runplane.extend_lists({from} + 400);
         INSERT INTO runplane.decisions SELECT 1, i, 'req_' || i, {from} + i, 'agt_a', '', '', '', '', '', '' FROM
             generate_series(1, 400) i;
         INSERT INTO runplane.cursors SELECT number, 401 FROM runplane.workspaces;
         INSERT INTO runplane.tallies SELECT number, 60000000, 'all', 0, '', 1, 1, 1 FROM runplane.workspaces"
    ));
    let store = std::thread::scope(|scope| {
        // An old node, welcome when it began, is about to say that it has listed what comes; a reader holds up the step.
        let old = scope.spawn(|| {
            database.execute(
                "BEGIN; SELECT max(needs) FROM runplane.versions; LOCK TABLE runplane.decisions IN ACCESS SHARE MODE;
                 SELECT pg_sleep(2)",
            )
        });
        until_locked(&database, "decisions", "AccessShareLock", true);
        let store = database.open();
        old.join().unwrap();
        store
    });
    let tried = |sql: &str| {
        database.execute(&format!(
            "DO $$ BEGIN {sql}; PERFORM set_config('tests.said', 'done', false);
             EXCEPTION WHEN OTHERS THEN PERFORM set_config('tests.said', SQLSTATE, false); END $$;
             SELECT current_setting('tests.said')"
        ))
    };
    let says = "INSERT INTO runplane.cursors (workspace, size) VALUES (1, 0) ON CONFLICT (workspace) DO NOTHING";
    assert_eq!(tried(says), Some("42703".into()), "the old node is told that there is no such column");
    assert_eq!(tried("UPDATE runplane.cursors SET size = 402 WHERE workspace = 1"), Some("42703".into()));
    let gone = "SELECT count(*) FROM pg_class WHERE relnamespace = 'runplane'::regnamespace AND relname ~ '^decisions'";
    assert_eq!(database.execute(gone), Some("0".into()));
    let bounds = "SELECT count(*) FROM runplane.parts p JOIN pg_class c ON c.relnamespace = 'runplane'::regnamespace
                  AND c.relname IN ('list_blocks_' || p.name, 'list_terms_' || p.name) AND c.relispartition
                  WHERE p.family = 'lists'";
    assert_eq!(database.execute(bounds), Some("4".into()), "two partitions, of blocks and of terms");
    let all = DecisionFilter { limit: 999, ..Default::default() };
    assert_eq!(store.projection_cursor("ws_one").unwrap(), 0);
    assert_eq!(store.list_decisions("ws_one", &all).unwrap(), []);
    assert_eq!(database.execute("SELECT count(*) FROM runplane.tallies"), Some("0".into()));
    store.project_decisions("ws_one", &listed, 401).unwrap();
    assert_eq!(store.list_decisions("ws_one", &all).unwrap(), listed.into_iter().rev().collect::<Vec<_>>());
}

const MORE: &[&str] = &[
    "ALTER TABLE runplane.heads ADD COLUMN mood text DEFAULT 'fine'",
    "CREATE TABLE runplane.moods (mood text); CREATE INDEX moods_by_mood ON runplane.moods (mood)",
];

fn next() -> i64 {
    schema::newest() + 1
}

#[test]
fn a_newer_schema_that_allows_this_program_is_worked_on_with() {
    let database = Database::create();
    let store = database.open();
    let mut chain = Chain::begin(&store, "one");
    std::thread::scope(|scope| {
        let raising = scope.spawn(|| database.raise_beyond(true, MORE));
        let mut after = 0;
        while after < 5 {
            after += usize::from(raising.is_finished());
            let batch = chain.next_full(2);
            chain.commit(&store, &batch);
        }
        raising.join().unwrap();
    });
    assert_eq!(database.execute("SELECT max(version) FROM runplane.versions"), Some(next().to_string()));
    let another = database.open();
    assert_eq!(another.load_head("ws_one").unwrap(), chain.head);
    another.tend(&Upkeep { now_us: START_US, keep_lists_us: None }).unwrap();
    another.project_decisions("ws_one", &[samples::decision(1)], 2).unwrap();
    another.health().unwrap();
}

#[test]
fn a_newer_schema_that_needs_a_newer_program_is_refused_in_everything_that_writes() {
    let database = Database::create();
    let store = database.open();
    let mut chain = Chain::begin(&store, "one");
    let ends = std::thread::scope(|scope| {
        let raising = scope.spawn(|| database.raise_beyond(false, MORE));
        // Until it is refused.
        let mut after = 0;
        loop {
            after += u32::from(raising.is_finished());
            assert!(after < 10, "it is not refused");
            let batch = chain.next_full(2);
            match store.commit_batch("ws_one", &batch) {
                Ok(()) => chain.head = batch.head,
                Err(refused) => {
                    raising.join().unwrap();
                    return refused;
                }
            }
        }
    });
    let CommitError::NotCommitted(why) = ends else { panic!("{ends:?}") };
    assert!(why.contains("needs a newer program"), "{why}");
    assert_eq!(store.load_head("ws_one").unwrap(), chain.head, "what was refused is not there");
    let newer = |outcome: Result<(), StoreError>| {
        assert!(matches!(outcome, Err(StoreError::Newer { .. })), "{outcome:?}");
    };
    newer(store.begin_turn("ws_one").map(drop));
    newer(store.health());
    newer(store.list_nonces().map(drop));
    newer(store.project_decisions("ws_one", &[samples::decision(1)], 2));
    newer(store.reset_projection("ws_one"));
    newer(store.save_snapshot("ws_one", &crate::Snapshot { size: 1, bytes: vec![1] }));
    let first = Batch::of_entries(0, [0; 16], samples::head(1), samples::entries("two", 0, 1));
    let inserted = store.insert_workspace(&samples::workspace("two"), &first);
    assert!(matches!(inserted, Err(CommitError::NotCommitted(_))), "{inserted:?}");
    newer(PostgresStore::open(&database.address(), &patient()).map(drop));
}
