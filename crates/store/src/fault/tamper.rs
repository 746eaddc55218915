//! Somebody with access to the database file who changes what must not change, for tests of whether
//! that is found. It goes around the store on purpose, also while a server has the folder open.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior, params};

use crate::batch::Entry;
use crate::coding;
use crate::error::StoreError;
use crate::packed;
use crate::sqlite::LEDGER_FILE;
use crate::sqlite::segment::{self, first_index};

/// A stranger's connection to the ledger database of a data folder.
pub struct Tamper(Connection);

/// One segment, taken apart.
struct Segment {
    id: i64,
    /// How many entries there were.
    count: i64,
    note: Option<String>,
    entries: Vec<Entry>,
}

impl Tamper {
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open(folder.join(LEDGER_FILE)).map_err(failed)?;
        connection.busy_timeout(Duration::from_secs(5)).map_err(failed)?;
        Ok(Self(connection))
    }

    /// Flips one bit of the entry's bytes, at `at` counted from the front and modulo the length.
    pub fn flip_entry_bit(&mut self, workspace: &str, index: i64, at: usize) -> Result<(), StoreError> {
        self.change(workspace, index, |entry| {
            let at = at % entry.bytes.len().max(1);
            if let Some(byte) = entry.bytes.get_mut(at) {
                *byte ^= 1;
            }
        })
    }

    pub fn replace_entry(&mut self, workspace: &str, index: i64, bytes: &[u8]) -> Result<(), StoreError> {
        self.change(workspace, index, |entry| entry.bytes = bytes.to_vec())
    }

    pub fn replace_leaf_hash(&mut self, workspace: &str, index: i64, hash: [u8; 32]) -> Result<(), StoreError> {
        self.change(workspace, index, |entry| entry.leaf_hash = hash)
    }

    /// Each takes the other's index, bytes and leaf hash together.
    pub fn swap_entries(&mut self, workspace: &str, one: i64, other: i64) -> Result<(), StoreError> {
        let (mut first, mut second) = (None, None);
        self.change(workspace, one, |entry| first = Some(entry.clone()))?;
        self.change(workspace, other, |entry| {
            second = Some(std::mem::replace(entry, first.take().unwrap_or_default()))
        })?;
        self.change(workspace, one, |entry| *entry = second.take().unwrap_or_default())
    }

    /// What was after the entry becomes a segment of its own; the commit's note stays where it is.
    pub fn remove_entry(&mut self, workspace: &str, index: i64) -> Result<(), StoreError> {
        let mut segment = self.segment(workspace, index)?;
        let place = place(&segment, index).ok_or_else(missed)?;
        let after = segment.entries.split_off(place + 1);
        segment.entries.truncate(place);
        let (count, skipped) = (i64::try_from(after.len()), i64::try_from(place + 1));
        let (count, id) = (count.unwrap_or(0), segment.id + skipped.unwrap_or(0));
        let rest = Segment { id, count, note: None, entries: after };
        self.write(segment.id, [segment, rest])
    }

    fn change(&mut self, workspace: &str, index: i64, change: impl FnOnce(&mut Entry)) -> Result<(), StoreError> {
        let mut segment = self.segment(workspace, index)?;
        let place = place(&segment, index).ok_or_else(missed)?;
        change(segment.entries.get_mut(place).ok_or_else(missed)?);
        self.write(segment.id, [segment])
    }

    /// The segment that holds the entry.
    fn segment(&self, workspace: &str, index: i64) -> Result<Segment, StoreError> {
        let number: i64 = self
            .0
            .query_row("SELECT number FROM workspaces WHERE id = ?1", [workspace], |row| row.get(0))
            .map_err(failed)?;
        let index = u64::try_from(index).map_err(|_| missed())?;
        self.0
            .query_row(
                "SELECT id, note, leaf_hashes, ends, entries, count, coding FROM segments WHERE id >= ?1 AND id <= ?2
                 ORDER BY id DESC LIMIT 1",
                params![segment::ids(number).start, segment::id(number, index)],
                |row| {
                    let (hashes, ends, bytes): (Vec<u8>, Vec<u8>, Vec<u8>) = (row.get(2)?, row.get(3)?, row.get(4)?);
                    let bytes = coding::restore(row.get(6)?, &bytes).unwrap_or_default();
                    let entries = packed::unpack(0, &hashes, &ends, &bytes)
                        .map(|(_, leaf_hash, bytes)| Entry { bytes: bytes.to_vec(), leaf_hash });
                    Ok(Segment { id: row.get(0)?, count: row.get(5)?, note: row.get(1)?, entries: entries.collect() })
                },
            )
            .map_err(failed)
    }

    /// Puts segments where one was. Empty ones without a note leave nothing behind.
    fn write<const N: usize>(&mut self, old: i64, segments: [Segment; N]) -> Result<(), StoreError> {
        let tx = self.0.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        tx.execute("DELETE FROM segments WHERE id = ?1", [old]).map_err(failed)?;
        for segment in segments.into_iter().filter(|segment| !segment.entries.is_empty() || segment.note.is_some()) {
            let packed = packed::pack(&segment.entries);
            tx.execute(
                "INSERT INTO segments (id, count, note, leaf_hashes, ends, entries) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![segment.id, segment.count, segment.note, packed.leaf_hashes, packed.ends, packed.entries],
            )
            .map_err(failed)?;
        }
        tx.commit().map_err(failed)
    }
}

fn place(segment: &Segment, index: i64) -> Option<usize> {
    let place = u64::try_from(index).ok()?.checked_sub(first_index(segment.id))?;
    usize::try_from(place).ok().filter(|place| *place < segment.entries.len())
}

/// Tampering that misses its entry would make a test pass for nothing.
fn missed() -> StoreError {
    StoreError::Contradiction("there is no such entry to tamper with".into())
}

fn failed(error: rusqlite::Error) -> StoreError {
    match error {
        rusqlite::Error::QueryReturnedNoRows => missed(),
        other => StoreError::Unavailable(other.to_string()),
    }
}
