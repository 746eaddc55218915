//! Ledger time from two clocks: never back, and a jump of the wall clock is noticed, also one in many small steps.
//!
//! Windows move by the time of the ledger less the forward steps that were noticed. Two things must stay true of that
//! time, whatever the wall clock does. It never goes back, because what it has swept once would count again. And over
//! no stretch does it gain more on the time that really passed than the tolerance, so that no window empties early.

use crate::clock::Reading;
use runplane_core::time::{Micros, Span};

/// A wall clock that runs ahead of the monotonic one by more than this has been stepped.
const TOLERANCE: Span = Span(2_000_000);
/// Pause between two attempts to load state after a failure.
const RELOAD_PAUSE: Span = Span(100_000);

/// The clocks of two machines drift apart: a database's may gain this part of the time on a node's, and no more.
const DRIFT: i64 = 1_000;
/// What may have been drift grows with the time since the database's clock was last looked at: it is looked at that often.
const LONGEST: Span = Span::seconds(3_600);

#[derive(Clone, Copy)]
pub struct Pace {
    last: Reading,
    /// Ledger time of the last reading; `None` where that reading is of no ledger yet.
    ledger: Option<Micros>,
    /// By how much the time of windows has gained on the time that passed, in steps too small to be noticed one by one.
    gained: Span,
    /// By how much the wall clock has fallen behind in the same way.
    fallen: Span,
    last_reload: Option<Micros>,
    /// Wall-clock time is the database's.
    is_remote: bool,
    /// How far the database's clock is ahead of the node's own.
    ahead: Span,
}

/// The time of a batch, and the step before it, if there was one: of ledger time if forward, of the wall clock if back.
pub struct Time {
    pub now: Micros,
    pub step: Option<Span>,
}

/// Steps that others have put on the record.
#[derive(Clone, Copy, Default)]
pub struct Steps {
    pub all: Span,
    pub forward: Span,
}

impl Steps {
    pub fn add(&mut self, step: Span) {
        self.all = Span(self.all.0.saturating_add(step.0));
        self.forward = Span(self.forward.0.saturating_add(step.0.max(0)));
    }
}

impl Pace {
    #[must_use]
    pub fn start(reading: Reading) -> Self {
        let (gained, fallen) = (Span::ZERO, Span::ZERO);
        Self { last: reading, ledger: None, gained, fallen, last_reload: None, is_remote: false, ahead: Span::ZERO }
    }

    /// The same reading with the database's time in the place of the node's own, if there is one.
    pub fn with_remote(&mut self, own: Reading, remote: Option<i64>) -> Reading {
        let Some(remote) = remote else { return own };
        let reading = Reading { wall: Micros(remote), elapsed: own.elapsed };
        self.ahead = reading.wall.since(own.wall);
        if !self.is_remote {
            // What was read before is of another clock, and says nothing about this one.
            *self = Self { last_reload: self.last_reload, is_remote: true, ahead: self.ahead, ..Self::start(reading) };
        }
        reading
    }

    /// What a reading of the node's own clock is by the clock that counts.
    #[must_use]
    pub fn estimate(&self, own: Micros) -> Micros {
        own.after(self.ahead)
    }

    /// Whether the clock that counts was not looked at for so long that much could pass for drift.
    #[must_use]
    pub fn is_stale(&self, elapsed: Micros) -> bool {
        self.is_remote && elapsed.since(self.last.elapsed) > LONGEST
    }

    /// Steps that others have put on the record are not noticed once more.
    pub fn forgive(&mut self, steps: Steps) {
        self.last.wall = self.last.wall.after(steps.all);
        self.ledger = self.ledger.map(|ledger| ledger.after(steps.forward));
    }

