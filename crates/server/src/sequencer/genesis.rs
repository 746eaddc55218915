//! The first batch of a workspace: what it is, and the control it starts under.
//!
//! It refuses a ledger that was begun with keys of counters of another form: going on with it would start every limit
//! at zero.

use super::commit::head_of;
use super::recover::damaged;
use super::state::State;
use super::turn::Turn;
use crate::control::Change;
use crate::error::{Error, Kind};
use crate::record::{Entry, GenesisBody, Kind as EntryKind};
use runplane_core::meter::KEY_FORM;
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

/// Whether this program counts as the ledger did so far.
pub fn check_form(store: &dyn Store, workspace: &str) -> Result<(), Error> {
    let first = store.read_entries(workspace, 0, 1)?;
    let first = first.first().ok_or_else(|| damaged("the first entry is missing"))?;
    check_form_of(&Entry::parse(&first.bytes)?)
}

pub(super) fn check_form_of(genesis: &Entry) -> Result<(), Error> {
    let GenesisBody { workspace, key_form, .. } = genesis.body()?;
    if key_form == KEY_FORM {
        return Ok(());
    }
    Err(Error::internal(format!(
        "the ledger of `{workspace}` was begun by a program that keeps limits under other keys (form {key_form}, this one \
         has {KEY_FORM}), so this one would count from zero: export the ledger with the program that made it \
         (`runplane audit export`), and start with a new data folder or database"
    )))
}
