//! A sliding window in steps of a sixtieth of its length. A step counts until all of it is older than
//! the window, so a reading may count up to one step too much and never too little.

use crate::decimal::Decimal;
use crate::time::{Micros, Span};
use std::collections::VecDeque;

const STEPS: i64 = 60;

/// How a window of this length is cut into steps.
#[derive(Clone, Copy)]
pub struct Ruler(pub Span);

impl Ruler {
    fn granularity(self) -> i64 {
        (self.0.0 / STEPS).max(1)
    }

    pub fn step_of(self, at: Micros) -> i64 {
        at.0.div_euclid(self.granularity())
    }

    /// The step that holds the moment at which the window begins: all of it still counts.
    pub fn oldest_step(self, now: Micros) -> i64 {
        self.step_of(now.before(self.0))
    }

    /// From when on the step no longer counts.
    pub fn end_of(self, step: i64) -> Micros {
        Micros(step.saturating_add(1).saturating_mul(self.granularity())).after(self.0)
    }
}

/// What was added in which step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steps {
    /// Step number and what was added in it; ascending numbers, no zero amounts.
    steps: VecDeque<(i64, Decimal)>,
    /// INVARIANT: `sum` of the steps, in their order, so that it is the same however they came there.
    total: Decimal,
    /// All amounts are short enough that every sum of them is exact, in whatever order: then the total need not be made
    /// again from all steps when one changes.
    is_short: bool,
}

impl Steps {
    /// `None` if the steps are not in order or hold amounts that cannot have been added.
    pub fn new(steps: Vec<(i64, Decimal)>) -> Option<Self> {
        let ordered = steps.windows(2).all(|pair| matches!(pair, [(a, _), (b, _)] if a < b));
        let positive = steps.iter().all(|(_, amount)| !amount.is_negative() && !amount.is_zero());
        let mut made = Self { steps: steps.into(), total: Decimal::ZERO, is_short: false };
        made.sum_up();
        (ordered && positive).then_some(made)
    }

    fn sum_up(&mut self) {
        self.total = sum(self.steps.iter());
        self.is_short = is_short(self.total) && self.steps.iter().all(|(_, amount)| is_short(*amount));
    }

    /// The total after a change of one step, or made again.
    fn change(&mut self, changed: Option<Decimal>) {
        match changed.filter(|total| self.is_short && is_short(*total)) {
            Some(total) => self.total = total,
            None => self.sum_up(),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (i64, Decimal)> + '_ {
        self.steps.iter().copied()
    }

    /// Bytes, with what an allocator adds to two pieces.
    pub fn weight(&self) -> usize {
        32 + size_of::<Self>() + self.steps.capacity() * size_of::<(i64, Decimal)>()
    }

    pub fn first(&self) -> Option<i64> {
        self.steps.front().map(|(step, _)| *step)
    }

    pub fn last(&self) -> Option<i64> {
        self.steps.back().map(|(step, _)| *step)
    }

    pub fn only(&self) -> Option<(i64, Decimal)> {
        if self.steps.len() == 1 { self.steps.front().copied() } else { None }
    }

    /// What counts from this step on.
    pub fn read(&self, oldest: i64) -> Decimal {
        if self.first().is_none_or(|first| first >= oldest) {
            return self.total;
        }
        let gone = || self.steps.iter().take_while(|(step, _)| *step < oldest);
        let left = if self.is_short { self.total.checked_sub(sum(gone())).ok() } else { None };
        left.unwrap_or_else(|| sum(self.steps.iter().skip_while(|(step, _)| *step < oldest)))
    }

    /// Adds in a step. A step before the last one counts as that last one: ledger time does not go back, and
    /// counting later is counting longer.
    pub fn add(&mut self, step: i64, amount: Decimal) {
        match self.steps.back_mut() {
            Some((last, counted)) if *last >= step => *counted = at_least_sum(*counted, amount),
            _ => self.steps.push_back((step, amount)),
        }
        let total = if is_short(amount) { self.total.checked_add(amount).ok() } else { None };
        self.change(total);
    }

    /// Takes back at most what the step still counts. An amount that cannot be subtracted exactly stays.
    pub fn give_back(&mut self, step: i64, amount: Decimal) {
        let Some(place) = self.steps.binary_search_by_key(&step, |(number, _)| *number).ok() else { return };
        let Some((_, counted)) = self.steps.get_mut(place).filter(|_| !amount.is_negative()) else { return };
        let Ok(rest) = counted.checked_sub(amount) else { return };
        let taken = if rest.is_negative() { *counted } else { amount };
        *counted = if rest.is_negative() { Decimal::ZERO } else { rest };
        if counted.is_zero() {
            self.steps.remove(place);
        }
        let total = if is_short(taken) { self.total.checked_sub(taken).ok() } else { None };
        self.change(total);
    }

    /// Drops what is older than this step; `false` if nothing is left.
    pub fn expire(&mut self, oldest: i64) -> bool {
        if self.first().is_some_and(|first| first < oldest) {
            let total = self.read(oldest);
            while self.first().is_some_and(|first| first < oldest) {
                self.steps.pop_front();
            }
            self.change(Some(total));
        }
        !self.steps.is_empty()
    }
}

/// Whether it has at most 12 places after the point and 20 before it. Any sum of such amounts that is itself this short
/// takes at most 32 digits on the way, so nothing is ever rounded.
fn is_short(amount: Decimal) -> bool {
    let (coefficient, exponent) = amount.parts();
    let digits = coefficient.unsigned_abs().checked_ilog10().map_or(0, |log| log.saturating_add(1));
    exponent >= -12 && i64::from(digits) + i64::from(exponent) <= 20
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
#[must_use]
pub fn largest() -> Decimal {
    Decimal::new(1, 6_000).unwrap_or_default()
}
