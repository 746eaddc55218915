//! Why a condition has no value. A failure is never "no match": what follows from it is decided by the
//! outcome rule, and it is always the stricter thing.
//!
//! What must stay true: texts name places and types, never values of the call; they go on the record.

use super::ast::TypeWord;
use crate::decimal::DecimalError;
use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Byte offset in the condition.
    pub at: u32,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A member or fact that is not there; its path, as far as it is a plain one.
    Missing(Box<str>),
    Null,
    Wanted {
        wanted: &'static str,
        found: TypeWord,
    },
    Mismatch {
        left: TypeWord,
        right: TypeWord,
    },
    Number(DecimalError),
    NoSuchIndex,
    /// The steps of the request are used up.
    Budget,
    /// The meter has not counted its past yet.
    MeterFilling(Box<str>),
    /// A call of the past could not be judged.
    PastDoubtful(Box<str>),
    /// The caller gave no value for it.
    NotRead(Box<str>),
    /// The program names a subject, and its word on that is not believed.
    Claimed,
    Time,
}

impl Failure {
    #[must_use]
    pub fn new(at: u32, what: What) -> Self {
        Self { at, what }
    }

    /// Whether only waiting for a meter's past keeps the condition from having a value.
    #[must_use]
    pub fn is_filling(&self) -> bool {
        matches!(self.what, What::MeterFilling(_))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Missing(path) => write!(f, "`{path}` is missing"),
            What::Null => f.write_str("a value is null"),
            What::Wanted { wanted, found } => write!(f, "{wanted} is needed, not {}", found.as_str()),
            What::Mismatch { left, right } => write!(f, "{} and {} do not compare", left.as_str(), right.as_str()),
            What::Number(error) => write!(f, "arithmetic: {error}"),
            What::NoSuchIndex => f.write_str("the index is outside of the list"),
            What::Budget => f.write_str("the step budget of the request is used up"),
            What::MeterFilling(name) => write!(f, "meter `{name}` is still counting its past"),
            What::PastDoubtful(name) => {
                write!(f, "`{name}`: what it compares is missing, or some past call could not be judged")
            }
            What::NotRead(name) => write!(f, "`{name}` was not read"),
            What::Claimed => f.write_str("`subject` is only claimed: the agent is not registered to assert it"),
            What::Time => f.write_str("the moment is out of range"),
        }?;
        write!(f, " (offset {})", self.at)
    }
}
