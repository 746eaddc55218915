//! Reads of what the ledger consists of: head, entries, checkpoints.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::errors::{page, signed, unsigned};
use super::segment;
use crate::rows::{Checkpoint, EntryRow, Head};
use crate::{coding, packed};

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
    let mut found = Vec::new();
    let limit = limit.min(crate::MAX_PAGE);
    let mut read = db.prepare_cached(
        "SELECT id, leaf_hashes, ends, entries, coding FROM segments WHERE id >= ?1 AND id < ?2 ORDER BY id",
    )?;
    let mut segments = read.query([segment_of(db, number, from)?, segment::ids(number).end])?;
    while found.len() < limit
        && let Some(row) = segments.next()?
    {
        let blob = |column: usize| row.get_ref(column)?.as_blob().map_err(rusqlite::Error::from);
        // What cannot be restored has no bytes: each of its entries is a gap.
        let bytes = coding::restore(row.get(4)?, blob(3)?).unwrap_or_default();
        let entries = packed::unpack(segment::first_index(row.get(0)?), blob(1)?, blob(2)?, &bytes);
        let wanted = entries.filter(|(index, ..)| *index >= from).take(limit - found.len());
        found.extend(wanted.map(packed::row));
    }
    Ok(found)
}

/// The id of the segment that holds the entry, if any does; else one from which a search finds what follows.
pub(super) fn segment_of(db: &Connection, number: i64, index: u64) -> rusqlite::Result<i64> {
    let id = segment::id(number, index);
    let at_most: Option<i64> = db
        .prepare_cached("SELECT max(id) FROM segments WHERE id >= ?1 AND id <= ?2")?
        .query_row([segment::ids(number).start, id], |row| row.get(0))?;
    Ok(at_most.unwrap_or(id))
}

pub(super) fn read_checkpoints(
    db: &Connection,
    number: i64,
    from_size: u64,
    limit: usize,
) -> rusqlite::Result<Vec<Checkpoint>> {
    let from = segment_of(db, number, from_size.saturating_sub(1))?;
    db.prepare_cached(
        "SELECT id, count, note FROM segments
         WHERE id >= ?1 AND id < ?2 AND note IS NOT NULL AND (id & ?3) + count >= ?4 ORDER BY id LIMIT ?5",
    )?
    .query_map(params![from, segment::ids(number).end, segment::INDEX_MASK, signed(from_size)?, page(limit)], |row| {
        let size = segment::first_index(row.get(0)?).saturating_add(unsigned(row, 1)?);
        Ok(Checkpoint { size, note: row.get(2)? })
    })?
    .collect()
}

/// The leaf hash of the last of the first `size` entries, if the ledger has that many.
pub(super) fn leaf_hash_before(db: &Connection, number: i64, size: u64) -> rusqlite::Result<Option<[u8; 32]>> {
    let Some(last) = size.checked_sub(1) else { return Ok(None) };
    let id = segment_of(db, number, last)?;
    let hashes: Option<Vec<u8>> = db
        .prepare_cached("SELECT leaf_hashes FROM segments WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    let place = usize::try_from(last.saturating_sub(segment::first_index(id))).unwrap_or(usize::MAX);
    Ok(hashes.and_then(|hashes| hashes.as_chunks().0.get(place).copied()))
}
