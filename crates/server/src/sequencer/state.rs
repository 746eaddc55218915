//! The state decisions read, at one index of the ledger.
//!
//! It is a function of the ledger: the same entries always lead to the same state. It is changed in place while
//! a batch is in the making; if the commit fails it is thrown away and loaded again from disk, so nothing that
//! was not committed can be read by a later decision.

use crate::error::Error;
use crate::held::Held;
use crate::record::{CounterName, DecisionBody, OutcomeBody, Returned};
use runplane_core::approval::State as ApprovalState;
use runplane_core::meter::{Charge, CounterId, Meters};
use runplane_core::profile::{Profiles, Usual};
use runplane_core::time::{Micros, Span};
use runplane_ledger::Frontier;
use std::collections::{BTreeSet, HashMap};

#[derive(Clone)]
pub struct State {
    pub frontier: Frontier,
    pub root: [u8; 32],
    /// Leaf hash of the last entry.
    pub last_leaf: [u8; 32],
    /// Nonce of the last commit.
    pub nonce: [u8; 16],
    /// Ledger time of the last entry; never goes back.
    pub time: Micros,
    /// Clock steps nobody has accepted: every window reaches this much further back.
    pub skipped: Span,
    pub meters: Meters,
    pub profiles: Profiles,
    /// Any call was ever decided: only then is there a past to count.
    pub decided: bool,
    /// The entry that last made counters wait for their past; 0 if none does.
    pub fill_from: u64,
    pub approvals: OpenApprovals,
}

impl State {
    /// Before the first entry.
    #[must_use]
    pub fn empty() -> Self {
        let frontier = Frontier::new();
        Self {
            root: frontier.root().to_bytes(),
            frontier,
            last_leaf: [0; 32],
            nonce: [0; 16],
            time: Micros(0),
            skipped: Span::ZERO,
            meters: Meters::default(),
            profiles: Profiles::default(),
            decided: false,
            fill_from: 0,
            approvals: OpenApprovals::default(),
        }
    }

    /// What a recorded decision says about the pace of its agent.
    pub fn note(&mut self, body: &DecisionBody) {
        if let Some(usual) = &body.state.usual {
            self.note_usual(&body.agent, usual);
        }
    }

    pub fn note_usual(&mut self, agent: &str, usual: &Usual) {
        self.profiles.note(agent, usual);
    }

    /// What a recorded outcome teaches about its agent.
    pub fn learn(&mut self, body: &OutcomeBody, at: Micros) {
        if let Some(learned) = &body.learned {
            let at = self.meter_time(at);
            self.profiles.learn(&body.agent, learned, at);
        }
    }

    /// Takes in what counts from now on; what waits for another event is left.
    pub fn charge(&mut self, charges: &[Charge], at: Micros) {
        self.decided = true;
        self.meters.put_all(charges, at, |charge| charge.on.is_immediate());
    }

    /// Takes in charges whose event has come.
    pub fn charge_late(&mut self, charges: &[Charge], at: Micros) {
        self.meters.put_all(charges, at, |_| true);
    }

    /// Counters that are new wait for their past from the entry at `index` on.
    pub fn begin_filling(&mut self, filling: &[CounterName], index: u64) -> Result<(), Error> {
        for name in filling {
            self.meters.begin_filling(name.read()?);
            self.fill_from = index;
        }
        Ok(())
    }

    /// Their past is there.
    pub fn end_filling(&mut self, counters: &[CounterId], filled: &Meters) -> Result<(), Error> {
        self.fill_from = 0;
        self.meters
            .install(counters, filled)
            .map_err(|failure| Error::internal("what new counters came to could not be taken in").because(failure))
    }

    pub fn give_back(&mut self, returned: &Returned) {
        for charge in &returned.charges {
            self.meters.give_back(charge, returned.at);
        }
    }

    /// How much there is to copy, roughly.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.meters.len().saturating_add(u64::try_from(self.approvals.by_id.len()).unwrap_or(u64::MAX))
    }

    /// The time by which windows move: ledger time less the steps that nobody has accepted.
    #[must_use]
    pub fn meter_time(&self, now: Micros) -> Micros {
        now.before(self.skipped)
    }
}

/// Approvals that can still change, with what is due when.
#[derive(Clone, Default)]
pub struct OpenApprovals {
    by_id: HashMap<String, Held>,
    waiting_by_agent: HashMap<String, u32>,
    due: BTreeSet<(Micros, String)>,
}

impl OpenApprovals {
    pub fn get(&self, id: &str) -> Option<&Held> {
        self.by_id.get(id)
    }

    /// How many of the agent's actions wait for a person.
    #[must_use]
    pub fn waiting(&self, agent: &str) -> u32 {
        self.waiting_by_agent.get(agent).copied().unwrap_or(0)
    }

    /// Keeps the approval if it can still change, forgets it otherwise.
    pub fn put(&mut self, held: Held) {
        self.forget(held.id());
        if !held.is_open() {
            return;
        }
        self.due.insert((held.approval.expires_at, held.id().to_owned()));
        if is_pending(&held) {
            *self.waiting_by_agent.entry(held.approval.agent.clone()).or_default() += 1;
        }
        self.by_id.insert(held.id().to_owned(), held);
    }

    fn forget(&mut self, id: &str) {
        let Some(old) = self.by_id.remove(id) else { return };
        self.due.remove(&(old.approval.expires_at, id.to_owned()));
        if is_pending(&old)
            && let Some(count) = self.waiting_by_agent.get_mut(&old.approval.agent)
        {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.waiting_by_agent.remove(&old.approval.agent);
            }
        }
    }

    /// The open ones of these entries, in their order.
    #[must_use]
    pub fn of_entries(&self, wanted: impl Fn(u64) -> bool) -> Vec<Held> {
        let mut found: Vec<Held> = self.by_id.values().filter(|held| wanted(held.index)).cloned().collect();
        found.sort_by_key(|held| held.index);
        found
    }

    /// When the next approval expires.
    #[must_use]
    pub fn next_due(&self) -> Option<Micros> {
        self.due.first().map(|(at, _)| *at)
    }

    /// An approval that has expired by `now`.
    #[must_use]
    pub fn first_due(&self, now: Micros) -> Option<Held> {
        let (at, id) = self.due.first()?;
        (*at <= now).then(|| self.by_id.get(id).cloned())?
    }
}

fn is_pending(held: &Held) -> bool {
    held.approval.state == ApprovalState::Pending
}
