//! Deciding and recording in this process, without HTTP, beside the group commit that it cannot beat.

use super::database::{Database, server_cpu};
use super::group::Group;
use super::{Row, Seen, in_turns};
use crate::load::{cpu_time, now, timed};
use crate::rules;
use crate::subject::{BODY, Folder, free_address};
use anyhow::{Context, Result, bail};
use axum::body::Bytes;
use runplane_server::guard::{GuardRequest, Identity, Ready, Sequenced, Shape, guard, identify, prepare, sequence};
use runplane_server::{App, Options, Place};
use runplane_store::Address;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Calls that wait at the same time.
const WAITING: [usize; 3] = [1, 64, 256];
/// Of the floor's entries, as in the prototype that the target comes from.
const ENTRY: usize = 600;

/// One kind of work that any number of callers ask for.
enum Kind {
    Floor(Group),
    /// Calls that are prepared and wait for their place in the log: what the target is about.
    Sequence {
        identity: Arc<Identity>,
        ready: Box<Ready>,
    },
    /// From the bytes of a request.
    Guard {
        app: Arc<App>,
        key: String,
    },
}

pub async fn floor(server: &str, seconds: u64, rounds: usize) -> Result<Vec<Row>> {
    let database = Database::create(server, "floor").await?;
    let group = Group::open(&database.url()?).await?;
    let rows = rows(&[("group commit (floor)".to_owned(), Kind::Floor(group))], seconds, rounds).await?;
    database.remove().await?;
    Ok(rows)
}

pub async fn measure(runplane: &Path, folder: &Path, server: &str, seconds: u64, rounds: usize) -> Result<Vec<Row>> {
    let (plain, database) = (Database::create(server, "floor").await?, Database::create(server, "node").await?);
    let url = database.url()?;
    let node = Folder::init_on(runplane, folder.join("sequencing"), Some(url.clone()))?;
    let address = free_address()?;
    let place = Place { data: node.path.clone(), database: Some(Address::parse(&url)?) };
    let running = runplane_server::start(Options::new(place, address)).await?;
    let app = Arc::clone(&running.app);
    let (stop, stopped) = oneshot::channel::<()>();
    #[allow(clippy::disallowed_methods)] // joined below
    let served = tokio::task::spawn(running.run(async move {
        // A sender that is gone stops it too.
        let _ = stopped.await;
    }));
    let policy = rules::policy(crate::guard::RULES, 0)?;
    tokio::task::block_in_place(|| node.publish(address, &policy))?;
    let identity = Arc::new(identify(&app, &node.agent_key)?);
    let ready = prepare(BODY.as_bytes(), Shape::Guard, &identity);
    let ready = ready.map_err(|refusal| anyhow::anyhow!("the call is refused: {refusal:?}"))?;
    let kinds = [
        ("group commit (floor)".to_owned(), Kind::Floor(Group::open(&plain.url()?).await?)),
        ("one node, prepared calls".to_owned(), Kind::Sequence { identity, ready: Box::new(ready) }),
        ("one node, from the request".to_owned(), Kind::Guard { app, key: node.agent_key.clone() }),
    ];
    let rows = rows(&kinds, seconds, rounds).await?;
    drop(kinds);
    // It may have ended by itself, which the next line tells.
    let _ = stop.send(());
    served.await.context("the server panicked")??;
    plain.remove().await?;
    database.remove().await?;
    Ok(rows)
}

async fn rows(kinds: &[(String, Kind)], seconds: u64, rounds: usize) -> Result<Vec<Row>> {
    let length = Duration::from_secs(seconds);
    in_turns(kinds, &WAITING, rounds, async |kind, waiting| {
        let warm_up = length / 5;
        let tasks = (0..waiting).map(|_| caller(kind, warm_up, length)).collect();
        let own = || cpu_time(std::process::id());
        let (run, [own, database]) = timed(tasks, warm_up, length, [&own, &server_cpu]).await?;
        Ok(Seen { run, own, database })
    })
    .await
}

fn caller(kind: &Kind, warm_up: Duration, length: Duration) -> JoinHandle<Result<Vec<Duration>>> {
    #[allow(clippy::disallowed_methods)] // joined by whoever times it
    match kind {
        Kind::Floor(group) => {
            let (group, entry) = (group.clone(), Bytes::from(vec![b'x'; ENTRY]));
            tokio::task::spawn(repeat(warm_up, length, move || {
                let (group, entry) = (group.clone(), entry.clone());
                async move { group.commit(entry).await }
            }))
        }
        Kind::Sequence { identity, ready } => {
            let (identity, ready) = (Arc::clone(identity), Ready::clone(ready));
            tokio::task::spawn(repeat(warm_up, length, move || {
                let (identity, ready) = (Arc::clone(&identity), ready.clone());
                async move {
                    match sequence(&identity, false, ready).await? {
                        Sequenced::Decided(_) => Ok(()),
                        _ => bail!("control changed"),
                    }
                }
            }))
        }
        Kind::Guard { app, key } => {
            let (app, key) = (Arc::clone(app), key.clone());
            tokio::task::spawn(repeat(warm_up, length, move || decide(Arc::clone(&app), key.clone())))
        }
    }
}

async fn decide(app: Arc<App>, key: String) -> Result<()> {
    let body = Ok(Bytes::from_static(BODY.as_bytes()));
    let request = GuardRequest { credential: &key, body, shape: Shape::Guard, wire_client: false };
    let decided = match identify(&app, &key) {
        Ok(identity) => guard(&app, identity, request).await,
        Err(failure) => Err(failure),
    };
    match decided {
        Ok(_) => Ok(()),
        Err(failure) => bail!("a call was not decided: {failure}"),
    }
}

async fn repeat<F: Future<Output = Result<()>>>(
    warm_up: Duration,
    length: Duration,
    work: impl Fn() -> F,
) -> Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(4_096);
    let start = now();
    while start.elapsed() < warm_up + length {
        let asked = now();
        work().await?;
        if start.elapsed() > warm_up {
            times.push(asked.elapsed());
        }
    }
    Ok(times)
}
