//! The durable commit: exactly the batch, in one transaction, if the head is the expected one.
//!
//! INVARIANT: the head is moved first, by a statement that names the size and nonce it expects; nothing
//! else is written unless it moved exactly one row.
//!
//! An error before `COMMIT` leaves nothing behind. An error of `COMMIT` itself is ambiguous: the log may
//! hold the whole transaction although the sync failed, and a start after a crash would bring it to life.

use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::database::Database;
use super::errors::signed;
use super::segment;
use crate::batch::{Batch, Change, NewPayload};
use crate::coding;
use crate::error::CommitError;
use crate::packed::{self, Payloads};
use crate::rows::Workspace;

pub(super) fn insert_workspace(ledger: &Database, workspace: &Workspace, first: &Batch) -> Result<(), CommitError> {
    first.check().map_err(CommitError::NotCommitted)?;
    if first.expected_size != 0 {
        return Err(CommitError::NotCommitted("the first batch of a workspace starts at 0".into()));
    }
    in_transaction(ledger, |tx| {
        let number = match insert_row(tx, workspace) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                return Err(CommitError::WorkspaceExists);
            }
            outcome => outcome.map_err(not_committed)?,
        };
        write_rest(tx, number, first).map_err(not_committed)
    })
}

pub(super) fn commit_batch(ledger: &Database, number: i64, batch: &Batch) -> Result<(), CommitError> {
    batch.check().map_err(CommitError::NotCommitted)?;
    if batch.expected_size == 0 {
        return Err(CommitError::HeadMoved);
    }
    in_transaction(ledger, |tx| {
        if !move_head(tx, number, batch).map_err(not_committed)? {
            return Err(why_not_moved(tx, number, batch));
        }
        write_rest(tx, number, batch).map_err(not_committed)
    })
}

fn in_transaction(
    ledger: &Database,
    write: impl FnOnce(&Transaction<'_>) -> Result<(), CommitError>,
) -> Result<(), CommitError> {
    let mut writer = ledger.writer().map_err(not_committed)?;
    let tx = writer.transaction_with_behavior(TransactionBehavior::Immediate).map_err(not_committed)?;
    // Dropping the transaction rolls it back.
    write(&tx)?;
    tx.commit().map_err(|error| {
        ledger.doubt_writer();
        CommitError::Ambiguous(error.to_string())
    })
}

fn not_committed(error: impl std::fmt::Display) -> CommitError {
    CommitError::NotCommitted(error.to_string())
}

fn insert_row(tx: &Connection, workspace: &Workspace) -> rusqlite::Result<i64> {
    tx.prepare_cached("INSERT INTO workspaces (id, name, created_us) VALUES (?1, ?2, ?3)")?.insert(params![
        workspace.id,
        workspace.name,
        workspace.created_us
    ])
}

fn move_head(tx: &Connection, number: i64, batch: &Batch) -> rusqlite::Result<bool> {
    let head = &batch.head;
    let moved = tx
        .prepare_cached(
            "UPDATE heads SET size = ?2, root = ?3, frontier = ?4, time_us = ?5, epoch = ?6, nonce = ?7, checkpoint = ?8
             WHERE workspace = ?1 AND size = ?9 AND nonce = ?10 AND time_us <= ?5 AND epoch <= ?6",
        )?
        .execute(params![
            number,
            signed(head.size)?,
            head.root,
            head.frontier,
            head.time_us,
            signed(head.epoch)?,
            head.nonce,
            head.checkpoint,
            signed(batch.expected_size)?,
            batch.expected_nonce,
        ])?;
    Ok(moved == 1)
}

/// Tells another writer's work from a batch that would turn back time or epoch.
fn why_not_moved(tx: &Connection, number: i64, batch: &Batch) -> CommitError {
    let found = tx
        .query_row("SELECT size, nonce FROM heads WHERE workspace = ?1", [number], |row| {
            Ok((super::errors::unsigned(row, 0)?, row.get::<_, [u8; 16]>(1)?))
        })
        .optional();
    match found {
        Ok(Some(found)) if found == (batch.expected_size, batch.expected_nonce) => {
            CommitError::NotCommitted("ledger time or control epoch would go back".into())
        }
        Ok(_) => CommitError::HeadMoved,
        Err(error) => not_committed(error),
    }
}

fn insert_head(tx: &Connection, number: i64, batch: &Batch) -> rusqlite::Result<()> {
    let head = &batch.head;
    tx.prepare_cached(
        "INSERT INTO heads (workspace, size, root, frontier, time_us, epoch, nonce, checkpoint)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        number,
        signed(head.size)?,
        head.root,
        head.frontier,
        head.time_us,
        signed(head.epoch)?,
        head.nonce,
        head.checkpoint,
    ])?;
    Ok(())
}

