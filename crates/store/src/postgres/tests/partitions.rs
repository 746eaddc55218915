//! Partitions: made in time or at the last moment, crossed without a seam, dropped when their time has come.

use super::super::partitions::{DAY_US, SHORT};
use super::super::testing::{Database, patient};
use super::super::{Address, Options, PostgresStore};
use crate::contract::samples::{self, Chain, START_US};
use crate::{DecisionFilter, DecisionRow, Execution, NewPayload, Payload, Retention, Store, Upkeep};
use std::time::Duration;

const CUT: u64 = 50;

fn count(database: &Database, tables: &str) -> String {
    let sql = format!(
        "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
         WHERE nspname = 'runplane' AND relkind = 'r' AND relname ~ '^{tables}_'"
    );
    database.execute(&sql).unwrap()
}

fn at(now_us: i64) -> Upkeep {
    Upkeep { now_us, keep_lists_us: None }
}

#[test]
fn a_ledger_crosses_partitions_that_nobody_made_ahead() {
    let database = Database::create();
    let nodes = [database.open_cut(CUT), database.open()];
    let mut chain = Chain::begin(&nodes[0], "one");
    for round in 0..60 {
        let batch = chain.next_full(7);
        chain.commit(&nodes[round % 2], &batch);
        crate::contract::commits::assert_batch_is_stored(&nodes[(round + 1) % 2], &batch);
    }
    let size = chain.head.size;
    assert_eq!(count(&database, "entries"), (size / CUT + 1).to_string());
    for node in &nodes {
        for from in [0, 1, 49, 50, 51, 99, 333] {
            let indexes: Vec<u64> =
                node.read_entries("ws_one", from, 80).unwrap().iter().map(|entry| entry.index).collect();
            assert_eq!(indexes, (from..size.min(from + 80)).collect::<Vec<_>>());
        }
        assert_eq!(node.read_entries("ws_one", size, 9).unwrap(), []);
        let notes = node.read_checkpoints("ws_one", 0, 100).unwrap();
        assert_eq!(notes.iter().map(|note| note.size).collect::<Vec<_>>(), (1..=size).step_by(7).collect::<Vec<_>>());
        let notes = node.read_checkpoints("ws_one", 45, 3).unwrap();
        assert_eq!(notes.iter().map(|note| note.size).collect::<Vec<_>>(), [50, 57, 64]);
        assert_eq!(node.load_execution("ws_one", 200).unwrap().map(|execution| execution.index), Some(200));
    }
    let mut late = chain.next(1);
    late.executions.push(Execution { index: 3, status: "succeeded".into(), bytes: vec![2] });
    chain.commit(&nodes[0], &late);
    let replaced = nodes[1].load_execution("ws_one", 3).unwrap().unwrap();
    assert_eq!(replaced.status, "succeeded", "a row of the first partition is replaced");
}

#[test]
fn upkeep_makes_partitions_ahead_and_is_done_when_they_are_there() {
    let database = Database::create();
    let store = database.open_cut(CUT);
    let mut chain = Chain::begin(&store, "one");
    let made = || -> u64 {
        database.execute("SELECT made FROM runplane.families WHERE family = 'ledger'").unwrap().parse().unwrap()
    };
    for size in [120, 180] {
        let batch = chain.next(size);
        chain.commit(&store, &batch);
        for _ in 0..2 {
            store.tend(&at(START_US)).unwrap();
            let ahead = made() - chain.head.size;
            assert!((CUT..2 * CUT).contains(&ahead), "{ahead}");
        }
    }
    let last = || database.execute("SELECT max(lower) FROM runplane.parts WHERE family = 'payloads'").unwrap();
    let before: i64 = last().parse().unwrap();
    store.tend(&at(START_US + DAY_US)).unwrap();
    assert_eq!(last(), (before + 1).to_string(), "a further day");
}

#[test]
fn nodes_that_make_partitions_at_once_do_not_stand_in_each_others_way() {
    let database = Database::create();
    let first = database.open_cut(CUT);
    std::thread::scope(|scope| {
        for name in ["a", "b", "c", "d"] {
            let database = &database;
            scope.spawn(move || {
                let store = database.open();
                let mut chain = Chain::begin(&store, name);
                for round in 0..25 {
                    let batch = chain.next_full(11);
                    chain.commit(&store, &batch);
                    if round % 8 == 0 {
                        store.tend(&at(START_US + round * DAY_US)).unwrap();
                    }
                }
            });
        }
    });
    for name in ["ws_a", "ws_b", "ws_c", "ws_d"] {
        assert_eq!(first.read_entries(name, 0, 999).unwrap().len(), 276);
    }
}

