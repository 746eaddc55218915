//! What the name and payload of an unknown action suggest about its effect.
//!
//! A name is a hint, so every doubt makes it stricter: a read needs a reading verb in first place and
//! nothing that speaks against it, neither in the name (another verb, a second action, a secret) nor
//! in the context (an address, a statement, a command, a path). Everything else is what its strictest
//! verb says, or unknown.

use crate::catalogue::{Effect, words};
use crate::text::{self, TextError};
use crate::value::{Object, Value};

#[rustfmt::skip]
const READS: &[&str] = &[
    "get", "list", "read", "describe", "fetch", "show", "view", "search", "find", "lookup", "look", "count",
    "inspect", "check", "retrieve", "browse", "peek", "summarize", "summarise",
];

/// Verbs that change something wherever they stand in a name.
#[rustfmt::skip]
const WRITES: &[&str] = &[
    "create", "add", "update", "modify", "edit", "write", "insert", "upsert", "save", "send", "put", "patch",
    "append", "upload", "move", "rename", "enable", "disable", "execute", "exec", "invoke", "eval", "approve",
    "reject", "grant", "assign", "invite", "publish", "deploy", "merge", "import", "export", "pay", "withdraw",
    "buy", "purchase", "sell", "cancel", "submit", "register", "subscribe", "unsubscribe", "mark", "unlock", "lock",
    "sign", "forward", "share", "sync", "store", "replace", "reply", "install", "configure", "apply", "migrate",
    "make", "generate", "attach", "mount", "connect", "login", "logout", "impersonate", "become", "escalate",
    "elevate", "allow", "authorize", "authorise", "consume", "claim", "accept", "decline", "acknowledge", "ack",
    "do",
];

/// Verbs that are also nouns: in last place, as in `get_order`, they are the object.
#[rustfmt::skip]
const NOUN_WRITES: &[&str] = &[
    "set", "run", "call", "post", "order", "charge", "refund", "transfer", "book", "start", "stop", "restart",
    "change", "push", "commit", "copy", "clone", "schedule", "open", "close", "trigger", "release", "issue",
    "record", "log", "print", "pull", "link", "queue", "process", "query", "use", "build", "test", "scale", "pause",
    "resume", "launch", "fire", "email", "mail", "message", "notify", "broadcast", "archive", "restore", "rotate",
    "refresh", "swap", "trade", "bid", "vote", "comment",
];

#[rustfmt::skip]
const DESTROYS: &[&str] = &[
    "delete", "del", "remove", "rm", "drop", "destroy", "terminate", "purge", "wipe", "erase", "truncate", "kill",
    "revoke", "reset", "uninstall", "shutdown", "detach", "flush", "clear", "prune", "unlink", "evict",
    "deactivate", "overwrite", "nuke", "expunge", "shred", "decommission", "deprovision", "ban", "suspend", "undo",
    "rollback", "revert", "clean", "cleanup", "empty", "discard",
];

/// Words after which a second action begins.
#[rustfmt::skip]
const JOINS: &[&str] = &[
    "and", "or", "then", "plus", "with", "n", "also", "after", "before", "via", "else", "if", "by",
];

/// What a read must not be about, as whole words.
#[rustfmt::skip]
const SECRET_WORDS: &[&str] = &[
    "key", "keys", "pin", "pins", "otp", "mfa", "totp", "ssh", "pem", "cert", "certs", "certificate",
    "certificates", "cookie", "cookies", "env", "vault", "kms", "seed", "mnemonic", "auth", "oauth", "jwt", "creds",
    "cred", "ssn", "cvv", "cvc", "pwd", "hash", "hashes", "private", "session", "sessions", "shadow", "keychain",
    "keystore", "wallet", "iam", "pan", "bearer", "authorization", "kubeconfig", "dotenv", "presigned", "root",
    "sudo", "2fa",
];

/// The same as parts of words.
#[rustfmt::skip]
const SECRET_PARTS: &[&str] = &[
    "passw", "passphrase", "secret", "token", "credential", "apikey", "privatekey", "accesskey", "sshkey",
    "keyring", "connectionstring", "signedurl", "serviceaccount", "recoverycode", "backupcode", "verificationcode",
    "magiclink", "resetlink", "loginlink", "adminaccess",
];

/// Words that turn the reading verb before them into another one: `check_out`, `get_rid_of`.
#[rustfmt::skip]
const TURNS: &[&str] = &["out", "off", "in", "rid", "away", "paid", "as"];

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

