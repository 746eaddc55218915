//! Reads of what the ledger consists of, and of what a call left behind: its request id, its outcome.

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use super::errors::{Failure, bound, fixed, page, signed, text_of_bytes, unavailable, unsigned, value};
use crate::rows::{Checkpoint, EntryRow, Execution, Head, Request};

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

/// Stored rows as they are: a gap is for the verifier to find, not for the store to hide.
pub(super) async fn read_entries(db: &Client, number: i64, from: u64, limit: usize) -> Result<Vec<EntryRow>, Failure> {
    let rows = db
        .query_typed(
            "SELECT entry_index, bytes, leaf_hash FROM runplane.entries
             WHERE workspace = $1 AND entry_index >= $2 ORDER BY entry_index LIMIT $3",
            &[(&number, Type::INT8), (&bound(from), Type::INT8), (&page(limit), Type::INT8)],
        )
        .await?;
    rows.iter()
        .map(|row| Ok(EntryRow { index: unsigned(row, 0)?, bytes: value(row, 1)?, leaf_hash: fixed(row, 2)? }))
        .collect()
}

pub(super) async fn read_checkpoints(
    db: &Client,
    number: i64,
    from_size: u64,
    limit: usize,
) -> Result<Vec<Checkpoint>, Failure> {
    let rows = db
        .query_typed(
            "SELECT size, note FROM runplane.checkpoints WHERE workspace = $1 AND size >= $2 ORDER BY size LIMIT $3",
            &[(&number, Type::INT8), (&bound(from_size), Type::INT8), (&page(limit), Type::INT8)],
        )
        .await?;
    rows.iter().map(|row| Ok(Checkpoint { size: unsigned(row, 0)?, note: value(row, 1)? })).collect()
}

/// What is stored for each (agent, request id), in the order asked for.
pub(super) async fn find_requests(
    db: &Client,
    number: i64,
    wanted: &[(&str, &str)],
) -> Result<Vec<Option<Request>>, Failure> {
    let agents: Vec<&[u8]> = wanted.iter().map(|(agent, _)| agent.as_bytes()).collect();
    let ids: Vec<&[u8]> = wanted.iter().map(|(_, id)| id.as_bytes()).collect();
    let rows = db
        .query_typed(
            "SELECT w.place, r.agent, r.request_id, r.entry_index, r.digest, r.at_us
             FROM unnest($2::bytea[], $3::bytea[]) WITH ORDINALITY AS w (agent, request_id, place)
             JOIN runplane.requests r ON r.workspace = $1 AND r.agent = w.agent AND r.request_id = w.request_id",
            &[(&number, Type::INT8), (&agents, Type::BYTEA_ARRAY), (&ids, Type::BYTEA_ARRAY)],
        )
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

pub(super) async fn load_execution(db: &Client, number: i64, index: u64) -> Result<Option<Execution>, Failure> {
    let row = db
        .query_typed_opt(
            "SELECT entry_index, status, bytes FROM runplane.executions WHERE workspace = $1 AND entry_index = $2",
            &[(&number, Type::INT8), (&signed(index)?, Type::INT8)],
        )
        .await?;
    let read = |row: Row| Ok(Execution { index: unsigned(&row, 0)?, status: value(&row, 1)?, bytes: value(&row, 2)? });
    row.map(read).transpose()
}
