//! Verification of a ledger in one pass, in bounded memory.
//!
//! Feed it every row in order and every stored checkpoint after the row it follows; ask for a report
//! at any time, also in between, and go on. It finds what was edited, moved, removed or put in
//! inside the log, and names the first bad index.
//!
//! Refuses to call a ledger valid that no trusted key signed to its end. Cannot see, from the log
//! alone, that the log is an older copy of itself, nor that a stored checkpoint between two others
//! is gone: give it a checkpoint held elsewhere (`outside`), or read `rollback: not excluded`.
//!
//! Must stay true: a fault's index and words claim only what was shown (see `report`).

mod inquiry;
mod leaf;
mod report;

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::hash::Hash;
use crate::key::VerifyingKey;
use crate::tree::Frontier;

use inquiry::{Inquiry, Row};
pub use leaf::Leaf;
pub use report::{Fault, Report, Rollback, What};

/// The size, and the root if it is known, that the holder of the ledger believes to be its newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub size: u64,
    pub root: Option<Hash>,
}

#[derive(Clone, Debug)]
pub struct Verifier {
    trusted: Vec<VerifyingKey>,
    origin: String,
    /// Checkpoints held elsewhere and not met yet, the smallest last.
    outside: Vec<Checkpoint>,
    /// Size of the largest checkpoint held elsewhere that agreed.
    agreed: u64,
    entries: u64,
    /// All rows but the last: a row is added when its successor or a signed root confirms it.
    tree: Frontier,
    last_row: Option<Row>,
    /// Leaf hash of the newest row.
    last: Hash,
    proven: u64,
    proven_root: Hash,
    checkpoints: u64,
    /// Size of the largest signed checkpoint seen, whether its entries were there or not.
    signed: u64,
    bad_checkpoint: Option<BadCheckpoint>,
    inquiry: Option<Inquiry>,
    fault: Option<Fault>,
}

#[derive(Clone, Debug)]
enum BadCheckpoint {
    Refused { at: u64, error: CheckpointError },
    Misplaced { at: u64, size: u64 },
}

impl Verifier {
    /// For the ledger of this origin, believing these keys and nothing else.
    #[must_use]
    pub fn new(trusted: Vec<VerifyingKey>, origin: &str) -> Self {
        let tree = Frontier::new();
        Self {
            trusted,
            origin: origin.to_owned(),
            outside: Vec::new(),
            agreed: 0,
            entries: 0,
            proven_root: tree.root(),
            tree,
            last_row: None,
            last: Hash::ZERO,
            proven: 0,
            checkpoints: 0,
            signed: 0,
            bad_checkpoint: None,
            inquiry: None,
            fault: None,
        }
    }

    /// Adds a checkpoint that was kept outside the ledger's reach. To be called before the entries
    /// it covers are read: one that comes too late is refused.
    pub fn outside(&mut self, note: &str) -> Result<(), CheckpointError> {
        let checkpoint = Checkpoint::open(note, &self.trusted, &self.origin)?;
        if checkpoint.size < self.entries {
            return Err(CheckpointError::Malformed("its entries were read before it was given"));
        }
        self.outside.push(checkpoint);
        self.outside.sort_by_key(|checkpoint| std::cmp::Reverse(checkpoint.size));
        Ok(())
    }

    /// Rows read so far; also the index of the row expected next.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// How many of them are exactly what a trusted key signed.
    #[must_use]
    pub const fn proven(&self) -> u64 {
        self.proven
    }

    /// Whether a fault is certain already, so that reading on can only count rows.
    #[must_use]
    pub const fn is_faulty(&self) -> bool {
        self.fault.is_some()
    }

    /// The next row: the index it is stored under, its bytes, the leaf hash stored with it.
    pub fn entry(&mut self, index: u64, bytes: &[u8], stored: Hash) {
        self.leaf(index, &Leaf::read(bytes), stored);
    }

