//! The plainest reads, recognised without a parser: one SELECT of columns, constants and a few functions
//! from tables, with the usual clauses.
//!
//! Most of what agents ask is of this form. A call with such a statement costs a tenth, from its bytes to its
//! decision, of one that is read as five databases would (`bench/peers`). Refuses everything else, which then goes the long way: quoted names, comments, subqueries, words
//! that are keywords anywhere in a place where a second statement could begin. INVARIANT: what is
//! recognised here is read exactly as the long way reads it; tests compare them, on the texts of the fuzzer's corpus and
//! of the adversarial one, on every keyword in every place, and on random sentences.

use super::{acts, walk};
use sqlparser::keywords::ALL_KEYWORDS;
use std::collections::BTreeSet;

/// More than this goes the long way, which has its own bounds.
const MAX_TOKENS: usize = 200;
const MAX_NESTING: usize = 8;

/// Functions that every parser reads as functions.
const FUNCTIONS: &[&str] =
    &["count", "sum", "avg", "min", "max", "coalesce", "lower", "upper", "length", "round", "abs", "now"];
/// Keywords of some database that are everywhere a name where a name may stand.
const NAMES: &[&str] = &[
    "name", "type", "status", "state", "key", "value", "data", "code", "level", "role", "comment", "version",
    "language", "method", "location", "region", "owner", "public", "text", "url", "source", "tags", "email", "content",
    "label", "category", "address", "domain", "action", "period", "result", "position", "priority", "users", "events",
    "logs", "files", "jobs", "tasks", "services", "metrics", "messages", "sessions", "id",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Number,
    Text,
    Placeholder,
    /// `(`, `,`, `<=`, …
    Sign(&'a str),
}

/// The tables of a plain read; `None` if the text is anything else.
pub(super) fn tables(text: &str) -> Option<BTreeSet<String>> {
    let tokens = tokens(text)?;
    let mut reader = Reader { rest: &tokens, depth: 0, tables: BTreeSet::new() };
    reader.select()?;
    reader.rest.is_empty().then_some(reader.tables)
}

fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    let bytes = text.as_bytes();
    let text = text.trim_end_matches([' ', '\n']);
    let text = text.strip_suffix(';').unwrap_or(text);
    if bytes.len() > 4_096 {
        return None;
    }
    let mut tokens = Vec::with_capacity(32);
    let mut rest = text;
    while let Some(first) = rest.bytes().next() {
        if matches!(first, b' ' | b'\n') {
            rest = rest.get(1..)?;
            continue;
        }
        let next = rest.as_bytes().get(1).copied().unwrap_or(b' ');
        let length = match first {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let length = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
                // A prefix of a string, or a word that goes on in another alphabet.
                if rest.as_bytes().get(length).is_some_and(|next| matches!(next, b'\'' | b'$' | b'&' | 0x80..)) {
                    return None;
                }
                length
            }
            b'0'..=b'9' => {
                let length = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
                let ends =
                    rest.as_bytes().get(length).is_none_or(|next| !next.is_ascii_alphanumeric() && *next != b'_');
                let one_point = rest.get(..length)?.matches('.').count() <= 1 && !rest.get(..length)?.ends_with('.');
                if !(ends && one_point) {
                    return None;
                }
                length
            }
            b'\'' => {
                let length = rest.get(1..)?.find(['\'', '\\', '\0'])? + 2;
                // A backslash, a doubled quote, a string that goes on.
                let after = rest.as_bytes().get(length).copied().unwrap_or(b' ');
                if rest.as_bytes().get(length - 1) != Some(&b'\'') || after == b'\'' {
                    return None;
                }
                length
            }
            b'$' if next.is_ascii_digit() => 1 + rest.bytes().skip(1).take_while(u8::is_ascii_digit).count(),
            b'<' if matches!(next, b'=' | b'>') => 2,
            b'>' | b'!' if next == b'=' => 2,
            b'-' if next == b'-' => return None,
            b'/' if matches!(next, b'*' | b'/') => return None,
            b'<' | b'>' | b'=' if matches!(next, b' ' | b'\'' | b'$' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'(') => {
                1
            }
            b',' | b'(' | b')' | b'.' | b'*' | b'+' | b'-' | b'/' => 1,
            _ => return None,
        };
        let written = rest.get(..length)?;
        tokens.push(match first {
            b'0'..=b'9' => Token::Number,
            b'\'' => Token::Text,
            b'$' => Token::Placeholder,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => Token::Word(written),
            _ => Token::Sign(written),
        });
        if tokens.len() > MAX_TOKENS {
            return None;
        }
        rest = rest.get(length..)?;
    }
    Some(tokens)
}

struct Reader<'t, 'a> {
    rest: &'t [Token<'a>],
    depth: usize,
    tables: BTreeSet<String>,
}

