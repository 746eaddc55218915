//! Whether the arguments of an unknown action speak against its being a read: an address, a statement, a
//! command, a path, or the name of a secret.

use super::{DESTROYS, NOUN_WRITES, VERBAL_NOUNS, WRITES, is_secret_like};
use crate::catalogue::words;
use crate::value::{Object, Value};

/// Context members that say what is done, so that their value is a verb.
#[rustfmt::skip]
const VERB_KEYS: &[&str] = &["action", "operation", "op", "mode", "function", "task"];

/// Context members that name something which acts or leads outside.
#[rustfmt::skip]
const ACTING_KEYS: &[&str] = &[
    "url", "uri", "href", "endpoint", "webhook", "callback", "command", "cmd", "script", "shell", "exec", "code",
    "sql", "statement", "path", "file", "filename", "filepath", "directory", "dir", "destination", "redirect",
    "host", "program", "expression", "eval", "headers", "body", "upload", "proxy",
];

/// Context members that hold what is looked for, in the words of a search: `from:ana is:open`, `read/write lock`.
#[rustfmt::skip]
const SEARCH_KEYS: &[&str] = &[
    "q", "query", "search", "term", "terms", "keyword", "keywords", "jql", "question", "topic",
];

/// Context members whose value is a name of several parts: `acme/web`, `Europe/Oslo`, `application/json`.
const NAME_KEYS: &[&str] = &["repo", "repository", "project", "timezone", "tz", "zone", "mime", "resource"];

/// Schemes that act without slashes behind them.
#[rustfmt::skip]
const SCHEMES: &[&str] = &[
    "http", "https", "ws", "wss", "ftp", "sftp", "ssh", "git", "file", "data", "javascript", "vbscript", "mailto", "tel",
    "sms", "smb", "ldap", "ldaps", "gopher", "dict", "jar", "php", "expect", "phar", "view", "blob", "about", "urn", "nfs",
    "localhost",
];

/// Words beside `key` that make it the name of a thing and no secret: `issueKey`, `Key` alone.
#[rustfmt::skip]
const PLAIN_KEYS: &[&str] = &[
    "key", "keys", "issue", "project", "ticket", "object", "item", "partition", "sort", "primary", "foreign", "cache", "row",
    "record", "entry", "document", "story", "board", "space", "page", "idempotency", "condition", "expression", "start",
    "exclusive", "last", "evaluated", "next", "marker", "group",
];

/// Whether anything in the context acts, leads outside, or names a secret.
pub(super) fn act(context: &Object) -> bool {
    context.iter().any(|(key, value)| {
        let key_words = words(key);
        let is_in = |table: &[&str]| key_words.iter().any(|word| table.contains(&word.as_str()));
        let plain_key = key_words.iter().all(|word| PLAIN_KEYS.contains(&word.as_str()));
        let said = if is_in(SEARCH_KEYS) {
            Said::Search
        } else if is_in(NAME_KEYS) {
            Said::Name
        } else {
            Said::Anything
        };
        is_in(ACTING_KEYS)
            || (is_secret_like(&key_words) && !plain_key)
            || text_acts(key)
            || (is_in(&["method", "verb"]) && !is_reading_method(value))
            || is_acting_member(&key_words, value)
            || value_acts(value, said)
    })
}

/// What the text of a member is.
#[derive(Clone, Copy)]
enum Said {
    Anything,
    Search,
    Name,
}

impl Said {
    fn acts(self, text: &str) -> bool {
        match self {
            Self::Search => text_acts(&without_search_signs(text)),
            Self::Name if is_name_of_parts(text) => text_acts(&text.replace('/', " ")),
            _ => text_acts(text),
        }
    }
}

/// The text of a search without what joins words in one: the colon of `from:ana`, the slash of `read/write`.
fn without_search_signs(text: &str) -> String {
    let paths = text.contains("..") || text.contains("//");
    let mut plain = String::with_capacity(text.len());
    let mut word = String::new();
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        let goes_on = rest.peek().is_some_and(|next| next.is_alphanumeric());
        let joins = !word.is_empty() && goes_on && !paths;
        let scheme = SCHEMES.contains(&word.to_ascii_lowercase().as_str());
        plain.push(match character {
            ':' if joins && !scheme && word.chars().all(char::is_alphabetic) => ' ',
            '/' if joins => ' ',
            other => other,
        });
        if character.is_alphanumeric() { word.push(character) } else { word.clear() }
    }
    plain
}

