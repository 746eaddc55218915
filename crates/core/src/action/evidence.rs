//! What the name and payload of an unknown action suggest about its effect.
//!
//! A name is a hint, so every doubt makes it stricter: a read needs a reading verb in first place and
//! nothing that speaks against it, neither in the name (another verb, a second action, a secret) nor
//! in the context (an address, a statement, a command, a path). Everything else is what its strictest
//! verb says, or unknown.

mod arguments;
mod platforms;

use crate::catalogue::{Effect, words};
use crate::text::{self, TextError};
use crate::value::Object;

#[rustfmt::skip]
const READS: &[&str] = &[
    "get", "list", "read", "describe", "fetch", "show", "view", "search", "find", "lookup", "look", "count",
    "inspect", "check", "retrieve", "browse", "peek", "summarize", "summarise", "compare", "calculate", "estimate",
    "preview", "is", "has", "whoami",
];

/// What looking for something is called where the verb comes last, and words that may stand before it: `web_search`.
const LOOKS_FOR: &[&str] = &["search", "lookup"];
#[rustfmt::skip]
const LOOKED_FOR: &[&str] = &[
    "web", "internet", "online", "site", "image", "video", "news", "file", "code", "doc", "docs", "document", "documents",
    "text", "fulltext", "semantic", "vector", "similarity", "hybrid", "knowledge", "kb", "wiki", "product", "customer",
    "user", "contact", "people", "company", "ticket", "place", "places", "flight", "hotel", "dns", "whois", "geo",
    "paper", "papers", "catalog", "catalogue", "inventory",
];
/// What reading one thing is called at the end of a dotted name or behind the name of a platform:
/// `conversations.history`, `git_status`.
const LOOKED_AT: &[&str] = &["history", "info", "status", "schema", "exists"];

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
    "do", "activate", "reactivate", "promote", "demote", "downgrade", "resend", "requeue", "redeliver", "dispatch",
    "enroll", "onboard", "provision", "initiate", "transmit", "spawn", "inject", "assume", "whitelist", "unblock",
    "unassign", "unshare", "unpublish", "unregister", "deregister", "unmount", "disconnect", "invalidate",
];

/// Verbs that are also nouns: in last place, as in `get_launch`, they are the object.
#[rustfmt::skip]
const NOUN_WRITES: &[&str] = &[
    "set", "start", "stop", "restart", "push", "clone", "trigger", "print", "use", "scale", "pause", "resume", "launch",
    "fire", "notify", "broadcast", "restore", "rotate", "refresh", "swap", "trash", "void", "abort", "freeze", "block",
    "quarantine",
];

/// The same, which behind a reading verb are nouns wherever they stand: `get_order_status`, `list_open_issues`.
#[rustfmt::skip]
const VERBAL_NOUNS: &[&str] = &[
    "run", "call", "post", "order", "charge", "refund", "transfer", "book", "change", "commit", "copy", "schedule", "open",
    "close", "release", "issue", "record", "log", "pull", "link", "queue", "process", "query", "build", "test", "email",
    "mail", "message", "archive", "trade", "bid", "vote", "comment",
];

#[rustfmt::skip]
const DESTROYS: &[&str] = &[
    "delete", "del", "remove", "rm", "drop", "destroy", "terminate", "purge", "wipe", "erase", "truncate", "kill",
    "revoke", "reset", "uninstall", "shutdown", "detach", "flush", "clear", "prune", "unlink", "evict",
    "deactivate", "overwrite", "nuke", "expunge", "shred", "decommission", "deprovision", "ban", "suspend", "undo",
    "rollback", "revert", "clean", "cleanup", "empty", "discard", "offboard", "expel", "obliterate", "eliminate",
    "eradicate", "scrub",
];

