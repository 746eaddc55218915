//! Small shared steps of the inspectors: words of argument names, members of readings.

use super::UNKNOWN;
use crate::catalogue::words;
use crate::decimal::Decimal;
use crate::value::{Object, Value};
use std::borrow::Cow;

/// Most bytes of text that one inspector reads; more is unreadable.
pub(super) const MAX_TEXT: usize = 64 * 1024;
/// How deep inspectors follow nested arguments; requests are not allowed to nest deeper.
pub(super) const MAX_DEPTH: usize = 128;

/// An argument's name as one word: `webhookUrl`, `webhook_url` and `Webhook-URL` are `webhookurl`.
pub(super) fn flat(name: &str) -> Cow<'_, str> {
    if name.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Cow::Borrowed(name);
    }
    Cow::Owned(name.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect())
}

/// Whether one of the words of an argument's name is among `table`.
pub(super) fn has_word(name: &str, table: &[&str]) -> bool {
    // Most names are one lower-case word, which needs no taking apart.
    if name.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return table.contains(&name);
    }
    words(name).iter().any(|word| table.contains(&word.as_str()))
}

pub(super) fn count(number: usize) -> Value {
    Value::Number(Decimal::from(u64::try_from(number).unwrap_or(u64::MAX)))
}

pub(super) fn unknown() -> Value {
    Value::from(UNKNOWN)
}

/// `true` or `false`, or `UNKNOWN` where nobody can tell.
pub(super) fn truth(known: Option<bool>) -> Value {
    known.map_or_else(unknown, Value::Bool)
}

pub(super) fn texts(items: impl IntoIterator<Item = String>) -> Value {
    Value::List(items.into_iter().map(Value::Text).collect())
}

pub(super) fn object<const N: usize>(members: [(&str, Value); N]) -> Object {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Header lines of a request or message, whatever form the caller gave them: an object, a list of
/// pairs or of `Name: value` lines. `None` if any of it has another form.
pub(super) fn headers(value: &Value) -> Option<Vec<(Cow<'_, str>, &Value)>> {
    match value {
        Value::Null => Some(Vec::new()),
        Value::Object(members) => Some(members.iter().map(|(name, value)| (flat(name), value)).collect()),
        Value::List(items) => items.iter().map(header).collect(),
        _ => None,
    }
}

/// Every member of an object and of all objects and lists inside it, with its name as one word. Members
/// for which `opaque` is true are given and not gone into.
pub(super) fn each_member<'a>(
    members: &'a Object,
    opaque: &dyn Fn(&str) -> bool,
    visit: &mut dyn FnMut(&str, &'a Value),
) {
    for (name, value) in members {
        let name = flat(name);
        visit(&name, value);
        if !opaque(&name) {
            each_inside(value, opaque, visit);
        }
    }
}

fn each_inside<'a>(value: &'a Value, opaque: &dyn Fn(&str) -> bool, visit: &mut dyn FnMut(&str, &'a Value)) {
    match value {
        Value::Object(inner) => each_member(inner, opaque, visit),
        Value::List(items) => items.iter().for_each(|item| each_inside(item, opaque, visit)),
        _ => {}
    }
}

/// A value that says no: absent, false, zero, `no`.
pub(super) fn says_no(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(yes) => !yes,
        Value::Number(number) => number.is_zero(),
        Value::Text(text) => matches!(text.trim().to_ascii_lowercase().as_str(), "" | "false" | "no" | "none" | "0"),
        Value::List(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

fn header(item: &Value) -> Option<(Cow<'_, str>, &Value)> {
    match item {
        Value::Object(members) => {
            let name = members.get("name").or_else(|| members.get("key"))?.as_text()?;
            Some((flat(name), members.get("value")?))
        }
        Value::List(pair) => match pair.as_slice() {
            [Value::Text(name), value] => Some((flat(name), value)),
            _ => None,
        },
        _ => None,
    }
}
