//! From the driver's errors, rows and integers to ours, and back.

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::error::StoreError;

/// What an operation on a connection can end with, before it is known what that means for its caller.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server said no. The connection is still of use unless the server ended it.
    Refused(tokio_postgres::Error),
    /// The connection or the time is gone; what the server made of it is not known.
    Lost(String),
    /// Ours.
    Store(StoreError),
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        if error.as_db_error().is_some() { Self::Refused(error) } else { Self::Lost(describe(&error)) }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(error) => unavailable(describe(&error)),
            Failure::Lost(why) => unavailable(why),
            Failure::Store(error) => error,
        }
    }
}

pub(super) fn unavailable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

/// SECURITY: the server's detail may quote stored values, so only its message and code are kept.
pub(super) fn describe(error: &tokio_postgres::Error) -> String {
    if let Some(refusal) = error.as_db_error() {
        return format!("{} ({})", refusal.message(), refusal.code().code());
    }
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// PostgreSQL has signed integers only; ours that name sizes and indexes are not signed.
pub(super) fn signed(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| unavailable(format_args!("{number} is too large to be stored")))
}

/// The same for a bound of a search, where more than the largest stored number means "all".
pub(super) fn bound(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn value<'a, T: FromSql<'a>>(row: &'a Row, column: usize) -> Result<T, Failure> {
    row.try_get(column).map_err(|error| Failure::Store(unavailable(describe(&error))))
}

pub(super) fn unsigned(row: &Row, column: usize) -> Result<u64, Failure> {
    let number: i64 = value(row, column)?;
    u64::try_from(number).map_err(|_| Failure::Store(unavailable(format_args!("a stored number is {number}"))))
}

/// Bytes of a fixed length, such as a hash.
pub(super) fn fixed<const N: usize>(row: &Row, column: usize) -> Result<[u8; N], Failure> {
    let bytes: &[u8] = value(row, column)?;
    bytes.try_into().map_err(|_| Failure::Store(unavailable(format_args!("{} bytes instead of {N}", bytes.len()))))
}

pub(super) fn text_of_bytes(row: &Row, column: usize) -> Result<String, Failure> {
    let bytes: Vec<u8> = value(row, column)?;
    String::from_utf8(bytes).map_err(|_| Failure::Store(unavailable("a stored id is no text")))
}

/// A page's size as PostgreSQL wants it, never more than the store's own bound.
pub(super) fn page(limit: usize) -> i64 {
    i64::try_from(limit.min(crate::MAX_PAGE)).unwrap_or(0)
}
