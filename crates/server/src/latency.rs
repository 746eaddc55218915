//! How long guard requests take in this process: a histogram of eight steps per octave, so a figure read from it is
//! at most an eighth too large. Counting is one atomic addition.

use runplane_core::time::{Micros, Span};
use std::sync::atomic::{AtomicU64, Ordering};

const STEPS: usize = 8 * 40;

pub struct Latencies {
    counts: Vec<AtomicU64>,
    /// When counting began.
    pub since: Micros,
}

/// What was measured so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percentiles {
    pub count: u64,
    pub p50: Span,
    pub p99: Span,
}

impl Latencies {
    #[must_use]
    pub fn since(since: Micros) -> Self {
        Self { counts: (0..STEPS).map(|_| AtomicU64::new(0)).collect(), since }
    }

    pub fn note(&self, took: Span) {
        let step = step(u64::try_from(took.0).unwrap_or(0));
        if let Some(count) = self.counts.get(step.min(STEPS - 1)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// `None` before the first.
    #[must_use]
    pub fn percentiles(&self) -> Option<Percentiles> {
        let counts: Vec<u64> = self.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        let count: u64 = counts.iter().sum();
        if count == 0 {
            return None;
        }
        let at = |percent: u64| {
            let wanted = (count * percent).div_ceil(100).max(1);
            let mut seen = 0;
            let step = counts.iter().position(|count| {
                seen += count;
                seen >= wanted
            });
            Span(i64::try_from(upper(step.unwrap_or(STEPS - 1))).unwrap_or(i64::MAX))
        };
        Some(Percentiles { count, p50: at(50), p99: at(99) })
    }
}

fn step(micros: u64) -> usize {
    let octave = micros.max(8).ilog2() - 3;
    let within = (micros >> octave).saturating_sub(8);
    let low = if micros < 8 { micros } else { 8 + u64::from(octave) * 8 + within };
    usize::try_from(low).unwrap_or(STEPS - 1)
}

/// The largest duration of a step, in microseconds.
fn upper(step: usize) -> u64 {
    let step = u64::try_from(step).unwrap_or(0);
    if step < 8 {
        return step;
    }
    let (octave, within) = ((step - 8) / 8, (step - 8) % 8);
    ((9 + within) << octave) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_at_most_an_eighth_too_large_and_never_too_small() {
        for micros in (0..5_000).chain([10_000, 123_456, 9_999_999]) {
            let read = upper(step(micros));
            assert!(read >= micros && read <= micros + micros / 8 + 1, "{micros} is read as {read}");
        }
    }

    #[test]
    fn percentiles_are_those_of_what_was_noted() {
        let latencies = Latencies::since(Micros(0));
        assert_eq!(latencies.percentiles(), None);
        for micros in 1..=1_000 {
            latencies.note(Span(micros));
        }
        let Percentiles { count, p50, p99 } = latencies.percentiles().unwrap();
        assert!(count == 1_000 && (500..=563).contains(&p50.0) && (990..=1_114).contains(&p99.0), "{p50:?} {p99:?}");
    }
}
