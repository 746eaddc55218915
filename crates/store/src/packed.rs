//! Entries and payloads as they lie in a segment: the rows of one commit, packed.
//!
//! One row per commit instead of one per entry is what makes a commit cheap. Packing says nothing about what is
//! packed. Unpacking never fails: what is not where it should be is left out, as a row would be that somebody
//! deleted, and the verifier finds the gap.
//! INVARIANT: whatever `pack` wrote, `unpack` gives back byte by byte.

use crate::batch::{Batch, Entry, NewPayload};
use crate::rows::{EntryRow, Payload, Retention, StoredPayload};

/// Most entries of one segment: who reads one entry reads its segment.
pub(crate) const MOST_ENTRIES: usize = 256;
/// A segment ends with the entry that makes it this long, payloads included, far below what a row can hold.
const LONG: usize = 1 << 20;

const HASH: usize = 32;
const END: usize = 4;
/// Position in the segment (4), what is kept (1), when to erase (8), salt (16), where it ends in the bytes (8).
const HEAD: usize = 37;

const ERASED: u8 = 0;
const REPLAY: u8 = 1;
const FULL: u8 = 2;
/// Stands for "no time is set".
const NEVER: i64 = i64::MAX;

/// The entries of one segment, ready to be written.
pub(crate) struct Packed {
    pub count: i64,
    pub leaf_hashes: Vec<u8>,
    pub ends: Vec<u8>,
    pub entries: Vec<u8>,
}

/// How many of the entries (the first at `first`) the next segment takes.
fn next_count(entries: &[Entry], first: u64, payloads: &[NewPayload]) -> usize {
    let mut payloads = payloads.iter().peekable();
    let mut length = 0usize;
    for (taken, (entry, index)) in entries.iter().zip(first..).enumerate() {
        length = length.saturating_add(entry.bytes.len());
        while let Some(payload) = payloads.next_if(|payload| payload.index <= index) {
            length = length.saturating_add(payload.bytes.len());
        }
        if length >= LONG || taken + 1 == MOST_ENTRIES {
            return taken + 1;
        }
    }
    entries.len()
}

/// A batch cut into what one row takes.
pub(crate) struct Segment<'b> {
    /// The index of its first entry.
    pub first: u64,
    pub entries: &'b [Entry],
    pub payloads: &'b [NewPayload],
    pub is_last: bool,
}

pub(crate) fn segments(batch: &Batch) -> impl Iterator<Item = Segment<'_>> {
    let (mut first, mut entries, mut payloads) =
        (batch.expected_size, batch.entries.as_slice(), batch.payloads.as_slice());
    std::iter::from_fn(move || {
        let (own, rest) = entries.split_at_checked(next_count(entries, first, payloads)).unwrap_or((entries, &[]));
        let next = first + u64::try_from(own.len()).unwrap_or(0);
        let (own_payloads, later) = payloads.split_at(payloads.partition_point(|payload| payload.index < next));
        let segment = Segment { first, entries: own, payloads: own_payloads, is_last: rest.is_empty() };
        (first, entries, payloads) = (next, rest, later);
        (!own.is_empty()).then_some(segment)
    })
}

pub(crate) fn pack(entries: &[Entry]) -> Packed {
    let length = entries.iter().map(|entry| entry.bytes.len()).sum();
    let mut packed = Packed {
        count: i64::try_from(entries.len()).unwrap_or(i64::MAX),
        leaf_hashes: Vec::with_capacity(entries.len() * HASH),
        ends: Vec::with_capacity(entries.len() * END),
        entries: Vec::with_capacity(length),
    };
    for entry in entries {
        packed.leaf_hashes.extend_from_slice(&entry.leaf_hash);
        packed.entries.extend_from_slice(&entry.bytes);
        // A segment that is long ends; so this fits by far.
        packed.ends.extend_from_slice(&u32::try_from(packed.entries.len()).unwrap_or(u32::MAX).to_be_bytes());
    }
    packed
}

/// The entries of a segment that starts at `first`, each with its index.
pub(crate) fn unpack<'s>(
    first: u64,
    leaf_hashes: &'s [u8],
    ends: &'s [u8],
    entries: &'s [u8],
) -> impl Iterator<Item = (u64, [u8; HASH], &'s [u8])> {
    let (hashes, _) = leaf_hashes.as_chunks::<HASH>();
    let (ends, _) = ends.as_chunks::<END>();
    let mut begin = 0;
    hashes.iter().zip(ends).zip(first..).filter_map(move |((hash, end), index)| {
        let end = usize::try_from(u32::from_be_bytes(*end)).unwrap_or(usize::MAX);
        let bytes = entries.get(begin..end);
        begin = end;
        Some((index, *hash, bytes?))
    })
}

pub(crate) fn row((index, leaf_hash, bytes): (u64, [u8; HASH], &[u8])) -> EntryRow {
    EntryRow { index, bytes: bytes.to_vec(), leaf_hash }
}

/// The payloads of one segment.
#[derive(Default)]
pub(crate) struct Payloads {
    pub heads: Vec<u8>,
    pub bytes: Vec<u8>,
}

struct Head {
    position: u32,
    kept: u8,
    erase_after_us: i64,
    salt: [u8; 16],
    end: u64,
}

