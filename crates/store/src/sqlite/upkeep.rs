//! The health probe, and copying the write-ahead log back into the database.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::Connection;

use super::database::Database;
use super::errors::unavailable;
use crate::error::StoreError;
use crate::store::WalState;

/// A writer busy for longer than this is not healthy.
const PATIENCE: Duration = Duration::from_secs(2);
/// Pages of 4 KiB that wait in the log before any is copied: 8 MiB, which a start reads in no time.
const WORTH_COPYING: u64 = 2_048;
/// Log length, in pages of 4 KiB, from which commits are held up for the last bit of a copy, so that the
/// log starts over instead of growing for as long as there is load: 32 MiB.
const LONG_LOG: u64 = 8_192;

/// Overwrites one row durably, then reads it back on another connection before anybody writes again.
pub(super) fn probe(ledger: &Database) -> Result<(), StoreError> {
    let writer = ledger.writer_within(PATIENCE)?;
    let written: i64 = writer
        .prepare_cached("UPDATE probe SET beats = (beats + 1) & 255 WHERE only_one = 1 RETURNING beats")
        .and_then(|mut beat| beat.query_row([], |row| row.get(0)))
        .map_err(unavailable)?;
    let read: i64 =
        ledger.reader()?.read(|db| db.query_row("SELECT beats FROM probe WHERE only_one = 1", [], |row| row.get(0)))?;
    drop(writer);
    if read == written {
        Ok(())
    } else {
        Err(StoreError::Unavailable(format!("the probe wrote {written} and read {read}")))
    }
}

pub(super) fn copy_log(
    ledger: &Database,
    copier: &Mutex<Connection>,
    must_empty: &AtomicBool,
) -> Result<WalState, StoreError> {
    let copier = copier.lock();
    let empty = must_empty.swap(false, Ordering::AcqRel);
    let state = copy(&copier, "NOOP")?;
    // A page that is written by every commit is copied once for all of them: so not before it is worth it.
    if !empty && state.frames.saturating_sub(state.copied) < WORTH_COPYING && state.frames < LONG_LOG {
        return Ok(state);
    }
    // The bulk, beside running commits.
    let state = copy(&copier, "PASSIVE")?;
    if !empty && state.frames < LONG_LOG {
        return Ok(state);
    }
    // What came in meanwhile, with commits held up: only a log copied to its end can start over.
    let writer = ledger.writer()?;
    let outcome = copy(&copier, if empty { "TRUNCATE" } else { "PASSIVE" });
    drop(writer);
    if empty && !matches!(outcome, Ok(WalState { frames: 0, copied: 0 })) {
        must_empty.store(true, Ordering::Release);
    }
    outcome
}

fn copy(copier: &Connection, mode: &str) -> Result<WalState, StoreError> {
    // Nobody is waited for: a reader in the way means that the next call tries again.
    copier.busy_timeout(Duration::ZERO).map_err(unavailable)?;
    let (frames, copied): (i64, i64) = copier
        .query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| Ok((row.get(1)?, row.get(2)?)))
        .map_err(unavailable)?;
    Ok(WalState { frames: u64::try_from(frames).unwrap_or(0), copied: u64::try_from(copied).unwrap_or(0) })
}