    /// The same with what was found in its bytes before.
    pub fn leaf(&mut self, index: u64, leaf: &Leaf, stored: Hash) {
        self.meet_outside();
        let place = self.entries;
        self.entries += 1;
        if self.fault.is_some() {
            return;
        }
        if index != place {
            let what = if index > place { What::Gap { next: index } } else { What::RowAgain { found: index } };
            return self.stop(place, what);
        }
        let row = Row::new(leaf.hash, stored);
        let intact = row.computed == row.stored;
        let frame = leaf.frame;
        match frame {
            Err(error) if intact => return self.stop(place, What::Unframed(error)),
            Ok(frame) if intact && frame.index != place => {
                return self.stop(place, What::WrongIndex { says: frame.index });
            }
            _ => {}
        }
        let prev = frame.ok().map(|frame| frame.prev);
        if self.inquiry.is_some() {
            self.inquire(row, prev);
        } else if intact && prev == Some(self.last) {
            if let Some(confirmed) = self.last_row.replace(row) {
                self.tree.append(confirmed.computed);
            }
        } else {
            self.doubt(place, row, intact, prev);
        }
        self.last = row.computed;
    }

    /// The next row is there but cannot be read, so there are no bytes to look at.
    pub fn unreadable(&mut self, why: &'static str) {
        self.meet_outside();
        let place = self.entries;
        self.entries += 1;
        if self.fault.is_none() {
            self.stop(place, What::Unreadable(why));
        }
    }

    /// A checkpoint as stored with the commit that ended at the row read last.
    pub fn checkpoint(&mut self, note: &str) {
        if self.fault.is_none() {
            self.opened(Checkpoint::open(note, &self.trusted, &self.origin));
        }
    }

    /// The same with what [`Checkpoint::open`] said before, for the trusted keys and the origin of this ledger.
    pub fn opened(&mut self, checkpoint: Result<Checkpoint, CheckpointError>) {
        if self.fault.is_some() {
            return;
        }
        let at = self.entries;
        match checkpoint {
            Err(error) => {
                self.bad_checkpoint.get_or_insert(BadCheckpoint::Refused { at, error });
            }
            Ok(checkpoint) => {
                self.signed = self.signed.max(checkpoint.size);
                if checkpoint.size == at {
                    let what = What::Contradiction { size: at };
                    self.settle(checkpoint.root, Fault { index: at.saturating_sub(1), what });
                } else {
                    self.bad_checkpoint.get_or_insert(BadCheckpoint::Misplaced { at, size: checkpoint.size });
                }
            }
        }
    }

    /// What is known now, as if the ledger ended here. `head` is what its holder believes to be
    /// the end, if it keeps that apart from the entries.
    #[must_use]
    pub fn report(&self, head: Option<&Head>) -> Report {
        let mut end = self.clone();
        end.meet_outside();
        end.give_up();
        let first_bad = end.fault.take().or_else(|| end.fault_at_the_end(head));
        Report {
            entries: end.entries,
            proven: end.proven,
            checkpoints: end.checkpoints,
            root: end.proven_root,
            valid: first_bad.is_none(),
            first_bad,
            rollback: if end.agreed == 0 { Rollback::NotExcluded } else { Rollback::ExcludedUpTo(end.agreed) },
        }
    }

    /// Compares with the checkpoints held elsewhere that end at the row read last. Done only when
    /// the next row comes, so that the ledger's own checkpoint has been seen by then.
    fn meet_outside(&mut self) {
        while self.fault.is_none()
            && let Some(checkpoint) = self.outside.pop_if(|checkpoint| checkpoint.size == self.entries)
        {
            let last = self.entries.saturating_sub(1);
            self.settle(checkpoint.root, Fault { index: self.agreed.min(last), what: What::Forked { last } });
            if self.fault.is_none() && self.inquiry.is_none() {
                self.agreed = checkpoint.size;
            }
        }
    }

