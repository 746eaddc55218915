//! The first batch of a workspace: what it is, and the control it starts under.

use super::commit::head_of;
use super::state::State;
use super::turn::Turn;
use crate::control::Change;
use crate::error::{Error, Kind};
use crate::record::{GenesisBody, Kind as EntryKind};
use runplane_core::time::Micros;
use runplane_ledger::SigningKey;
use runplane_store::{CommitError, Store, Workspace};
use std::sync::Arc;

/// Creates the workspace with its genesis entry and its first control, in one transaction.
pub fn create(
    store: &dyn Store,
    workspace: &Workspace,
    key: &SigningKey,
    genesis: &GenesisBody,
    first: Change,
) -> Result<(), Error> {
    let now = Micros(workspace.created_us);
    let mut state = State { time: now, ..State::empty() };
    let epoch = first.next.epoch;
    let mut turn = Turn::new(&mut state, Arc::new(first.next), now, store, &workspace.id);
    turn.append(EntryKind::Genesis, genesis)?;
    turn.append(EntryKind::Control, &first.body)?;
    turn.batch.documents.extend(first.documents);
    let mut batch = turn.into_plan().batch;
    batch.head = head_of(key, &state, epoch, now)?;
    store.insert_workspace(workspace, &batch).map_err(|failure| match failure {
        CommitError::WorkspaceExists => {
            Error::new(Kind::AlreadyExists, format!("there is a workspace `{}`", workspace.name))
        }
        other => Error::plain(Kind::AuditUnavailable).because(other),
    })
}
