//! Reads of approvals. They are exact, not projected: who waits for a person must not see yesterday.

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use super::errors::{Failure, bound, page, unsigned, value};
use super::terms::Terms;
use crate::rows::{Approval, ApprovalFilter};

const COLUMNS: &str = "id, entry_index, agent, status, open, expires_us, bytes";

fn approval(row: &Row) -> Result<Approval, Failure> {
    Ok(Approval {
        id: value(row, 0)?,
        index: unsigned(row, 1)?,
        agent: value(row, 2)?,
        status: value(row, 3)?,
        open: value(row, 4)?,
        expires_us: value(row, 5)?,
        bytes: value(row, 6)?,
    })
}

pub(super) async fn load(db: &Client, number: i64, id: &str) -> Result<Option<Approval>, Failure> {
    let sql = format!("SELECT {COLUMNS} FROM runplane.approvals WHERE workspace = $1 AND id = $2");
    let row = db.query_typed_opt(&sql, &[(&number, Type::INT8), (&id, Type::TEXT)]).await?;
    row.as_ref().map(approval).transpose()
}

pub(super) async fn of_entries(db: &Client, number: i64, indexes: &[u64]) -> Result<Vec<Approval>, Failure> {
    let indexes: Vec<i64> = indexes.iter().copied().map(bound).collect();
    let rows = db.query_typed(&entries_query(), &[(&number, Type::INT8), (&indexes, Type::INT8_ARRAY)]).await?;
    rows.iter().map(approval).collect()
}

pub(super) fn entries_query() -> String {
    format!(
        "SELECT {COLUMNS} FROM runplane.approvals WHERE workspace = $1 AND entry_index = ANY ($2) ORDER BY entry_index"
    )
}

pub(super) fn open_query() -> String {
    format!("SELECT {COLUMNS} FROM runplane.approvals WHERE workspace = $1 AND open ORDER BY entry_index")
}

pub(super) async fn list_open(db: &Client, number: i64) -> Result<Vec<Approval>, Failure> {
    let rows = db.query_typed(&open_query(), &[(&number, Type::INT8)]).await?;
    rows.iter().map(approval).collect()
}

pub(super) async fn list(db: &Client, number: i64, filter: &ApprovalFilter) -> Result<Vec<Approval>, Failure> {
    let (sql, terms) = query(number, filter);
    let rows = db.query_typed(&sql, &terms.values()).await?;
    rows.iter().map(approval).collect()
}

pub(super) fn query(number: i64, filter: &ApprovalFilter) -> (String, Terms) {
    let mut terms = conditions(number, filter);
    if let Some(before) = filter.before {
        terms.and("entry_index <", bound(before));
    }
    let limit = terms.place(page(filter.limit));
    let text = terms.text();
    let sql = format!("SELECT {COLUMNS} FROM runplane.approvals WHERE {text} ORDER BY entry_index DESC LIMIT {limit}");
    (sql, terms)
}

pub(super) async fn count(db: &Client, number: i64, filter: &ApprovalFilter) -> Result<u64, Failure> {
    let (sql, terms) = count_query(number, filter);
    unsigned(&db.query_typed_one(&sql, &terms.values()).await?, 0)
}

pub(super) fn count_query(number: i64, filter: &ApprovalFilter) -> (String, Terms) {
    let terms = conditions(number, filter);
    (format!("SELECT count(*) FROM runplane.approvals WHERE {}", terms.text()), terms)
}

fn conditions(number: i64, filter: &ApprovalFilter) -> Terms {
    let mut terms = Terms::of(number);
    match filter.statuses.as_slice() {
        [] => {}
        [only] => terms.and("status =", only.clone()),
        several => terms.any("status", several.to_vec()),
    }
    if let Some(agent) = &filter.agent {
        terms.and("agent =", agent.clone());
    }
    terms
}
