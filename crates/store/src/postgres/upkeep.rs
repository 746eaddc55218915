//! The health probe, and the clock.

use tokio_postgres::Client;

use super::errors::{Failure, value};

/// Overwrites one row; its caller makes that durable.
pub(super) async fn probe(db: &Client) -> Result<(), Failure> {
    let row = db
        .query_typed_one("UPDATE runplane.probe SET beats = (beats + 1) & 255 WHERE only_one = 1 RETURNING beats", &[])
        .await?;
    value::<i64>(&row, 0).map(drop)
}

/// The database's clock.
pub(super) async fn now(db: &Client) -> Result<i64, Failure> {
    value(&db.query_typed_one("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint", &[]).await?, 0)
}