#[test]
fn a_backup_that_reads_for_hours_keeps_no_partition_from_being_made() {
    let database = Database::create();
    let store = database.open_cut(CUT);
    let mut chain = Chain::begin(&store, "one");
    std::thread::scope(|scope| {
        // As pg_dump does: every table is locked until its end.
        let reading = scope.spawn(|| {
            database.execute(
                "BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE runplane.entries, runplane.kept, runplane.list_blocks,
                 runplane.entries_first IN ACCESS SHARE MODE; SELECT pg_sleep(3)",
            )
        });
        let locked = "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
                      WHERE c.relname = 'entries_first' AND l.mode = 'AccessShareLock' AND l.granted";
        database.until(locked, |count| count != Some("0"));
        let batch = chain.next_full(3 * CUT);
        chain.commit(&store, &batch);
        store.tend(&at(START_US)).unwrap();
        assert!(!reading.is_finished(), "it took too long to tell anything");
        reading.join().unwrap();
    });
}

/// A batch of one entry with a payload that is to go after so many days.
fn keep(chain: &mut Chain, store: &dyn Store, days: Option<i64>) -> u64 {
    let mut batch = chain.next(1);
    let index = batch.expected_size;
    let erase_after_us = days.map(|days| batch.head.time_us + days * DAY_US);
    let bytes = format!("payload of {index}").into_bytes();
    batch.payloads.push(NewPayload { index, salt: [7; 16], bytes, retention: Retention::Replay, erase_after_us });
    chain.commit(store, &batch);
    index
}

#[test]
fn payloads_go_with_their_day_and_are_known_to_have_been_there() {
    let database = Database::create();
    let (store, other) = (database.open(), database.open());
    let mut chain = Chain::begin(&store, "one");
    let unplaced = keep(&mut chain, &store, Some(31));
    store.tend(&at(START_US)).unwrap();
    let (early, long, soon, ever) = (
        keep(&mut chain, &store, Some(30)),
        keep(&mut chain, &store, Some(31)),
        keep(&mut chain, &store, Some(1)),
        keep(&mut chain, &store, None),
    );
    let bare = chain.next(1);
    chain.commit(&store, &bare);
    let none = chain.head.size - 1;
    let place = |index: u64| {
        let sql = format!("SELECT payload_day FROM runplane.entries WHERE entry_index = {index}");
        database.execute(&sql).unwrap().parse::<i32>().unwrap()
    };
    assert_eq!((place(unplaced), place(soon)), (SHORT, SHORT), "nobody had made its day; it does not live long");
    assert_eq!(place(long), place(early) + 1);
    let kept = |index: u64| match (store.load_payload("ws_one", index), other.load_payload("ws_one", index)) {
        (Ok(here), Ok(there)) if here == there => here,
        different => panic!("{different:?}"),
    };
    let is_present = |index| matches!(kept(index), Payload::Present(_));
    for index in [unplaced, early, long, soon, ever] {
        assert!(is_present(index), "{index}");
    }
    assert_eq!(kept(none), Payload::NotKept);

    assert_eq!(store.erase_payloads("ws_one", START_US + 2 * DAY_US, 9).unwrap(), 1);
    assert_eq!((kept(soon), is_present(unplaced)), (Payload::Erased, true));
    let (day, tables) = (DAY_US, || count(&database, "kept"));
    let until = (START_US / day + 31) * day;
    // The last moment of the day of the first of them, and the first after.
    store.tend(&at(until - 1)).unwrap();
    assert!(is_present(early));
    let before = tables();
    assert_eq!(store.tend(&at(until)).unwrap(), 1);
    assert_eq!((kept(early), is_present(long)), (Payload::Erased, true));
    assert_eq!(tables(), before, "one day went, one came");
    store.tend(&at(until + day)).unwrap();
    assert_eq!((kept(long), is_present(unplaced), is_present(ever)), (Payload::Erased, true, true));
    assert_eq!(other.erase_payloads("ws_one", until + day, 9).unwrap(), 1);
    assert_eq!((kept(unplaced), kept(none)), (Payload::Erased, Payload::NotKept));
    let late = keep(&mut chain, &other, Some(31));
    assert!(is_present(late));
    let all: Vec<u64> = store.read_payloads("ws_one", 0, 99).unwrap().iter().map(|(index, _)| *index).collect();
    assert_eq!(all, [unplaced, early, long, soon, ever, late]);
}

