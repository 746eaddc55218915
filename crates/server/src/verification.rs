//! Whether the ledger is what was signed, known at any time without reading all of it.
//!
//! A background task reads every ledger from its first entry again and again, at a pace that leaves the machine to
//! others. A question is answered from the last prefix that was read whole plus everything after it; a small
//! ledger is read whole on the spot. A fault that was found stays the answer until a whole pass finds none.
//!
//! It refuses to call anything valid that this process has not read since it started.

use crate::app::App;
use crate::error::{Error, Kind};
use crate::history::{History, Row};
use crate::nodes::{self, Lease};
use crate::tasks;
use crate::workspace::Workspace;
use parking_lot::Mutex;
use runplane_core::time::Micros;
use runplane_ledger::checkpoint::origin;
use runplane_ledger::verify::Head;
use runplane_ledger::{Hash, Report, Verifier};
use std::sync::Arc;
use std::time::Duration;

/// A ledger up to this size is read whole for every question.
const SMALL: u64 = 8_192;
/// Rows read between two looks at whether the server is stopping.
const STEP: usize = 4_096;
/// The background reader rests this many times as long as it worked.
const REST_FACTOR: u32 = 20;
/// The same for the first reading after a start, while there is work that it would hold up.
const FIRST_REST_FACTOR: u32 = 2;
const SHORTEST_REST: Duration = Duration::from_millis(50);
const LONGEST_REST: Duration = Duration::from_secs(10);
/// Pause between two whole passes over a ledger that did not grow.
const BETWEEN_PASSES: Duration = Duration::from_secs(30);

/// What is known of one workspace's ledger.
#[derive(Default)]
pub struct Verification {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// The last pass that reached the end, brought further by every question.
    whole: Option<Pass>,
    /// What a pass found wrong, until a whole pass finds nothing.
    fault: Option<Verified>,
    /// How far the running first pass is, to be told while there is nothing else.
    reading: u64,
}

/// One reading of a ledger from its first entry.
struct Pass {
    history: History,
    verifier: Verifier,
    started: Micros,
}

/// The answer to "is it what was signed?".
#[derive(Clone, Debug)]
pub struct Verified {
    pub report: Report,
    /// Entries of the ledger when it was asked.
    pub size: u64,
    /// When the reading began that the answer rests on.
    pub read_since: Micros,
}

impl Pass {
    fn start(workspace: &Workspace) -> Self {
        let verifier = Verifier::new(vec![workspace.verifying_key().clone()], &origin(&workspace.id));
        Self { history: History::of(&workspace.id), verifier, started: workspace.clock.now() }
    }

    /// Reads at most `rows` more rows of the first `to` entries; whether all have been read.
    fn advance(&mut self, workspace: &Workspace, to: u64, rows: usize) -> Result<bool, Error> {
        for _ in 0..rows {
            match self.history.next(&*workspace.store, to)? {
                Some(Row::Entry(row)) => self.verifier.entry(row.index, &row.bytes, Hash::new(row.leaf_hash)),
                Some(Row::Checkpoint(checkpoint)) => self.verifier.checkpoint(&checkpoint.note),
                None => return Ok(true),
            }
        }
        Ok(false)
    }

    fn verdict(&self, size: u64, root: [u8; 32]) -> Verified {
        let head = Head { size, root: Some(Hash::new(root)) };
        Verified { report: self.verifier.report(Some(&head)), size, read_since: self.started }
    }
}

/// What is known already, without reading anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Entries that were read since the server started.
    pub checked_to: u64,
    /// Absent until all of it was read once.
    pub valid: Option<bool>,
}

#[must_use]
pub fn standing(workspace: &Workspace) -> Standing {
    let known = workspace.verification.known.lock();
    let checked_to = known.whole.as_ref().map_or(known.reading, |whole| whole.history.position());
    let valid = if known.fault.is_some() { Some(false) } else { known.whole.as_ref().map(|_| true) };
    Standing { checked_to, valid }
}

