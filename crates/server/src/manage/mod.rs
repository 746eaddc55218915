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
use std::sync::Arc;

/// Everybody with the admin token is this person.
pub const ADMIN: &str = "admin";
/// How often a change is made again because another one came first.
const ATTEMPTS: usize = 16;

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
        let (change, answer) = tasks::blocking(move || maker(&control)).await?;
        let submitted = workspace.submit(|reply| Work::Change(Box::new(ControlChange { change, reply }))).await?;
        if let Changed::Applied(position) = submitted {
            return Ok((answer, position, workspace.control()));
        }
    }
    Err(Error::new(Kind::Overloaded, "other changes kept coming first"))
}