    /// Holds a signed root over all rows so far against the rows; `contradiction` is the fault if
    /// another signed root over the same rows was right.
    fn settle(&mut self, root: Hash, contradiction: Fault) {
        if let Some(inquiry) = &mut self.inquiry {
            if !inquiry.has_target() {
                self.fault = inquiry.aim(root);
            }
            return;
        }
        let mut tree = self.tree.clone();
        if let Some(row) = self.last_row {
            tree.append(row.computed);
        }
        if tree.root() == root {
            self.tree = tree;
            self.last_row = None;
            self.proven = self.entries;
            self.proven_root = root;
            self.checkpoints += 1;
        } else if let Some(row) = self.last_row {
            let mut inquiry = Inquiry::new(self.tree.clone(), None);
            inquiry.push(row);
            self.fault = inquiry.aim(root);
            self.inquiry = Some(inquiry);
        } else {
            self.fault = Some(contradiction);
        }
    }

    /// The first row that does not fit to what was read before.
    fn doubt(&mut self, place: u64, row: Row, intact: bool, prev: Option<Hash>) {
        let suspicion = match self.last_row {
            _ if !intact => Fault { index: place, what: What::Bytes },
            Some(_) => Fault { index: place.saturating_sub(1), what: What::Chain },
            None => {
                self.fault = Some(Fault { index: place, what: What::Prev });
                return;
            }
        };
        let mut inquiry = Inquiry::new(self.tree.clone(), Some(suspicion));
        if let Some(before) = self.last_row.take() {
            inquiry.push(before);
            inquiry.claim(prev);
        }
        inquiry.push(row);
        self.inquiry = Some(inquiry);
    }

    /// One more row while it is open which one was changed.
    fn inquire(&mut self, row: Row, prev: Option<Hash>) {
        let Some(inquiry) = &mut self.inquiry else { return };
        inquiry.claim(prev);
        if inquiry.has_target() || !inquiry.push(row) {
            self.give_up();
        }
    }

    /// Ends at a certain fault, unless an earlier one is being looked for.
    fn stop(&mut self, index: u64, what: What) {
        self.give_up();
        self.fault.get_or_insert(Fault { index, what });
    }

    /// Ends an open inquiry with what it knows.
    fn give_up(&mut self) {
        if let Some(inquiry) = self.inquiry.take()
            && self.fault.is_none()
        {
            self.fault = Some(inquiry.conclude(self.proven));
        }
    }

    fn fault_at_the_end(&self, head: Option<&Head>) -> Option<Fault> {
        let fault = |index, what| Some(Fault { index, what });
        let (entries, proven) = (self.entries, self.proven);
        let signed = self.signed.max(head.map_or(0, |head| head.size));
        match &self.bad_checkpoint {
            Some(BadCheckpoint::Refused { at, error }) if *at <= proven && self.checkpoints > 0 => {
                let what = What::CheckpointOnly { size: *at, error: error.clone() };
                return fault(at.saturating_sub(1), what);
            }
            _ if signed > entries => return fault(entries, What::Missing { signed }),
            Some(BadCheckpoint::Refused { at, error }) => {
                return fault(proven, What::Checkpoint { size: *at, error: error.clone() });
            }
            Some(BadCheckpoint::Misplaced { at, size }) => {
                return fault(at.saturating_sub(1), What::Misplaced { size: *size, read: *at });
            }
            None => {}
        }
        if let Some(head) = head.filter(|head| head.size < entries) {
            return fault(head.size, What::BeyondHead);
        }
        if proven < entries || self.checkpoints == 0 {
            return fault(proven, What::Unsigned);
        }
        if let Some(beyond) = self.outside.first() {
            return fault(entries, What::RolledBack { size: beyond.size });
        }
        if head.and_then(|head| head.root).is_some_and(|root| root != self.proven_root) {
            return fault(entries.saturating_sub(1), What::HeadRoot);
        }
        None
    }
}

#[cfg(test)]
pub(crate) mod tests;
