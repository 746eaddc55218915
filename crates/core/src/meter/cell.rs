//! What one key of a counter holds, as small as it can be: nearly every key has one count in one step.

use super::charge::{Charge, Op};
use super::window::{Ruler, Steps};
use crate::decimal::Decimal;
use crate::time::{Micros, Span};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// A whole number in one step.
    One {
        step: i64,
        amount: u64,
    },
    Many(Box<Steps>),
    Mark {
        at: Micros,
        said: Said,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    False,
    True,
    /// Nobody knows.
    Doubt,
}

impl Said {
    pub fn of(amount: Decimal) -> Self {
        match amount.to_i64() {
            Some(0) => Self::False,
            Some(1) => Self::True,
            _ => Self::Doubt,
        }
    }

    pub fn number(self) -> u8 {
        match self {
            Self::False => 0,
            Self::True => 1,
            Self::Doubt => 2,
        }
    }

    pub fn numbered(number: u8) -> Option<Self> {
        [Self::False, Self::True, Self::Doubt].into_iter().find(|said| said.number() == number)
    }

    pub fn amount(self) -> Decimal {
        Decimal::from(u64::from(self.number()))
    }
}

impl Cell {
    /// A cell with these steps; `None` if there are none, or none that can have been added.
    pub fn of_steps(steps: Vec<(i64, Decimal)>) -> Option<Self> {
        let steps = Steps::new(steps)?;
        steps.last().map(|_| Self::Many(Box::new(steps)).settled())
    }

    /// The smallest form.
    fn settled(self) -> Self {
        match &self {
            Self::Many(steps) => match steps.only() {
                Some((step, amount)) => whole(amount).map_or(self, |amount| Self::One { step, amount }),
                None => self,
            },
            _ => self,
        }
    }

    pub fn steps(&self) -> Vec<(i64, Decimal)> {
        match self {
            Self::One { step, amount } => vec![(*step, Decimal::from(*amount))],
            Self::Many(steps) => steps.iter().collect(),
            Self::Mark { .. } => Vec::new(),
        }
    }

    /// How many steps it has.
    pub fn len(&self) -> usize {
        match self {
            Self::One { .. } => 1,
            Self::Many(steps) => steps.iter().count(),
            Self::Mark { .. } => 0,
        }
    }

    pub fn each_step(&self, mut take: impl FnMut(i64, Decimal)) {
        match self {
            Self::One { step, amount } => take(*step, Decimal::from(*amount)),
            Self::Many(steps) => steps.iter().for_each(|(step, amount)| take(step, amount)),
            Self::Mark { .. } => {}
        }
    }

    /// The step in which the last of it was put in.
    pub fn last_step(&self, within: Span) -> Option<i64> {
        match self {
            Self::One { step, .. } => Some(*step),
            Self::Many(steps) => steps.last(),
            Self::Mark { at, .. } => Some(Ruler(within).step_of(*at)),
        }
    }

    /// Bytes it takes up elsewhere.
    pub fn weight(&self) -> usize {
        match self {
            Self::Many(steps) => steps.weight(),
            Self::One { .. } | Self::Mark { .. } => 0,
        }
    }

    /// Whether anything of it counts.
    pub fn is_live(&self, within: Span, now: Micros) -> bool {
        match self {
            Self::One { step, .. } => *step >= Ruler(within).oldest_step(now),
            Self::Many(steps) => steps.last().is_some_and(|last| last >= Ruler(within).oldest_step(now)),
            Self::Mark { at, .. } => now.since(*at) <= within,
        }
    }

    pub fn read(&self, within: Span, now: Micros) -> Decimal {
        match self {
            _ if !self.is_live(within, now) => Decimal::ZERO,
            Self::One { amount, .. } => Decimal::from(*amount),
            Self::Many(steps) => steps.read(Ruler(within).oldest_step(now)),
            Self::Mark { said, .. } => said.amount(),
        }
    }

    /// From when on the first of it no longer counts.
    pub fn eases_at(&self, within: Span, now: Micros) -> Option<Micros> {
        let oldest = Ruler(within).oldest_step(now);
        let first = match self {
            Self::One { step, .. } => Some(*step),
            Self::Many(steps) => steps.iter().map(|(step, _)| step).find(|step| *step >= oldest),
            Self::Mark { at, .. } => return Some(at.after(within)),
        };
        first.filter(|step| *step >= oldest).map(|step| Ruler(within).end_of(step))
    }

