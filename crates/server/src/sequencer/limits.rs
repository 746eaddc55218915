//! What limits come to at this moment, fullest keys first. Records nothing.

use super::turn::Turn;
use super::work::{Limits, LimitsSeen, Use};
use runplane_core::decimal::Decimal;
use runplane_core::meter::{CounterId, MeterKey};
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Most keys that are shown of all limits together.
const MOST: usize = 1_000;

impl Turn<'_> {
    /// Answered with the batch, so that only what is durable is seen.
    pub(super) fn limits(&mut self, work: Limits) {
        let at = self.state.meter_time(self.now);
        let mut fullest: BinaryHeap<Emptiest> = BinaryHeap::new();
        let mut keys = Vec::with_capacity(work.counters.len());
        for (place, (counter, of)) in work.counters.iter().enumerate() {
            let mut count = 0usize;
            for (key, used) in self.state.meters.keys_of(*counter, at) {
                count += 1;
                fullest.push(Emptiest { place, key, used, of: *of });
                if fullest.len() > MOST {
                    fullest.pop();
                }
            }
            keys.push(count);
        }
        let filling: Vec<CounterId> = self.state.meters.filling().copied().collect();
        let eases = |key: &MeterKey| self.state.meters.eases_at(key, at).map(|at| at.after(self.state.skipped));
        let used = fullest.into_sorted_vec().into_iter().map(|found| Use {
            place: found.place,
            resets_at: eases(&found.key),
            key: found.key,
            used: found.used,
        });
        let seen = LimitsSeen { now: self.now, keys, filling, fullest: used.collect() };
        self.after_commit(work.reply, move |_| seen);
    }
}

/// A key with what is used of its limit; the greatest of a heap is the emptiest.
struct Emptiest {
    place: usize,
    key: MeterKey,
    used: Decimal,
    of: Decimal,
}

impl Ord for Emptiest {
    /// By the share that is used, the larger first; compared crosswise, so that nothing is divided.
    fn cmp(&self, other: &Self) -> Ordering {
        let share = |used: Decimal, of: Decimal| used.checked_mul(of).unwrap_or(used);
        let (own, others) = (share(self.used, other.of), share(other.used, self.of));
        others.cmp(&own).then_with(|| (self.place, self.key).cmp(&(other.place, other.key)))
    }
}

impl PartialOrd for Emptiest {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Emptiest {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Emptiest {}
