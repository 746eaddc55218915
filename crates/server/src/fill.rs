//! Counting the recorded past into counters that are new, so that a rule published today knows what was before it.
//!
//! The sequencer records which counters of a new bundle have no past yet; they say `Filling`, and rules that need
//! them hold. This reads the ledger and the payloads in the background, in pages, decides nothing, and hands over
//! what the counters come to; the sequencer records that they are ready, together with their state.
//!
//! What must stay true: of a decision before the publish only what it would have charged under the new bundle counts,
//! of a later one only what it recorded. What nobody can know any more because the payload is gone counts as
//! everything, unless the policy says to leave it out. Whatever is uncertain counts longer, never shorter.

mod progress;
mod written;

pub use written::Document;

use crate::app::App;
use crate::error::Error;
use crate::held::Held;
use crate::nodes::{self, Lease};
use crate::recompute;
use crate::record::{ClockBody, ClosedBody, CounterName, DecisionBody, Entry, Kind, OutcomeBody, Returned, VoteBody};
use crate::sequencer::{Filled, Work};
use crate::tasks;
use crate::workspace::Workspace;
use runplane_core::approval::State as ApprovalState;
use runplane_core::call::Call;
use runplane_core::decide::{self, Facts};
use runplane_core::digest::Digest;
use runplane_core::meter::{Charge, CounterId, Meters, On};
use runplane_core::outcome::Outcome;
use runplane_core::policy::Bundle;
use runplane_core::policy::counter::{Counter, Counts};
use runplane_core::policy::selector::{Actions, Targets};
use runplane_core::time::{Micros, Span};
use runplane_store::{Payload, Store};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use written::{Step, Written};

/// Entries that are read at once.
const PAGE: usize = 256;
/// Between two pages the reader rests, so that decisions come first.
const REST: Duration = Duration::from_millis(2);
/// On a ledger that is shorter every node counts, which is sooner than to agree who does; on a longer one, one node.
const SHORT: u64 = 2_048;
/// Where more has come meanwhile than the sequencer takes in, or it could not take anything.
const AFTER_REFUSAL: Duration = Duration::from_millis(50);
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Counters without a past, as the sequencer knows them.
#[derive(Debug)]
pub struct Job {
    /// The entry that put them in force.
    pub from: u64,
    pub counters: Vec<CounterId>,
    /// The meter time of that moment.
    pub at: Micros,
    /// How far the past has been read, and how long it is.
    pub read: AtomicU64,
    pub of: AtomicU64,
}

/// What a decision from before the publish would have charged, while something may still happen to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Past {
    pub at: Micros,
    pub charges: Vec<Charge>,
}

/// A past in the making.
pub struct Fill {
    pub job: Arc<Job>,
    bundle: Arc<Bundle>,
    counters: BTreeSet<CounterId>,
    /// The events that a counter waits for beyond its decision.
    late: BTreeSet<On>,
    pub meters: Meters,
    skipped: Span,
    /// The next entry to read.
    pub next: u64,
    /// By the index of the decision, or of the hold that was redeemed: holds that are open, and what a reported
    /// failure would give back. What else may happen is looked up when it does, so that this stays small.
    pub past: BTreeMap<u64, Past>,
    /// Counters that may have counted a call that is erased.
    pub lost: BTreeSet<CounterId>,
    /// What is to be stored of it, and what the counters took in since that was written.
    written: Option<Written>,
    steps: Vec<Step>,
}

impl Fill {
    #[must_use]
    pub fn new(job: Arc<Job>, bundle: Arc<Bundle>, start: u64) -> Self {
        let counters: BTreeSet<CounterId> = job.counters.iter().copied().collect();
        let ours = bundle.counters().iter().filter(|counter| counters.contains(&counter.id()));
        let late = ours.flat_map(|counter| counter.on.iter().copied()).filter(|on| !on.is_immediate()).collect();
        let (meters, past) = (Meters::default(), BTreeMap::new());
        let (lost, written, steps) = (BTreeSet::new(), None, Vec::new());
        Self { job, bundle, counters, late, meters, skipped: Span::ZERO, next: start, past, lost, written, steps }
    }

    /// Writes what there is so far, which takes long. What is taken in from now on is noted beside it.
    fn write(&mut self) -> Result<(), Error> {
        // Nothing that had ended by then counts at any later moment.
        self.meters.sweep(self.job.at);
        self.steps.clear();
        self.written = Some(Written::begin(&self.meters)?);
        Ok(())
    }

