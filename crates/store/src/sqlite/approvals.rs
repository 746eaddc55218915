//! Reads of approvals. They are exact, not projected: who waits for a person must not see yesterday.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};

use super::errors::{page, signed, unsigned};
use crate::rows::{Approval, ApprovalFilter};

const COLUMNS: &str = "id, entry_index, agent, status, open, expires_us, bytes";

fn approval(row: &Row<'_>) -> rusqlite::Result<Approval> {
    Ok(Approval {
        id: row.get(0)?,
        index: unsigned(row, 1)?,
        agent: row.get(2)?,
        status: row.get(3)?,
        open: row.get(4)?,
        expires_us: row.get(5)?,
        bytes: row.get(6)?,
    })
}

pub(super) fn load(db: &Connection, number: i64, id: &str) -> rusqlite::Result<Option<Approval>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM approvals WHERE workspace = ?1 AND id = ?2"))?
        .query_row(params![number, id], approval)
        .optional()
}

pub(super) fn list_open(db: &Connection, number: i64) -> rusqlite::Result<Vec<Approval>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM approvals WHERE workspace = ?1 AND open = 1 ORDER BY entry_index, id"
    ))?
    .query_map([number], approval)?
    .collect()
}

pub(super) fn list(db: &Connection, number: i64, filter: &ApprovalFilter) -> rusqlite::Result<Vec<Approval>> {
    let (mut terms, mut values) = conditions(number, filter);
    if let Some(before) = filter.before {
        terms.push_str(" AND entry_index < ?");
        values.push(signed(before)?.into());
    }
    values.push(page(filter.limit).into());
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM approvals WHERE {terms} ORDER BY entry_index DESC, id DESC LIMIT ?"
    ))?
    .query_map(params_from_iter(values), approval)?
    .collect()
}

pub(super) fn count(db: &Connection, number: i64, filter: &ApprovalFilter) -> rusqlite::Result<u64> {
    let (terms, values) = conditions(number, filter);
    db.prepare_cached(&format!("SELECT count(*) FROM approvals WHERE {terms}"))?
        .query_row(params_from_iter(values), |row| unsigned(row, 0))
}

/// What the filter says about the approval itself, with a placeholder for everything a caller gave.
fn conditions(number: i64, filter: &ApprovalFilter) -> (String, Vec<Value>) {
    let mut terms = String::from("workspace = ?");
    let mut values = vec![Value::from(number)];
    if !filter.statuses.is_empty() {
        let places = vec!["?"; filter.statuses.len()].join(", ");
        terms.push_str(&format!(" AND status IN ({places})"));
        values.extend(filter.statuses.iter().map(|status| Value::from(status.clone())));
    }
    if let Some(agent) = &filter.agent {
        terms.push_str(" AND agent = ?");
        values.push(agent.clone().into());
    }
    (terms, values)
}
