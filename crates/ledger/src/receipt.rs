//! The receipt of one entry: its text, the audit path and the signed checkpoint, in one JSON document that anybody who
//! has the key can check without us.
//!
//! Refuses a receipt with members that are unknown, too long or missing, and takes nothing it says of itself for true: the
//! leaf hash, the size and the root that it names must be those that are computed and signed.
//! INVARIANT: what verifies was hashed into the tree that the key signed, at this place.

use serde::{Deserialize, Serialize};

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::hash::{Hash, leaf_hash};
use crate::key::{KeyError, VerifyingKey};
use crate::proof::{ProofError, verify_inclusion};

/// A receipt longer than this is refused unread: entries have at most 64 KiB, escaped twice as much.
pub const MAX_BYTES: usize = 512 * 1024;
/// Version of the form.
pub const VERSION: u8 = 1;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Receipt {
    /// Version of this form.
    pub receipt: u8,
    pub index: u64,
    pub size: u64,
    /// Lower-case hex, as all hashes here.
    pub leaf_hash: String,
    /// Exactly the text that was hashed.
    pub entry: String,
    /// From the leaf to the root.
    pub proof: Vec<String>,
    pub root: String,
    pub origin: String,
    /// The signed note over `size` and `root`.
    pub checkpoint: String,
    /// What the receipt says its key is: worth nothing unless it is the one that is trusted.
    pub key: String,
}

/// What was found to be true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    pub index: u64,
    pub leaf: Hash,
    pub checkpoint: Checkpoint,
    /// The key that signed it.
    pub key: VerifyingKey,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    #[error("not a receipt: {0}")]
    Form(String),
    #[error("a receipt of version {0}, which this program does not know")]
    Version(u8),
    #[error("the key of the receipt cannot be used: {0}")]
    Key(#[from] KeyError),
    #[error("the receipt is of the ledger `{found}`, and the key of `{expected}`")]
    Ledger { expected: String, found: String },
    #[error("the entry hashes to another leaf than the receipt names")]
    Leaf,
    #[error("the signed checkpoint is of another {0} than the receipt names")]
    Checkpoint(&'static str),
    #[error(transparent)]
    Proof(#[from] ProofError),
    #[error(transparent)]
    Signature(#[from] CheckpointError),
}

impl Receipt {
    pub fn read(text: &str) -> Result<Self, ReceiptError> {
        if text.len() > MAX_BYTES {
            return Err(ReceiptError::Form("it is too long".to_owned()));
        }
        let receipt: Self = serde_json::from_str(text).map_err(|error| ReceiptError::Form(error.to_string()))?;
        if receipt.receipt == VERSION { Ok(receipt) } else { Err(ReceiptError::Version(receipt.receipt)) }
    }

    /// Checks everything against this key; without one, against the key the receipt itself names.
    pub fn verify(&self, pinned: Option<&VerifyingKey>) -> Result<Proven, ReceiptError> {
        let key = pinned.map_or_else(|| VerifyingKey::parse(&self.key), |key| Ok(key.clone()))?;
        if self.origin != key.name() {
            return Err(ReceiptError::Ledger { expected: key.name().to_owned(), found: self.origin.clone() });
        }
        let leaf = leaf_hash(self.entry.as_bytes());
        if read_hash(&self.leaf_hash)? != leaf {
            return Err(ReceiptError::Leaf);
        }
        let checkpoint = Checkpoint::open(&self.checkpoint, std::slice::from_ref(&key), &self.origin)?;
        if checkpoint.size != self.size {
            return Err(ReceiptError::Checkpoint("size"));
        }
        if checkpoint.root != read_hash(&self.root)? {
            return Err(ReceiptError::Checkpoint("root"));
        }
        let path = self.proof.iter().map(|hash| read_hash(hash)).collect::<Result<Vec<_>, _>>()?;
        verify_inclusion(self.index, leaf, checkpoint.size, &checkpoint.root, &path)?;
        Ok(Proven { index: self.index, leaf, checkpoint, key })
    }
}

fn read_hash(text: &str) -> Result<Hash, ReceiptError> {
    text.parse().map_err(|error: crate::hash::HashError| ReceiptError::Form(error.to_string()))
}

#[cfg(test)]
mod tests;
