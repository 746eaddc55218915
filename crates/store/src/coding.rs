//! Bytes that repeat themselves, made shorter before they are written: the records of one commit say nearly the same.
//!
//! A commit costs by the page, three times: in the log, on disk, and when the log is copied back. Shortening costs a
//! fraction of that. What is shortened has nothing to do with what is proven: hashes are over the bytes as they were.
//! INVARIANT: whatever `shorten` made, `restore` gives back byte by byte; what it cannot read is never taken for empty.

use std::borrow::Cow;

/// As they are.
const PLAIN: i64 = 0;
/// Length (four bytes, little-endian), then one LZ4 block.
const LZ4: i64 = 1;

/// Below this, a page, it would take time and save none of the disk.
const WORTH_IT: usize = 4 << 10;
/// Above this it would hold up the commit.
const MOST: usize = 2 << 20;

/// The bytes as they are to be stored, and how.
pub fn shorten(bytes: Vec<u8>) -> (i64, Vec<u8>) {
    if !(WORTH_IT..=MOST).contains(&bytes.len()) {
        return (PLAIN, bytes);
    }
    let short = lz4_flex::block::compress_prepend_size(&bytes);
    // What hardly shrinks is rather read without ado.
    if short.len() + bytes.len() / 8 < bytes.len() { (LZ4, short) } else { (PLAIN, bytes) }
}

/// The bytes as they were; `None` where they cannot be told.
pub fn restore(coding: i64, stored: &[u8]) -> Option<Cow<'_, [u8]>> {
    match coding {
        PLAIN => Some(Cow::Borrowed(stored)),
        LZ4 => {
            let (length, block) = lz4_flex::block::uncompressed_size(stored).ok()?;
            let plain = lz4_flex::block::decompress(block, (length <= MOST).then_some(length)?).ok()?;
            // Fewer bytes than it says are not what was shortened.
            (plain.len() == length).then_some(Cow::Owned(plain))
        }
        _ => None,
    }
}

/// Bytes that were shortened where they were made, so that the thread that commits need not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    coding: i64,
    bytes: Vec<u8>,
}

impl From<Vec<u8>> for Stored {
    fn from(bytes: Vec<u8>) -> Self {
        let (coding, bytes) = shorten(bytes);
        Self { coding, bytes }
    }
}

impl Stored {
    /// How they are stored, and as what.
    pub(crate) fn parts(&self) -> (i64, &[u8]) {
        (self.coding, &self.bytes)
    }

    /// As they were.
    #[must_use]
    pub fn restored(&self) -> Cow<'_, [u8]> {
        // What `shorten` made can be told; otherwise it is kept as it is, which nobody takes for a document.
        restore(self.coding, &self.bytes).unwrap_or(Cow::Borrowed(&self.bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_was_shortened_comes_back() {
        let noise = |length: usize| (0..length).map(|at| (at * at % 251) as u8).collect::<Vec<u8>>();
        let same =
            |length: usize| b"{\"decision\":\"ALLOW\"}".iter().copied().cycle().take(length).collect::<Vec<u8>>();
        for length in [0, 1, WORTH_IT - 1, WORTH_IT, 10_000, 100_000, MOST, MOST + 1] {
            for bytes in [noise(length), same(length)] {
                let (coding, stored) = shorten(bytes.clone());
                assert!(restore(coding, &stored).as_deref() == Some(&bytes[..]), "{length}");
                assert!(stored.len() <= bytes.len());
            }
        }
        assert!(shorten(same(50_000)).1.len() < 1_000);
    }

    #[test]
    fn what_was_spoiled_cannot_be_told_and_is_not_taken_for_empty() {
        let (coding, stored) = shorten(vec![7; 10_000]);
        assert_eq!(coding, LZ4);
        assert!(restore(LZ4, &stored[..stored.len() - 1]).is_none());
        assert!(restore(LZ4, b"abc").is_none());
        let mut more = stored.clone();
        more[..4].copy_from_slice(&10_001u32.to_le_bytes());
        assert!(restore(LZ4, &more).is_none(), "it says that it is longer than it is");
        let mut longer = stored.clone();
        longer[..4].fill(0xff);
        assert!(restore(LZ4, &longer).is_none(), "nothing is made room for that nobody wrote");
        assert!(restore(2, &stored).is_none());
    }
}
