//! How large a call is, in steps that grow like a logarithm: three to a power of ten.

use crate::decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A step: 0 below 1, then from 1, 2, 5, 10, 20, 50, … on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Size(u8);

/// Steps there are, with the one for what cannot be read.
pub(super) const STEPS: usize = 48;
/// What should say its size and does not; larger than anything that does.
pub const UNREAD: Size = Size(47);
const LARGEST: u8 = 46;

impl Size {
    /// The step of a number without its sign.
    #[must_use]
    pub fn of(number: Decimal) -> Self {
        let step = thirds(number).map_or(0, |thirds| thirds.saturating_add(1));
        Self(u8::try_from(step).unwrap_or(LARGEST).min(LARGEST))
    }

    #[must_use]
    pub fn is_read(self) -> bool {
        self < UNREAD
    }

    /// How many steps it is above another.
    #[must_use]
    pub fn above(self, other: Self) -> u32 {
        u32::from(self.0.saturating_sub(other.0))
    }

    #[must_use]
    pub(super) fn step(self) -> u8 {
        self.0
    }

    #[must_use]
    pub(super) fn of_step(step: u8) -> Self {
        Self(step.min(LARGEST))
    }

    /// The least number that is larger than all of this size.
    #[must_use]
    pub fn end(self) -> Self {
        Self(self.0.saturating_add(1).min(UNREAD.0))
    }
}

/// The least number of this size.
impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(thirds) = self.0.checked_sub(1) else { return f.write_str("0") };
        let digit = match thirds % 3 {
            0 => 1,
            1 => 2,
            _ => 5,
        };
        write!(f, "{digit}{:0<1$}", "", usize::from(thirds / 3))
    }
}

/// Powers of ten in thirds: 0 from 1, 1 from 2, 2 from 5, 3 from 10. Below 1 there are none.
#[must_use]
pub fn thirds(number: Decimal) -> Option<u32> {
    let (coefficient, exponent) = number.parts();
    let magnitude = coefficient.unsigned_abs();
    let digits = magnitude.checked_ilog10()?;
    let decades = u32::try_from(i64::from(digits) + i64::from(exponent)).ok()?;
    let third = match magnitude / 10u128.pow(digits) {
        0..2 => 0,
        2..5 => 1,
        _ => 2,
    };
    Some(decades.saturating_mul(3).saturating_add(third))
}