    /// The time of the next batch, given the time of the last entry.
    pub fn next(&mut self, reading: Reading, last_entry: Micros) -> Time {
        let passed = reading.elapsed.since(self.last.elapsed).0;
        let drift = if self.is_remote { passed / DRIFT } else { 0 };
        let now = Micros(reading.wall.0.max(last_entry.0));
        let before = self.ledger.unwrap_or_else(|| Micros(self.last.wall.0.max(last_entry.0)));
        let forward = notice(&mut self.gained, now.since(before).0.saturating_sub(passed), drift);
        let back = notice(&mut self.fallen, passed.saturating_sub(reading.wall.since(self.last.wall).0), drift);
        // More than ledger time went forward cannot be taken from it; the rest is taken from what comes.
        let taken = forward.min(now.since(last_entry).0);
        self.gained = Span(self.gained.0.saturating_add(forward - taken));
        (self.last, self.ledger) = (reading, Some(now));
        let step = if taken > 0 { taken } else { -back };
        Time { now, step: (step != 0).then_some(Span(step)) }
    }

    pub fn may_reload(&mut self, elapsed: Micros) -> bool {
        let may = self.last_reload.is_none_or(|last| elapsed.since(last) >= RELOAD_PAUSE);
        if may {
            self.last_reload = Some(elapsed);
        }
        may
    }
}

