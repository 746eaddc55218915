//! One batch in the making: entries appended in order, and everything the commit writes beside them.
//!
//! The control snapshot stays the same for a whole batch: a change of control ends it.

use super::commit::{Plan, Waiting};
use super::refuse::Aggregated;
use super::state::State;
use super::work::{AcceptedClock, Reply, Work};
use crate::control::Control;
use crate::error::{Error, Kind};
use crate::held::Held;
use crate::record::{ClockBody, DecisionBody, Frame, Kind as EntryKind, Returned};
use crate::refusal::Code;
use runplane_core::meter::{Charge, On};
use runplane_core::time::{Micros, Span};
use runplane_store::{Approval, Batch, Entry, Execution, Head, Request, Store};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub struct Turn<'a> {
    pub state: &'a mut State,
    pub store: &'a dyn Store,
    pub workspace: &'a str,
    pub control: Arc<Control>,
    /// Time of every entry of this batch.
    pub now: Micros,
    pub batch: Batch,
    /// Decisions of this batch, for retries that are in it too.
    pub decisions: BTreeMap<u64, Arc<DecisionBody>>,
    /// Client-given ids: what the store holds, then what this batch adds.
    pub requests: HashMap<(String, String), Request>,
    pub executions: HashMap<u64, Execution>,
    pub touched_approvals: Vec<Arc<str>>,
    pub waiting: Vec<Waiting>,
    pub aggregates: BTreeMap<(String, Code), Vec<Aggregated>>,
    /// Control after this batch, if it changes.
    pub next_control: Option<Control>,
}

impl<'a> Turn<'a> {
    pub fn new(
        state: &'a mut State,
        control: Arc<Control>,
        now: Micros,
        store: &'a dyn Store,
        workspace: &'a str,
    ) -> Self {
        let head = Head {
            size: state.frontier.size(),
            root: state.root,
            frontier: Vec::new(),
            time_us: now.0,
            epoch: control.epoch,
            nonce: [0; 16],
            checkpoint: String::new(),
        };
        let batch = Batch::of_entries(head.size, state.nonce, head, Vec::new());
        Self {
            state,
            store,
            workspace,
            control,
            now,
            batch,
            decisions: BTreeMap::new(),
            requests: HashMap::new(),
            executions: HashMap::new(),
            touched_approvals: Vec::new(),
            waiting: Vec::new(),
            aggregates: BTreeMap::new(),
            next_control: None,
        }
    }

    #[must_use]
    pub fn next_index(&self) -> u64 {
        self.state.frontier.size()
    }

    /// Appends one entry and returns its index.
    pub fn append(&mut self, kind: EntryKind, body: &impl Serialize) -> Result<u64, Error> {
        self.append_bytes(kind, body, self.control.epoch, false)
    }

    /// The same for the most frequent entry of all.
    pub fn append_decision(&mut self, body: &DecisionBody) -> Result<u64, Error> {
        self.append_bytes(EntryKind::Decision, body, self.control.epoch, body.is_sorted())
    }

    /// Appends an entry that starts another epoch.
    pub fn append_at_epoch(&mut self, kind: EntryKind, body: &impl Serialize, epoch: u64) -> Result<u64, Error> {
        self.append_bytes(kind, body, epoch, false)
    }

    fn append_bytes(&mut self, kind: EntryKind, body: &impl Serialize, epoch: u64, sorted: bool) -> Result<u64, Error> {
        let index = self.next_index();
        let frame = Frame::new(self.now, body, epoch, index, kind, &self.state.last_leaf);
        let bytes = frame.to_bytes(sorted)?;
        let leaf = runplane_ledger::leaf_hash(&bytes);
        self.state.frontier.append(leaf);
        let leaf_hash = leaf.to_bytes();
        self.state.last_leaf = leaf_hash;
        self.state.time = self.now;
        self.batch.entries.push(Entry { bytes, leaf_hash });
        Ok(index)
    }

    pub fn add_request(&mut self, request: Request) {
        self.requests.insert((request.agent.clone(), request.request_id.clone()), request.clone());
        self.batch.requests.push(request);
    }

    pub fn put_execution(&mut self, execution: Execution) {
        self.executions.insert(execution.index, execution.clone());
        self.batch.executions.push(execution);
    }

