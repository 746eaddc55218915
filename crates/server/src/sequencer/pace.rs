//! Ledger time from two clocks: never back, and a jump of the wall clock is noticed.

use crate::clock::Reading;
use runplane_core::time::{Micros, Span};

/// A wall clock that runs ahead of the monotonic one by more than this has been stepped.
const TOLERANCE: Span = Span(2_000_000);
/// Pause between two attempts to load state after a failure.
const RELOAD_PAUSE: Span = Span(100_000);

pub struct Pace {
    last: Reading,
    last_reload: Option<Micros>,
}

/// The time of a batch, and the step of the wall clock before it, if there was one.
pub struct Time {
    pub now: Micros,
    pub step: Option<Span>,
}

impl Pace {
    #[must_use]
    pub fn start(reading: Reading) -> Self {
        Self { last: reading, last_reload: None }
    }

    /// The time of the next batch, given the time of the last entry.
    pub fn next(&mut self, reading: Reading, last_entry: Micros) -> Time {
        let wall = reading.wall.since(self.last.wall);
        let elapsed = reading.elapsed.since(self.last.elapsed);
        let drift = Span(wall.0.saturating_sub(elapsed.0));
        self.last = reading;
        Time {
            now: Micros(reading.wall.0.max(last_entry.0)),
            step: (drift.0.saturating_abs() > TOLERANCE.0).then_some(drift),
        }
    }

    pub fn may_reload(&mut self, elapsed: Micros) -> bool {
        let may = self.last_reload.is_none_or(|last| elapsed.since(last) >= RELOAD_PAUSE);
        if may {
            self.last_reload = Some(elapsed);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(wall: i64, elapsed: i64) -> Reading {
        Reading { wall: Micros(wall), elapsed: Micros(elapsed) }
    }

    #[test]
    fn time_never_goes_back_and_steps_are_noticed() {
        let mut pace = Pace::start(reading(1_000_000_000, 0));
        let usual = pace.next(reading(1_001_000_000, 1_000_000), Micros(1_000_000_000));
        assert_eq!((usual.now, usual.step), (Micros(1_001_000_000), None));
        let back = pace.next(reading(900_000_000, 2_000_000), Micros(1_001_000_000));
        assert_eq!((back.now, back.step), (Micros(1_001_000_000), Some(Span(-102_000_000))));
        let forward = pace.next(reading(8_000_000_000, 3_000_000), Micros(1_001_000_000));
        assert_eq!((forward.now, forward.step), (Micros(8_000_000_000), Some(Span(7_099_000_000))));
    }
}
