//! Starting and stopping a server.
//!
//! Stopping refuses new connections, lets requests in flight finish, then the sequencers, so that every decision
//! somebody waits for is made and recorded.

use crate::app::App;
use crate::clock::{SharedClock, SystemClock};
use crate::error::Error;
use crate::fill;
use crate::http;
use crate::install::DEFAULT_WORKSPACE;
use crate::nodes::{self, Lease};
use crate::options::Options;
use crate::people::{self, Issued};
use crate::place::Seeds;
use crate::projection;
use crate::tasks;
use crate::verification;
use runplane_core::time::Span;
use runplane_store::{Store, Upkeep};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// How often the write-ahead log is copied into the database.
const WAL_CHECKPOINT: Duration = Duration::from_secs(1);
/// How often payloads are looked through for those to erase, and how many go in one transaction.
const ERASURE: Duration = Duration::from_secs(60);
const ERASED_AT_ONCE: usize = 500;
/// How often the store makes room ahead of need.
const TENDING: Duration = Duration::from_secs(60);
/// How often sessions that are over are deleted.
const FORGETTING: Duration = Duration::from_secs(600);
/// How long requests in flight may take after the signal to stop.
const GRACE: Duration = Duration::from_secs(10);

/// A server that listens.
pub struct Running {
    pub app: Arc<App>,
    pub address: SocketAddr,
    listener: TcpListener,
    keep_lists: Option<Span>,
}

/// Opens the store of the data folder and listens.
pub async fn start(options: Options) -> Result<Running, Error> {
    let seeds = options.place.seeds()?;
    let place = options.place.clone();
    let store = tasks::blocking(move || Ok(place.open()?)).await?;
    start_with(options, store, SystemClock::shared(), &seeds).await
}

/// The same over a given store and clock.
pub async fn start_with(
    options: Options,
    store: Arc<dyn Store>,
    clock: SharedClock,
    seeds: &Seeds,
) -> Result<Running, Error> {
    let (listen, keep_lists) = (options.listen, options.keep_lists);
    let app = App::start(options, store, clock, seeds)?;
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|failure| Error::internal(format!("cannot listen on {listen}: {failure}")).because(failure))?;
    let address = listener
        .local_addr()
        .map_err(|failure| Error::internal("the address of the listener is unknown").because(failure))?;
    Ok(Running { app, address, listener, keep_lists })
}

impl Running {
    /// Serves until `shutdown` completes, then finishes what is in flight.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
        let app = self.app;
        let upkeep = Arc::clone(&app);
        app.tasks.spawn(keep_wal_short(upkeep));
        app.tasks.spawn(tend(Arc::clone(&app), self.keep_lists));
        app.tasks.spawn(erase_payloads(Arc::clone(&app)));
        app.tasks.spawn(forget_sessions(Arc::clone(&app)));
        app.tasks.spawn(nodes::run(Arc::clone(&app)));
        app.tasks.spawn(projection::run(Arc::clone(&app)));
        app.tasks.spawn(fill::run(Arc::clone(&app)));
        app.tasks.spawn(verification::run(Arc::clone(&app)));
        let (stopping, stopped) = tokio::sync::oneshot::channel::<()>();
        let doors = http::Doors::new(Arc::clone(&app));
        let tasks = app.tasks.clone();
        let serving = axum::serve(self.listener, doors).with_graceful_shutdown(async move {
            shutdown.await;
            // Long-polls end with what they know.
            tasks.stop();
            let _ = stopping.send(());
        });
        let result = tokio::select! {
            result = serving => result,
            () = async { let _ = stopped.await; tokio::time::sleep(GRACE).await } => Ok(()),
        };
        app.stop().await;
        result.map_err(|failure| Error::internal("the listener failed").because(failure))
    }
}

/// What a server says when it listens.
pub struct Ready {
    pub address: SocketAddr,
    /// The one-time link for the first owner, while there is no account.
    pub setup: Option<Issued>,
}

/// Starts, says where it listens, serves until `shutdown`.
pub async fn serve(
    options: Options,
    ready: impl FnOnce(Ready),
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let running = start(options).await?;
    let workspace = running.app.workspace(DEFAULT_WORKSPACE)?;
    let setup = people::first_owner_link(&running.app, &workspace).await.unwrap_or_else(|failure| {
        tracing::warn!(%failure, "there is no link for a first owner");
        None
    });
    ready(Ready { address: running.address, setup });
    running.run(shutdown).await
}

/// The store makes room ahead of need and drops what has gone, on every node: each has to know what there is.
async fn tend(app: Arc<App>, keep_lists: Option<Span>) {
    loop {
        let (store, now_us) = (Arc::clone(&app.store), app.clock.now().0);
        let upkeep = Upkeep { now_us, keep_lists_us: keep_lists.map(|keep| keep.0) };
        match tasks::blocking(move || Ok(store.tend(&upkeep)?)).await {
            Ok(0) => {}
            Ok(dropped) => tracing::info!(dropped, "partitions whose time has come were dropped"),
            Err(failure) => tracing::warn!(%failure, "partitions could not be looked after"),
        }
        tokio::select! {
            () = app.tasks.stopping() => return,
            () = tokio::time::sleep(TENDING) => {}
        }
    }
}

/// Payloads whose time has come are erased; the ledger keeps its commitments to them.
async fn erase_payloads(app: Arc<App>) {
    let mut lease = Lease::on(nodes::ERASURE);
    loop {
        tokio::select! {
            () = app.tasks.stopping() => return,
            () = tokio::time::sleep(ERASURE) => {}
        }
        if !lease.is_held(&app).await {
            continue;
        }
        for workspace in app.workspaces() {
            let erased = tasks::blocking(move || {
                let now = workspace.clock.now().0;
                while workspace.store.erase_payloads(&workspace.id, now, ERASED_AT_ONCE)? == ERASED_AT_ONCE {}
                Ok(())
            });
            if let Err(failure) = erased.await {
                tracing::warn!(%failure, "payloads could not be erased");
            }
        }
    }
}

/// Sessions and links that are over are deleted; they count for nothing before that.
async fn forget_sessions(app: Arc<App>) {
    let mut lease = Lease::on(nodes::SESSIONS);
    loop {
        tokio::select! {
            () = app.tasks.stopping() => return,
            () = tokio::time::sleep(FORGETTING) => {}
        }
        if !lease.is_held(&app).await {
            continue;
        }
        let forgetting = Arc::clone(&app);
        if let Err(failure) = tasks::blocking(move || people::forget_ended(&forgetting)).await {
            tracing::warn!(%failure, "sessions that are over could not be deleted");
        }
    }
}

async fn keep_wal_short(app: Arc<App>) {
    loop {
        tokio::select! {
            () = app.tasks.stopping() => return,
            () = tokio::time::sleep(WAL_CHECKPOINT) => {}
        }
        let store = Arc::clone(&app.store);
        let copied = tasks::blocking(move || Ok(store.checkpoint_wal()?)).await;
        if let Err(failure) = copied {
            tracing::warn!(%failure, "the write-ahead log could not be copied");
        }
    }
}