/// Everything but the head, unless the head is the first.
fn write_rest(tx: &Connection, number: i64, batch: &Batch) -> rusqlite::Result<()> {
    if batch.expected_size == 0 {
        insert_head(tx, number, batch)?;
    }
    insert_segments(tx, number, batch)?;
    insert_requests(tx, number, batch)?;
    put_executions(tx, number, batch)?;
    put_approvals(tx, number, batch)?;
    apply_changes(tx, number, batch)
}

fn insert_segments(tx: &Connection, number: i64, batch: &Batch) -> rusqlite::Result<()> {
    let mut insert = tx.prepare_cached(
        "INSERT INTO segments (id, count, note, leaf_hashes, ends, entries, coding) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for segment in packed::segments(batch) {
        let id = segment::id(number, segment.first);
        if segment::first_index(id) != segment.first {
            return Err(rusqlite::Error::IntegralValueOutOfRange(0, id));
        }
        let packed = packed::pack(segment.entries);
        let note = segment.is_last.then_some(&batch.head.checkpoint);
        let (coding, entries) = coding::shorten(packed.entries);
        insert.execute(params![id, packed.count, note, packed.leaf_hashes, packed.ends, entries, coding])?;
        insert_payloads(tx, id, segment.first, segment.payloads)?;
    }
    Ok(())
}

fn insert_payloads(tx: &Connection, id: i64, first: u64, payloads: &[NewPayload]) -> rusqlite::Result<()> {
    if payloads.is_empty() {
        return Ok(());
    }
    let packed = Payloads::pack(first, payloads);
    let (due, (coding, bytes)) = (packed.first_due(), coding::shorten(packed.bytes));
    tx.prepare_cached("INSERT INTO payloads (id, erase_after_us, heads, bytes, coding) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![id, due, packed.heads, bytes, coding])?;
    Ok(())
}

fn insert_requests(tx: &Connection, number: i64, batch: &Batch) -> rusqlite::Result<()> {
    if batch.requests.is_empty() {
        return Ok(());
    }
    let mut insert = tx.prepare_cached(
        "INSERT INTO requests (workspace, agent, request_id, entry_index, digest, at_us)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for request in &batch.requests {
        insert.execute(params![
            number,
            request.agent,
            request.request_id,
            signed(request.index)?,
            request.digest,
            request.at_us,
        ])?;
    }
    Ok(())
}

fn put_executions(tx: &Connection, number: i64, batch: &Batch) -> rusqlite::Result<()> {
    if batch.executions.is_empty() {
        return Ok(());
    }
    let mut put = tx.prepare_cached(
        "INSERT INTO executions (workspace, entry_index, status, bytes) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (workspace, entry_index) DO UPDATE SET status = excluded.status, bytes = excluded.bytes",
    )?;
    for execution in &batch.executions {
        put.execute(params![number, signed(execution.index)?, execution.status, execution.bytes])?;
    }
    Ok(())
}

fn put_approvals(tx: &Connection, number: i64, batch: &Batch) -> rusqlite::Result<()> {
    if batch.approvals.is_empty() {
        return Ok(());
    }
    let mut put = tx.prepare_cached(
        "INSERT INTO approvals (workspace, id, entry_index, agent, status, open, expires_us, bytes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (workspace, id) DO UPDATE SET entry_index = excluded.entry_index, agent = excluded.agent,
             status = excluded.status, open = excluded.open, expires_us = excluded.expires_us, bytes = excluded.bytes",
    )?;
    for approval in &batch.approvals {
        put.execute(params![
            number,
            approval.id,
            signed(approval.index)?,
            approval.agent,
            approval.status,
            approval.open,
            approval.expires_us,
            approval.bytes,
        ])?;
    }
    Ok(())
}

fn apply_changes(tx: &Connection, number: i64, batch: &Batch) -> rusqlite::Result<()> {
    for change in &batch.documents {
        match change {
            Change::Put { kind, key, bytes } => tx
                .prepare_cached(
                    "INSERT INTO documents (workspace, kind, key, coding, bytes) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT (workspace, kind, key) DO UPDATE SET coding = excluded.coding, bytes = excluded.bytes",
                )?
                .execute(params![number, kind, key, bytes.parts().0, bytes.parts().1])?,
            Change::Delete { kind, key } => tx
                .prepare_cached("DELETE FROM documents WHERE workspace = ?1 AND kind = ?2 AND key = ?3")?
                .execute(params![number, kind, key])?,
        };
    }
    Ok(())
}
