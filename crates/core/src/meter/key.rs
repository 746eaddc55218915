//! Names of counters and of their keys.
//!
//! A key is the counter's id, 16 bytes of a SHA-256 digest of the values that keep keys apart, and the group of
//! counters it lies with. So nothing personal is in it, a meter that stays the same keeps counting across publishes,
//! and the counters that a call touches together are found by one look-up.

use crate::digest::Digest;
use crate::time::Span;
use serde::{Deserialize, Serialize};
use std::hash::{Hash, Hasher};

/// How keys are made of counters and values. Every ledger says with which of these forms it was begun, because a key of
/// another form is another key: what was counted under it would be nothing. It goes up whenever a key of the same call
/// and counter would be a different one.
pub const KEY_FORM: u8 = 3;

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

/// Which counters lie together under the same values. Only where things are kept depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId([u8; 8]);

/// What keeps keys apart: 16 bytes of a SHA-256 digest of the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValuesDigest([u8; 16]);

/// What a key is without its counter: values, then group. Counters with the same tail lie together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tail(pub [u8; 24]);

/// A digest already, so a part of it says enough.
impl Hash for Tail {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from_le_bytes(part(&self.0, 2)) ^ u64::from_le_bytes(part(&self.0, 16)));
    }
}

impl Tail {
    /// The first bits, by which keys are spread.
    pub fn prefix(&self) -> u16 {
        let [first, second] = part(&self.0, 0);
        u16::from_be_bytes([first, second])
    }
}

fn part<const N: usize>(bytes: &[u8], from: usize) -> [u8; N] {
    bytes.get(from..).and_then(|rest| rest.first_chunk::<N>()).copied().unwrap_or([0; N])
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

    /// The key with these values.
    #[must_use]
    pub fn key(self, group: GroupId, values: ValuesDigest) -> MeterKey {
        let mut tail = [0; 24];
        if let Some((place, rest)) = tail.split_first_chunk_mut() {
            *place = values.0;
            rest.copy_from_slice(&group.0);
        }
        self.key_at(&Tail(tail))
    }

    pub(super) fn key_at(self, tail: &Tail) -> MeterKey {
        MeterKey { id: join(self.id, tail), within: self.within }
    }

    pub(super) fn bytes(self) -> [u8; 8] {
        self.id
    }

    pub(super) fn of_bytes(id: [u8; 8], within: Span) -> Self {
        Self { id, within }
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

impl GroupId {
    #[must_use]
    pub fn new(digest: &Digest) -> Self {
        Self(part(&digest.0, 0))
    }
}

impl ValuesDigest {
    #[must_use]
    pub fn new(digest: &Digest) -> Self {
        Self(part(&digest.0, 0))
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
        Self { id: join(CounterId { id, within: self.within }.of_doubts().id, &tail), within: self.within }
    }

    /// Whether both are found by one look-up.
    #[must_use]
    pub fn lies_with(&self, other: &Self) -> bool {
        self.tail() == other.tail()
    }

    pub(super) fn tail(&self) -> Tail {
        split(&self.id).1
    }
}

fn split(id: &Digest) -> ([u8; 8], Tail) {
    (part(&id.0, 0), Tail(part(&id.0, 8)))
}

fn join(head: [u8; 8], tail: &Tail) -> Digest {
    let mut id = [0; 32];
    if let Some((place, rest)) = id.split_first_chunk_mut() {
        *place = head;
        rest.copy_from_slice(&tail.0);
    }
    Digest(id)
}
