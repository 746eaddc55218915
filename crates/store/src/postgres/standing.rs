//! What can be told of a database without changing anything in it, for whoever looks for what is wrong.

use tokio_postgres::Client;

use super::errors::{Failure, value};
use super::{Address, pool::Connections, schema};
use crate::error::StoreError;

/// How a database stands to this program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Version of its schema; absent where there is none yet.
    pub version: Option<i64>,
    /// The newest version that this program knows.
    pub known: i64,
    /// How many more entries there are partitions for; absent where there are no partitions.
    pub room: Option<i64>,
    /// For how many seconds somebody has kept a snapshot open.
    pub oldest_snapshot: Option<i64>,
}

impl Standing {
    /// Whether a newer program made it what it is, and lets this one use it.
    #[must_use]
    pub fn is_newer(&self) -> bool {
        self.version.is_some_and(|version| version > self.known)
    }
}

/// Looks, and refuses what opening would refuse.
pub fn look(address: &Address) -> Result<Standing, StoreError> {
    let connections = Connections::new(address, 1, 1)?;
    let version = schema::standing(&connections)?;
    let known = schema::newest();
    let room = if version.is_some_and(|version| version >= schema::CUT) { connections.run(room)? } else { None };
    let oldest_snapshot = connections.run(oldest_snapshot)?;
    Ok(Standing { version, known, room, oldest_snapshot })
}

async fn room(db: &Client) -> Result<Option<i64>, Failure> {
    let sql = "SELECT made - (SELECT coalesce(max(size), 0) FROM runplane.heads) FROM runplane.families
               WHERE family = 'ledger'";
    db.query_typed_opt(sql, &[]).await?.map(|row| value(&row, 0)).transpose()
}

async fn oldest_snapshot(db: &Client) -> Result<Option<i64>, Failure> {
    let sql = "SELECT max(extract(epoch FROM clock_timestamp() - xact_start))::bigint FROM pg_stat_activity
               WHERE datname = current_database() AND backend_xmin IS NOT NULL AND pid <> pg_backend_pid()";
    value(&db.query_typed_one(sql, &[]).await?, 0)
}