/// Verifies the ledger as of now. Blocks; call it off the request threads.
pub fn verify(workspace: &Workspace) -> Result<Verified, Error> {
    // What this process committed or recovered, not what the database says now: a cut at the end shows.
    let head = workspace.published.head.load_full();
    if head.size <= SMALL {
        let mut pass = Pass::start(workspace);
        pass.advance(workspace, head.size, usize::MAX)?;
        return Ok(pass.verdict(head.size, head.root));
    }
    let mut known = workspace.verification.known.lock();
    if let Some(fault) = &known.fault {
        return Ok(Verified { size: head.size, ..fault.clone() });
    }
    let reading = known.reading;
    let Some(whole) = known.whole.as_mut() else {
        let detail = format!("the ledger is being read since the server started: {reading} of {} entries", head.size);
        return Err(Error::new(Kind::Overloaded, detail).with("checkedTo", reading));
    };
    if whole.history.position() > head.size {
        // Another question, asked later, was answered first.
        return Ok(whole.verdict_so_far());
    }
    whole.advance(workspace, head.size, usize::MAX)?;
    let verdict = whole.verdict(head.size, head.root);
    if !verdict.report.valid {
        known.fault = Some(verdict.clone());
    }
    Ok(verdict)
}

impl Pass {
    /// The verdict over what was read, which ends at a commit.
    fn verdict_so_far(&self) -> Verified {
        let report = self.verifier.report(None);
        Verified { size: report.entries, report, read_since: self.started }
    }
}

/// Reads ledgers again and again until the server stops.
pub async fn run(app: Arc<App>) {
    let mut lease = Lease::on(nodes::VERIFICATION);
    loop {
        for workspace in app.workspaces() {
            // Every node reads a ledger once, for its own answers; that it stays what it is, one node looks after.
            let is_read = workspace.verification.known.lock().whole.is_some();
            if is_read && !lease.is_held(&app).await {
                continue;
            }
            if read_whole(&app, &workspace).await.is_stop() {
                return;
            }
        }
        if rest(&app, BETWEEN_PASSES).await.is_stop() {
            return;
        }
    }
}

enum Then {
    GoOn,
    Stop,
}

impl Then {
    fn is_stop(&self) -> bool {
        matches!(self, Self::Stop)
    }
}

async fn rest(app: &App, pause: Duration) -> Then {
    tokio::select! {
        () = app.tasks.stopping() => Then::Stop,
        () = tokio::time::sleep(pause) => Then::GoOn,
    }
}

/// One pass over one ledger. The first one after a start rests only while others work: until it is done nobody has
/// an answer.
async fn read_whole(app: &App, workspace: &Arc<Workspace>) -> Then {
    let is_first = workspace.verification.known.lock().whole.is_none();
    let mut pass = Pass::start(workspace);
    let mut last_size = workspace.published.head.load().size;
    loop {
        let head = workspace.published.head.load_full();
        let is_busy = std::mem::replace(&mut last_size, head.size) != head.size;
        let began = app.clock.read().elapsed;
        let reader = Arc::clone(workspace);
        let step = tasks::blocking(move || {
            let done = pass.advance(&reader, head.size, STEP)?;
            let faulty = pass.verifier.is_faulty();
            if done || faulty {
                conclude(&reader, pass, &head);
                return Ok(None);
            }
            reader.verification.known.lock().reading = pass.history.position();
            Ok(Some(pass))
        });
        match step.await {
            Ok(Some(unfinished)) => pass = unfinished,
            Ok(None) => return Then::GoOn,
            Err(failure) => {
                tracing::warn!(workspace = %workspace.name, %failure, "the ledger could not be read for verification");
                return rest(app, LONGEST_REST).await;
            }
        }
        let worked = app.clock.read().elapsed.since(began);
        let worked = Duration::from_micros(u64::try_from(worked.0).unwrap_or(0));
        let pause = match (is_first, is_busy) {
            (true, false) => Duration::ZERO,
            (true, true) => (worked * FIRST_REST_FACTOR).min(LONGEST_REST),
            (false, _) => (worked * REST_FACTOR).clamp(SHORTEST_REST, LONGEST_REST),
        };
        if rest(app, pause).await.is_stop() {
            return Then::Stop;
        }
    }
}

fn conclude(workspace: &Workspace, pass: Pass, head: &runplane_store::Head) {
    let verdict = pass.verdict(head.size, head.root);
    let mut known = workspace.verification.known.lock();
    if let Some(fault) = &verdict.report.first_bad {
        tracing::error!(workspace = %workspace.name, %fault, "the ledger is not what was signed");
        metrics::gauge!("runplane_ledger_valid", "workspace" => workspace.name.clone()).set(0.0);
        known.fault = Some(verdict);
        return;
    }
    metrics::gauge!("runplane_ledger_valid", "workspace" => workspace.name.clone()).set(1.0);
    known.fault = None;
    // The one that was brought further by questions meanwhile may know more, but has read the prefix longer ago.
    known.whole = Some(pass);
}
