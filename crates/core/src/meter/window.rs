//! A sliding window in steps of a sixtieth of its length. A step counts until all of it is older than
//! the window, so a reading may count up to one step too much and never too little.

use crate::decimal::Decimal;
use crate::time::{Micros, Span};
use std::collections::VecDeque;

const STEPS: i64 = 60;

#[derive(Clone, Debug)]
pub struct Window {
    within: Span,
    /// Step number and what was added in it; ascending numbers, no zero amounts.
    steps: VecDeque<(i64, Decimal)>,
    /// INVARIANT: never less than the sum of `steps`.
    total: Decimal,
}

/// The running total is derived: two windows are equal if the same was counted in the same steps.
impl PartialEq for Window {
    fn eq(&self, other: &Self) -> bool {
        self.within == other.within && self.steps == other.steps
    }
}

impl Eq for Window {}

impl Window {
    #[must_use]
    pub fn new(within: Span) -> Self {
        Self { within, steps: VecDeque::new(), total: Decimal::ZERO }
    }

    /// `None` if the steps are not in order or hold amounts that cannot have been added.
    #[must_use]
    pub fn from_steps(within: Span, steps: Vec<(i64, Decimal)>) -> Option<Self> {
        let ordered = steps.windows(2).all(|pair| matches!(pair, [(a, _), (b, _)] if a < b));
        let positive = steps.iter().all(|(_, amount)| !amount.is_negative() && !amount.is_zero());
        let total = sum(steps.iter());
        (ordered && positive).then(|| Self { within, steps: steps.into(), total })
    }

    #[must_use]
    pub fn steps(&self) -> Vec<(i64, Decimal)> {
        self.steps.iter().copied().collect()
    }

    #[must_use]
    pub fn read(&self, now: Micros) -> Decimal {
        let oldest = self.oldest_step(now);
        match self.steps.front() {
            Some((first, _)) if *first < oldest => sum(self.steps.iter().skip_while(|(step, _)| *step < oldest)),
            _ => self.total,
        }
    }

    /// Adds at a moment. A moment before the last one added counts as that last one: ledger time does
    /// not go back, and counting later is counting longer.
    pub fn add(&mut self, at: Micros, amount: Decimal) {
        if amount.is_zero() || amount.is_negative() {
            return;
        }
        self.expire(at);
        let step = self.step_of(at);
        match self.steps.back_mut() {
            Some((last, counted)) if *last >= step => *counted = at_least_sum(*counted, amount),
            _ => self.steps.push_back((step, amount)),
        }
        self.total = at_least_sum(self.total, amount);
    }

    /// Takes back at most what its step still counts. An amount that cannot be subtracted exactly stays.
    pub fn give_back(&mut self, at: Micros, amount: Decimal) {
        let step = self.step_of(at);
        let Some((_, counted)) = self.steps.iter_mut().find(|(number, _)| *number == step) else { return };
        let Ok(rest) = counted.checked_sub(amount) else { return };
        if amount.is_negative() {
            return;
        }
        *counted = if rest.is_negative() { Decimal::ZERO } else { rest };
        self.steps.retain(|(_, counted)| !counted.is_zero());
        self.total = sum(self.steps.iter());
    }

    /// Drops what no longer counts; `false` if nothing is left.
    pub fn expire(&mut self, now: Micros) -> bool {
        let oldest = self.oldest_step(now);
        let mut dropped = false;
        while self.steps.front().is_some_and(|(step, _)| *step < oldest) {
            self.steps.pop_front();
            dropped = true;
        }
        if dropped {
            self.total = sum(self.steps.iter());
        }
        !self.steps.is_empty()
    }

    fn granularity(&self) -> i64 {
        (self.within.0 / STEPS).max(1)
    }

    fn step_of(&self, at: Micros) -> i64 {
        at.0.div_euclid(self.granularity())
    }

    /// The step that holds the moment at which the window begins: all of it still counts.
    fn oldest_step(&self, now: Micros) -> i64 {
        self.step_of(now.before(self.within))
    }
}

fn sum<'a>(steps: impl Iterator<Item = &'a (i64, Decimal)>) -> Decimal {
    steps.fold(Decimal::ZERO, |total, (_, amount)| at_least_sum(total, *amount))
}

/// The sum of two amounts that are not negative; if it does not fit 34 digits, something not smaller.
fn at_least_sum(left: Decimal, right: Decimal) -> Decimal {
    let doubled = || left.max(right).checked_mul(Decimal::from(2i64)).ok();
    left.checked_add(right).ok().or_else(doubled).unwrap_or_else(largest)
}

/// Larger than any number a call can carry.
fn largest() -> Decimal {
    Decimal::new(1, 6_000).unwrap_or_default()
}