    /// A new cell; `None` if the charge leaves nothing behind. `is_shared` says that other keys are in it, too.
    pub fn new(charge: &Charge, within: Span, at: Micros, is_shared: bool) -> Option<Self> {
        match charge.op {
            Op::Add => {
                let step = Ruler(within).step_of(at);
                match whole(charge.amount) {
                    Some(0) => None,
                    Some(amount) => Some(Self::One { step, amount }),
                    None => Self::of_steps(vec![(step, charge.amount)]),
                }
            }
            Op::Reset => None,
            Op::Last | Op::Event => {
                let said = if is_shared { Said::Doubt } else { Said::of(charge.amount) };
                Some(Self::Mark { at, said })
            }
        }
    }

    /// Takes a charge in; `false` if nothing is left of the cell.
    pub fn put(&mut self, charge: &Charge, within: Span, at: Micros, is_shared: bool) -> bool {
        match (charge.op, &mut *self) {
            (Op::Add, Self::Mark { .. }) => {}
            (Op::Add, _) => self.add(within, at, charge.amount),
            (Op::Reset, Self::Mark { said, .. }) => {
                if is_shared {
                    return true;
                }
                if Said::of(charge.amount) == Said::True {
                    return false;
                }
                // It may have been taken away.
                *said = Said::Doubt;
            }
            (Op::Last | Op::Event, Self::Mark { at: known, said }) => {
                (*known, *said) = (at, if is_shared { Said::Doubt } else { Said::of(charge.amount) });
            }
            (_, Self::One { .. } | Self::Many(_)) => {}
        }
        true
    }

    fn add(&mut self, within: Span, at: Micros, amount: Decimal) {
        let ruler = Ruler(within);
        let step = ruler.step_of(at);
        if let (Self::One { step: known, amount: counted }, Some(more)) = (&mut *self, whole(amount))
            && *known >= step
            && let Some(total) = counted.checked_add(more)
        {
            *counted = total;
            return;
        }
        if let Self::Many(steps) = self {
            steps.expire(ruler.oldest_step(at));
            steps.add(step, amount);
        } else if let Some(mut steps) = Steps::new(self.steps()) {
            steps.expire(ruler.oldest_step(at));
            steps.add(step, amount);
            *self = Self::Many(Box::new(steps)).settled();
        }
    }

    /// Takes back; `false` if nothing is left.
    pub fn give_back(&mut self, within: Span, at: Micros, amount: Decimal) -> bool {
        let step = Ruler(within).step_of(at);
        if let Self::One { step: known, amount: counted } = self {
            let Some(less) = whole(amount).filter(|_| *known == step) else {
                return *known != step || self.give_back_exactly(step, amount);
            };
            *counted = counted.saturating_sub(less);
            return *counted > 0;
        }
        self.give_back_exactly(step, amount)
    }

    fn give_back_exactly(&mut self, step: i64, amount: Decimal) -> bool {
        if matches!(self, Self::Mark { .. }) {
            return true;
        }
        let Some(mut steps) = Steps::new(self.steps()) else { return true };
        steps.give_back(step, amount);
        match steps.last() {
            Some(_) => *self = Self::Many(Box::new(steps)).settled(),
            None => return false,
        }
        true
    }

    /// Drops what no longer counts; `false` if nothing is left. A mark is kept until its step has passed, as the number
    /// of keys counts it.
    pub fn expire(&mut self, within: Span, now: Micros) -> bool {
        let ruler = Ruler(within);
        if self.last_step(within).is_none_or(|last| last < ruler.oldest_step(now)) {
            return false;
        }
        if let Self::Many(steps) = self {
            steps.expire(ruler.oldest_step(now));
            if steps.only().and_then(|(_, amount)| whole(amount)).is_some() {
                *self = std::mem::replace(self, Self::One { step: 0, amount: 0 }).settled();
            }
        }
        true
    }
}

fn whole(amount: Decimal) -> Option<u64> {
    amount.to_i64().and_then(|amount| u64::try_from(amount).ok())
}
