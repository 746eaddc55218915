//! The schema and its versions.
//!
//! Migrations only go forward, all in one transaction under one lock, so any number of nodes may start at
//! once. A database that is newer than this program, or whose `runplane` schema is not ours, is refused and
//! left as it is.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::errors::{Failure, unavailable, value};
use super::pool::Connections;
use crate::error::StoreError;

const MIGRATIONS: &[&str] = &[
    include_str!("schema/0001.sql"),
    include_str!("schema/0002_accounts.sql"),
    include_str!("schema/0003_tallies.sql"),
];
/// The oldest server this program is tested with.
const OLDEST_SERVER: i32 = 150_000;
/// Any number that nobody else in the database takes for something else.
const LOCK: i64 = 0x5250_4c31;

/// What is known of the server, from one look at it.
pub(super) struct Server {
    /// Whether a commit as the server is set up may be lost although it was confirmed.
    pub(super) confirms_early: bool,
}

pub(super) fn migrate(connections: &Connections, name: &str) -> Result<Server, StoreError> {
    let server = connections.run(inspect)?;
    if connections.run(version)? != Some(newest()) {
        connections.transact(async |client| raise(client, name).await)?;
    }
    Ok(server)
}

fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

async fn inspect(client: &Client) -> Result<Server, Failure> {
    let row = client
        .query_typed_one(
            "SELECT current_setting('server_version_num')::int, current_setting('server_encoding'),
                    current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit')",
            &[],
        )
        .await?;
    let version: i32 = value(&row, 0)?;
    if version < OLDEST_SERVER {
        let (major, oldest) = (version / 10_000, OLDEST_SERVER / 10_000);
        return Err(unavailable(format_args!("PostgreSQL {major} is too old; at least {oldest} is needed")).into());
    }
    let encoding: String = value(&row, 1)?;
    if encoding != "UTF8" {
        return Err(unavailable(format_args!("the database's encoding is `{encoding}`; it must be UTF8")).into());
    }
    for (column, setting) in [(2, "fsync"), (3, "full_page_writes")] {
        if value::<String>(&row, column)? != "on" {
            let text = format!("the server runs with {setting} = off, so what it confirms may be lost");
            return Err(unavailable(text).into());
        }
    }
    let confirms: String = value(&row, 4)?;
    Ok(Server { confirms_early: matches!(confirms.as_str(), "off" | "local") })
}

/// The version of the schema; `None` if there is none.
async fn version(client: &Client) -> Result<Option<i64>, Failure> {
    // Not by `to_regclass`: what that remembers may be from before the wait for the lock.
    let row = client
        .query_typed_one(
            "SELECT EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                            WHERE n.nspname = 'runplane' AND c.relname = 'versions')",
            &[],
        )
        .await?;
    if !value::<bool>(&row, 0)? {
        return Ok(None);
    }
    let row = client.query_typed_one("SELECT coalesce(max(version), 0) FROM runplane.versions", &[]).await?;
    Ok(Some(value(&row, 0)?))
}

async fn raise(client: &Client, name: &str) -> Result<(), Failure> {
    // Its result is of type void, which is read as nothing.
    client.execute_typed("SELECT pg_advisory_xact_lock($1)", &[(&LOCK, Type::INT8)]).await?;
    let found = match version(client).await? {
        Some(found) => found,
        None => {
            let row = client
                .query_typed_one(
                    "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                     WHERE n.nspname = 'runplane'",
                    &[],
                )
                .await?;
            if value::<i64>(&row, 0)? > 0 {
                return Err(StoreError::Foreign(name.to_owned()).into());
            }
            // A role that may not make schemas can be given an empty one.
            let sql = "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = 'runplane')";
            let row = client.query_typed_one(sql, &[]).await?;
            if !value::<bool>(&row, 0)? {
                client.batch_execute("CREATE SCHEMA runplane").await?;
            }
            client.batch_execute("CREATE TABLE runplane.versions (version bigint PRIMARY KEY)").await?;
            0
        }
    };
    if found > newest() {
        return Err(StoreError::Newer { found, known: newest() }.into());
    }
    for (version, sql) in (1_i64..).zip(MIGRATIONS).filter(|(version, _)| *version > found) {
        client.batch_execute(sql).await?;
        client.execute_typed("INSERT INTO runplane.versions (version) VALUES ($1)", &[(&version, Type::INT8)]).await?;
    }
    Ok(())
}
