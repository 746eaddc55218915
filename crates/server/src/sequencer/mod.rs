//! The heart: one thread per workspace that gives every decision its place in the log.
//!
//! It takes whatever waits, decides each call in turn against the state at its index, appends the records, makes
//! one durable commit for all of them, and only then lets anybody hear an answer. So decisions are linearizable,
//! limits are exact, ledger order is evaluation order, and one fsync serves everybody who waited.
//!
//! A commit that fails, or of which it is unknown whether it succeeded, poisons the state: nothing of the batch
//! is answered as decided, and everything is loaded again from disk before the next batch.

mod commit;
mod control_change;
mod decide;
mod genesis;
mod look;
mod pace;
mod recover;
mod redeem;
mod refuse;
mod replay;
mod report;
mod state;
mod turn;
mod vote;
mod work;

pub use genesis::create;
pub use recover::recover;
pub use report::StoredReport;
pub use work::{
    Caller, Cancel, Changed, Command, ControlChange, Decide, Look, Nonces, Payload, Recorded, Redeem, Redeemed, Refuse,
    Report, Reported, Seen, Sequenced, Vote, Voted, Work,
};

use crate::clock::SharedClock;
use crate::error::{Error, Kind};
use crate::workspace::Published;
use pace::Pace;
use runplane_core::time::{Micros, Span};
use runplane_ledger::SigningKey;
use runplane_store::{Snapshot, Store};
use state::State;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;
use turn::Turn;

/// Most commands of one batch: bounds memory and the time until the first of them is answered.
const MAX_BATCH: usize = 1_024;
/// A call that waited longer is dropped undecided: its client has given up or is about to.
const MAX_WAIT: Span = Span(2_500_000);
/// How often the sequencer looks at the clock when nothing is queued.
const IDLE_WAIT: Duration = Duration::from_millis(200);
/// Entries between two snapshots.
const SNAPSHOT_EVERY: u64 = 50_000;

pub struct Sequencer {
    pub workspace: String,
    pub store: Arc<dyn Store>,
    pub clock: SharedClock,
    pub key: Arc<SigningKey>,
    pub published: Arc<Published>,
    /// Takes snapshots to disk off this thread.
    pub snapshots: std::sync::mpsc::SyncSender<(String, Snapshot)>,
    /// `None` while poisoned.
    pub state: Option<State>,
    pub pace: Pace,
    pub last_snapshot: u64,
}

impl Sequencer {
    #[must_use]
    pub fn new(
        workspace: String,
        store: Arc<dyn Store>,
        clock: SharedClock,
        key: Arc<SigningKey>,
        published: Arc<Published>,
        snapshots: std::sync::mpsc::SyncSender<(String, Snapshot)>,
        recovered: State,
    ) -> Self {
        let pace = Pace::start(clock.read());
        let last_snapshot = recovered.frontier.size();
        Self { workspace, store, clock, key, published, snapshots, state: Some(recovered), pace, last_snapshot }
    }

