//! The projection: its file, how it is filled, how it is searched.
//!
//! Rows lie in blocks of neighbours beside a summary each (`summary.rs`). Filling it is appending, which an index per
//! filter is not; searching reads all summaries, a thousand bytes for 256 decisions, and the blocks that may match.
//!
//! It is made again from nothing when it is damaged, of another version, or does not continue the
//! ledger it lies beside (somebody restored an older ledger).

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};

use super::database::{Database, Durability};
use super::errors::{signed, unavailable, unsigned};
use super::summary::Summary;
use super::{folder, ledger, schema, segment, tallies};
use crate::block::{self, MOST_ROWS, Probe};
use crate::error::StoreError;
use crate::rows::{DecisionFilter, DecisionRow, Tally};

pub(super) fn open(path: &Path, ledger: &Database, readers: usize) -> Result<Database, StoreError> {
    match try_open(path, ledger, readers) {
        Ok(lists) => Ok(lists),
        Err(reason) => {
            tracing::warn!(%reason, "the lists are made again from the ledger");
            remove(path)?;
            try_open(path, ledger, readers)
        }
    }
}

fn try_open(path: &Path, ledger: &Database, readers: usize) -> Result<Database, StoreError> {
    folder::prepare(path)?;
    let lists = Database::new(path.to_owned(), Durability::Derived, None, readers);
    schema::LISTS.migrate(&mut *lists.writer()?, &path.display().to_string())?;
    let cursors: Vec<(i64, u64, [u8; 32])> = lists.reader()?.read(|db| {
        db.prepare("SELECT workspace, size, leaf_hash FROM cursors")?
            .query_map([], |row| Ok((row.get(0)?, unsigned(row, 1)?, row.get(2)?)))?
            .collect()
    })?;
    for (number, size, leaf_hash) in cursors {
        if ledger.reader()?.read(|db| ledger::leaf_hash_before(db, number, size))? != Some(leaf_hash) {
            return Err(StoreError::Contradiction("the lists are of another history than the ledger".into()));
        }
    }
    Ok(lists)
}

fn remove(path: &Path) -> Result<(), StoreError> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unavailable(error)),
            _ => {}
        }
    }
    Ok(())
}

pub(super) fn cursor(db: &Connection, number: i64) -> rusqlite::Result<u64> {
    let found = db
        .prepare_cached("SELECT size FROM cursors WHERE workspace = ?1")?
        .query_row([number], |row| unsigned(row, 0))
        .optional()?;
    Ok(found.unwrap_or(0))
}

/// `last` is the leaf hash of the entry before `new_cursor`, absent where there is no such entry.
pub(super) fn project(
    db: &mut Connection,
    number: i64,
    rows: &[DecisionRow],
    tallies: &[Tally],
    new_cursor: u64,
    last: Option<[u8; 32]>,
) -> Result<(), StoreError> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(unavailable)?;
    let old = cursor(&tx, number).map_err(unavailable)?;
    if new_cursor < old {
        return Err(StoreError::Contradiction(format!("the projection would go back from {old} to {new_cursor}")));
    }
    if let Some(row) = rows.iter().find(|row| row.index >= new_cursor) {
        let index = row.index;
        return Err(StoreError::Contradiction(format!("a decision at {index} is not below the cursor {new_cursor}")));
    }
    match last {
        Some(leaf_hash) => {
            write(&tx, number, rows, new_cursor, leaf_hash).map_err(unavailable)?;
            tallies::add(&tx, number, tallies).map_err(unavailable)?;
        }
        None if new_cursor == 0 => return Ok(()),
        None => return Err(StoreError::Contradiction(format!("the ledger has fewer than {new_cursor} entries"))),
    }
    tx.commit().map_err(unavailable)
}

fn write(
    tx: &Connection,
    number: i64,
    rows: &[DecisionRow],
    new_cursor: u64,
    leaf_hash: [u8; 32],
) -> rusqlite::Result<()> {
    let mut rest = rows;
    while let Some(first) = rest.first() {
        rest = match newest(tx, number)? {
            Some((id, mut summary)) if summary.last_index < first.index && summary.count < MOST_ROWS => {
                let own = ascending(rest, MOST_ROWS - summary.count);
                let mut bytes = Vec::new();
                summary.add_all(own);
                own.iter().for_each(|row| block::write(row, &mut bytes));
                tx.prepare_cached("UPDATE blocks SET rows = CAST(rows || ?2 AS BLOB) WHERE id = ?1")?
                    .execute(params![id, bytes])?;
                put_summary(tx, id, &summary)?;
                rest.get(own.len()..).unwrap_or_default()
            }
            Some((_, summary)) if summary.last_index >= first.index => {
                replace(tx, number, first)?;
                rest.get(1..).unwrap_or_default()
            }
            _ => {
                let own = ascending(rest, MOST_ROWS);
                put_block(tx, segment::id(number, first.index), own)?;
                rest.get(own.len()..).unwrap_or_default()
            }
        };
    }
    tx.prepare_cached("INSERT OR REPLACE INTO cursors (workspace, size, leaf_hash) VALUES (?1, ?2, ?3)")?
        .execute(params![number, signed(new_cursor)?, leaf_hash])?;
    Ok(())
}

