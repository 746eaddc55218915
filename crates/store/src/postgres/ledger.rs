//! Reads of what the ledger consists of, and of what a call left behind: its request id, its outcome.

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use super::errors::{Failure, bound, fixed, page, signed, text_of_bytes, unavailable, unsigned, value};
use super::segments;
use super::terms::Value;
use crate::rows::{Checkpoint, EntryRow, Execution, Head, Request};
use crate::{MAX_PAGE, packed};

pub(super) const HEAD: &str = "SELECT size, root, frontier, time_us, epoch, nonce, checkpoint
     FROM runplane.heads WHERE workspace = $1";

pub(super) async fn load_head(db: &Client, number: i64) -> Result<Head, Failure> {
    let row = db.query_typed_opt(HEAD, &[(&number, Type::INT8)]).await?;
    head(&row.ok_or_else(|| unavailable("the workspace has no head"))?)
}

fn head(row: &Row) -> Result<Head, Failure> {
    Ok(Head {
        size: unsigned(row, 0)?,
        root: fixed(row, 1)?,
        frontier: value(row, 2)?,
        time_us: value(row, 3)?,
        epoch: unsigned(row, 4)?,
        nonce: fixed(row, 5)?,
        checkpoint: value(row, 6)?,
    })
}

/// Rows read at once where it is not known how many entries they hold.
const FAR: i64 = 16;

/// Stored entries as they are: a gap is for the verifier to find, not for the store to hide.
pub(super) async fn read_entries(db: &Client, number: i64, from: u64, limit: usize) -> Result<Vec<EntryRow>, Failure> {
    let limit = limit.min(MAX_PAGE);
    let (first, most) = (bound(from), page(limit));
    let near = first.saturating_add(most);
    let mut rows = Vec::new();
    for row in read_range(db, ENTRIES, number, (first, near), most).await? {
        rows.extend(segments::entries(&row)?.into_iter().filter(|entry| entry.index >= from));
    }
    // First those close by, so that a page does not open every partition behind it; then, if these do not make a page,
    // those behind a gap.
    let mut next = near;
    while rows.len() < limit {
        let far = read_range(db, LATER, number, (next, i64::MAX), FAR).await?;
        let Some(last) = far.last() else { break };
        next = signed(unsigned(last, 0)?)?.saturating_add(1);
        for row in &far {
            rows.extend(segments::entries(row)?);
        }
    }
    rows.truncate(limit);
    Ok(rows)
}

/// A note is written per commit, which rarely has more entries than this.
const BETWEEN_NOTES: i64 = 64;

pub(super) async fn read_checkpoints(
    db: &Client,
    number: i64,
    from_size: u64,
    limit: usize,
) -> Result<Vec<Checkpoint>, Failure> {
    let (from, limit) = (bound(from_size), page(limit));
    let near = from.saturating_add(limit.saturating_mul(BETWEEN_NOTES));
    let mut rows = read_range(db, NOTES, number, (from, near), limit).await?;
    let left = limit.saturating_sub(i64::try_from(rows.len()).unwrap_or(limit));
    if left > 0 {
        rows.extend(read_range(db, NOTES, number, (near, i64::MAX), left).await?);
    }
    rows.iter().map(|row| Ok(Checkpoint { size: unsigned(row, 0)?, note: value(row, 1)? })).collect()
}

/// From the row on that an index lies in: it starts less than 256 before.
pub(super) const ENTRIES: &str = "SELECT entry_index, bytes, leaf_hash, ends, coding FROM runplane.entries
     WHERE workspace = $1 AND entry_index > $2 - 256 AND entry_index < $3 AND entry_index >= coalesce(
         (SELECT max(entry_index) FROM runplane.entries
          WHERE workspace = $1 AND entry_index > $2 - 256 AND entry_index <= $2), $2)
     ORDER BY entry_index LIMIT $4";
const LATER: &str = "SELECT entry_index, bytes, leaf_hash, ends, coding FROM runplane.entries
     WHERE workspace = $1 AND entry_index >= $2 AND entry_index < $3 ORDER BY entry_index LIMIT $4";
const _: () = assert!(packed::MOST_ENTRIES == 256, "as these statements say");
pub(super) const NOTES: &str = "SELECT size, note FROM runplane.checkpoints
     WHERE workspace = $1 AND size >= $2 AND size < $3 ORDER BY size LIMIT $4";

async fn read_range(
    db: &Client,
    sql: &str,
    number: i64,
    (from, until): (i64, i64),
    limit: i64,
) -> Result<Vec<Row>, Failure> {
    let values: [Value<'_>; 4] =
        [(&number, Type::INT8), (&from, Type::INT8), (&until, Type::INT8), (&limit, Type::INT8)];
    Ok(db.query_typed(sql, &values).await?)
}

/// What is stored for each (agent, request id), in the order asked for.
pub(super) const REQUESTS: &str = "SELECT w.place, r.agent, r.request_id, r.entry_index, r.digest, r.at_us
             FROM unnest($2::bytea[], $3::bytea[]) WITH ORDINALITY AS w (agent, request_id, place)
             JOIN runplane.requests r ON r.workspace = $1 AND r.agent = w.agent AND r.request_id = w.request_id";

pub(super) async fn find_requests(
    db: &Client,
    number: i64,
    wanted: &[(&str, &str)],
) -> Result<Vec<Option<Request>>, Failure> {
    let agents: Vec<&[u8]> = wanted.iter().map(|(agent, _)| agent.as_bytes()).collect();
    let ids: Vec<&[u8]> = wanted.iter().map(|(_, id)| id.as_bytes()).collect();
    let rows = db
        .query_typed(REQUESTS, &[(&number, Type::INT8), (&agents, Type::BYTEA_ARRAY), (&ids, Type::BYTEA_ARRAY)])
        .await?;
    let mut found: Vec<Option<Request>> = wanted.iter().map(|_| None).collect();
    for row in &rows {
        let place = usize::try_from(unsigned(row, 0)?).unwrap_or(usize::MAX);
        if let Some(slot) = found.get_mut(place.saturating_sub(1)) {
            *slot = Some(Request {
                agent: text_of_bytes(row, 1)?,
                request_id: text_of_bytes(row, 2)?,
                index: unsigned(row, 3)?,
                digest: fixed(row, 4)?,
                at_us: value(row, 5)?,
            });
        }
    }
    Ok(found)
}

pub(super) const EXECUTION: &str =
    "SELECT entry_index, status, bytes FROM runplane.executions WHERE workspace = $1 AND entry_index = $2";

pub(super) async fn load_execution(db: &Client, number: i64, index: u64) -> Result<Option<Execution>, Failure> {
    let row = db.query_typed_opt(EXECUTION, &[(&number, Type::INT8), (&signed(index)?, Type::INT8)]).await?;
    let read = |row: Row| Ok(Execution { index: unsigned(&row, 0)?, status: value(&row, 1)?, bytes: value(&row, 2)? });
    row.map(read).transpose()
}
