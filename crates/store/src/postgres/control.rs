//! The installation, its workspaces, their control documents and snapshots.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::errors::{Failure, fixed, signed, unavailable, unsigned, value};
use crate::error::StoreError;
use crate::rows::{Document, Installation, Snapshot, Workspace};

pub(super) async fn insert_installation(db: &Client, installation: &Installation) -> Result<(), Failure> {
    let inserted = db
        .execute_typed(
            "INSERT INTO runplane.installation (only_one, id, admin_token_hash, created_us) VALUES (1, $1, $2, $3)
             ON CONFLICT (only_one) DO NOTHING",
            &[
                (&installation.id, Type::TEXT),
                (&installation.admin_token_hash.as_slice(), Type::BYTEA),
                (&installation.created_us, Type::INT8),
            ],
        )
        .await?;
    if inserted == 1 { Ok(()) } else { Err(StoreError::Exists("the installation").into()) }
}

pub(super) async fn load_installation(db: &Client) -> Result<Option<Installation>, Failure> {
    let sql = "SELECT id, admin_token_hash, created_us FROM runplane.installation";
    let row = db.query_typed_opt(sql, &[]).await?;
    row.map(|row| {
        Ok(Installation { id: value(&row, 0)?, admin_token_hash: fixed(&row, 1)?, created_us: value(&row, 2)? })
    })
    .transpose()
}

pub(super) async fn list_workspaces(db: &Client) -> Result<Vec<Workspace>, Failure> {
    let sql = "SELECT id, name, created_us FROM runplane.workspaces ORDER BY number";
    let rows = db.query_typed(sql, &[]).await?;
    rows.iter()
        .map(|row| Ok(Workspace { id: value(row, 0)?, name: value(row, 1)?, created_us: value(row, 2)? }))
        .collect()
}

pub(super) async fn find_workspace(db: &Client, id: &str) -> Result<Option<i64>, Failure> {
    let sql = "SELECT number FROM runplane.workspaces WHERE id = $1";
    let row = db.query_typed_opt(sql, &[(&id, Type::TEXT)]).await?;
    row.map(|row| value(&row, 0)).transpose()
}

pub(super) async fn load_documents(db: &Client, number: i64, kinds: &[&str]) -> Result<Vec<Document>, Failure> {
    let rows = db
        .query_typed(
            "SELECT kind, key, bytes FROM runplane.documents
             WHERE workspace = $1 AND (cardinality($2::text[]) = 0 OR kind = ANY ($2)) ORDER BY kind, key",
            &[(&number, Type::INT8), (&kinds, Type::TEXT_ARRAY)],
        )
        .await?;
    rows.iter().map(|row| Ok(Document { kind: value(row, 0)?, key: value(row, 1)?, bytes: value(row, 2)? })).collect()
}

pub(super) async fn load_document(db: &Client, number: i64, kind: &str, key: &str) -> Result<Option<Vec<u8>>, Failure> {
    let row = db
        .query_typed_opt(
            "SELECT bytes FROM runplane.documents WHERE workspace = $1 AND kind = $2 AND key = $3",
            &[(&number, Type::INT8), (&kind, Type::TEXT), (&key, Type::TEXT)],
        )
        .await?;
    row.map(|row| value(&row, 0)).transpose()
}

pub(super) async fn keep_document(
    db: &Client,
    number: i64,
    kind: &str,
    key: &str,
    bytes: Option<&[u8]>,
) -> Result<(), Failure> {
    let Some(bytes) = bytes else {
        let sql = "DELETE FROM runplane.documents WHERE workspace = $1 AND kind = $2 AND key = $3";
        db.execute_typed(sql, &[(&number, Type::INT8), (&kind, Type::TEXT), (&key, Type::TEXT)]).await?;
        return Ok(());
    };
    let sql = "INSERT INTO runplane.documents (workspace, kind, key, bytes) VALUES ($1, $2, $3, $4)
               ON CONFLICT (workspace, kind, key) DO UPDATE SET bytes = excluded.bytes";
    db.execute_typed(sql, &[(&number, Type::INT8), (&kind, Type::TEXT), (&key, Type::TEXT), (&bytes, Type::BYTEA)])
        .await?;
    Ok(())
}

