//! What clients heard, and when; and what that says about availability.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

/// What was asked for and what the one answer to it was.
pub enum Told {
    Decided {
        action: &'static str,
        request: String,
        outcome: String,
        index: u64,
        replayed: bool,
        approval: Option<String>,
    },
    /// A person's vote was counted.
    Voted {
        approval: String,
        verdict: &'static str,
    },
    /// A person was told that there is nothing to vote on any more.
    TooLate {
        approval: String,
    },
    /// Redeemed or refused, with the entry that says so.
    Redeemed {
        approval: String,
        redemption: String,
        outcome: String,
        index: u64,
    },
    /// Somebody else had it.
    Already {
        approval: String,
    },
    NotApproved {
        approval: String,
        status: String,
    },
}

pub struct Event {
    pub told: Told,
    pub asked: Instant,
    pub heard: Instant,
    /// Answered at the first attempt: nothing can have been recorded before it was asked.
    pub is_fresh: bool,
}

#[derive(Default)]
pub struct History {
    pub events: Vec<Event>,
    pub attempts: usize,
    /// Attempts without an answer, by what was heard instead.
    pub failures: BTreeMap<String, usize>,
    /// When an attempt was answered, for agents and people alike.
    pub answered: Vec<Instant>,
    /// Failed to get any answer in time; the ids, of which something may have been recorded.
    pub unanswered: Vec<String>,
}

impl History {
    pub fn fail(&mut self, what: String) {
        *self.failures.entry(what).or_default() += 1;
    }
}

/// How well the whole could be used, seen from outside.
pub struct Availability {
    attempts: usize,
    failures: BTreeMap<String, usize>,
    unanswered: usize,
    seconds: usize,
    silent_seconds: usize,
    longest_silence: Duration,
    /// From asking to the one answer, however many attempts that took: half, 99 of 100, all.
    waits: [Duration; 3],
}

impl Availability {
    /// Over the time from `began` to `ended`.
    pub fn of(histories: &[History], began: Instant, ended: Instant) -> Self {
        let mut answered: Vec<Instant> =
            histories.iter().flat_map(|history| history.answered.iter().copied()).collect();
        answered.retain(|at| (began..ended).contains(at));
        answered.sort_unstable();
        let ends = answered.iter().copied().chain([ended]);
        let starts = [began].into_iter().chain(answered.iter().copied());
        let longest_silence = starts.zip(ends).map(|(from, to)| to - from).max().unwrap_or_default();
        let seconds = usize::try_from((ended - began).as_secs()).unwrap();
        let mut heard = vec![false; seconds + 1];
        for at in answered {
            heard[usize::try_from((at - began).as_secs()).unwrap()] = true;
        }
        let mut failures: BTreeMap<String, usize> = BTreeMap::new();
        for (what, times) in histories.iter().flat_map(|history| &history.failures) {
            *failures.entry(what.clone()).or_default() += times;
        }
        let events = histories.iter().flat_map(|history| &history.events);
        let mut waits: Vec<Duration> = events.map(|event| event.heard - event.asked).collect();
        waits.sort_unstable();
        let at =
            |share: f64| waits.get(((waits.len().max(1) - 1) as f64 * share) as usize).copied().unwrap_or_default();
        Self {
            attempts: histories.iter().map(|history| history.attempts).sum(),
            failures,
            unanswered: histories.iter().map(|history| history.unanswered.len()).sum(),
            seconds,
            silent_seconds: heard[..seconds].iter().filter(|heard| !**heard).count(),
            longest_silence,
            waits: [at(0.5), at(0.99), at(1.0)],
        }
    }
}

impl Availability {
    /// Whether somebody was answered in most of the seconds.
    pub fn is_tolerable(&self) -> bool {
        2 * self.silent_seconds < self.seconds
    }
}

impl fmt::Display for Availability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed: usize = self.failures.values().sum();
        let share = 100.0 * (1.0 - failed as f64 / self.attempts.max(1) as f64);
        let [half, most, all] = self.waits.map(|wait| wait.as_secs_f64());
        writeln!(f, "availability: {share:.1} % of {} attempts were answered", self.attempts)?;
        writeln!(f, "  seconds in which nobody was answered: {} of {}", self.silent_seconds, self.seconds)?;
        writeln!(f, "  longest time without an answer to anybody: {:.1} s", self.longest_silence.as_secs_f64())?;
        writeln!(f, "  from asking to the answer, repeats included: p50 {half:.3}, p99 {most:.2}, longest {all:.1} s")?;
        write!(f, "  calls that never had an answer: {}", self.unanswered)?;
        for (what, times) in &self.failures {
            write!(f, "\n  {times:>8} × {what}")?;
        }
        Ok(())
    }
}
