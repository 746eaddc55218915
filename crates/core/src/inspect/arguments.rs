//! Small shared steps of the inspectors: words of argument names, members of readings.

use super::UNKNOWN;
use crate::catalogue::words;
use crate::decimal::Decimal;
use crate::value::{Object, Text, Value};
use rustc_hash::FxHashMap;
use std::str::from_utf8;

/// Most bytes of text that one inspector reads; more is unreadable.
pub(super) const MAX_TEXT: usize = 64 * 1024;
/// How deep inspectors follow nested arguments; requests are not allowed to nest deeper.
pub(super) const MAX_DEPTH: usize = 128;

/// Names of this many bytes are made one word without memory of their own.
const SHORT: usize = 23;

/// An argument's name as one word: `webhookUrl`, `webhook_url` and `Webhook-URL` are `webhookurl`.
pub(super) fn flat(name: &str) -> Text {
    short_flat(name).unwrap_or_else(|| long_flat(name))
}

/// The same for short names in ASCII; all others are `None`.
fn short_flat(name: &str) -> Option<Text> {
    if name.len() > SHORT || !name.is_ascii() {
        return None;
    }
    let mut letters = [0; SHORT];
    let mut slots = letters.iter_mut();
    let mut count = 0;
    for letter in name.bytes().filter(u8::is_ascii_alphanumeric) {
        *slots.next()? = letter.to_ascii_lowercase();
        count += 1;
    }
    from_utf8(letters.get(..count)?).ok().map(Text::new_inline)
}

fn long_flat(name: &str) -> Text {
    name.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether one of the words of an argument's name is among `table`.
pub(super) fn has_word(name: &str, table: &[&str]) -> bool {
    if name.is_ascii() {
        let is_known = |word: &[u8]| table.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(word));
        return ascii_words(name.as_bytes()).any(is_known);
    }
    words(name).iter().any(|word| table.contains(&word.as_str()))
}

/// What `words` finds in a name in ASCII, as it is written.
fn ascii_words(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    let between = |before: u8, letter: u8, after: Option<u8>| {
        letter.is_ascii_uppercase()
            && (before.is_ascii_lowercase()
                || before.is_ascii_digit()
                || before.is_ascii_uppercase() && after.is_some_and(|after| after.is_ascii_lowercase()))
    };
    let mut rest = name;
    std::iter::from_fn(move || {
        let start = rest.iter().position(u8::is_ascii_alphanumeric)?;
        let (_, word) = rest.split_at_checked(start)?;
        let letters = word.iter().take_while(|letter| letter.is_ascii_alphanumeric()).count();
        let next = |at: usize| word.get(at).copied();
        let ends = |at: &usize| {
            next(at - 1).zip(next(*at)).is_some_and(|(before, letter)| between(before, letter, next(at + 1)))
        };
        let length = (1..letters).find(ends).unwrap_or(letters);
        let (word, behind) = word.split_at_checked(length)?;
        rest = behind;
        Some(word)
    })
}

/// Names as one word, each with the marks of the tables that it is in.
pub(super) struct Marks {
    by_name: FxHashMap<&'static str, u32>,
}

impl Marks {
    pub fn of(tables: &[(u32, &[&'static str])]) -> Self {
        let mut by_name = FxHashMap::default();
        for (mark, names) in tables {
            for name in *names {
                *by_name.entry(*name).or_default() |= mark;
            }
        }
        Self { by_name }
    }

    pub fn get(&self, flat: &str) -> u32 {
        self.by_name.get(flat).copied().unwrap_or(0)
    }
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
    Value::List(items.into_iter().map(Value::from).collect())
}

pub(super) fn object<const N: usize>(members: [(&str, Value); N]) -> Object {
    members.into()
}

/// Header lines of a request or message, whatever form the caller gave them: an object, a list of
/// pairs or of `Name: value` lines. `None` if any of it has another form.
pub(super) fn headers(value: &Value) -> Option<Vec<(Text, &Value)>> {
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

fn header(item: &Value) -> Option<(Text, &Value)> {
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

#[cfg(test)]
mod tests;
