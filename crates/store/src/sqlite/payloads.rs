//! Payloads: read, and erased when their time has come.
//!
//! SECURITY: erasing takes the salt along, or a short payload could be guessed from its commitment. The
//! database overwrites what it frees (`secure_delete`); older copies in the write-ahead log go with the
//! next complete copy of the log.

use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};

use super::errors::{page, signed};
use crate::rows::{Payload, Retention, StoredPayload};

pub(super) fn load(db: &Connection, number: i64, index: u64) -> rusqlite::Result<Payload> {
    let found = db
        .prepare_cached(
            "SELECT salt, bytes, retention, erase_after_us FROM payloads WHERE workspace = ?1 AND entry_index = ?2",
        )?
        .query_row(params![number, signed(index)?], payload)
        .optional()?;
    Ok(found.unwrap_or(Payload::NotKept))
}

fn payload(row: &Row<'_>) -> rusqlite::Result<Payload> {
    let (Some(salt), Some(bytes)) = (row.get(0)?, row.get(1)?) else { return Ok(Payload::Erased) };
    let retention = match row.get(2)? {
        1 => Retention::Replay,
        2 => Retention::Full,
        other => return Err(rusqlite::Error::IntegralValueOutOfRange(2, other)),
    };
    Ok(Payload::Present(StoredPayload { salt, bytes, retention, erase_after_us: row.get(3)? }))
}

pub(super) fn erase(db: &mut Connection, number: i64, now_us: i64, limit: usize) -> rusqlite::Result<usize> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let due: Vec<i64> = tx
        .prepare_cached(
            "SELECT entry_index FROM payloads
             WHERE workspace = ?1 AND erase_after_us IS NOT NULL AND bytes IS NOT NULL AND erase_after_us <= ?2
             ORDER BY erase_after_us, entry_index LIMIT ?3",
        )?
        .query_map(params![number, now_us, page(limit)], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    {
        let mut erase = tx.prepare_cached(
            "UPDATE payloads SET salt = NULL, bytes = NULL WHERE workspace = ?1 AND entry_index = ?2",
        )?;
        for index in &due {
            erase.execute(params![number, index])?;
        }
    }
    tx.commit()?;
    Ok(due.len())
}
