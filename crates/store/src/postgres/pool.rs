//! Connections, and the bridge from a store that blocks to a driver that does not.
//!
//! The driver's own work runs on a small runtime of the store. Callers poll their requests on their own
//! thread, whatever it is, and sleep there until the answer is in.
//!
//! Two pools: one for turns, which hold the lock of a workspace, one for everything else. A turn may read
//! through the second while it holds a connection of the first, so neither can wait for itself.
//!
//! INVARIANT: nothing outlives a transaction on a connection: no prepared statement, no setting, no lock. So
//! a pooler may stand in between that hands out a server connection per transaction.

use std::future::Future;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime as PoolRuntime};
use tokio::runtime::Runtime;
use tokio::time::timeout;
use tokio_postgres::Client;

use super::address::Address;
use super::errors::{Failure, unavailable};
use crate::error::StoreError;

/// How long an idle pool may take to give a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// An ordinary request that takes longer is given up; its connection is closed.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

pub(super) struct Connections {
    runtime: Option<Runtime>,
    pub(super) turns: Pool,
    pub(super) readers: Pool,
}

impl Connections {
    pub(super) fn new(address: &Address, turns: usize, readers: usize) -> Result<Self, StoreError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("postgres")
            .enable_all()
            .build()
            .map_err(unavailable)?;
        let turns = pool(address, turns)?;
        let readers = pool(address, readers)?;
        Ok(Self { runtime: Some(runtime), turns, readers })
    }

    /// Drives `work` to its end on this thread.
    pub(super) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        let _inside = self.runtime.as_ref().map(Runtime::enter);
        // A thread that is inside a task of some runtime would be told to yield after a while, and nobody would wake it.
        pollster::block_on(tokio::task::unconstrained(work))
    }

    /// Runs `work` in the background; nobody waits for it.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &self.runtime {
            runtime.spawn(work);
        }
    }

    /// One piece of work on a connection of its own. A connection that may have something unfinished on it
    /// is not used again. Tried once more if the server had closed the connection before: what is run this
    /// way must be harmless to repeat.
    pub(super) fn run<T>(&self, work: impl AsyncFn(&Client) -> Result<T, Failure>) -> Result<T, StoreError> {
        self.wait(async {
            for last in [false, true] {
                let client = take(&self.readers).await?;
                let outcome = timeout(PATIENCE, work(&client)).await;
                match outcome {
                    Ok(Err(Failure::Lost(_))) if !last && client.is_closed() => discard(client),
                    Ok(Err(failure @ Failure::Lost(_))) => {
                        discard(client);
                        return Err(failure.into());
                    }
                    Ok(outcome) => return Ok(outcome?),
                    Err(_) => {
                        discard(client);
                        return Err(unavailable("the database did not answer in time"));
                    }
                }
            }
            Err(unavailable("the database closes every connection"))
        })
    }

    /// The same in one transaction, which starts with `begin`, rolled back unless `work` succeeds.
    pub(super) fn transact<T>(
        &self,
        begin: &str,
        work: impl AsyncFn(&Client) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.run(async |client| {
            let (begun, welcome, outcome) = futures_util::future::join3(
                client.batch_execute(begin),
                super::schema::still_welcome(client),
                work(client),
            )
            .await;
            begun?;
            match welcome.and(outcome) {
                Ok(done) => {
                    client.batch_execute("COMMIT").await?;
                    Ok(done)
                }
                Err(failure) => {
                    client.batch_execute("ROLLBACK").await?;
                    Err(failure)
                }
            }
        })
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        self.turns.close();
        self.readers.close();
        if let Some(runtime) = self.runtime.take() {
            // Waiting here would panic inside somebody else's runtime.
            runtime.shutdown_background();
        }
    }
}

fn pool(address: &Address, size: usize) -> Result<Pool, StoreError> {
    let mut config = address.config.clone();
    config.connect_timeout(CONNECT);
    config.tcp_user_timeout(PATIENCE);
    config.keepalives_idle(Duration::from_secs(10));
    let manager =
        Manager::from_config(config, address.tls()?, ManagerConfig { recycling_method: RecyclingMethod::Fast });
    Pool::builder(manager)
        .max_size(size.max(1))
        .runtime(PoolRuntime::Tokio1)
        .wait_timeout(Some(CONNECT))
        .create_timeout(Some(CONNECT))
        .recycle_timeout(Some(CONNECT))
        .build()
        .map_err(unavailable)
}

pub(super) async fn take(pool: &Pool) -> Result<Object, StoreError> {
    pool.get().await.map_err(|error| match error {
        deadpool_postgres::PoolError::Backend(error) => unavailable(super::errors::describe(&error)),
        other => unavailable(format_args!("no connection to the database: {other}")),
    })
}

/// Closes a connection instead of giving it back.
pub(super) fn discard(client: Object) {
    drop(Object::take(client));
}
