//! A ledger as one text file, to be verified anywhere: newline-delimited JSON.
//!
//! ```text
//! {"runplane":"ledger-export","version":1,"origin":"runplane/ws_…","key":"runplane/ws_…+1fceb…","size":3}
//! {"index":0,"leafHash":"6e34…","entry":{…the canonical bytes as they are…}}
//! {"checkpoint":"runplane/ws_…\n1\n…"}
//! ```
//!
//! Each line has exactly this form, members in this order and no spaces, so that the bytes between
//! `"entry":` and the last brace are the entry to the byte. A checkpoint follows the entry it ends at.
//!
//! Refuses an entry with a newline in it (canonical JSON has none): it could pose as other lines.
//! The key in the header is only what the file says of itself; pin the key to know who signed.

mod cutter;
mod line;
mod reader;

use serde::{Deserialize, Serialize};

use crate::hash::Hash;

pub use cutter::Cutter;
pub use line::{Examined, Examiner};
pub use reader::{Outcome, ReadError, Reader};

/// The longest line that is read.
pub const MAX_LINE_BYTES: usize = 128 * 1024;

const FORMAT: &str = "ledger-export";
const VERSION: u64 = 1;

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    runplane: String,
    version: u64,
    /// Which ledger this is.
    pub origin: String,
    /// The text form of the key that signed it, as the file says.
    pub key: String,
    /// How many entries follow.
    pub size: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("entry {index} cannot be exported: its bytes hold a newline, so they are not what was recorded")]
    Newline { index: u64 },
    #[error("an export cannot be written: {0}")]
    Json(#[from] serde_json::Error),
}

impl Header {
    #[must_use]
    pub fn new(origin: &str, key: &str, size: u64) -> Self {
        Self { runplane: FORMAT.to_owned(), version: VERSION, origin: origin.to_owned(), key: key.to_owned(), size }
    }

    /// Adds the first line to `out`.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), ExportError> {
        serde_json::to_writer(&mut *out, self)?;
        out.push(b'\n');
        Ok(())
    }
}

/// Adds the line of one entry to `out`, with its bytes as they are.
pub fn write_entry(out: &mut Vec<u8>, index: u64, leaf: &Hash, entry: &[u8]) -> Result<(), ExportError> {
    if entry.contains(&b'\n') {
        return Err(ExportError::Newline { index });
    }
    out.extend_from_slice(format!("{{\"index\":{index},\"leafHash\":\"{leaf}\",\"entry\":").as_bytes());
    out.extend_from_slice(entry);
    out.extend_from_slice(b"}\n");
    Ok(())
}

/// Adds the line of one checkpoint to `out`; to be called after the entry it ends at.
pub fn write_checkpoint(out: &mut Vec<u8>, note: &str) -> Result<(), ExportError> {
    out.extend_from_slice(b"{\"checkpoint\":");
    serde_json::to_writer(&mut *out, note)?;
    out.extend_from_slice(b"}\n");
    Ok(())
}

#[cfg(test)]
mod tests;
