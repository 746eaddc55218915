//! Sets of values that one slot of a call can have, and why it may have none.
//!
//! What must stay true: complement and intersection are exact. A set may be larger than the truth, never
//! smaller: what lint proves is always that nothing is left.

use super::numbers::Numbers;
use crate::decimal::Decimal;
use std::collections::BTreeSet;

/// What is in a set beside numbers and texts.
pub mod kinds {
    /// A member that is not there.
    pub const MISSING: u8 = 1;
    /// No value for any other reason: a parent that is no object, arithmetic, a meter still counting.
    pub const BROKEN: u8 = 2;
    pub const NULL: u8 = 4;
    pub const YES: u8 = 8;
    pub const NO: u8 = 16;
    pub const LIST: u8 = 32;
    pub const MAP: u8 = 64;
    /// Times, durations, types.
    pub const OTHER: u8 = 128;
    /// Everything that is no value.
    pub const VOID: u8 = MISSING | BROKEN;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Texts {
    Only(BTreeSet<Box<str>>),
    AllBut(BTreeSet<Box<str>>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values {
    pub kinds: u8,
    pub numbers: Numbers,
    pub texts: Texts,
}

impl Texts {
    #[must_use]
    pub fn none() -> Self {
        Self::Only(BTreeSet::new())
    }

    #[must_use]
    pub fn all() -> Self {
        Self::AllBut(BTreeSet::new())
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Only(texts) if texts.is_empty())
    }

    fn complement(&self) -> Self {
        match self {
            Self::Only(texts) => Self::AllBut(texts.clone()),
            Self::AllBut(texts) => Self::Only(texts.clone()),
        }
    }

    fn and(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Only(left), Self::Only(right)) => Self::Only(left.intersection(right).cloned().collect()),
            (Self::Only(texts), Self::AllBut(without)) | (Self::AllBut(without), Self::Only(texts)) => {
                Self::Only(texts.difference(without).cloned().collect())
            }
            (Self::AllBut(left), Self::AllBut(right)) => Self::AllBut(left.union(right).cloned().collect()),
        }
    }
}

impl Values {
    #[must_use]
    pub fn none() -> Self {
        Self { kinds: 0, numbers: Numbers::none(), texts: Texts::none() }
    }

    #[must_use]
    pub fn all() -> Self {
        Self { kinds: u8::MAX, numbers: Numbers::all(), texts: Texts::all() }
    }

    #[must_use]
    pub fn of_kinds(kinds: u8) -> Self {
        Self { kinds, ..Self::none() }
    }

    #[must_use]
    pub fn of_numbers(numbers: Numbers) -> Self {
        Self { numbers, ..Self::none() }
    }

    #[must_use]
    pub fn number(number: Decimal) -> Self {
        Self::of_numbers(Numbers::one(number))
    }

    #[must_use]
    pub fn any_text() -> Self {
        Self { texts: Texts::all(), ..Self::none() }
    }

    #[must_use]
    pub fn texts<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Self {
        let texts = texts.into_iter().map(|text| text.as_ref().into()).collect();
        Self { texts: Texts::Only(texts), ..Self::none() }
    }

    /// This set and these kinds of values as well.
    #[must_use]
    pub fn with(mut self, kinds: u8) -> Self {
        self.kinds |= kinds;
        self
    }

    #[must_use]
    pub fn complement(&self) -> Self {
        Self { kinds: !self.kinds, numbers: self.numbers.complement(), texts: self.texts.complement() }
    }

    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            kinds: self.kinds & other.kinds,
            numbers: self.numbers.and(&other.numbers),
            texts: self.texts.and(&other.texts),
        }
    }

    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        self.complement().and(&other.complement()).complement()
    }

    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        self.and(&other.complement())
    }

    /// Whether no value is left; with `whole`, its numbers are whole ones.
    #[must_use]
    pub fn is_empty(&self, whole: bool) -> bool {
        self.kinds == 0 && self.texts.is_empty() && self.numbers.is_empty(whole)
    }

    #[must_use]
    pub fn has_kind(&self, kind: u8) -> bool {
        self.kinds & kind != 0
    }
}
