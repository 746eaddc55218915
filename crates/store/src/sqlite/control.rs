//! The installation, its workspaces, their control documents and snapshots.

use std::borrow::Cow;

use rusqlite::types::{Type, Value};
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params, params_from_iter};

use super::errors::{signed, unavailable, unsigned};
use crate::coding;
use crate::error::StoreError;
use crate::rows::{Document, Installation, Snapshot, Workspace};

pub(super) fn insert_installation(db: &Connection, installation: &Installation) -> Result<(), StoreError> {
    let inserted = db
        .execute(
            "INSERT INTO installation (only_one, id, admin_token_hash, created_us) VALUES (1, ?1, ?2, ?3)
             ON CONFLICT (only_one) DO NOTHING",
            params![installation.id, installation.admin_token_hash, installation.created_us],
        )
        .map_err(unavailable)?;
    if inserted == 1 { Ok(()) } else { Err(StoreError::Exists("the installation")) }
}

pub(super) fn load_installation(db: &Connection) -> rusqlite::Result<Option<Installation>> {
    db.query_row("SELECT id, admin_token_hash, created_us FROM installation", [], |row| {
        Ok(Installation { id: row.get(0)?, admin_token_hash: row.get(1)?, created_us: row.get(2)? })
    })
    .optional()
}

pub(super) fn list_workspaces(db: &Connection) -> rusqlite::Result<Vec<Workspace>> {
    db.prepare_cached("SELECT id, name, created_us FROM workspaces ORDER BY number")?
        .query_map([], |row| Ok(Workspace { id: row.get(0)?, name: row.get(1)?, created_us: row.get(2)? }))?
        .collect()
}

pub(super) fn load_documents(db: &Connection, number: i64, kinds: &[&str]) -> rusqlite::Result<Vec<Document>> {
    let mut terms = String::from("workspace = ?");
    let mut values = vec![Value::from(number)];
    if !kinds.is_empty() {
        let places = vec!["?"; kinds.len()].join(", ");
        terms.push_str(&format!(" AND kind IN ({places})"));
        values.extend(kinds.iter().map(|kind| Value::from((*kind).to_owned())));
    }
    db.prepare_cached(&format!("SELECT coding, bytes, kind, key FROM documents WHERE {terms} ORDER BY kind, key"))?
        .query_map(params_from_iter(values), |row| {
            Ok(Document { kind: row.get(2)?, key: row.get(3)?, bytes: document(row)? })
        })?
        .collect()
}

pub(super) fn load_document(db: &Connection, number: i64, kind: &str, key: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    db.prepare_cached("SELECT coding, bytes FROM documents WHERE workspace = ?1 AND kind = ?2 AND key = ?3")?
        .query_row(params![number, kind, key], document)
        .optional()
}

fn document(row: &Row<'_>) -> rusqlite::Result<Vec<u8>> {
    let unreadable = || rusqlite::Error::FromSqlConversionFailure(1, Type::Blob, "it cannot be restored".into());
    let bytes = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
    coding::restore(row.get(0)?, bytes).map(Cow::into_owned).ok_or_else(unreadable)
}

pub(super) fn keep_document(
    db: &Connection,
    number: i64,
    kind: &str,
    key: &str,
    bytes: Option<&[u8]>,
) -> rusqlite::Result<()> {
    let Some(bytes) = bytes else {
        let sql = "DELETE FROM documents WHERE workspace = ?1 AND kind = ?2 AND key = ?3";
        return db.execute(sql, params![number, kind, key]).map(drop);
    };
    let sql = "INSERT INTO documents (workspace, kind, key, bytes) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (workspace, kind, key) DO UPDATE SET coding = 0, bytes = excluded.bytes";
    db.execute(sql, params![number, kind, key, bytes]).map(drop)
}

/// INVARIANT: a snapshot never claims more entries than the ledger has.
pub(super) fn save_snapshot(db: &mut Connection, number: i64, snapshot: &Snapshot) -> Result<(), StoreError> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(unavailable)?;
    let size: u64 = tx
        .query_row("SELECT size FROM heads WHERE workspace = ?1", [number], |row| unsigned(row, 0))
        .map_err(unavailable)?;
    if snapshot.size > size {
        let taken = snapshot.size;
        return Err(StoreError::Contradiction(format!("a snapshot of {taken} entries, but the ledger has {size}")));
    }
    write_snapshot(&tx, number, snapshot).map_err(unavailable)?;
    tx.commit().map_err(unavailable)
}

fn write_snapshot(tx: &Connection, number: i64, snapshot: &Snapshot) -> rusqlite::Result<()> {
    tx.execute(
        "INSERT INTO snapshots (workspace, size, bytes) VALUES (?1, ?2, ?3)
         ON CONFLICT (workspace, size) DO UPDATE SET bytes = excluded.bytes",
        params![number, signed(snapshot.size)?, snapshot.bytes],
    )?;
    tx.execute(
        "DELETE FROM snapshots WHERE workspace = ?1 AND size NOT IN
             (SELECT size FROM snapshots WHERE workspace = ?1 ORDER BY size DESC LIMIT 2)",
        [number],
    )?;
    Ok(())
}

pub(super) fn load_snapshots(db: &Connection, number: i64) -> rusqlite::Result<Vec<Snapshot>> {
    let snapshot = |row: &Row<'_>| Ok(Snapshot { size: unsigned(row, 0)?, bytes: row.get(1)? });
    db.prepare_cached("SELECT size, bytes FROM snapshots WHERE workspace = ?1 ORDER BY size DESC")?
        .query_map([number], snapshot)?
        .collect()
}