    fn is_written(&self) -> bool {
        self.written.is_some()
    }

    /// What is to be stored, and its digest.
    pub fn finish(&mut self, counters: &[CounterName], held: &[u64]) -> Result<(Vec<u8>, Digest), Error> {
        if self.written.is_none() {
            self.write()?;
        }
        let written = self.written.take().ok_or_else(|| Error::internal("what new counters came to is not written"))?;
        written.finish(&std::mem::take(&mut self.steps), counters, held)
    }

    fn enter(&mut self, step: Step) {
        step.take_in(&mut self.meters);
        if self.written.is_some() {
            self.steps.push(step);
        }
    }

    /// How much there is to keep, roughly.
    fn weight(&self) -> u64 {
        self.meters.len().saturating_add(u64::try_from(self.past.len()).unwrap_or(u64::MAX))
    }

    /// Whether it matters which actions were held before the first entry.
    #[must_use]
    pub fn needs_holds(&self) -> bool {
        !self.late.is_empty()
    }

    /// Takes in the holds from before the first entry that are still open: what becomes of them counts.
    pub fn take_holds(&mut self, store: &dyn Store, workspace: &str) -> Result<(), Error> {
        if !self.needs_holds() {
            return Ok(());
        }
        for row in store.list_open_approvals(workspace)?.iter().filter(|row| row.index < self.next) {
            let held = Held::parse(&row.bytes)?;
            let Some((_, Some(mut charges))) = self.recall(held.index, store, workspace)? else { continue };
            charges.retain(|charge| self.is_ours(charge) && !charge.on.is_immediate());
            if !charges.is_empty() {
                self.past.insert(held.index, Past { at: held.charged_at, charges });
            }
        }
        Ok(())
    }

    /// A decision from before the publish, and what it would have charged if anything could follow it; that is `None` if
    /// its call is gone.
    fn recall(&self, index: u64, store: &dyn Store, workspace: &str) -> Result<Option<Recalled>, Error> {
        let Some(row) = store.read_entries(workspace, index, 1)?.into_iter().find(|row| row.index == index) else {
            return Ok(None);
        };
        let entry = Entry::parse(&row.bytes)?;
        if entry.kind != Kind::Decision {
            return Ok(None);
        }
        let body: DecisionBody = entry.body()?;
        let charges = charges_under(&self.bundle, &body, index, entry.at, store, workspace)?;
        Ok(Some((body, charges)))
    }

    /// Something happened at `at` to a decision whose charges are not at hand.
    fn take_late(&mut self, index: u64, on: On, at: Micros, store: &dyn Store, workspace: &str) -> Result<(), Error> {
        if !self.late.contains(&on) {
            return Ok(());
        }
        match self.recall(index, store, workspace)? {
            Some((_, Some(charges))) => self.put(&charges, at, |charge| charge.on == on),
            Some((body, None)) => self.lose(&body, at, |other| other == on),
            None => {}
        }
        Ok(())
    }

    fn at(&self, at: Micros) -> Micros {
        at.before(self.skipped)
    }

    fn is_ours(&self, charge: &Charge) -> bool {
        self.counters.contains(&charge.key.counter())
    }

    fn put(&mut self, charges: &[Charge], at: Micros, wanted: impl Fn(&Charge) -> bool) {
        for charge in charges.iter().filter(|charge| wanted(charge)) {
            if self.is_ours(charge) {
                self.enter(Step::Put(*charge, at));
            }
        }
    }

    fn give_back(&mut self, returned: &Returned) {
        for charge in &returned.charges {
            if self.is_ours(charge) {
                self.enter(Step::GiveBack(*charge, returned.at));
            }
        }
    }

    fn return_past(&mut self, past: &Past, wanted: impl Fn(&Charge) -> bool) {
        let charges = past.charges.iter().filter(|charge| charge.on == On::Use && wanted(charge)).copied().collect();
        self.give_back(&Returned { at: past.at, charges });
    }

