//! The durable commit of a batch, and the release of its answers.

use super::state::State;
use super::turn::not_recorded;
use super::work::Recorded;
use super::{Granted, Sequencer};
use crate::control::Control;
use crate::error::Error;
use crate::fresh::Stretch;
use crate::random;
use crate::record::{DecisionBody, Position};
use runplane_core::time::Micros;
use runplane_ledger::{Checkpoint, SigningKey};
use runplane_store::{Batch, Head};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a command does with the news that its entries are durable, or that they are not.
pub type Waiting = Box<dyn FnOnce(Result<&Committed, Error>) + Send>;

/// The head after a successful commit.
pub struct Committed {
    size: u64,
    root: [u8; 32],
}

impl Committed {
    /// The proof that an entry at `index` is on the ledger. Only a commit makes one.
    pub fn recorded<T>(&self, value: T, index: u64) -> Recorded<T> {
        Recorded::new(value, self.position(index))
    }

    pub fn position(&self, index: u64) -> Position {
        Position { index, tree_size: self.size, root: self.root }
    }
}

/// A finished batch: what to write, whom to answer.
pub struct Plan {
    pub batch: Batch,
    pub waiting: Vec<Waiting>,
    pub touched_approvals: Vec<Arc<str>>,
    pub decisions: BTreeMap<u64, Arc<DecisionBody>>,
    pub next_control: Option<Control>,
    pub epoch: u64,
    pub time: Micros,
}

impl Plan {
    /// Tells everybody that nothing was recorded.
    pub fn fail(self) {
        for waiting in self.waiting {
            waiting(Err(not_recorded()));
        }
    }
}

impl Sequencer {
    /// Writes the batch and releases its answers. `false` if the state must be loaded again.
    pub(super) fn commit(&mut self, state: &mut State, mut plan: Plan, granted: Option<Granted<'_>>) -> bool {
        if plan.batch.entries.is_empty() {
            // Only repeats of what is recorded already.
            self.release(plan);
            return true;
        }
        let epoch = plan.next_control.as_ref().map_or(plan.epoch, |control| control.epoch);
        match head_of(&self.key, state, epoch, plan.time) {
            Ok(head) => plan.batch.head = head,
            Err(failure) => {
                tracing::error!(workspace = %self.workspace, %failure, "a checkpoint could not be signed");
                plan.fail();
                return false;
            }
        }
        let committed = match granted {
            Some(granted) => granted.commit(&plan.batch),
            None => self.store.commit_batch(&self.workspace, &plan.batch),
        };
        if let Err(failure) = committed {
            tracing::error!(workspace = %self.workspace, %failure, entries = plan.batch.entries.len(), "commit failed");
            metrics::counter!("runplane_commit_failures_total").increment(1);
            plan.fail();
            return false;
        }
        state.nonce = plan.batch.head.nonce;
        state.root = plan.batch.head.root;
        let stretch = Stretch {
            from: plan.batch.expected_size,
            to: plan.batch.head.size,
            at: plan.time,
            decisions: Arc::new(std::mem::take(&mut plan.decisions)),
        };
        self.published.head.store(Arc::new(plan.batch.head.clone()));
        let is_awaited = plan.next_control.is_some() || !plan.touched_approvals.is_empty();
        if let Some(control) = plan.next_control.take() {
            self.published.control.store(Arc::new(control));
        }
        // After control, so that whoever counts the past finds the bundle that has the counters.
        self.published.note_filling(&state.meters, state.fill_from, state.meter_time(state.time));
        self.release(plan);
        // Whoever waits for an answer comes before whoever makes lists and counts.
        metrics::counter!("runplane_commits_total").increment(1);
        metrics::counter!("runplane_entries_total").increment(stretch.to.saturating_sub(stretch.from));
        self.published.fresh.put(stretch);
        self.published.wake_followers();
        if is_awaited {
            // Decisions are found by looking; what people and programs wait for is told.
            self.store.announce();
        }
        true
    }

    fn release(&self, plan: Plan) {
        let head = self.published.head.load();
        let committed = Committed { size: head.size, root: head.root };
        for waiting in plan.waiting {
            waiting(Ok(&committed));
        }
        for approval in plan.touched_approvals {
            // No listener is no failure.
            let _ = self.published.approvals.send(approval);
        }
    }
}

/// The signed head of the state as it is now.
pub(super) fn head_of(key: &SigningKey, state: &State, epoch: u64, time: Micros) -> Result<Head, Error> {
    let size = state.frontier.size();
    let root = state.frontier.root();
    let checkpoint = Checkpoint::sign(key, size, root, Some(time.0))
        .map_err(|failure| Error::internal("signing failed").because(failure))?;
    Ok(Head {
        size,
        root: root.to_bytes(),
        frontier: state.frontier.to_bytes(),
        time_us: time.0,
        epoch,
        nonce: random::common_bytes()?,
        checkpoint,
    })
}
