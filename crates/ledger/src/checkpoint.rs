//! Checkpoints (C2SP tlog-checkpoint): the size and root of one ledger, as a signed note.
//!
//! ```text
//! runplane/ws_0190…            origin: which ledger, also the name of the key
//! 4711                         entries
//! CsUYapGGPo4dkMgIAUqom/X…=    root hash
//! runplane-time-us 1767225600000000
//!
//! — runplane/ws_0190… Az3grl…
//! ```
//!
//! The optional fourth line is the ledger's own time in microseconds since 1970. Lines after it
//! that this version does not know are accepted, as the format demands, and are covered by the
//! signature. Refuses a checkpoint of another origin even if a trusted key signed it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::hash::Hash;
use crate::key::{SigningKey, VerifyingKey};
use crate::note::{self, NoteError};
use crate::tree::MAX_SIZE;

const TIME_PREFIX: &str = "runplane-time-us ";

/// The origin of a workspace's ledger; also the name its key must have.
#[must_use]
pub fn origin(workspace_id: &str) -> String {
    format!("runplane/{workspace_id}")
}

/// What a checkpoint says. A value got from `open` was signed; the fields alone prove nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub origin: String,
    pub size: u64,
    pub root: Hash,
    /// Ledger time in microseconds since 1970, if the signer stated one.
    pub time_us: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    #[error(transparent)]
    Note(#[from] NoteError),
    #[error("not a checkpoint: {0}")]
    Malformed(&'static str),
    #[error("the checkpoint is of `{found}`, not of `{expected}`")]
    Origin { expected: String, found: String },
}

impl Checkpoint {
    /// The signed note for a size and root of the ledger that the key is named after.
    pub fn sign(key: &SigningKey, size: u64, root: Hash, time_us: Option<i64>) -> Result<String, CheckpointError> {
        if size > MAX_SIZE {
            return Err(CheckpointError::Malformed("the size is larger than any ledger can be"));
        }
        let checkpoint = Self { origin: key.verifying().name().to_owned(), size, root, time_us };
        Ok(note::sign(&checkpoint.text(), key)?)
    }

    /// Reads a note, which must be signed by one of the trusted keys and be of this origin.
    pub fn open(note: &str, trusted: &[VerifyingKey], origin: &str) -> Result<Self, CheckpointError> {
        let checkpoint = Self::parse(note::open(note, trusted)?)?;
        if checkpoint.origin != origin {
            return Err(CheckpointError::Origin { expected: origin.to_owned(), found: checkpoint.origin });
        }
        Ok(checkpoint)
    }

    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        let time = self.time_us.map_or_else(String::new, |time| format!("{TIME_PREFIX}{time}\n"));
        format!("{}\n{}\n{}\n{time}", self.origin, self.size, STANDARD.encode(self.root.as_bytes()))
    }

    /// Reads a text that is already known to be signed.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let body = text.strip_suffix('\n').ok_or(CheckpointError::Malformed("no newline at the end"))?;
        let mut lines = body.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(CheckpointError::Malformed("fewer than three lines"));
        };
        if origin.is_empty() {
            return Err(CheckpointError::Malformed("no origin"));
        }
        let size = read_size(size).ok_or(CheckpointError::Malformed("the size is not a plain number"))?;
        let root = STANDARD
            .decode(root)
            .ok()
            .and_then(|root| <[u8; 32]>::try_from(root).ok())
            .ok_or(CheckpointError::Malformed("the root is not 32 bytes in base64"))?;
        let mut time_us = None;
        for line in lines {
            if line.is_empty() {
                return Err(CheckpointError::Malformed("an empty line"));
            }
            if let Some(time) = line.strip_prefix(TIME_PREFIX) {
                let read = time.parse().ok().filter(|read: &i64| time_us.is_none() && read.to_string() == time);
                time_us = Some(read.ok_or(CheckpointError::Malformed("the time is not a plain number"))?);
            }
        }
        Ok(Self { origin: origin.to_owned(), size, root: Hash::new(root), time_us })
    }
}

/// Decimal digits without sign or leading zeros.
fn read_size(text: &str) -> Option<u64> {
    let size: u64 = text.parse().ok().filter(|size| *size <= MAX_SIZE)?;
    (size.to_string() == text).then_some(size)
}

#[cfg(test)]
mod tests;
