//! Meters: what is remembered of past actions, as pure state: windowed counts and sums, and marks.
//!
//! Refuses to under-count: windows slide in steps of a sixtieth and keep a step until the whole of it
//! has passed; a sum that no longer fits 34 digits is replaced by something larger; keys beyond the bound
//! share one bucket. What must stay true: memory is bounded (61 steps per key, `MOST_KEYS` keys per
//! counter), reading never changes what a later reading says for the same moment, and state depends on
//! what was put in and when, never on when it was swept.

use crate::decimal::Decimal;
use crate::digest::Digest;
use crate::time::{Micros, Span};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};

mod cell;
mod charge;
mod group;
mod snapshot;
mod window;

pub use charge::{Charge, On, Op};
pub use window::largest;

use group::Group;

/// Keys of one counter that have something that counts; those beyond it share one bucket until it is empty.
pub const MOST_KEYS: usize = 100_000;

/// One counter: a meter's definition together with the values of its `per` keys.
///
/// The id begins with the counter's own, and the rest is a digest of the values, so a meter that stays the
/// same keeps counting across publishes, and nothing personal is in the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MeterKey {
    pub id: Digest,
    /// Length of the window.
    pub within: Span,
}

/// Which counter a key belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CounterId {
    id: [u8; 8],
    pub within: Span,
}

/// What a key is without its counter.
type Tail = [u8; 24];

/// What a meter said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MeterValue {
    Ready(Decimal),
    /// The past has not been counted in yet: rules that need it hold.
    Filling,
    /// Some past call could not be judged, so nobody knows.
    Doubtful,
}

impl CounterId {
    /// The counter whose definition has this digest.
    #[must_use]
    pub fn new(identity: &Digest, within: Span) -> Self {
        let (id, _) = split(identity);
        Self { id, within }
    }

    /// Its counter of calls that could not be judged.
    #[must_use]
    pub fn of_doubts(self) -> Self {
        Self { id: self.id.map(|byte| !byte), ..self }
    }

    /// The key with these values, given their digest.
    #[must_use]
    pub fn key(self, values: &Digest) -> MeterKey {
        let mut id = [0; 32];
        for (place, byte) in id.iter_mut().zip(self.id.iter().chain(&values.0)) {
            *place = *byte;
        }
        MeterKey { id: Digest(id), within: self.within }
    }

    #[must_use]
    pub fn to_hex(self) -> String {
        hex::encode(self.id)
    }

    #[must_use]
    pub fn from_hex(text: &str, within: Span) -> Option<Self> {
        let mut id = [0; 8];
        hex::decode_to_slice(text, &mut id).ok()?;
        Some(Self { id, within })
    }
}

impl MeterKey {
    #[must_use]
    pub fn counter(&self) -> CounterId {
        CounterId { id: split(&self.id).0, within: self.within }
    }

    /// The same values in the counter of calls that could not be judged.
    #[must_use]
    pub fn of_doubts(&self) -> Self {
        let (id, tail) = split(&self.id);
        Self { id: join(CounterId { id, within: self.within }.of_doubts().id, tail), within: self.within }
    }

    fn tail(&self) -> Tail {
        split(&self.id).1
    }
}

fn split(id: &Digest) -> ([u8; 8], Tail) {
    let (mut head, mut tail) = ([0; 8], [0; 24]);
    for (place, byte) in head.iter_mut().chain(tail.iter_mut()).zip(&id.0) {
        *place = *byte;
    }
    (head, tail)
}

fn join(head: [u8; 8], tail: Tail) -> Digest {
    let mut id = [0; 32];
    for (place, byte) in id.iter_mut().zip(head.iter().chain(&tail)) {
        *place = *byte;
    }
    Digest(id)
}

/// All meters of a workspace.
#[derive(Clone, Debug)]
pub struct Meters {
    groups: HashMap<CounterId, Group>,
    /// Counters whose past is still being counted: nothing is put into them until `install`.
    filling: BTreeSet<CounterId>,
    most_keys: usize,
}

