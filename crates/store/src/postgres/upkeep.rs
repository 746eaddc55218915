//! The health probe.

use tokio_postgres::Client;

use super::errors::{Failure, value};

/// Overwrites one row; its caller makes that durable.
pub(super) async fn probe(db: &Client) -> Result<(), Failure> {
    let row = db
        .query_typed_one("UPDATE runplane.probe SET beats = (beats + 1) & 255 WHERE only_one = 1 RETURNING beats", &[])
        .await?;
    value::<i64>(&row, 0).map(drop)
}
