//! What the parts of an address and a form say besides where they go: methods in parameters, mutations in
//! GraphQL, other addresses, however often they are encoded.

/// Whether a word says that something is changed: an HTTP method that is no read, or such a verb.
pub(super) fn changes(word: &str) -> bool {
    let word = word.trim().to_ascii_lowercase();
    let first = word.split(|character: char| !character.is_ascii_alphabetic()).next().unwrap_or_default();
    matches!(
        first,
        "post"
            | "put"
            | "patch"
            | "delete"
            | "purge"
            | "connect"
            | "trace"
            | "remove"
            | "drop"
            | "destroy"
            | "create"
            | "update"
            | "insert"
            | "write"
            | "set"
            | "add"
            | "revoke"
            | "terminate"
            | "truncate"
            | "kill"
            | "reset"
            | "disable"
            | "enable"
            | "send"
            | "execute"
            | "exec"
            | "run"
            | "start"
            | "stop"
            | "cancel"
            | "transfer"
    )
}

/// Whether a GraphQL document has a mutation or subscription.
pub(super) fn mutates(text: &str) -> bool {
    // Without a brace it is no document; the last one decides for all words in front of it.
    let Some(last_brace) = text.rfind(['{', '(', '@']) else { return false };
    let mut rest = text;
    while let Some(at) = rest.find("mutation") {
        let (front, back) = rest.split_at_checked(at).unwrap_or_default();
        let after = back.get("mutation".len()..).unwrap_or_default();
        let begins = front.is_empty() || !front.ends_with(|last: char| last.is_alphanumeric() || last == '_');
        let goes_on = after.trim_start_matches(|character: char| character.is_alphanumeric() || character == '_');
        if begins && goes_on.trim_start().starts_with(['{', '(', '@'])
            || begins && after.trim_start() != after && text.len() - after.len() < last_brace
        {
            return true;
        }
        rest = after;
    }
    false
}

/// Without percent signs that encode and with `+` as a space; `None` if it cannot be decoded.
pub(super) fn decoded(text: &str) -> Option<String> {
    let mut text = text.to_owned();
    for _ in 0..4 {
        let next = decode_once(&text)?;
        if next == text {
            return Some(text);
        }
        text = next;
    }
    None
}

fn decode_once(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    let digit = |byte: Option<&u8>| char::from(*byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    while let Some((byte, tail)) = rest.split_first() {
        match (byte, digit(tail.first()), digit(tail.get(1))) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(high << 4 | low);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// Whether a path, put behind a host or resolved against it, may name another host.
pub(super) fn takes_over_host(path: &str, base_is_root: bool) -> bool {
    let first = path.split('/').next().unwrap_or_default();
    let glued = base_is_root && first.contains(['.', ':', '@']);
    path.starts_with("//") || path.contains('\\') || path.contains("://") || glued
}