    /// Takes in the next entry.
    pub fn take(&mut self, bytes: &[u8], store: &dyn Store, workspace: &str) -> Result<(), Error> {
        let entry = Entry::parse(bytes)?;
        let at = self.at(entry.at);
        match entry.kind {
            Kind::Decision | Kind::Redemption => self.take_decision(&entry, store, workspace)?,
            Kind::Vote => {
                let body: VoteBody = entry.body()?;
                let on = match body.state {
                    ApprovalState::Approved => Some(On::Approved),
                    ApprovalState::Denied => Some(On::Denied),
                    _ => None,
                };
                self.take_event(body.held, on, &body.returned, &body.charges, at, (store, workspace))?;
            }
            Kind::Closed => {
                let body: ClosedBody = entry.body()?;
                let on = if body.state == ApprovalState::Cancelled { On::Cancelled } else { On::Expired };
                self.take_event(body.held, Some(on), &body.returned, &body.charges, at, (store, workspace))?;
            }
            Kind::Outcome => self.take_outcome(&entry.body()?, at, store, workspace)?,
            Kind::Clock => self.skipped = entry.body::<ClockBody>()?.unaccepted,
            Kind::Genesis | Kind::Control | Kind::Filled => {}
        }
        self.next = entry.index + 1;
        Ok(())
    }

    /// Something that happened to a held action.
    fn take_event(
        &mut self,
        held: u64,
        on: Option<On>,
        returned: &Returned,
        charges: &[Charge],
        at: Micros,
        (store, workspace): (&dyn Store, &str),
    ) -> Result<(), Error> {
        if held >= self.job.from {
            self.give_back(returned);
            self.put(charges, at, |_| true);
            return Ok(());
        }
        let Some(on) = on else { return Ok(()) };
        let Some(past) = self.past.get(&held).cloned() else {
            return self.take_late(held, on, at, store, workspace);
        };
        if matches!(on, On::Denied | On::Expired | On::Cancelled) {
            self.return_past(&past, |_| true);
            self.past.remove(&held);
        }
        self.put(&past.charges, at, |charge| charge.on == on);
        Ok(())
    }

    fn take_outcome(
        &mut self,
        body: &OutcomeBody,
        at: Micros,
        store: &dyn Store,
        workspace: &str,
    ) -> Result<(), Error> {
        if body.decision >= self.job.from {
            body.returned.iter().for_each(|returned| self.give_back(returned));
            self.put(&body.charges, at, |_| true);
            return Ok(());
        }
        let Some(on) = On::named(&body.status) else { return Ok(()) };
        if let Some(past) = self.past.remove(&body.decision).filter(|_| on == On::Failed) {
            self.return_past(&past, |charge| charge.refund);
        }
        if body.charges.iter().any(|charge| self.is_ours(charge)) {
            // Reported since the publish, so what it does to new counters is on the record.
            self.put(&body.charges, at, |_| true);
            return Ok(());
        }
        self.take_late(body.decision, on, at, store, workspace)
    }

    fn take_decision(&mut self, entry: &Entry, store: &dyn Store, workspace: &str) -> Result<(), Error> {
        let body: DecisionBody = entry.body()?;
        // How far windows are widened is not known at the start; a decision that charged anything says it.
        if let Some(at) = body.charged_at {
            self.skipped = entry.at.since(at);
        } else if !body.charges.is_empty() {
            self.skipped = Span::ZERO;
        }
        let at = self.at(entry.at);
        let held = body.redemption.as_ref().map(|redemption| redemption.held);
        if let Some(redemption) = &body.redemption {
            match self.past.remove(&redemption.held) {
                Some(past) => self.return_past(&past, |_| true),
                None => self.give_back(&redemption.returned),
            }
        }
        if entry.index >= self.job.from {
            self.put(&body.charges, at, |charge| charge.on.is_immediate());
            return Ok(());
        }
        let would = would_have_charged(&self.bundle, &body, entry.index, entry.at, store, workspace)?;
        let Some(mut charges) = would else {
            let outcome = body.decision.outcome;
            self.lose(&body, at, |on| on.may_follow(outcome));
            return Ok(());
        };
        charges.retain(|charge| self.is_ours(charge));
        self.put(&charges, at, |charge| charge.on.is_immediate());
        let is_held = body.decision.outcome == Outcome::RequireApproval;
        charges.retain(|charge| match charge.on {
            On::Use => is_held || charge.refund,
            on => is_held && !on.is_immediate(),
        });
        if !charges.is_empty() {
            self.past.insert(held.unwrap_or(entry.index), Past { at, charges });
        }
        Ok(())
    }

