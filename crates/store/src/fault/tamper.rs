//! Somebody with access to the database file who changes what must not change, for tests of whether
//! that is found. It goes around the store on purpose, also while a server has the folder open.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use crate::error::StoreError;
use crate::sqlite::LEDGER_FILE;

/// A stranger's connection to the ledger database of a data folder.
pub struct Tamper(Connection);

impl Tamper {
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open(folder.join(LEDGER_FILE)).map_err(failed)?;
        connection.busy_timeout(Duration::from_secs(5)).map_err(failed)?;
        Ok(Self(connection))
    }

    /// Flips one bit of the entry's bytes, at `at` counted from the front and modulo the length.
    pub fn flip_entry_bit(&mut self, workspace: &str, index: i64, at: usize) -> Result<(), StoreError> {
        let mut bytes: Vec<u8> = self.column(workspace, index, "bytes")?;
        let at = at % bytes.len().max(1);
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1;
        }
        self.set(workspace, index, "bytes", &bytes)
    }

    pub fn replace_entry(&mut self, workspace: &str, index: i64, bytes: &[u8]) -> Result<(), StoreError> {
        self.set(workspace, index, "bytes", bytes)
    }

    pub fn replace_leaf_hash(&mut self, workspace: &str, index: i64, hash: [u8; 32]) -> Result<(), StoreError> {
        self.set(workspace, index, "leaf_hash", &hash)
    }

    /// Each takes the other's index, bytes and leaf hash together.
    pub fn swap_entries(&mut self, workspace: &str, one: i64, other: i64) -> Result<(), StoreError> {
        let tx = self.0.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        // No entry has a negative index, so one can wait there.
        for (from, to) in [(one, -1), (other, one), (-1, other)] {
            let moved = tx
                .execute(
                    "UPDATE entries SET entry_index = ?3
                     WHERE workspace = (SELECT number FROM workspaces WHERE id = ?1) AND entry_index = ?2",
                    params![workspace, from, to],
                )
                .map_err(failed)?;
            found(moved)?;
        }
        tx.commit().map_err(failed)
    }

    pub fn remove_entry(&mut self, workspace: &str, index: i64) -> Result<(), StoreError> {
        let removed = self
            .0
            .execute(
                "DELETE FROM entries
                 WHERE workspace = (SELECT number FROM workspaces WHERE id = ?1) AND entry_index = ?2",
                params![workspace, index],
            )
            .map_err(failed)?;
        found(removed)
    }

    fn column(&self, workspace: &str, index: i64, column: &str) -> Result<Vec<u8>, StoreError> {
        self.0
            .query_row(
                &format!(
                    "SELECT {column} FROM entries
                     WHERE workspace = (SELECT number FROM workspaces WHERE id = ?1) AND entry_index = ?2"
                ),
                params![workspace, index],
                |row| row.get(0),
            )
            .optional()
            .map_err(failed)?
            .ok_or_else(|| StoreError::Contradiction("there is no such entry to tamper with".into()))
    }

    fn set(&self, workspace: &str, index: i64, column: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let changed = self
            .0
            .execute(
                &format!(
                    "UPDATE entries SET {column} = ?3
                     WHERE workspace = (SELECT number FROM workspaces WHERE id = ?1) AND entry_index = ?2"
                ),
                params![workspace, index, bytes],
            )
            .map_err(failed)?;
        found(changed)
    }
}

/// Tampering that misses its row would make a test pass for nothing.
fn found(rows: usize) -> Result<(), StoreError> {
    if rows == 1 { Ok(()) } else { Err(StoreError::Contradiction("there is no such entry to tamper with".into())) }
}

fn failed(error: rusqlite::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}