/// INVARIANT: a snapshot never claims more entries than the ledger has. Sizes only grow, so a ledger that was
/// long enough before the snapshot is written is long enough after it.
pub(super) async fn save_snapshot(db: &Client, number: i64, snapshot: &Snapshot) -> Result<(), Failure> {
    let row = db
        .query_typed_opt("SELECT size FROM runplane.heads WHERE workspace = $1", &[(&number, Type::INT8)])
        .await?
        .ok_or_else(|| unavailable("the workspace has no head"))?;
    let (taken, size) = (snapshot.size, unsigned(&row, 0)?);
    if taken > size {
        let text = format!("a snapshot of {taken} entries, but the ledger has {size}");
        return Err(StoreError::Contradiction(text).into());
    }
    db.execute_typed(
        "INSERT INTO runplane.snapshots (workspace, size, bytes) VALUES ($1, $2, $3)
         ON CONFLICT (workspace, size) DO UPDATE SET bytes = excluded.bytes",
        &[(&number, Type::INT8), (&signed(taken)?, Type::INT8), (&snapshot.bytes, Type::BYTEA)],
    )
    .await?;
    db.execute_typed(
        "DELETE FROM runplane.snapshots WHERE workspace = $1 AND size NOT IN
             (SELECT size FROM runplane.snapshots WHERE workspace = $1 ORDER BY size DESC LIMIT 2)",
        &[(&number, Type::INT8)],
    )
    .await?;
    // Pieces of a newer one are of a snapshot that another node is making.
    db.execute_typed(
        "DELETE FROM runplane.snapshot_parts WHERE workspace = $1
             AND size < (SELECT max(size) FROM runplane.snapshots WHERE workspace = $1)
             AND size NOT IN (SELECT size FROM runplane.snapshots WHERE workspace = $1)",
        &[(&number, Type::INT8)],
    )
    .await?;
    Ok(())
}

pub(super) async fn put_snapshot_part(
    db: &Client,
    number: i64,
    size: u64,
    part: u32,
    bytes: &[u8],
) -> Result<(), Failure> {
    let part = i32::try_from(part).map_err(unavailable)?;
    db.execute_typed(
        "INSERT INTO runplane.snapshot_parts (workspace, size, part, bytes) VALUES ($1, $2, $3, $4)
         ON CONFLICT (workspace, size, part) DO UPDATE SET bytes = excluded.bytes",
        &[(&number, Type::INT8), (&signed(size)?, Type::INT8), (&part, Type::INT4), (&bytes, Type::BYTEA)],
    )
    .await?;
    Ok(())
}

pub(super) async fn load_snapshot_part(
    db: &Client,
    number: i64,
    size: u64,
    part: u32,
) -> Result<Option<Vec<u8>>, Failure> {
    let part = i32::try_from(part).map_err(unavailable)?;
    let row = db
        .query_typed_opt(
            "SELECT bytes FROM runplane.snapshot_parts WHERE workspace = $1 AND size = $2 AND part = $3",
            &[(&number, Type::INT8), (&signed(size)?, Type::INT8), (&part, Type::INT4)],
        )
        .await?;
    row.map(|row| value(&row, 0)).transpose()
}

pub(super) async fn load_snapshots(db: &Client, number: i64) -> Result<Vec<Snapshot>, Failure> {
    let sql = "SELECT size, bytes FROM runplane.snapshots WHERE workspace = $1 ORDER BY size DESC";
    let rows = db.query_typed(sql, &[(&number, Type::INT8)]).await?;
    rows.iter().map(|row| Ok(Snapshot { size: unsigned(row, 0)?, bytes: value(row, 1)? })).collect()
}
