//! Where entries are kept: in memory as far as they fit, else with somebody who keeps them on disk.
//!
//! Memory is many small tables behind shared pointers. A copy of all of it costs as much as there are tables, and a
//! table is really copied only when it is changed while a copy still has it; so whoever writes a snapshot does so
//! beside the decisions. An entry is in one place only that counts: in its table; else among those on their way to
//! disk; else on disk. Only what a new counter came to may be beside it until it is put there. INVARIANT: what is read does not depend on where it is.

use super::codec::{read_entry, write_entry};
use super::coming::Coming;
use super::entry::Entry;
use super::key::Tail;
use super::mix::Mixing;
use crate::time::{Micros, Span};
use std::collections::HashMap;
use std::fmt;
use std::iter::Peekable;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Tables there are.
pub const TABLES: usize = 1_024;
/// Bits of a tail that do not choose its table.
const REST: u32 = 6;
/// Bytes of one place in a table.
const PLACE: usize = size_of::<(Tail, Entry)>() + 1;

pub type Table = HashMap<Tail, Entry, Mixing>;

/// Bytes of a table without what its entries have elsewhere: it has a power of two of places and fills seven eighths.
fn room(table: &Table) -> usize {
    match table.capacity() {
        0 => 0,
        few @ 1..=7 => (few + 1).next_power_of_two().max(4) * PLACE,
        many => (many * 8 / 7).next_power_of_two() * PLACE,
    }
}

/// What cannot be read of what is on disk.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct ColdFailure(pub String);

/// Entries in the order of their tails, as they were put down.
pub type ColdEntries<'c> = Box<dyn Iterator<Item = Result<([u8; 24], Vec<u8>), ColdFailure>> + 'c>;

/// Entries that somebody keeps on disk; it does not change while anybody has it.
pub trait Cold: Send + Sync {
    /// What was last put down for this tail.
    fn find(&self, tail: &[u8; 24]) -> Result<Option<Vec<u8>>, ColdFailure>;
    /// All of them whose first two bytes, as a number, are not below `from`.
    fn scan(&self, from: u16) -> ColdEntries<'_>;
    /// At least as many as there are.
    fn len(&self) -> u64;
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The same with these put down on top, which are in order. What is merged on the way is thinned.
    fn with(&self, entries: Vec<([u8; 24], Vec<u8>)>, thinner: &Thinner) -> Result<Arc<dyn Cold>, ColdFailure>;
}

/// Takes out of entries on disk what no longer counts.
#[derive(Clone, Debug, Default)]
pub struct Thinner {
    /// Windows of the counters by their numbers; `None` of those that were renewed.
    windows: Option<Vec<Option<Span>>>,
    now: Micros,
}

impl Thinner {
    #[must_use]
    pub fn new(windows: Vec<Option<Span>>, now: Micros) -> Self {
        Self { windows: Some(windows), now }
    }

    /// What is left of an entry; `None` if nothing is. What cannot be read stays as it is, for whoever reads it next.
    #[must_use]
    pub fn thin(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let Some(windows) = &self.windows else { return Some(bytes.to_vec()) };
        let Some(mut entry) = read_entry(&mut &*bytes) else { return Some(bytes.to_vec()) };
        let window = |counter: u32| windows.get(usize::try_from(counter).ok()?).copied().unwrap_or(None);
        entry.retain(|counter, cell| window(counter).is_some_and(|within| cell.expire(within, self.now)));
        if entry.is_empty() {
            return None;
        }
        let mut left = Vec::with_capacity(bytes.len());
        write_entry(&entry, &mut left);
        Some(left)
    }
}

/// Entries on their way to disk.
pub type Leaving = Arc<Layer>;

/// Entries that go to disk together.
#[derive(Clone, Default)]
pub struct Layer {
    table: Table,
    /// What they have outside of the table.
    weight: usize,
}

impl Layer {
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    fn bytes(&self) -> usize {
        room(&self.table) + self.weight
    }
}