impl Head {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.position.to_be_bytes());
        out.push(self.kept);
        out.extend_from_slice(&self.erase_after_us.to_be_bytes());
        out.extend_from_slice(&self.salt);
        out.extend_from_slice(&self.end.to_be_bytes());
    }

    fn read(bytes: &[u8; HEAD]) -> Option<Self> {
        let (position, rest) = bytes.split_first_chunk::<4>()?;
        let (kept, rest) = rest.split_first()?;
        let (erase_after, rest) = rest.split_first_chunk::<8>()?;
        let (salt, rest) = rest.split_first_chunk::<16>()?;
        let (end, _) = rest.split_first_chunk::<8>()?;
        Some(Self {
            position: u32::from_be_bytes(*position),
            kept: *kept,
            erase_after_us: i64::from_be_bytes(*erase_after),
            salt: *salt,
            end: u64::from_be_bytes(*end),
        })
    }

    fn is_due(&self, now_us: i64) -> bool {
        self.kept != ERASED && self.erase_after_us != NEVER && self.erase_after_us <= now_us
    }
}

impl Payloads {
    /// Of the payloads of entries from `first` on.
    pub(crate) fn pack<'p>(first: u64, payloads: impl IntoIterator<Item = &'p NewPayload>) -> Self {
        let mut packed = Self::default();
        for payload in payloads {
            packed.bytes.extend_from_slice(&payload.bytes);
            let head = Head {
                position: u32::try_from(payload.index.saturating_sub(first)).unwrap_or(u32::MAX),
                kept: match payload.retention {
                    Retention::Replay => REPLAY,
                    Retention::Full => FULL,
                },
                erase_after_us: payload.erase_after_us.unwrap_or(NEVER),
                salt: payload.salt,
                end: u64::try_from(packed.bytes.len()).unwrap_or(u64::MAX),
            };
            head.write(&mut packed.heads);
        }
        packed
    }

    fn heads(&self) -> impl Iterator<Item = Head> {
        self.heads.as_chunks::<HEAD>().0.iter().filter_map(Head::read)
    }

    /// Whether all of it is where it was put: only then is it known what erasing takes away.
    pub(crate) fn is_whole(&self) -> bool {
        let mut begin = 0;
        let is_known = self.heads().all(|head| {
            let is_next = head.end >= begin && head.kept <= FULL;
            begin = head.end;
            is_next
        });
        is_known
            && self.heads.len().is_multiple_of(HEAD)
            && usize::try_from(begin).is_ok_and(|end| end == self.bytes.len())
    }

    /// When the first of them is to be erased.
    pub(crate) fn first_due(&self) -> Option<i64> {
        self.heads().filter(|head| head.kept != ERASED).map(|head| head.erase_after_us).min().filter(|at| *at != NEVER)
    }

    /// What there is of the payload at `position` in the segment; `None` for bytes that are not what was written.
    pub(crate) fn find(&self, position: u64) -> Option<Payload> {
        let mut begin = 0;
        for head in self.heads() {
            if u64::from(head.position) == position {
                return self.payload(&head, begin);
            }
            begin = usize::try_from(head.end).ok()?;
        }
        Some(Payload::NotKept)
    }

    /// The same for all of them, each with its position.
    pub(crate) fn all(&self) -> impl Iterator<Item = (u64, Option<Payload>)> {
        let mut begin = 0;
        self.heads().map(move |head| {
            let payload = self.payload(&head, begin);
            begin = usize::try_from(head.end).unwrap_or(usize::MAX);
            (u64::from(head.position), payload)
        })
    }

    /// Its bytes start at `begin`.
    fn payload(&self, head: &Head, begin: usize) -> Option<Payload> {
        let retention = match head.kept {
            ERASED => return Some(Payload::Erased),
            REPLAY => Retention::Replay,
            FULL => Retention::Full,
            _ => return None,
        };
        let bytes = self.bytes.get(begin..usize::try_from(head.end).ok()?)?.to_vec();
        let erase_after_us = Some(head.erase_after_us).filter(|at| *at != NEVER);
        Some(Payload::Present(StoredPayload { salt: head.salt, bytes, retention, erase_after_us }))
    }

    /// Overwrites those whose time has come, at most `limit` of them, the one whose time came first before the others;
    /// how many.
    pub(crate) fn erase(&mut self, now_us: i64, limit: usize) -> usize {
        let mut due: Vec<(i64, usize)> = self
            .heads()
            .enumerate()
            .filter(|(_, head)| head.is_due(now_us))
            .map(|(place, head)| (head.erase_after_us, place))
            .collect();
        due.sort_unstable();
        due.truncate(limit);
        let (mut heads, mut begin) = (Vec::with_capacity(self.heads.len()), 0);
        let stored: Vec<Head> = self.heads().collect();
        for (place, mut head) in stored.into_iter().enumerate() {
            let end = usize::try_from(head.end).unwrap_or(usize::MAX);
            if due.iter().any(|(_, other)| *other == place) {
                (head.kept, head.salt) = (ERASED, [0; 16]);
                if let Some(bytes) = self.bytes.get_mut(begin..end) {
                    bytes.fill(0);
                }
            }
            begin = end;
            head.write(&mut heads);
        }
        self.heads = heads;
        due.len()
    }
}

#[cfg(test)]
mod tests;