/// Two or three plain parts with a slash between them, none of which climbs.
fn is_name_of_parts(text: &str) -> bool {
    let plain = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphanumeric())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'+'))
    };
    (2..=3).contains(&text.split('/').count()) && text.split('/').all(plain) && !text.contains("..")
}

/// `{"action": "delete"}` and `{"delete": true}`.
fn is_acting_member(key_words: &[String], value: &Value) -> bool {
    let tables = [DESTROYS, WRITES, NOUN_WRITES, VERBAL_NOUNS];
    let acts = |word: &String| tables.iter().any(|verbs| verbs.contains(&word.as_str()));
    let says = key_words.last().is_some_and(|word| VERB_KEYS.contains(&word.as_str()));
    let verb = value.as_text().is_some_and(|text| words(text).iter().any(acts));
    let destroys = key_words.first().is_some_and(|word| DESTROYS.contains(&word.as_str()));
    (says && verb) || (destroys && !matches!(value, Value::Null | Value::Bool(false)))
}

fn value_acts(value: &Value, said: Said) -> bool {
    match value {
        Value::Text(text) => said.acts(text) || (text.len() <= 64 && is_secret_like(&words(text))),
        Value::List(items) => items.iter().any(|item| value_acts(item, said)),
        Value::Object(members) => act(members),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn is_reading_method(value: &Value) -> bool {
    value.as_text().is_some_and(|method| ["get", "head"].contains(&method.to_ascii_lowercase().as_str()))
}

fn text_acts(text: &str) -> bool {
    text.contains(['/', '\\', '`', '|', ';', '<', '>', '\0', '~'])
        || looks_like_address(text)
        || looks_like_command(text)
        || looks_like_sql(text)
}

/// Schemes need no slashes (`mailto:`, `data:`), hosts no scheme (`www.`), and a dotted quad no name.
fn looks_like_address(text: &str) -> bool {
    let lower = text.trim_start().to_ascii_lowercase();
    let scheme = lower.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.len() > 1
            && !rest.is_empty()
            && !rest.starts_with(' ')
            && scheme.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'+' | b'-' | b'.'))
    });
    let numbers =
        lower.split('.').filter(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())).count();
    scheme || lower.starts_with("www.") || lower.contains("localhost") || numbers >= 4 || lower.contains("..")
}

fn looks_like_command(text: &str) -> bool {
    #[rustfmt::skip]
    const PROGRAMS: &[&str] = &[
        "rm", "curl", "wget", "bash", "sh", "zsh", "python", "python3", "perl", "ruby", "node", "sudo", "su", "ssh",
        "scp", "nc", "dd", "chmod", "chown", "kill", "kubectl", "docker", "aws", "gcloud", "az", "terraform", "git",
        "powershell", "cmd", "eval", "cat", "mv", "cp",
    ];
    let first = text.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    let several = text.split_whitespace().nth(1).is_some();
    // `ls -la`, `db.drop()`: a flag after a word, a call.
    let is_flag = |word: &str| {
        word.trim_start_matches('-').starts_with(|c: char| c.is_ascii_alphabetic()) && word.starts_with('-')
    };
    (several && PROGRAMS.contains(&first.as_str()))
        || text.split_whitespace().skip(1).any(is_flag)
        || ["$(", "${", "&&", "()"].iter().any(|sign| text.contains(sign))
}

fn looks_like_sql(text: &str) -> bool {
    #[rustfmt::skip]
    const OPENS: &[&str] = &[
        "select", "insert", "update", "delete", "drop", "alter", "create", "truncate", "grant", "revoke", "with",
        "merge", "call", "exec", "execute", "explain", "copy", "vacuum", "replace", "begin", "declare", "pragma",
        "attach", "show", "set",
    ];
    #[rustfmt::skip]
    const FOLLOWS: &[&str] =
        &[
        "from", "into", "table", "set", "where", "values", "union", "database", "schema", "procedure", "as",
    ];
    let lower = text.to_ascii_lowercase();
    if lower.contains("--") || lower.contains("/*") {
        return true;
    }
    let mut opened = false;
    for word in lower.split(|character: char| !character.is_alphanumeric() && character != '_') {
        if opened && FOLLOWS.contains(&word) {
            return true;
        }
        opened |= OPENS.contains(&word);
    }
    let first = lower.split_whitespace().next().unwrap_or_default().trim_start_matches('(');
    matches!(first, "select" | "insert" | "delete" | "drop" | "truncate" | "alter")
        && lower.split_whitespace().nth(1).is_some()
}
