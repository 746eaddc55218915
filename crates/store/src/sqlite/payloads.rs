//! Payloads: read, and erased when their time has come.
//!
//! SECURITY: erasing takes the salt along, or a short payload could be guessed from its commitment. The
//! database overwrites what it frees (`secure_delete`); older copies in the write-ahead log go with the
//! next complete copy of the log.
//! INVARIANT: a row that cannot be read is never written back: what could not be erased is said, not hidden.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};

use super::errors::page;
use super::ledger::segment_of;
use super::segment;
use crate::coding;
use crate::packed::Payloads;
use crate::rows::Payload;

/// Most segments one erasure goes through, each of which it rewrites with commits held up.
const SEGMENTS: usize = 64;

pub(super) fn load(db: &Connection, number: i64, index: u64) -> rusqlite::Result<Payload> {
    let id = segment_of(db, number, index)?;
    let stored = db
        .prepare_cached("SELECT heads, bytes, coding FROM payloads WHERE id = ?1")?
        .query_row([id], payloads)
        .optional()?;
    let Some(stored) = stored else { return Ok(Payload::NotKept) };
    let found = stored.find(index.saturating_sub(segment::first_index(id)));
    found.ok_or_else(|| rusqlite::Error::IntegralValueOutOfRange(0, id))
}

/// What is or was kept for the entries from `from` on, `count` of them.
pub(super) fn read(db: &Connection, number: i64, from: u64, count: usize) -> rusqlite::Result<Vec<(u64, Payload)>> {
    let until = from.saturating_add(u64::try_from(count.min(crate::MAX_PAGE)).unwrap_or(0));
    let mut found = Vec::new();
    let mut read =
        db.prepare_cached("SELECT heads, bytes, coding, id FROM payloads WHERE id >= ?1 AND id < ?2 ORDER BY id")?;
    let mut segments = read.query([segment_of(db, number, from)?, segment::id(number, until)])?;
    while let Some(row) = segments.next()? {
        let id: i64 = row.get(3)?;
        for (position, payload) in payloads(row)?.all() {
            let index = segment::first_index(id).saturating_add(position);
            if (from..until).contains(&index) {
                found.push((index, payload.ok_or_else(|| rusqlite::Error::IntegralValueOutOfRange(0, id))?));
            }
        }
    }
    Ok(found)
}

fn payloads(row: &Row<'_>) -> rusqlite::Result<Payloads> {
    let unreadable = || rusqlite::Error::FromSqlConversionFailure(1, Type::Blob, "they cannot be restored".into());
    stored(row)?.ok_or_else(unreadable)
}

/// `None` for bytes that cannot be told any more.
fn stored(row: &Row<'_>) -> rusqlite::Result<Option<Payloads>> {
    let bytes = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
    let Some(bytes) = coding::restore(row.get(2)?, bytes) else { return Ok(None) };
    Ok(Some(Payloads { heads: row.get(0)?, bytes: bytes.into_owned() }))
}

/// What an erasure did.
pub(super) struct Erased {
    pub count: usize,
    /// The first entry of each commit whose payloads are due and cannot be read. They are left as they are.
    pub unread: Vec<u64>,
}

pub(super) fn erase(db: &mut Connection, number: i64, now_us: i64, limit: usize) -> rusqlite::Result<Erased> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (limit, ids) = (limit.min(crate::MAX_PAGE), segment::ids(number));
    let (mut done, mut rewritten) = (Erased { count: 0, unread: Vec::new() }, 0);
    while done.count < limit && rewritten < SEGMENTS {
        // What is erased is not due any more, so those that could not be are the first ones now.
        let passed = i64::try_from(done.unread.len()).unwrap_or(i64::MAX);
        let due: Vec<i64> = tx
            .prepare_cached(
                "SELECT id FROM payloads WHERE erase_after_us <= ?1 AND id >= ?2 AND id < ?3
                 ORDER BY erase_after_us, id LIMIT ?4 OFFSET ?5",
            )?
            .query_map(params![now_us, ids.start, ids.end, page(limit.min(SEGMENTS - rewritten)), passed], |row| {
                row.get(0)
            })?
            .collect::<rusqlite::Result<_>>()?;
        if due.is_empty() {
            break;
        }
        for id in due {
            let read = tx
                .prepare_cached("SELECT heads, bytes, coding FROM payloads WHERE id = ?1")?
                .query_row([id], stored)?;
            let Some(mut stored) = read.filter(Payloads::is_whole) else {
                done.unread.push(segment::first_index(id));
                continue;
            };
            done.count += stored.erase(now_us, limit - done.count);
            rewritten += 1;
            let (due, (coding, bytes)) = (stored.first_due(), coding::shorten(stored.bytes));
            tx.prepare_cached(
                "UPDATE payloads SET erase_after_us = ?2, heads = ?3, bytes = ?4, coding = ?5 WHERE id = ?1",
            )?
            .execute(params![id, due, stored.heads, bytes, coding])?;
            if done.count == limit {
                break;
            }
        }
    }
    tx.commit()?;
    Ok(done)
}
