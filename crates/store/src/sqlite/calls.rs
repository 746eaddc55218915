//! Reads of what a call left behind: its request id and what became of it.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::errors::{signed, unsigned};
use crate::rows::{Execution, Request};

pub(super) fn load_request(
    db: &Connection,
    number: i64,
    agent: &str,
    request_id: &str,
) -> rusqlite::Result<Option<Request>> {
    db.prepare_cached(
        "SELECT agent, request_id, entry_index, digest, at_us FROM requests
         WHERE workspace = ?1 AND agent = ?2 AND request_id = ?3",
    )?
    .query_row(params![number, agent, request_id], |row| {
        Ok(Request {
            agent: row.get(0)?,
            request_id: row.get(1)?,
            index: unsigned(row, 2)?,
            digest: row.get(3)?,
            at_us: row.get(4)?,
        })
    })
    .optional()
}

pub(super) fn load_execution(db: &Connection, number: i64, index: u64) -> rusqlite::Result<Option<Execution>> {
    db.prepare_cached("SELECT entry_index, status, bytes FROM executions WHERE workspace = ?1 AND entry_index = ?2")?
        .query_row(params![number, signed(index)?], |row| {
            Ok(Execution { index: unsigned(row, 0)?, status: row.get(1)?, bytes: row.get(2)? })
        })
        .optional()
}
