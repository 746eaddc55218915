//! Entries and payloads of one commit lie packed in few rows, and are read as if each had one of its own.

use super::super::partitions::DAY_US;
use super::super::testing::Database;
use crate::contract::samples::{self, Chain, START_US};
use crate::{Batch, Entry, NewPayload, Payload, Retention, Store, Upkeep};

/// In how many days the payload of an entry is to go, of those that have one.
fn days(index: u64) -> Option<Option<i64>> {
    match index % 5 {
        0 => None,
        1 => Some(Some(31)),
        2 => Some(Some(32)),
        3 => Some(Some(1)),
        _ => Some(None),
    }
}

fn batch(chain: &Chain, count: u64) -> Batch {
    let mut batch = chain.next(count);
    let indexes = batch.expected_size..batch.head.size;
    batch.entries = indexes
        .clone()
        .map(|index| {
            let text = format!("{{\"index\":{index},\"agent\":\"agt_{}\"}}", index % 7);
            let times = usize::try_from(index % 40).unwrap();
            Entry { bytes: text.repeat(times).into_bytes(), leaf_hash: samples::hash(index, 3) }
        })
        .collect();
    for index in indexes {
        let Some(days) = days(index) else { continue };
        batch.payloads.push(NewPayload {
            index,
            salt: [u8::try_from(index % 251).unwrap(); 16],
            bytes: format!("payload of {index} ").repeat(9).into_bytes(),
            retention: if index % 2 == 0 { Retention::Replay } else { Retention::Full },
            erase_after_us: days.map(|days| batch.head.time_us + days * DAY_US),
        });
    }
    batch
}

/// What must be read of these batches, whatever lies where.
struct Expected {
    entries: Vec<Entry>,
    payloads: Vec<(u64, Payload)>,
}

impl Expected {
    fn of(batches: &[Batch]) -> Self {
        let present = |payload: &NewPayload| {
            let NewPayload { index, salt, bytes, retention, erase_after_us } = payload.clone();
            (index, Payload::Present(crate::StoredPayload { salt, bytes, retention, erase_after_us }))
        };
        Self {
            entries: batches.iter().flat_map(|batch| batch.entries.clone()).collect(),
            payloads: batches.iter().flat_map(|batch| batch.payloads.iter().map(present)).collect(),
        }
    }

    fn erase(&mut self, which: impl Fn(u64) -> bool) {
        self.payloads.iter_mut().filter(|(index, _)| which(*index)).for_each(|(_, payload)| *payload = Payload::Erased);
    }

    fn assert_read(&self, store: &dyn Store) {
        let size = u64::try_from(self.entries.len()).unwrap();
        for from in [0, 1, 2, 3, 43, 44, 45, 99, 100, 255, 256, 299, 300, 342, 343, 344, 600, 863, 864, size - 1, size]
        {
            for count in [0, 1, 2, 50, 256, 900] {
                let until = size.min(from + count);
                let read = store.read_entries("ws_one", from, usize::try_from(count).unwrap()).unwrap();
                let indexes: Vec<u64> = read.iter().map(|row| row.index).collect();
                assert_eq!(indexes, (from.min(until)..until).collect::<Vec<_>>(), "{from} {count}");
                for row in read {
                    let entry = &self.entries[usize::try_from(row.index).unwrap()];
                    assert!(row.bytes == entry.bytes && row.leaf_hash == entry.leaf_hash, "{}", row.index);
                }
                let read = store.read_payloads("ws_one", from, usize::try_from(count).unwrap()).unwrap();
                let wanted = self.payloads.iter().filter(|(index, _)| (from..from + count).contains(index));
                assert!(read.iter().eq(wanted), "{from} {count}: {read:?}");
            }
        }
        for index in (0..size).step_by(11) {
            let wanted = self.payloads.iter().find(|(at, _)| *at == index);
            let wanted = wanted.map_or(Payload::NotKept, |(_, payload)| payload.clone());
            assert_eq!(store.load_payload("ws_one", index).unwrap(), wanted, "{index}");
        }
    }
}

