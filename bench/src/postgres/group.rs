//! The floor on PostgreSQL: whatever waits goes into one table, in one statement, in one commit.

use super::database::connect;
use anyhow::{Context, Result};
use axum::body::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, oneshot};
use tokio_postgres::{Client, Statement};

const QUEUE: usize = 8_192;
const BATCH: usize = 1_024;

type Waiting = (Bytes, oneshot::Sender<()>);

/// One writer, for everybody who has a copy of this.
#[derive(Clone)]
pub struct Group(mpsc::Sender<Waiting>);

impl Group {
    pub async fn open(url: &str) -> Result<Self> {
        let client = connect(url).await?;
        client
            .batch_execute(
                "CREATE TABLE IF NOT EXISTS floor (entry_index bigint PRIMARY KEY, hash bytea NOT NULL, bytes bytea NOT NULL);
                 TRUNCATE floor",
            )
            .await?;
        let insert = client
            .prepare(
                "INSERT INTO floor SELECT $1::bigint + u.n, u.h, u.b
                 FROM unnest($2::bytea[], $3::bytea[]) WITH ORDINALITY AS u (h, b, n)",
            )
            .await?;
        let (queue, waiting) = mpsc::channel(QUEUE);
        #[allow(clippy::disallowed_methods)] // ends with the last sender
        tokio::task::spawn(append(client, insert, waiting));
        Ok(Self(queue))
    }

    /// Returns when it is durable.
    pub async fn commit(&self, body: Bytes) -> Result<()> {
        let (done, durable) = oneshot::channel();
        self.0.send((body, done)).await.ok().context("the writer is gone")?;
        durable.await.context("the writer failed")
    }
}

async fn append(client: Client, insert: Statement, mut waiting: mpsc::Receiver<Waiting>) {
    let (mut index, mut previous) = (0i64, [0u8; 32]);
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        let mut hashes: Vec<Vec<u8>> = Vec::with_capacity(batch.len());
        for (body, _) in &batch {
            previous = Sha256::new().chain_update(previous).chain_update(body).finalize().into();
            hashes.push(previous.to_vec());
        }
        let bodies: Vec<&[u8]> = batch.iter().map(|(body, _)| &**body).collect();
        if let Err(failure) = client.execute(&insert, &[&index, &hashes, &bodies]).await {
            crate::say(&format!("the floor's writer failed: {failure}"));
            return;
        }
        index += i64::try_from(batch.len()).unwrap_or(0);
        for (_, answer) in batch.drain(..) {
            // A client that left needs no answer.
            let _ = answer.send(());
        }
    }
}
