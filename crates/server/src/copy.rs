//! An installation copied from one database to another, entry by entry, under the same keys and ids.
//!
//! The ledger of the copy is the same ledger: same entries, same root, same signatures. Of the signed notes in between
//! one in every [`STEP`] entries is copied; those kept elsewhere go on to verify, because they say a size and a root.
//!
//! Memory is bounded by one step, whatever the size of the ledger. A copy that was interrupted goes on where it stopped:
//! each step is one commit on the copy's own head, and control is written with the last one. Sessions and one-time links
//! are not copied: people sign in again.
//!
//! It refuses a target that holds an installation, a source that does not verify, and one with which the program that
//! serves the copy would not go on.

use crate::control::change::kind;
use crate::error::{Error, Kind};
use crate::history::{History, Row};
use crate::place::Seeds;
use crate::random;
use crate::record::{DecisionBody, Entry as Record, Kind as EntryKind, OutcomeBody};
use crate::sequencer;
use runplane_ledger::checkpoint::origin;
use runplane_ledger::verify::Head as VerifiedHead;
use runplane_ledger::{Frontier, Hash, SigningKey, Verifier};
use runplane_store::{
    Batch, Change, Entry, EntryRow, Head, NewPayload, Payload, Retention, Store, StoreError, Upkeep, Workspace,
};
use std::collections::BTreeMap;

/// About how many entries one commit of the copy has.
const STEP: usize = 2_000;
/// What was erased is put in and erased again, so that the copy, too, says that it was there.
const ERASED: i64 = 0;

/// How far a copy is.
pub struct Progress<'a> {
    pub workspace: &'a str,
    pub phase: Phase,
    /// Entries that are copied, or read again.
    pub done: u64,
    pub of: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Copying,
    Verifying,
}

/// What was copied, and found to be the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    pub workspace: String,
    pub entries: u64,
    pub root: String,
}

pub fn copy(
    from: &dyn Store,
    to: &dyn Store,
    seeds: &Seeds,
    mut progress: impl FnMut(Progress<'_>),
) -> Result<Vec<Copied>, Error> {
    let installation =
        from.load_installation()?.ok_or_else(|| Error::new(Kind::InvalidRequest, "there is nothing to copy"))?;
    if let Some(found) = to.load_installation()? {
        let which = if found.id == installation.id { "this installation already" } else { "another installation" };
        return Err(Error::new(Kind::AlreadyExists, format!("the target holds {which}")));
    }
    let workspaces = from.list_workspaces()?;
    workspaces.iter().try_for_each(|workspace| sequencer::check_form(from, &workspace.id))?;
    seeds.agree(to)?;
    let heads = workspaces.iter().map(|workspace| from.load_head(&workspace.id)).collect::<Result<Vec<_>, _>>()?;
    // Approvals and payloads of entries that are copied are not read again: a copy goes on only from the very same source.
    let source: Vec<u8> = heads.iter().flat_map(|head| head.nonce).collect();
    to.agree("source of this copy", &source).map_err(|failure| match failure {
        StoreError::Contradiction(_) => Error::new(
            Kind::InvalidRequest,
            "the source has changed since this copy of it was begun: copy to an empty database",
        ),
        other => other.into(),
    })?;
    if let Some(now_us) = heads.iter().map(|head| head.time_us).max() {
        to.tend(&Upkeep { now_us, keep_lists_us: None })?;
    }
    let mut copied = Vec::new();
    for workspace in &workspaces {
        let copying = Copying { from, to, workspace };
        let head = copying.run(&mut progress)?;
        copied.push(copying.verify(seeds, &head, &mut progress)?);
    }
    // Last: no server starts on half a copy.
    to.insert_installation(&installation)?;
    Ok(copied)
}

struct Copying<'a> {
    from: &'a dyn Store,
    to: &'a dyn Store,
    workspace: &'a Workspace,
}

