//! What is kept of each counter beside its keys: how many of them have something that counts, and the bucket that keys
//! beyond the bound share.
//!
//! A key that has nothing that counts, while as many others have as there may be, is put into the bucket, and so is
//! every key without anything of its own while the bucket holds something. So a new key never gets a fresh budget: what
//! it did before is in the bucket as long as it counts.

use super::cell::Cell;
use super::charge::Charge;
use super::entry::Entry;
use super::key::CounterId;
use super::mix::Mixing;
use super::window::{Ruler, largest};
use crate::decimal::Decimal;
use crate::time::{Micros, Span};
use std::collections::{HashMap, VecDeque};

/// One counter.
#[derive(Clone, Debug)]
pub struct Known {
    pub id: CounterId,
    /// Its past is still being counted: nothing is put into it.
    pub is_filling: bool,
    live: Live,
    /// The bucket that keys beyond the bound share.
    pub shared: Option<Cell>,
    /// When the last call was that nobody can count any more.
    pub lost: Option<Micros>,
}

/// How many keys have something that counts, by the last step of what they have.
#[derive(Clone, Debug, Default)]
struct Live {
    /// Ascending, at most as many as a window has steps.
    ends: VecDeque<(i64, u64)>,
    total: u64,
}

impl Live {
    fn add(&mut self, step: i64) {
        self.total += 1;
        let from = self.ends.partition_point(|(known, _)| *known < step);
        match self.ends.get_mut(from).filter(|(known, _)| *known == step) {
            Some((_, count)) => *count += 1,
            None => self.ends.insert(from, (step, 1)),
        }
    }

    /// What ended long ago was forgotten before.
    fn remove(&mut self, step: i64) {
        let from = self.ends.partition_point(|(known, _)| *known < step);
        let Some((_, count)) = self.ends.get_mut(from).filter(|(known, _)| *known == step) else { return };
        *count -= 1;
        self.total -= 1;
        if *count == 0 {
            self.ends.remove(from);
        }
    }

    fn forget_before(&mut self, oldest: i64) {
        while let Some((_, count)) = self.ends.front().filter(|(step, _)| *step < oldest) {
            self.total -= count;
            self.ends.pop_front();
        }
    }
}

impl Known {
    #[must_use]
    pub fn new(id: CounterId) -> Self {
        Self { id, is_filling: false, live: Live::default(), shared: None, lost: None }
    }

    fn ruler(&self) -> Ruler {
        Ruler(self.id.within)
    }

    /// What a key says whose own cell is this.
    #[must_use]
    pub fn read(&self, own: Option<&Cell>, now: Micros) -> Decimal {
        if self.lost.is_some_and(|at| self.counts(at, now)) {
            return largest();
        }
        self.cell(own, now).map_or(Decimal::ZERO, |cell| cell.read(self.id.within, now))
    }

    /// The key's own cell, if anything in it counts; else the bucket.
    fn cell<'c>(&'c self, own: Option<&'c Cell>, now: Micros) -> Option<&'c Cell> {
        own.filter(|cell| cell.is_live(self.id.within, now)).or(self.shared.as_ref())
    }

    #[must_use]
    pub fn eases_at(&self, own: Option<&Cell>, now: Micros) -> Option<Micros> {
        match self.lost.filter(|at| self.counts(*at, now)) {
            Some(lost) => Some(self.ruler().end_of(self.ruler().step_of(lost))),
            None => self.cell(own, now)?.eases_at(self.id.within, now),
        }
    }

    fn counts(&self, at: Micros, now: Micros) -> bool {
        self.ruler().step_of(at) >= self.ruler().oldest_step(now)
    }

    /// Takes a charge in for a key whose own cells are in `entry`.
    pub fn put(&mut self, entry: &mut Entry, counter: u32, charge: &Charge, at: Micros, most: u64) {
        let within = self.id.within;
        if charge.adds_nothing() {
            return;
        }
        match entry.get_mut(counter) {
            Some(cell) if cell.is_live(within, at) => {
                let before = cell.last_step(within);
                let after = if cell.put(charge, within, at, false) { cell.last_step(within) } else { None };
                if after.is_none() {
                    entry.remove(counter);
                }
                self.moved(before, after);
                return;
            }
            Some(cell) => {
                let before = cell.last_step(within);
                entry.remove(counter);
                self.moved(before, None);
            }
            None => {}
        }
        if self.shared.as_ref().is_some_and(|cell| !cell.is_live(within, at)) {
            self.shared = None;
        }
        if let Some(cell) = &mut self.shared {
            cell.put(charge, within, at, true);
            return;
        }
        self.live.forget_before(self.ruler().oldest_step(at));
        let is_shared = self.live.total >= most;
        let Some(cell) = Cell::new(charge, within, at, is_shared) else { return };
        if is_shared {
            self.shared = Some(cell);
        } else {
            self.moved(None, cell.last_step(within));
            entry.insert(counter, cell);
        }
    }

