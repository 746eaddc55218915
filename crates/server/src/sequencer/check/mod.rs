//! The state that is kept and the state that decisions read, against what the ledger adds up to.
//!
//! Entries say what they did to meters, profiles and approvals, so whoever has the ledger can add up the state for
//! every index. This does, by itself, from the first entry to the last: what each decision read and charged, what each
//! denial, expiry and report gave back, what each past came to that was counted later, and what is kept beside the
//! ledger has to be the same.
//!
//! It refuses to call anything the same that it could not look at: decisions whose call is erased are counted, and what
//! they read of meters is not known any more. What must stay true: the state is folded from entries alone; what is kept
//! beside them is only ever compared.

mod decisions;
mod events;
mod fills;
mod kept;

use super::genesis::check_form_of;
use super::recover::apply;
use super::state::State;
use crate::error::Error;
use crate::recompute::Recomputer;
use crate::record::{ClockBody, ControlBody, Entry, Kind};
use events::Hold;
use runplane_core::meter::CounterId;
use runplane_core::time::{Micros, Span};
use runplane_store::{MAX_PAGE, Store};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

/// Differences that are told one by one.
const MOST_TOLD: usize = 200;

/// What was compared, and what is not as the ledger says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StateReport {
    pub entries: u64,
    /// Decisions that were made again, with what they read and charged.
    pub decisions: u64,
    /// Decisions whose call is no longer kept: what they read of profiles and approvals was compared, what they read
    /// and charged of meters was taken from their entries.
    pub erased: u64,
    /// Snapshots that could be compared.
    pub snapshots: usize,
    /// Pasts of new counters that were counted again.
    pub fills: usize,
    /// Held actions that can still change.
    pub open_approvals: usize,
    pub differences: Vec<String>,
    /// Differences beyond those that are told.
    pub more_differences: u64,
    /// What nobody can compare any more, because the calls are erased.
    pub unknown: Vec<String>,
}

/// Adds up the whole ledger of a workspace and compares.
pub fn check_state(store: &dyn Store, workspace: &str) -> Result<StateReport, Error> {
    let size = store.load_head(workspace)?.size;
    let mut check = Check {
        store,
        workspace,
        recomputer: Recomputer::new(store, workspace),
        state: State::empty(),
        leaf: [0; 32],
        open: BTreeMap::new(),
        waiting: HashMap::new(),
        began: BTreeMap::new(),
        fill_at: Micros(0),
        fill_bundles: Vec::new(),
        seen: BTreeSet::new(),
        names: BTreeMap::new(),
        report: StateReport::default(),
    };
    let mut snapshots = kept::usable_snapshots(store, workspace, size)?.into_iter().peekable();
    while check.report.entries < size {
        let left = usize::try_from(size - check.report.entries).unwrap_or(usize::MAX);
        let rows = store.read_entries(workspace, check.report.entries, left.min(MAX_PAGE))?;
        if rows.is_empty() {
            return Err(Error::internal("entries are missing"));
        }
        for row in rows {
            check.take(&Entry::parse(&row.bytes)?)?;
            (check.report.entries, check.leaf) = (row.index + 1, row.leaf_hash);
            while let Some(snapshot) = snapshots.next_if(|snapshot| snapshot.size == check.report.entries) {
                check.compare_snapshot(&snapshot)?;
            }
        }
    }
    check.compare_approvals()?;
    Ok(check.report)
}

struct Check<'a> {
    store: &'a dyn Store,
    workspace: &'a str,
    recomputer: Recomputer<'a>,
    state: State,
    /// Leaf hash of the last entry.
    leaf: [u8; 32],
    /// By the index of the entry that holds the action.
    open: BTreeMap<u64, Hold>,
    /// How many actions of each agent wait for a person.
    waiting: HashMap<String, u32>,
    /// Counters that were new at some entry, and which: what happened before may count for them without saying so.
    began: BTreeMap<CounterId, u64>,
    /// When, in meter time, counters last began to wait for their past, and the bundles in force since: under one of
    /// them it is counted.
    fill_at: Micros,
    fill_bundles: Vec<String>,
    /// Counters that anything was ever put into.
    seen: BTreeSet<CounterId>,
    /// What counters are called.
    names: BTreeMap<CounterId, String>,
    report: StateReport,
}

impl Check<'_> {
    /// Compares what the entry says with the state before it, then takes it in.
    fn take(&mut self, entry: &Entry) -> Result<(), Error> {
        match entry.kind {
            Kind::Decision | Kind::Redemption => self.take_decision(entry)?,
            Kind::Vote => self.take_vote(entry)?,
            Kind::Closed => self.take_closed(entry)?,
            Kind::Outcome => self.take_outcome(entry)?,
            Kind::Clock => self.take_clock(entry)?,
            Kind::Control => self.take_control(entry)?,
            Kind::Filled => self.take_filled(entry)?,
            Kind::Genesis => check_form_of(entry)?,
        }
        self.state.time = entry.at;
        Ok(())
    }

    fn apply(&mut self, entry: &Entry) -> Result<(), Error> {
        apply(entry, &mut self.state, self.store, self.workspace)
    }

    fn take_clock(&mut self, entry: &Entry) -> Result<(), Error> {
        let body: ClockBody = entry.body()?;
        let is_accepted = body.step == Span::ZERO && body.unaccepted == Span::ZERO;
        let adds_up = Span(self.state.skipped.0.saturating_add(body.step.0.max(0)));
        if !is_accepted && body.unaccepted != adds_up {
            let (says, adds_up) = (body.unaccepted.0, adds_up.0);
            self.differ(
                entry.index,
                format_args!("windows are widened by {says} µs, the steps add up to {adds_up} µs"),
            );
        }
        self.apply(entry)
    }

    fn take_control(&mut self, entry: &Entry) -> Result<(), Error> {
        let body: ControlBody = entry.body()?;
        self.apply(entry)?;
        if self.state.fill_from == entry.index {
            self.fill_at = self.state.meter_time(entry.at);
            self.fill_bundles.clear();
            let filling: Vec<CounterId> = self.state.meters.filling().copied().collect();
            for counter in filling {
                self.began.insert(counter, entry.index);
            }
        }
        if self.state.fill_from != 0 && !self.fill_bundles.contains(&body.bundle) {
            self.fill_bundles.push(body.bundle);
        }
        Ok(())
    }

    fn differ(&mut self, index: u64, what: impl fmt::Display) {
        self.tell(format!("entry {index}: {what}"));
    }

    fn tell(&mut self, difference: String) {
        if self.report.differences.len() < MOST_TOLD {
            self.report.differences.push(difference);
        } else {
            self.report.more_differences += 1;
        }
    }

    /// What a counter is called, as far as a bundle that was looked at says it.
    fn name(&self, counter: CounterId) -> String {
        match self.names.get(&counter) {
            Some(name) => format!("counter `{name}`"),
            None => format!("counter {}", counter.to_hex()),
        }
    }
}
