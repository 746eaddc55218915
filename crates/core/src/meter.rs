//! Meters: what is remembered of past actions, as pure state: windowed counts and sums, and marks.
//!
//! Refuses to under-count: windows slide in steps of a sixtieth and keep a step until the whole of it
//! has passed; a sum that no longer fits 34 digits is replaced by something larger; keys beyond the bound
//! share one bucket. What must stay true: memory is bounded (61 steps per key, `MOST_KEYS` keys per
//! counter, and whoever calls [`Meters::look_through`] bounds what is in memory of all of them), reading never
//! changes what a later reading says for the same moment, and state depends on what was put in and when, never on
//! when it was swept or where it is kept.

use crate::decimal::Decimal;
use crate::time::Micros;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

mod cell;
mod charge;
mod codec;
mod coming;
mod entry;
mod image;
mod key;
mod known;
mod mix;
mod shards;
mod snapshot;
mod window;

pub use charge::{Charge, On, Op};
pub use image::{Broken, Reader};
pub use key::{CounterId, GroupId, KEY_FORM, MeterKey, ValuesDigest};
pub use shards::{Cold, ColdEntries, ColdFailure, Leaving, TABLES, Thinner, layer};
pub use window::largest;

use entry::Entry;
use known::Counters;
use shards::Shards;

/// Keys of one counter that have something that counts; those beyond it share one bucket until it is empty.
pub const MOST_KEYS: usize = 1_000_000;

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

/// All meters of a workspace. A copy shares with the original whatever neither of them changes.
#[derive(Clone, Debug)]
pub struct Meters {
    counters: Counters,
    shards: Shards,
    /// Counters whose past is still being counted: nothing is put into them until `install`.
    filling: BTreeSet<CounterId>,
    most_keys: u64,
}

/// Keys that leave memory, and where they go.
pub struct Parted {
    pub layer: Leaving,
    cold: Arc<dyn Cold>,
    thinner: Thinner,
}

