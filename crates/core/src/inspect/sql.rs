//! What SQL text really does, whatever the call is named.
//!
//! Every statement is walked, everywhere in it: CTEs, subqueries, EXPLAIN. The text is read as several
//! databases would read it and the strictest reading counts. Before that a lexical check of its own
//! refuses text that databases split into words differently (escapes, odd comments, dollar quotes), and
//! after it a check by words catches what a parser took for a name. Refuses to trust any function that
//! is not on a list of harmless ones. INVARIANT: only text that every reading shows to be a plain read
//! or write is one; everything else is stricter or `UNKNOWN`.

mod condition;
mod functions;
mod lexical;
mod plain;
mod walk;

use super::Reading;
use super::arguments::{count, flat, has_word, object, texts, truth, unknown};
use crate::call::Call;
use crate::catalogue::TypeName;
use crate::value::{Object, Value};
use lexical::Scan;
use std::collections::BTreeSet;
use walk::Walk;

/// What a statement does; the order is strictness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Select,
    Show,
    Insert,
    Update,
    Transaction,
    Set,
    Lock,
    Merge,
    Copy,
    Call,
    Create,
    Alter,
    Grant,
    Other,
    Truncate,
    Drop,
    Delete,
    Unknown,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Select => "SELECT",
            Self::Show => "SHOW",
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Transaction => "TRANSACTION",
            Self::Set => "SET",
            Self::Lock => "LOCK",
            Self::Merge => "MERGE",
            Self::Copy => "COPY",
            Self::Call => "CALL",
            Self::Create => "CREATE",
            Self::Alter => "ALTER",
            Self::Grant => "GRANT",
            Self::Other => "OTHER",
            Self::Truncate => "TRUNCATE",
            Self::Drop => "DROP",
            Self::Delete => "DELETE",
            Self::Unknown => super::UNKNOWN,
        }
    }
}

/// Argument names that hold statements, as words of the name.
const NAMES_STATEMENT: &[&str] = &[
    "sql",
    "query",
    "queries",
    "statement",
    "statements",
    "stmt",
    "ddl",
    "dml",
    "text",
    "command",
    "commands",
    "script",
    "migration",
    "raw",
    "batch",
    "procedure",
    "q",
];
/// The same where the type is no query: only names that mean nothing else.
const NAMES_SURE: &[&str] = &["sql", "statement", "statements", "stmt", "ddl", "dml"];
/// Values bound to a statement are no part of it.
const NAMES_BOUND: &[&str] =
    &["values", "bindings", "params", "parameters", "arguments", "args", "timeout", "name", "id"];
/// Words about the call, for people.
const NAMES_PROSE: &[&str] = &[
    "reason",
    "note",
    "description",
    "purpose",
    "intent",
    "comment",
    "title",
    "label",
    "summary",
    "goal",
    "explanation",
    "metadata",
    "tags",
];
/// The same in calls that are no query, where these members hold what people write.
const NAMES_TEXT: &[&str] = &["body", "message", "content", "subject", "comment"];
const RUNS_STATEMENTS: &str = "execute_query";
const MAX_TEXT: usize = 16 * 1024;
const MAX_TEXTS: usize = 64;
/// Most bytes that are read as every database would read them, in all texts of a call together; beyond, only the words
/// of a text count. Reading a byte so costs up to a microsecond.
const MAX_IN_FULL: usize = 2 * MAX_TEXT;

/// What was found in all texts of a call.
#[derive(Default)]
struct Found {
    kinds: BTreeSet<Kind>,
    statements: usize,
    tables: BTreeSet<String>,
    /// UPDATE and DELETE statements, and those of them that a condition bounds.
    changes: usize,
    bounded: usize,
    deletes: bool,
    schema: bool,
    grants: bool,
    /// Bytes read in full so far.
    in_full: usize,
}

pub(super) fn read(call: &Call, found: &mut Vec<TypeName>) -> Reading {
    let sure = !call.action.is(RUNS_STATEMENTS);
    let mut collected = Collected { sure, texts: Vec::new(), unreadable: false };
    collected.members(&call.context);
    if collected.texts.is_empty() && !collected.unreadable {
        return if sure { Reading::NotApplicable } else { Reading::Unknown };
    }
    let mut all = Found::default();
    let size: usize = collected.texts.iter().map(|text| text.len()).sum();
    if collected.unreadable || collected.texts.len() > MAX_TEXTS || size > 4 * MAX_TEXT {
        all.kinds.insert(Kind::Unknown);
    }
    for text in collected.texts.iter().take(MAX_TEXTS) {
        all.text(text);
    }
    all.types(found);
    Reading::Object(all.reading())
}

