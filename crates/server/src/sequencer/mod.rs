//! The heart: one thread per workspace that gives every decision its place in the log.
//!
//! It takes whatever waits, decides each call in turn against the state at its index, appends the records, makes
//! one durable commit for all of them, and only then lets anybody hear an answer. So decisions are linearizable,
//! limits are exact, ledger order is evaluation order, and one fsync serves everybody who waited.
//!
//! Where several nodes share a database, a batch begins with a turn that one node has at a time: it takes over what the
//! others committed, then whatever waits, and commits before it gives the turn back.
//!
//! A commit that fails, or of which it is unknown whether it succeeded, poisons the state: nothing of the batch
//! is answered as decided, and everything is loaded again from disk before the next batch.

mod check;
mod commit;
mod control_change;
mod decide;
mod filled;
mod follow;
mod genesis;
mod limits;
mod look;
mod pace;
mod past;
mod recover;
mod redeem;
mod refuse;
mod replay;
mod report;
mod snapshot;
mod state;
mod tier;
mod turn;
mod vote;
mod work;

pub use check::{StateReport, check_state};
pub use genesis::{check_form, create};
pub use recover::recover;
pub use report::StoredReport;
pub use snapshot::Taken;
pub use tier::{Bound, Tier};
pub use work::{
    Caller, Cancel, Changed, Command, ControlChange, Decide, Filled, Follow, LimitsSeen, Look, Nonces, Payload,
    Recorded, Redeem, Redeemed, Refuse, Report, Reported, Seen, Sequenced, Use, Vote, Voted, Work,
};

use crate::clock::SharedClock;
use crate::error::{Error, Kind};
use crate::workspace::Published;
use follow::steps_between;
use pace::Pace;
use recover::Recovered;
use runplane_core::time::{Micros, Span};
use runplane_ledger::SigningKey;
use runplane_store::Store;
use state::State;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;
use turn::Turn;

/// Most commands of one batch: bounds memory and the time until the first of them is answered.
const MAX_BATCH: usize = 1_024;
/// A call that waited longer is dropped undecided: its client has given up or is about to.
const MAX_WAIT: Span = Span(2_500_000);
/// How often the sequencer looks at the clock when nothing is queued.
const IDLE_WAIT: Duration = Duration::from_millis(200);
/// Entries between two snapshots, unless the state has more keys than that: so an entry bears a constant share of it.
const SNAPSHOT_EVERY: u64 = 50_000;
/// The same on a shared database, where nodes come and go and the next one should find little to read.
const SHARED_SNAPSHOT_EVERY: u64 = 10_000;

/// The right to be the next to commit.
type Granted<'s> = Box<dyn runplane_store::Turn + 's>;
/// It needs no granting where nobody else ever commits.
type Permission<'s> = Option<Granted<'s>>;

/// Where state goes beside the ledger.
pub struct Aside {
    pub snapshots: SyncSender<Taken>,
    /// Entries that the newest snapshot stands for.
    pub kept: u64,
    pub bound: Bound,
}

pub struct Sequencer {
    pub workspace: String,
    pub store: Arc<dyn Store>,
    pub clock: SharedClock,
    pub key: Arc<SigningKey>,
    pub published: Arc<Published>,
    /// Takes snapshots to disk off this thread.
    pub snapshots: SyncSender<Taken>,
    tier: Tier,
    /// `None` while poisoned.
    pub state: Option<State>,
    pub pace: Pace,
    pub last_snapshot: u64,
    /// An earlier state, from which a node goes on that lost its turn.
    spare: Option<State>,
}

impl Sequencer {
    #[must_use]
    pub fn new(
        workspace: String,
        store: Arc<dyn Store>,
        clock: SharedClock,
        key: Arc<SigningKey>,
        published: Arc<Published>,
        aside: Aside,
        recovered: State,
    ) -> Self {
        let pace = Pace::start(clock.read());
        published.note_filling(&recovered.meters, recovered.fill_from, recovered.meter_time(recovered.time));
        Self {
            workspace,
            store,
            clock,
            key,
            published,
            snapshots: aside.snapshots,
            tier: Tier::new(aside.bound),
            state: Some(recovered),
            pace,
            last_snapshot: aside.kept,
            spare: None,
        }
    }

