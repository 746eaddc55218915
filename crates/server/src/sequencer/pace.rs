//! Ledger time from two clocks: never back, and a jump of the wall clock is noticed.

use crate::clock::Reading;
use runplane_core::time::{Micros, Span};

/// A wall clock that runs ahead of the monotonic one by more than this has been stepped.
const TOLERANCE: Span = Span(2_000_000);
/// Pause between two attempts to load state after a failure.
const RELOAD_PAUSE: Span = Span(100_000);

/// The clocks of two machines drift apart: a database's may gain this part of the time on a node's, and no more.
const DRIFT: i64 = 1_000;

pub struct Pace {
    last: Reading,
    last_reload: Option<Micros>,
    /// Wall-clock time is the database's.
    is_remote: bool,
    /// How far the database's clock is ahead of the node's own.
    ahead: Span,
}

/// The time of a batch, and the step of the wall clock before it, if there was one.
pub struct Time {
    pub now: Micros,
    pub step: Option<Span>,
}

impl Pace {
    #[must_use]
    pub fn start(reading: Reading) -> Self {
        Self { last: reading, last_reload: None, is_remote: false, ahead: Span::ZERO }
    }

    /// The same reading with the database's time in the place of the node's own, if there is one.
    pub fn with_remote(&mut self, own: Reading, remote: Option<i64>) -> Reading {
        let Some(remote) = remote else { return own };
        let reading = Reading { wall: Micros(remote), elapsed: own.elapsed };
        self.ahead = reading.wall.since(own.wall);
        if !self.is_remote {
            // What was read before is of another clock, and says nothing about this one.
            (self.is_remote, self.last) = (true, reading);
        }
        reading
    }

    /// What a reading of the node's own clock is by the clock that counts.
    #[must_use]
    pub fn estimate(&self, own: Micros) -> Micros {
        own.after(self.ahead)
    }

    /// Steps that others have put on the record are not noticed once more.
    pub fn forgive(&mut self, steps: Span) {
        self.last.wall = self.last.wall.after(steps);
    }

    /// The time of the next batch, given the time of the last entry.
    pub fn next(&mut self, reading: Reading, last_entry: Micros) -> Time {
        let wall = reading.wall.since(self.last.wall);
        let elapsed = reading.elapsed.since(self.last.elapsed);
        let drift = Span(wall.0.saturating_sub(elapsed.0));
        self.last = reading;
        let tolerance = TOLERANCE.0.saturating_add(if self.is_remote { elapsed.0 / DRIFT } else { 0 });
        Time {
            now: Micros(reading.wall.0.max(last_entry.0)),
            step: (drift.0.saturating_abs() > tolerance).then_some(drift),
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

    #[test]
    fn of_several_nodes_one_records_a_step_of_the_databases_clock() {
        let (mut here, mut there) = (Pace::start(reading(5_000_000, 0)), Pace::start(reading(9_000_000, 0)));
        let step = |pace: &mut Pace, database: i64, elapsed: i64| {
            let own = reading(5_000_000 + elapsed, elapsed);
            let read = pace.with_remote(own, Some(database));
            pace.next(read, Micros(0)).step
        };
        assert_eq!(step(&mut here, 100_000_000, 1_000_000), None, "another clock than the node's own is no step");
        assert_eq!(step(&mut there, 100_000_000, 1_000_000), None);
        assert_eq!(here.estimate(Micros(7_000_000)), Micros(101_000_000));
        let noticed = step(&mut here, 151_000_000, 2_000_000);
        assert_eq!(noticed, Some(Span(50_000_000)));
        there.forgive(noticed.unwrap());
        assert_eq!(step(&mut there, 152_000_000, 3_000_000), None);
        // A day without a turn: clocks of machines drift.
        assert_eq!(step(&mut there, 152_000_000 + 86_420_000_000, 3_000_000 + 86_400_000_000), None);
        assert_eq!(step(&mut there, 86_572_000_000 + 4_000_000, 86_404_000_000), Some(Span(3_000_000)));
    }
}
