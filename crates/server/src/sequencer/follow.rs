//! What other nodes committed, taken over in the order of the ledger.
//!
//! State is a fold over the ledger's entries, so a node that reads what it missed and applies it with the function
//! of replay has the state of the node that decided it. Under a turn nothing can be missed: the head is the last one.
//!
//! It refuses a ledger that is shorter than this node has seen it, one that its signed checkpoint does not confirm,
//! and one that does not continue what this node has applied: a signature of this node would hide that.

use super::pace::Steps;
use super::past::Past;
use super::recover::{Recovered, apply, check_head, damaged, load_filled};
use super::state::State;
use super::turn::not_recorded;
use super::work::Follow;
use super::{Permission, Sequencer};
use crate::control::{self, Control};
use crate::error::{Error, Kind};
use crate::held::Held;
use crate::record::{ClockBody, ClosedBody, DecisionBody, Entry, Kind as EntryKind, VoteBody};
use runplane_core::time::{Micros, Span};
use runplane_ledger::VerifyingKey;
use runplane_store::{Head, MAX_PAGE, Store, StoreError};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// More entries than this are read before the lock is taken, not under it: a node that holds it and is silent for
/// too long loses it.
const SHORT: u64 = 2_048;
/// More than this is never read under the lock.
const LONG: u64 = 4 * SHORT;
/// After this time no further attempt is made: whoever waits for the turn should hear that there is none.
const PATIENCE: Span = Span(1_500_000);
/// After each attempt to have a turn that failed, but for the last.
const PAUSES: [Duration; 3] = [Duration::from_millis(50), Duration::from_millis(200), Duration::from_millis(600)];
/// How often control is read again because it changed meanwhile.
const ATTEMPTS: usize = 8;

/// What changed by following.
pub(super) struct Followed {
    pub head: Head,
    /// Absent if it is the one that was known.
    pub control: Option<Control>,
    /// Ids of approvals that changed.
    pub approvals: Vec<Arc<str>>,
    /// Steps of the clock that others have recorded.
    pub steps: Steps,
}

/// Brings `state` from where it is to the head. If it fails the state is half-changed and of no use.
pub(super) fn follow(
    store: &dyn Store,
    workspace: &str,
    key: &VerifyingKey,
    state: &mut State,
    epoch: u64,
) -> Result<Followed, Error> {
    let head = store.load_head(workspace)?;
    if head.size < state.frontier.size() {
        return Err(damaged("it is shorter than this node has seen it"));
    }
    let mut touched = Touched::default();
    while state.frontier.size() < head.size {
        let left = usize::try_from(head.size - state.frontier.size()).unwrap_or(usize::MAX);
        let rows = store.read_entries(workspace, state.frontier.size(), left.min(MAX_PAGE))?;
        if rows.is_empty() {
            return Err(damaged("entries are missing"));
        }
        for row in rows {
            if row.index != state.frontier.size() {
                return Err(damaged("an entry is missing"));
            }
            let leaf = runplane_ledger::leaf_hash(&row.bytes);
            let entry = Entry::parse(&row.bytes)?;
            apply(&entry, state, store, workspace)?;
            touched.note(&entry, store, workspace)?;
            state.frontier.append(leaf);
            state.last_leaf = leaf.to_bytes();
        }
    }
    check_head(&head, workspace, key)?;
    if state.frontier.root().to_bytes() != head.root {
        return Err(damaged("it does not continue what this node has seen"));
    }
    let mut approvals: Vec<Arc<str>> = Vec::new();
    let held: Vec<u64> = touched.held.into_iter().collect();
    for page in held.chunks(MAX_PAGE) {
        for row in store.approvals_of(workspace, page)? {
            approvals.push(row.id.as_str().into());
            state.approvals.put(Held::parse(&row.bytes)?);
        }
    }
    (state.nonce, state.root, state.time) = (head.nonce, head.root, Micros(head.time_us));
    let control = if head.epoch == epoch { None } else { Some(load_control(store, workspace, &head)?) };
    Ok(Followed { head, control, approvals, steps: touched.steps })
}

