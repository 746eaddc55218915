//! Text written by others, made safe to look at.
//!
//! SECURITY: targets, contexts, comments and names may come from a program under attack. On a terminal a
//! control sequence can erase what stands above it, and a bidirectional or invisible character can make one
//! text look like another. All of them are written out as `\u{…}`.

use std::borrow::Cow;
use std::fmt::Write;

/// The text on one line, everything that would not be seen as itself written out.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_deceptive) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_deceptive(character) {
            // Writing to a string cannot fail.
            let _ = write!(shown, "{}", character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_stays_as_it_is() {
        for text in ["", "stripe", "päyments → Zürich", "名前"] {
            assert!(matches!(visible(text), Cow::Borrowed(shown) if shown == text));
        }
    }

    #[test]
    fn what_could_deceive_is_written_out() {
        assert_eq!(visible("a\u{1b}[2Kb"), "a\\u{1b}[2Kb");
        assert_eq!(visible("safe\napproved"), "safe\\u{a}approved");
        assert_eq!(visible("pay \u{202e}001"), "pay \\u{202e}001");
        assert_eq!(visible("ad\u{200b}min"), "ad\\u{200b}min");
        assert_eq!(visible("\u{9b}31m"), "\\u{9b}31m");
        assert_eq!(visible("x\u{e0041}"), "x\\u{e0041}");
    }
}
