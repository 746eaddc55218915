//! Pieces of snapshots, beside the lists: what is derived must not hold the lock that commits need.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::errors::signed;
use crate::rows::Snapshot;

/// Pieces removed at once, so that nobody waits long for the lock.
const STEP: i64 = 64;

pub(super) fn put(db: &Connection, number: i64, size: u64, part: u32, bytes: &[u8]) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO snapshot_parts (workspace, size, part, bytes) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![number, signed(size)?, part, bytes])?;
    Ok(())
}

pub(super) fn load(db: &Connection, number: i64, size: u64, part: u32) -> rusqlite::Result<Option<Vec<u8>>> {
    db.prepare_cached("SELECT bytes FROM snapshot_parts WHERE workspace = ?1 AND size = ?2 AND part = ?3")?
        .query_row(params![number, signed(size)?, part], |row| row.get(0))
        .optional()
}

/// Removes the pieces of all but these. Those of a newer one are of a snapshot that is being made.
pub(super) fn keep_only(db: &Connection, number: i64, kept: &[Snapshot]) -> rusqlite::Result<()> {
    let sizes = || kept.iter().map(|snapshot| snapshot.size);
    let (Some(newest), oldest) = (sizes().max(), sizes().min()) else { return Ok(()) };
    let (newest, oldest) = (signed(newest)?, signed(oldest.unwrap_or_default())?);
    let sql = "DELETE FROM snapshot_parts WHERE rowid IN (SELECT rowid FROM snapshot_parts
                   WHERE workspace = ?1 AND size < ?2 AND size <> ?3 LIMIT ?4)";
    while db.prepare_cached(sql)?.execute(params![number, newest, oldest, STEP])? > 0 {}
    Ok(())
}
