//! A turn: the lock of a workspace, and the one write under it.
//!
//! The lock is the row lock of the head. Everything that begins a turn goes out in one message, as does
//! everything that ends it, so a turn costs two round trips.
//!
//! A node that stops while it holds the lock is cut off by the server after [`super::Options::idle_in_turn`];
//! one that waits for the lock gives up after `lock_wait`, which is longer.
//!
//! INVARIANT: a commit of which it is not known whether it happened is looked up under the lock, where the
//! transaction in question has ended one way or the other. Only if that is not possible is it ambiguous.

use std::time::Duration;

use deadpool_postgres::Object;
use futures_util::future::join;
use tokio::time::timeout;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::PostgresStore;
use super::errors::{Failure, fixed, unavailable, unsigned, value};
use super::pool::{PATIENCE, discard, take};
use super::schema;
use super::write::{WRITE, Write};
use crate::batch::Batch;
use crate::error::{CommitError, StoreError};
use crate::rows::Workspace;
use crate::store::{Seen, Turn};

/// A function, in which the clock, and whether this program is still welcome, are read after the wait.
const LOCK: &str = "SELECT size, nonce, epoch, time_us, now_us, version, needs FROM runplane.lock_head($1)";
/// How often, and after which pauses, an unknown commit is looked up.
const LOOKUPS: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(50), Duration::from_millis(300), Duration::from_millis(1_000)];

pub(super) struct Locked<'a> {
    store: &'a PostgresStore,
    number: i64,
    seen: Seen,
    /// `None` once it was used up.
    client: Option<Object>,
}

pub(super) fn begin<'a>(store: &'a PostgresStore, number: i64) -> Result<Locked<'a>, StoreError> {
    store.connections.wait(async {
        store.partitions.reach_ahead(&store.connections).await;
        for last in [false, true] {
            let client = take(&store.connections.turns).await?;
            match timeout(PATIENCE, lock(&client, &store.begin_turn, number)).await {
                Ok(Ok((mut seen, now_us))) => {
                    store.partitions.saw(seen.size);
                    seen.now_us = store.database_clock.then_some(now_us);
                    return Ok(Locked { store, number, seen, client: Some(client) });
                }
                Ok(Err(failure)) => {
                    let retry = !last && matches!(failure, Failure::Lost(_)) && client.is_closed();
                    discard(client);
                    if !retry {
                        return Err(failure.into());
                    }
                }
                Err(_) => {
                    discard(client);
                    return Err(unavailable("the database did not answer in time"));
                }
            }
        }
        Err(unavailable("the database closes every connection"))
    })
}

async fn lock(client: &Client, begin: &str, number: i64) -> Result<(Seen, i64), Failure> {
    let workspace: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 1] = [(&number, Type::INT8)];
    let (begun, head) = join(client.batch_execute(begin), client.query_typed_one(LOCK, &workspace)).await;
    begun?;
    let head = head?;
    if value::<Option<i64>>(&head, 0)?.is_none() {
        return Err(unavailable("the workspace has no head").into());
    }
    let seen = Seen {
        size: unsigned(&head, 0)?,
        nonce: fixed(&head, 1)?,
        epoch: unsigned(&head, 2)?,
        time_us: value(&head, 3)?,
        now_us: None,
    };
    schema::welcome(&head, 5)?;
    Ok((seen, value(&head, 4)?))
}

impl Turn for Locked<'_> {
    fn seen(&self) -> &Seen {
        &self.seen
    }

    fn commit(mut self: Box<Self>, batch: &Batch) -> Result<(), CommitError> {
        batch.check().map_err(CommitError::NotCommitted)?;
        let Some(client) = self.client.take() else {
            return Err(CommitError::NotCommitted("the turn is over".into()));
        };
        self.store.connections.wait(finish(self.store, self.number, client, batch))
    }
}

impl Drop for Locked<'_> {
    /// Gives the lock back without a write.
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        self.store.connections.spawn(async move {
            if !matches!(timeout(PATIENCE, client.batch_execute("ROLLBACK")).await, Ok(Ok(()))) {
                discard(client);
            }
        });
    }
}

/// A commit without a turn before it: the write fences itself.
pub(super) fn commit_at_once(store: &PostgresStore, number: i64, batch: &Batch) -> Result<(), CommitError> {
    batch.check().map_err(CommitError::NotCommitted)?;
    if batch.expected_size == 0 {
        return Err(CommitError::HeadMoved);
    }
    store.connections.wait(async {
        store.partitions.reach(&store.connections, batch.head.size).await.map_err(not_committed)?;
        let client = take(&store.connections.turns).await.map_err(not_committed)?;
        // Not only begun but locked: the write must not wait on a program that meanwhile is too old.
        let begun = lock(&client, &store.begin_turn, number);
        match timeout(PATIENCE, begun).await {
            Ok(Ok(_)) => finish(store, number, client, batch).await,
            Ok(Err(failure)) => {
                discard(client);
                Err(not_committed(StoreError::from(failure)))
            }
            Err(_) => {
                discard(client);
                Err(not_committed("the database did not answer in time"))
            }
        }
    })
}