    pub fn give_back(&mut self, entry: Option<&mut Entry>, counter: u32, at: Micros, amount: Decimal) {
        let within = self.id.within;
        let own = entry.and_then(|entry| entry.get_mut(counter).is_some().then_some(entry));
        if let Some(entry) = own {
            let Some(cell) = entry.get_mut(counter) else { return };
            let before = cell.last_step(within);
            let after = if cell.give_back(within, at, amount) { cell.last_step(within) } else { None };
            if after.is_none() {
                entry.remove(counter);
            }
            self.moved(before, after);
        } else if self.shared.as_mut().is_some_and(|cell| !cell.give_back(within, at, amount)) {
            self.shared = None;
        }
    }

    /// A key got the cell by other ways than a charge.
    pub fn took(&mut self, cell: &Cell) {
        self.moved(None, cell.last_step(self.id.within));
    }

    /// What it came to elsewhere, keys apart.
    pub fn take_over(&mut self, past: &Self) {
        (self.live, self.shared, self.lost) = (past.live.clone(), past.shared.clone(), past.lost);
    }

    /// The last step of a key is another one.
    fn moved(&mut self, before: Option<i64>, after: Option<i64>) {
        if before != after {
            before.into_iter().for_each(|step| self.live.remove(step));
            after.into_iter().for_each(|step| self.live.add(step));
        }
    }

    pub fn lose(&mut self, at: Micros) {
        self.lost = self.lost.max(Some(at));
    }

    /// Drops what no longer counts.
    pub fn sweep(&mut self, now: Micros) {
        let within = self.id.within;
        self.live.forget_before(self.ruler().oldest_step(now));
        if self.shared.as_mut().is_some_and(|cell| !cell.expire(within, now)) {
            self.shared = None;
        }
        if self.lost.is_some_and(|at| !self.counts(at, now)) {
            self.lost = None;
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.live.total == 0 && self.shared.is_none() && self.lost.is_none() && !self.is_filling
    }
}

/// All counters, each under a number of its own that means nothing outside of this process.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    numbers: HashMap<CounterId, u32, Mixing>,
    list: Vec<Known>,
}

impl Counters {
    #[must_use]
    pub fn number(&self, id: CounterId) -> Option<u32> {
        self.numbers.get(&id).copied()
    }

    /// The number of a counter, new if need be.
    pub fn number_or_new(&mut self, id: CounterId) -> u32 {
        if let Some(number) = self.number(id) {
            return number;
        }
        let number = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.list.push(Known::new(id));
        self.numbers.insert(id, number);
        number
    }

    /// Forgets what the counter came to: it has another number, and nothing is looked up under the old one any more.
    pub fn renew(&mut self, id: CounterId) -> Option<&mut Known> {
        self.numbers.remove(&id);
        let number = self.number_or_new(id);
        self.get_mut(number)
    }

    #[must_use]
    pub fn get(&self, number: u32) -> Option<&Known> {
        self.list.get(usize::try_from(number).ok()?)
    }

    pub fn get_mut(&mut self, number: u32) -> Option<&mut Known> {
        self.list.get_mut(usize::try_from(number).ok()?)
    }

    /// The counter under a number, unless it was renewed since.
    #[must_use]
    pub fn current(&self, number: u32) -> Option<&Known> {
        self.get(number).filter(|known| self.number(known.id) == Some(number))
    }

    /// Windows by number; `None` of those that were renewed.
    #[must_use]
    pub fn windows(&self) -> Vec<Option<Span>> {
        (0u32..).zip(&self.list).map(|(number, known)| self.current(number).map(|_| known.id.within)).collect()
    }

    /// In no order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Known)> {
        self.numbers.values().filter_map(|number| Some((*number, self.get(*number)?)))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Known> {
        self.list.iter_mut()
    }
}