/// The first rows as long as each has a greater index than the one before, at most so many.
fn ascending(rows: &[DecisionRow], most: usize) -> &[DecisionRow] {
    let rows = rows.get(..most).unwrap_or(rows);
    let falls = rows.windows(2).position(|pair| matches!(pair, [one, next] if one.index >= next.index));
    falls.and_then(|place| rows.get(..=place)).unwrap_or(rows)
}

fn newest(db: &Connection, number: i64) -> rusqlite::Result<Option<(i64, Summary)>> {
    let ids = segment::ids(number);
    db.prepare_cached("SELECT id, bytes FROM summaries WHERE id >= ?1 AND id < ?2 ORDER BY id DESC LIMIT 1")?
        .query_row([ids.start, ids.end], |row| Ok((row.get(0)?, summary(row)?)))
        .optional()
}

fn summary(row: &Row<'_>) -> rusqlite::Result<Summary> {
    let bytes = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
    Summary::from_bytes(bytes).ok_or(rusqlite::Error::InvalidQuery)
}

/// Writes a block whole.
fn put_block(tx: &Connection, id: i64, rows: &[DecisionRow]) -> rusqlite::Result<()> {
    let (mut summary, mut bytes) = (Summary::new(), Vec::new());
    summary.add_all(rows);
    rows.iter().for_each(|row| block::write(row, &mut bytes));
    tx.prepare_cached("INSERT OR REPLACE INTO blocks (id, rows) VALUES (?1, ?2)")?.execute(params![id, bytes])?;
    put_summary(tx, id, &summary)
}

fn put_summary(tx: &Connection, id: i64, summary: &Summary) -> rusqlite::Result<()> {
    tx.prepare_cached("INSERT OR REPLACE INTO summaries (id, bytes) VALUES (?1, ?2)")?
        .execute(params![id, summary.to_bytes()])?;
    Ok(())
}

/// Puts a row among those that are there already, or in the place of the one with its index.
fn replace(tx: &Connection, number: i64, row: &DecisionRow) -> rusqlite::Result<()> {
    let (ids, wanted) = (segment::ids(number), segment::id(number, row.index));
    let id: i64 = tx
        .prepare_cached("SELECT coalesce(max(id), ?2) FROM blocks WHERE id >= ?1 AND id <= ?2")?
        .query_row([ids.start, wanted], |row| row.get(0))?;
    let mut rows = Vec::new();
    read_block(tx, id, |stored| rows.push(stored.to_row()))?;
    match rows.binary_search_by_key(&row.index, |stored| stored.index) {
        Ok(place) => {
            if let Some(stored) = rows.get_mut(place) {
                *stored = row.clone();
            }
        }
        Err(place) => rows.insert(place, row.clone()),
    }
    // A block that became too long falls in two.
    let half = if rows.len() > MOST_ROWS { rows.len() / 2 } else { rows.len() };
    let (first, second) = rows.split_at(half);
    put_block(tx, id, first)?;
    match second.first() {
        Some(start) => put_block(tx, segment::id(number, start.index), second),
        None => Ok(()),
    }
}

/// Shows every row of the block, oldest first.
fn read_block(db: &Connection, id: i64, mut show: impl FnMut(block::Row<'_>)) -> rusqlite::Result<()> {
    let mut read = db.prepare_cached("SELECT rows FROM blocks WHERE id = ?1")?;
    let mut found = read.query([id])?;
    if let Some(row) = found.next()? {
        block::Rows(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?).for_each(&mut show);
    }
    Ok(())
}

pub(super) fn reset(db: &mut Connection, number: i64) -> rusqlite::Result<()> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let ids = segment::ids(number);
    tx.execute("DELETE FROM blocks WHERE id >= ?1 AND id < ?2", [ids.start, ids.end])?;
    tx.execute("DELETE FROM summaries WHERE id >= ?1 AND id < ?2", [ids.start, ids.end])?;
    tx.execute("DELETE FROM cursors WHERE workspace = ?1", [number])?;
    tallies::reset(&tx, number)?;
    tx.commit()
}