impl Parted {
    /// Puts them down; what is given back is for [`Meters::settle`].
    pub fn put_down(&self) -> Result<Arc<dyn Cold>, ColdFailure> {
        self.cold.with(shards::written(&self.layer), &self.thinner)
    }
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
        let most_keys = u64::try_from(most_keys).unwrap_or(u64::MAX);
        Self { counters: Counters::default(), shards: Shards::default(), filling: BTreeSet::new(), most_keys }
    }

    /// What counts within the window that ends at `now`; of a mark, 1 if it is set and 2 if that is unknown.
    #[must_use]
    pub fn read(&self, key: &MeterKey, now: Micros) -> MeterValue {
        let value = self.shards.find(&key.tail(), |entry| self.value(entry, key, now));
        value.unwrap_or(MeterValue::Doubtful)
    }

    /// The same for many keys. Those that lie together and follow one another are found by one look-up.
    #[must_use]
    pub fn read_all(&self, keys: &[MeterKey], now: Micros) -> Vec<MeterValue> {
        let mut values = Vec::with_capacity(keys.len());
        for run in keys.chunk_by(MeterKey::lies_with) {
            let Some(first) = run.first() else { continue };
            let found = self.shards.find(&first.tail(), |entry| {
                values.extend(run.iter().map(|key| self.value(entry, key, now)));
            });
            if found.is_none() {
                values.extend(run.iter().map(|_| MeterValue::Doubtful));
            }
        }
        values
    }

    fn value(&self, entry: Option<&Entry>, key: &MeterKey, now: Micros) -> MeterValue {
        let Some(number) = self.counters.number(key.counter()) else { return MeterValue::Ready(Decimal::ZERO) };
        let Some(known) = self.counters.get(number) else { return MeterValue::Doubtful };
        if known.is_filling {
            return MeterValue::Filling;
        }
        MeterValue::Ready(known.read(entry.and_then(|entry| entry.get(number)), now))
    }

    /// Takes a charge in at `at`.
    pub fn put(&mut self, charge: &Charge, at: Micros) {
        self.put_all(std::slice::from_ref(charge), at, |_| true);
    }

    /// The same for many charges, of which those that are wanted count.
    pub fn put_all(&mut self, charges: &[Charge], at: Micros, wanted: impl Fn(&Charge) -> bool) {
        let (counters, most) = (&mut self.counters, self.most_keys);
        for run in charges.chunk_by(|left, right| left.key.lies_with(&right.key)) {
            let Some(first) = run.iter().find(|charge| wanted(charge)) else { continue };
            self.shards.change(&first.key.tail(), true, |entry| {
                let Some(entry) = entry else { return };
                for charge in run.iter().filter(|charge| wanted(charge)) {
                    let number = counters.number_or_new(charge.key.counter());
                    if let Some(known) = counters.get_mut(number).filter(|known| !known.is_filling) {
                        known.put(entry, number, charge, at, most);
                    }
                }
            });
        }
    }

    /// Takes back what was put in at `at`, never below zero and never more than is still counted there. A mark stays.
    pub fn give_back(&mut self, charge: &Charge, at: Micros) {
        let Some(number) = self.counters.number(charge.key.counter()).filter(|_| charge.op == Op::Add) else { return };
        let Some(known) = self.counters.get_mut(number).filter(|known| !known.is_filling) else { return };
        let amount = charge.amount;
        self.shards.change(&charge.key.tail(), false, |entry| known.give_back(entry, number, at, amount));
    }

    /// Something at `at` could not be counted because nobody knows any more what it was: until the window has passed
    /// it, the counter says more than any limit.
    pub fn lose(&mut self, counter: CounterId, at: Micros) {
        let number = self.counters.number_or_new(counter);
        if let Some(known) = self.counters.get_mut(number).filter(|known| !known.is_filling) {
            known.lose(at);
        }
    }

    /// When the first of what counts now stops counting.
    #[must_use]
    pub fn eases_at(&self, key: &MeterKey, now: Micros) -> Option<Micros> {
        let number = self.counters.number(key.counter())?;
        let known = self.counters.get(number)?;
        self.shards.find(&key.tail(), |entry| known.eases_at(entry.and_then(|entry| entry.get(number)), now))?
    }

    /// What is known of a counter is not all of its past: forgets it, and says `Filling` from now on.
    pub fn begin_filling(&mut self, counter: CounterId) {
        if let Some(known) = self.counters.renew(counter) {
            known.is_filling = true;
        }
        self.filling.insert(counter);
    }

    /// Nobody asks any more.
    pub fn end_filling(&mut self, counter: &CounterId) {
        self.filling.remove(counter);
        let number = self.counters.number(*counter);
        if let Some(known) = number.and_then(|number| self.counters.get_mut(number)) {
            known.is_filling = false;
        }
    }

    pub fn filling(&self) -> impl ExactSizeIterator<Item = &CounterId> {
        self.filling.iter()
    }

    /// Puts in what the past of a filling counter came to; whatever else `filled` holds is left. All of it counts at once,
    /// however many keys it has; they are put in their places by [`Meters::take_in`].
    pub fn install(&mut self, counters: &[CounterId], filled: &Self) -> Result<(), ColdFailure> {
        let mut wanted: HashMap<u32, u32> = HashMap::new();
        for counter in counters.iter().filter(|counter| self.filling.contains(counter)) {
            let own = self.counters.number_or_new(*counter);
            if let Some(theirs) = filled.counters.number(*counter)
                && let Some((past, known)) = filled.counters.get(theirs).zip(self.counters.get_mut(own))
            {
                known.take_over(past);
                wanted.insert(theirs, own);
            }
        }
        counters.iter().for_each(|counter| self.end_filling(counter));
        self.shards.come(&filled.shards, wanted)
    }

    /// Puts keys of what was installed in their places, at most that many; how many. What is read is the same before.
    pub fn take_in(&mut self, most: usize) -> usize {
        self.shards.take_in(most)
    }

    /// Forgets every key nothing counts for any more.
    pub fn sweep(&mut self, now: Micros) {
        self.look_through(TABLES, usize::MAX, now);
        self.counters.iter_mut().for_each(|known| known.sweep(now));
    }

    /// Looks through a part of the keys, the next part each time: forgets those that nothing counts for any more, and if
    /// more than `most` bytes are in memory, lets go of those that nobody asked for lately.
    pub fn look_through(&mut self, tables: usize, most: usize, now: Micros) {
        let counters = &self.counters;
        self.shards.look_through(tables, most, |number, cell| {
            counters.current(number).is_some_and(|known| cell.expire(known.id.within, now))
        });
    }

    /// Where keys go that nobody asks for. Without, all of them stay in memory.
    pub fn put_cold(&mut self, cold: Arc<dyn Cold>) {
        self.shards.put_cold(cold);
    }

    /// What was let go of, if it is at least that many, to be put down on what is on disk already; until it is handed to
    /// [`Meters::settle`] it still is in memory.
    pub fn part(&mut self, least: usize, now: Micros) -> Option<Parted> {
        let (layer, cold) = self.shards.part(least)?;
        Some(Parted { layer, cold, thinner: Thinner::new(self.counters.windows(), now) })
    }

    /// What was let go of is on disk. Nothing happens if it was let go of by another state.
    pub fn settle(&mut self, layer: &Leaving, cold: Arc<dyn Cold>) {
        self.shards.settle(layer, cold);
    }

    /// Whether a key on disk could not be read: then no value since is worth anything.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.shards.has_failed()
    }

    /// Bytes of memory that keys take up, roughly.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.shards.bytes()
    }

    /// Looks at every key with what it says, in no order.
    pub fn visit(&self, now: Micros, mut take: impl FnMut(MeterKey, Decimal)) -> Result<(), ColdFailure> {
        self.shards.visit(|tail, entry| {
            for (number, cell) in entry.iter() {
                let Some(known) = self.counters.current(number) else { continue };
                let value = known.read(Some(cell), now);
                if cell.is_live(known.id.within, now) && !value.is_zero() {
                    take(known.id.key_at(tail), value);
                }
            }
            true
        })
    }

    /// How many keys are kept, at most: what lies together is one.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.shards.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shards.len() == 0 && self.counters.iter().all(|(_, known)| known.is_empty())
    }
}

#[cfg(test)]
mod tests;
