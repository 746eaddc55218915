//! The schema and its versions.
//!
//! Migrations only go forward. One process at a time applies them, under an advisory lock; each step is a transaction
//! of its own and harmless to repeat, because a step may take long and its process may end in the middle. The version
//! is written in the transaction of the last step.
//!
//! Nodes of the version before go on during and after a migration. The rule: a version says which programs may still
//! use the database after it (`needs`). A program that knows fewer versions than there are works on as long as its own
//! is not below what any of them needs; otherwise it refuses. INVARIANT: it learns that under the lock of the turn and
//! in every other transaction that writes lists or state, so nothing is written by a program that is too old.
//!
//! A database whose `runplane` schema is not ours is refused and left as it is.

use std::time::Duration;

use tokio::time::sleep;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use super::errors::{Failure, unavailable, value};
use super::pool::{Connections, discard, take};
use crate::error::StoreError;

#[derive(Clone, Copy)]
pub(super) struct Migration {
    /// The oldest program, by the newest version it knows, that may use the database from then on.
    pub(super) needs: i64,
    /// All but the last leave everything usable for every program that was welcome before.
    pub(super) steps: &'static [&'static str],
}

pub(super) const MIGRATIONS: &[Migration] = &[
    Migration { needs: 1, steps: &[include_str!("schema/0001.sql")] },
    Migration { needs: 2, steps: &[include_str!("schema/0002_accounts.sql")] },
    Migration { needs: 3, steps: &[include_str!("schema/0003_tallies.sql")] },
    Migration { needs: 4, steps: &[include_str!("schema/0004_snapshot_parts.sql")] },
    Migration {
        needs: 4,
        steps: &[
            include_str!("schema/0005_1_bounds.sql"),
            // Each reads all there is of one table, and holds no lock of another meanwhile.
            "ALTER TABLE runplane.entries VALIDATE CONSTRAINT entries_ends",
            "ALTER TABLE runplane.checkpoints VALIDATE CONSTRAINT checkpoints_ends",
            "ALTER TABLE runplane.executions VALIDATE CONSTRAINT executions_ends",
            "ALTER TABLE runplane.decisions VALIDATE CONSTRAINT decisions_ends",
            include_str!("schema/0005_3_swap.sql"),
        ],
    },
    Migration {
        needs: 6,
        steps: &[
            include_str!("schema/0006_1_lists.sql"),
            concat!(include_str!("schema/0006_2_segments.sql"), include_str!("schema/0006_3_lists.sql")),
        ],
    },
];
/// The version from which on there are partitions.
pub(super) const CUT: i64 = 5;
/// The oldest server this program is tested with.
const OLDEST_SERVER: i32 = 150_000;
/// Any number that nobody else in the database takes for something else.
const LOCK: i64 = 0x5250_4c31;
/// A step that has to wait for others gives way after [`STEP`]'s time-out, so that nobody waits behind it, and tries again.
const ATTEMPTS: usize = 60;
const PAUSE: Duration = Duration::from_millis(500);
/// A step may read everything there is.
const STEP: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = '1s';
     SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";

/// What is known of the server, from one look at it.
pub(super) struct Server {
    /// Whether a commit as the server is set up may be lost although it was confirmed.
    pub(super) confirms_early: bool,
}

pub(super) fn migrate(connections: &Connections, name: &str, entries: u64) -> Result<Server, StoreError> {
    let server = connections.run(inspect)?;
    let found = connections.run(version)?;
    check(found)?;
    if found.is_none_or(|found| found.version < newest()) {
        connections.wait(raise(connections, name, MIGRATIONS, entries))?;
    }
    Ok(server)
}

/// The version of the schema, after the checks of an opening and without bringing it up to date.
pub(super) fn standing(connections: &Connections) -> Result<Option<i64>, StoreError> {
    connections.run(inspect)?;
    let found = connections.run(version)?;
    check(found)?;
    Ok(found.map(|found| found.version))
}

pub(super) fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// What the database says of itself.
#[derive(Clone, Copy)]
struct Found {
    version: i64,
    needs: i64,
}

fn check(found: Option<Found>) -> Result<(), StoreError> {
    match found {
        Some(Found { version, needs }) if needs > newest() => {
            Err(StoreError::Newer { found: version, known: newest() })
        }
        _ => Ok(()),
    }
}

/// Refuses a database that needs a newer program. For a transaction that writes.
pub(super) async fn still_welcome(client: &Client) -> Result<(), Failure> {
    let row = client.query_typed_one("SELECT max(version), max(needs) FROM runplane.versions", &[]).await?;
    welcome(&row, 0)
}

