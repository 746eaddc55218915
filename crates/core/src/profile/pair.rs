//! One agent's use of one action type: a fixed amount of memory, whatever happens.

use super::NEEDED;
use super::size::Size;
use super::sketch::Sketch;
use serde::{Deserialize, Serialize};

/// Hours in which something succeeded, before a pace is called usual.
const HOURS_NEEDED: u32 = 5;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    pub observations: u64,
    /// Place of its last observation among all.
    pub learned: u64,
    sizes: Sketch,
    /// Powers of two of what succeeded in an hour.
    paces: Sketch,
    /// Decisions of the current hour and the one before.
    decided: Hour,
    before: u32,
    /// What succeeded of one hour, as far as it is known.
    succeeded: Hour,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hour {
    hour: i64,
    count: u32,
}

impl Pair {
    /// A call was decided. One before the last one counts with it.
    pub fn note(&mut self, hour: i64) {
        if hour > self.decided.hour {
            self.before = if hour == self.decided.hour.saturating_add(1) { self.decided.count } else { 0 };
            self.decided = Hour { hour, count: 0 };
        }
        self.decided.count = self.decided.count.saturating_add(1);
    }

    /// Decisions within the last hour; the hour before counts by the part of it that is still within, rounded up.
    #[must_use]
    pub fn pace(&self, hour: i64, minute: u32) -> u32 {
        let (this, before) = match hour.saturating_sub(self.decided.hour) {
            ..=0 => (self.decided.count, self.before),
            1 => (0, self.decided.count),
            _ => (0, 0),
        };
        let rest = u64::from(before) * u64::from(60u32.saturating_sub(minute));
        this.saturating_add(u32::try_from(rest.div_ceil(60)).unwrap_or(u32::MAX))
    }

    /// A call that was decided in `hour` succeeded, as became known in the hour `now`.
    pub fn learn(&mut self, hour: i64, size: Option<Size>, learned: u64, now: i64) {
        self.observations += 1;
        self.learned = learned;
        if let Some(size) = size.filter(|size| size.is_read()) {
            self.sizes.add(size.step(), u32::try_from(NEEDED).unwrap_or(u32::MAX), now);
        }
        if hour > self.succeeded.hour {
            if self.succeeded.count > 0 {
                self.paces.add(power(self.succeeded.count), HOURS_NEEDED, now);
            }
            self.succeeded = Hour { hour, count: 0 };
        }
        // A report about an earlier hour says nothing about the pace of this one.
        if hour == self.succeeded.hour {
            self.succeeded.count = self.succeeded.count.saturating_add(1);
        }
    }

    #[must_use]
    pub fn usual_pace(&self) -> Option<u8> {
        self.paces.usual().filter(|_| self.observations >= NEEDED)
    }

    #[must_use]
    pub fn usual_size(&self) -> Option<Size> {
        self.sizes.usual().map(Size::of_step)
    }
}

/// The largest power of two that is not above the count.
#[must_use]
pub fn power(count: u32) -> u8 {
    u8::try_from(count.checked_ilog2().unwrap_or(0)).unwrap_or(0)
}
