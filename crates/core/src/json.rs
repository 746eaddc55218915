//! JSON in and out: a strict reader for what callers send, a canonical writer for what is hashed.
//!
//! INVARIANT: for every input the reader accepts, `read(write_canonical(read(input)))` is the same
//! value, and two inputs with the same canonical bytes mean the same to every JSON reader.

mod read;
mod write;

pub use read::{Code, Limits, ReadError, read};
pub use write::{write_canonical, write_number, write_text};

use crate::value::{Object, Value};

/// The canonical bytes of a value.
#[must_use]
pub fn to_canonical(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    write_canonical(value, &mut bytes);
    bytes
}

/// Canonical bytes of an object, as [`write_canonical`] writes them.
pub fn write_canonical_object(object: &Object, out: &mut Vec<u8>) {
    write::write_object(object, out);
}

#[cfg(test)]
mod tests;
