//! What verification found, in words that claim no more than was shown.

use std::fmt;

use crate::checkpoint::CheckpointError;
use crate::frame::FrameError;
use crate::hash::Hash;

/// The result of verifying a ledger, whole or as far as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Rows read, those after the first fault included.
    pub entries: u64,
    /// The first `proven` entries are exactly what a trusted key signed. Entries from here to the
    /// first fault are consistent with each other, and no more is known of them.
    pub proven: u64,
    /// Checkpoints whose signature and root were right.
    pub checkpoints: u64,
    /// Root over the proven entries.
    pub root: Hash,
    pub valid: bool,
    pub first_bad: Option<Fault>,
    pub rollback: Rollback,
}

/// Whether the ledger could be an older copy of itself: nothing inside it can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rollback {
    NotExcluded,
    /// A checkpoint held elsewhere covers this many entries and agrees.
    ExcludedUpTo(u64),
}

impl fmt::Display for Rollback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotExcluded => f.write_str("not excluded"),
            Self::ExcludedUpTo(size) => write!(f, "excluded up to size {size}"),
        }
    }
}

/// The first thing that is wrong, and the index it is wrong at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("entry {index}: {what}")]
pub struct Fault {
    pub index: u64,
    pub what: What,
}

/// What is wrong at a fault's index.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum What {
    #[error("missing, the next row is {next}")]
    Gap { next: u64 },
    #[error("the row in its place is {found}, which was read before")]
    RowAgain { found: u64 },
    #[error("missing: {signed} entries are signed or recorded")]
    Missing { signed: u64 },
    #[error("the entry in this place says it is {says}: entries were moved, removed or put in")]
    WrongIndex { says: u64 },
    #[error("the row cannot be read: {0}")]
    Unreadable(&'static str),
    #[error("the bytes are no entry: {0}")]
    Unframed(FrameError),
    #[error("not the entry that was signed")]
    Altered,
    #[error("the entry is the one that was signed, but the leaf hash stored with it was changed")]
    StoredHash,
    #[error("the bytes and the leaf hash stored with them do not fit: one of them was changed")]
    Bytes,
    #[error("the next entry names another one before it: this entry or the next was changed")]
    Chain,
    #[error("it does not name the entry before it, which is the one that was signed")]
    Prev,
    #[error("the entries from here to {last} are not all as they were signed; which of them was changed is unknown")]
    Root { last: u64 },
    #[error("the checkpoint of {size} entries is bad ({error}); no good one covers this entry")]
    Checkpoint { size: u64, error: CheckpointError },
    #[error("the checkpoint of {size} entries is bad ({error}); a later one shows that the entries are intact")]
    CheckpointOnly { size: u64, error: CheckpointError },
    #[error("a checkpoint of {size} entries stands where {read} were read")]
    Misplaced { size: u64, read: u64 },
    #[error("two signed checkpoints of {size} entries disagree: the key signed two histories")]
    Contradiction { size: u64 },
    #[error("no signed checkpoint covers the entries from here on")]
    Unsigned,
    #[error("the ledger's head ends before this entry")]
    BeyondHead,
    #[error("the root stored as the ledger's head is not the root of its entries")]
    HeadRoot,
    #[error("the ledger ends here, but a checkpoint held elsewhere covers {size} entries: it was cut or rolled back")]
    RolledBack { size: u64 },
    #[error("from here to {last} this is another history than the one of the checkpoint held elsewhere")]
    Forked { last: u64 },
}