/// The texts in a call that may be statements.
struct Collected<'a> {
    sure: bool,
    texts: Vec<&'a str>,
    unreadable: bool,
}

impl<'a> Collected<'a> {
    fn members(&mut self, members: &'a Object) {
        let table = if self.sure { NAMES_SURE } else { NAMES_STATEMENT };
        for (name, value) in members {
            if has_word(name, NAMES_BOUND) {
                self.bound(value);
                continue;
            }
            let opens = || value.as_text().is_some_and(lexical::opens_statement);
            let likely = self.sure && has_word(name, &["query"]) && opens();
            if likely || has_word(name, table) || flat(name).contains("sql") {
                self.value(value);
            } else if let Value::Object(inner) = value {
                self.members(inner);
            } else if !(has_word(name, NAMES_PROSE) || self.sure && has_word(name, NAMES_TEXT)) {
                self.other(value);
            }
        }
    }

    /// Wrapped arguments (`{"arguments": {"sql": …}}`); plain values are no statements.
    fn bound(&mut self, value: &'a Value) {
        match value {
            Value::Object(inner) => {
                let sure = std::mem::replace(&mut self.sure, true);
                self.members(inner);
                self.sure = sure;
            }
            Value::List(items) => {
                items.iter().filter(|item| item.as_text().is_none()).for_each(|item| self.bound(item))
            }
            _ => {}
        }
    }

    /// Text under a name that means nothing here, if it begins as a change does: the tool may run it too.
    fn other(&mut self, value: &'a Value) {
        match value {
            Value::Text(text) => {
                let changes = |part: &str| match self.sure {
                    true => lexical::opens_with_change_of_something(part),
                    false => part.trim().contains(char::is_whitespace) && lexical::opens_change(part),
                };
                if text.split(';').any(changes) {
                    self.texts.push(text);
                }
            }
            Value::List(items) => items.iter().for_each(|item| self.other(item)),
            Value::Object(inner) => self.members(inner),
            _ => {}
        }
    }

    fn value(&mut self, value: &'a Value) {
        match value {
            Value::Null => {}
            Value::Text(text) if text.trim().is_empty() => {}
            Value::Text(text) => self.texts.push(text),
            Value::List(items) => items.iter().for_each(|item| self.value(item)),
            Value::Object(inner) => {
                // `{"text": …, "values": […]}`; an object without a statement is some other language.
                let before = self.texts.len();
                let sure = std::mem::replace(&mut self.sure, false);
                self.members(inner);
                self.sure = sure;
                self.unreadable |= self.texts.len() == before;
            }
            _ => self.unreadable = true,
        }
    }
}

/// Whether a condition given as text chooses some rows and plainly not all of them.
pub(super) fn chooses(text: &str) -> bool {
    if !lexical::opens_statement(text) {
        return condition::chooses(text);
    }
    let mut found = Found::default();
    found.text(text);
    found.changes > 0 && found.bounded == found.changes && !found.kinds.contains(&Kind::Unknown)
}

impl Found {
    fn text(&mut self, text: &str) {
        if let Some(tables) = plain::tables(text) {
            self.kinds.insert(Kind::Select);
            self.statements += 1;
            self.tables.extend(tables);
            return;
        }
        self.text_in_full(text);
    }

    /// The text as every database would read it.
    fn text_in_full(&mut self, text: &str) {
        let scan = Scan::of(text);
        let before = self.statements;
        let mut kinds = BTreeSet::new();
        let in_full = self.in_full.saturating_add(text.len());
        if text.len() <= MAX_TEXT && in_full <= MAX_IN_FULL && scan.is_small {
            self.in_full = in_full;
            for walk in walk::all_readings(text) {
                kinds.extend(walk.kinds.iter().copied());
                self.take(walk, before);
            }
        }
        let plain = kinds.iter().all(|kind| matches!(kind, Kind::Select | Kind::Show | Kind::Insert | Kind::Update));
        let shows = kinds.iter().eq([&Kind::Show]) && lexical::shows_definition(text);
        let smuggled = plain && !shows && scan.words.iter().any(|word| acts(word) && !is_expected(word, &kinds));
        if kinds.is_empty() || scan.is_ambiguous || smuggled || scan.runs_text {
            self.kinds.insert(Kind::Unknown);
            self.words(if scan.is_ambiguous { &scan.all_words } else { &scan.words });
        }
        if !plain || kinds.is_empty() || smuggled {
            // What is no plain statement may run a text that it holds.
            scan.strings.iter().filter(|text| lexical::changes_somewhere(text)).for_each(|text| {
                self.words(&lexical::words_of(text));
            });
            self.grants |= scan.words.iter().any(|word| grants_by_procedure(word));
        }
        self.kinds.extend(kinds);
    }

