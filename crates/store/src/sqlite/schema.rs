//! The schema and its versions.
//!
//! Migrations only go forward, one transaction each. A database that is newer than this program, from before its
//! first release, or not of this program at all, is refused and left as it is.

use rusqlite::{Connection, TransactionBehavior};

use super::errors::unavailable;
use crate::error::StoreError;

/// One database file's marker and its migrations, first to last.
pub(super) struct Schema {
    /// `PRAGMA application_id`: tells our files from other SQLite databases.
    application_id: i32,
    /// Version that the first migration leads to; what is older is from before the first release.
    oldest: i64,
    migrations: &'static [&'static str],
}

pub(super) const LEDGER: Schema = Schema {
    application_id: 0x5250_4c31,
    oldest: 2,
    migrations: &[
        include_str!("schema/ledger_0002.sql"),
        include_str!("schema/ledger_accounts.sql"),
        include_str!("schema/ledger_coding.sql"),
        include_str!("schema/ledger_documents.sql"),
    ],
};
pub(super) const LISTS: Schema = Schema {
    application_id: 0x5250_4c32,
    oldest: 2,
    migrations: &[
        include_str!("schema/lists_0002.sql"),
        include_str!("schema/lists_tallies.sql"),
        include_str!("schema/lists_rules.sql"),
        include_str!("schema/lists_snapshots.sql"),
    ],
};

const VERSIONS: &str = "CREATE TABLE versions (version INTEGER PRIMARY KEY) STRICT";

impl Schema {
    /// Brings the database to the newest version.
    pub(super) fn migrate(&self, connection: &mut Connection, path: &str) -> Result<(), StoreError> {
        let count = i64::try_from(self.migrations.len()).unwrap_or(i64::MAX);
        let newest = self.oldest.saturating_add(count).saturating_sub(1);
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(unavailable)?;
        let tables: i64 =
            tx.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(unavailable)?;
        let mark: i32 = tx.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(unavailable)?;
        if tables == 0 {
            tx.pragma_update(None, "application_id", self.application_id).map_err(unavailable)?;
            tx.execute_batch(VERSIONS).map_err(unavailable)?;
        } else if mark != self.application_id {
            return Err(StoreError::Foreign(path.into()));
        }
        tx.commit().map_err(unavailable)?;

        let found: i64 = connection
            .query_row("SELECT coalesce(max(version), 0) FROM versions", [], |row| row.get(0))
            .map_err(unavailable)?;
        if found > newest {
            return Err(StoreError::Newer { found, known: newest });
        }
        if found > 0 && found < self.oldest {
            return Err(StoreError::Older { found, oldest: self.oldest });
        }
        for (version, sql) in (self.oldest..).zip(self.migrations).filter(|(version, _)| *version > found) {
            let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(unavailable)?;
            tx.execute_batch(sql).map_err(unavailable)?;
            tx.execute("INSERT INTO versions (version) VALUES (?1)", [version]).map_err(unavailable)?;
            tx.commit().map_err(unavailable)?;
        }
        Ok(())
    }
}
