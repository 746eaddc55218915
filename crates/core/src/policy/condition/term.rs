//! The values that conditions compute with, borrowed from the call wherever possible.
//!
//! What must stay true: comparing things of different types, or a null, is a failure and never
//! "not equal"; all arithmetic is exact.

use super::ast::TypeWord;
use super::failure::What;
use crate::decimal::Decimal;
use crate::time::{Micros, Span};
use crate::value::{Object, Value};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::rc::Rc;

/// Elements of a list that are shown.
const SHOWN: usize = 8;

#[derive(Clone, Debug)]
pub enum Term<'a> {
    Null,
    Bool(bool),
    Number(Decimal),
    Text(Cow<'a, str>),
    /// A list of the call.
    Items(&'a [Value]),
    /// A list made by the condition or of facts.
    Made(Rc<Vec<Term<'a>>>),
    Object(&'a Object),
    /// A map literal.
    Members(Rc<Vec<(&'a str, Term<'a>)>>),
    Moment(Micros),
    Length(Span),
    Type(TypeWord),
}

impl<'a> From<&'a Value> for Term<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::Number(*number),
            Value::Text(text) => Self::Text(Cow::Borrowed(text)),
            Value::List(items) => Self::Items(items),
            Value::Object(object) => Self::Object(object),
        }
    }
}

impl<'a> Term<'a> {
    #[must_use]
    pub fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    #[must_use]
    pub fn texts<T: AsRef<str> + 'a>(texts: impl IntoIterator<Item = &'a T>) -> Self {
        Self::Made(Rc::new(texts.into_iter().map(|text| Self::text(text.as_ref())).collect()))
    }

    #[must_use]
    pub fn type_word(&self) -> TypeWord {
        match self {
            Self::Null => TypeWord::Null,
            Self::Bool(_) => TypeWord::Bool,
            Self::Number(_) => TypeWord::Number,
            Self::Text(_) => TypeWord::Text,
            Self::Items(_) | Self::Made(_) => TypeWord::List,
            Self::Object(_) | Self::Members(_) => TypeWord::Map,
            Self::Moment(_) => TypeWord::Timestamp,
            Self::Length(_) => TypeWord::Duration,
            Self::Type(_) => TypeWord::Type,
        }
    }

    /// The elements of a list.
    #[must_use]
    pub fn elements(&self) -> Option<Elements<'_, 'a>> {
        match self {
            Self::Items(items) => Some(Elements::Items(items.iter())),
            Self::Made(terms) => Some(Elements::Made(terms.iter())),
            _ => None,
        }
    }

    #[must_use]
    pub fn size(&self) -> Option<usize> {
        match self {
            Self::Text(text) => Some(text.chars().count()),
            Self::Items(items) => Some(items.len()),
            Self::Made(terms) => Some(terms.len()),
            Self::Object(object) => Some(object.len()),
            Self::Members(members) => Some(members.len()),
            _ => None,
        }
    }

    /// The member of an object; `None` if it is absent or this is no object.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<Self> {
        match self {
            Self::Object(object) => object.get(name).map(Self::from),
            Self::Members(members) => members.iter().find(|(key, _)| *key == name).map(|(_, term)| term.clone()),
            _ => None,
        }
    }

    #[must_use]
    pub fn is_object(&self) -> bool {
        matches!(self, Self::Object(_) | Self::Members(_))
    }

    /// Whether both are the same. Lists and maps compare element by element: a difference decides
    /// even beside a comparison that fails.
    pub fn equals(&self, other: &Self) -> Result<bool, What> {
        match (self, other) {
            (Self::Null, _) | (_, Self::Null) => Err(What::Null),
            (Self::Bool(left), Self::Bool(right)) => Ok(left == right),
            (Self::Number(left), Self::Number(right)) => Ok(left == right),
            (Self::Text(left), Self::Text(right)) => Ok(left == right),
            (Self::Moment(left), Self::Moment(right)) => Ok(left == right),
            (Self::Length(left), Self::Length(right)) => Ok(left == right),
            (Self::Type(left), Self::Type(right)) => Ok(left == right),
            (left, right) if left.is_object() && right.is_object() => left.same_members(right),
            (left, right) => match (left.elements(), right.elements()) {
                (Some(_), Some(_)) if left.size() != right.size() => Ok(false),
                (Some(left), Some(right)) => all_same(left.zip(right).map(|(left, right)| left.equals(&right))),
                _ => Err(What::Mismatch { left: left.type_word(), right: right.type_word() }),
            },
        }
    }

    fn same_members(&self, other: &Self) -> Result<bool, What> {
        if self.size() != other.size() {
            return Ok(false);
        }
        let compare = |name: &str, term: Term<'a>| other.member(name).map_or(Ok(false), |found| term.equals(&found));
        match self {
            Self::Object(object) => all_same(object.iter().map(|(name, value)| compare(name, value.into()))),
            Self::Members(members) => all_same(members.iter().map(|(name, term)| compare(name, term.clone()))),
            _ => Ok(false),
        }
    }

    /// Order of numbers, texts (by code point), moments and lengths of time; nothing else has one.
    pub fn order(&self, other: &Self) -> Result<Ordering, What> {
        match (self, other) {
            (Self::Number(left), Self::Number(right)) => Ok(left.cmp(right)),
            (Self::Text(left), Self::Text(right)) => Ok(left.cmp(right)),
            (Self::Moment(left), Self::Moment(right)) => Ok(left.cmp(right)),
            (Self::Length(left), Self::Length(right)) => Ok(left.cmp(right)),
            (Self::Null, _) | (_, Self::Null) => Err(What::Null),
            (left, right) => Err(What::Mismatch { left: left.type_word(), right: right.type_word() }),
        }
    }
}

/// As it would be written in a condition; for people who may see the call.
impl fmt::Display for Term<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "'{text}'"),
            Self::Moment(moment) => write!(f, "{moment}"),
            Self::Length(span) => write!(f, "{span}"),
            Self::Type(word) => f.write_str(word.as_str()),
            Self::Object(members) => write!(f, "a map of {} members", members.len()),
            Self::Members(members) => write!(f, "a map of {} members", members.len()),
            list => {
                f.write_str("[")?;
                for (place, term) in list.elements().into_iter().flatten().take(SHOWN).enumerate() {
                    write!(f, "{}{term}", if place > 0 { ", " } else { "" })?;
                }
                f.write_str(if list.size().is_some_and(|size| size > SHOWN) { ", …]" } else { "]" })
            }
        }
    }
}

/// One difference is a difference; else one failure is a failure.
fn all_same(comparisons: impl Iterator<Item = Result<bool, What>>) -> Result<bool, What> {
    let mut failure = None;
    for comparison in comparisons {
        match comparison {
            Ok(false) => return Ok(false),
            Ok(true) => {}
            Err(what) => failure = failure.or(Some(what)),
        }
    }
    failure.map_or(Ok(true), Err)
}

/// Iterates over the elements of either kind of list.
pub enum Elements<'l, 'a> {
    Items(std::slice::Iter<'a, Value>),
    Made(std::slice::Iter<'l, Term<'a>>),
}

impl<'a> Iterator for Elements<'_, 'a> {
    type Item = Term<'a>;

    fn next(&mut self) -> Option<Term<'a>> {
        match self {
            Self::Items(items) => items.next().map(Term::from),
            Self::Made(terms) => terms.next().cloned(),
        }
    }
}
