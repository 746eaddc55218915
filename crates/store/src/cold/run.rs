//! One run: keys in order, in blocks with a checksum each, in a file without a name.

use super::filter::Filter;
use runplane_core::meter::{ColdEntries, ColdFailure};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// A tail and what is under it.
pub type Entry = ([u8; 24], Vec<u8>);

/// Bytes after which a block ends.
const BLOCK: usize = 4_096;
const SUM: usize = 8;

pub struct Run {
    file: File,
    /// The first tail of each block, where it starts, and how long it is with its checksum.
    blocks: Vec<Block>,
    filter: Filter,
    keys: u64,
}

struct Block {
    first: [u8; 24],
    start: u64,
    length: usize,
}

impl Run {
    /// Writes entries that are in order; at most `most` of them.
    pub fn write(
        folder: &Path,
        entries: impl Iterator<Item = Result<Entry, ColdFailure>>,
        most: u64,
    ) -> Result<Self, ColdFailure> {
        // Where keys that sign are mounted nothing else can be written; what is derived may lie with the system's own.
        let file = tempfile::tempfile_in(folder).or_else(|_| tempfile::tempfile()).map_err(failure)?;
        let (mut out, mut start) = (BufWriter::with_capacity(256 * 1024, &file), 0u64);
        let (mut blocks, mut filter, mut keys) = (Vec::new(), Filter::new(most), 0);
        let (mut block, mut first) = (Vec::with_capacity(2 * BLOCK), None);
        let mut finish = |block: &mut Vec<u8>, first: [u8; 24]| -> Result<(), ColdFailure> {
            let sum = sum(block);
            block.extend_from_slice(&sum);
            out.write_all(block).map_err(failure)?;
            blocks.push(Block { first, start, length: block.len() });
            start += u64::try_from(block.len()).map_err(failure)?;
            block.clear();
            Ok(())
        };
        for entry in entries {
            let (tail, bytes) = entry?;
            let length = u32::try_from(bytes.len()).map_err(failure)?;
            filter.add(&tail);
            keys += 1;
            first.get_or_insert(tail);
            block.extend_from_slice(&tail);
            block.extend_from_slice(&length.to_le_bytes());
            block.extend_from_slice(&bytes);
            if block.len() >= BLOCK
                && let Some(first) = first.take()
            {
                finish(&mut block, first)?;
            }
        }
        if let Some(first) = first {
            finish(&mut block, first)?;
        }
        out.flush().map_err(failure)?;
        drop(out);
        Ok(Self { file, blocks, filter, keys })
    }

    pub fn len(&self) -> u64 {
        self.keys
    }

    pub fn find(&self, tail: &[u8; 24]) -> Result<Option<Vec<u8>>, ColdFailure> {
        if !self.filter.may_have(tail) {
            return Ok(None);
        }
        let after = self.blocks.partition_point(|block| block.first <= *tail);
        let Some(block) = after.checked_sub(1).and_then(|place| self.blocks.get(place)) else { return Ok(None) };
        let bytes = self.read(block)?;
        let mut rest = bytes.as_slice();
        while let Some((found, bytes)) = next(&mut rest)? {
            if found == *tail {
                return Ok(Some(bytes.to_vec()));
            }
        }
        Ok(None)
    }

    /// The content of a block, if it is what was written.
    fn read(&self, block: &Block) -> Result<Vec<u8>, ColdFailure> {
        let mut bytes = vec![0; block.length];
        self.file.read_exact_at(&mut bytes, block.start).map_err(failure)?;
        let content = bytes.len().saturating_sub(SUM);
        let written = bytes.split_off(content);
        if sum(&bytes) == written.as_slice() { Ok(bytes) } else { Err(failure("a block of keys is damaged")) }
    }

    /// Entries in order whose first two bytes are not below `from`.
    pub fn scan(&self, from: u16) -> ColdEntries<'_> {
        let prefix = |tail: &[u8; 24]| tail.first_chunk().map_or(0, |first| u16::from_be_bytes(*first));
        let start = self.blocks.partition_point(|block| prefix(&block.first) < from).saturating_sub(1);
        let entries = self.blocks.iter().skip(start).flat_map(|block| match self.read(block) {
            Ok(bytes) => all_of(&bytes),
            Err(failed) => vec![Err(failed)],
        });
        Box::new(entries.filter(move |entry| entry.as_ref().map_or(true, |(tail, _)| prefix(tail) >= from)))
    }

    /// For tests: spoils one byte.
    #[cfg(test)]
    pub fn spoil(&self, at: u64) {
        let mut byte = [0];
        self.file.read_exact_at(&mut byte, at).unwrap();
        self.file.write_all_at(&[byte[0] ^ 1], at).unwrap();
    }
}

fn all_of(bytes: &[u8]) -> Vec<Result<Entry, ColdFailure>> {
    let (mut rest, mut found) = (bytes, Vec::new());
    loop {
        match next(&mut rest) {
            Ok(Some((tail, bytes))) => found.push(Ok((tail, bytes.to_vec()))),
            Ok(None) => return found,
            Err(failed) => {
                found.push(Err(failed));
                return found;
            }
        }
    }
}

/// A tail and what belongs to it.
type Part<'b> = ([u8; 24], &'b [u8]);

fn next<'b>(rest: &mut &'b [u8]) -> Result<Option<Part<'b>>, ColdFailure> {
    if rest.is_empty() {
        return Ok(None);
    }
    let short = || failure("a block of keys ends too early");
    let (tail, after) = rest.split_first_chunk::<24>().ok_or_else(short)?;
    let (length, after) = after.split_first_chunk::<4>().ok_or_else(short)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(failure)?;
    let (bytes, after) = after.split_at_checked(length).ok_or_else(short)?;
    *rest = after;
    Ok(Some((*tail, bytes)))
}

fn sum(bytes: &[u8]) -> [u8; SUM] {
    Sha256::digest(bytes).first_chunk().copied().unwrap_or_default()
}

fn failure(reason: impl std::fmt::Display) -> ColdFailure {
    ColdFailure(format!("keys on disk: {reason}"))
}