#[derive(Clone)]
pub struct Shards {
    tables: Vec<Option<Arc<Table>>>,
    entries: usize,
    /// Of what is in tables.
    bytes: usize,
    /// What new counters came to and is not in its place yet; of one tail there may be something here and elsewhere.
    coming: Vec<Coming>,
    /// Being collected, then on their way, oldest first.
    parting: Layer,
    leaving: Vec<Leaving>,
    cold: Option<Arc<dyn Cold>>,
    has_cold: bool,
    failed: Latch,
    /// The next table to look through.
    hand: usize,
}

/// Something on disk could not be read.
#[derive(Default)]
struct Latch(AtomicBool);

impl Clone for Latch {
    fn clone(&self) -> Self {
        Self(AtomicBool::new(self.0.load(Ordering::Relaxed)))
    }
}

impl Default for Shards {
    fn default() -> Self {
        Self {
            tables: vec![None; TABLES],
            entries: 0,
            bytes: 0,
            coming: Vec::new(),
            parting: Layer::default(),
            leaving: Vec::new(),
            cold: None,
            has_cold: false,
            failed: Latch::default(),
            hand: 0,
        }
    }
}

impl fmt::Debug for Shards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shards").field("entries", &self.entries).field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

pub fn place_of(tail: &Tail) -> usize {
    usize::from(tail.prefix() >> REST)
}

impl Shards {
    fn table(&self, place: usize) -> Option<&Table> {
        self.tables.get(place)?.as_deref()
    }

    /// Looks at the entry, wherever it is; `None` if that cannot be told.
    pub fn find<T>(&self, tail: &Tail, look: impl FnOnce(Option<&Entry>) -> T) -> Option<T> {
        if self.coming.iter().all(|coming| coming.get(tail).is_none()) {
            return self.find_in_place(tail, look);
        }
        let mut entry = self.find_in_place(tail, |entry| entry.cloned().unwrap_or_default())?;
        for coming in &self.coming {
            add(coming, coming.get(tail), &mut entry);
        }
        Some(look(Some(&entry)))
    }

    fn find_in_place<T>(&self, tail: &Tail, look: impl FnOnce(Option<&Entry>) -> T) -> Option<T> {
        if let Some(entry) = self.table(place_of(tail)).and_then(|table| table.get(tail)) {
            return Some(look(Some(entry)));
        }
        if self.is_all_in_memory() {
            return Some(look(None));
        }
        Some(look(self.find_elsewhere(tail)?.as_ref()))
    }

    fn is_all_in_memory(&self) -> bool {
        !self.has_cold && self.leaving.is_empty() && self.parting.is_empty()
    }

    /// What is on its way to disk, the newest first.
    fn on_the_way(&self) -> impl Iterator<Item = &Layer> {
        std::iter::once(&self.parting).chain(self.leaving.iter().rev().map(|layer| &**layer))
    }

    /// Outside of the tables; `None` if that cannot be told.
    fn find_elsewhere(&self, tail: &Tail) -> Option<Option<Entry>> {
        if let Some(entry) = self.on_the_way().find_map(|layer| layer.table.get(tail)) {
            return Some(Some(entry.clone()));
        }
        let Some(cold) = &self.cold else { return Some(None) };
        match cold.find(&tail.0).map(|found| found.map(|bytes| read_entry(&mut bytes.as_slice()))) {
            Ok(None) => Some(None),
            Ok(Some(Some(entry))) => Some(Some(entry)),
            Ok(Some(None)) | Err(_) => {
                self.failed.0.store(true, Ordering::Relaxed);
                None
            }
        }
    }

    /// Changes an entry that is there, or, if it may come to be, one that is not.
    pub fn change<T>(&mut self, tail: &Tail, is_new: bool, change: impl FnOnce(Option<&mut Entry>) -> T) -> T {
        if !self.coming.is_empty() {
            self.put_in_place(tail);
        }
        self.change_in_place(tail, is_new, change)
    }