#[test]
fn whatever_was_packed_is_read_from_any_place() {
    let database = Database::create();
    let store = database.open_cut(50);
    store.tend(&Upkeep { now_us: START_US, keep_lists_us: None }).unwrap();
    let mut chain = Chain::begin(&store, "one");
    let mut batches = vec![Batch::of_entries(0, [0; 16], samples::head(1), samples::entries("one", 0, 1))];
    for count in [1, 2, 40, 300, 1, 1, 520, 7] {
        let batch = batch(&chain, count);
        chain.commit(&store, &batch);
        batches.push(batch);
    }
    let rows = |table: &str| -> u64 {
        database.execute(&format!("SELECT count(*) FROM runplane.{table}")).unwrap().parse().unwrap()
    };
    assert_eq!(rows("entries"), 1 + 1 + 1 + 1 + 2 + 1 + 1 + 3 + 1, "a row for each 256 of a commit");
    let erased_alone =
        batches.iter().flat_map(|batch| &batch.payloads).filter(|payload| payload.index % 5 == 3).count();
    assert_eq!(rows("kept_short"), u64::try_from(erased_alone).unwrap(), "these have a row each");
    assert!(rows("kept") - rows("kept_short") < 30, "and the others one for each day");
    let mut expected = Expected::of(&batches);
    expected.assert_read(&store);
    expected.assert_read(&database.open());

    let soon = START_US + 2 * DAY_US;
    while store.erase_payloads("ws_one", soon, 100).unwrap() > 0 {}
    expected.erase(|index| index % 5 == 3);
    expected.assert_read(&store);
    let over = (START_US / DAY_US + 32) * DAY_US;
    assert!(store.tend(&Upkeep { now_us: over, keep_lists_us: None }).unwrap() > 0);
    expected.erase(|index| index % 5 == 1);
    expected.assert_read(&store);
}

#[test]
fn what_was_spoiled_is_a_gap_or_an_error_and_never_something_else() {
    let database = Database::create();
    let store = database.open();
    store.tend(&Upkeep { now_us: START_US, keep_lists_us: None }).unwrap();
    let mut chain = Chain::begin(&store, "one");
    let batch = batch(&chain, 200);
    chain.commit(&store, &batch);
    let later = chain.next(3);
    chain.commit(&store, &later);
    let coded = "SELECT min(coding) FROM runplane.entries WHERE ends IS NOT NULL AND length(bytes) > 100";
    assert_eq!(database.execute(coded), Some("1".into()), "what is long is shortened");
    let indexes =
        || -> Vec<u64> { store.read_entries("ws_one", 0, 300).unwrap().iter().map(|row| row.index).collect() };
    assert_eq!(indexes(), (0..204).collect::<Vec<_>>());
    let spoil = |table: &str, set: &str| {
        let packed = if table == "kept" { "heads IS NOT NULL" } else { "ends IS NOT NULL AND entry_index = 1" };
        let spoiled = format!("UPDATE runplane.{table} SET {set} WHERE {packed} RETURNING 1");
        assert!(database.execute(&spoiled).is_some(), "{table} {set}");
    };
    let places = "payload_days = payload_days || '\\x00'";
    spoil("entries", places);
    assert!(store.read_payloads("ws_one", 0, 10).is_err(), "nobody knows where they are");
    spoil("entries", "payload_days = substring(payload_days FROM 1 FOR length(payload_days) - 1)");
    assert!(store.read_payloads("ws_one", 0, 10).is_ok());
    for set in ["bytes = set_byte(bytes, 0, 0)", "coding = 9", "heads = set_byte(heads, 4, 7)"] {
        database.execute("CREATE TABLE IF NOT EXISTS before AS SELECT * FROM runplane.kept");
        spoil("kept", set);
        assert!(store.read_payloads("ws_one", 0, 200).is_err(), "{set}");
        database.execute("TRUNCATE runplane.kept; INSERT INTO runplane.kept SELECT * FROM before");
        assert!(store.read_payloads("ws_one", 0, 200).is_ok(), "{set}");
    }
    spoil("entries", "bytes = set_byte(bytes, 0, 255)");
    let left: Vec<u64> = [0].into_iter().chain(201..204).collect();
    assert_eq!(indexes(), left);
    database.execute("DELETE FROM runplane.entries WHERE entry_index = 1");
    assert_eq!(indexes(), left);
}