    /// Stores the held action in its new state.
    pub fn put_held(&mut self, held: Held) -> Result<(), Error> {
        let bytes = serde_json::to_vec(&held)
            .map_err(|failure| Error::internal("an approval could not be written").because(failure))?;
        self.batch.approvals.push(Approval {
            id: held.id().to_owned(),
            index: held.index,
            agent: held.approval.agent.clone(),
            status: held.approval.state.as_str().to_owned(),
            open: held.is_open(),
            expires_us: held.approval.expires_at.0,
            bytes,
        });
        self.touched_approvals.push(held.id().into());
        self.state.approvals.put(held);
        Ok(())
    }

    /// Takes the share of limits a hold has off it, and returns what was taken, for the record.
    pub fn give_back(&mut self, held: &mut Held) -> Returned {
        let (used, waiting) = std::mem::take(&mut held.charges).into_iter().partition(|charge| charge.on == On::Use);
        held.charges = waiting;
        let returned = Returned { at: held.charged_at, charges: used };
        self.state.give_back(&returned);
        returned
    }

    /// Takes in what waited for this to happen to the held action, and returns it, for the record.
    pub fn charge_late(&mut self, charges: &[Charge], on: On) -> Vec<Charge> {
        let due: Vec<Charge> = charges.iter().filter(|charge| charge.on == on).copied().collect();
        self.state.charge_late(&due, self.state.meter_time(self.now));
        due
    }

    /// Records a step of the wall clock. After a step forward every window reaches further back by as much, until
    /// an operator accepts it.
    pub fn note_clock(&mut self, step: Option<Span>) -> Result<(), Error> {
        let Some(step) = step else { return Ok(()) };
        self.state.skipped = Span(self.state.skipped.0.saturating_add(step.0.max(0)));
        self.append(EntryKind::Clock, &ClockBody { step, unaccepted: self.state.skipped })?;
        Ok(())
    }

    fn accept_clock(&mut self, reply: Reply<AcceptedClock>) -> Result<(), Error> {
        let widened = std::mem::take(&mut self.state.skipped);
        let index = match widened {
            Span::ZERO => None,
            _ => Some(self.append(EntryKind::Clock, &ClockBody { step: Span::ZERO, unaccepted: Span::ZERO })?),
        };
        self.after_commit(reply, move |committed| AcceptedClock {
            widened,
            position: index.map(|index| committed.position(index)),
        });
        Ok(())
    }

    pub fn handle(&mut self, work: Work) -> Result<(), Error> {
        match work {
            Work::Decide(work) => self.decide(*work),
            Work::Refuse(work) => self.refuse(*work),
            Work::Redeem(work) => self.redeem(*work),
            Work::Vote(work) => self.vote(*work),
            Work::Cancel(work) => self.cancel(*work),
            Work::Report(work) => self.report(*work),
            Work::Change(work) => self.change(*work),
            Work::Look(work) => {
                self.look(*work);
                Ok(())
            }
            Work::Filled(work) => self.filled(*work),
            Work::Stand(reply) => {
                self.stand(reply);
                Ok(())
            }
            Work::AcceptClock(reply) => self.accept_clock(reply),
            Work::Tick(reply) => {
                self.after_commit(reply, |_| ());
                Ok(())
            }
            Work::Follow(work) => {
                // A turn begins with it.
                self.after_commit(work.reply, |_| ());
                Ok(())
            }
            Work::Stop => Ok(()),
        }
    }

    /// Answers once everything of this batch is durable.
    pub fn after_commit<T: Send + 'static>(
        &mut self,
        reply: super::work::Reply<T>,
        answer: impl FnOnce(&super::commit::Committed) -> T + Send + 'static,
    ) {
        self.waiting.push(Box::new(move |committed| {
            // Nobody listening any more is fine: the record stands.
            let _ = reply.send(committed.map(answer));
        }));
    }

    #[must_use]
    pub fn into_plan(self) -> Plan {
        Plan {
            batch: self.batch,
            waiting: self.waiting,
            touched_approvals: self.touched_approvals,
            decisions: self.decisions,
            next_control: self.next_control,
            epoch: self.control.epoch,
            time: self.now,
        }
    }
}

/// The answer to everything in a batch whose commit failed.
pub fn not_recorded() -> Error {
    Error::new(Kind::AuditUnavailable, "the decision could not be recorded, so none was made")
}