impl<'a> Reader<'_, 'a> {
    fn next(&mut self) -> Option<Token<'a>> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn is(&self, word: &str) -> bool {
        matches!(self.rest.first(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word))
    }

    fn takes(&mut self, word: &str) -> bool {
        let found = self.is(word);
        if found {
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
        found
    }

    fn takes_sign(&mut self, sign: &str) -> bool {
        let found = self.rest.first() == Some(&Token::Sign(sign));
        if found {
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
        found
    }

    fn select(&mut self) -> Option<()> {
        self.takes("select").then_some(())?;
        self.takes("distinct");
        self.several(Self::item)?;
        self.takes("from").then_some(())?;
        self.several(Self::table)?;
        while self.joins()? {}
        if self.takes("where") {
            self.expression()?;
        }
        if self.takes("group") {
            self.takes("by").then_some(())?;
            self.several(Self::expression)?;
            if self.takes("having") {
                self.expression()?;
            }
        }
        if self.takes("order") {
            self.takes("by").then_some(())?;
            self.several(|reader| {
                reader.expression()?;
                let _ = reader.takes("asc") || reader.takes("desc");
                Some(())
            })?;
        }
        for word in ["limit", "offset"] {
            if self.takes(word) && !matches!(self.next()?, Token::Number | Token::Placeholder) {
                return None;
            }
        }
        Some(())
    }

    fn several(&mut self, part: impl Fn(&mut Self) -> Option<()>) -> Option<()> {
        part(self)?;
        while self.takes_sign(",") {
            part(self)?;
        }
        Some(())
    }

    fn item(&mut self) -> Option<()> {
        if self.takes_sign("*") {
            return Some(());
        }
        self.expression()?;
        if self.takes("as") {
            return self.name().map(|_| ());
        }
        self.alias();
        Some(())
    }

    /// A second name without AS; only a word that is no keyword of any database.
    fn alias(&mut self) {
        if let Some(Token::Word(word)) = self.rest.first()
            && !is_keyword(word)
        {
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
    }

    /// A name of a column or table.
    fn name(&mut self) -> Option<&'a str> {
        match self.next()? {
            Token::Word(word) if !is_reserved(word) => Some(word),
            _ => None,
        }
    }

    fn table(&mut self) -> Option<()> {
        let first = self.name()?;
        let (schema, table) = if self.takes_sign(".") { (Some(first), self.name()?) } else { (None, first) };
        let lower = |name: &str| name.to_ascii_lowercase();
        let (schema, table) = (schema.map(lower), lower(table));
        if walk::is_guarded(schema.as_deref(), &table) || self.rest.first() == Some(&Token::Sign("(")) {
            return None;
        }
        self.tables.insert(schema.map_or(table.clone(), |schema| format!("{schema}.{table}")));
        if self.takes("as") {
            return self.name().map(|_| ());
        }
        self.alias();
        Some(())
    }

    fn joins(&mut self) -> Option<bool> {
        let sided = self.takes("left") || self.takes("right") || self.takes("full");
        let outer = sided && self.takes("outer");
        let inner = !sided && self.takes("inner");
        if !self.takes("join") {
            return if sided || outer || inner { None } else { Some(false) };
        }
        self.table()?;
        self.takes("on").then_some(())?;
        self.expression()?;
        Some(true)
    }

    fn expression(&mut self) -> Option<()> {
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return None;
        }
        self.operand()?;
        while self.operator() {
            self.operand()?;
        }
        self.depth -= 1;
        Some(())
    }

    fn operator(&mut self) -> bool {
        const SIGNS: [&str; 10] = ["=", "<>", "!=", "<", "<=", ">", ">=", "+", "-", "/"];
        SIGNS.iter().any(|sign| self.takes_sign(sign)) || self.takes_sign("*") || self.takes("and") || self.takes("or")
    }

    fn operand(&mut self) -> Option<()> {
        self.takes("not");
        self.primary()?;
        if self.takes("is") {
            self.takes("not");
            return self.takes("null").then_some(());
        }
        let negated = self.takes("not");
        if self.takes("in") {
            self.takes_sign("(").then_some(())?;
            self.several(Self::primary)?;
            return self.takes_sign(")").then_some(());
        }
        if self.takes("like") {
            return matches!(self.next()?, Token::Text | Token::Placeholder).then_some(());
        }
        if self.takes("between") {
            self.primary()?;
            self.takes("and").then_some(())?;
            return self.primary();
        }
        (!negated).then_some(())
    }

    fn primary(&mut self) -> Option<()> {
        if self.takes("null") || self.takes("true") || self.takes("false") {
            return Some(());
        }
        match self.next()? {
            Token::Number | Token::Text | Token::Placeholder => Some(()),
            Token::Sign("(") => {
                self.expression()?;
                self.takes_sign(")").then_some(())
            }
            Token::Word(word) if self.takes_sign("(") => {
                let known = FUNCTIONS.iter().any(|function| word.eq_ignore_ascii_case(function));
                known.then_some(())?;
                if self.takes_sign(")") {
                    return Some(());
                }
                if !self.takes_sign("*") {
                    self.takes("distinct");
                    self.several(Self::expression)?;
                }
                self.takes_sign(")").then_some(())
            }
            Token::Word(word) if !is_reserved(word) => {
                if self.takes_sign(".") {
                    if self.takes_sign("*") {
                        return Some(());
                    }
                    self.name()?;
                    // `schema.function(…)`.
                    return (self.rest.first() != Some(&Token::Sign("("))).then_some(());
                }
                Some(())
            }
            _ => None,
        }
    }
}

fn is_reserved(word: &str) -> bool {
    is_keyword(word) && !NAMES.iter().any(|name| word.eq_ignore_ascii_case(name))
}

/// Whether any database reads the word as more than a name.
fn is_keyword(word: &str) -> bool {
    let upper = word.to_ascii_uppercase();
    ALL_KEYWORDS.binary_search(&upper.as_str()).is_ok() || acts(&upper)
}