/// Commits something at this time, by which what ended before is over.
fn ledger_reaches(chain: &mut Chain, store: &dyn Store, time_us: i64) {
    let mut batch = chain.next(1);
    batch.head.time_us = time_us;
    chain.commit(store, &batch);
}

/// Time from which partitions of the lists can be chosen: what was there when the database was made ends here.
fn first_end(database: &Database) -> i64 {
    database.execute("SELECT made FROM runplane.families WHERE family = 'lists'").unwrap().parse().unwrap()
}

#[test]
fn lists_cross_partitions_without_a_seam_and_end_where_they_are_kept_no_longer() {
    let database = Database::create();
    let store = database.open();
    let mut chain = Chain::begin(&store, "one");
    let batch = chain.next(400);
    chain.commit(&store, &batch);
    database.execute(&format!("UPDATE runplane.families SET width = {DAY_US} WHERE family = 'lists'"));
    // Four decisions an hour, from two days before the end of the first partition on; a pause of ten days in between.
    let from = first_end(&database) - 2 * DAY_US;
    let rows: Vec<DecisionRow> = (1..=400)
        .map(|index| {
            let quarters = i64::try_from(index).unwrap() * DAY_US / 96;
            let pause = if index > 250 { 10 * DAY_US } else { 0 };
            DecisionRow { at_us: from + quarters + pause, ..samples::decision(index) }
        })
        .collect();
    for part in rows.chunks(90) {
        store.project_decisions("ws_one", part, part.last().unwrap().index + 1).unwrap();
    }
    let tables: usize = count(&database, "list_blocks").parse().unwrap();
    assert!((5..9).contains(&tables), "{tables} partitions: days, and one for the pause");
    let expect = |store: &dyn Store, rows: &[DecisionRow]| {
        let all = DecisionFilter { limit: 1_000, ..Default::default() };
        let page = |filter: &DecisionFilter| store.list_decisions("ws_one", filter).unwrap();
        let newest: Vec<_> = rows.iter().rev().cloned().collect();
        assert_eq!(page(&all), newest);
        for before in [1, 100, 190, 191, 193, 251, 400, 401] {
            let wanted: Vec<_> = newest.iter().filter(|row| row.index < before).take(7).cloned().collect();
            assert_eq!(page(&DecisionFilter { before: Some(before), limit: 7, ..Default::default() }), wanted);
            let mut wanted: Vec<_> = rows.iter().filter(|row| row.index > before).take(7).cloned().collect();
            wanted.reverse();
            assert_eq!(page(&DecisionFilter { after: Some(before), limit: 7, ..Default::default() }), wanted);
        }
        for since in [0, from, rows[30].at_us, rows[100].at_us + 1] {
            for until in [i64::MAX, rows[101].at_us, rows[50].at_us] {
                let wanted: Vec<_> =
                    newest.iter().filter(|row| row.at_us >= since && row.at_us < until).cloned().collect();
                let filter = DecisionFilter { since_us: Some(since), until_us: Some(until), ..all.clone() };
                assert_eq!(page(&filter), wanted, "{since} {until}");
            }
        }
        let found = |id: &str| -> Vec<u64> {
            store.find_decisions("ws_one", id, None, 9).unwrap().iter().map(|row| row.index).collect()
        };
        for index in [1, 200, 400] {
            let is_listed = rows.iter().any(|row| row.index == index);
            assert_eq!(found(&format!("req_{index}")), if is_listed { vec![index] } else { vec![] });
        }
    };
    expect(&store, &rows);

    let upkeep = |keep_lists_us| Upkeep { now_us: rows[399].at_us, keep_lists_us };
    store.tend(&upkeep(None)).unwrap();
    expect(&store, &rows);
    let ends = from + 2 * DAY_US;
    ledger_reaches(&mut chain, &store, rows[399].at_us);
    store.tend(&upkeep(Some(rows[399].at_us - ends))).unwrap();
    let kept: Vec<DecisionRow> = rows.iter().filter(|row| row.at_us >= ends).cloned().collect();
    assert!((200..220).contains(&kept.len()));
    expect(&store, &kept);
    // Made again from the ledger they are no longer.
    store.reset_projection("ws_one").unwrap();
    store.project_decisions("ws_one", &rows, 401).unwrap();
    assert_eq!(store.projection_cursor("ws_one").unwrap(), 401);
    expect(&store, &kept);
}

