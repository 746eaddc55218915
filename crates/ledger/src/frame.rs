//! The frame of an entry: the two members that the ledger itself reads.
//!
//! An entry is a canonical JSON object (RFC 8785) of at most 64 KiB. Its member `index` is its place
//! in the ledger, its member `prev` the leaf hash of the entry before it in lower-case hexadecimal
//! (64 zeros in the first). All else in it belongs to whoever wrote it.
//!
//! Refuses to be a JSON parser: it follows strings and brackets only as far as needed to find the
//! two members of the outermost object and to be sure that the object ends where the bytes end.

use crate::hash::{Hash, HashError};
use crate::tree::MAX_SIZE;

/// The longest entry a ledger holds.
pub const MAX_ENTRY_BYTES: usize = 64 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    pub index: u64,
    pub prev: Hash,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("longer than {MAX_ENTRY_BYTES} bytes")]
    TooLong,
    #[error("not one JSON object")]
    NotAnObject,
    #[error("no member `{0}`")]
    Missing(&'static str),
    #[error("the member `{0}` stands twice")]
    Twice(&'static str),
    #[error("the member `index` is not a plain number")]
    Index,
    #[error("the member `prev` is not a leaf hash")]
    Prev,
}

/// Reads the frame of one entry.
pub fn read(entry: &[u8]) -> Result<Frame, FrameError> {
    if entry.len() > MAX_ENTRY_BYTES {
        return Err(FrameError::TooLong);
    }
    let mut rest = Rest(entry);
    let (mut index, mut prev) = (None, None);
    rest.skip(b'{')?;
    loop {
        rest.skip(b'"')?;
        let name = rest.string()?;
        rest.skip(b':')?;
        match name {
            b"index" if index.is_some() => return Err(FrameError::Twice("index")),
            b"prev" if prev.is_some() => return Err(FrameError::Twice("prev")),
            b"index" => index = Some(rest.number()?),
            b"prev" => prev = Some(rest.hash()?),
            _ => rest.value()?,
        }
        match rest.next()? {
            b',' => {}
            b'}' => break,
            _ => return Err(FrameError::NotAnObject),
        }
    }
    if !rest.0.is_empty() {
        return Err(FrameError::NotAnObject);
    }
    let index = index.ok_or(FrameError::Missing("index"))?;
    let prev = prev.ok_or(FrameError::Missing("prev"))?;
    Ok(Frame { index, prev })
}

/// What is still to be read.
struct Rest<'e>(&'e [u8]);

impl<'e> Rest<'e> {
    fn next(&mut self) -> Result<u8, FrameError> {
        let (first, rest) = self.0.split_first().ok_or(FrameError::NotAnObject)?;
        self.0 = rest;
        Ok(*first)
    }

    fn skip(&mut self, expected: u8) -> Result<(), FrameError> {
        if self.next()? == expected { Ok(()) } else { Err(FrameError::NotAnObject) }
    }

    fn take(&mut self, count: usize) -> Result<&'e [u8], FrameError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(FrameError::NotAnObject)?;
        self.0 = rest;
        Ok(taken)
    }

    /// The raw content of a string whose opening quote was read.
    fn string(&mut self) -> Result<&'e [u8], FrameError> {
        let mut end = 0;
        loop {
            let ahead = self.0.get(end..).ok_or(FrameError::NotAnObject)?;
            end += quote_or_backslash(ahead).ok_or(FrameError::NotAnObject)?;
            if self.0.get(end) == Some(&b'"') {
                break;
            }
            // A backslash takes the byte after it along.
            end += 2;
        }
        let content = self.take(end)?;
        self.skip(b'"')?;
        Ok(content)
    }

    /// A whole number without sign and leading zeros.
    fn number(&mut self) -> Result<u64, FrameError> {
        let end = self.0.iter().position(|byte| !byte.is_ascii_digit()).ok_or(FrameError::Index)?;
        let digits = self.take(end)?;
        if digits.len() > 1 && digits.first() == Some(&b'0') {
            return Err(FrameError::Index);
        }
        let value: u64 =
            std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).ok_or(FrameError::Index)?;
        if value < MAX_SIZE { Ok(value) } else { Err(FrameError::Index) }
    }

    fn hash(&mut self) -> Result<Hash, FrameError> {
        let hash = match self.next()? {
            b'"' => Hash::from_hex(self.string()?),
            _ => Err(HashError),
        };
        hash.map_err(|HashError| FrameError::Prev)
    }

    /// Skips one value, up to the comma or bracket that ends it.
    fn value(&mut self) -> Result<(), FrameError> {
        let mut depth = 0usize;
        loop {
            // Inside of brackets commas do not matter, and there is much inside.
            let ends = |byte: &u8| matches!(byte, b'"' | b'{' | b'[' | b'}' | b']') || (*byte == b',' && depth == 0);
            let plain = self.0.iter().position(ends).ok_or(FrameError::NotAnObject)?;
            self.take(plain)?;
            match self.0.first().ok_or(FrameError::NotAnObject)? {
                b',' | b'}' if depth == 0 => return Ok(()),
                b'"' => {
                    self.next()?;
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                _ => depth = depth.checked_sub(1).ok_or(FrameError::NotAnObject)?,
            }
            self.next()?;
        }
    }
}

/// Most strings are short: for those eight bytes at a time are cheaper than a search in wide steps.
fn quote_or_backslash(text: &[u8]) -> Option<usize> {
    const SHORT: usize = 4;
    let (words, rest) = text.as_chunks::<8>();
    for (place, word) in words.iter().take(SHORT).enumerate() {
        let found = has(*word, b'"') | has(*word, b'\\');
        if found != 0 {
            return Some(8 * place + usize::try_from(found.trailing_zeros() / 8).ok()?);
        }
    }
    match text.get(8 * SHORT..) {
        Some(long) => memchr::memchr2(b'"', b'\\', long).map(|found| found + 8 * SHORT),
        None => {
            let is_wanted = |byte: &u8| matches!(byte, b'"' | b'\\');
            rest.iter().position(is_wanted).map(|found| found + text.len() - rest.len())
        }
    }
}

/// The lowest bit that is set belongs to the first byte that is the wanted one; none is set if there is none.
const fn has(word: [u8; 8], wanted: u8) -> u64 {
    const LOW: u64 = u64::from_le_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_le_bytes([0x80; 8]);
    let zero_where_equal = u64::from_le_bytes(word) ^ u64::from_le_bytes([wanted; 8]);
    zero_where_equal.wrapping_sub(LOW) & !zero_where_equal & HIGH
}

#[cfg(test)]
mod tests;
