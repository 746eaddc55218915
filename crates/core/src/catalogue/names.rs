//! Spellings of one name: `sendEmail`, `send-email`, `SEND_EMAIL`, `send.email()` are one key.

use std::borrow::Cow;

/// The name without case and separators; `None` for text that is no spelling of any name, such as one
/// with a letter that only looks Latin.
pub(super) fn key(name: &str) -> Option<Cow<'_, str>> {
    let name = name.strip_suffix("()").unwrap_or(name);
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if !name.is_empty() && name.bytes().all(plain) {
        return Some(Cow::Borrowed(name));
    }
    let mut key = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            'a'..='z' | '0'..='9' => key.push(character),
            'A'..='Z' => key.push(character.to_ascii_lowercase()),
            '_' | '-' | '.' | ' ' | '/' | ':' => {}
            _ => return None,
        }
    }
    (!key.is_empty()).then_some(Cow::Owned(key))
}

/// Lower-case words with single underscores between them.
pub(super) fn is_canonical(name: &str) -> bool {
    let word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    name.starts_with(|first: char| first.is_ascii_lowercase()) && name.split('_').all(word)
}

/// The words of a name, lower case: `getHTTPPage.v2` is `get http page v2`.
#[must_use]
pub fn words(name: &str) -> Vec<String> {
    let characters: Vec<char> = name.chars().collect();
    let mut words = Vec::new();
    let mut word = String::new();
    for (index, character) in characters.iter().enumerate() {
        if !character.is_alphanumeric() {
            flush(&mut word, &mut words);
            continue;
        }
        let before = index.checked_sub(1).and_then(|at| characters.get(at));
        let after = characters.get(index + 1);
        let starts = character.is_uppercase()
            && (before.is_some_and(|before| before.is_lowercase() || before.is_numeric())
                || (before.is_some_and(|before| before.is_uppercase())
                    && after.is_some_and(|after| after.is_lowercase())));
        if starts {
            flush(&mut word, &mut words);
        }
        word.extend(character.to_lowercase());
    }
    flush(&mut word, &mut words);
    words
}

fn flush(word: &mut String, words: &mut Vec<String>) {
    if !word.is_empty() {
        words.push(std::mem::take(word));
    }
}

/// The field names between braces in a template.
pub(super) fn placeholders(template: &str) -> impl Iterator<Item = &str> {
    template.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}
