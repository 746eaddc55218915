//! Cutting a file into blocks of whole lines, so that blocks can be examined at the same time.

use super::MAX_LINE_BYTES;

/// Keeps the beginning of the line that a block breaks off in for the next block. Memory is bounded by the longest
/// line that is read: what is longer loses its end and stays too long.
#[derive(Debug, Default)]
pub struct Cutter {
    rest: Vec<u8>,
}

impl Cutter {
    /// Begins a block with what the last one left; the next bytes of the file are to be added.
    pub fn begin(&mut self, block: &mut Vec<u8>) {
        block.clear();
        block.append(&mut self.rest);
    }

    /// Ends the block with its last whole line. At the end of the file it must not be called: there the rest is a line.
    pub fn end(&mut self, block: &mut Vec<u8>) {
        let whole = memchr::memrchr(b'\n', block).map_or(0, |at| at + 1);
        self.rest.extend_from_slice(block.get(whole..).unwrap_or_default());
        self.rest.truncate(MAX_LINE_BYTES + 1);
        block.truncate(whole);
    }
}