    /// The call is not known any more: every counter that it may have been for counts it as everything.
    fn lose(&mut self, body: &DecisionBody, at: Micros, wanted: impl Fn(On) -> bool) {
        let bundle = Arc::clone(&self.bundle);
        for (place, counter) in (0u32..).zip(bundle.counters()) {
            if self.counters.contains(&counter.id())
                && !counter.ignores_erased
                && counter.on.iter().any(|on| wanted(*on))
                && may_count(&bundle, place, counter, body)
            {
                self.enter(Step::Lose(counter.id(), at));
                self.lost.insert(counter.id());
            }
        }
    }
}

/// A decision, and its charges.
type Recalled = (DecisionBody, Option<Vec<Charge>>);

/// What the decision would have charged under this bundle; `None` if its call is no longer kept.
pub fn would_have_charged(
    bundle: &Bundle,
    body: &DecisionBody,
    index: u64,
    at: Micros,
    store: &dyn Store,
    workspace: &str,
) -> Result<Option<Vec<Charge>>, Error> {
    let charges = charges_under(bundle, body, index, at, store, workspace)?;
    Ok(charges
        .map(|charges| charges.into_iter().filter(|charge| charge.on.may_follow(body.decision.outcome)).collect()))
}

/// The same whatever the outcome was.
fn charges_under(
    bundle: &Bundle,
    body: &DecisionBody,
    index: u64,
    at: Micros,
    store: &dyn Store,
    workspace: &str,
) -> Result<Option<Vec<Charge>>, Error> {
    if body.commitment.is_none() {
        // No call: a request that was refused for what it is.
        return Ok(Some(Vec::new()));
    }
    let Payload::Present(payload) = store.load_payload(workspace, index)? else { return Ok(None) };
    let Ok(mut call) = Call::from_payload(&payload.bytes).and_then(|stored| stored.as_recorded(bundle.catalogue()))
    else {
        return Ok(None);
    };
    let Ok(readings) = recompute::readings(body, &mut call, bundle) else { return Ok(None) };
    let prepared = decide::prepare(bundle, call, readings);
    // What counters said is not asked: a rule that needs them may have matched, and then it counts. What was usual is on
    // the record, and without it the risk would be less than it was.
    let facts = Facts { now: at, usual: body.state.usual.clone(), ..Facts::default() };
    Ok(Some(decide::charges(bundle, &prepared, &facts)))
}

fn may_count(bundle: &Bundle, place: u32, counter: &Counter, body: &DecisionBody) -> bool {
    let fits = |actions: &Actions, targets: &Targets| {
        let known = |types: &[_]| body.action.types.iter().any(|name| types.iter().any(|kind: &_| is(kind, name)));
        (actions.may_be_foreign() || actions.types().is_none_or(known)) && targets.has(&body.target)
    };
    match &counter.counts {
        Counts::Own(own) => fits(&own.actions, &own.targets),
        Counts::Rule => bundle.rules().iter().any(|rule| {
            rule.limit.as_ref().is_some_and(|limit| limit.counter == place) && fits(&rule.actions, &rule.targets)
        }),
    }
}

fn is(kind: &runplane_core::catalogue::TypeName, name: &str) -> bool {
    **kind == *name
}

/// Fills what has no past, in all workspaces, until the server stops.
pub async fn run(app: Arc<App>) {
    let mut commits = app.commits.subscribe();
    let mut lease = Lease::on(nodes::FILLING);
    loop {
        commits.mark_unchanged();
        let mut look_again = false;
        for workspace in app.workspaces() {
            let job = workspace.published.filling.borrow().clone();
            let Some(job) = job else { continue };
            tokio::select! {
                () = app.tasks.stopping() => return,
                done = fill(&app, &workspace, job, &mut lease) => match done {
                    Ok(is_done) => look_again |= !is_done,
                    Err(failure) => {
                        tracing::warn!(workspace = %workspace.name, %failure, "the past could not be counted yet");
                        look_again = true;
                    }
                },
            }
        }
        tokio::select! {
            () = app.tasks.stopping() => return,
            () = async {
                if look_again {
                    tokio::time::sleep(AFTER_FAILURE).await;
                } else {
                    // A closed channel means that the server is stopping.
                    let _ = commits.changed().await;
                }
            } => {}
        }
    }
}

