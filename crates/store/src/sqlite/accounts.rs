//! Password hashes, sessions and one-time links of people.

use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};

use super::errors::unavailable;
use crate::error::StoreError;
use crate::rows::{Link, Session};

pub(super) fn put_password(db: &Connection, number: i64, user: &str, phc: Option<&str>) -> rusqlite::Result<()> {
    match phc {
        Some(phc) => db.execute(
            "INSERT INTO passwords (workspace, user, phc) VALUES (?1, ?2, ?3)
             ON CONFLICT (workspace, user) DO UPDATE SET phc = excluded.phc",
            params![number, user, phc],
        )?,
        None => db.execute("DELETE FROM passwords WHERE workspace = ?1 AND user = ?2", params![number, user])?,
    };
    Ok(())
}

pub(super) fn load_password(db: &Connection, number: i64, user: &str) -> rusqlite::Result<Option<String>> {
    db.prepare_cached("SELECT phc FROM passwords WHERE workspace = ?1 AND user = ?2")?
        .query_row(params![number, user], |row| row.get(0))
        .optional()
}

pub(super) fn insert_session(db: &Connection, number: i64, session: &Session) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO sessions (hash, workspace, user, created_us, seen_us, expires_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![session.hash, number, session.user, session.created_us, session.seen_us, session.expires_us],
    )?;
    Ok(())
}

pub(super) fn load_session(db: &Connection, hash: &[u8; 32]) -> rusqlite::Result<Option<Session>> {
    let session = |row: &Row<'_>| {
        Ok(Session {
            hash: row.get(0)?,
            workspace: row.get(1)?,
            user: row.get(2)?,
            created_us: row.get(3)?,
            seen_us: row.get(4)?,
            expires_us: row.get(5)?,
        })
    };
    db.prepare_cached(
        "SELECT hash, workspaces.id, user, sessions.created_us, seen_us, expires_us
         FROM sessions JOIN workspaces ON workspaces.number = sessions.workspace WHERE hash = ?1",
    )?
    .query_row([hash], session)
    .optional()
}

pub(super) fn touch_session(db: &Connection, hash: &[u8; 32], seen_us: i64) -> rusqlite::Result<()> {
    db.execute("UPDATE sessions SET seen_us = max(seen_us, ?2) WHERE hash = ?1", params![hash, seen_us])?;
    Ok(())
}

pub(super) fn delete_session(db: &Connection, hash: &[u8; 32]) -> rusqlite::Result<bool> {
    Ok(db.execute("DELETE FROM sessions WHERE hash = ?1", [hash])? > 0)
}

pub(super) fn delete_sessions(
    db: &Connection,
    number: i64,
    user: &str,
    except: Option<&[u8; 32]>,
) -> rusqlite::Result<usize> {
    db.execute(
        "DELETE FROM sessions WHERE workspace = ?1 AND user = ?2 AND (?3 IS NULL OR hash <> ?3)",
        params![number, user, except],
    )
}

/// Replaces the links of the same person, or the one that names nobody.
pub(super) fn put_link(db: &mut Connection, number: i64, link: &Link) -> Result<(), StoreError> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(unavailable)?;
    delete_links(&tx, number, link.user.as_deref()).map_err(unavailable)?;
    tx.execute(
        "INSERT INTO links (hash, workspace, user, purpose, expires_us) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![link.hash, number, link.user, link.purpose, link.expires_us],
    )
    .map_err(unavailable)?;
    tx.commit().map_err(unavailable)
}

pub(super) fn delete_links(db: &Connection, number: i64, user: Option<&str>) -> rusqlite::Result<usize> {
    db.execute("DELETE FROM links WHERE workspace = ?1 AND user IS ?2", params![number, user])
}

const LINK: &str = "hash, (SELECT id FROM workspaces WHERE number = links.workspace), user, purpose, expires_us";

pub(super) fn load_link(db: &Connection, hash: &[u8; 32]) -> rusqlite::Result<Option<Link>> {
    db.prepare_cached(&format!("SELECT {LINK} FROM links WHERE hash = ?1"))?.query_row([hash], link).optional()
}

/// One statement: of two that take the same link, one gets it.
pub(super) fn take_link(db: &Connection, hash: &[u8; 32]) -> rusqlite::Result<Option<Link>> {
    db.prepare_cached(&format!("DELETE FROM links WHERE hash = ?1 RETURNING {LINK}"))?
        .query_row([hash], link)
        .optional()
}

fn link(row: &Row<'_>) -> rusqlite::Result<Link> {
    Ok(Link {
        hash: row.get(0)?,
        workspace: row.get(1)?,
        user: row.get(2)?,
        purpose: row.get(3)?,
        expires_us: row.get(4)?,
    })
}

pub(super) fn forget_ended(db: &Connection, now_us: i64, seen_before_us: i64) -> rusqlite::Result<usize> {
    let sessions =
        db.execute("DELETE FROM sessions WHERE expires_us <= ?1 OR seen_us <= ?2", params![now_us, seen_before_us])?;
    Ok(sessions + db.execute("DELETE FROM links WHERE expires_us <= ?1", [now_us])?)
}
