//! The words of a text, and whether all databases would split it into the same ones.
//!
//! No database is known here, so what two of them lex differently makes the text ambiguous: backslashes
//! in strings, `#`, `--` without a space, executable and nested comments, dollar quotes, templates,
//! brackets with quotes in them, prefixed strings, control characters.

use std::collections::BTreeSet;

/// Deepest nesting; parsers go over nested text many times.
const MAX_NESTING: usize = 12;
/// Most operators, which nest in the tree; bounds every recursive walk.
const MAX_OPERATORS: usize = 300;
const MAX_STATEMENTS: usize = 64;
/// Strings kept; a text with more of them that is no plain statement is not read.
const MAX_STRINGS: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Upper-case words outside of strings and comments.
    pub(super) words: BTreeSet<String>,
    /// Upper-case words anywhere.
    pub(super) all_words: BTreeSet<String>,
    pub(super) is_ambiguous: bool,
    /// Small enough for the parsers.
    pub(super) is_small: bool,
    /// It runs a text that it puts together: `EXEC('DEL' + 'ETE …')`.
    pub(super) runs_text: bool,
    /// What stands in single quotes.
    pub(super) strings: Vec<String>,
}

/// Whether the text begins as a statement does that is no read.
pub(super) fn opens_change(text: &str) -> bool {
    super::acts(&first_word(text))
}

/// Whether a text that may well be prose begins as a change does, with what it changes: `DROP TABLE`.
pub(super) fn opens_with_change_of_something(text: &str) -> bool {
    let mut words = text.split(|character: char| !character.is_alphanumeric() && character != '_');
    let mut next = || words.find(|word| !word.is_empty()).map(str::to_uppercase).unwrap_or_default();
    changes_of_something(&next(), &next())
}

/// The same anywhere in a text that a statement holds.
pub(super) fn changes_somewhere(text: &str) -> bool {
    let words: Vec<String> = text
        .split(|character: char| !character.is_alphanumeric() && character != '_')
        .filter(|word| !word.is_empty())
        .map(str::to_uppercase)
        .collect();
    let opens = words.first().is_some_and(|word| matches!(word.as_str(), "DELETE" | "TRUNCATE"));
    opens || words.windows(2).any(|pair| matches!(pair, [one, other] if changes_of_something(one, other)))
}

fn changes_of_something(verb: &str, object: &str) -> bool {
    let thing = matches!(
        object,
        "TABLE"
            | "DATABASE"
            | "SCHEMA"
            | "VIEW"
            | "INDEX"
            | "USER"
            | "ROLE"
            | "FUNCTION"
            | "PROCEDURE"
            | "TRIGGER"
            | "COLUMN"
            | "SEQUENCE"
            | "TYPE"
            | "EXTENSION"
            | "MATERIALIZED"
            | "OWNED"
            | "TABLESPACE"
            | "SYSTEM"
            | "POLICY"
    );
    match verb {
        "DELETE" => object == "FROM",
        "INSERT" | "MERGE" => object == "INTO",
        "DROP" | "ALTER" | "CREATE" => thing,
        "TRUNCATE" => object == "TABLE",
        "GRANT" | "REVOKE" => matches!(
            object,
            "ALL" | "SELECT" | "INSERT" | "UPDATE" | "DELETE" | "USAGE" | "EXECUTE" | "CONNECT" | "CREATE" | "ROLE"
        ),
        _ => false,
    }
}

/// `SHOW CREATE TABLE app.users` and nothing else.
pub(super) fn shows_definition(text: &str) -> bool {
    let plain = |character: char| character.is_ascii_alphanumeric() || "_.` \n;".contains(character);
    let words: Vec<&str> = text.trim().trim_end_matches(';').split_whitespace().collect();
    let is = |word: &str, other: &str| word.eq_ignore_ascii_case(other);
    match words.as_slice() {
        [show, create, kind, name] => {
            is(show, "SHOW")
                && is(create, "CREATE")
                && ["TABLE", "VIEW", "FUNCTION", "PROCEDURE", "TRIGGER", "EVENT"].iter().any(|known| is(kind, known))
                && !name.contains(';')
                && text.chars().all(plain)
        }
        _ => false,
    }
}