/// Reading verbs that stand before what is going to be done as well as before what is looked at, and what of the words
/// after them is looked at: `check_archive_user` archives, `check_order_status` reads.
#[rustfmt::skip]
const BEFORE_DOING: &[&str] = &["check", "preview", "lookup", "is", "has", "calculate", "estimate"];
#[rustfmt::skip]
const ABOUT: &[&str] = &[
    "status", "state", "id", "ids", "number", "history", "info", "detail", "details", "count", "counts", "total", "totals",
    "amount", "amounts", "type", "types", "date", "dates", "time", "times", "limit", "limits", "size", "name", "names", "log",
    "logs", "list", "result", "results", "report", "reports", "template", "templates", "address", "addresses", "queue",
    "thread", "threads", "format", "settings", "content", "body", "subject", "item", "items", "rate", "rates", "fee",
    "fees", "cost", "costs", "price", "prices", "eligibility", "validity", "availability", "permission", "permissions",
    "progress", "config", "health", "metrics", "summary", "line", "lines", "request", "requests", "policy", "domain",
    "score", "risk", "exists", "valid", "possible", "allowed", "eligible", "available", "pending", "done", "ready", "by",
    "for", "of", "in", "on", "from", "to", "with",
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
    if effect == Effect::Read && (arguments::act(context) || is_secret_like(&words(declared))) {
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
    // A provider's prefix is no verb: `charges.list` and `slack_list_channels` read.
    let last = words(declared.rsplit('.').next().unwrap_or(declared));
    let own = platforms::without(&last);
    let leads = own.first().is_some_and(|word| is_in(READS, word));
    let joined = all.iter().any(|word| is_in(JOINS, word));
    // `by` and `with` begin a condition, not an action.
    let second = all.iter().any(|word| is_in(JOINS, word) && !matches!(word.as_str(), "by" | "with"));
    let writes = |(index, word): (usize, &String)| {
        // Alone or in front of something it is the verb, at the end it is the object.
        let object = index > 0 && index + 1 == all.len();
        let noun = object || (leads && !second && is_in(VERBAL_NOUNS, word));
        is_in(WRITES, word) || ((is_in(NOUN_WRITES, word) || is_in(VERBAL_NOUNS, word)) && !noun)
    };
    if all.iter().enumerate().any(writes) || is_about_to_do(own) {
        return Effect::Write;
    }
    let turned = own.get(1).is_some_and(|word| is_in(TURNS, word));
    let reads = leads && !turned;
    let prefixed = own.len() < all.len();
    match (reads, joined) {
        (true, false) => Effect::Read,
        // `get_and_launch`: what the second half does is anybody's guess, unless it also reads.
        (true, true) if every_part_reads(own) => Effect::Read,
        (false, false) if looks_for_something(own) || (prefixed && is_looked_at(own)) => Effect::Read,
        _ => Effect::Unknown,
    }
}

/// Whether something is done to what stands last, although a verb that reads stands before it.
fn is_about_to_do(words: &[String]) -> bool {
    let is_in = |table: &[&str], word: &String| table.contains(&word.as_str());
    match words {
        [reads, does, to @ ..] => {
            is_in(BEFORE_DOING, reads)
                && is_in(VERBAL_NOUNS, does)
                && !to.is_empty()
                && !to.iter().any(|word| is_in(ABOUT, word))
        }
        _ => false,
    }
}

fn looks_for_something(words: &[String]) -> bool {
    let is_in = |table: &[&str], word: &String| table.contains(&word.as_str());
    words.split_last().is_some_and(|(last, front)| {
        !front.is_empty() && is_in(LOOKS_FOR, last) && front.iter().all(|word| is_in(LOOKED_FOR, word))
    })
}

fn is_looked_at(words: &[String]) -> bool {
    matches!(words, [only] if LOOKED_AT.contains(&only.as_str()))
}

/// What a name may also mean. The verb in front for one that has it behind: `acme.charges.create` may be
/// `create_charge`, `users.delete` may be `delete_user`. What stands behind the first word: `check_charge_card`.
pub(super) fn other_names(declared: &str) -> Vec<String> {
    let all = words(declared);
    let Some((verb, nouns)) = all.split_last() else { return Vec::new() };
    let is_verb = |word: &String| {
        [WRITES, NOUN_WRITES, VERBAL_NOUNS, DESTROYS].iter().any(|table| table.contains(&word.as_str()))
    };
    let endings = (1..nouns.len()).filter_map(|at| all.get(at..)).filter(|rest| rest.first().is_some_and(is_verb));
    let mut names: Vec<String> = endings.map(|rest| rest.join("_")).take(MOST_NAMES).collect();
    for count in 1..=nouns.len().min(2) {
        let noun = nouns.get(nouns.len() - count..).unwrap_or_default().join("_");
        names.extend(noun.strip_suffix('s').map(|single| format!("{verb}_{single}")));
        names.push(format!("{verb}_{noun}"));
    }
    names
}

/// Most endings of one name that are looked up.
const MOST_NAMES: usize = 8;

/// Whether a name says that what holds rows is removed: `drop_table`, not `drop_index`.
pub(super) fn removes_rows(declared: &str) -> bool {
    const HOLDS_NONE: &[&str] = &[
        "index",
        "indexes",
        "indices",
        "view",
        "views",
        "role",
        "policy",
        "function",
        "procedure",
        "trigger",
        "constraint",
        "default",
        "comment",
        "alias",
        "synonym",
    ];
    let all = words(declared);
    let is_in = |table: &[&str]| all.iter().any(|word| table.contains(&word.as_str()));
    is_in(DESTROYS) && !is_in(HOLDS_NONE)
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

pub(super) fn is_secret_like(words: &[String]) -> bool {
    let joined = words.concat();
    words.iter().any(|word| SECRET_WORDS.contains(&word.as_str()))
        || SECRET_PARTS.iter().any(|part| joined.contains(part))
}