impl Copying<'_> {
    fn run(&self, progress: &mut impl FnMut(Progress<'_>)) -> Result<Head, Error> {
        let id = &self.workspace.id;
        let source = self.from.load_head(id)?;
        let exists = self.to.list_workspaces()?.iter().any(|workspace| workspace.id == *id);
        let mut at = if exists { Some(self.to.load_head(id)?) } else { None };
        loop {
            let size = at.as_ref().map_or(0, |head| head.size);
            progress(self.progress(Phase::Copying, size, &source));
            if size >= source.size {
                break;
            }
            let batch = self.step(at.as_ref(), &source)?;
            let head = batch.head.clone();
            let committed = if at.is_some() {
                self.to.commit_batch(id, &batch)
            } else {
                self.to.insert_workspace(self.workspace, &batch)
            };
            committed.map_err(|failure| Error::plain(Kind::StoreUnavailable).because(failure))?;
            at = Some(head);
        }
        while self.to.erase_payloads(id, ERASED, STEP)? > 0 {}
        for document in self.from.load_documents(id, &[kind::USER])? {
            let password = self.from.load_password(id, &document.key)?;
            self.to.put_password(id, &document.key, password.as_deref())?;
        }
        for snapshot in self.from.load_snapshots(id)?.iter().rev() {
            for part in 0.. {
                let Some(bytes) = self.from.load_snapshot_part(id, snapshot.size, part)? else { break };
                self.to.put_snapshot_part(id, snapshot.size, part, &bytes)?;
            }
            self.to.save_snapshot(id, snapshot)?;
        }
        Ok(source)
    }

    fn progress(&self, phase: Phase, done: u64, source: &Head) -> Progress<'_> {
        Progress { workspace: &self.workspace.name, phase, done, of: source.size }
    }

    /// The next commit of the copy: whole commits of the source.
    fn step(&self, at: Option<&Head>, source: &Head) -> Result<Batch, Error> {
        let id = &self.workspace.id;
        let start = at.map_or(0, |head| head.size);
        let mut frontier = match at {
            Some(head) => Frontier::from_bytes(&head.frontier)
                .map_err(|failure| Error::internal("the copy's frontier cannot be read").because(failure))?,
            None => Frontier::new(),
        };
        let step = u64::try_from(STEP).unwrap_or(u64::MAX);
        let note = self.from.read_checkpoints(id, start.saturating_add(step).min(source.size), 1)?;
        let note = note.into_iter().next().ok_or_else(|| damaged("a checkpoint is missing"))?;
        let mut rows: Vec<EntryRow> = Vec::new();
        while start + width(rows.len()) < note.size {
            let left = note.size - start - width(rows.len());
            let page = self.from.read_entries(id, start + width(rows.len()), usize::try_from(left).unwrap_or(STEP))?;
            if page.is_empty() {
                return Err(damaged("entries are missing"));
            }
            rows.extend(page);
        }
        for row in &rows {
            frontier.append(runplane_ledger::leaf_hash(&row.bytes));
        }
        let records = rows.iter().map(|row| Record::parse(&row.bytes)).collect::<Result<Vec<_>, _>>()?;
        let last = records.last().ok_or_else(|| damaged("entries are missing"))?;
        let head = Head {
            size: note.size,
            root: frontier.root().to_bytes(),
            frontier: frontier.to_bytes(),
            time_us: last.at.0,
            epoch: last.epoch,
            nonce: random::bytes()?,
            checkpoint: note.note,
        };
        let nonce = at.map_or([0; 16], |head| head.nonce);
        let entries = rows.into_iter().map(|row| Entry { bytes: row.bytes, leaf_hash: row.leaf_hash }).collect();
        let mut batch = Batch::of_entries(start, nonce, head, entries);
        self.beside(&records, &mut batch)?;
        if batch.head.size == source.size {
            batch.head.epoch = source.epoch;
            batch.head.time_us = source.time_us;
            let documents = self.from.load_documents(id, &[])?;
            let put = |document: runplane_store::Document| Change::Put {
                kind: document.kind,
                key: document.key,
                bytes: document.bytes.into(),
            };
            batch.documents = documents.into_iter().map(put).collect();
        }
        Ok(batch)
    }

    /// What the entries left behind beside the ledger.
    fn beside(&self, records: &[Record], batch: &mut Batch) -> Result<(), Error> {
        let id = &self.workspace.id;
        batch.payloads = self.payloads(batch.expected_size, batch.head.size)?;
        let (mut decisions, mut held, mut executed) = (Vec::new(), Vec::new(), BTreeMap::new());
        for record in records {
            match record.kind {
                EntryKind::Decision | EntryKind::Redemption => {
                    let body: DecisionBody = record.body()?;
                    held.extend(body.held_as.is_some().then_some(record.index));
                    if record.kind == EntryKind::Decision {
                        decisions.push((record.index, body.agent, body.request_id));
                    }
                }
                EntryKind::Outcome => {
                    let body: OutcomeBody = record.body()?;
                    if let Some(execution) = self.from.load_execution(id, body.decision)? {
                        executed.insert(body.decision, execution);
                    }
                }
                _ => {}
            }
        }
        let wanted: Vec<(&str, &str)> =
            decisions.iter().map(|(_, agent, request)| (agent.as_str(), request.as_str())).collect();
        let found = self.from.find_requests(id, &wanted)?;
        let own = decisions.iter().zip(found);
        // A refused reuse of an id is a decision with that id, too; the id belongs to the one that used it first.
        batch.requests = own.filter_map(|((index, ..), found)| found.filter(|found| found.index == *index)).collect();
        batch.executions = executed.into_values().collect();
        batch.approvals = self.from.approvals_of(id, &held)?;
        Ok(())
    }

    fn payloads(&self, from: u64, to: u64) -> Result<Vec<NewPayload>, Error> {
        let mut payloads = Vec::new();
        let mut next = from;
        while next < to {
            let count = usize::try_from(to - next).unwrap_or(STEP).min(STEP);
            let kept = self.from.read_payloads(&self.workspace.id, next, count)?;
            payloads.extend(kept.into_iter().filter_map(|(index, payload)| again(index, payload)));
            next += width(count);
        }
        Ok(payloads)
    }

    /// Reads the whole copy again, and holds it against the key and the root of the source.
    fn verify(&self, seeds: &Seeds, source: &Head, progress: &mut impl FnMut(Progress<'_>)) -> Result<Copied, Error> {
        let id = &self.workspace.id;
        let key = SigningKey::from_seed(&origin(id), &seeds.ledger)
            .map_err(|failure| Error::internal("the signing key cannot be used").because(failure))?;
        let mut verifier = Verifier::new(vec![key.verifying().clone()], &origin(id));
        let mut history = History::of(id);
        while let Some(row) = history.next(self.to, source.size)? {
            match row {
                Row::Entry(row) => {
                    if row.index % width(STEP) == 0 {
                        progress(self.progress(Phase::Verifying, row.index, source));
                    }
                    verifier.entry(row.index, &row.bytes, Hash::new(row.leaf_hash));
                }
                Row::Checkpoint(checkpoint) => verifier.checkpoint(&checkpoint.note),
            }
        }
        let root = Hash::new(source.root);
        let report = verifier.report(Some(&VerifiedHead { size: source.size, root: Some(root) }));
        if let Some(fault) = report.first_bad.as_ref().filter(|_| !report.valid) {
            return Err(Error::new(Kind::AuditUnavailable, format!("the copy does not verify: {fault}")));
        }
        if !report.valid {
            return Err(damaged("the copy does not verify"));
        }
        Ok(Copied { workspace: self.workspace.name.clone(), entries: source.size, root: root.to_string() })
    }
}

fn again(index: u64, payload: Payload) -> Option<NewPayload> {
    match payload {
        Payload::NotKept => None,
        Payload::Erased => {
            let (salt, bytes, retention) = ([0; 16], Vec::new(), Retention::Replay);
            Some(NewPayload { index, salt, bytes, retention, erase_after_us: Some(ERASED) })
        }
        Payload::Present(kept) => {
            let runplane_store::StoredPayload { salt, bytes, retention, erase_after_us } = kept;
            Some(NewPayload { index, salt, bytes, retention, erase_after_us })
        }
    }
}

fn width(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn damaged(what: &str) -> Error {
    Error::new(Kind::AuditUnavailable, format!("the ledger cannot be copied: {what}"))
}
