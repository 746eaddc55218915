//! Refuses, before any parser sees it, condition text that could hurt the parser or the reader.
//!
//! SECURITY: the CEL parser recurses; on a deep or long enough text it overflows the stack, which
//! nothing catches. What must stay true: everything that passes here parses on the parser thread's
//! stack, and the resulting tree is shallow enough for every recursive walk over it.

/// Longest condition in bytes.
pub const MAX_BYTES: usize = 2_048;
/// Deepest nesting of parentheses, brackets and braces.
pub const MAX_NESTING: usize = 12;
/// Most operators in a condition.
pub const MAX_OPERATORS: usize = 40;
/// Most member accesses, indexes, groups and calls together: each may be one level of the tree.
pub const MAX_LINKS: usize = 96;
/// Most elements and arguments.
pub const MAX_COMMAS: usize = 256;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub offset: usize,
    pub message: String,
}

/// Walks the text once, outside of string literals and comments.
pub fn prescan(text: &str) -> Result<(), Refusal> {
    if text.len() > MAX_BYTES {
        return Err(refusal(0, format!("a condition has at most {MAX_BYTES} bytes, this one has {}", text.len())));
    }
    if text.trim().is_empty() {
        return Err(refusal(0, "the condition is empty"));
    }
    let mut counts = Counts::default();
    let mut chars = text.char_indices().peekable();
    let mut previous = ' ';
    while let Some((offset, character)) = chars.next() {
        match character {
            '"' | '\'' => {
                let raw = matches!(previous, 'r' | 'R');
                skip_literal(&mut chars, text, offset, character, raw)?;
            }
            '/' if chars.peek().is_some_and(|(_, next)| *next == '/') => {
                while chars.next_if(|(_, next)| *next != '\n').is_some() {}
            }
            '`' => return Err(refusal(offset, "names are not quoted in back-ticks")),
            control if control.is_control() && !control.is_whitespace() => {
                return Err(refusal(offset, "a control character outside of a string"));
            }
            other => counts.count(offset, other, previous)?,
        }
        previous = character;
    }
    Ok(())
}

#[derive(Default)]
struct Counts {
    nesting: usize,
    operators: usize,
    links: usize,
    commas: usize,
}

impl Counts {
    fn count(&mut self, offset: usize, character: char, previous: char) -> Result<(), Refusal> {
        match character {
            '(' | '[' | '{' => {
                self.nesting += 1;
                self.links += 1;
            }
            ')' | ']' | '}' => self.nesting = self.nesting.saturating_sub(1),
            '.' => self.links += 1,
            ',' => self.commas += 1,
            // The second half of `&&`, `||`, `==`, `!=`, `<=`, `>=`.
            '&' | '|' | '=' if matches!(previous, '&' | '|' | '=' | '!' | '<' | '>') => {}
            '+' | '-' | '*' | '/' | '%' | '<' | '>' | '!' | '?' | '&' | '|' | '=' => self.operators += 1,
            _ => {}
        }
        if self.nesting > MAX_NESTING {
            return Err(refusal(offset, format!("nested more than {MAX_NESTING} deep")));
        }
        if self.operators > MAX_OPERATORS {
            return Err(refusal(offset, format!("more than {MAX_OPERATORS} operators: split the rule in two")));
        }
        if self.links > MAX_LINKS {
            return Err(refusal(
                offset,
                format!("more than {MAX_LINKS} members, indexes and groups: split the rule in two"),
            ));
        }
        if self.commas > MAX_COMMAS {
            return Err(refusal(offset, format!("more than {MAX_COMMAS} commas: split the rule in two")));
        }
        Ok(())
    }
}

type Characters<'a> = std::iter::Peekable<std::str::CharIndices<'a>>;

/// Moves behind the literal that begins at `start` with `quote`.
fn skip_literal(chars: &mut Characters<'_>, text: &str, start: usize, quote: char, raw: bool) -> Result<(), Refusal> {
    let long = text.get(start..).is_some_and(|rest| rest.chars().take(3).eq([quote; 3]));
    if long {
        chars.next();
        chars.next();
    }
    let mut run = 0;
    while let Some((_, character)) = chars.next() {
        match character {
            '\\' if !raw => {
                run = 0;
                chars.next();
            }
            same if same == quote => {
                run += 1;
                if !long || run == 3 {
                    return Ok(());
                }
            }
            _ => run = 0,
        }
    }
    Err(refusal(start, "this string never ends"))
}

fn refusal(offset: usize, message: impl Into<String>) -> Refusal {
    Refusal { offset, message: message.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_conditions_pass() {
        for text in [
            "context.amount > 500",
            r#"agent.labels.exists(l, l == "refund-desk") && !(target in ["a", "b"])"#,
            "x == '(((((((((((((((((((((((((((('",
            r#"x == r"\" || y == """ " "" (((((((((((((((((((((( """ "#,
            "a // ((((((((((((((((((((((((((((\n && b",
        ] {
            assert_eq!(prescan(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_could_hurt_the_parser_is_refused() {
        let cases = [
            ("(".repeat(13), 12),
            (format!("a{}", "+1".repeat(41)), 81),
            (format!("{}a", "!".repeat(41)), 40),
            (format!("a{}", ".b".repeat(97)), 193),
            (format!("a{}", "[0]".repeat(97)), 289),
            (format!("a in [0{}]", ",0".repeat(257)), 519),
            ("a == 'open".to_owned(), 5),
            ("a == \"\"\"open\"\"".to_owned(), 5),
            ("a.`b`".to_owned(), 2),
            ("a\u{0} == b".to_owned(), 1),
            ("  ".to_owned(), 0),
            (format!("a == '{}'", "x".repeat(2_048)), 0),
        ];
        for (text, offset) in cases {
            assert_eq!(prescan(&text).unwrap_err().offset, offset, "{text}");
        }
    }
}