    /// Runs until [`Work::Stop`] comes or every sender is gone.
    pub fn run(mut self, queue: &Receiver<Command>) {
        let store = Arc::clone(&self.store);
        loop {
            let first = match queue.recv_timeout(IDLE_WAIT) {
                Ok(first) => Some(first),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if self.round(&*store, first, queue) {
                break;
            }
        }
        self.save_snapshot();
        tracing::info!(workspace = %self.workspace, "sequencer stopped");
    }

    /// Handles what waits, or what is due; whether that was the end.
    fn round(&mut self, store: &dyn Store, first: Option<Command>, queue: &Receiver<Command>) -> bool {
        self.published.waiting.fetch_sub(usize::from(first.is_some()), Ordering::Relaxed);
        let end = match first {
            None if !self.is_something_due() => false,
            Some(Command { work: Work::Follow(work), .. }) => {
                self.guarded(|sequencer| sequencer.follow(*work));
                false
            }
            first => self.serve(store, first, queue),
        };
        // What was loaded again or taken over from others may wait for its past, too.
        if let Some(state) = &self.state {
            self.published.note_filling(&state.meters, state.fill_from, state.meter_time(state.time));
        }
        self.tend_keys();
        self.keep_spare();
        end
    }

    /// The same with a turn.
    fn serve(&mut self, store: &dyn Store, first: Option<Command>, queue: &Receiver<Command>) -> bool {
        let granted = self.begin(store);
        // Whoever came while this node waited for its turn is in it.
        let mut commands = VecDeque::from_iter(first);
        while commands.len() < MAX_BATCH && !commands.is_empty() {
            let Ok(next) = queue.try_recv() else { break };
            self.published.waiting.fetch_sub(1, Ordering::Relaxed);
            commands.push_back(next);
        }
        let stop = commands.iter().any(|command| matches!(command.work, Work::Stop));
        self.take(store, commands, granted);
        stop
    }

    /// Handles commands in order; a change of control ends a batch, so there may be several, each with its own turn.
    fn take<'s>(
        &mut self,
        store: &'s dyn Store,
        mut commands: VecDeque<Command>,
        granted: Result<Permission<'s>, Error>,
    ) {
        let mut granted = Some(granted);
        loop {
            let end = commands.iter().position(|command| matches!(command.work, Work::Change(_)));
            let batch: Vec<Command> = match end {
                Some(end) => commands.drain(..=end).collect(),
                None => commands.drain(..).collect(),
            };
            let granted = granted.take().unwrap_or_else(|| self.begin(store));
            // A panic drops the replies of this batch, which tells their callers that nothing was decided.
            self.guarded(|sequencer| sequencer.turn(batch, granted));
            if commands.is_empty() {
                return;
            }
        }
    }

