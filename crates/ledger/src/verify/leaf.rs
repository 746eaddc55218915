//! What can be said of one row without knowing any other, and therefore on any thread.

use crate::frame::{self, Frame, FrameError};
use crate::hash::{Hash, leaf_hash};

/// What was found in the bytes of a row. The rest of verification needs no bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    pub(super) hash: Hash,
    pub(super) frame: Result<Frame, FrameError>,
}

impl Leaf {
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        Self { hash: leaf_hash(bytes), frame: frame::read(bytes) }
    }
}