    /// What new counters came to, beside what is here. It has to be in memory.
    pub fn come(&mut self, past: &Self, numbers: HashMap<u32, u32>) -> Result<(), ColdFailure> {
        if !past.is_all_in_memory() || !past.coming.is_empty() {
            return Err(ColdFailure("what new counters came to is not in memory".to_owned()));
        }
        if past.entries > 0 && !numbers.is_empty() {
            self.coming.push(Coming::new(past.tables.clone(), (past.entries, past.bytes), Arc::new(numbers)));
        }
        Ok(())
    }

    /// Puts some of what is coming in its place, at most that many entries; how many.
    pub fn take_in(&mut self, most: usize) -> usize {
        let Some(coming) = self.coming.first_mut() else { return 0 };
        let next = coming.next(most);
        next.iter().for_each(|tail| self.put_in_place(tail));
        next.len()
    }

    fn put_in_place(&mut self, tail: &Tail) {
        for mut coming in std::mem::take(&mut self.coming) {
            if let Some(entry) = coming.take(tail).filter(|entry| coming.cells(entry).next().is_some()) {
                self.change_in_place(tail, true, |own| own.into_iter().for_each(|own| add(&coming, Some(&entry), own)));
            }
            if !coming.is_empty() {
                self.coming.push(coming);
            }
        }
    }

    fn change_in_place<T>(&mut self, tail: &Tail, is_new: bool, change: impl FnOnce(Option<&mut Entry>) -> T) -> T {
        let place = place_of(tail);
        if !self.is_all_in_memory() && self.table(place).is_none_or(|table| !table.contains_key(tail)) {
            // What is read here and fails is noted, and makes all of this worthless.
            if let Some(Some(mut entry)) = self.find_elsewhere(tail) {
                entry.is_stored = true;
                self.put(*tail, entry);
            }
        }
        if !is_new && self.table(place).is_none_or(|table| !table.contains_key(tail)) {
            return change(None);
        }
        let Some(slot) = self.tables.get_mut(place) else { return change(None) };
        let table = Arc::make_mut(slot.get_or_insert_default());
        let (count, before) = (table.len(), room(table));
        let entry = table.entry(*tail).or_default();
        let weight_before = entry.weight();
        entry.is_used = true;
        let changed = change(Some(&mut *entry));
        let weight = entry.weight();
        if entry.is_empty() && !entry.is_stored {
            table.remove(tail);
        }
        self.entries = (self.entries + table.len()).saturating_sub(count);
        self.bytes = (self.bytes + weight + room(table)).saturating_sub(weight_before + before);
        changed
    }

    /// Puts in an entry that is not in a table.
    pub fn put(&mut self, tail: Tail, entry: Entry) {
        let Some(slot) = self.tables.get_mut(place_of(&tail)) else { return };
        let table = Arc::make_mut(slot.get_or_insert_default());
        let (weight, before) = (entry.weight(), room(table));
        table.insert(tail, entry);
        self.entries += 1;
        self.bytes = (self.bytes + weight + room(table)).saturating_sub(before);
    }