    /// After a panic the state may be half-changed, and is gone.
    fn guarded(&mut self, work: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| work(self))).is_err() {
            tracing::error!(workspace = %self.workspace, "a batch panicked");
            self.state = None;
        }
    }

    fn turn(&mut self, commands: Vec<Command>, granted: Result<Permission<'_>, Error>) {
        let own = self.clock.read();
        let (commands, late): (Vec<_>, Vec<_>) =
            commands.into_iter().partition(|command| own.elapsed.since(command.queued) <= MAX_WAIT);
        for command in late {
            command.work.fail(&|| Error::new(Kind::Overloaded, "the call waited too long and was not decided"));
        }
        let granted = match granted {
            Ok(granted) => granted,
            Err(_) => return refuse(commands),
        };
        if self.state.is_none() && !self.reload(own.elapsed) {
            return refuse(commands);
        }
        let Some(mut state) = self.state.take() else { return };
        if let Some(granted) = &granted
            && !self.catch_up_to(&mut state, granted.seen())
        {
            return refuse(commands); // the state is half-changed, and gone
        }
        let commands = if self.tier.is_full(&state.meters) { turn_away(commands) } else { commands };
        let now = self.pace.with_remote(own, granted.as_ref().and_then(|granted| granted.seen().now_us));
        let is_due = state.approvals.next_due().is_some_and(|at| at <= now.wall.max(state.time));
        if commands.is_empty() && !is_due && !self.pace.is_stale(own.elapsed) {
            self.state = Some(state);
            return;
        }
        let known = match self.find_requests(&commands) {
            Ok(known) => known,
            Err(failure) => {
                tracing::error!(workspace = %self.workspace, %failure, "request ids could not be read");
                self.state = Some(state);
                return refuse(commands);
            }
        };
        // What was noticed counts as noticed once it is on the record.
        let mut pace = self.pace;
        let time = pace.next(now, state.time);
        let mut turn =
            Turn::new(&mut state, self.published.control.load_full(), time.now, &*self.store, &self.workspace);
        turn.requests = known;
        let finished = turn.note_clock(time.step).and_then(|()| turn.close_due()).and_then(|()| {
            for command in commands {
                turn.handle(command.work)?;
            }
            turn.finish_aggregates()
        });
        let plan = turn.into_plan();
        let finished = finished.and_then(|()| match state.meters.has_failed() {
            true => {
                // A copy has the same files.
                self.spare = None;
                Err(Error::internal("keys on disk could not be read back"))
            }
            false => Ok(()),
        });
        if let Err(failure) = finished {
            tracing::error!(workspace = %self.workspace, %failure, "a batch could not be built");
            plan.fail();
            return; // the state stays poisoned: what it holds was never committed
        }
        if self.commit(&mut state, plan, granted) {
            self.pace = pace;
            self.state = Some(state);
            self.maybe_snapshot();
        }
    }

    /// Whether there is work although nobody asked for any.
    fn is_something_due(&self) -> bool {
        let Some(state) = &self.state else { return true };
        let own = self.clock.read();
        let now = self.pace.estimate(own.wall).max(state.time);
        self.pace.is_stale(own.elapsed) || state.approvals.next_due().is_some_and(|at| at <= now)
    }

    /// Loads everything again after a failed commit; `false` if that is not possible (yet).
    fn reload(&mut self, elapsed: Micros) -> bool {
        if !self.pace.may_reload(elapsed) {
            return false;
        }
        let recovered = match self.go_on_from_spare() {
            Some(recovered) => Ok(recovered),
            None => recover(&*self.store, &self.workspace, self.key.verifying(), Some(self.tier.bound())),
        };
        match recovered {
            Ok(recovered) => {
                if !self.continues(&recovered) {
                    tracing::error!(workspace = %self.workspace, "the ledger is not the one this node has seen");
                    return false;
                }
                let seen = self.published.head.load().size;
                match steps_between(&*self.store, &self.workspace, seen, recovered.head.size) {
                    Ok(steps) => self.pace.forgive(steps),
                    Err(failure) => {
                        tracing::error!(workspace = %self.workspace, %failure, "steps of the clock could not be read");
                        return false;
                    }
                }
                tracing::warn!(workspace = %self.workspace, size = recovered.head.size, "state loaded again");
                self.published.advance(recovered.head);
                self.published.control.store(Arc::new(recovered.control));
                self.state = Some(recovered.state);
                true
            }
            Err(failure) => {
                tracing::error!(workspace = %self.workspace, %failure, "state could not be loaded");
                false
            }
        }
    }

    /// Whether what was loaded has everything that this node has seen committed: a database that was put back, or
    /// whose other half took over without the newest commits, must not be gone on with as if nothing had happened.
    fn continues(&self, recovered: &Recovered) -> bool {
        let seen = self.published.head.load();
        match recovered.head.size.cmp(&seen.size) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Equal => recovered.head.root == seen.root,
            std::cmp::Ordering::Greater => true,
        }
    }

    fn maybe_snapshot(&mut self) {
        let size = self.published.head.load().size;
        let weight = self.state.as_ref().map_or(0, State::weight);
        let every = if self.store.is_shared() { SHARED_SNAPSHOT_EVERY } else { SNAPSHOT_EVERY };
        if size.saturating_sub(self.last_snapshot) >= every.max(weight) {
            self.save_snapshot();
        }
    }

    /// Hands a copy of the state to the thread that writes snapshots; skipped when that one is still busy.
    fn save_snapshot(&mut self) {
        let Some(state) = self.state.as_ref().filter(|state| !state.meters.has_failed()) else { return };
        let size = state.frontier.size();
        if size > self.last_snapshot && self.snapshots.try_send(state.take(&self.workspace)).is_ok() {
            self.last_snapshot = size;
        }
    }

    /// Keeps the keys within their memory, now that nobody waits for this batch.
    fn tend_keys(&mut self) {
        if let Some(state) = &mut self.state {
            let now = state.meter_time(state.time);
            self.tier.tend(&mut state.meters, state.frontier.size(), now);
        }
    }
}

/// Tells new calls that there is no room for what they would bring; everything else goes on.
fn turn_away(commands: Vec<Command>) -> Vec<Command> {
    let (calls, others): (Vec<_>, Vec<_>) =
        commands.into_iter().partition(|command| matches!(command.work, Work::Decide(_)));
    for command in calls {
        command
            .work
            .fail(&|| Error::new(Kind::Overloaded, "keys of limits fill the memory and cannot be written to disk"));
    }
    others
}

/// Tells everybody that nothing was decided.
fn refuse(commands: Vec<Command>) {
    for command in commands {
        command.work.fail(&turn::not_recorded);
    }
}

#[cfg(test)]
mod tests;
