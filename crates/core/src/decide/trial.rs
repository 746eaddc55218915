//! Trying a prepared call: with rules left out, with meters as they are supposed to be.
//!
//! Refuses nothing and records nothing; what a server decides never comes through here.

use super::facts::Facts;
use super::prepare::Prepared;
use crate::meter::{MeterKey, MeterValue};
use crate::time::Micros;

impl Prepared {
    /// Leaves out the rules at these places of the bundle, as if they were not published.
    pub fn leave_out(&mut self, rules: &[u32]) {
        self.candidates.retain(|candidate| !rules.contains(&candidate.rule));
    }

    /// The counters that are read, by their place in the bundle, and at which key.
    pub fn counters(&self) -> impl Iterator<Item = (u32, &MeterKey)> {
        self.reads.iter().filter_map(|(counter, position)| Some((*counter, self.meter_keys().nth(*position)?)))
    }

    /// The facts of a call at `now` that finds its counters as `value` says.
    #[must_use]
    pub fn supposing(&self, now: Micros, value: impl Fn(u32) -> MeterValue) -> Facts {
        let mut meters = vec![MeterValue::Ready(0u64.into()); self.meter_keys().len()];
        for (counter, position) in &self.reads {
            if let Some(slot) = meters.get_mut(*position) {
                *slot = value(*counter);
            }
        }
        Facts { now, meters, ..Facts::default() }
    }
}