#[test]
fn partitions_of_the_lists_are_as_long_as_fits_their_blocks() {
    let database = Database::create();
    let store = database.open();
    let now: i64 =
        database.execute("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint").unwrap().parse().unwrap();
    let width = || -> i64 {
        database.execute("SELECT width FROM runplane.families WHERE family = 'lists'").unwrap().parse().unwrap()
    };
    if !database.is_ours() {
        return;
    }
    // As if the database were older: a partition of ten days that is in use.
    database.execute(&format!(
        "INSERT INTO runplane.parts VALUES ('lists', {}, {}, 'x');
         CREATE TABLE runplane.list_blocks_x (a int)",
        now - 5 * DAY_US,
        now + 5 * DAY_US
    ));
    for (blocks, days) in [(0_i64, 7), (800, 28), (200_000, 5), (3_600_000, 1)] {
        database.execute(&format!("UPDATE pg_class SET reltuples = {blocks} WHERE relname = 'list_blocks_x'"));
        store.tend(&at(now)).unwrap();
        assert!((width() - days * DAY_US).abs() < DAY_US, "{blocks} blocks in five days: {}", width() / DAY_US);
    }
}

/// What the guide says a role for nodes needs.
const GRANTS: &str = "
GRANT USAGE ON SCHEMA runplane TO runplane_serve;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA runplane TO runplane_serve;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA runplane TO runplane_serve;
ALTER DEFAULT PRIVILEGES IN SCHEMA runplane GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO runplane_serve;
ALTER DEFAULT PRIVILEGES IN SCHEMA runplane GRANT EXECUTE ON FUNCTIONS TO runplane_serve;
";

/// A role that may read and write rows, run our functions, and nothing else; gone with the test.
struct Servant<'d> {
    database: &'d Database,
    role: String,
}

impl<'d> Servant<'d> {
    fn of(database: &'d Database) -> Self {
        let role = format!("{}_serve", database.address().database());
        database.execute(&format!("CREATE ROLE {role}; {}", GRANTS.replace("runplane_serve", &role)));
        Self { database, role }
    }

    fn open(&self) -> PostgresStore {
        let url = self.database.url();
        let and = if url.contains('?') { '&' } else { '?' };
        let address = Address::parse(&format!("{url}{and}options=-c%20role%3D{}", self.role)).unwrap();
        PostgresStore::open(&address, &patient()).unwrap()
    }
}

impl Drop for Servant<'_> {
    fn drop(&mut self) {
        self.database.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}", role = self.role));
    }
}

#[test]
fn a_node_needs_no_right_to_make_tables() {
    let database = Database::create();
    drop(database.open_cut(CUT));
    if !database.is_ours() {
        return;
    }
    let servant = Servant::of(&database);
    let store = servant.open();
    assert!(store.connections.run(async |db| Ok(db.batch_execute("CREATE TABLE runplane.mine ()").await?)).is_err());
    let mut chain = Chain::begin(&store, "one");
    let batch = chain.next_full(3 * CUT);
    chain.commit(&store, &batch);
    crate::contract::commits::assert_batch_is_stored(&store, &batch);
    let guide = include_str!("../../../../../docs/guide/scale.md");
    assert!(guide.contains(GRANTS), "the guide says something else");
    let late = DecisionRow { at_us: first_end(&database) + 90 * DAY_US, ..samples::decision(1) };
    store.project_decisions("ws_one", std::slice::from_ref(&late), 2).unwrap();
    let now_us = late.at_us;
    ledger_reaches(&mut chain, &store, now_us);
    assert!(store.tend(&Upkeep { now_us, keep_lists_us: Some(DAY_US) }).unwrap() > 0, "it may drop what is over");
    assert_eq!(store.list_decisions("ws_one", &DecisionFilter { limit: 9, ..Default::default() }).unwrap(), [late]);
    store.health().unwrap();
}

/// What a statement fails with as a role, or its first column.
fn tried(database: &Database, role: &str, sql: &str) -> String {
    let tried = format!(
        "BEGIN; SET LOCAL ROLE {role};
         DO $$ BEGIN {sql}; PERFORM set_config('tests.said', 'done', true);
         EXCEPTION WHEN OTHERS THEN PERFORM set_config('tests.said', SQLSTATE || ' ' || SQLERRM, true); END $$;
         SELECT current_setting('tests.said'); COMMIT"
    );
    database.execute(&tried).unwrap()
}

