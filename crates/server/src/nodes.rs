//! Several nodes on one database: hearing of what the others did, and sharing out what only one should do.
//!
//! Nothing here is needed for a decision to be right: that is settled under the lock of the workspace, at its place
//! in the log. What is heard here brings lists, streams, long-polls, keys and the control of the other nodes up to
//! date. Notices save time; who misses one finds out by looking.

use crate::app::App;
use crate::error::Error;
use crate::sequencer::{Follow, Work};
use crate::tasks;
use crate::workspace::Workspace;
use runplane_core::time::{Micros, Span};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::Notify;

/// Between two looks that nobody asked for.
const LOOK: Duration = Duration::from_millis(500);
/// Notices within this time are one.
const GATHER: Duration = Duration::from_millis(10);
/// A workspace that cannot be followed must not keep the others waiting.
const PATIENCE: Duration = Duration::from_secs(2);
/// A task is another node's when its node has not been heard of for this long.
const LIFE: Duration = Duration::from_secs(15);
/// The database is asked again after this time whether the task is still this node's.
const BELIEVED: Span = Span(5_000_000);

/// Follows what other nodes commit until the server stops. Returns at once where there are no others.
pub async fn run(app: Arc<App>) {
    if !app.store.is_shared() {
        return;
    }
    let heard = Arc::new(Notify::new());
    let notices = Arc::clone(&heard);
    app.store.on_announcement(Box::new(move || notices.notify_one()));
    loop {
        tokio::select! {
            () = app.tasks.stopping() => return,
            () = heard.notified() => tokio::time::sleep(GATHER).await,
            () = tokio::time::sleep(LOOK) => {}
        }
        if let Err(failure) = look(&app).await {
            tracing::warn!(%failure, "it is not known what other nodes did");
        }
    }
}

/// Takes over what is new: workspaces, entries, control, keys.
pub async fn look(app: &Arc<App>) -> Result<(), Error> {
    let looking = Arc::clone(app);
    let moved = tasks::blocking(move || {
        let mut open: HashMap<String, Arc<Workspace>> =
            looking.workspaces().into_iter().map(|workspace| (workspace.id.clone(), workspace)).collect();
        let mut moved = Vec::new();
        for (id, nonce) in looking.store.list_nonces()? {
            let workspace = match open.remove(&id) {
                Some(workspace) => workspace,
                None => looking.open_workspace(&id)?,
            };
            if workspace.published.head.load().nonce != nonce {
                moved.push((workspace, nonce));
            }
        }
        Ok(moved)
    })
    .await?;
    for (workspace, nonce) in moved {
        let following = workspace.submit(|reply| Work::Follow(Box::new(Follow { nonce, reply })));
        match tokio::time::timeout(PATIENCE, following).await {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => tracing::warn!(workspace = %workspace.name, %failure, "a workspace cannot be followed"),
            Err(_) => tracing::warn!(workspace = %workspace.name, "a workspace takes long to be followed"),
        }
    }
    app.workspaces().iter().for_each(|workspace| learn_keys(app, workspace));
    // Somebody may have signed out elsewhere, of which no entry tells: open streams look again before they tell more.
    app.sign_outs.fetch_add(1, Ordering::AcqRel);
    Ok(())
}

/// Makes keys findable that another node made.
fn learn_keys(app: &App, workspace: &Arc<Workspace>) {
    let control = workspace.control();
    let mut known = workspace.keys_known_at.lock();
    if *known == control.epoch {
        return;
    }
    for key in control.keys.values() {
        app.learn_key(key.fingerprint, workspace, &key.id);
    }
    *known = control.epoch;
}

/// Not `lists` and `erasure`: nodes of before there were partitions hold those, and cannot do all of it.
pub const LISTS: &str = "lists-2";
pub const VERIFICATION: &str = "verification";
pub const ERASURE: &str = "erasure-2";
pub const SESSIONS: &str = "sessions";
pub const FILLING: &str = "filling";

/// Gives back what this node was in charge of, so that another one need not wait for it.
pub fn resign(app: &App) {
    for task in [LISTS, VERIFICATION, ERASURE, SESSIONS, FILLING] {
        if let Err(failure) = app.store.hold_lease(task, &app.node, Duration::ZERO) {
            tracing::info!(task, %failure, "a task could not be given back; another node takes it later");
            return;
        }
    }
}

/// A task of which one node is in charge at a time. To be in charge is no guarantee: a node that was frozen may
/// believe it a moment too long, so whatever the task writes must be harmless when two write it.
pub struct Lease {
    task: &'static str,
    /// Until when this node need not ask again, in elapsed time.
    until: Option<Micros>,
}

impl Lease {
    #[must_use]
    pub fn on(task: &'static str) -> Self {
        Self { task, until: None }
    }

    /// Whether the task is this node's now. Nobody's if the database cannot say.
    pub async fn is_held(&mut self, app: &Arc<App>) -> bool {
        let now = app.clock.read().elapsed;
        if !app.store.is_shared() || self.until.is_some_and(|until| now < until) {
            return true;
        }
        let (asking, task) = (Arc::clone(app), self.task);
        let held = tasks::blocking(move || Ok(asking.store.hold_lease(task, &asking.node, LIFE)?)).await;
        self.until = matches!(held, Ok(true)).then(|| now.after(BELIEVED));
        self.until.is_some()
    }
}
