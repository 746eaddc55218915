//! Whether a run may have a key, from memory: a Bloom filter in blocks of one cache line. What it does not know is not
//! there; of what is not there it takes about one in a hundred for known.

/// Bits for a key.
const BITS: u64 = 10;
/// Words of a block.
const WORDS: usize = 8;
const PROBES: u32 = 6;

pub struct Filter {
    blocks: Vec<[u64; WORDS]>,
}

impl Filter {
    pub fn new(keys: u64) -> Self {
        let blocks = usize::try_from(keys.saturating_mul(BITS) / 512).unwrap_or(usize::MAX).saturating_add(1);
        Self { blocks: vec![[0; WORDS]; blocks] }
    }

    /// A tail is a digest, so its own bits are as good as those of another hash.
    fn place(&self, tail: &[u8; 24]) -> (usize, u64) {
        let number = |from: usize| -> u64 {
            let bytes = tail.get(from..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
            u64::from_le_bytes(bytes)
        };
        let (where_to, bits) = (number(2) ^ number(16), number(8) ^ number(16).rotate_left(17));
        let block = (u128::from(where_to) * self.blocks.len() as u128) >> 64;
        (usize::try_from(block).unwrap_or(0), bits)
    }

    pub fn add(&mut self, tail: &[u8; 24]) {
        let (block, bits) = self.place(tail);
        let Some(block) = self.blocks.get_mut(block) else { return };
        for (word, bit) in probes(bits) {
            block.iter_mut().skip(word).take(1).for_each(|word| *word |= bit);
        }
    }

    pub fn may_have(&self, tail: &[u8; 24]) -> bool {
        let (block, bits) = self.place(tail);
        let Some(block) = self.blocks.get(block) else { return true };
        probes(bits).all(|(word, bit)| block.get(word).is_none_or(|word| word & bit != 0))
    }
}

/// Nine bits each: which word, and which bit of it.
fn probes(bits: u64) -> impl Iterator<Item = (usize, u64)> {
    (0..PROBES).map(move |probe| {
        let nine = (bits >> (probe * 9)) & 0x1ff;
        (usize::try_from(nine >> 6).unwrap_or(0), 1u64 << (nine & 63))
    })
}
