//! What happens in a workspace, as events: a projection of the ledger, read when somebody listens and never before.
//!
//! Every listener has a place in the ledger and reads on from there, the newest entries from a ring they share. So a
//! listener that is slow or comes back costs its own time only, needs no queue, and can never slow a decision.

mod places;
mod read;

pub use places::{MOST_OF_ONE, Place, Places, Whose};
pub use read::{Event, EventKind, text};

use crate::error::Error;
use crate::workspace::Workspace;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;

/// Entries whose events are kept for everybody.
const RING: usize = 4_096;
/// Entries read at once.
const PAGE: usize = 512;

/// The events of the newest entries somebody listened to.
#[derive(Default)]
pub struct Feed {
    ring: Mutex<Ring>,
}

#[derive(Default)]
struct Ring {
    /// Index of the first entry in it.
    from: u64,
    entries: VecDeque<Arc<[Event]>>,
}

impl Ring {
    fn end(&self) -> u64 {
        self.from.saturating_add(u64::try_from(self.entries.len()).unwrap_or(u64::MAX))
    }

    fn page(&self, from: u64) -> Option<Vec<Arc<[Event]>>> {
        let skip = usize::try_from(from.checked_sub(self.from)?).ok()?;
        let page: Vec<_> = self.entries.iter().skip(skip).take(PAGE).cloned().collect();
        (!page.is_empty()).then_some(page)
    }
}

/// A stretch of the ledger as events: one item per entry.
pub struct Page {
    pub entries: Vec<Arc<[Event]>>,
    /// Index of the entry after it.
    pub next: u64,
}

/// The events of the entries from `from` on, of those that are committed. Blocks.
pub fn page(workspace: &Workspace, from: u64) -> Result<Page, Error> {
    let size = workspace.published.head.load().size;
    let mut ring = workspace.feed.ring.lock();
    if let Some(entries) = ring.page(from) {
        let next = from.saturating_add(u64::try_from(entries.len()).unwrap_or(0));
        return Ok(Page { entries, next });
    }
    // Whoever stands at its end brings it further; whoever is behind it reads for himself.
    let at_end = from >= ring.end();
    let guard = if at_end {
        if from > ring.end() {
            *ring = Ring { from, entries: VecDeque::new() };
        }
        Some(ring)
    } else {
        drop(ring);
        None
    };
    let left = usize::try_from(size.saturating_sub(from)).unwrap_or(usize::MAX);
    let rows = workspace.store.read_entries(&workspace.id, from, left.min(PAGE))?;
    let mut entries: Vec<Arc<[Event]>> = Vec::with_capacity(rows.len());
    for (row, expected) in rows.iter().zip(from..) {
        if row.index != expected {
            return Err(Error::internal(format!("entry {expected} is missing: verify the ledger")));
        }
        entries.push(read::events(workspace, row).into());
    }
    if let Some(mut ring) = guard {
        ring.entries.extend(entries.iter().cloned());
        while ring.entries.len() > RING {
            ring.entries.pop_front();
            ring.from += 1;
        }
    }
    let next = from.saturating_add(u64::try_from(entries.len()).unwrap_or(0));
    Ok(Page { entries, next })
}
