//! The state that is kept, against the state that the ledger adds up to.
//!
//! Entries say what they did to meters, profiles and approvals, so whoever has the ledger can add up the state for
//! every index. What is kept beside it has to be the same, byte for byte.

use super::recover::apply;
use super::state::{Snapshot, State};
use crate::error::Error;
use crate::held::Held;
use crate::record::{ClosedBody, DecisionBody, Entry, Kind, VoteBody};
use runplane_core::approval::State as ApprovalState;
use runplane_core::outcome::Outcome;
use runplane_store::{MAX_PAGE, Store};
use serde::Serialize;
use std::collections::BTreeMap;

/// What was compared, and what is not as the ledger says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StateReport {
    pub entries: u64,
    /// Snapshots that could be compared.
    pub snapshots: usize,
    /// Held actions that can still change.
    pub open_approvals: usize,
    pub differences: Vec<String>,
}

/// Adds up the whole ledger of a workspace and compares.
pub fn check_state(store: &dyn Store, workspace: &str) -> Result<StateReport, Error> {
    let size = store.load_head(workspace)?.size;
    let mut kept: Vec<_> = store.load_snapshots(workspace)?;
    kept.retain(|snapshot| snapshot.size <= size && Snapshot::parse(&snapshot.bytes).is_some());
    kept.sort_by_key(|snapshot| snapshot.size);
    let mut report = StateReport::default();
    let (mut state, mut open) = (State::empty(), BTreeMap::new());
    let mut kept = kept.into_iter().peekable();
    while report.entries < size {
        let left = usize::try_from(size - report.entries).unwrap_or(usize::MAX);
        let rows = store.read_entries(workspace, report.entries, left.min(MAX_PAGE))?;
        if rows.is_empty() {
            return Err(Error::internal("entries are missing"));
        }
        for row in rows {
            let entry = Entry::parse(&row.bytes)?;
            apply(&entry, &mut state, store, workspace)?;
            note_approvals(&entry, &mut open)?;
            state.time = entry.at;
            report.entries = row.index + 1;
            while let Some(snapshot) = kept.next_if(|snapshot| snapshot.size == report.entries) {
                report.snapshots += 1;
                state.tidy();
                if state.to_snapshot()? != snapshot.bytes {
                    let says = "the snapshot is not what the entries before it add up to: meters or profiles differ";
                    report.differences.push(format!("at entry {}: {says}", snapshot.size));
                }
            }
        }
    }
    compare_approvals(store, workspace, &open, &mut report)?;
    Ok(report)
}

/// By the index of the hold: the approval's id and its state.
type Open = BTreeMap<u64, (String, ApprovalState)>;

fn note_approvals(entry: &Entry, open: &mut Open) -> Result<(), Error> {
    match entry.kind {
        Kind::Decision => {
            let body: DecisionBody = entry.body()?;
            if let Some(held) = body.held_as {
                open.insert(entry.index, (held.id, ApprovalState::Pending));
            }
        }
        Kind::Redemption => {
            let body: DecisionBody = entry.body()?;
            if let Some(redemption) = body.redemption {
                let is_redeemed = body.decision.outcome == Outcome::Allow;
                let state = if is_redeemed { ApprovalState::Redeemed } else { ApprovalState::Refused };
                if let Some((_, known)) = open.get_mut(&redemption.held) {
                    *known = state;
                }
            }
        }
        Kind::Vote => {
            let body: VoteBody = entry.body()?;
            if let Some((_, known)) = open.get_mut(&body.held) {
                *known = body.state;
            }
        }
        Kind::Closed => {
            let body: ClosedBody = entry.body()?;
            if let Some((_, known)) = open.get_mut(&body.held) {
                *known = body.state;
            }
        }
        _ => {}
    }
    open.retain(|_, (_, state)| !state.is_final());
    Ok(())
}

fn compare_approvals(store: &dyn Store, workspace: &str, open: &Open, report: &mut StateReport) -> Result<(), Error> {
    let mut kept: BTreeMap<String, ApprovalState> = BTreeMap::new();
    for row in store.list_open_approvals(workspace)? {
        let held = Held::parse(&row.bytes)?;
        kept.insert(held.id().to_owned(), held.approval.state);
    }
    report.open_approvals = open.len();
    for (index, (id, state)) in open {
        match kept.remove(id) {
            None => report.differences.push(format!("approval {id} of entry {index} is open and is not kept as such")),
            Some(found) if found != *state => report.differences.push(format!(
                "approval {id} of entry {index} is kept as {}, the ledger says {}",
                found.as_str(),
                state.as_str()
            )),
            Some(_) => {}
        }
    }
    let unknown = |id: &String| format!("approval {id} is kept as open, and no entry says so");
    report.differences.extend(kept.keys().map(unknown));
    Ok(())
}