pub(super) fn insert_workspace(store: &PostgresStore, workspace: &Workspace, first: &Batch) -> Result<(), CommitError> {
    first.check().map_err(CommitError::NotCommitted)?;
    if first.expected_size != 0 {
        return Err(CommitError::NotCommitted("the first batch of a workspace starts at 0".into()));
    }
    store.connections.wait(async {
        store.partitions.reach(&store.connections, first.head.size).await.map_err(not_committed)?;
        let client = take(&store.connections.turns).await.map_err(not_committed)?;
        match timeout(PATIENCE, insert_row(&client, &store.begin_turn, workspace)).await {
            Ok(Ok(Some(number))) => finish(store, number, client, first).await,
            Ok(Ok(None)) => {
                discard(client);
                Err(CommitError::WorkspaceExists)
            }
            Ok(Err(failure)) => {
                discard(client);
                Err(not_committed(StoreError::from(failure)))
            }
            Err(_) => {
                discard(client);
                Err(not_committed("the database did not answer in time"))
            }
        }
    })
}

/// The number of the new workspace; `None` if its id or name is taken.
async fn insert_row(client: &Client, begin: &str, workspace: &Workspace) -> Result<Option<i64>, Failure> {
    client.batch_execute(begin).await?;
    schema::still_welcome(client).await?;
    let row = client
        .query_typed_opt(
            "INSERT INTO runplane.workspaces (id, name, created_us) VALUES ($1, $2, $3)
             ON CONFLICT DO NOTHING RETURNING number",
            &[(&workspace.id, Type::TEXT), (&workspace.name, Type::TEXT), (&workspace.created_us, Type::INT8)],
        )
        .await?;
    row.map(|row| value(&row, 0)).transpose()
}

fn not_committed(error: impl std::fmt::Display) -> CommitError {
    CommitError::NotCommitted(error.to_string())
}

/// Writes and commits on a connection whose transaction has begun.
async fn finish(store: &PostgresStore, number: i64, client: Object, batch: &Batch) -> Result<(), CommitError> {
    // There already, but for a turn that others went on far before.
    store.partitions.reach(&store.connections, batch.head.size).await.map_err(not_committed)?;
    store.partitions.saw(batch.head.size);
    let write = Write::of(number, batch, &store.partitions).map_err(not_committed)?;
    let values = write.values();
    let both = async {
        let written = async { unsigned(&client.query_typed_one(WRITE, &values).await?, 0) };
        join(written, client.batch_execute("COMMIT")).await
    };
    let why = match timeout(PATIENCE, both).await {
        Ok((Ok(1), Ok(()))) => return Ok(()),
        // What follows moved nothing, so the transaction that is committed here is an empty one.
        Ok((Ok(_), Ok(()))) => return Err(why_not_moved(store, number, batch).await),
        // The transaction failed before its COMMIT, which then answers ROLLBACK, without an error.
        Ok((Err(Failure::Refused(error)), ended)) => {
            if error.code() == Some(&SqlState::CHECK_VIOLATION) {
                store.partitions.doubt();
            }
            if ended.is_err() {
                discard(client);
            }
            return Err(not_committed(super::errors::describe(&error)));
        }
        Ok((Err(failure), _)) => StoreError::from(failure).to_string(),
        Ok((Ok(_), Err(error))) => super::errors::describe(&error),
        Err(_) => "the database did not answer in time".to_owned(),
    };
    discard(client);
    look_up(store, number, batch, why).await
}

/// Tells another writer's work from a batch that would turn back time or epoch.
async fn why_not_moved(store: &PostgresStore, number: i64, batch: &Batch) -> CommitError {
    let found = async {
        let client = take(&store.connections.readers).await?;
        super::ledger::load_head(&client, number).await.map_err(StoreError::from)
    };
    match timeout(PATIENCE, found).await {
        Ok(Ok(head)) if (head.size, head.nonce) == (batch.expected_size, batch.expected_nonce) => {
            CommitError::NotCommitted("ledger time or control epoch would go back".into())
        }
        Ok(Ok(_)) => CommitError::HeadMoved,
        Ok(Err(error)) => not_committed(error),
        Err(_) => not_committed("the database did not answer in time"),
    }
}

/// Finds out what became of a commit whose answer was lost.
async fn look_up(store: &PostgresStore, number: i64, batch: &Batch, why: String) -> Result<(), CommitError> {
    for pause in LOOKUPS {
        tokio::time::sleep(pause).await;
        match timeout(PATIENCE, is_committed(store, number, batch)).await {
            Ok(Ok(true)) => {
                tracing::warn!(why, "the answer to a commit was lost; the batch is stored");
                return Ok(());
            }
            Ok(Ok(false)) => return Err(not_committed(why)),
            Ok(Err(failure)) => {
                tracing::warn!(failure = %StoreError::from(failure), "a commit cannot be looked up yet")
            }
            Err(_) => break,
        }
    }
    Err(CommitError::Ambiguous(why))
}

async fn is_committed(store: &PostgresStore, number: i64, batch: &Batch) -> Result<bool, Failure> {
    let client = take(&store.connections.turns).await?;
    let looked = async {
        let (seen, _) = lock(&client, &store.begin_turn, number).await?;
        if seen.size <= batch.head.size {
            return Ok(seen.nonce == batch.head.nonce);
        }
        // Others have gone on, on top of this batch or without it.
        let size = super::errors::signed(batch.head.size)?;
        let row = client
            .query_typed_opt(
                "SELECT note FROM runplane.checkpoints WHERE workspace = $1 AND size = $2",
                &[(&number, Type::INT8), (&size, Type::INT8)],
            )
            .await?;
        let note: Option<String> = row.map(|row| value(&row, 0)).transpose()?;
        Ok(note.is_some_and(|note| note == batch.head.checkpoint))
    };
    let outcome = looked.await;
    // Closing the connection ends the transaction, and with it the lock.
    discard(client);
    outcome
}