/// How much of a step is noticed: all of it, or of small ones all that have added up, or nothing. Time that was lost
/// is no credit for time that is gained: what came in at its end would be let go of early.
fn notice(small: &mut Span, step: i64, drift: i64) -> i64 {
    let tolerance = TOLERANCE.0.saturating_add(drift);
    if step > tolerance {
        return step;
    }
    let added = small.0.saturating_add(step).max(0);
    let is_noticed = added > tolerance;
    *small = Span(if is_noticed { 0 } else { added.saturating_sub(drift).max(0) });
    if is_noticed { added } else { 0 }
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
        // Of the step of the wall clock, as much as ledger time went along with: it had not gone back before.
        assert_eq!((forward.now, forward.step), (Micros(8_000_000_000), Some(Span(6_998_000_000))));
    }

    #[test]
    fn steps_too_small_to_be_noticed_are_noticed_together() {
        let mut pace = Pace::start(reading(1_000_000_000, 0));
        let mut noticed = 0;
        for number in 1..=100 {
            // A clock that runs at three times its speed, looked at every half second.
            let at = reading(1_000_000_000 + number * 1_500_000, number * 500_000);
            noticed += pace.next(at, Micros(0)).step.map_or(0, |step| step.0);
        }
        assert!((98_000_000..=100_000_000).contains(&noticed), "{noticed}");
        // A step that is noticed at once is not noticed again.
        let mut pace = Pace::start(reading(0, 0));
        assert_eq!(pace.next(reading(1_500_000, 0), Micros(0)).step, None);
        assert_eq!(pace.next(reading(11_500_000, 0), Micros(0)).step, Some(Span(10_000_000)));
        assert_eq!(pace.next(reading(11_900_000, 0), Micros(0)).step, None);
        assert_eq!(pace.next(reading(12_100_000, 0), Micros(0)).step, Some(Span(2_100_000)));
        // There and back again is no step.
        let mut pace = Pace::start(reading(0, 0));
        for number in 0..50 {
            let there = if number % 2 == 0 { 1_500_000 } else { 0 };
            assert_eq!(pace.next(reading(there, 0), Micros(0)).step, None);
        }
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
        let mut steps = Steps::default();
        steps.add(noticed.unwrap());
        there.forgive(steps);
        assert_eq!(step(&mut there, 152_000_000, 3_000_000), None);
        // A day without a turn: clocks of machines drift.
        assert_eq!(step(&mut there, 152_000_000 + 86_420_000_000, 3_000_000 + 86_400_000_000), None);
        assert_eq!(step(&mut there, 86_572_000_000 + 4_000_000, 86_404_000_000), Some(Span(3_000_000)));
    }
    /// What decisions see: ledger time as it is recorded, and the steps that windows are widened by.
    struct Ledger {
        pace: Pace,
        time: Micros,
        skipped: i64,
    }

    impl Ledger {
        /// The time of windows at this reading.
        fn see(&mut self, wall: i64, elapsed: i64) -> i64 {
            let time = self.pace.next(reading(wall, elapsed), self.time);
            assert!(time.now >= self.time);
            self.time = time.now;
            self.skipped += time.step.map_or(0, |step| step.0.max(0));
            self.time.0 - self.skipped
        }
    }

    #[test]
    fn whatever_the_clock_does_the_time_of_windows_never_goes_back_and_no_window_empties_early() {
        let mut state = 7u64;
        let mut dice = |sides: i64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            i64::try_from(state >> 33).unwrap() % sides
        };
        for seed in 0..300 {
            let (mut wall, mut elapsed) = (1_000_000_000_000, 0);
            let pace = Pace::start(reading(wall, elapsed));
            let mut ledger = Ledger { pace, time: Micros(wall), skipped: 0 };
            let mut seen = vec![(elapsed, wall)];
            for _ in 0..100 {
                let passed = dice(3) * dice(3_000_000);
                elapsed += passed;
                wall += passed
                    + match dice(8) {
                        0 | 1 => dice(1_900_000),
                        2 | 3 => -dice(1_900_000),
                        4 => dice(60_000_000) - 30_000_000,
                        _ => 0,
                    };
                seen.push((elapsed, ledger.see(wall, elapsed)));
            }
            for (place, (at, time)) in seen.iter().enumerate() {
                for (later, later_time) in &seen[place..] {
                    let (gained, passed) = (later_time - time, later - at);
                    assert!(gained >= 0, "seed {seed}: windows go back by {gained} µs");
                    assert!(gained <= passed + TOLERANCE.0, "seed {seed}: {gained} µs within {passed}");
                }
            }
        }
    }

    #[test]
    fn a_clock_that_goes_there_and_back_widens_windows_no_further_each_time() {
        for far in [1_500_000, 10_000_000] {
            let mut ledger = Ledger { pace: Pace::start(reading(0, 0)), time: Micros(0), skipped: 0 };
            for number in 1..=200 {
                let (there, at) = (if number % 4 < 2 { far } else { 0 }, number * 10_000);
                ledger.see(at + there, at);
            }
            assert!(ledger.skipped <= 10_000_000 + 2_000_000, "{} µs for steps of {far}", ledger.skipped);
        }
    }

    #[test]
    fn of_a_databases_clock_a_step_is_noticed_however_long_the_node_has_run() {
        let mut pace = Pace::start(reading(0, 0));
        // The database gains 30 seconds a day, which is drift, for ten days, and is looked at every ten minutes.
        let database = |elapsed: i64| 500_000_000 + elapsed + elapsed * 30 / 86_400;
        let step = |pace: &mut Pace, database: i64, elapsed: i64| {
            let read = pace.with_remote(reading(elapsed, elapsed), Some(database));
            pace.next(read, Micros(0)).step
        };
        let mut elapsed = 0;
        for _ in 0..10 * 144 {
            elapsed += 600_000_000;
            assert_eq!(step(&mut pace, database(elapsed), elapsed), None);
        }
        elapsed += 1_000_000;
        assert_eq!(step(&mut pace, database(elapsed) + 3_000_000, elapsed).map(|step| step.0 / 1_000_000), Some(3));
        // The same in small steps, one each second.
        let mut noticed = 0;
        for number in 1..=100 {
            elapsed += 1_000_000;
            let stepped = database(elapsed) + 3_000_000 + number * 100_000;
            noticed += step(&mut pace, stepped, elapsed).map_or(0, |step| step.0);
        }
        assert!((7_500_000..=10_100_000).contains(&noticed), "{noticed}");
        assert!(!pace.is_stale(Micros(elapsed + 3_600_000_000)));
        assert!(pace.is_stale(Micros(elapsed + 3_600_000_001)), "it is looked at before much could pass for drift");
        assert!(!Pace::start(reading(0, 0)).is_stale(Micros(i64::MAX)), "a clock of the same machine does not drift");
    }
}
