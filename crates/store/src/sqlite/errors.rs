//! From the database library's errors and integers to ours, and back.

use rusqlite::Row;

use crate::error::StoreError;

pub(super) fn unavailable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

/// SQLite has signed integers only; ours that name sizes and indexes are not signed.
pub(super) fn signed(number: u64) -> rusqlite::Result<i64> {
    i64::try_from(number).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

pub(super) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}

/// A page's size as SQLite wants it, never more than the store's own bound.
pub(super) fn page(limit: usize) -> i64 {
    i64::try_from(limit.min(crate::MAX_PAGE)).unwrap_or(0)
}
