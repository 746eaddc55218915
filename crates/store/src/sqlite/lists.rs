//! The projection: its file, how it is filled, how it is searched.
//!
//! It is made again from nothing when it is damaged, of another version, or does not continue the
//! ledger it lies beside (somebody restored an older ledger).

use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params, params_from_iter};

use super::database::{Database, Durability};
use super::errors::{page, signed, unavailable, unsigned};
use super::{folder, ledger, schema};
use crate::error::StoreError;
use crate::rows::{DecisionFilter, DecisionRow};

const COLUMNS: &str = "entry_index, request_id, at_us, agent, action_type, target, outcome, rule, severity, bytes";

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
        Some(leaf_hash) => write(&tx, number, rows, new_cursor, leaf_hash).map_err(unavailable)?,
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
    let mut put = tx.prepare_cached(&format!(
        "INSERT OR REPLACE INTO decisions (workspace, {COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
    ))?;
    for row in rows {
        put.execute(params![
            number,
            signed(row.index)?,
            row.request_id,
            row.at_us,
            row.agent,
            row.action_type,
            row.target,
            row.outcome,
            row.rule,
            row.severity,
            row.bytes,
        ])?;
    }
    tx.execute(
        "INSERT OR REPLACE INTO cursors (workspace, size, leaf_hash) VALUES (?1, ?2, ?3)",
        params![number, signed(new_cursor)?, leaf_hash],
    )?;
    Ok(())
}

pub(super) fn reset(db: &mut Connection, number: i64) -> rusqlite::Result<()> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute("DELETE FROM decisions WHERE workspace = ?1", [number])?;
    tx.execute("DELETE FROM cursors WHERE workspace = ?1", [number])?;
    tx.commit()
}

pub(super) fn list(db: &Connection, number: i64, filter: &DecisionFilter) -> rusqlite::Result<Vec<DecisionRow>> {
    let (sql, values) = query(db, number, filter)?;
    db.prepare_cached(&sql)?.query_map(params_from_iter(values), decision)?.collect()
}

/// The statement for a filter, with a placeholder for everything a caller gave.
pub(super) fn query(db: &Connection, number: i64, filter: &DecisionFilter) -> rusqlite::Result<(String, Vec<Value>)> {
    let mut terms = String::from("workspace = ?");
    let mut values = vec![Value::from(number)];
    // The planner cannot know what is rare, and left alone it reads the primary key: so the index is named,
    // that of the first filter given, in the order of how much each usually narrows.
    let equal = [
        ("target", "decisions_by_target", &filter.target),
        ("agent", "decisions_by_agent", &filter.agent),
        ("rule", "decisions_by_rule", &filter.rule),
        ("action_type", "decisions_by_type", &filter.action_type),
        ("severity", "decisions_by_severity", &filter.severity),
        ("outcome", "decisions_by_outcome", &filter.outcome),
    ];
    let mut hint = String::new();
    for (column, index, wanted) in equal {
        if let Some(wanted) = wanted {
            if hint.is_empty() {
                hint = format!("INDEXED BY {index} ");
            }
            terms.push_str(&format!(" AND {column} = ?"));
            values.push(wanted.clone().into());
        }
    }
    let from = filter.since_us.map(|since| first_index_at(db, number, since)).transpose()?;
    let until = filter.until_us.map(|until| first_index_at(db, number, until)).transpose()?;
    let below = [filter.before.map(signed).transpose()?, until].into_iter().flatten().min();
    for (term, bound) in [(" AND entry_index >= ?", from), (" AND entry_index < ?", below)] {
        if let Some(bound) = bound {
            terms.push_str(term);
            values.push(bound.into());
        }
    }
    values.push(page(filter.limit).into());
    Ok((format!("SELECT {COLUMNS} FROM decisions {hint}WHERE {terms} ORDER BY entry_index DESC LIMIT ?"), values))
}

/// Ledger time never goes back, so a time is an index: every filter's own index stays of use.
fn first_index_at(db: &Connection, number: i64, at_us: i64) -> rusqlite::Result<i64> {
    let found = db
        .prepare_cached(
            "SELECT entry_index FROM decisions WHERE workspace = ?1 AND at_us >= ?2
             ORDER BY at_us, entry_index LIMIT 1",
        )?
        .query_row(params![number, at_us], |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or(i64::MAX))
}

pub(super) fn find(
    db: &Connection,
    number: i64,
    request_id: &str,
    agent: Option<&str>,
    limit: usize,
) -> rusqlite::Result<Vec<DecisionRow>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM decisions WHERE workspace = ?1 AND request_id = ?2 AND (?3 IS NULL OR agent = ?3)
         ORDER BY entry_index LIMIT ?4"
    ))?
    .query_map(params![number, request_id, agent, page(limit)], decision)?
    .collect()
}

fn decision(row: &Row<'_>) -> rusqlite::Result<DecisionRow> {
    Ok(DecisionRow {
        index: unsigned(row, 0)?,
        request_id: row.get(1)?,
        at_us: row.get(2)?,
        agent: row.get(3)?,
        action_type: row.get(4)?,
        target: row.get(5)?,
        outcome: row.get(6)?,
        rule: row.get(7)?,
        severity: row.get(8)?,
        bytes: row.get(9)?,
    })
}
