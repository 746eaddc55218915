//! The frontier of an append-only Merkle tree (RFC 6962 §2.1): all a writer must keep to append the
//! next entry and to name the root.
//!
//! Refuses to hold entries or inner nodes: at most one hash per set bit of the size is kept, so a
//! ledger of any length costs the writer under 2 KiB.

use crate::hash::{Hash, empty_root, node_hash};

/// The most entries a tree may have; sizes are stored as signed 64-bit integers in databases, and
/// below this bound no counter can overflow.
pub const MAX_SIZE: u64 = 1 << 62;

const SIZE_BYTES: usize = 8;
const HASH_BYTES: usize = 32;

/// INVARIANT: `peaks` holds the roots of the perfect subtrees that make up the tree, largest (oldest)
/// first, one for each set bit of `size`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrontierError {
    #[error("a stored frontier of {size} entries needs {expected} bytes, not {found}")]
    Length { size: u64, expected: usize, found: usize },
    #[error("a stored frontier starts with a size of eight bytes, found {found} bytes")]
    Short { found: usize },
    #[error("a ledger of {size} entries is larger than any ledger can be")]
    TooLarge { size: u64 },
}

impl Frontier {
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, peaks: Vec::new() }
    }

    /// Number of entries; also the index the next one gets.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds the next entry by its leaf hash and returns its index.
    pub fn append(&mut self, leaf: Hash) -> u64 {
        let index = self.size;
        let mut node = leaf;
        // Each trailing one bit of the old size is a perfect subtree that the new leaf completes.
        for _ in 0..index.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.peaks.push(node);
        self.size = index + 1;
        index
    }

    /// The root hash over all entries so far.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut smallest_first = self.peaks.iter().rev();
        let Some(last) = smallest_first.next() else { return empty_root() };
        smallest_first.fold(*last, |right, left| node_hash(left, &right))
    }

    /// Size as eight big-endian bytes, then the peaks, largest first.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SIZE_BYTES + HASH_BYTES * self.peaks.len());
        bytes.extend_from_slice(&self.size.to_be_bytes());
        for peak in &self.peaks {
            bytes.extend_from_slice(peak.as_bytes());
        }
        bytes
    }

    /// Reads what `to_bytes` wrote. Whether the peaks are right shows only in the root: compare it
    /// with a signed one before appending to a frontier that was stored.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FrontierError> {
        let found = bytes.len();
        let (size, peaks) = bytes.split_first_chunk::<SIZE_BYTES>().ok_or(FrontierError::Short { found })?;
        let size = u64::from_be_bytes(*size);
        if size > MAX_SIZE {
            return Err(FrontierError::TooLarge { size });
        }
        let (peaks, rest) = peaks.as_chunks::<HASH_BYTES>();
        let count = size.count_ones() as usize;
        if peaks.len() != count || !rest.is_empty() {
            return Err(FrontierError::Length { size, expected: SIZE_BYTES + HASH_BYTES * count, found });
        }
        Ok(Self { size, peaks: peaks.iter().copied().map(Hash::new).collect() })
    }
}

#[cfg(test)]
pub(crate) mod tests;
