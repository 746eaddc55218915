//! How often each of a few steps was seen, in fixed memory, and which of them is usual.
//!
//! Older observations weigh less: from time to time all counts are halved. What is usual is the step that 95
//! of 100 observations do not exceed; it moves at most one step a day, in either direction.

use super::size::STEPS;
use serde::{Deserialize, Serialize};

/// Observations after which all counts are halved.
const FULL: u32 = 1_024;
/// Observations of a hundred that the usual step covers.
const COVERED: u32 = 95;
/// Hours between two moves.
const PAUSE: i64 = 24;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sketch {
    counts: [u16; STEPS],
    total: u32,
    usual: Option<u8>,
    /// The hour of the last move.
    moved: i64,
}

impl Default for Sketch {
    fn default() -> Self {
        Self { counts: [0; STEPS], total: 0, usual: None, moved: 0 }
    }
}

impl Sketch {
    /// Counts a step; below `needed` observations nothing is usual.
    pub fn add(&mut self, step: u8, needed: u32, hour: i64) {
        let Some(count) = self.counts.get_mut(usize::from(step)) else { return };
        *count = count.saturating_add(1);
        self.total += 1;
        if self.total >= FULL {
            self.counts.iter_mut().for_each(|count| *count /= 2);
            self.total = self.counts.iter().map(|count| u32::from(*count)).sum();
        }
        if self.usual.is_none() && self.total < needed {
            return;
        }
        let covering = self.covering();
        let next = match self.usual {
            None => covering,
            Some(usual) if hour.saturating_sub(self.moved) < PAUSE => usual,
            Some(usual) if covering > usual => usual + 1,
            Some(usual) if covering < usual => usual - 1,
            Some(usual) => usual,
        };
        if self.usual != Some(next) {
            self.usual = Some(next);
            self.moved = hour;
        }
    }

    #[must_use]
    pub fn usual(&self) -> Option<u8> {
        self.usual
    }

    /// The least step that enough observations do not exceed.
    fn covering(&self) -> u8 {
        let mut seen = 0u32;
        for (step, count) in (0u8..).zip(&self.counts) {
            seen += u32::from(*count);
            if seen * 100 >= self.total * COVERED {
                return step;
            }
        }
        0
    }
}

/// The form in a snapshot: only steps that were seen.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    seen: Vec<(u8, u16)>,
    usual: Option<u8>,
    moved: i64,
}

impl Serialize for Sketch {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let seen = (0u8..).zip(self.counts).filter(|(_, count)| *count > 0).collect();
        Stored { seen, usual: self.usual, moved: self.moved }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Sketch {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = Stored::deserialize(deserializer)?;
        let mut sketch = Self { usual: stored.usual, moved: stored.moved, ..Self::default() };
        for (step, seen) in stored.seen {
            let count = sketch.counts.get_mut(usize::from(step));
            *count.ok_or_else(|| serde::de::Error::custom("a sketch has a step too many"))? = seen;
            sketch.total += u32::from(seen);
        }
        Ok(sketch)
    }
}
