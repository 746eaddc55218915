//! The projection: how it is filled, how it is searched.

use std::borrow::Cow;

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use super::errors::{Failure, bound, page, signed, unavailable, unsigned, value};
use super::tallies;
use super::terms::Terms;
use crate::error::StoreError;
use crate::rows::{DecisionFilter, DecisionRow, Tally};

const COLUMNS: &str = "entry_index, request_id, at_us, agent, action_type, target, outcome, rule, severity, bytes";

/// PostgreSQL has no NUL in text. A list that shows something else in its place is better than one that ends
/// at the first such call; the record itself is kept as bytes.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

pub(super) async fn cursor(db: &Client, number: i64) -> Result<u64, Failure> {
    let sql = "SELECT size FROM runplane.cursors WHERE workspace = $1";
    let row = db.query_typed_opt(sql, &[(&number, Type::INT8)]).await?;
    row.map_or(Ok(0), |row| unsigned(&row, 0))
}

/// In a transaction: of two nodes that project, the second waits for the first and finds the cursor moved.
///
/// INVARIANT: nothing is counted twice. A node that was away for a while and still believes that the lists are its task
/// brings counts of rows that another one has put meanwhile, and is refused.
pub(super) async fn project(
    db: &Client,
    number: i64,
    rows: &[DecisionRow],
    counts: &[Tally],
    new_cursor: u64,
) -> Result<(), Failure> {
    db.execute_typed(
        "INSERT INTO runplane.cursors (workspace, size) VALUES ($1, 0) ON CONFLICT (workspace) DO NOTHING",
        &[(&number, Type::INT8)],
    )
    .await?;
    let row = db
        .query_typed_opt(
            "SELECT c.size, h.size FROM runplane.cursors c JOIN runplane.heads h USING (workspace)
             WHERE workspace = $1 FOR UPDATE OF c",
            &[(&number, Type::INT8)],
        )
        .await?
        .ok_or_else(|| unavailable("the workspace has no head"))?;
    let (old, size) = (unsigned(&row, 0)?, unsigned(&row, 1)?);
    let contradiction = if new_cursor < old {
        Some(format!("the projection would go back from {old} to {new_cursor}"))
    } else if !counts.is_empty() && rows.iter().any(|row| row.index < old) {
        Some(format!("what is below {old} has been counted"))
    } else if new_cursor > size {
        Some(format!("the ledger has fewer than {new_cursor} entries"))
    } else {
        let ahead = rows.iter().find(|row| row.index >= new_cursor);
        ahead.map(|row| format!("a decision at {} is not below the cursor {new_cursor}", row.index))
    };
    if let Some(text) = contradiction {
        return Err(StoreError::Contradiction(text).into());
    }
    if !rows.is_empty() {
        put(db, number, rows).await?;
    }
    tallies::add(db, number, counts).await?;
    db.execute_typed(
        "UPDATE runplane.cursors SET size = $2 WHERE workspace = $1",
        &[(&number, Type::INT8), (&signed(new_cursor)?, Type::INT8)],
    )
    .await?;
    Ok(())
}

async fn put(db: &Client, number: i64, rows: &[DecisionRow]) -> Result<(), Failure> {
    // Of rows with the same index the last one stands, as if they had been put one after the other.
    let mut by_index = std::collections::BTreeMap::new();
    for row in rows {
        by_index.insert(signed(row.index)?, row);
    }
    let indexes: Vec<i64> = by_index.keys().copied().collect();
    let rows: Vec<&DecisionRow> = by_index.into_values().collect();
    let text = |pick: fn(&DecisionRow) -> &str| rows.iter().map(|row| shown(pick(row))).collect::<Vec<_>>();
    let times: Vec<i64> = rows.iter().map(|row| row.at_us).collect();
    let bytes: Vec<&[u8]> = rows.iter().map(|row| row.bytes.as_slice()).collect();
    let sql = format!(
        "INSERT INTO runplane.decisions (workspace, {COLUMNS})
         SELECT $1, u.* FROM unnest($2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[],
             $8::text[], $9::text[], $10::text[], $11::bytea[]) AS u
         ON CONFLICT (workspace, entry_index) DO UPDATE SET request_id = excluded.request_id, at_us = excluded.at_us,
             agent = excluded.agent, action_type = excluded.action_type, target = excluded.target,
             outcome = excluded.outcome, rule = excluded.rule, severity = excluded.severity, bytes = excluded.bytes"
    );
    db.execute_typed(
        &sql,
        &[
            (&number, Type::INT8),
            (&indexes, Type::INT8_ARRAY),
            (&text(|row| &row.request_id), Type::TEXT_ARRAY),
            (&times, Type::INT8_ARRAY),
            (&text(|row| &row.agent), Type::TEXT_ARRAY),
            (&text(|row| &row.action_type), Type::TEXT_ARRAY),
            (&text(|row| &row.target), Type::TEXT_ARRAY),
            (&text(|row| &row.outcome), Type::TEXT_ARRAY),
            (&text(|row| &row.rule), Type::TEXT_ARRAY),
            (&text(|row| &row.severity), Type::TEXT_ARRAY),
            (&bytes, Type::BYTEA_ARRAY),
        ],
    )
    .await?;
    Ok(())
}

