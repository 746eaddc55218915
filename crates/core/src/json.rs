//! JSON in and out: a strict reader for what callers send, a canonical writer for what is hashed.
//!
//! INVARIANT: for every input the reader accepts, `read(write_canonical(read(input)))` is the same
//! value, and two inputs with the same canonical bytes mean the same to every JSON reader.

mod read;
mod write;

pub use read::{Code, Limits, ReadError, read};
pub use write::{write_canonical, write_number, write_text};

use crate::value::{Object, Value};

/// How many bytes come before the first that ends a text or has to be escaped: a quote, a backslash, a control
/// character. All of them if there is none.
fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    let (words, rest) = bytes.as_chunks();
    for (place, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // The highest bit of each byte that is below another; exact up to the first such byte.
        let below = |bytes: u64, least: u64| bytes.wrapping_sub(ONES * least) & !bytes & HIGH;
        let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
        let found = is(b'"') | is(b'\\') | below(word, 0x20);
        if found != 0 {
            return place * 8 + usize::try_from(found.trailing_zeros() / 8).unwrap_or(0);
        }
    }
    let ends = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    words.len() * 8 + rest.iter().position(ends).unwrap_or(rest.len())
}

/// The canonical bytes of a value.
#[must_use]
pub fn to_canonical(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    write_canonical(value, &mut bytes);
    bytes
}

/// Canonical bytes of an object, as [`write_canonical`] writes them.
pub fn write_canonical_object(object: &Object, out: &mut Vec<u8>) {
    write::write_object(object, out);
}

#[cfg(test)]
mod tests;
