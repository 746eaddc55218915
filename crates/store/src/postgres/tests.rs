//! PostgreSQL under the contract, and what is PostgreSQL's own.

use super::testing::Database;
use crate::Store;
use crate::contract::Place;

impl Place for Database {
    fn open(&self) -> Box<dyn Store> {
        Box::new(Database::open(self))
    }
}

mod contract {
    crate::contract_tests!(super::Database::create());
}

/// The same where commits need partitions that are not there yet.
mod contract_on_small_partitions {
    use super::Database;
    use crate::Store;
    use crate::contract::Place;

    struct Small(Database);

    impl Place for Small {
        fn open(&self) -> Box<dyn Store> {
            Box::new(self.0.open_cut(20))
        }
    }

    crate::contract_tests!(Small(Database::create()));
}

mod lists;
mod partitions;
mod segments;
mod upgrade;

use super::testing::{Proxy, patient};
use super::{Address, Options, PostgresStore};
use crate::contract::samples::{self, Chain};
use crate::{CommitError, StoreError, Tally, Turn};
use std::time::Duration;

fn turn(store: &PostgresStore) -> Box<dyn Turn + '_> {
    store.begin_turn("ws_one").unwrap().expect("PostgreSQL is shared")
}

fn refusal(outcome: Result<PostgresStore, StoreError>) -> StoreError {
    outcome.err().expect("opening must be refused")
}

#[test]
fn what_is_not_ours_or_newer_is_refused_and_left_as_it_is() {
    let database = Database::create();
    database.execute("CREATE SCHEMA runplane; CREATE TABLE runplane.other (a int)");
    let error = refusal(PostgresStore::open(&database.address(), &patient()));
    assert!(matches!(error, StoreError::Foreign(_)), "{error}");
    assert_eq!(
        database.execute(
            "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'runplane'"
        ),
        Some("1".into())
    );
    database.execute("DROP SCHEMA runplane CASCADE");
    drop(database.open());
    database.execute("INSERT INTO runplane.versions VALUES (99, 98)");
    let error = refusal(PostgresStore::open(&database.address(), &patient()));
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
}

#[test]
fn many_nodes_may_start_at_once() {
    let database = Database::create();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| database.open());
        }
    });
    assert_eq!(database.execute("SELECT count(*) = max(version) FROM runplane.versions"), Some("t".into()));
}

#[test]
fn one_turn_at_a_time_and_the_next_one_sees_what_the_last_one_wrote() {
    let database = Database::create();
    let (here, there) = (database.open(), database.open());
    let mut chain = Chain::begin(&here, "one");
    for round in 0..10 {
        let (mine, other) = if round % 2 == 0 { (&here, &there) } else { (&there, &here) };
        let held = turn(mine);
        assert_eq!((held.seen().size, held.seen().nonce), (chain.head.size, chain.head.nonce));
        let batch = chain.next_full(3);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| turn(other).seen().nonce);
            while database.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
            ) == Some("0".into())
            {}
            held.commit(&batch).unwrap();
            assert_eq!(waiting.join().unwrap(), batch.head.nonce);
        });
        chain.head = batch.head;
    }
    drop(turn(&here));
    assert_eq!(turn(&there).seen().size, 31, "a turn that is dropped is given back");
}

#[test]
fn the_clock_is_the_databases_and_read_after_the_wait() {
    let database = Database::create();
    let options = Options { database_clock: true, ..patient() };
    let store = PostgresStore::open(&database.address(), &options).unwrap();
    Chain::begin(&store, "one");
    let held = turn(&store);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| turn(&store).seen().now_us.unwrap());
        while database.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
        ) == Some("0".into())
        {}
        let before: i64 = database
            .execute("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
            .unwrap()
            .parse()
            .unwrap();
        drop(held);
        assert!(waiting.join().unwrap() > before);
    });
}

#[test]
fn a_node_that_stops_in_its_turn_loses_it_and_cannot_commit_any_more() {
    let database = Database::create();
    let options = Options { idle_in_turn: Duration::from_millis(300), lock_wait: Duration::from_secs(20), ..patient() };
    let frozen = PostgresStore::open(&database.address(), &options).unwrap();
    let other = database.open();
    let mut chain = Chain::begin(&frozen, "one");
    let held = turn(&frozen);
    let lost = chain.next(2);
    // Nothing moves on the first node; the second gets its turn nevertheless.
    let next = turn(&other);
    let mut batch = chain.next_full(1);
    batch.head.nonce = [5; 16];
    next.commit(&batch).unwrap();
    chain.head = batch.head;
    let outcome = held.commit(&lost);
    assert!(matches!(outcome, Err(CommitError::NotCommitted(_) | CommitError::HeadMoved)), "{outcome:?}");
    assert_eq!(turn(&frozen).seen().nonce, [5; 16], "it goes on with what is true now");
}

