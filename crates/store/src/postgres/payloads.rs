//! Payloads: read, and erased when their time has come.
//!
//! SECURITY: erasing takes the salt along, or a short payload could be guessed from its commitment. The old
//! version of the row is gone from the table with the next vacuum, and from backups and archived logs when
//! those are; that is the database's business, as docs/guide/scale.md says.

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use super::errors::{Failure, fixed, page, signed, unavailable, value};
use crate::rows::{Payload, Retention, StoredPayload};

pub(super) async fn load(db: &Client, number: i64, index: u64) -> Result<Payload, Failure> {
    let row = db
        .query_typed_opt(
            "SELECT salt, bytes, retention, erase_after_us FROM runplane.payloads
             WHERE workspace = $1 AND entry_index = $2",
            &[(&number, Type::INT8), (&signed(index)?, Type::INT8)],
        )
        .await?;
    row.map_or(Ok(Payload::NotKept), |row| payload(&row))
}

fn payload(row: &Row) -> Result<Payload, Failure> {
    let bytes: Option<Vec<u8>> = value(row, 1)?;
    let salt: Option<&[u8]> = value(row, 0)?;
    let (Some(_), Some(bytes)) = (salt, bytes) else { return Ok(Payload::Erased) };
    let retention = match value::<i16>(row, 2)? {
        1 => Retention::Replay,
        2 => Retention::Full,
        other => return Err(unavailable(format_args!("a stored retention is {other}")).into()),
    };
    Ok(Payload::Present(StoredPayload { salt: fixed(row, 0)?, bytes, retention, erase_after_us: value(row, 3)? }))
}

pub(super) fn stored_retention(retention: Retention) -> i16 {
    match retention {
        Retention::Replay => 1,
        Retention::Full => 2,
    }
}

pub(super) async fn erase(db: &Client, number: i64, now_us: i64, limit: usize) -> Result<usize, Failure> {
    let erased = db
        .execute_typed(
            "UPDATE runplane.payloads SET salt = NULL, bytes = NULL
             WHERE workspace = $1 AND entry_index IN (
                 SELECT entry_index FROM runplane.payloads
                 WHERE workspace = $1 AND erase_after_us IS NOT NULL AND bytes IS NOT NULL AND erase_after_us <= $2
                 ORDER BY erase_after_us, entry_index LIMIT $3)",
            &[(&number, Type::INT8), (&now_us, Type::INT8), (&page(limit), Type::INT8)],
        )
        .await?;
    Ok(usize::try_from(erased).unwrap_or(usize::MAX))
}
