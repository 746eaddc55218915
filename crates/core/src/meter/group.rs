//! All keys of one counter, bounded in number.
//!
//! A key that has nothing that counts, while as many others have as there may be, is put into a bucket that all
//! such keys share, and so is every key without anything of its own while that bucket holds something. So a new
//! key never gets a fresh budget: what it did before is in the bucket as long as it counts.

use super::Tail;
use super::cell::Cell;
use super::charge::{Charge, Op};
use super::window::{Ruler, largest};
use crate::decimal::Decimal;
use crate::time::{Micros, Span};
use std::collections::HashMap;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub(super) within: Span,
    pub(super) cells: HashMap<Tail, Cell>,
    /// The bucket that keys beyond the bound share.
    pub(super) shared: Option<Cell>,
    /// When the last call was that nobody can count any more.
    pub(super) lost: Option<Micros>,
}

impl Group {
    pub fn new(within: Span) -> Self {
        Self { within, cells: HashMap::new(), shared: None, lost: None }
    }

    /// The key's own cell, if anything in it counts; else the bucket.
    fn cell(&self, tail: &Tail, now: Micros) -> Option<&Cell> {
        let own = self.cells.get(tail).filter(|cell| cell.is_live(self.within, now));
        own.or(self.shared.as_ref())
    }

    pub fn read(&self, tail: &Tail, now: Micros) -> Decimal {
        if self.lost.is_some_and(|at| self.counts(at, now)) {
            return largest();
        }
        self.cell(tail, now).map_or(Decimal::ZERO, |cell| cell.read(self.within, now))
    }

    pub fn eases_at(&self, tail: &Tail, now: Micros) -> Option<Micros> {
        match self.lost.filter(|at| self.counts(*at, now)) {
            Some(lost) => Some(self.end_of(lost)),
            None => self.cell(tail, now)?.eases_at(self.within, now),
        }
    }

    fn counts(&self, at: Micros, now: Micros) -> bool {
        Ruler(self.within).step_of(at) >= Ruler(self.within).oldest_step(now)
    }

    fn end_of(&self, at: Micros) -> Micros {
        Ruler(self.within).end_of(Ruler(self.within).step_of(at))
    }

    pub fn put(&mut self, tail: Tail, charge: &Charge, at: Micros, most: usize) {
        let within = self.within;
        if charge.op == Op::Add && (charge.amount.is_zero() || charge.amount.is_negative()) {
            return;
        }
        let is_own = self.cells.get(&tail).is_some_and(|cell| cell.is_live(within, at));
        if is_own {
            if let Some(cell) = self.cells.get_mut(&tail)
                && !cell.put(charge, within, at, false)
            {
                self.cells.remove(&tail);
            }
            return;
        }
        self.cells.remove(&tail);
        if self.shared.as_ref().is_some_and(|cell| !cell.is_live(within, at)) {
            self.shared = None;
        }
        if self.shared.is_none() && self.cells.len() >= most {
            self.cells.retain(|_, cell| cell.is_live(within, at));
        }
        let is_shared = self.shared.is_some() || self.cells.len() >= most;
        match (&mut self.shared, is_shared) {
            (Some(cell), _) => {
                cell.put(charge, within, at, true);
            }
            (None, true) => self.shared = Cell::new(charge, within, at, true),
            (None, false) => {
                if let Some(cell) = Cell::new(charge, within, at, false) {
                    self.cells.insert(tail, cell);
                }
            }
        }
    }

    pub fn give_back(&mut self, tail: &Tail, at: Micros, amount: Decimal) {
        let within = self.within;
        match self.cells.get_mut(tail) {
            Some(cell) => {
                if !cell.give_back(within, at, amount) {
                    self.cells.remove(tail);
                }
            }
            None => {
                if self.shared.as_mut().is_some_and(|cell| !cell.give_back(within, at, amount)) {
                    self.shared = None;
                }
            }
        }
    }

    pub fn lose(&mut self, at: Micros) {
        self.lost = self.lost.max(Some(at));
    }

    /// Drops what no longer counts; `false` if nothing is left.
    pub fn sweep(&mut self, now: Micros) -> bool {
        let within = self.within;
        self.cells.retain(|_, cell| cell.expire(within, now));
        if self.shared.as_mut().is_some_and(|cell| !cell.expire(within, now)) {
            self.shared = None;
        }
        if self.lost.is_some_and(|at| !self.counts(at, now)) {
            self.lost = None;
        }
        !self.is_empty()
    }

    pub fn tails(&self) -> impl Iterator<Item = &Tail> {
        self.cells.keys()
    }

    pub fn len(&self) -> usize {
        self.cells.len() + usize::from(self.shared.is_some())
    }

    pub fn is_empty(&self) -> bool {
        self.cells.is_empty() && self.shared.is_none() && self.lost.is_none()
    }
}
