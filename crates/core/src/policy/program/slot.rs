//! Slots: places of a call that predicates look at. Each is found at most once per request.

use crate::catalogue::TypeName;
use crate::decimal::Decimal;
use crate::inspect::{Inspector, Reading};
use crate::policy::condition::ast::{Expr, Fact, Kind, TypeWord};
use crate::policy::condition::names::UNKNOWN;
use crate::policy::condition::term::Term;
use crate::policy::condition::view::View;
use crate::value::{Object, Value};
use std::borrow::Cow;
use std::rc::Rc;

/// A place that can be found without computing anything.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Slot {
    pub root: Root,
    pub members: Box<[Box<str>]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Root {
    Context,
    Reading(Inspector),
    Fact(Fact),
    /// The variable of a macro.
    Variable(u32),
}

/// What is found in a slot.
#[derive(Clone, Copy, Debug)]
pub enum Seen<'a> {
    /// It is not there, or a parent of it is not.
    Absent,
    /// A parent is null or no object: only the reference says why that has no value.
    Doubt,
    Null,
    Bool(bool),
    Number(Decimal),
    Text(&'a str),
    List(&'a [Value]),
    Object(&'a Object),
    /// Texts of a registration.
    Names(&'a [String]),
    Types(&'a [TypeName]),
}

impl Slot {
    /// The slot that an expression is, if it is one.
    #[must_use]
    pub fn of(expr: &Expr) -> Option<Self> {
        let mut members: Vec<Box<str>> = Vec::new();
        let mut at = expr;
        let root = loop {
            match &at.kind {
                Kind::Select(operand, member) => {
                    members.push(member.clone());
                    at = operand;
                }
                Kind::Context => break Root::Context,
                Kind::Reading(inspector) => break Root::Reading(*inspector),
                Kind::Variable(variable) => break Root::Variable(*variable),
                Kind::Fact(Fact::Now) => return None,
                Kind::Fact(fact) => break Root::Fact(*fact),
                _ => return None,
            }
        };
        members.reverse();
        Some(Self { root, members: members.into() })
    }

    #[must_use]
    pub fn find<'a>(&self, view: &View<'a>, variables: &[Seen<'a>]) -> Seen<'a> {
        let mut members = self.members.iter();
        let mut seen = match self.root {
            Root::Context => match members.next() {
                Some(first) => view.context().get(first.as_ref()).map_or(Seen::Absent, Seen::of),
                None => Seen::Object(view.context()),
            },
            Root::Reading(inspector) => match view.reading(inspector) {
                Reading::NotApplicable => Seen::Absent,
                Reading::Unknown => {
                    members.next();
                    Seen::Text(UNKNOWN)
                }
                Reading::Object(found) => Seen::Object(found),
            },
            Root::Fact(fact) => Seen::of_fact(fact, view),
            Root::Variable(place) => {
                let variable = usize::try_from(place).ok().and_then(|place| variables.get(place));
                variable.copied().unwrap_or(Seen::Doubt)
            }
        };
        for member in members {
            seen = match seen {
                Seen::Object(object) => object.get(member.as_ref()).map_or(Seen::Absent, Seen::of),
                Seen::Absent => Seen::Absent,
                _ => return Seen::Doubt,
            };
        }
        seen
    }
}

impl<'a> Seen<'a> {
    #[must_use]
    pub fn of(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::Number(*number),
            Value::Text(text) => Self::Text(text),
            Value::List(items) => Self::List(items),
            Value::Object(object) => Self::Object(object),
        }
    }

    fn of_fact(fact: Fact, view: &View<'a>) -> Self {
        match fact {
            Fact::ActionTypes => Self::Types(&view.call.action.types),
            Fact::AgentLabels => Self::Names(&view.call.agent.labels),
            Fact::RegistrationHosts => Self::Names(&view.call.registration.hosts),
            Fact::Subject if view.call.subject_is_claimed() => Self::Doubt,
            Fact::InternalDomains => Self::Names(&view.settings.internal_domains),
            _ => match view.fact(fact) {
                Term::Null => Self::Null,
                Term::Bool(value) => Self::Bool(value),
                Term::Number(number) => Self::Number(number),
                Term::Text(Cow::Borrowed(text)) => Self::Text(text),
                _ => Self::Doubt,
            },
        }
    }

    /// What `type()` says; an absent member has the type of null.
    #[must_use]
    pub fn type_word(&self) -> Option<TypeWord> {
        Some(match self {
            Self::Doubt => return None,
            Self::Absent | Self::Null => TypeWord::Null,
            Self::Bool(_) => TypeWord::Bool,
            Self::Number(_) => TypeWord::Number,
            Self::Text(_) => TypeWord::Text,
            Self::List(_) | Self::Names(_) | Self::Types(_) => TypeWord::List,
            Self::Object(_) => TypeWord::Map,
        })
    }

    /// The same as the reference's value, where it has one.
    #[must_use]
    pub fn term(&self) -> Option<Term<'a>> {
        Some(match self {
            Self::Absent | Self::Doubt => return None,
            Self::Null => Term::Null,
            Self::Bool(value) => Term::Bool(*value),
            Self::Number(number) => Term::Number(*number),
            Self::Text(text) => Term::text(text),
            Self::List(items) => Term::Items(items),
            Self::Object(object) => Term::Object(object),
            Self::Names(names) => Term::texts(names.iter()),
            Self::Types(types) => Term::Made(Rc::new(types.iter().map(|name| Term::text(name)).collect())),
        })
    }

    /// How many elements a list has; nothing else has any.
    #[must_use]
    pub fn length(&self) -> Option<usize> {
        match self {
            Self::List(items) => Some(items.len()),
            Self::Names(names) => Some(names.len()),
            Self::Types(types) => Some(types.len()),
            _ => None,
        }
    }

    #[must_use]
    pub fn element(&self, place: usize) -> Self {
        let found = match self {
            Self::List(items) => items.get(place).map(Self::of),
            Self::Names(names) => names.get(place).map(|name| Self::Text(name)),
            Self::Types(types) => types.get(place).map(|name| Self::Text(name)),
            _ => None,
        };
        found.unwrap_or(Self::Doubt)
    }

    #[must_use]
    pub fn number(&self) -> Option<Decimal> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    #[must_use]
    pub fn text(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}
