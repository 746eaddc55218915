//! A hasher for what begins with a digest: one multiplication with numbers that nobody outside knows, so that nobody can
//! choose values that crowd one place of a table.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

static NUMBERS: LazyLock<(u64, u64)> = LazyLock::new(|| {
    let random = RandomState::new();
    (random.hash_one(0u8), random.hash_one(1u8) | 1)
});

#[derive(Clone, Copy, Debug)]
pub struct Mixing(u64, u64);

impl Default for Mixing {
    fn default() -> Self {
        Self(NUMBERS.0, NUMBERS.1)
    }
}

pub struct Mix {
    number: u64,
    by: u64,
}

impl BuildHasher for Mixing {
    type Hasher = Mix;

    fn build_hasher(&self) -> Mix {
        Mix { number: self.0, by: self.1 }
    }
}

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut number = [0; 8];
            number.iter_mut().zip(chunk).for_each(|(place, byte)| *place = *byte);
            self.write_u64(u64::from_le_bytes(number));
        }
    }

    #[allow(clippy::cast_possible_truncation, reason = "both halves of the product are wanted")]
    fn write_u64(&mut self, number: u64) {
        let product = u128::from(self.number ^ number) * u128::from(self.by);
        self.number = (product as u64) ^ ((product >> 64) as u64);
    }

    fn finish(&self) -> u64 {
        self.number
    }
}