fn first_word(text: &str) -> String {
    let first = text.trim_start_matches(|character: char| !character.is_ascii_alphabetic());
    first.chars().take_while(char::is_ascii_alphabetic).map(|letter| letter.to_ascii_uppercase()).collect()
}

/// Whether the text begins as a statement does.
pub(super) fn opens_statement(text: &str) -> bool {
    let word = first_word(text);
    super::acts(&word)
        || matches!(word.as_str(), "SELECT" | "WITH" | "EXPLAIN" | "SHOW" | "SET" | "BEGIN" | "DO" | "REPLACE" | "USE")
}

impl Scan {
    pub(super) fn of(text: &str) -> Self {
        let mut scanner = Scanner {
            rest: text,
            scan: Self::default(),
            before: ' ',
            nesting: 0,
            deepest: 0,
            operators: 0,
            statements: 1,
        };
        scanner.run();
        let mut scan = scanner.scan;
        scan.is_small = scanner.deepest <= MAX_NESTING
            && scanner.operators <= MAX_OPERATORS
            && scanner.statements <= MAX_STATEMENTS
            && scan.strings.len() < MAX_STRINGS;
        scan.all_words = words_of(text);
        scan
    }
}

pub(super) fn words_of(text: &str) -> BTreeSet<String> {
    let words = text.split(|character: char| !character.is_alphanumeric() && character != '_');
    words.filter(|word| !word.is_empty()).map(str::to_uppercase).collect()
}

struct Scanner<'a> {
    rest: &'a str,
    scan: Scan,
    before: char,
    nesting: usize,
    deepest: usize,
    operators: usize,
    statements: usize,
}