impl Default for Meters {
    fn default() -> Self {
        Self::with_most_keys(MOST_KEYS)
    }
}

impl Meters {
    /// With another bound on the keys of one counter.
    #[must_use]
    pub fn with_most_keys(most_keys: usize) -> Self {
        Self { groups: HashMap::new(), filling: BTreeSet::new(), most_keys }
    }

    /// What counts within the window that ends at `now`; of a mark, 1 if it is set and 2 if that is unknown.
    #[must_use]
    pub fn read(&self, key: &MeterKey, now: Micros) -> MeterValue {
        let counter = key.counter();
        if self.filling.contains(&counter) {
            return MeterValue::Filling;
        }
        MeterValue::Ready(self.groups.get(&counter).map_or(Decimal::ZERO, |group| group.read(&key.tail(), now)))
    }

    /// Takes a charge in at `at`.
    pub fn put(&mut self, charge: &Charge, at: Micros) {
        let counter = charge.key.counter();
        if self.filling.contains(&counter) {
            return;
        }
        let most = self.most_keys;
        let group = self.groups.entry(counter).or_insert_with(|| Group::new(counter.within));
        group.put(charge.key.tail(), charge, at, most);
        if group.is_empty() {
            self.groups.remove(&counter);
        }
    }

    /// Takes back what was put in at `at`, never below zero and never more than is still counted there. A mark stays.
    pub fn give_back(&mut self, charge: &Charge, at: Micros) {
        let counter = charge.key.counter();
        if self.filling.contains(&counter) || charge.op != Op::Add {
            return;
        }
        if let Some(group) = self.groups.get_mut(&counter) {
            group.give_back(&charge.key.tail(), at, charge.amount);
            if group.is_empty() {
                self.groups.remove(&counter);
            }
        }
    }

    /// Something at `at` could not be counted because nobody knows any more what it was: until the window has passed
    /// it, the counter says more than any limit.
    pub fn lose(&mut self, counter: CounterId, at: Micros) {
        if !self.filling.contains(&counter) {
            self.groups.entry(counter).or_insert_with(|| Group::new(counter.within)).lose(at);
        }
    }

    /// When the first of what counts now stops counting.
    #[must_use]
    pub fn eases_at(&self, key: &MeterKey, now: Micros) -> Option<Micros> {
        self.groups.get(&key.counter())?.eases_at(&key.tail(), now)
    }

    /// What is known of a counter is not all of its past: forgets it, and says `Filling` from now on.
    pub fn begin_filling(&mut self, counter: CounterId) {
        self.groups.remove(&counter);
        self.filling.insert(counter);
    }

    /// Nobody asks any more.
    pub fn end_filling(&mut self, counter: &CounterId) {
        self.filling.remove(counter);
    }

    pub fn filling(&self) -> impl ExactSizeIterator<Item = &CounterId> {
        self.filling.iter()
    }

    /// Puts in what the past of a filling counter came to; whatever else `filled` holds is left.
    pub fn install(&mut self, counters: &[CounterId], mut filled: Self) {
        for counter in counters {
            if self.filling.remove(counter)
                && let Some(group) = filled.groups.remove(counter)
            {
                self.groups.insert(*counter, group);
            }
        }
    }

    /// Forgets every key nothing counts for any more. To be called now and then.
    pub fn sweep(&mut self, now: Micros) {
        self.groups.retain(|_, group| group.sweep(now));
    }

    /// The keys of one counter with what they say, in no order.
    pub fn keys_of(&self, counter: CounterId, now: Micros) -> impl Iterator<Item = (MeterKey, Decimal)> + '_ {
        let group = self.groups.get(&counter);
        let key = move |tail: &Tail| MeterKey { id: join(counter.id, *tail), within: counter.within };
        group.into_iter().flat_map(move |group| {
            group.tails().map(move |tail| (key(tail), group.read(tail, now))).filter(|(_, value)| !value.is_zero())
        })
    }

    /// How many keys are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.groups.values().map(Group::len).sum()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }
}

#[cfg(test)]
mod tests;
