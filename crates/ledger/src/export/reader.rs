//! Reading and verifying an export as it streams in.
//!
//! Memory is bounded: one unfinished line and the line numbers of the entries that no checkpoint
//! has proven yet.

use std::collections::VecDeque;

use super::line::{Examined, Examiner, Line, Opened};
use super::{FORMAT, Header, MAX_LINE_BYTES, VERSION};
use crate::checkpoint::CheckpointError;
use crate::key::VerifyingKey;
use crate::verify::{Head, Report, Verifier};

/// Line numbers remembered; a fault further back is named by its index only.
const MAX_LINES: usize = 1 << 20;

/// Entries after which a sparse reading looks at the next checkpoint; a commit may end later.
const SPARSE_ENTRIES: u64 = 1024;

/// What became of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub header: Header,
    /// Whether the key was given by the caller. If not, it was taken from the file itself, and the
    /// report shows only that the file agrees with itself.
    pub key_pinned: bool,
    /// Whether checkpoints were left out, see `Reader::sparse`.
    pub sparse: bool,
    pub report: Report,
    /// Where in the file the first fault is, counted from 1, if it is at a line at all.
    pub line: Option<u64>,
}

/// Why there is nothing to verify.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error("line 1: not the header of a ledger export")]
    Header,
    #[error("line 1: version {0} of the export format is not known here")]
    Version(u64),
    #[error("line 1: the key in the header is not a verifier key")]
    Key,
    #[error("the given checkpoint cannot be used: {0}")]
    Outside(#[from] CheckpointError),
}

/// Takes the file in pieces of any size; or, after its first line, block by block as they were examined elsewhere.
pub struct Reader {
    pinned: Vec<VerifyingKey>,
    outside: Vec<String>,
    sparse: bool,
    started: Option<Started>,
    /// The beginning of a line whose end has not come yet.
    partial: Vec<u8>,
    /// The partial line is too long already and is being dropped.
    dropping: bool,
    line: u64,
    /// Lines of the entries from `lines_from` on.
    lines: VecDeque<u64>,
    lines_from: u64,
}

struct Started {
    header: Header,
    verifier: Verifier,
    examiner: Examiner,
}

impl Reader {
    /// Believes the pinned keys, or if there are none the key in the file; compares with
    /// checkpoints that were kept elsewhere.
    #[must_use]
    pub const fn new(pinned: Vec<VerifyingKey>, outside: Vec<String>) -> Self {
        Self {
            pinned,
            outside,
            sparse: false,
            started: None,
            partial: Vec::new(),
            dropping: false,
            line: 0,
            lines: VecDeque::new(),
            lines_from: 0,
        }
    }

    /// Looks at the last checkpoint and at one per 1,024 entries, not at all of them: checking a
    /// signature costs as much as reading fifty entries.
    ///
    /// Every entry is still covered by a signature, and the verdict on entries is the same. What is
    /// lost: damage to a checkpoint that was left out goes unseen, and a fault is located less
    /// exactly. So read a file that is found bad again, without this.
    #[must_use]
    pub const fn sparse(mut self) -> Self {
        self.sparse = true;
        self
    }

