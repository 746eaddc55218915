//! Arguments that come as one text of JSON, opened before anything reads them, and the bound on how much
//! is read at all.
//!
//! `{"arguments": "{\"sql\": …}"}` is how many programs pass on what a model wrote. Refuses to guess: a
//! text that the strict reader does not accept stays a text. INVARIANT: work stays linear in the size of
//! the call; a call with more values than are looked at is unreadable to every inspector.

use super::arguments::flat;
use crate::json;
use crate::value::{Object, Text, Value};

/// Members that wrap arguments, as one word.
const NAMES: &[&str] = &[
    "arguments",
    "args",
    "input",
    "toolinput",
    "toolarguments",
    "params",
    "parameters",
    "payload",
    "data",
    "body",
    "json",
    "config",
    "options",
    "request",
    "variables",
    "functionarguments",
];
/// Most values of a call that inspectors look at: the share of the request's steps that is theirs. Every
/// inspector visits a value once; texts have bounds of their own in each inspector.
const MAX_VALUES: usize = 12_000;
/// How deep texts may stand inside texts.
const MAX_TEXTS: usize = 3;

/// The context with such texts replaced by what they say; `None` if there is none.
pub(super) fn open(context: &Object) -> Option<Object> {
    has_text(context).then(|| opened(context, 0))
}

/// Whether the call is small enough to be looked at.
pub(super) fn is_small(context: &Object) -> bool {
    let mut left = MAX_VALUES;
    context.values().all(|value| take(value, &mut left))
}

fn take(value: &Value, left: &mut usize) -> bool {
    let Some(rest) = left.checked_sub(1) else { return false };
    *left = rest;
    match value {
        Value::List(items) => items.iter().all(|item| take(item, left)),
        Value::Object(members) => members.values().all(|member| take(member, left)),
        _ => true,
    }
}

fn looks_wrapped(name: &str, value: &Value) -> bool {
    value.as_text().is_some_and(|text| text.trim_start().starts_with(['{', '[']) && NAMES.contains(&&*flat(name)))
}

fn has_text(members: &Object) -> bool {
    members.iter().any(|(name, value)| match value {
        Value::Object(inner) => has_text(inner),
        other => looks_wrapped(name, other),
    })
}

fn opened(members: &Object, texts: usize) -> Object {
    let member = |(name, value): (&Text, &Value)| {
        let value = match value {
            Value::Object(inner) => Value::Object(opened(inner, texts)),
            Value::Text(text) if texts < MAX_TEXTS && looks_wrapped(name, value) => {
                let limits = json::Limits { max_values: MAX_VALUES, ..json::Limits::default() };
                match json::read(text.trim().as_bytes(), &limits) {
                    Ok(Value::Object(inner)) => Value::Object(opened(&inner, texts + 1)),
                    Ok(Value::List(items)) => Value::List(items),
                    _ => value.clone(),
                }
            }
            other => other.clone(),
        };
        (name.clone(), value)
    };
    members.iter().map(member).collect()
}
