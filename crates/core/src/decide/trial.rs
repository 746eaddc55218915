//! Trying a prepared call: with rules left out, with meters as they are supposed to be.
//!
//! Refuses nothing and records nothing; what a server decides never comes through here.

use super::candidate::{Candidate, Verdict};
use super::facts::Facts;
use super::prepare::Prepared;
use crate::meter::{MeterKey, MeterValue};
use crate::policy::Bundle;
use crate::policy::condition::{Budget, STEPS, State, View};
use crate::time::Micros;

impl Prepared {
    /// Leaves out the rules at these places of the bundle, as if they were not published.
    pub fn leave_out(&mut self, rules: &[u32]) {
        self.candidates.retain(|candidate| !rules.contains(&candidate.rule));
    }

    /// The counters that are read, by their place in the bundle, and at which key.
    pub fn counters(&self) -> impl Iterator<Item = (u32, &MeterKey)> {
        self.reads.iter().filter_map(|read| Some((read.counter, self.meter_keys().nth(read.key)?)))
    }

    /// What each counter said, by its place in the bundle.
    pub fn read_values(&self, bundle: &Bundle, facts: &Facts) -> impl Iterator<Item = (u32, MeterValue)> {
        self.values(bundle, facts).into_iter()
    }

    /// What the reference evaluator says of every rule that is about the call, by the rule's place in the bundle.
    #[must_use]
    pub fn verdicts(&self, bundle: &Bundle, facts: &Facts) -> Vec<(u32, Verdict)> {
        let meters: Vec<(u32, MeterValue)> = self.read_values(bundle, facts).collect();
        let risk = self.risk_with(bundle, facts);
        let view = View {
            call: &self.call,
            readings: &self.readings,
            risk: &risk,
            settings: bundle.settings(),
            state: Some(State { now: facts.now, meters: &meters, names: bundle.counter_names() }),
        };
        let about = (0u32..).zip(bundle.rules()).filter(|(_, rule)| rule.touches(&self.call));
        let verdict = |(place, rule)| {
            let mut budget = Budget(STEPS);
            let candidate = Candidate::new(place, rule, &view, &mut budget);
            (place, candidate.map_or(Verdict::False, |candidate| candidate.verdict(rule, &view, &mut budget)))
        };
        about.map(verdict).collect()
    }

    /// The facts of a call at `now` that finds its counters as `value` says.
    #[must_use]
    pub fn supposing(&self, now: Micros, value: impl Fn(u32) -> MeterValue) -> Facts {
        let mut meters = vec![MeterValue::Ready(0u64.into()); self.meter_keys().len()];
        for read in &self.reads {
            if let Some(slot) = meters.get_mut(read.key) {
                *slot = value(read.counter);
            }
        }
        Facts { now, meters, ..Facts::default() }
    }
}
