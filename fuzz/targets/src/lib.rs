//! What the fuzz targets do with their bytes: one function each, called by libFuzzer and by a test that
//! runs the committed corpus.
//!
//! A target fails by panicking. Beside not panicking, each checks a property that holds for any input.

mod documents;
mod kept;
mod payloads;
mod records;

pub use documents::{condition, json, policy};
pub use kept::{commit, request, snapshot};
pub use payloads::{file, recipients, shell, sql, url};
pub use records::{export, note};

/// Name and function of a target; the name is that of its folder in `corpus/`.
pub type Target = (&'static str, fn(&[u8]));

pub const TARGETS: [Target; 13] = [
    ("policy", policy),
    ("condition", condition),
    ("json", json),
    ("sql", sql),
    ("url", url),
    ("shell", shell),
    ("recipients", recipients),
    ("file", file),
    ("export", export),
    ("note", note),
    ("request", request),
    ("snapshot", snapshot),
    ("commit", commit),
];
