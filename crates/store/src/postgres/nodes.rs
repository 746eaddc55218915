//! What several processes on one database have between them: notices, leases, things in common.
//!
//! Notices only save time. They are sent after a commit, never in it: a commit that notifies waits for every
//! other such commit of the database. Who misses one finds out by looking.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::join;
use futures_util::stream;
use tokio_postgres::types::Type;
use tokio_postgres::{AsyncMessage, Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::Address;
use super::errors::{Failure, describe, fixed, value};
use super::pool::{Connections, discard, take};
use super::schema;
use crate::error::StoreError;
use crate::store::Wake;

const CHANNEL: &str = "runplane";
/// Announcements within this time are one.
const GATHER: Duration = Duration::from_millis(5);
/// Pause before a lost connection for listening is made again.
const AGAIN: Duration = Duration::from_secs(1);

pub(super) struct Notices {
    config: Config,
    tls: MakeRustlsConnect,
    /// One is about to be sent.
    pending: Arc<AtomicBool>,
}

impl Notices {
    pub(super) fn new(address: &Address) -> Result<Self, StoreError> {
        let mut config = address.config.clone();
        config.connect_timeout(Duration::from_secs(5)).keepalives_idle(Duration::from_secs(10));
        Ok(Self { config, tls: address.tls()?, pending: Arc::default() })
    }

    pub(super) fn announce(&self, connections: &Connections) {
        if self.pending.swap(true, Ordering::AcqRel) {
            return;
        }
        let (pending, pool) = (Arc::clone(&self.pending), connections.readers.clone());
        connections.spawn(async move {
            tokio::time::sleep(GATHER).await;
            pending.store(false, Ordering::Release);
            let Ok(client) = take(&pool).await else { return };
            if client.query_typed("SELECT pg_notify($1, '')", &[(&CHANNEL, Type::TEXT)]).await.is_err() {
                discard(client);
            }
        });
    }

    pub(super) fn listen(&self, connections: &Connections, wake: Wake) {
        let (config, tls) = (self.config.clone(), self.tls.clone());
        connections.spawn(async move {
            loop {
                if let Err(error) = follow_channel(&config, tls.clone(), &wake).await {
                    tracing::warn!(error = describe(&error), "notices of other nodes are not heard; looking instead");
                }
                tokio::time::sleep(AGAIN).await;
            }
        });
    }
}

/// Until the connection ends.
async fn follow_channel(config: &Config, tls: MakeRustlsConnect, wake: &Wake) -> Result<(), tokio_postgres::Error> {
    let (client, mut connection) = config.connect(tls).await?;
    let mut messages = stream::poll_fn(move |context| connection.poll_message(context));
    let listening = client.batch_execute("LISTEN runplane");
    let hearing = async {
        while let Some(message) = messages.next().await {
            if matches!(message?, AsyncMessage::Notification(_)) {
                wake();
            }
        }
        Ok(())
    };
    let (listening, heard) = join(listening, hearing).await;
    listening.and(heard)
}

pub(super) async fn list_nonces(db: &Client) -> Result<Vec<(String, [u8; 16])>, Failure> {
    let sql = "SELECT w.id, h.nonce, v.version, v.needs FROM runplane.workspaces w
               JOIN runplane.heads h ON h.workspace = w.number,
                   (SELECT max(version) AS version, max(needs) AS needs FROM runplane.versions) v
               ORDER BY w.number";
    let rows = db.query_typed(sql, &[]).await?;
    if let Some(row) = rows.first() {
        schema::welcome(row, 2)?;
    }
    rows.iter().map(|row| Ok((value(row, 0)?, fixed(row, 1)?))).collect()
}

/// By the database's clock, so that nodes need not agree on the time.
pub(super) async fn hold_lease(db: &Client, task: &str, holder: &str, life: Duration) -> Result<bool, Failure> {
    let held = db
        .execute_typed(
            "INSERT INTO runplane.leases AS l (task, holder, until)
             VALUES ($1, $2, clock_timestamp() + $3 * interval '1 second')
             ON CONFLICT (task) DO UPDATE SET holder = excluded.holder, until = excluded.until
             WHERE l.holder = excluded.holder OR l.until < clock_timestamp()",
            &[(&task, Type::TEXT), (&holder, Type::TEXT), (&life.as_secs_f64(), Type::FLOAT8)],
        )
        .await?;
    Ok(held == 1)
}

pub(super) async fn agree(db: &Client, name: &'static str, wanted: &[u8]) -> Result<(), Failure> {
    db.execute_typed(
        "INSERT INTO runplane.shared (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        &[(&name, Type::TEXT), (&wanted, Type::BYTEA)],
    )
    .await?;
    let sql = "SELECT value = $2 FROM runplane.shared WHERE name = $1";
    let row = db.query_typed_one(sql, &[(&name, Type::TEXT), (&wanted, Type::BYTEA)]).await?;
    if value(&row, 0)? {
        Ok(())
    } else {
        Err(StoreError::Contradiction(format!("the {name} is not the one the other nodes use")).into())
    }
}
