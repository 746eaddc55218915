//! The record that can prove itself: a Merkle tree over entry bytes, signed checkpoints, and the
//! verification that finds what was changed.
//!
//! Does: hashing as in RFC 6962, the compact frontier a writer keeps, C2SP signed notes and
//! checkpoints, streaming verification that names the first bad entry, and the export format.
//!
//! Refuses to know what an entry means. It reads two members of an entry, the frame (`frame`), and
//! has no I/O, clock, randomness or environment: bytes, seeds and times come from the caller.
//!
//! Must stay true: whatever was accepted once verifies for ever, so every format here is fixed by
//! published vectors and by the golden texts in the tests.

pub mod checkpoint;
pub mod export;
pub mod frame;
pub mod hash;
pub mod key;
pub mod note;
pub mod proof;
pub mod receipt;
pub mod tree;
pub mod verify;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use hash::{Hash, leaf_hash, node_hash};
pub use key::{KeyError, SigningKey, VerifyingKey};
pub use tree::{Frontier, FrontierError};
pub use verify::{Fault, Report, Rollback, Verifier, What};
