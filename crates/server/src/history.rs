//! The rows of a ledger in the order in which they are verified and exported: each entry, and after it the
//! checkpoint of the commit that ended there.
//!
//! Memory is bounded by two small pages, whatever the size of the ledger. Rows are handed on as they are stored:
//! a gap or a wrong hash is for the verifier to find.

use crate::error::Error;
use runplane_store::{Checkpoint, EntryRow, Store};
use std::collections::VecDeque;

const ENTRY_PAGE: usize = 512;
const CHECKPOINT_PAGE: usize = 128;

pub enum Row {
    Entry(EntryRow),
    Checkpoint(Checkpoint),
}

/// Reads from wherever it stands to a given size, and can be asked to go on later.
pub struct History {
    workspace: String,
    /// Index of the entry that comes next.
    next_entry: u64,
    /// Least size of the checkpoint that comes next.
    next_checkpoint: u64,
    entries: VecDeque<EntryRow>,
    checkpoints: VecDeque<Checkpoint>,
}

impl History {
    #[must_use]
    pub fn of(workspace: &str) -> Self {
        Self {
            workspace: workspace.to_owned(),
            next_entry: 0,
            next_checkpoint: 0,
            entries: VecDeque::new(),
            checkpoints: VecDeque::new(),
        }
    }

    /// Index of the entry that comes next.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.next_entry
    }

    /// The next row of the first `to` entries; `None` when they have all been read.
    ///
    /// `to` must be a size that has been committed: what is read beyond it may not be whole.
    pub fn next(&mut self, store: &dyn Store, to: u64) -> Result<Option<Row>, Error> {
        if self.checkpoints.is_empty() && self.next_checkpoint <= to {
            let page = store.read_checkpoints(&self.workspace, self.next_checkpoint, CHECKPOINT_PAGE)?;
            self.checkpoints.extend(page.into_iter().filter(|checkpoint| checkpoint.size <= to));
            self.next_checkpoint = match self.checkpoints.back() {
                Some(last) if self.checkpoints.len() == CHECKPOINT_PAGE => last.size.saturating_add(1),
                // There are no more up to here; later ones come with later commits.
                _ => to.saturating_add(1),
            };
        }
        if self.checkpoints.front().is_some_and(|checkpoint| checkpoint.size <= self.next_entry) {
            return Ok(self.checkpoints.pop_front().map(Row::Checkpoint));
        }
        if self.entries.is_empty() && self.next_entry < to {
            let left = usize::try_from(to - self.next_entry).unwrap_or(usize::MAX);
            let page = store.read_entries(&self.workspace, self.next_entry, left.min(ENTRY_PAGE))?;
            self.entries.extend(page.into_iter().filter(|row| row.index < to));
        }
        let Some(row) = self.entries.pop_front() else {
            // Rows at the end are missing: the checkpoints behind them say so.
            self.next_entry = self.next_entry.max(to);
            return Ok(self.checkpoints.pop_front().map(Row::Checkpoint));
        };
        self.next_entry = row.index.saturating_add(1);
        Ok(Some(Row::Entry(row)))
    }
}
