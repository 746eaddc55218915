//! What a store can fail with. No database library's types cross this border.
//!
//! A commit has an error type of its own because its caller must know one thing above all: whether the
//! batch may be on disk.

/// Any call but a commit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("unknown workspace `{0}`")]
    UnknownWorkspace(String),
    /// What is to be inserted is there already.
    #[error("{0} exists already")]
    Exists(&'static str),
    /// What was asked for would contradict what is stored.
    #[error("{0}")]
    Contradiction(String),
    #[error("the data folder `{0}` is in use by another process")]
    InUse(String),
    #[error("the database has schema version {found} and needs a newer program; this one knows versions up to {known}")]
    Newer { found: i64, known: i64 },
    #[error(
        "the database has schema version {found}, from before the first release; this program reads versions from \
         {oldest} on: export its ledger with the program that made it, and start with a new data folder"
    )]
    Older { found: i64, oldest: i64 },
    /// The file is not a database of this program.
    #[error("`{0}` is not a Runplane database")]
    Foreign(String),
    /// Inability: disk, lock, corruption. The text is for operators, not for callers of the API.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
}

/// A commit that did not succeed. In every case nothing of the batch may be answered as decided.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// Nothing of the batch is stored.
    #[error("the batch was not committed: {0}")]
    NotCommitted(String),
    /// The batch is stored whole or not at all; only the head's nonce tells. Load the head and all
    /// state again before going on.
    #[error("it is unknown whether the batch was committed: {0}")]
    Ambiguous(String),
    /// Another writer was here: the head is not the one the batch was built on. Nothing is stored.
    #[error("the head has moved")]
    HeadMoved,
    /// Only from inserting a workspace: its id or name is taken. Nothing is stored.
    #[error("the workspace exists already")]
    WorkspaceExists,
}
