//! What the past of new counters came to, on its way into the tables.
//!
//! There may be millions of keys of it, and whoever decides must not wait until each has been put in its place. So it
//! is taken over as it is, read beside the tables, and put in them a few keys at a time; a key that is changed goes
//! first. INVARIANT: what is read does not depend on how far that is.

use super::cell::Cell;
use super::entry::Entry;
use super::key::Tail;
use super::shards::{Table, place_of};
use std::collections::HashMap;
use std::sync::Arc;

#[derive(Clone)]
pub struct Coming {
    tables: Vec<Option<Arc<Table>>>,
    /// Its numbers of counters, and what they are here. Cells of others are left behind.
    numbers: Arc<HashMap<u32, u32>>,
    entries: usize,
    bytes: usize,
    /// The table that is emptied next.
    hand: usize,
}

impl Coming {
    #[must_use]
    pub fn new(
        tables: Vec<Option<Arc<Table>>>,
        (entries, bytes): (usize, usize),
        numbers: Arc<HashMap<u32, u32>>,
    ) -> Self {
        Self { tables, numbers, entries, bytes, hand: 0 }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.entries
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries == 0
    }

    #[must_use]
    pub fn bytes(&self) -> usize {
        if self.is_empty() { 0 } else { self.bytes }
    }

    #[must_use]
    pub fn get(&self, tail: &Tail) -> Option<&Entry> {
        self.tables.get(place_of(tail))?.as_deref()?.get(tail)
    }

    /// All of it, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&Tail, &Entry)> {
        self.tables.iter().flatten().flat_map(|table| table.iter())
    }

    /// The cells of one of its entries as they are called here.
    pub fn cells<'e>(&self, entry: &'e Entry) -> impl Iterator<Item = (u32, &'e Cell)> {
        entry.iter().filter_map(|(theirs, cell)| Some((*self.numbers.get(&theirs)?, cell)))
    }

    /// Takes an entry out, to be put into a table.
    pub fn take(&mut self, tail: &Tail) -> Option<Entry> {
        let slot = self.tables.get_mut(place_of(tail))?;
        if !slot.as_ref()?.contains_key(tail) {
            return None;
        }
        let table = Arc::make_mut(slot.as_mut()?);
        let entry = table.remove(tail)?;
        if table.is_empty() {
            *slot = None;
        }
        self.entries -= 1;
        self.bytes = self.bytes.saturating_sub(entry.weight());
        Some(entry)
    }

    /// The next ones to be taken out, at most that many.
    #[must_use]
    pub fn next(&mut self, most: usize) -> Vec<Tail> {
        while let Some(slot) = self.tables.get(self.hand) {
            if let Some(table) = slot {
                return table.keys().take(most).copied().collect();
            }
            self.hand += 1;
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests;
