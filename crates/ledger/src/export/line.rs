//! One line of an export, read and examined as far as that needs no other line.

use super::MAX_LINE_BYTES;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::hash::Hash;
use crate::key::VerifyingKey;
use crate::verify::Leaf;

pub(super) enum Line {
    Entry { index: u64, leaf: Leaf, stored: Hash },
    Checkpoint(Box<Opened>),
    Unreadable,
}

/// A checkpoint, opened where it was read or left to be opened when it is needed.
pub(super) enum Opened {
    Now(Result<Checkpoint, CheckpointError>),
    Later(String),
}

/// Examines lines: hashes entries and checks signatures. It knows the ledger's keys and nothing of other lines, so
/// any number of them can work at the same time.
#[derive(Clone, Debug)]
pub struct Examiner {
    pub(super) trusted: Vec<VerifyingKey>,
    pub(super) origin: String,
    pub(super) sparse: bool,
}

/// The lines of a block, examined.
pub struct Examined {
    /// Each with how often it stands there: only unreadable lines are counted together, so that a block of empty
    /// lines does not become a hundred times as large.
    pub(super) lines: Vec<(Line, u64)>,
}

impl Examiner {
    /// Examines a block of whole lines, as `Cutter` makes them.
    #[must_use]
    pub fn examine(&self, block: &[u8]) -> Examined {
        let mut lines = Vec::new();
        if block.is_empty() {
            return Examined { lines };
        }
        let block = block.strip_suffix(b"\n").unwrap_or(block);
        let mut from = 0;
        for end in memchr::memchr_iter(b'\n', block).chain([block.len()]) {
            let line = self.line(block.get(from..end).unwrap_or_default());
            from = end + 1;
            match (&line, lines.last_mut()) {
                (Line::Unreadable, Some((Line::Unreadable, times))) => *times += 1,
                _ => lines.push((line, 1)),
            }
        }
        Examined { lines }
    }

    pub(super) fn line(&self, line: &[u8]) -> Line {
        match read(line) {
            Some(Read::Entry { index, stored, entry }) => Line::Entry { index, leaf: Leaf::read(entry), stored },
            Some(Read::Checkpoint(note)) if self.sparse => Line::Checkpoint(Box::new(Opened::Later(note))),
            Some(Read::Checkpoint(note)) => Line::Checkpoint(Box::new(Opened::Now(self.open(&note)))),
            None => Line::Unreadable,
        }
    }

    pub(super) fn open(&self, note: &str) -> Result<Checkpoint, CheckpointError> {
        Checkpoint::open(note, &self.trusted, &self.origin)
    }
}

enum Read<'l> {
    Entry { index: u64, stored: Hash, entry: &'l [u8] },
    Checkpoint(String),
}

/// Reads a line of exactly the form that is written.
fn read(line: &[u8]) -> Option<Read<'_>> {
    if line.len() > MAX_LINE_BYTES {
        return None;
    }
    if let Some(note) = line.strip_prefix(b"{\"checkpoint\":") {
        return Some(Read::Checkpoint(serde_json::from_slice(note.strip_suffix(b"}")?).ok()?));
    }
    let rest = line.strip_prefix(b"{\"index\":")?;
    let (digits, rest) = rest.split_at_checked(rest.iter().position(|byte| *byte == b',')?)?;
    let rest = rest.strip_prefix(b",\"leafHash\":\"")?;
    let (stored, rest) = rest.split_at_checked(64)?;
    let entry = rest.strip_prefix(b"\",\"entry\":")?.strip_suffix(b"}")?;
    Some(Read::Entry { index: plain_number(digits)?, stored: Hash::from_hex(stored).ok()?, entry })
}

/// Decimal digits without sign or leading zeros.
fn plain_number(digits: &[u8]) -> Option<u64> {
    if digits.first().is_none_or(|first| !first.is_ascii_digit() || (*first == b'0' && digits.len() > 1)) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}
