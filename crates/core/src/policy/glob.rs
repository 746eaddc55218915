//! Globs: `*` stands for any run of characters, `?` for one; everything else for itself.

/// Whether `text` has the form of `pattern`. Linear in practice, never worse than their product.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at_pattern, mut at_text) = (0, 0);
    // Where to go on if the last `*` has to swallow one character more.
    let mut retry: Option<(usize, usize)> = None;
    while let Some(character) = text.get(at_text) {
        match pattern.get(at_pattern) {
            Some('*') => {
                retry = Some((at_pattern + 1, at_text + 1));
                at_pattern += 1;
            }
            Some(wanted) if *wanted == '?' || wanted == character => {
                at_pattern += 1;
                at_text += 1;
            }
            _ => match retry {
                Some((after_star, next_text)) => {
                    at_pattern = after_star;
                    at_text = next_text;
                    retry = Some((after_star, next_text + 1));
                }
                None => return false,
            },
        }
    }
    pattern.get(at_pattern..).is_some_and(|rest| rest.iter().all(|character| *character == '*'))
}

#[must_use]
pub fn is_glob(pattern: &str) -> bool {
    pattern.contains(['*', '?'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_take_any_run_and_question_marks_one() {
        for (pattern, text) in [
            ("*", ""),
            ("*", "anything"),
            ("stripe:*", "stripe:eu"),
            ("*_record*", "delete_records"),
            ("a*b*c", "a-b-b-c"),
            ("?b", "äb"),
            ("**x", "x"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("stripe:*", "stripe"), ("?", ""), ("a*b", "abc"), ("", "a"), ("a?", "a")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}