const FUNCTIONS: [&str; 4] = ["extend_ledger(199)", "extend_lists(1)", "extend_days(1, 2)", "drop_part('payloads', 1)"];

#[test]
fn a_foreign_role_may_not_make_or_drop_partitions() {
    let database = Database::create();
    drop(database.open_cut(CUT));
    if !database.is_ours() {
        return;
    }
    let servant = Servant::of(&database);
    // A version that comes later makes a function, too.
    database.raise_beyond(
        true,
        &[
            "CREATE FUNCTION runplane.early() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "CREATE FUNCTION runplane.late() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        ],
    );
    let reader = format!("{}_reads", database.address().database());
    database.execute(&format!(
        "CREATE ROLE {reader}; GRANT USAGE ON SCHEMA runplane TO {reader};
         GRANT SELECT ON ALL TABLES IN SCHEMA runplane TO {reader}"
    ));
    let reader = Servant { database: &database, role: reader };
    let before = database.execute("SELECT made FROM runplane.families WHERE family = 'ledger'");
    for function in FUNCTIONS.iter().chain(&["early()", "late()"]) {
        let said = tried(&database, &reader.role, &format!("PERFORM runplane.{function}"));
        assert!(said.starts_with("42501 permission denied for function"), "{function}: {said}");
    }
    assert_eq!(database.execute("SELECT made FROM runplane.families WHERE family = 'ledger'"), before);
    for function in FUNCTIONS.iter().chain(&["early()", "late()"]) {
        assert_eq!(tried(&database, &servant.role, &format!("PERFORM runplane.{function}")), "done", "{function}");
    }
    let said = tried(&database, &servant.role, "PERFORM runplane.make_lists('mine', 1, 2)");
    assert!(said.starts_with("42501 permission denied for schema"), "what others are made of has no rights: {said}");
}

#[test]
fn a_day_that_is_not_over_is_not_dropped_whoever_asks() {
    let database = Database::create();
    let store = database.open();
    let mut chain = Chain::begin(&store, "one");
    let today = "floor(extract(epoch FROM clock_timestamp()) / 86400)::int";
    database.execute(&format!("SELECT runplane.extend_days({today} - 1, {today} + 2)"));
    let dropped = |family: &str, lower: &str| {
        tried(&database, "NONE", &format!("PERFORM runplane.drop_part('{family}', {lower})"))
    };
    for days in ["+ 2", "+ 1", ""] {
        let said = dropped("payloads", &format!("{today} {days}"));
        assert!(said.contains("is not over"), "today {days}: {said}");
    }
    assert_eq!(dropped("payloads", &format!("{today} - 1")), "done");
    let lists = dropped("lists", "(SELECT lower FROM runplane.parts WHERE family = 'lists')");
    assert!(lists.contains("is not over"), "{lists}");
    assert_eq!((count(&database, "list_blocks"), count(&database, "list_terms")), ("1".into(), "1".into()));
    let tomorrow = format!("{today} + 1");
    let ends: i64 = database.execute(&format!("SELECT ({tomorrow} + 1)::bigint")).unwrap().parse().unwrap();
    ledger_reaches(&mut chain, &store, ends * DAY_US);
    assert_eq!(dropped("payloads", &tomorrow), "done", "the ledger says that it is over");
}

#[test]
fn a_turn_is_not_idle_while_a_partition_is_made() {
    let database = Database::create();
    let options = Options { idle_in_turn: Duration::from_millis(300), partition: CUT, ..patient() };
    let store = PostgresStore::open(&database.address(), &options).unwrap();
    let mut chain = Chain::begin(&store, "one");
    let batch = chain.next(CUT - 4);
    chain.commit(&store, &batch);
    let making = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 1380994098
                  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    std::thread::scope(|scope| {
        // Another node is at it, and takes its time.
        scope.spawn(|| database.execute("BEGIN; SELECT pg_advisory_xact_lock(1380994098); SELECT pg_sleep(1)"));
        database.until(making, |count| count != Some("0"));
        let turn = store.begin_turn("ws_one").unwrap().expect("PostgreSQL is shared");
        let batch = chain.next(9);
        turn.commit(&batch).unwrap();
        chain.head = batch.head;
    });
    assert_eq!(store.load_head("ws_one").unwrap().size, CUT + 6);
}
