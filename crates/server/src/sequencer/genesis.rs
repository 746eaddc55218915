//! The first batch of a workspace: what it is, and the control it starts under.

use super::commit::head_of;
use super::state::{OpenApprovals, State};
use super::turn::Turn;
use crate::control::Change;
use crate::error::{Error, Kind};
use crate::record::{GenesisBody, Kind as EntryKind};
use runplane_core::meter::Meters;
use runplane_core::profile::Profiles;
use runplane_core::time::{Micros, Span};
use runplane_ledger::{Frontier, SigningKey};
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
    let frontier = Frontier::new();
    let mut state = State {
        root: frontier.root().to_bytes(),
        frontier,
        last_leaf: [0; 32],
        nonce: [0; 16],
        time: now,
        skipped: Span::ZERO,
        meters: Meters::default(),
        profiles: Profiles::default(),
        decided: false,
        fill_from: 0,
        approvals: OpenApprovals::default(),
    };
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