/// The same where both numbers stand in a row that was read anyway.
pub(super) fn welcome(row: &Row, at: usize) -> Result<(), Failure> {
    Ok(check(Some(Found { version: value(row, at)?, needs: value(row, at + 1)? }))?)
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

/// `None` if there is no schema yet.
async fn version(client: &Client) -> Result<Option<Found>, Failure> {
    // Not by `to_regclass`: what that remembers may be from before the wait for the lock.
    let row = client
        .query_typed_one(
            "SELECT count(*), count(*) FILTER (WHERE a.attname = 'needs') FROM pg_attribute a
             JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = 'runplane' AND c.relname = 'versions' AND a.attnum > 0 AND NOT a.attisdropped",
            &[],
        )
        .await?;
    if value::<i64>(&row, 0)? == 0 {
        return Ok(None);
    }
    // Before there was the rule, every version needed a program of its own.
    let needs = if value::<i64>(&row, 1)? == 1 { "needs" } else { "version" };
    let sql = format!("SELECT coalesce(max(version), 0), coalesce(max({needs}), 0) FROM runplane.versions");
    let row = client.query_typed_one(&sql, &[]).await?;
    Ok(Some(Found { version: value(&row, 0)?, needs: value(&row, 1)? }))
}

/// Brings the database to the last of these migrations, as the only one that does.
///
/// The lock lives in a transaction of its own on a connection of its own, so that a pooler may stand in between.
pub(super) async fn raise(
    connections: &Connections,
    name: &str,
    migrations: &[Migration],
    entries: u64,
) -> Result<(), StoreError> {
    let lock = take(&connections.turns).await?;
    let raised = async {
        lock.batch_execute(&format!("{STEP}; SET LOCAL lock_timeout = '10min'")).await?;
        // Its result is of type void, which is read as nothing.
        lock.execute_typed("SELECT pg_advisory_xact_lock($1)", &[(&LOCK, Type::INT8)]).await?;
        let client = take(&connections.readers).await?;
        let raised = apply(&client, name, migrations, entries).await;
        if raised.is_err() {
            discard(client);
        }
        raised
    };
    let raised = raised.await;
    // Closing the connection ends its transaction, and with it the lock.
    discard(lock);
    raised.map_err(StoreError::from)
}

async fn apply(client: &Client, name: &str, migrations: &[Migration], entries: u64) -> Result<(), Failure> {
    let found = match version(client).await? {
        Some(found) => found,
        None => prepare(client, name).await?,
    };
    check(Some(found))?;
    // The column is there before anything says what it needs, for a node that looks in between.
    if !has_window(client).await? {
        patiently(client, &format!("{STEP};\n{WINDOW};\nCOMMIT")).await?;
    }
    for (version, migration) in (1_i64..).zip(migrations).filter(|(version, _)| *version > found.version) {
        for (place, sql) in (1_usize..).zip(migration.steps) {
            let sql = sql.replace("{width}", &entries.to_string());
            let mut transaction = format!("{STEP};\n");
            if place == migration.steps.len() {
                if migration.needs > found.version && version > 1 {
                    // A turn that began before must not write after: those under way end first.
                    transaction.push_str("LOCK TABLE runplane.heads IN EXCLUSIVE MODE;\n");
                }
                let needs = migration.needs;
                transaction.push_str(&format!(
                    "{sql};\n{SHUT};\nINSERT INTO runplane.versions (version, needs) VALUES ({version}, {needs});\nCOMMIT"
                ));
            } else {
                transaction.push_str(&format!("{sql};\n{SHUT};\nCOMMIT"));
            }
            patiently(client, &transaction).await?;
            tracing::info!(version, step = place, of = migration.steps.len(), "the database was brought up to date");
        }
    }
    Ok(())
}

/// SECURITY: functions run with the rights of whoever migrates, and PostgreSQL lets everybody run what is new. Said with
/// every step, before anybody can see what it made: default privileges of a schema cannot take this away.
const SHUT: &str = "REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA runplane FROM PUBLIC";

const WINDOW: &str = "ALTER TABLE runplane.versions ADD COLUMN IF NOT EXISTS needs bigint;
     UPDATE runplane.versions SET needs = version WHERE needs IS NULL;
     ALTER TABLE runplane.versions ALTER COLUMN needs SET NOT NULL";

/// Whether versions say what they need. To look takes no lock that anybody would wait for.
async fn has_window(client: &Client) -> Result<bool, Failure> {
    let sql = "SELECT count(*) = 1 FROM pg_attribute WHERE attrelid = 'runplane.versions'::regclass
               AND attname = 'needs' AND attnotnull AND NOT attisdropped";
    value(&client.query_typed_one(sql, &[]).await?, 0)
}

/// Repeats a step that could not have its locks.
async fn patiently(client: &Client, transaction: &str) -> Result<(), Failure> {
    for _ in 1..ATTEMPTS {
        let Err(error) = client.batch_execute(transaction).await else { return Ok(()) };
        client.batch_execute("ROLLBACK").await?;
        if error.code() != Some(&tokio_postgres::error::SqlState::LOCK_NOT_AVAILABLE) {
            return Err(error.into());
        }
        sleep(PAUSE).await;
    }
    Ok(client.batch_execute(transaction).await?)
}

/// An empty schema with a table of versions.
async fn prepare(client: &Client, name: &str) -> Result<Found, Failure> {
    let row = client
        .query_typed_one(
            "SELECT count(c.oid), count(n.oid) FROM pg_namespace n LEFT JOIN pg_class c ON n.oid = c.relnamespace
             WHERE n.nspname = 'runplane'",
            &[],
        )
        .await?;
    if value::<i64>(&row, 0)? > 0 {
        return Err(StoreError::Foreign(name.to_owned()).into());
    }
    // A role that may not make schemas can be given an empty one.
    if value::<i64>(&row, 1)? == 0 {
        client.batch_execute("CREATE SCHEMA runplane").await?;
    }
    client.batch_execute("CREATE TABLE runplane.versions (version bigint PRIMARY KEY)").await?;
    Ok(Found { version: 0, needs: 0 })
}
