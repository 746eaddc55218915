//! What limits come to at one moment, fullest keys first. Records nothing.
//!
//! The sequencer gives away a copy of its meters, which costs it next to nothing; looking through all of them is for
//! whoever asked.

use super::turn::Turn;
use super::work::{LimitsSeen, Reply, Standing, Use};
use crate::error::Error;
use runplane_core::decimal::Decimal;
use runplane_core::meter::{CounterId, MeterKey};
use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};

/// Most keys that are shown of all limits together.
const MOST: usize = 1_000;

impl Turn<'_> {
    /// Answered with the batch, so that only what is durable is seen.
    pub(super) fn stand(&mut self, reply: Reply<Standing>) {
        let (now, skipped, at) = (self.now, self.state.skipped, self.state.meter_time(self.now));
        let standing = Standing { now, skipped, at, meters: self.state.meters.clone() };
        self.after_commit(reply, move |_| standing);
    }
}

impl Standing {
    /// What is used of these counters, and what each may come to.
    pub fn limits(&self, counters: &[(CounterId, Decimal)]) -> Result<LimitsSeen, Error> {
        let mut places: HashMap<CounterId, Vec<(usize, Decimal)>> = HashMap::new();
        for (place, (counter, of)) in counters.iter().enumerate() {
            places.entry(*counter).or_default().push((place, *of));
        }
        let mut keys = vec![0usize; counters.len()];
        let mut fullest: BinaryHeap<Emptiest> = BinaryHeap::new();
        let looked = self.meters.visit(self.at, |key, used| {
            for (place, of) in places.get(&key.counter()).into_iter().flatten() {
                keys.get_mut(*place).into_iter().for_each(|count| *count += 1);
                fullest.push(Emptiest { place: *place, key, used, of: *of });
                if fullest.len() > MOST {
                    fullest.pop();
                }
            }
        });
        looked.map_err(|failure| Error::internal("keys on disk could not be read").because(failure))?;
        let eases = |key: &MeterKey| self.meters.eases_at(key, self.at).map(|at| at.after(self.skipped));
        let used = fullest.into_sorted_vec().into_iter().map(|found| Use {
            place: found.place,
            resets_at: eases(&found.key),
            key: found.key,
            used: found.used,
        });
        let filling = self.meters.filling().copied().collect();
        Ok(LimitsSeen { now: self.now, keys, filling, fullest: used.collect() })
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