/// The steps of the clock on the record in the entries from `from` up to `to`.
pub(super) fn steps_between(store: &dyn Store, workspace: &str, mut from: u64, to: u64) -> Result<Steps, Error> {
    let mut steps = Steps::default();
    while from < to {
        let left = usize::try_from(to - from).unwrap_or(usize::MAX);
        let rows = store.read_entries(workspace, from, left.min(MAX_PAGE))?;
        if rows.is_empty() {
            return Err(damaged("entries are missing"));
        }
        for row in rows {
            match Past::parse(&row.bytes)? {
                Past::Other(entry) if entry.kind == EntryKind::Clock => steps.add(entry.body::<ClockBody>()?.step),
                _ => {}
            }
            from = row.index + 1;
        }
    }
    Ok(steps)
}

/// The control of this head, or of a later one, if that came meanwhile: then its epoch says so. What is stored is
/// control as it is now, so it is read until no change came between.
pub(super) fn load_control(store: &dyn Store, workspace: &str, head: &Head) -> Result<Control, Error> {
    let mut at = head.clone();
    for _ in 0..ATTEMPTS {
        let control = control::load(store, workspace, &at)?;
        if !store.is_shared() {
            return Ok(control);
        }
        let now = store.load_head(workspace)?;
        if now.epoch == at.epoch {
            return Ok(control);
        }
        at = now;
    }
    Err(Error::internal("control changes faster than it can be read"))
}

/// How much may be read under the lock. It grows with every time that it was too much: where others commit while one
/// reads and waits for the lock, one would fall behind again for ever.
struct Distance(u64);

impl Default for Distance {
    fn default() -> Self {
        Self(SHORT)
    }
}

impl Distance {
    fn is_far(&mut self, behind: Option<u64>) -> bool {
        let is_far = behind.is_none_or(|behind| behind > self.0);
        if is_far {
            self.0 = (2 * self.0).min(LONG);
        }
        is_far
    }
}

/// What entries point at that is stored beside the ledger.
#[derive(Default)]
struct Touched {
    /// Entries whose held action changed.
    held: BTreeSet<u64>,
    steps: Steps,
}

impl Touched {
    fn note(&mut self, entry: &Entry, store: &dyn Store, workspace: &str) -> Result<(), Error> {
        match entry.kind {
            EntryKind::Decision | EntryKind::Redemption => {
                let body: DecisionBody = entry.body()?;
                if body.held_as.is_some() {
                    self.held.insert(entry.index);
                }
                self.held.extend(body.redemption.map(|redemption| redemption.held));
            }
            EntryKind::Vote => drop(self.held.insert(entry.body::<VoteBody>()?.held)),
            EntryKind::Closed => drop(self.held.insert(entry.body::<ClosedBody>()?.held)),
            EntryKind::Clock => self.steps.add(entry.body::<ClockBody>()?.step),
            EntryKind::Filled => self.held.extend(load_filled(entry, store, workspace)?.held),
            EntryKind::Genesis | EntryKind::Outcome | EntryKind::Control => {}
        }
        Ok(())
    }
}

impl Sequencer {
    /// Keeps a copy of the state now and then, for [`Sequencer::go_on_from_spare`]. As many entries lie between two
    /// copies as there is to copy, so that a decision bears a constant share of it.
    pub(super) fn keep_spare(&mut self) {
        let Some(state) = self.state.as_ref().filter(|state| self.store.is_shared() && !state.meters.has_failed())
        else {
            return;
        };
        let new = state.frontier.size().saturating_sub(self.spare.as_ref().map_or(0, |spare| spare.frontier.size()));
        if self.spare.is_none() || (new >= SHORT && new >= state.weight()) {
            self.spare = Some(state.clone());
        }
    }

    /// The state of a copy and of everything committed since: there much sooner than all of it from the database.
    pub(super) fn go_on_from_spare(&mut self) -> Option<Recovered> {
        let mut state = self.spare.clone()?;
        let known = self.published.control.load_full();
        match follow(&*self.store, &self.workspace, self.key.verifying(), &mut state, known.epoch) {
            Ok(Followed { head, control, .. }) => {
                let control = control.unwrap_or_else(|| (*known).clone());
                Some(Recovered { state, head, control, kept: self.last_snapshot })
            }
            Err(failure) => {
                tracing::warn!(workspace = %self.workspace, %failure, "an earlier state could not be gone on from");
                if failure.kind != Kind::StoreUnavailable {
                    self.spare = None;
                }
                None
            }
        }
    }

    pub(super) fn follow(&mut self, work: Follow) {
        let outcome = if self.look_around(work.nonce) { Ok(()) } else { Err(not_recorded()) };
        // Nobody listening any more is fine.
        let _ = work.reply.send(outcome);
    }

