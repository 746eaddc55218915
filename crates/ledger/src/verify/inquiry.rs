//! Which entry was changed? Asked once something does not fit, answered by the next signed root.
//!
//! From the first doubt on, each entry is remembered with every leaf hash it may have had: the hash
//! of its bytes, the one stored in its row, the one its successor names. A signed root then tells
//! which of them is the true history: only one choice can hash to it.
//!
//! Refuses to guess: if no choice fits, or trying them would take too long, it says so. Memory is
//! bounded by `MAX_ENTRIES`.

use super::report::{Fault, What};
use crate::hash::Hash;
use crate::tree::Frontier;

/// Entries remembered before giving up on the exact answer; far more than one commit holds.
const MAX_ENTRIES: usize = 65_536;
/// Leaf hashes tried before giving up on the exact answer.
const MAX_WORK: usize = 4_000_000;

/// One row as it was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// Leaf hash of its bytes.
    pub computed: Hash,
    /// Leaf hash stored with it.
    pub stored: Hash,
    /// Leaf hash that the row after it names.
    pub claimed: Option<Hash>,
}

impl Row {
    pub const fn new(computed: Hash, stored: Hash) -> Self {
        Self { computed, stored, claimed: None }
    }

    /// The hashes it may have had, that of its bytes first.
    fn candidates(&self) -> Vec<Hash> {
        let mut candidates = vec![self.computed];
        for other in [Some(self.stored), self.claimed].into_iter().flatten() {
            if !candidates.contains(&other) {
                candidates.push(other);
            }
        }
        candidates
    }
}

#[derive(Clone, Debug)]
pub(super) struct Inquiry {
    /// The tree before the first doubtful row.
    base: Frontier,
    rows: Vec<Row>,
    /// What is true even if no signed root can tell more.
    suspicion: Option<Fault>,
    /// The signed root to explain.
    target: Option<Hash>,
}

impl Inquiry {
    pub const fn new(base: Frontier, suspicion: Option<Fault>) -> Self {
        Self { base, rows: Vec::new(), suspicion, target: None }
    }

    /// Remembers the next row; false if there are too many.
    pub fn push(&mut self, row: Row) -> bool {
        self.rows.push(row);
        self.rows.len() < MAX_ENTRIES
    }

    /// Notes which hash the row after the last one names.
    pub fn claim(&mut self, claimed: Option<Hash>) {
        if let Some(last) = self.rows.last_mut() {
            last.claimed = claimed;
        }
    }

    pub const fn has_target(&self) -> bool {
        self.target.is_some()
    }

    /// Sets the signed root over all rows so far; the exact fault if that already tells it.
    pub fn aim(&mut self, root: Hash) -> Option<Fault> {
        self.target = Some(root);
        self.solve()
    }

    /// The most exact true statement, with `proven` entries known to be good.
    pub fn conclude(&self, proven: u64) -> Fault {
        if let Some(exact) = self.solve() {
            return exact;
        }
        let end = self.base.size() + self.rows.len() as u64;
        let last = match &self.suspicion {
            // Nothing is known to speak against the simplest explanation.
            Some(suspicion) if self.target.is_none() => return suspicion.clone(),
            // The signed root says that more than this was changed, so it may have begun earlier.
            Some(Fault { index, what: What::Chain }) => index.saturating_add(1),
            // That this row was changed is certain, and nothing before it is in doubt.
            Some(suspicion) if suspicion.index == proven => return suspicion.clone(),
            Some(Fault { index, .. }) => *index,
            None => end.saturating_sub(1),
        };
        let what = if last == proven { What::Altered } else { What::Root { last } };
        Fault { index: proven, what }
    }

    /// The fault according to the signed root, if some choice of hashes leads to it.
    fn solve(&self) -> Option<Fault> {
        let target = self.target?;
        let candidates: Vec<Vec<Hash>> = self.rows.iter().map(Row::candidates).collect();
        let mut choices = 1usize;
        for of_row in &candidates {
            choices = choices.checked_mul(of_row.len())?;
            if choices.checked_mul(self.rows.len())? > MAX_WORK {
                return None;
            }
        }
        (0..choices).find_map(|choice| {
            let chosen = choose(&candidates, choice);
            let mut tree = self.base.clone();
            for hash in &chosen {
                tree.append(*hash);
            }
            (tree.root() == target).then(|| self.explain(&chosen))?
        })
    }

    /// The first row that is not what the true history has in its place.
    fn explain(&self, truth: &[Hash]) -> Option<Fault> {
        let index = |offset: usize| self.base.size() + offset as u64;
        let altered = self.rows.iter().zip(truth).position(|(row, hash)| row.computed != *hash);
        let stored = self.rows.iter().position(|row| row.computed != row.stored);
        if let Some(offset) = altered.filter(|offset| stored.is_none_or(|stored| *offset <= stored)) {
            return Some(Fault { index: index(offset), what: What::Altered });
        }
        if let Some(offset) = stored {
            return Some(Fault { index: index(offset), what: What::StoredHash });
        }
        // The entries were signed as they are: the chain was broken when they were written.
        self.suspicion.clone()
    }
}

/// The choice with this number: one candidate of each row.
fn choose(candidates: &[Vec<Hash>], mut number: usize) -> Vec<Hash> {
    let mut chosen = Vec::with_capacity(candidates.len());
    for of_row in candidates {
        let pick = number.checked_rem(of_row.len()).unwrap_or(0);
        number = number.checked_div(of_row.len()).unwrap_or(0);
        chosen.extend(of_row.get(pick));
    }
    chosen
}
