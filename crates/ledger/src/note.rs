//! Signed notes (C2SP signed-note): a text, a blank line, one line per signature.
//!
//! Signatures of keys that are not trusted here are ignored, as the format demands, so that others
//! can co-sign. Refuses a note without a signature of a trusted key, and any note in which a
//! trusted key's signature is wrong. Must stay true: `open` returns only text that was signed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::key::{SIGNATURE_BYTES, SigningKey, VerifyingKey};

/// A note longer than this is refused unread.
pub const MAX_BYTES: usize = 16 * 1024;
const MAX_SIGNATURES: usize = 100;
const SIGNATURE_PREFIX: &str = "\u{2014} ";

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    #[error("not a signed note: {0}")]
    Malformed(&'static str),
    #[error("no signature of a trusted key")]
    Untrusted,
    #[error("the signature of the trusted key `{0}` does not fit the text")]
    BadSignature(String),
}

/// The note of a text: the text, a blank line and this key's signature.
///
/// The text must end with a newline and hold no control character but newlines.
pub fn sign(text: &str, key: &SigningKey) -> Result<String, NoteError> {
    check_text(text)?;
    let mut blob = key.verifying().id().to_vec();
    blob.extend_from_slice(&key.sign(text.as_bytes()));
    Ok(format!("{text}\n{SIGNATURE_PREFIX}{} {}\n", key.verifying().name(), STANDARD.encode(blob)))
}

/// The text of a note that one of the trusted keys signed.
pub fn open<'n>(note: &'n str, trusted: &[VerifyingKey]) -> Result<&'n str, NoteError> {
    if note.len() > MAX_BYTES {
        return Err(NoteError::Malformed("too long"));
    }
    let (before, signatures) = note.rsplit_once("\n\n").ok_or(NoteError::Malformed("no blank line"))?;
    // The text keeps the newline that ends its last line.
    let text = note.get(..=before.len()).ok_or(NoteError::Malformed("no blank line"))?;
    check_text(text)?;
    let signatures = signatures.strip_suffix('\n').ok_or(NoteError::Malformed("no newline at the end"))?;
    let mut signed = false;
    for (count, line) in signatures.split('\n').enumerate() {
        if count == MAX_SIGNATURES {
            return Err(NoteError::Malformed("too many signatures"));
        }
        let (name, blob) = read_signature(line)?;
        let Some((id, signature)) = blob.split_first_chunk::<4>() else {
            return Err(NoteError::Malformed("a signature without a key id"));
        };
        let Some(key) = trusted.iter().find(|key| key.name() == name && key.id() == *id) else { continue };
        let fits =
            <&[u8; SIGNATURE_BYTES]>::try_from(signature).is_ok_and(|signature| key.verify(text.as_bytes(), signature));
        if !fits {
            return Err(NoteError::BadSignature(name.to_owned()));
        }
        signed = true;
    }
    if signed { Ok(text) } else { Err(NoteError::Untrusted) }
}

fn check_text(text: &str) -> Result<(), NoteError> {
    if !text.ends_with('\n') {
        return Err(NoteError::Malformed("the text does not end with a newline"));
    }
    if text.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
        return Err(NoteError::Malformed("a control character"));
    }
    Ok(())
}

fn read_signature(line: &str) -> Result<(&str, Vec<u8>), NoteError> {
    const ERROR: NoteError = NoteError::Malformed("a signature line is a dash, a name and base64");
    let (name, blob) = line.strip_prefix(SIGNATURE_PREFIX).and_then(|rest| rest.split_once(' ')).ok_or(ERROR)?;
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+') {
        return Err(ERROR);
    }
    Ok((name, STANDARD.decode(blob).map_err(|_| ERROR)?))
}

#[cfg(test)]
mod tests;
