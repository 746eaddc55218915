//! Reads of approvals. They are exact, not projected: who waits for a person must not see yesterday.

use std::cmp::Reverse;
use std::collections::BTreeSet;

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

pub(super) fn of_entries(db: &Connection, number: i64, indexes: &[u64]) -> rusqlite::Result<Vec<Approval>> {
    let mut find = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM approvals INDEXED BY approvals_by_index WHERE workspace = ?1 AND entry_index = ?2"
    ))?;
    let indexes: BTreeSet<u64> = indexes.iter().copied().collect();
    let found = indexes.into_iter().map(|index| find.query_row(params![number, signed(index)?], approval).optional());
    found.filter_map(Result::transpose).collect()
}

pub(super) fn list_open(db: &Connection, number: i64) -> rusqlite::Result<Vec<Approval>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM approvals WHERE workspace = ?1 AND open = 1 ORDER BY entry_index"
    ))?
    .query_map([number], approval)?
    .collect()
}

/// One status after the other, so that each is read newest first from its index and cut at the limit.
pub(super) fn list(db: &Connection, number: i64, filter: &ApprovalFilter) -> rusqlite::Result<Vec<Approval>> {
    if filter.statuses.is_empty() {
        return list_status(db, number, None, filter);
    }
    let statuses: BTreeSet<&str> = filter.statuses.iter().map(String::as_str).collect();
    let mut found = Vec::new();
    for status in statuses {
        found.extend(list_status(db, number, Some(status), filter)?);
    }
    found.sort_unstable_by_key(|approval| Reverse(approval.index));
    found.truncate(filter.limit.min(crate::MAX_PAGE));
    Ok(found)
}

fn list_status(
    db: &Connection,
    number: i64,
    status: Option<&str>,
    filter: &ApprovalFilter,
) -> rusqlite::Result<Vec<Approval>> {
    let (sql, values) = query(number, status, filter)?;
    db.prepare_cached(&sql)?.query_map(params_from_iter(values), approval)?.collect()
}

/// The statement for one status, with the index named: left alone the planner may read every approval.
pub(super) fn query(
    number: i64,
    status: Option<&str>,
    filter: &ApprovalFilter,
) -> rusqlite::Result<(String, Vec<Value>)> {
    let index = match (status, &filter.agent) {
        (_, Some(_)) => "approvals_by_agent",
        (Some(_), None) => "approvals_by_status",
        (None, None) => "approvals_by_index",
    };
    let (mut terms, mut values) = conditions(number, status.as_slice(), filter.agent.as_deref());
    if let Some(before) = filter.before {
        terms.push_str(" AND entry_index < ?");
        values.push(signed(before)?.into());
    }
    values.push(page(filter.limit).into());
    let sql =
        format!("SELECT {COLUMNS} FROM approvals INDEXED BY {index} WHERE {terms} ORDER BY entry_index DESC LIMIT ?");
    Ok((sql, values))
}

pub(super) fn count(db: &Connection, number: i64, filter: &ApprovalFilter) -> rusqlite::Result<u64> {
    let statuses: Vec<&str> = filter.statuses.iter().map(String::as_str).collect();
    let (terms, values) = conditions(number, &statuses, filter.agent.as_deref());
    db.prepare_cached(&format!("SELECT count(*) FROM approvals WHERE {terms}"))?
        .query_row(params_from_iter(values), |row| unsigned(row, 0))
}

/// Conditions on the approval itself, with a placeholder for everything a caller gave.
fn conditions(number: i64, statuses: &[&str], agent: Option<&str>) -> (String, Vec<Value>) {
    let mut terms = String::from("workspace = ?");
    let mut values = vec![Value::from(number)];
    match statuses {
        [] => {}
        [_] => terms.push_str(" AND status = ?"),
        _ => {
            let places = vec!["?"; statuses.len()].join(", ");
            terms.push_str(&format!(" AND status IN ({places})"));
        }
    }
    values.extend(statuses.iter().map(|status| Value::from((*status).to_owned())));
    if let Some(agent) = agent {
        terms.push_str(" AND agent = ?");
        values.push(agent.to_owned().into());
    }
    (terms, values)
}
