//! Decisions that were just committed, handed on to whoever lists them, so that nothing is read back and taken apart.
//!
//! It is a convenience, never the truth: what is not here any more, or was committed by another node, is read from the
//! ledger. INVARIANT: a stretch holds every decision between its ends, so that a list made from it misses none.

use crate::record::DecisionBody;
use parking_lot::Mutex;
use runplane_core::time::Micros;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Most entries kept for a lister that is behind; beyond, it reads for itself.
const MOST: u64 = 8_192;

/// The decisions of one commit.
#[derive(Clone)]
pub struct Stretch {
    /// Index of the first entry, and of the first one after it.
    pub from: u64,
    pub to: u64,
    /// Ledger time of all of them.
    pub at: Micros,
    pub decisions: Arc<BTreeMap<u64, Arc<DecisionBody>>>,
}

#[derive(Default)]
pub struct Fresh {
    /// Neighbours, oldest first.
    stretches: Mutex<VecDeque<Stretch>>,
}

impl Fresh {
    pub fn put(&self, stretch: Stretch) {
        let mut stretches = self.stretches.lock();
        if stretches.back().is_some_and(|last| last.to != stretch.from) {
            stretches.clear();
        }
        let oldest = stretch.to.saturating_sub(MOST);
        stretches.push_back(stretch);
        while stretches.front().is_some_and(|first| first.from < oldest) {
            stretches.pop_front();
        }
    }

    /// Takes what lies before `cursor` out, and returns up to `most` entries from there on; empty if it is not here.
    pub fn take(&self, cursor: u64, most: u64) -> Vec<Stretch> {
        let mut stretches = self.stretches.lock();
        while stretches.front().is_some_and(|first| first.to <= cursor) {
            stretches.pop_front();
        }
        if stretches.front().is_none_or(|first| first.from != cursor) {
            return Vec::new();
        }
        let end = cursor.saturating_add(most);
        stretches.iter().take_while(|stretch| stretch.from == cursor || stretch.to <= end).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(from: u64, to: u64) -> Stretch {
        Stretch { from, to, at: Micros(0), decisions: Arc::default() }
    }

    fn ends(fresh: &Fresh, cursor: u64, most: u64) -> Vec<(u64, u64)> {
        fresh.take(cursor, most).iter().map(|stretch| (stretch.from, stretch.to)).collect()
    }

    #[test]
    fn it_gives_neighbours_from_the_cursor_on_and_nothing_else() {
        let fresh = Fresh::default();
        assert!(ends(&fresh, 0, 10).is_empty());
        for (from, to) in [(5, 8), (8, 9), (9, 20)] {
            fresh.put(stretch(from, to));
        }
        assert!(ends(&fresh, 4, 10).is_empty(), "entry 4 is missing");
        assert_eq!(ends(&fresh, 5, 4), [(5, 8), (8, 9)]);
        assert_eq!(ends(&fresh, 5, 1), [(5, 8)], "at least one, or nothing would ever move");
        assert!(ends(&fresh, 6, 10).is_empty(), "half a commit is read from the ledger");
        assert_eq!(ends(&fresh, 9, 1_000), [(9, 20)]);
        assert!(ends(&fresh, 5, 4).is_empty(), "what was passed is gone");
    }

    #[test]
    fn a_gap_forgets_what_was_before_it() {
        let fresh = Fresh::default();
        fresh.put(stretch(0, 3));
        fresh.put(stretch(4, 6));
        assert!(ends(&fresh, 0, 10).is_empty());
        assert_eq!(ends(&fresh, 4, 10), [(4, 6)]);
    }

    #[test]
    fn nothing_piles_up_for_a_lister_that_does_not_come() {
        let fresh = Fresh::default();
        for from in (0..MOST * 4).step_by(64) {
            fresh.put(stretch(from, from + 64));
        }
        assert!(fresh.stretches.lock().len() <= 129);
    }
}