    fn take(&mut self, walk: Walk, before: usize) {
        self.statements = self.statements.max(before + walk.statements);
        self.tables.extend(walk.tables);
        self.changes += walk.changes;
        self.bounded += walk.bounded;
        self.deletes |= walk.deletes;
        self.schema |= walk.schema;
        self.grants |= walk.grants;
    }

    /// Evidence from the words of a text that nobody can read.
    fn words(&mut self, words: &BTreeSet<String>) {
        let any = |table: &[&str]| table.iter().any(|word| words.contains(*word));
        self.deletes |= any(&["DELETE", "TRUNCATE", "DROP"]);
        self.schema |= any(&["ALTER", "CREATE", "DROP", "RENAME"]);
        self.grants |= any(&[
            "GRANT",
            "REVOKE",
            "DENY",
            "OWNER",
            "OWNED",
            "IDENTIFIED",
            "SUPERUSER",
            "PRIVILEGES",
            "PASSWORD",
            "ROLE",
        ]);
    }

    fn types(&self, found: &mut Vec<TypeName>) {
        for (present, name) in
            [(self.deletes, "delete_records"), (self.schema, "modify_schema"), (self.grants, "modify_security")]
        {
            if present && !found.iter().any(|known| **known == *name) {
                found.push(name.into());
            }
        }
    }

    fn reading(self) -> Object {
        let unreadable = self.kinds.contains(&Kind::Unknown);
        let kind = self.kinds.last().copied().unwrap_or(Kind::Unknown);
        let reads = self.kinds.iter().all(|kind| matches!(kind, Kind::Select | Kind::Show));
        // Of an unreadable text only what it does is known, not what it does not do.
        let known = |present: bool| if present { Some(true) } else { (!unreadable).then_some(false) };
        object([
            ("kind", Value::from(kind.as_str())),
            ("kinds", texts(self.kinds.iter().map(|kind| kind.as_str().to_owned()))),
            ("statements", if unreadable { unknown() } else { count(self.statements) }),
            ("tables", texts(self.tables.into_iter().take(64))),
            ("has_where", Value::Bool(self.changes > 0 && self.bounded == self.changes && !unreadable)),
            ("reads", Value::Bool(reads)),
            ("writes", Value::Bool(!reads)),
            ("deletes", truth(known(self.deletes))),
            ("schema", truth(known(self.schema))),
            ("grants", truth(known(self.grants))),
        ])
    }
}

/// Words that begin an action in some database. One that stands bare in a text which was read as a plain
/// statement may be a second statement that a parser took for a name: `SELECT 1 DELETE FROM users`.
fn acts(word: &str) -> bool {
    matches!(
        word,
        "INSERT"
            | "UPDATE"
            | "DELETE"
            | "DROP"
            | "TRUNCATE"
            | "ALTER"
            | "CREATE"
            | "GRANT"
            | "REVOKE"
            | "DENY"
            | "MERGE"
            | "EXEC"
            | "EXECUTE"
            | "CALL"
            | "COPY"
            | "INTO"
            | "LOAD"
            | "UNLOAD"
            | "ATTACH"
            | "DETACH"
            | "VACUUM"
            | "PRAGMA"
            | "SHUTDOWN"
            | "KILL"
            | "BACKUP"
            | "RESTORE"
            | "RECONFIGURE"
            | "DBCC"
            | "BULK"
            | "OPENROWSET"
            | "OPENQUERY"
            | "OPENDATASOURCE"
            | "PREPARE"
            | "GO"
            | "CHECKPOINT"
            | "COMMIT"
            | "ROLLBACK"
            | "REVERT"
            | "WAITFOR"
            | "DECLARE"
            | "HANDLER"
            | "OUTFILE"
            | "DUMPFILE"
            | "PROCEDURE"
            | "REINDEX"
            | "RENAME"
            | "IMPORT"
            | "EXPORT"
            | "NEXTVAL"
    )
}

/// Procedures of SQL Server that change who may do what.
fn grants_by_procedure(word: &str) -> bool {
    ["SP_ADD", "SP_DROPROLEMEMBER", "SP_DROPSRVROLEMEMBER", "SP_GRANT", "SP_REVOKE", "SP_CHANGE", "SP_PASSWORD"]
        .iter()
        .any(|name| word.starts_with(name))
}

fn is_expected(word: &str, kinds: &BTreeSet<Kind>) -> bool {
    match word {
        "INSERT" | "INTO" => kinds.contains(&Kind::Insert),
        "UPDATE" => kinds.contains(&Kind::Update),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