#[test]
fn a_commit_whose_answer_is_lost_is_found_again() {
    let database = Database::create();
    let chain = Chain::begin(&database.open(), "one");
    let proxy = Proxy::before(&database.address());
    let through = Address::parse(&proxy.url(database.address().database())).unwrap();
    let store = PostgresStore::open(&through, &patient()).unwrap();
    let held = turn(&store);
    proxy.lose_answers(true);
    let batch = chain.next_full(2);
    std::thread::scope(|scope| {
        let committing = scope.spawn(|| held.commit(&batch));
        let stored = "SELECT size FROM runplane.heads";
        database.until(stored, |size| size == Some("3"));
        proxy.lose_answers(false);
        assert_eq!(committing.join().unwrap(), Ok(()));
    });
    assert_eq!(store.load_head("ws_one").unwrap(), batch.head);
}

#[test]
fn a_commit_that_never_arrived_is_known_not_to_have_happened() {
    let database = Database::create();
    let chain = Chain::begin(&database.open(), "one");
    let proxy = Proxy::before(&database.address());
    let through = Address::parse(&proxy.url(database.address().database())).unwrap();
    let store = PostgresStore::open(&through, &patient()).unwrap();
    let held = turn(&store);
    proxy.cut();
    let outcome = held.commit(&chain.next(1));
    assert!(matches!(outcome, Err(CommitError::NotCommitted(_))), "{outcome:?}");
    let batch = chain.next_full(2);
    turn(&store).commit(&batch).unwrap();
    assert_eq!(samples::head(3), store.load_head("ws_one").unwrap());
}

#[test]
fn a_node_that_was_away_counts_nothing_twice() {
    let database = Database::create();
    let store = database.open();
    let mut chain = Chain::begin(&store, "one");
    let batch = chain.next_full(9);
    chain.commit(&store, &batch);
    let rows: Vec<_> = (1..5).map(samples::decision).collect();
    let (span_us, dimension) = (60_000_000, "all".to_owned());
    let tally = Tally { span_us, start_us: 0, dimension, key: String::new(), allowed: 4, held: 0, blocked: 0 };
    store.project(&rows, std::slice::from_ref(&tally), "ws_one", 5).unwrap();
    for cursor in [5, 9] {
        let late = store.project(&rows, std::slice::from_ref(&tally), "ws_one", cursor);
        assert!(matches!(late, Err(StoreError::Contradiction(_))), "{late:?}");
    }
    assert_eq!(database.execute("SELECT allowed FROM runplane.tallies"), Some("4".into()));
}

#[test]
fn a_lease_has_one_holder_until_it_ends() {
    let database = Database::create();
    let (here, there) = (database.open(), database.open());
    let long = Duration::from_secs(600);
    assert!(here.hold_lease("lists", "a", long).unwrap());
    assert!(!there.hold_lease("lists", "b", long).unwrap());
    assert!(there.hold_lease("mail", "b", long).unwrap(), "of another task");
    assert!(here.hold_lease("lists", "a", Duration::ZERO).unwrap(), "its holder may change its end");
    assert!(there.hold_lease("lists", "b", long).unwrap());
    assert!(!here.hold_lease("lists", "a", long).unwrap());
}

#[test]
fn what_nodes_must_have_in_common_is_what_the_first_one_has() {
    let database = Database::create();
    let (here, there) = (database.open(), database.open());
    here.agree("ledger key", b"one").unwrap();
    there.agree("ledger key", b"one").unwrap();
    assert!(matches!(there.agree("ledger key", b"two"), Err(StoreError::Contradiction(_))));
    there.agree("permit key", b"two").unwrap();
}

#[test]
fn an_announcement_reaches_the_other_nodes_and_a_look_tells_where_they_were() {
    let database = Database::create();
    let (here, there) = (database.open(), database.open());
    let mut chain = Chain::begin(&here, "one");
    let batch = chain.next(1);
    chain.commit(&here, &batch);
    assert_eq!(there.list_nonces().unwrap(), [("ws_one".to_owned(), batch.head.nonce)]);
    let (heard, hears) = std::sync::mpsc::channel();
    there.on_announcement(Box::new(move || _ = heard.send(())));
    // It takes a moment until the other one listens; what is said before that is lost, as notices may be.
    let arrived = (0..200).any(|_| {
        here.announce();
        hears.recv_timeout(Duration::from_millis(100)).is_ok()
    });
    assert!(arrived);
}