    /// Something on disk could not be read, so nothing that was read since can be relied on.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.failed.0.load(Ordering::Relaxed)
    }

    /// Entries in memory, and at most as many on disk.
    #[must_use]
    pub fn len(&self) -> u64 {
        let coming = self.coming.iter().map(Coming::len).sum::<usize>();
        let here = self.entries + coming + self.on_the_way().map(Layer::len).sum::<usize>();
        u64::try_from(here).unwrap_or(u64::MAX).saturating_add(self.cold.as_ref().map_or(0, |cold| cold.len()))
    }

    /// Bytes of memory, roughly.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let coming = self.coming.iter().map(Coming::bytes).sum::<usize>();
        self.bytes + coming + self.on_the_way().map(Layer::bytes).sum::<usize>()
    }

    /// Looks through the next tables, as many as that: drops cells that `keep` does not want, and, if more than `most`
    /// bytes are in memory, puts what was not asked for since the last time on its way to disk. Tables that somebody
    /// else has are left for later.
    pub fn look_through(
        &mut self,
        tables: usize,
        most: usize,
        mut keep: impl FnMut(u32, &mut super::cell::Cell) -> bool,
    ) {
        for _ in 0..tables.min(TABLES) {
            let place = self.hand;
            self.hand = (self.hand + 1) % TABLES;
            // More than one layer on the way frees nothing sooner.
            let is_over = self.cold.is_some() && self.parting.len() < layer(most) && self.bytes() > most;
            let Some(slot) = self.tables.get_mut(place) else { continue };
            let Some(table) = slot.as_mut().and_then(Arc::get_mut) else { continue };
            let (before, room_before, parting) = (table.len(), room(table), &mut self.parting);
            let (mut weight_before, mut weight) = (0usize, 0usize);
            table.retain(|tail, entry| {
                weight_before += entry.weight();
                entry.retain(&mut keep);
                if entry.is_empty() && !entry.is_stored {
                    return false;
                }
                if is_over && !std::mem::take(&mut entry.is_used) {
                    parting.weight += entry.weight();
                    let hidden = parting.table.insert(*tail, std::mem::take(entry));
                    parting.weight -= hidden.map_or(0, |hidden| hidden.weight());
                    return false;
                }
                weight += entry.weight();
                true
            });
            let after = table.len();
            // Half as many again fit without growing.
            table.shrink_to(after + after / 2);
            let room = if after == 0 { 0 } else { room(table) };
            if after == 0 {
                *slot = None;
            }
            self.entries -= before - after;
            self.bytes = (self.bytes + weight + room).saturating_sub(weight_before + room_before);
        }
    }

    /// What is to be put down on disk, if there is enough of it, and on what.
    pub fn part(&mut self, least: usize) -> Option<(Leaving, Arc<dyn Cold>)> {
        let cold = Arc::clone(self.cold.as_ref()?);
        // One that nobody writes any more (a copy has it, or it could not be sent) goes first: it would hide what is newer.
        if let Some(layer) = self.leaving.first() {
            return Some((Arc::clone(layer), cold));
        }
        if self.parting.len() < least.max(1) {
            return None;
        }
        let layer = Arc::new(std::mem::take(&mut self.parting));
        self.leaving.push(Arc::clone(&layer));
        Some((layer, cold))
    }

    /// What was on its way is on disk. Nothing happens if it is not this state's.
    pub fn settle(&mut self, layer: &Leaving, cold: Arc<dyn Cold>) {
        let before = self.leaving.len();
        self.leaving.retain(|known| !Arc::ptr_eq(known, layer));
        if self.leaving.len() < before {
            self.put_cold(cold);
        }
    }

    /// Where what leaves memory goes. Nothing leaves without.
    pub fn put_cold(&mut self, cold: Arc<dyn Cold>) {
        self.has_cold = !cold.is_empty();
        self.cold = Some(cold);
    }

    /// Entries that are in their place in a table.
    #[cfg(test)]
    pub fn in_tables(&self) -> usize {
        self.entries
    }

    /// Everything in the order of tails. `false` of `take` ends it.
    pub fn visit(&self, mut take: impl FnMut(&Tail, &Entry) -> bool) -> Result<(), ColdFailure> {
        if self.coming.is_empty() {
            return self.visit_in_place(take);
        }
        let all = self.coming.iter().flat_map(|coming| coming.iter().map(move |(tail, entry)| (*tail, coming, entry)));
        let mut more: Vec<(Tail, &Coming, &Entry)> = all.collect();
        more.sort_by_key(|(tail, ..)| *tail);
        let mut more = more.into_iter().peekable();
        let mut goes_on = true;
        self.visit_in_place(|tail, entry| {
            while let Some((before, ..)) = more.peek().filter(|(next, ..)| next < tail).copied() {
                if !take(&before, &gathered(&mut more, before, Entry::default())) {
                    goes_on = false;
                    return false;
                }
            }
            goes_on = match more.peek() {
                Some((next, ..)) if next == tail => take(tail, &gathered(&mut more, *tail, entry.clone())),
                _ => take(tail, entry),
            };
            goes_on
        })?;
        while let Some((tail, ..)) = more.peek().filter(|_| goes_on).copied() {
            goes_on = take(&tail, &gathered(&mut more, tail, Entry::default()));
        }
        Ok(())
    }

    fn visit_in_place(&self, mut take: impl FnMut(&Tail, &Entry) -> bool) -> Result<(), ColdFailure> {
        let mut cold = self.cold.as_ref().map(|cold| cold.scan(0).peekable());
        let mut away: Vec<(Tail, &Entry)> = Vec::new();
        for layer in self.on_the_way() {
            away.extend(layer.table.iter().map(|(tail, entry)| (*tail, entry)));
        }
        // The newest of each tail comes first, and stays.
        away.sort_by_key(|(tail, _)| *tail);
        away.dedup_by_key(|(tail, _)| *tail);
        let mut away = away.into_iter().peekable();
        for place in 0..TABLES {
            let mut found: Vec<(Tail, &Entry)> = Vec::new();
            if let Some(table) = self.table(place) {
                found.extend(table.iter().map(|(tail, entry)| (*tail, entry)));
            }
            while let Some(one) = away.next_if(|(tail, _)| place_of(tail) == place) {
                found.push(one);
            }
            found.sort_by_key(|(tail, _)| *tail);
            found.dedup_by_key(|(tail, _)| *tail);
            let mut here = found.into_iter().peekable();
            loop {
                let next_cold = match cold.as_mut().and_then(|cold| cold.peek()) {
                    Some(Ok((tail, _))) if place_of(&Tail(*tail)) == place => Some(Tail(*tail)),
                    Some(Err(_)) => return Err(take_failure(cold.as_mut())),
                    _ => None,
                };
                let next_here = here.peek().map(|(tail, _)| *tail);
                let goes_on = match (next_here, next_cold) {
                    (None, None) => break,
                    (Some(own), other) if other.is_none_or(|other| own <= other) => {
                        if other == Some(own) {
                            cold.as_mut().and_then(Iterator::next);
                        }
                        here.next().is_none_or(|(tail, entry)| take(&tail, entry))
                    }
                    _ => match cold.as_mut().and_then(Iterator::next) {
                        Some(Ok((tail, bytes))) => {
                            let Some(entry) = read_entry(&mut bytes.as_slice()) else {
                                return Err(ColdFailure("an entry on disk cannot be read".to_owned()));
                            };
                            take(&Tail(tail), &entry)
                        }
                        _ => break,
                    },
                };
                if !goes_on {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// Puts the cells of what is coming into an entry.
fn add(coming: &Coming, theirs: Option<&Entry>, entry: &mut Entry) {
    for (number, cell) in theirs.into_iter().flat_map(|theirs| coming.cells(theirs)) {
        entry.insert(number, cell.clone());
    }
}

/// An entry with everything of its tail that is coming.
fn gathered<'c>(
    more: &mut Peekable<impl Iterator<Item = (Tail, &'c Coming, &'c Entry)>>,
    tail: Tail,
    mut entry: Entry,
) -> Entry {
    while let Some((_, coming, theirs)) = more.next_if(|(next, ..)| *next == tail) {
        add(coming, Some(theirs), &mut entry);
    }
    entry
}

fn take_failure<'c>(cold: Option<&mut Peekable<ColdEntries<'c>>>) -> ColdFailure {
    match cold.and_then(Iterator::next) {
        Some(Err(failure)) => failure,
        _ => ColdFailure("what is on disk cannot be read".to_owned()),
    }
}

/// Entries from which on they go to disk together, where most bytes are kept in memory.
#[must_use]
pub fn layer(most: usize) -> usize {
    (most / 1_024).clamp(1_024, 65_536)
}

/// The entries of a layer in the order of their tails, as they are put down.
#[must_use]
pub fn written(layer: &Leaving) -> Vec<([u8; 24], Vec<u8>)> {
    let mut entries: Vec<([u8; 24], Vec<u8>)> = layer
        .table
        .iter()
        .map(|(tail, entry)| {
            let mut bytes = Vec::with_capacity(24);
            write_entry(entry, &mut bytes);
            (tail.0, bytes)
        })
        .collect();
    entries.sort_unstable_by_key(|(tail, _)| *tail);
    entries
}

#[cfg(test)]
mod tests;
