//! Text that names something: targets, action types and ids.
//!
//! Two spellings that a person would read as the same target must compare equal, and nothing that a
//! person cannot see may make two names differ. Refuses: empty names, invisible and control
//! characters, over-long names.
//! INVARIANT: `normal_target` is idempotent, so a normalised name may be normalised again.

use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

/// Longest target or action type in bytes, after normalisation as well as before.
pub const MAX_NAME_BYTES: usize = 256;
/// Longest request id, redemption id, session or subject.
pub const MAX_ID_BYTES: usize = 128;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    #[error("must not be empty")]
    Empty,
    #[error("is longer than {limit} bytes")]
    TooLong { limit: usize },
    #[error("contains the unprintable character U+{code:04X} at byte {at}")]
    Unprintable { code: u32, at: usize },
    #[error("contains `{character}` at byte {at}, which is not visible ASCII")]
    NotVisibleAscii { character: char, at: usize },
}

/// Trimmed, Unicode-normalised (NFKC) and case-folded.
pub fn normal_target(text: &str) -> Result<String, TextError> {
    let trimmed = text.trim();
    if trimmed.len() > MAX_NAME_BYTES {
        return Err(TextError::TooLong { limit: MAX_NAME_BYTES });
    }
    let folded = fold(trimmed);
    let normal = folded.trim();
    printable(normal)?;
    if normal.len() > MAX_NAME_BYTES {
        return Err(TextError::TooLong { limit: MAX_NAME_BYTES });
    }
    Ok(if normal.len() == folded.len() { folded } else { normal.to_owned() })
}

/// Checks that `text` is not empty and holds only characters a person can see.
pub fn printable(text: &str) -> Result<(), TextError> {
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    if text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return Ok(());
    }
    match text.char_indices().find(|(_, character)| invisible(*character)) {
        Some((at, character)) => Err(TextError::Unprintable { code: u32::from(character), at }),
        None => Ok(()),
    }
}

/// Checks an id that a client made: 1 to 128 visible ASCII characters.
pub fn visible_id(text: &str) -> Result<(), TextError> {
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    if text.len() > MAX_ID_BYTES {
        return Err(TextError::TooLong { limit: MAX_ID_BYTES });
    }
    match text.char_indices().find(|(_, character)| !character.is_ascii_graphic()) {
        Some((at, character)) if invisible(character) => Err(TextError::Unprintable { code: u32::from(character), at }),
        Some((at, character)) => Err(TextError::NotVisibleAscii { character, at }),
        None => Ok(()),
    }
}

/// NFKC and case folding to a fixed point, so that folding twice changes nothing.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut current: Cow<'_, str> = Cow::Borrowed(text);
    // Two rounds reach the fixed point for all of Unicode; the bound only keeps the loop total.
    for _ in 0..4 {
        let next: String = current.nfkc().flat_map(fold_char).nfkc().collect();
        if next == *current {
            break;
        }
        current = Cow::Owned(next);
    }
    current.into_owned()
}

/// Full case folding of one character. Lower case of upper case is that, except for the dotless i,
/// which is a letter of its own.
fn fold_char(character: char) -> impl Iterator<Item = char> {
    let folds = character != '\u{131}';
    let plain = (!folds).then_some(character);
    let folded = folds.then(|| character.to_uppercase().flat_map(char::to_lowercase));
    plain.into_iter().chain(folded.into_iter().flatten())
}

/// Control, format, filler, private-use and blank characters: all that may differ without being seen.
/// Of white space only the plain space is visible enough for a name.
#[must_use]
pub fn invisible(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_control();
    }
    character.is_control()
        || character.is_whitespace()
        || matches!(u32::from(character),
            0xAD | 0x34F | 0x600..=0x605 | 0x61C | 0x6DD | 0x70F | 0x890..=0x891 | 0x8E2
            | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F | 0x2028..=0x202E
            | 0x2060..=0x206F | 0x2800 | 0x3164 | 0xE000..=0xF8FF | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0
            | 0xFFF0..=0xFFFB | 0x110BD | 0x110CD | 0x13430..=0x1343F | 0x1BCA0..=0x1BCA3
            | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF | 0xF0000..=0x10_FFFF)
}

#[cfg(test)]
mod tests;