/// Whether it is done; if not, another node is in charge of it.
async fn fill(app: &Arc<App>, workspace: &Arc<Workspace>, job: Arc<Job>, lease: &mut Lease) -> Result<bool, Error> {
    let Some(bundle) = workspace.control().bundle.clone() else { return Ok(true) };
    let is_short = workspace.published.head.load().size < SHORT;
    if !is_short && !lease.is_held(app).await {
        return Ok(false);
    }
    let reader = Arc::clone(workspace);
    let mut fill = tasks::blocking(move || begin(&reader, job, &bundle)).await?;
    let mut kept = fill.next;
    loop {
        let start = fill.next;
        let reader = Arc::clone(workspace);
        let (read, more) = tasks::blocking(move || read_page(&reader, fill)).await?;
        fill = read;
        fill.job.read.fetch_add(fill.next - start, Ordering::Relaxed);
        if more {
            if !is_short && !lease.is_held(app).await {
                return Ok(false);
            }
            if !fill.is_written() && fill.next - kept >= progress::EVERY.max(fill.weight()) {
                kept = fill.next;
                fill = keep(workspace, fill).await?;
            }
            tokio::time::sleep(REST).await;
            continue;
        }
        if !fill.is_written() {
            // More may have come when it is.
            fill = tasks::blocking(move || fill.write().map(|()| fill)).await?;
            continue;
        }
        match workspace.submit(|reply| Work::Filled(Box::new(Filled { fill, reply }))).await? {
            Some(behind) => {
                fill = behind;
                tokio::time::sleep(AFTER_REFUSAL).await;
            }
            None => {
                let reader = Arc::clone(workspace);
                tasks::blocking(move || progress::forget(&*reader.store, &reader.id)).await?;
                return Ok(true);
            }
        }
    }
}

/// Goes on where it was left, or begins.
fn begin(workspace: &Workspace, job: Arc<Job>, bundle: &Arc<Bundle>) -> Result<Box<Fill>, Error> {
    let (store, id) = (&*workspace.store, workspace.id.as_str());
    let start = first_that_counts(store, id, &job)?;
    let fill = match progress::find(&job, bundle, store, id)? {
        Some(fill) => {
            tracing::info!(workspace = %workspace.name, next = fill.next, "counting the past goes on");
            fill
        }
        None => {
            let mut fill = Fill::new(Arc::clone(&job), Arc::clone(bundle), start);
            fill.take_holds(store, id)?;
            fill
        }
    };
    job.read.store(fill.next.saturating_sub(start), Ordering::Relaxed);
    job.of.store(job.from.saturating_sub(start), Ordering::Relaxed);
    Ok(Box::new(fill))
}

/// What cannot be kept is counted again after a restart: no reason to stop.
async fn keep(workspace: &Arc<Workspace>, fill: Box<Fill>) -> Result<Box<Fill>, Error> {
    let reader = Arc::clone(workspace);
    tasks::blocking(move || {
        if let Err(failure) = progress::keep(&fill, &*reader.store, &reader.id) {
            tracing::warn!(workspace = %reader.name, %failure, "how far the past was counted could not be kept");
        }
        Ok(fill)
    })
    .await
}

/// Whether there is more to read.
fn read_page(workspace: &Workspace, mut fill: Box<Fill>) -> Result<(Box<Fill>, bool), Error> {
    let rows = workspace.store.read_entries(&workspace.id, fill.next, PAGE)?;
    for row in &rows {
        fill.take(&row.bytes, &*workspace.store, &workspace.id)?;
    }
    if let Some(written) = &mut fill.written {
        written.add(&std::mem::take(&mut fill.steps))?;
    }
    Ok((fill, rows.len() == PAGE))
}

/// How far back a window may reach that is rounded up: by a sixtieth, and a little more is looked at.
pub const fn reach(within: Span) -> Span {
    Span(within.0.saturating_add(within.0 / 30))
}

/// The first entry that may still be in a window: entries are in the order of time.
pub fn first_that_counts(store: &dyn Store, workspace: &str, job: &Job) -> Result<u64, Error> {
    let longest = job.counters.iter().map(|counter| counter.within).max().unwrap_or(Span::ZERO);
    let cutoff = job.at.before(reach(longest));
    let (mut low, mut high) = (0, job.from);
    while low < high {
        let middle = low + (high - low) / 2;
        let row = store.read_entries(workspace, middle, 1)?.into_iter().next();
        let is_old = match row {
            Some(row) => Entry::parse(&row.bytes)?.at < cutoff,
            None => false,
        };
        if is_old {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}
