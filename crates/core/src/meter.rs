//! Meters: windowed counts and sums over past actions, as pure state.
//!
//! Refuses to under-count: windows slide in steps of a sixtieth and keep a step until the whole of it
//! has passed; a sum that no longer fits 34 digits is replaced by something larger. What must stay
//! true: memory is bounded (61 steps per key, keys without live steps are dropped), and reading
//! never changes what a later reading says for the same moment.

use crate::decimal::Decimal;
use crate::digest::Digest;
use crate::time::{Micros, Span};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

mod window;

pub use window::Window;

/// One counter: a meter's definition together with the values of its `per` keys.
///
/// The id is a digest of both, so a meter that stays the same keeps counting across publishes, and
/// nothing personal is in the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MeterKey {
    pub id: Digest,
    /// Length of the window.
    pub within: Span,
}

/// What a decision adds to a meter if its call is allowed or held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Charge {
    pub amount: Decimal,
    pub key: MeterKey,
}

/// What a meter said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MeterValue {
    Ready(Decimal),
    /// The past has not been counted in yet: rules that need it hold.
    Filling,
}

/// All meters of a workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meters {
    windows: HashMap<MeterKey, Window>,
}

impl Meters {
    /// What counts within the window that ends at `now`.
    #[must_use]
    pub fn read(&self, key: &MeterKey, now: Micros) -> Decimal {
        self.windows.get(key).map_or(Decimal::ZERO, |window| window.read(now))
    }

    pub fn add(&mut self, key: MeterKey, at: Micros, amount: Decimal) {
        self.windows.entry(key).or_insert_with(|| Window::new(key.within)).add(at, amount);
    }

    /// Takes back what was added at `at`, never below zero and never more than is still counted there.
    pub fn give_back(&mut self, key: MeterKey, at: Micros, amount: Decimal) {
        if let Some(window) = self.windows.get_mut(&key) {
            window.give_back(at, amount);
        }
    }

    /// Forgets every key nothing counts for any more. To be called now and then.
    pub fn sweep(&mut self, now: Micros) {
        self.windows.retain(|_, window| window.expire(now));
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.windows.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.windows.is_empty()
    }
}

/// The form in a snapshot: a list ordered by key, so that equal state has equal bytes.
#[derive(Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    key: MeterKey,
    steps: Vec<(i64, Decimal)>,
}

impl Serialize for Meters {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entries: Vec<Entry> =
            self.windows.iter().map(|(key, window)| Entry { key: *key, steps: window.steps() }).collect();
        entries.sort_by_key(|entry| entry.key);
        entries.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Meters {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = Vec::<Entry>::deserialize(deserializer)?;
        let windows = entries
            .into_iter()
            .map(|entry| Window::from_steps(entry.key.within, entry.steps).map(|window| (entry.key, window)))
            .collect::<Option<_>>()
            .ok_or_else(|| serde::de::Error::custom("the steps of a meter are out of order"))?;
        Ok(Self { windows })
    }
}

#[cfg(test)]
mod tests;
