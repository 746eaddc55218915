//! What verification found, as it is printed.

use crate::exit::Exit;
use crate::output::{Output, Tone};
use runplane_ledger::Report;
use runplane_server::StateReport;
use serde::Serialize;

/// Why the key is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Trust {
    /// Given with `--key`.
    Pinned,
    /// The one the data folder signs with.
    DataFolder,
    /// Taken from the export itself.
    Unpinned,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ledger {
    pub valid: bool,
    origin: String,
    entries: u64,
    proven: u64,
    checkpoints: u64,
    root: String,
    key: String,
    key_trust: Trust,
    rollback: String,
    /// With `--sparse`: not every checkpoint was looked at.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    sparse: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_bad: Option<FirstBad>,
    /// With `--state`.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<StateReport>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FirstBad {
    index: u64,
    problem: String,
    /// In an export: where to look.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
}

/// The whole answer of `audit verify`.
#[derive(Serialize)]
pub struct Verified {
    valid: bool,
    ledgers: Vec<Ledger>,
}

impl Ledger {
    pub fn new(origin: &str, key: &str, trust: Trust, report: &Report, line: Option<u64>) -> Self {
        let first_bad = report.first_bad.as_ref().map(|fault| FirstBad {
            index: fault.index,
            problem: fault.what.to_string(),
            line,
        });
        Self {
            valid: report.valid,
            origin: origin.to_owned(),
            entries: report.entries,
            proven: report.proven,
            checkpoints: report.checkpoints,
            root: report.root.to_string(),
            key: key.to_owned(),
            key_trust: trust,
            rollback: report.rollback.to_string(),
            first_bad,
            sparse: false,
            state: None,
        }
    }

    pub fn sparse(self, sparse: bool) -> Self {
        Self { sparse, ..self }
    }

    /// Whatever is not as the ledger says makes it invalid.
    pub fn with_state(self, state: Option<StateReport>) -> Self {
        let agrees = state.as_ref().is_none_or(|state| state.differences.is_empty());
        Self { valid: self.valid && agrees, state, ..self }
    }

    fn print(&self, out: &Output) {
        let Self { origin, entries, checkpoints, .. } = self;
        match &self.first_bad {
            None if !self.valid => {
                let what = "entries as they were signed, but not all is as they add up to";
                out.toned(Tone::Bad, "DIFFERS", format_args!("{origin}: {entries} {what}"));
            }
            None => {
                out.toned(Tone::Good, "VALID", format_args!("{origin}: {entries} entries, {checkpoints} checkpoints"));
            }
            Some(FirstBad { index, problem, line }) => {
                let line = line.map_or_else(String::new, |line| format!(" (line {line})"));
                out.toned(Tone::Bad, "BROKEN", format_args!("{origin} at entry {index}{line}: {problem}"));
                out.line(format_args!("  the first {} of {entries} entries are proven", self.proven));
            }
        }
        if self.sparse {
            out.line(format_args!("  signatures: not all were checked, because of --sparse"));
        }
        out.line(format_args!("  root {}", self.root));
        let trust = match self.key_trust {
            Trust::Pinned => "pinned",
            Trust::DataFolder => "the data folder's own",
            Trust::Unpinned => "as the export says of itself; pin it with --key",
        };
        out.line(format_args!("  key {} ({trust})", self.key));
        out.line(format_args!("  rollback {}", self.rollback));
        if let Some(state) = &self.state {
            print_state(state, out);
        }
    }
}

fn print_state(state: &StateReport, out: &Output) {
    let times = |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    let word = if state.differences.is_empty() { "as the ledger adds up to" } else { "not as the ledger adds up to" };
    out.line(format_args!(
        "  state {word}: {} decisions made again, {}, {}, {}",
        state.decisions,
        times(state.fills, "past counted again", "pasts counted again"),
        times(state.snapshots, "snapshot", "snapshots"),
        times(state.open_approvals, "open approval", "open approvals"),
    ));
    if state.erased > 0 {
        out.line(format_args!("  {} payload erased: these decisions could not be made again", state.erased));
    }
    state.unknown.iter().for_each(|unknown| out.line(format_args!("  not known any more: {unknown}")));
    state.differences.iter().for_each(|difference| out.line(format_args!("  differs: {difference}")));
    if state.more_differences > 0 {
        out.line(format_args!("  and {} differences more", state.more_differences));
    }
}

/// Prints what was found.
pub fn conclude(ledgers: Vec<Ledger>, out: &Output) -> Exit {
    // Nothing looked at is nothing shown to be good.
    let valid = !ledgers.is_empty() && ledgers.iter().all(|ledger| ledger.valid);
    let verified = Verified { valid, ledgers };
    out.answer(&verified, |out| verified.ledgers.iter().for_each(|ledger| ledger.print(out)));
    if valid { Exit::Ok } else { Exit::Findings }
}