    /// The next bytes of the file. An error ends it: there is nothing that could be verified.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), ReadError> {
        let mut pieces = bytes.split(|byte| *byte == b'\n');
        // What follows the last newline is the beginning of a line.
        let Some(rest) = pieces.next_back() else { return Ok(()) };
        for piece in pieces {
            if self.partial.is_empty() && !self.dropping {
                self.line(piece)?;
            } else {
                self.keep(piece);
                self.end_partial()?;
            }
        }
        self.keep(rest);
        Ok(())
    }

    /// Who can examine the lines that follow, once the header was read.
    #[must_use]
    pub fn examiner(&self) -> Option<Examiner> {
        self.started.as_ref().map(|started| started.examiner.clone())
    }

    /// The next lines, examined by this reader's [`Examiner`]. All lines have to come this way from the one after the
    /// header on, or none, and in the order of the file.
    pub fn take(&mut self, examined: Examined) {
        for (line, times) in examined.lines {
            // Only unreadable lines stand more than once.
            for _ in 1..times {
                self.take_line(Line::Unreadable);
            }
            self.take_line(line);
        }
    }

    /// The file ends here.
    pub fn finish(mut self) -> Result<Outcome, ReadError> {
        if !self.partial.is_empty() || self.dropping {
            self.end_partial()?;
        }
        let Some(Started { header, verifier, .. }) = self.started else { return Err(ReadError::Header) };
        let report = verifier.report(Some(&Head { size: header.size, root: None }));
        let line = report.first_bad.as_ref().and_then(|fault| {
            let offset = usize::try_from(fault.index.checked_sub(self.lines_from)?).ok()?;
            self.lines.get(offset).copied()
        });
        Ok(Outcome { header, key_pinned: !self.pinned.is_empty(), sparse: self.sparse, report, line })
    }

    /// Whether a fault is certain already, so that reading on can only count entries.
    #[must_use]
    pub fn is_faulty(&self) -> bool {
        self.started.as_ref().is_some_and(|started| started.verifier.is_faulty())
    }

    /// The header, once it was read.
    #[must_use]
    pub fn header(&self) -> Option<&Header> {
        self.started.as_ref().map(|started| &started.header)
    }

    /// Entries read so far.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.started.as_ref().map_or(0, |started| started.verifier.entries())
    }

    fn keep(&mut self, piece: &[u8]) {
        if self.partial.len().saturating_add(piece.len()) > MAX_LINE_BYTES {
            self.dropping = true;
            self.partial.clear();
        }
        if !self.dropping {
            self.partial.extend_from_slice(piece);
        }
    }

    fn end_partial(&mut self) -> Result<(), ReadError> {
        let line = std::mem::take(&mut self.partial);
        if std::mem::take(&mut self.dropping) {
            // Longer than any line may be: read as a line that is certainly refused.
            return self.line(b"");
        }
        self.line(&line)?;
        self.partial = line;
        self.partial.clear();
        Ok(())
    }

    fn line(&mut self, line: &[u8]) -> Result<(), ReadError> {
        match &self.started {
            None => {
                self.line += 1;
                self.started = Some(self.start(line)?);
            }
            Some(started) => {
                let line = started.examiner.line(line);
                self.take_line(line);
            }
        }
        Ok(())
    }

    fn take_line(&mut self, line: Line) {
        self.line += 1;
        let Some(Started { header, verifier, examiner }) = &mut self.started else { return };
        match line {
            Line::Checkpoint(checkpoint) => {
                let read = verifier.entries();
                // If the header lies about the size, the report says so: this check cannot be led astray.
                if self.sparse && read != header.size && read.saturating_sub(verifier.proven()) < SPARSE_ENTRIES {
                    return;
                }
                verifier.opened(match *checkpoint {
                    Opened::Now(checkpoint) => checkpoint,
                    Opened::Later(note) => examiner.open(&note),
                });
                let proven = verifier.proven();
                return self.forget_lines(proven);
            }
            Line::Entry { index, leaf, stored } => verifier.leaf(index, &leaf, stored),
            Line::Unreadable => verifier.unreadable("not a line of a ledger export"),
        }
        self.lines.push_back(self.line);
        if self.lines.len() > MAX_LINES {
            self.lines.pop_front();
            self.lines_from += 1;
        }
    }

    /// Forgets the lines of proven entries, but for the last, at which a bad checkpoint is named.
    fn forget_lines(&mut self, proven: u64) {
        while self.lines_from + 1 < proven && self.lines.pop_front().is_some() {
            self.lines_from += 1;
        }
    }

    fn start(&self, line: &[u8]) -> Result<Started, ReadError> {
        if line.len() > MAX_LINE_BYTES {
            return Err(ReadError::Header);
        }
        let header: Header = serde_json::from_slice(line).map_err(|_| ReadError::Header)?;
        if header.runplane != FORMAT {
            return Err(ReadError::Header);
        }
        if header.version != VERSION {
            return Err(ReadError::Version(header.version));
        }
        let key = VerifyingKey::parse(&header.key).map_err(|_| ReadError::Key)?;
        let trusted = if self.pinned.is_empty() { vec![key] } else { self.pinned.clone() };
        let mut verifier = Verifier::new(trusted.clone(), &header.origin);
        for note in &self.outside {
            verifier.outside(note)?;
        }
        let examiner = Examiner { trusted, origin: header.origin.clone(), sparse: self.sparse };
        Ok(Started { header, verifier, examiner })
    }
}