impl Scanner<'_> {
    fn run(&mut self) {
        while let Some(character) = self.rest.chars().next() {
            let after = self.rest.get(character.len_utf8()..).unwrap_or_default();
            let next = after.chars().next().unwrap_or(' ');
            match (character, next) {
                ('-', '-') => self.line_comment(),
                ('/', '*') => self.block_comment(),
                // A comment to some, twice an operator to others.
                ('/', '/') => {
                    self.scan.is_ambiguous = true;
                    self.skip(2);
                }
                ('\'' | '"' | '`', _) => self.quoted(character),
                ('[', _) => self.bracketed(),
                _ if character.is_alphabetic() || character == '_' => self.word(),
                _ => {
                    self.single(character, next);
                    self.skip(character.len_utf8());
                }
            }
            self.before = character;
        }
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn single(&mut self, character: char, next: char) {
        match character {
            '(' => self.open(),
            ')' | ']' => self.nesting = self.nesting.saturating_sub(1),
            ';' => self.statements += 1,
            // A comment here, an operator there; dollar quotes; templates; escapes.
            '#' | '\\' | '{' | '}' => self.scan.is_ambiguous = true,
            '$' => self.scan.is_ambiguous |= !next.is_ascii_digit(),
            ':' if next == '=' => self.scan.is_ambiguous = true,
            '+' | '-' | '*' | '/' | '%' | '=' | '<' | '>' | '!' | '|' | '&' | '^' | '~' | '?' | '@' | ':' | '.' => {
                self.operators += 1
            }
            '\t' | '\n' | '\r' | ' ' | ',' | '0'..='9' => {}
            _ => self.scan.is_ambiguous = true,
        }
    }

    fn open(&mut self) {
        self.nesting += 1;
        self.deepest = self.deepest.max(self.nesting);
    }

    fn word(&mut self) {
        let inside = |character: char| character.is_alphanumeric() || matches!(character, '_' | '$');
        let end = self.rest.find(|character: char| !inside(character)).unwrap_or(self.rest.len());
        let word = self.rest.get(..end).unwrap_or_default().to_uppercase();
        self.scan.is_ambiguous |= word.contains("$$") || word.starts_with("_UTF") || word.starts_with("_LATIN");
        match word.as_str() {
            // Each of these opens a level in the tree, as parentheses do.
            "AND" | "OR" | "NOT" | "UNION" | "EXCEPT" | "INTERSECT" | "LIKE" | "IS" | "IN" | "BETWEEN" | "JOIN"
            | "COLLATE" | "XOR" | "PRIOR" => {
                self.operators += 1;
            }
            "CASE" | "BEGIN" | "IF" | "WHILE" => self.open(),
            "END" => self.nesting = self.nesting.saturating_sub(1),
            _ => {}
        }
        // A string with a prefix: escapes, character sets, or quoting of its own.
        let quote = self
            .rest
            .get(end..)
            .is_some_and(|rest| rest.starts_with(['\'', '"']) || rest.starts_with("&'") || rest.starts_with("&\""));
        self.scan.is_ambiguous |=
            quote && !matches!(word.as_str(), "N" | "B" | "X" | "DATE" | "TIME" | "TIMESTAMP" | "INTERVAL");
        let opens = || self.rest.get(end..).is_some_and(|rest| rest.trim_start().starts_with('('));
        self.scan.runs_text |= matches!(word.as_str(), "EXEC" | "EXECUTE") && opens();
        self.scan.words.insert(word);
        self.skip(end);
    }

    /// A doubled quote is a quote everywhere; a backslash escapes in some databases.
    fn quoted(&mut self, quote: char) {
        let mut at = quote.len_utf8();
        loop {
            let rest = self.rest.get(at..).unwrap_or_default();
            let Some(length) = rest.find([quote, '\\', '\0']) else {
                self.scan.is_ambiguous = true;
                return self.skip(self.rest.len());
            };
            at += length + 1;
            let found = rest.get(length..).and_then(|found| found.chars().next());
            if found != Some(quote) {
                self.scan.is_ambiguous = true;
            } else if self.rest.get(at..).is_some_and(|rest| rest.starts_with(quote)) {
                at += quote.len_utf8();
            } else {
                if quote == '\'' && self.scan.strings.len() < MAX_STRINGS {
                    self.scan.strings.push(self.rest.get(1..at - 1).unwrap_or_default().to_owned());
                }
                return self.skip(at);
            }
        }
    }

    /// A quoted name in one database, an array index in others: the same if nothing in it quotes.
    fn bracketed(&mut self) {
        let inner = self.rest.get(1..).and_then(|rest| rest.split_once(']')).map(|(inner, _)| inner);
        if inner.is_none_or(|inner| {
            inner.contains(['\'', '"', '`', ';', '[', '#', '\\', '$']) || inner.contains("--") || inner.contains("/*")
        }) {
            self.scan.is_ambiguous = true;
        }
        self.open();
        self.skip(1);
    }

    fn line_comment(&mut self) {
        let end = self.rest.find('\n').unwrap_or(self.rest.len());
        let comment = self.rest.get(2..end).unwrap_or_default();
        let spaced = comment.is_empty() || comment.starts_with([' ', '\t', '\r']);
        // Some databases end the comment at a lone carriage return.
        let returns = comment
            .strip_suffix('\r')
            .unwrap_or(comment)
            .contains(['\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}', '\0']);
        self.scan.is_ambiguous |= !spaced || returns;
        self.skip(end);
    }

    fn block_comment(&mut self) {
        let inner = self.rest.get(2..).and_then(|rest| rest.split_once("*/")).map(|(inner, _)| inner);
        match inner {
            Some(inner) => {
                let executed = inner.starts_with('!') || inner.starts_with("M!");
                self.scan.is_ambiguous |= executed || inner.contains("/*") || inner.contains('\0');
                self.skip(inner.len() + 4);
            }
            None => {
                self.scan.is_ambiguous = true;
                self.skip(self.rest.len());
            }
        }
    }
}
