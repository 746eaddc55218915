//! What the summary of a block says of it.
//!
//! INVARIANT: a summary never says of a value that is in its block that it is not: what it lets through is looked at row
//! by row.

use crate::block::{MOST_ROWS, Probe, probes_of};
use crate::rows::DecisionRow;

/// 16 bits for each of the two values per row that may be different in every row: one block in a thousand is read
/// for nothing.
const FILTER: usize = 2 * MOST_ROWS * 2;
const PROBES: u32 = 6;
/// Count (4), last index (8), first and last time (8 each), then the filter.
const SUMMARY: usize = 28 + FILTER;

/// Byte and mask of each of a value's bits.
fn bits(Probe(hash): Probe) -> impl Iterator<Item = (usize, u8)> {
    let (step, bits) = ((hash >> 32) | 1, FILTER as u64 * 8);
    (0..PROBES).map(move |probe| {
        let bit = hash.wrapping_add(u64::from(probe).wrapping_mul(step)) % bits;
        (usize::try_from(bit / 8).unwrap_or(0), 1 << (bit % 8))
    })
}

/// What may be in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Summary {
    pub count: usize,
    pub last_index: u64,
    pub first_at_us: i64,
    pub last_at_us: i64,
    filter: Vec<u8>,
}

impl Summary {
    pub(super) fn new() -> Self {
        Self { count: 0, last_index: 0, first_at_us: i64::MAX, last_at_us: i64::MIN, filter: vec![0; FILTER] }
    }

    /// Takes rows in, in their order.
    pub(super) fn add_all(&mut self, rows: &[DecisionRow]) {
        for row in rows {
            self.count += 1;
            self.last_index = self.last_index.max(row.index);
            self.first_at_us = self.first_at_us.min(row.at_us);
            self.last_at_us = self.last_at_us.max(row.at_us);
        }
        for (byte, mask) in probes_of(rows.iter()).flat_map(|(_, _, probe)| bits(probe)) {
            if let Some(byte) = self.filter.get_mut(byte) {
                *byte |= mask;
            }
        }
    }

    /// Whether all of these values may be in the block.
    pub(super) fn may_have(&self, probes: &[Probe]) -> bool {
        let is_set = |(byte, mask): (usize, u8)| self.filter.get(byte).is_some_and(|byte| byte & mask != 0);
        probes.iter().all(|probe| bits(*probe).all(is_set))
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(SUMMARY);
        out.extend_from_slice(&u32::try_from(self.count).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(&self.last_index.to_be_bytes());
        out.extend_from_slice(&self.first_at_us.to_be_bytes());
        out.extend_from_slice(&self.last_at_us.to_be_bytes());
        out.extend_from_slice(&self.filter);
        out
    }

    /// `None` for what is no summary.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (count, rest) = bytes.split_first_chunk::<4>()?;
        let (last_index, rest) = rest.split_first_chunk::<8>()?;
        let (first_at, rest) = rest.split_first_chunk::<8>()?;
        let (last_at, filter) = rest.split_first_chunk::<8>()?;
        (filter.len() == FILTER).then(|| Self {
            count: usize::try_from(u32::from_be_bytes(*count)).unwrap_or(usize::MAX),
            last_index: u64::from_be_bytes(*last_index),
            first_at_us: i64::from_be_bytes(*first_at),
            last_at_us: i64::from_be_bytes(*last_at),
            filter: filter.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::values_of;
    use crate::contract::samples;

    #[test]
    fn a_summary_never_denies_what_is_there_and_seldom_affirms_what_is_not() {
        let mut summary = Summary::new();
        let many: Vec<DecisionRow> =
            (0..256).map(|index| DecisionRow { target: format!("t{index}"), ..samples::decision(index) }).collect();
        summary.add_all(&many);
        for row in &many {
            assert!(values_of(row).iter().all(|(column, value)| summary.may_have(&[Probe::new(*column, value)])));
        }
        let wrong =
            (0..10_000).filter(|number| summary.may_have(&[Probe::request(&format!("other {number}"))])).count();
        assert!(wrong < 60, "{wrong} of 10,000 blocks would be read for nothing");
        assert!(!summary.may_have(&[Probe::agent("t3")]), "a value counts in its own column");
    }

    #[test]
    fn a_summary_reads_back_and_what_is_none_is_refused() {
        let mut summary = Summary::new();
        summary.add_all(&(0..40).map(samples::decision).collect::<Vec<_>>());
        let bytes = summary.to_bytes();
        assert_eq!(Summary::from_bytes(&bytes), Some(summary.clone()));
        assert_eq!((summary.count, summary.last_index), (40, 39));
        assert_eq!(Summary::from_bytes(&bytes[1..]), None);
        assert_eq!(Summary::from_bytes(&[]), None);
    }
}