pub(super) async fn reset(db: &Client, number: i64) -> Result<(), Failure> {
    // The cursor first: it is what two nodes would wait for each other at.
    for sql in
        ["DELETE FROM runplane.cursors WHERE workspace = $1", "DELETE FROM runplane.decisions WHERE workspace = $1"]
    {
        db.execute_typed(sql, &[(&number, Type::INT8)]).await?;
    }
    tallies::reset(db, number).await
}

pub(super) async fn list(db: &Client, number: i64, filter: &DecisionFilter) -> Result<Vec<DecisionRow>, Failure> {
    let (sql, terms) = query(number, filter);
    let rows = db.query_typed(&sql, &terms.values()).await?;
    let mut rows: Vec<DecisionRow> = rows.iter().map(decision).collect::<Result<_, _>>()?;
    if filter.after.is_some() {
        rows.reverse();
    }
    Ok(rows)
}

pub(super) fn query(number: i64, filter: &DecisionFilter) -> (String, Terms) {
    let mut terms = Terms::of(number);
    let equal = [
        ("target =", &filter.target),
        ("agent =", &filter.agent),
        ("rule =", &filter.rule),
        ("action_type =", &filter.action_type),
        ("severity =", &filter.severity),
        ("outcome =", &filter.outcome),
    ];
    for (left, wanted) in equal {
        if let Some(wanted) = wanted {
            terms.and(left, shown(wanted).into_owned());
        }
    }
    if let Some(before) = filter.before {
        terms.and("entry_index <", bound(before));
    }
    if let Some(after) = filter.after {
        terms.and("entry_index >", bound(after));
    }
    // Ledger time never goes back, so a time is an index: every filter's own index stays of use.
    for (operator, at_us) in [(">=", filter.since_us), ("<", filter.until_us)] {
        if let Some(at_us) = at_us {
            let at = terms.place(at_us);
            terms.and_text(format!(
                "entry_index {operator} coalesce((SELECT entry_index FROM runplane.decisions
                 WHERE workspace = $1 AND at_us >= {at} ORDER BY at_us, entry_index LIMIT 1), {})",
                i64::MAX
            ));
        }
    }
    let limit = terms.place(page(filter.limit));
    let text = terms.text();
    let order = if filter.after.is_some() { "ASC" } else { "DESC" };
    let sql =
        format!("SELECT {COLUMNS} FROM runplane.decisions WHERE {text} ORDER BY entry_index {order} LIMIT {limit}");
    (sql, terms)
}

pub(super) async fn find(
    db: &Client,
    number: i64,
    request_id: &str,
    agent: Option<&str>,
    limit: usize,
) -> Result<Vec<DecisionRow>, Failure> {
    let mut terms = Terms::of(number);
    terms.and("request_id =", shown(request_id).into_owned());
    if let Some(agent) = agent {
        terms.and("agent =", shown(agent).into_owned());
    }
    let limit = terms.place(page(limit));
    let text = terms.text();
    let sql = format!("SELECT {COLUMNS} FROM runplane.decisions WHERE {text} ORDER BY entry_index LIMIT {limit}");
    let rows = db.query_typed(&sql, &terms.values()).await?;
    rows.iter().map(decision).collect()
}

fn decision(row: &Row) -> Result<DecisionRow, Failure> {
    Ok(DecisionRow {
        index: unsigned(row, 0)?,
        request_id: value(row, 1)?,
        at_us: value(row, 2)?,
        agent: value(row, 3)?,
        action_type: value(row, 4)?,
        target: value(row, 5)?,
        outcome: value(row, 6)?,
        rule: value(row, 7)?,
        severity: value(row, 8)?,
        bytes: value(row, 9)?,
    })
}