pub(super) fn list(db: &Connection, number: i64, filter: &DecisionFilter) -> rusqlite::Result<Vec<DecisionRow>> {
    let limit = filter.limit.min(crate::MAX_PAGE);
    if let Some(after) = filter.after {
        return list_above(db, number, filter, after, limit);
    }
    let mut found: Vec<DecisionRow> = Vec::new();
    search(db, number, filter, |id| {
        if found.len() >= limit {
            return Ok(false);
        }
        let mut page = Vec::new();
        read_block(db, id, |row| {
            if row.passes(filter) {
                page.push(row.to_row());
            }
        })?;
        let room = limit - found.len();
        found.extend(page.into_iter().rev().take(room));
        Ok(found.len() < limit)
    })?;
    Ok(found)
}

/// The oldest rows above an index, newest first.
fn list_above(
    db: &Connection,
    number: i64,
    filter: &DecisionFilter,
    after: u64,
    limit: usize,
) -> rusqlite::Result<Vec<DecisionRow>> {
    let ids = segment::ids(number);
    // The block that the index itself may lie in, and all after it.
    let first: i64 = db
        .prepare_cached("SELECT coalesce(max(id), ?1) FROM summaries WHERE id >= ?1 AND id <= ?2")?
        .query_row([ids.start, segment::id(number, after)], |row| row.get(0))?;
    let below = filter.before.map_or(ids.end, |before| segment::id(number, before));
    let probes = Probe::of_filter(filter);
    let mut read = db.prepare_cached("SELECT id, bytes FROM summaries WHERE id >= ?1 AND id < ?2 ORDER BY id")?;
    let mut summaries = read.query([first, below])?;
    let mut found: Vec<DecisionRow> = Vec::new();
    while found.len() < limit
        && let Some(row) = summaries.next()?
    {
        let summary = summary(row)?;
        if filter.until_us.is_some_and(|until| summary.first_at_us >= until) {
            break;
        }
        let in_time = filter.since_us.is_none_or(|since| summary.last_at_us >= since);
        if in_time && summary.last_index > after && summary.may_have(&probes) {
            read_block(db, row.get(0)?, |row| {
                if row.passes(filter) {
                    found.push(row.to_row());
                }
            })?;
        }
    }
    found.truncate(limit);
    found.reverse();
    Ok(found)
}

/// Shows the ids of all blocks that may hold what the filter lets through, newest first, while it is told to go on.
pub(super) fn search(
    db: &Connection,
    number: i64,
    filter: &DecisionFilter,
    mut show: impl FnMut(i64) -> rusqlite::Result<bool>,
) -> rusqlite::Result<()> {
    let ids = segment::ids(number);
    let below = filter.before.map_or(ids.end, |before| segment::id(number, before));
    let probes = Probe::of_filter(filter);
    let mut read = db.prepare_cached("SELECT id, bytes FROM summaries WHERE id >= ?1 AND id < ?2 ORDER BY id DESC")?;
    let mut summaries = read.query([ids.start, below])?;
    while let Some(row) = summaries.next()? {
        let summary = summary(row)?;
        // Ledger time never goes back, so everything further down is older still.
        if filter.since_us.is_some_and(|since| summary.last_at_us < since) {
            break;
        }
        let in_time = filter.until_us.is_none_or(|until| summary.first_at_us < until);
        if in_time && summary.may_have(&probes) && !show(row.get(0)?)? {
            break;
        }
    }
    Ok(())
}

pub(super) fn find(
    db: &Connection,
    number: i64,
    request_id: &str,
    agent: Option<&str>,
    limit: usize,
) -> rusqlite::Result<Vec<DecisionRow>> {
    let (ids, limit) = (segment::ids(number), limit.min(crate::MAX_PAGE));
    let probes: Vec<Probe> =
        [Some(Probe::request(request_id)), agent.map(Probe::agent)].into_iter().flatten().collect();
    let mut read = db.prepare_cached("SELECT id, bytes FROM summaries WHERE id >= ?1 AND id < ?2 ORDER BY id")?;
    let mut summaries = read.query([ids.start, ids.end])?;
    let mut found = Vec::new();
    while found.len() < limit
        && let Some(row) = summaries.next()?
    {
        if summary(row)?.may_have(&probes) {
            read_block(db, row.get(0)?, |row| {
                if row.is_of(request_id, agent) {
                    found.push(row.to_row());
                }
            })?;
        }
    }
    found.truncate(limit);
    Ok(found)
}
