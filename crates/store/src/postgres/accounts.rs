//! Password hashes, sessions and one-time links of people.

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use super::errors::{Failure, fixed, value};
use crate::rows::{Link, Session};

pub(super) async fn put_password(db: &Client, number: i64, person: &str, phc: Option<&str>) -> Result<(), Failure> {
    let (sql, phc) = match phc {
        Some(phc) => (
            "INSERT INTO runplane.passwords (workspace, person, phc) VALUES ($1, $2, $3)
             ON CONFLICT (workspace, person) DO UPDATE SET phc = excluded.phc",
            phc,
        ),
        None => ("DELETE FROM runplane.passwords WHERE workspace = $1 AND person = $2 AND $3 = ''", ""),
    };
    db.execute_typed(sql, &[(&number, Type::INT8), (&person, Type::TEXT), (&phc, Type::TEXT)]).await?;
    Ok(())
}

pub(super) async fn load_password(db: &Client, number: i64, person: &str) -> Result<Option<String>, Failure> {
    let sql = "SELECT phc FROM runplane.passwords WHERE workspace = $1 AND person = $2";
    let row = db.query_typed_opt(sql, &[(&number, Type::INT8), (&person, Type::TEXT)]).await?;
    row.map(|row| value(&row, 0)).transpose()
}

pub(super) async fn insert_session(db: &Client, number: i64, session: &Session) -> Result<(), Failure> {
    db.execute_typed(
        "INSERT INTO runplane.sessions (hash, workspace, person, created_us, seen_us, expires_us)
         VALUES ($1, $2, $3, $4, $5, $6)",
        &[
            (&session.hash.as_slice(), Type::BYTEA),
            (&number, Type::INT8),
            (&session.user, Type::TEXT),
            (&session.created_us, Type::INT8),
            (&session.seen_us, Type::INT8),
            (&session.expires_us, Type::INT8),
        ],
    )
    .await?;
    Ok(())
}

pub(super) async fn load_session(db: &Client, hash: &[u8; 32]) -> Result<Option<Session>, Failure> {
    let row = db
        .query_typed_opt(
            "SELECT s.hash, w.id, s.person, s.created_us, s.seen_us, s.expires_us
             FROM runplane.sessions s JOIN runplane.workspaces w ON w.number = s.workspace WHERE s.hash = $1",
            &[(&hash.as_slice(), Type::BYTEA)],
        )
        .await?;
    let session = |row: Row| {
        Ok(Session {
            hash: fixed(&row, 0)?,
            workspace: value(&row, 1)?,
            user: value(&row, 2)?,
            created_us: value(&row, 3)?,
            seen_us: value(&row, 4)?,
            expires_us: value(&row, 5)?,
        })
    };
    row.map(session).transpose()
}

pub(super) async fn touch_session(db: &Client, hash: &[u8; 32], seen_us: i64) -> Result<(), Failure> {
    let sql = "UPDATE runplane.sessions SET seen_us = greatest(seen_us, $2) WHERE hash = $1";
    db.execute_typed(sql, &[(&hash.as_slice(), Type::BYTEA), (&seen_us, Type::INT8)]).await?;
    Ok(())
}

pub(super) async fn delete_session(db: &Client, hash: &[u8; 32]) -> Result<bool, Failure> {
    let sql = "DELETE FROM runplane.sessions WHERE hash = $1";
    Ok(db.execute_typed(sql, &[(&hash.as_slice(), Type::BYTEA)]).await? > 0)
}

pub(super) async fn delete_sessions(
    db: &Client,
    number: i64,
    person: &str,
    except: Option<&[u8; 32]>,
) -> Result<usize, Failure> {
    let except = except.map(<[u8; 32]>::as_slice);
    let deleted = db
        .execute_typed(
            "DELETE FROM runplane.sessions WHERE workspace = $1 AND person = $2 AND ($3::bytea IS NULL OR hash <> $3)",
            &[(&number, Type::INT8), (&person, Type::TEXT), (&except, Type::BYTEA)],
        )
        .await?;
    Ok(usize::try_from(deleted).unwrap_or(usize::MAX))
}

/// Replaces the links of the same person, or the one that names nobody; in a transaction.
pub(super) async fn put_link(db: &Client, number: i64, link: &Link) -> Result<(), Failure> {
    // Nodes that start together print a link each, for an owner who is not there yet.
    if link.user.is_some() {
        delete_links(db, number, link.user.as_deref()).await?;
    }
    db.execute_typed(
        "INSERT INTO runplane.links (hash, workspace, person, purpose, expires_us) VALUES ($1, $2, $3, $4, $5)",
        &[
            (&link.hash.as_slice(), Type::BYTEA),
            (&number, Type::INT8),
            (&link.user, Type::TEXT),
            (&link.purpose, Type::TEXT),
            (&link.expires_us, Type::INT8),
        ],
    )
    .await?;
    Ok(())
}

pub(super) async fn delete_links(db: &Client, number: i64, person: Option<&str>) -> Result<usize, Failure> {
    let sql = "DELETE FROM runplane.links WHERE workspace = $1 AND person IS NOT DISTINCT FROM $2";
    let deleted = db.execute_typed(sql, &[(&number, Type::INT8), (&person, Type::TEXT)]).await?;
    Ok(usize::try_from(deleted).unwrap_or(usize::MAX))
}

const LINK: &str = "hash, (SELECT id FROM runplane.workspaces WHERE number = l.workspace), person, purpose, expires_us";

pub(super) async fn load_link(db: &Client, hash: &[u8; 32]) -> Result<Option<Link>, Failure> {
    one_link(db, &format!("SELECT {LINK} FROM runplane.links l WHERE hash = $1"), hash).await
}

/// One statement: of two that take the same link, one gets it.
pub(super) async fn take_link(db: &Client, hash: &[u8; 32]) -> Result<Option<Link>, Failure> {
    one_link(db, &format!("DELETE FROM runplane.links l WHERE hash = $1 RETURNING {LINK}"), hash).await
}

async fn one_link(db: &Client, sql: &str, hash: &[u8; 32]) -> Result<Option<Link>, Failure> {
    let row = db.query_typed_opt(sql, &[(&hash.as_slice(), Type::BYTEA)]).await?;
    let link = |row: Row| {
        Ok(Link {
            hash: fixed(&row, 0)?,
            workspace: value(&row, 1)?,
            user: value(&row, 2)?,
            purpose: value(&row, 3)?,
            expires_us: value(&row, 4)?,
        })
    };
    row.map(link).transpose()
}

pub(super) async fn forget_ended(db: &Client, now_us: i64, seen_before_us: i64) -> Result<usize, Failure> {
    let sql = "DELETE FROM runplane.sessions WHERE expires_us <= $1 OR seen_us <= $2";
    let sessions = db.execute_typed(sql, &[(&now_us, Type::INT8), (&seen_before_us, Type::INT8)]).await?;
    let sql = "DELETE FROM runplane.links WHERE expires_us <= $1";
    let links = db.execute_typed(sql, &[(&now_us, Type::INT8)]).await?;
    Ok(usize::try_from(sessions + links).unwrap_or(usize::MAX))
}
