//! Use cases of people who run Runplane: each change of control is made from the control of now and takes effect
//! at its own place in the ledger.

pub mod agents;
pub mod containment;
pub mod explain;
pub mod genesis;
pub mod history;
mod names;
pub mod policies;
mod publish;
pub mod settings;
pub mod users;
pub mod workspaces;

use crate::control::{Change, Control};
use crate::error::{Error, Kind};
use crate::record::Position;
use crate::sequencer::{Changed, ControlChange, Work};
use crate::tasks;
use crate::workspace::Workspace;
use runplane_core::policy::Bundle;
use std::sync::Arc;
use std::time::Duration;

/// Everybody with the admin token is this person.
pub const ADMIN: &str = "admin";
/// How often a change is made again because another one came first.
const ATTEMPTS: usize = 16;

/// How long a change waits for new counters to have their past; longer than that is answered at once.
const PATIENCE: Duration = Duration::from_millis(1_500);

async fn wait_for_past(workspace: &Workspace) {
    let mut filling = workspace.published.filling.subscribe();
    // Not in time is an answer, too: whoever asked is told that it goes on.
    let _ = tokio::time::timeout(PATIENCE, filling.wait_for(Option::is_none)).await;
}

/// Makes a change from the current control and puts it on the ledger; made again if another change came first.
///
/// `make` may be slow (compiling a bundle): it runs off the request threads, and nothing waits for it but its
/// caller. It returns the change and whatever the caller wants to know once it is applied.
pub async fn apply<T, F>(workspace: &Arc<Workspace>, make: F) -> Result<(T, Position, Arc<Control>), Error>
where
    T: Send + 'static,
    F: Fn(&Control) -> Result<(Change, T), Error> + Send + Sync + 'static,
{
    let make = Arc::new(make);
    for _ in 0..ATTEMPTS {
        let (control, maker) = (workspace.control(), Arc::clone(&make));
        let before = control.bundle.clone();
        let (change, answer) = tasks::blocking(move || maker(&control)).await?;
        let submitted = workspace.submit(|reply| Work::Change(Box::new(ControlChange { change, reply }))).await?;
        if let Changed::Applied(position) = submitted {
            let is_in_force = |bundle: &Arc<Bundle>| {
                workspace.control().bundle.as_ref().is_some_and(|current| Arc::ptr_eq(current, bundle))
            };
            // Freeing ten thousand rules takes longer than a call may wait.
            before.into_iter().filter(|bundle| !is_in_force(bundle)).for_each(tasks::retire);
            wait_for_past(workspace).await;
            return Ok((answer, position, workspace.control()));
        }
    }
    Err(Error::new(Kind::Overloaded, "other changes kept coming first"))
}