    /// Takes over what others committed, without keeping them from committing more. `false` if the state is of no
    /// use any more.
    pub(super) fn look_around(&mut self, nonce: [u8; 16]) -> bool {
        let Some(mut state) = self.state.take() else {
            let elapsed = self.clock.read().elapsed;
            return self.reload(elapsed);
        };
        let known = state.nonce == nonce || self.catch_up(&mut state);
        if known {
            self.state = Some(state);
        }
        known
    }

    /// The same under a turn: what is seen there is the end of the ledger until the turn ends.
    pub(super) fn catch_up_to(&mut self, state: &mut State, seen: &runplane_store::Seen) -> bool {
        if state.nonce == seen.nonce {
            return true;
        }
        let caught_up = self.catch_up(state);
        let is_there = state.nonce == seen.nonce && self.published.control.load().epoch == seen.epoch;
        if caught_up && !is_there {
            tracing::error!(workspace = %self.workspace, "the ledger moved under the lock");
        }
        caught_up && is_there
    }

    /// The turn, once this node has it. What is much to read is read before, without the lock.
    pub(super) fn begin<'s>(&mut self, store: &'s dyn Store) -> Result<Permission<'s>, Error> {
        if !store.is_shared() {
            return Ok(None);
        }
        let (began, mut failed) = (self.clock.read().elapsed, None);
        let (mut pauses, mut distance) = (PAUSES.iter(), Distance::default());
        loop {
            let elapsed = self.clock.read().elapsed;
            if elapsed.since(began) > PATIENCE {
                break;
            }
            if self.state.is_none() {
                self.guarded(|sequencer| _ = sequencer.reload(elapsed));
            }
            if self.state.is_none() {
                match pauses.next() {
                    Some(pause) => std::thread::sleep(*pause),
                    None => break,
                }
                continue;
            }
            match store.begin_turn(&self.workspace) {
                // Without a pause: meanwhile others would commit as much again.
                Ok(Some(granted)) if distance.is_far(self.behind(granted.seen())) => {
                    let nonce = granted.seen().nonce;
                    drop(granted);
                    self.guarded(|sequencer| _ = sequencer.look_around(nonce));
                }
                Ok(granted) => return Ok(granted),
                Err(failure) => {
                    tracing::warn!(workspace = %self.workspace, %failure, "there is no turn to be had");
                    let is_final = matches!(failure, StoreError::Newer { .. });
                    failed = Some(failure);
                    match pauses.next() {
                        Some(pause) if !is_final => std::thread::sleep(*pause),
                        _ => break,
                    }
                }
            }
        }
        Err(failed.map_or_else(not_recorded, Error::from))
    }

    /// How many entries there are that this node has not applied; nobody knows without a state.
    fn behind(&self, seen: &runplane_store::Seen) -> Option<u64> {
        self.state.as_ref().map(|state| seen.size.saturating_sub(state.frontier.size()))
    }

    fn catch_up(&mut self, state: &mut State) -> bool {
        let epoch = self.published.control.load().epoch;
        match follow(&*self.store, &self.workspace, self.key.verifying(), state, epoch) {
            Ok(followed) => {
                self.pace.forgive(followed.steps);
                // Control first: who sees the new head must not see the old control beside it.
                if let Some(control) = followed.control {
                    self.published.control.store(Arc::new(control));
                }
                self.published.advance(followed.head);
                for approval in followed.approvals {
                    // No listener is no failure.
                    let _ = self.published.approvals.send(approval);
                }
                true
            }
            Err(failure) => {
                tracing::error!(workspace = %self.workspace, %failure, "other nodes' commits could not be followed");
                metrics::counter!("runplane_follow_failures_total").increment(1);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_falls_behind_again_and_again_reads_more_under_the_lock_but_never_all() {
        let mut distance = Distance::default();
        assert!(!distance.is_far(Some(SHORT)));
        let rounds: Vec<bool> = (0..4).map(|_| distance.is_far(Some(3 * SHORT))).collect();
        assert_eq!(rounds, [true, true, false, false]);
        assert!(distance.is_far(Some(LONG + 1)) && distance.is_far(Some(u64::MAX)) && distance.is_far(None));
        assert!(!distance.is_far(Some(LONG)));
    }
}
