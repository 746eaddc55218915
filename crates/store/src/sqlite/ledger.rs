//! Reads of what the ledger consists of: head, entries, checkpoints.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::errors::{page, signed, unsigned};
use crate::rows::{Checkpoint, EntryRow, Head};

pub(super) fn load_head(db: &Connection, number: i64) -> rusqlite::Result<Head> {
    db.prepare_cached("SELECT size, root, frontier, time_us, epoch, nonce, checkpoint FROM heads WHERE workspace = ?1")?
        .query_row([number], |row| {
            Ok(Head {
                size: unsigned(row, 0)?,
                root: row.get(1)?,
                frontier: row.get(2)?,
                time_us: row.get(3)?,
                epoch: unsigned(row, 4)?,
                nonce: row.get(5)?,
                checkpoint: row.get(6)?,
            })
        })
}

/// Stored rows as they are: a gap is for the verifier to find, not for the store to hide.
pub(super) fn read_entries(db: &Connection, number: i64, from: u64, limit: usize) -> rusqlite::Result<Vec<EntryRow>> {
    db.prepare_cached(
        "SELECT entry_index, bytes, leaf_hash FROM entries
         WHERE workspace = ?1 AND entry_index >= ?2 ORDER BY entry_index LIMIT ?3",
    )?
    .query_map(params![number, signed(from)?, page(limit)], |row| {
        Ok(EntryRow { index: unsigned(row, 0)?, bytes: row.get(1)?, leaf_hash: row.get(2)? })
    })?
    .collect()
}

pub(super) fn read_checkpoints(
    db: &Connection,
    number: i64,
    from_size: u64,
    limit: usize,
) -> rusqlite::Result<Vec<Checkpoint>> {
    db.prepare_cached("SELECT size, note FROM checkpoints WHERE workspace = ?1 AND size >= ?2 ORDER BY size LIMIT ?3")?
        .query_map(params![number, signed(from_size)?, page(limit)], |row| {
            Ok(Checkpoint { size: unsigned(row, 0)?, note: row.get(1)? })
        })?
        .collect()
}

/// The leaf hash of the last of the first `size` entries, if the ledger has that many.
pub(super) fn leaf_hash_before(db: &Connection, number: i64, size: u64) -> rusqlite::Result<Option<[u8; 32]>> {
    let Some(last) = size.checked_sub(1) else { return Ok(None) };
    db.prepare_cached("SELECT leaf_hash FROM entries WHERE workspace = ?1 AND entry_index = ?2")?
        .query_row(params![number, signed(last)?], |row| row.get(0))
        .optional()
}
