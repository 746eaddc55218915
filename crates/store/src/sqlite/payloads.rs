//! Payloads: read, and erased when their time has come.
//!
//! SECURITY: erasing takes the salt along, or a short payload could be guessed from its commitment. The
//! database overwrites what it frees (`secure_delete`); older copies in the write-ahead log go with the
//! next complete copy of the log.

use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};

use super::errors::page;
use super::ledger::segment_of;
use super::segment::{self, Payloads};
use crate::rows::Payload;

/// Most segments one erasure goes through, each of which it rewrites with commits held up.
const SEGMENTS: usize = 64;

pub(super) fn load(db: &Connection, number: i64, index: u64) -> rusqlite::Result<Payload> {
    let id = segment_of(db, number, index)?;
    let stored =
        db.prepare_cached("SELECT heads, bytes FROM payloads WHERE id = ?1")?.query_row([id], payloads).optional()?;
    let Some(stored) = stored else { return Ok(Payload::NotKept) };
    let found = stored.find(index.saturating_sub(segment::first_index(id)));
    found.ok_or_else(|| rusqlite::Error::IntegralValueOutOfRange(0, id))
}

fn payloads(row: &Row<'_>) -> rusqlite::Result<Payloads> {
    Ok(Payloads { heads: row.get(0)?, bytes: row.get(1)? })
}

pub(super) fn erase(db: &mut Connection, number: i64, now_us: i64, limit: usize) -> rusqlite::Result<usize> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let limit = limit.min(crate::MAX_PAGE);
    let ids = segment::ids(number);
    let due: Vec<i64> = tx
        .prepare_cached(
            "SELECT id FROM payloads WHERE erase_after_us <= ?1 AND id >= ?2 AND id < ?3
             ORDER BY erase_after_us, id LIMIT ?4",
        )?
        .query_map(params![now_us, ids.start, ids.end, page(limit.min(SEGMENTS))], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut erased = 0;
    for id in due {
        let mut stored =
            tx.prepare_cached("SELECT heads, bytes FROM payloads WHERE id = ?1")?.query_row([id], payloads)?;
        erased += stored.erase(now_us, limit - erased);
        tx.prepare_cached("UPDATE payloads SET erase_after_us = ?2, heads = ?3, bytes = ?4 WHERE id = ?1")?
            .execute(params![id, stored.first_due(), stored.heads, stored.bytes])?;
        if erased == limit {
            break;
        }
    }
    tx.commit()?;
    Ok(erased)
}