    /// Runs until [`Work::Stop`] comes or every sender is gone.
    pub fn run(mut self, queue: &Receiver<Command>) {
        loop {
            let mut commands = match queue.recv_timeout(IDLE_WAIT) {
                Ok(first) => vec![first],
                Err(RecvTimeoutError::Timeout) => Vec::new(),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            while commands.len() < MAX_BATCH && !commands.is_empty() {
                let Ok(next) = queue.try_recv() else { break };
                commands.push(next);
            }
            self.published.waiting.fetch_sub(commands.len(), Ordering::Relaxed);
            let stop = commands.iter().any(|command| matches!(command.work, Work::Stop));
            self.take(commands);
            if stop {
                break;
            }
        }
        self.save_snapshot();
        tracing::info!(workspace = %self.workspace, "sequencer stopped");
    }

    /// Handles commands in order; a change of control ends a batch, so there may be several.
    fn take(&mut self, commands: Vec<Command>) {
        let mut rest = commands.into_iter().peekable();
        loop {
            let mut batch = Vec::new();
            for command in rest.by_ref() {
                let ends_batch = matches!(command.work, Work::Change(_));
                batch.push(command);
                if ends_batch {
                    break;
                }
            }
            // A panic drops the replies of this batch, which tells their callers that nothing was decided; the state
            // it may have left half-changed is gone, too.
            if catch_unwind(AssertUnwindSafe(|| self.turn(batch))).is_err() {
                tracing::error!(workspace = %self.workspace, "a batch panicked");
                self.state = None;
            }
            if rest.peek().is_none() {
                return;
            }
        }
    }

    fn turn(&mut self, commands: Vec<Command>) {
        let elapsed = self.clock.read().elapsed;
        let (commands, late): (Vec<_>, Vec<_>) =
            commands.into_iter().partition(|command| elapsed.since(command.queued) <= MAX_WAIT);
        for command in late {
            command.work.fail(&|| Error::new(Kind::Overloaded, "the call waited too long and was not decided"));
        }
        if self.state.is_none() && !self.reload(elapsed) {
            for command in commands {
                command.work.fail(&turn::not_recorded);
            }
            return;
        }
        let Some(mut state) = self.state.take() else { return };
        if commands.is_empty() && !self.is_something_due(&state) {
            self.state = Some(state);
            return;
        }
        let known = match self.find_requests(&commands) {
            Ok(known) => known,
            Err(failure) => {
                tracing::error!(workspace = %self.workspace, %failure, "request ids could not be read");
                self.state = Some(state);
                for command in commands {
                    command.work.fail(&turn::not_recorded);
                }
                return;
            }
        };
        let time = self.pace.next(self.clock.read(), state.time);
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
        if let Err(failure) = finished {
            tracing::error!(workspace = %self.workspace, %failure, "a batch could not be built");
            plan.fail();
            return; // the state stays poisoned: what it holds was never committed
        }
        if self.commit(&mut state, plan) {
            self.state = Some(state);
            self.maybe_snapshot();
        }
    }

    fn is_something_due(&self, state: &State) -> bool {
        let now = Micros(self.clock.now().0.max(state.time.0));
        state.approvals.next_due().is_some_and(|at| at <= now)
    }

    /// Loads everything again after a failed commit; `false` if that is not possible (yet).
    fn reload(&mut self, elapsed: Micros) -> bool {
        if !self.pace.may_reload(elapsed) {
            return false;
        }
        match recover(&*self.store, &self.workspace, self.key.verifying()) {
            Ok(recovered) => {
                tracing::warn!(workspace = %self.workspace, size = recovered.head.size, "state loaded again");
                self.published.advance(recovered.head);
                self.published.control.store(Arc::new(recovered.control));
                self.pace = Pace::start(self.clock.read());
                self.state = Some(recovered.state);
                true
            }
            Err(failure) => {
                tracing::error!(workspace = %self.workspace, %failure, "state could not be loaded");
                false
            }
        }
    }

    fn maybe_snapshot(&mut self) {
        let size = self.published.head.load().size;
        if size.saturating_sub(self.last_snapshot) >= SNAPSHOT_EVERY {
            self.save_snapshot();
        }
    }

    /// Hands a snapshot to the thread that writes them; skipped when that one is still busy.
    fn save_snapshot(&mut self) {
        let Some(state) = self.state.as_mut() else { return };
        let size = state.frontier.size();
        if size == self.last_snapshot {
            return;
        }
        state.meters.sweep(state.meter_time(state.time));
        match state.to_snapshot() {
            Ok(bytes) => {
                if self.snapshots.try_send((self.workspace.clone(), Snapshot { size, bytes })).is_ok() {
                    self.last_snapshot = size;
                }
            }
            Err(failure) => tracing::error!(workspace = %self.workspace, %failure, "a snapshot could not be made"),
        }
    }
}