/// The name of an unknown action in rules, limits and on the record: its words with `_` between them,
/// or the folded text if it is no plain name.
pub(super) fn canonical(declared: &str) -> Result<String, TextError> {
    let folded = text::normal_target(declared)?;
    if !is_plain(declared) {
        return Ok(folded);
    }
    let snake = words(declared).join("_");
    if snake.is_empty() { Ok(folded) } else { Ok(snake) }
}

fn is_plain(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

pub(super) fn effect(declared: &str, context: &Object) -> Effect {
    if !is_plain(declared) {
        return Effect::Unknown;
    }
    let effect = effect_of_name(declared);
    if effect == Effect::Read && (context_acts(context) || is_secret_like(&words(declared))) {
        return Effect::Unknown;
    }
    effect
}

fn effect_of_name(declared: &str) -> Effect {
    let all = words(declared);
    let is_in = |table: &[&str], word: &String| table.contains(&word.as_str());
    if all.iter().any(|word| is_in(DESTROYS, word)) {
        return Effect::Destructive;
    }
    let writes = |(index, word): (usize, &String)| {
        // Alone or in front of something it is the verb, at the end it is the object.
        let object = index > 0 && index + 1 == all.len();
        is_in(WRITES, word) || (is_in(NOUN_WRITES, word) && !object)
    };
    // A provider's prefix is no verb: `charges.list` reads.
    let last = words(declared.rsplit('.').next().unwrap_or(declared));
    let turned = last.get(1).is_some_and(|word| is_in(TURNS, word));
    let reads = last.first().is_some_and(|word| is_in(READS, word)) && !turned;
    if all.iter().enumerate().any(writes) {
        return Effect::Write;
    }
    let joined = all.iter().any(|word| is_in(JOINS, word));
    match (reads, joined) {
        (true, false) => Effect::Read,
        // `get_and_launch`: what the second half does is anybody's guess, unless it also reads.
        (true, true) if every_part_reads(&last) => Effect::Read,
        _ => Effect::Unknown,
    }
}

/// Whether each action of a compound name begins with a reading verb. `by` and `with` begin a
/// condition, not an action.
fn every_part_reads(words: &[String]) -> bool {
    let mut expects_verb = true;
    for word in words {
        if matches!(word.as_str(), "by" | "with") {
            continue;
        }
        if JOINS.contains(&word.as_str()) {
            if expects_verb {
                return false;
            }
            expects_verb = true;
        } else if expects_verb {
            if !READS.contains(&word.as_str()) {
                return false;
            }
            expects_verb = false;
        }
    }
    !expects_verb
}

fn is_secret_like(words: &[String]) -> bool {
    let joined = words.concat();
    words.iter().any(|word| SECRET_WORDS.contains(&word.as_str()))
        || SECRET_PARTS.iter().any(|part| joined.contains(part))
}

/// Whether anything in the context acts, leads outside, or names a secret.
fn context_acts(context: &Object) -> bool {
    context.iter().any(|(key, value)| {
        let key_words = words(key);
        key_words.iter().any(|word| ACTING_KEYS.contains(&word.as_str()))
            || is_secret_like(&key_words)
            || text_acts(key)
            || (key_words.iter().any(|word| word == "method" || word == "verb") && !is_reading_method(value))
            || is_acting_member(&key_words, value)
            || value_acts(value)
    })
}

/// `{"action": "delete"}` and `{"delete": true}`.
fn is_acting_member(key_words: &[String], value: &Value) -> bool {
    let acts = |word: &String| [DESTROYS, WRITES, NOUN_WRITES].iter().any(|verbs| verbs.contains(&word.as_str()));
    let says = key_words.last().is_some_and(|word| VERB_KEYS.contains(&word.as_str()));
    let verb = value.as_text().is_some_and(|text| words(text).iter().any(acts));
    let destroys = key_words.first().is_some_and(|word| DESTROYS.contains(&word.as_str()));
    (says && verb) || (destroys && !matches!(value, Value::Null | Value::Bool(false)))
}

fn value_acts(value: &Value) -> bool {
    match value {
        Value::Text(text) => text_acts(text) || (text.len() <= 64 && is_secret_like(&words(text))),
        Value::List(items) => items.iter().any(value_acts),
        Value::Object(members) => context_acts(members),
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
