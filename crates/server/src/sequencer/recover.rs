//! State from disk: the newest usable snapshot, then the entries after it.
//!
//! It refuses a head that its own signed checkpoint does not confirm: going on from there would put a signature
//! under a ledger that somebody else has changed.

use super::follow::load_control;
use super::past;
use super::snapshot::{self, Kept};
use super::state::{OpenApprovals, State};
use super::tier::Bound;
use crate::control::Control;
use crate::control::change::kind;
use crate::error::{Error, Kind};
use crate::fill;
use crate::held::Held;
use crate::record::{
    ClockBody, ClosedBody, ControlBody, CounterName, DecisionBody, Entry, FilledBody, Kind as EntryKind, OutcomeBody,
    VoteBody,
};
use runplane_core::digest::{Digest, sha256};
use runplane_core::time::Micros;
use runplane_ledger::checkpoint::origin;
use runplane_ledger::{Checkpoint, Frontier, VerifyingKey};
use runplane_store::{Head, Store};

pub struct Recovered {
    pub state: State,
    pub head: Head,
    pub control: Control,
    /// Entries that the snapshot stands for from which it went on.
    pub kept: u64,
}

pub fn recover(
    store: &dyn Store,
    workspace: &str,
    key: &VerifyingKey,
    bound: Option<&Bound>,
) -> Result<Recovered, Error> {
    let head = store.load_head(workspace)?;
    let frontier = check_head(&head, workspace, key)?;
    let last_leaf = match head.size.checked_sub(1) {
        Some(last) => store.read_entries(workspace, last, 1)?.first().map(|row| row.leaf_hash),
        None => Some([0; 32]),
    };
    let (from, kept) = newest_usable(store, workspace, head.size, bound)?;
    let mut state = State {
        frontier,
        root: head.root,
        last_leaf: last_leaf.ok_or_else(|| damaged("the last entry is missing"))?,
        nonce: head.nonce,
        time: Micros(head.time_us),
        skipped: kept.skipped,
        meters: kept.meters,
        profiles: kept.profiles,
        decided: kept.decided,
        fill_from: kept.fill_from,
        approvals: OpenApprovals::default(),
    };
    // Entries of others may come meanwhile: what counts is what the head stands for.
    past::replay(store, workspace, from, head.size, &mut state, |state| match bound {
        Some(bound) => bound.relieve(&mut state.meters),
        None => Ok(()),
    })?;
    if state.meters.has_failed() {
        return Err(Error::internal("keys on disk could not be read back"));
    }
    for row in store.list_open_approvals(workspace)? {
        state.approvals.put(Held::parse(&row.bytes)?);
    }
    Ok(Recovered { state, control: load_control(store, workspace, &head)?, head, kept: from })
}

/// The newest snapshot that can be used, and the entries it stands for; without any, nothing.
fn newest_usable(store: &dyn Store, workspace: &str, size: u64, bound: Option<&Bound>) -> Result<(u64, Kept), Error> {
    for row in store.load_snapshots(workspace)?.iter().filter(|row| row.size <= size) {
        match snapshot::load(store, workspace, row, bound)? {
            Some(kept) => return Ok((row.size, kept)),
            None => tracing::warn!(workspace, size = row.size, "a snapshot cannot be used and is left out"),
        }
    }
    let mut kept = Kept::default();
    bound.into_iter().for_each(|bound| bound.begin(&mut kept.meters));
    Ok((0, kept))
}

pub(super) fn check_head(head: &Head, workspace: &str, key: &VerifyingKey) -> Result<Frontier, Error> {
    let frontier = Frontier::from_bytes(&head.frontier).map_err(|failure| damaged("its frontier").because(failure))?;
    let checkpoint = Checkpoint::open(&head.checkpoint, std::slice::from_ref(key), &origin(workspace))
        .map_err(|failure| damaged("its checkpoint").because(failure))?;
    let root = frontier.root().to_bytes();
    let confirmed = frontier.size() == head.size
        && checkpoint.size == head.size
        && root == head.root
        && checkpoint.root.to_bytes() == root;
    if confirmed { Ok(frontier) } else { Err(damaged("its root is not the signed one")) }
}

pub(super) fn damaged(what: &str) -> Error {
    Error::new(Kind::AuditUnavailable, format!("the ledger's head cannot be trusted: {what}"))
}

/// What one entry did to the state that windows are read from. Approvals are stored whole and not replayed.
pub(super) fn apply(entry: &Entry, state: &mut State, store: &dyn Store, workspace: &str) -> Result<(), Error> {
    match entry.kind {
        EntryKind::Decision | EntryKind::Redemption => {
            let body: DecisionBody = entry.body()?;
            if let Some(redemption) = &body.redemption {
                state.give_back(&redemption.returned);
            }
            state.charge(&body.charges, state.meter_time(entry.at));
            state.note(&body);
        }
        EntryKind::Vote => {
            let body: VoteBody = entry.body()?;
            state.give_back(&body.returned);
            state.charge_late(&body.charges, state.meter_time(entry.at));
        }
        EntryKind::Closed => {
            let body: ClosedBody = entry.body()?;
            state.give_back(&body.returned);
            state.charge_late(&body.charges, state.meter_time(entry.at));
        }
        EntryKind::Outcome => {
            let body: OutcomeBody = entry.body()?;
            body.returned.iter().for_each(|returned| state.give_back(returned));
            state.charge_late(&body.charges, state.meter_time(entry.at));
            state.learn(&body, entry.at);
        }
        EntryKind::Clock => state.skipped = entry.body::<ClockBody>()?.unaccepted,
        EntryKind::Control => {
            let body: ControlBody = entry.body()?;
            let filling = match &body.filling_list {
                Some(digest) => load_filling(digest, entry.index, store, workspace)?,
                None => body.filling,
            };
            state.begin_filling(&filling, entry.index)?;
        }
        EntryKind::Filled => {
            let filled = load_filled(entry, store, workspace)?;
            let counters: Vec<_> = filled.counters.iter().map(CounterName::read).collect::<Result<_, _>>()?;
            state.end_filling(&counters, &filled.meters)?;
        }
        EntryKind::Genesis => {}
    }
    Ok(())
}

/// What was committed together with an entry that says that counters are ready.
pub(super) fn load_filled(entry: &Entry, store: &dyn Store, workspace: &str) -> Result<fill::Document, Error> {
    fill::Document::read(&load_fill(&entry.body::<FilledBody>()?.state, entry.index, store, workspace)?)
}

fn load_filling(digest: &Digest, index: u64, store: &dyn Store, workspace: &str) -> Result<Vec<CounterName>, Error> {
    serde_json::from_slice(&load_fill(digest, index, store, workspace)?)
        .map_err(|failure| Error::internal("what is stored of new counters could not be read").because(failure))
}

fn load_fill(digest: &Digest, index: u64, store: &dyn Store, workspace: &str) -> Result<Vec<u8>, Error> {
    let bytes = store.load_document(workspace, kind::FILL, &index.to_string())?;
    let bytes = bytes.filter(|bytes| sha256(&[bytes]) == *digest);
    bytes.ok_or_else(|| Error::internal("what is stored of new counters is not what its entry says"))
}
