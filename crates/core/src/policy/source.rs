//! The text of a condition and the way back from an offset in it to a place in the document.
//!
//! A condition may be written plain, quoted, folded or as a block; the text a parser sees is then not
//! the text of the file. The way back walks both side by side and skips what YAML dropped.

use super::finding::Place;
use super::yaml::{Content, Node};

#[derive(Clone, Debug)]
pub struct Source {
    pub text: String,
    pub place: Place,
    /// The document from the value's first byte on; empty if unknown.
    raw: String,
}

impl Source {
    #[must_use]
    pub fn new(text: &str, node: &Node, document: &str) -> Self {
        let raw = node.range.and_then(|(start, length)| document.get(start..start.saturating_add(length)));
        Self { text: text.to_owned(), place: node.place, raw: raw.unwrap_or_default().to_owned() }
    }

    /// A condition that stands in no document, for tests and generated rules.
    #[must_use]
    pub fn bare(text: &str) -> Self {
        Self { text: text.to_owned(), place: Place { line: 1, column: 1 }, raw: text.to_owned() }
    }

    /// The place of the character at byte `offset` of the text.
    #[must_use]
    pub fn place_of(&self, offset: usize) -> Place {
        let mut raw = self.raw.chars().peekable();
        let mut at = self.place;
        // A block scalar's span begins at its header; its text begins on a later line.
        if matches!(raw.peek(), Some('|' | '>')) && !self.text.starts_with(['|', '>']) {
            while raw.next_if(|character| *character != '\n').is_some() {}
        }
        if self.raw.starts_with(['|', '>']) {
            at.column = at.column.saturating_add(count_until_newline(&self.raw));
        }
        for (index, wanted) in self.text.char_indices() {
            loop {
                let Some(found) = raw.peek().copied() else { return at };
                let same = found == wanted || (found.is_whitespace() && wanted.is_whitespace());
                if same {
                    break;
                }
                step(&mut at, found);
                raw.next();
            }
            if index >= offset {
                return at;
            }
            if let Some(found) = raw.next() {
                step(&mut at, found);
            }
        }
        at
    }
}

fn count_until_newline(raw: &str) -> u32 {
    u32::try_from(raw.chars().take_while(|character| *character != '\n').count()).unwrap_or(0)
}

fn step(at: &mut Place, character: char) {
    if character == '\n' {
        at.line = at.line.saturating_add(1);
        at.column = 1;
    } else {
        at.column = at.column.saturating_add(1);
    }
}

/// The text of a node that must be text.
#[must_use]
pub fn text_of(node: &Node) -> Option<&str> {
    match &node.value {
        Content::Text(text) => Some(text),
        _ => None,
    }
}
