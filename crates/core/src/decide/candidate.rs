//! One rule about one call, with its condition as far as it is known.

use crate::policy::condition::failure::What;
use crate::policy::condition::{Budget, Condition, Failure, Known, View};
use crate::policy::rule::Rule;

/// Truth of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    True,
    False,
    /// It has no value.
    Failed(Failure),
    /// It needs time or meters: not before the call is in its place in the log.
    Later,
}

/// A rule that is about the call and whose condition is not known to be false, by the reference evaluator.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Place in the bundle.
    pub rule: u32,
    pub when: Known,
    pub unless: Known,
}

impl From<Known> for Verdict {
    fn from(known: Known) -> Self {
        match known {
            Known::True => Self::True,
            Known::False => Self::False,
            Known::Failed(failure) => Self::Failed(failure),
            Known::Later(_) => Self::Later,
        }
    }
}

impl Verdict {
    /// The verdict on `when && !unless`: either part can decide it as false, else a failure fails it.
    /// Never `Later`: what still has no state has no value.
    #[must_use]
    pub fn of(when: Self, unless: impl FnOnce() -> Self) -> Self {
        if when == Self::False {
            return Self::False;
        }
        match (when, unless()) {
            (_, Self::True) => Self::False,
            (Self::Failed(failure), _) | (_, Self::Failed(failure)) => Self::Failed(failure),
            (Self::Later, _) | (_, Self::Later) => Self::Failed(Failure::new(0, What::NotRead("state".into()))),
            _ => Self::True,
        }
    }
}

impl Candidate {
    /// Evaluates what can be evaluated now; `None` if the condition is false for certain.
    #[must_use]
    pub fn new<'a>(place: u32, rule: &'a Rule, view: &View<'a>, budget: &mut Budget) -> Option<Self> {
        let mut first = |condition: Option<&'a Condition>, absent: Known| {
            condition.map_or(absent, |condition| condition.first(view, budget))
        };
        let when = first(rule.when.as_ref(), Known::True);
        if when == Known::False {
            return None;
        }
        let unless = first(rule.unless.as_ref(), Known::False);
        (unless != Known::True).then_some(Self { rule: place, when, unless })
    }

    /// The verdict with time and meters.
    #[must_use]
    pub fn verdict<'a>(&self, rule: &'a Rule, view: &View<'a>, budget: &mut Budget) -> Verdict {
        let rest = |known: &Known, condition: Option<&'a Condition>, budget: &mut Budget| match (known, condition) {
            (Known::Later(failure), Some(condition)) => condition.rest(failure.as_ref(), view, budget).into(),
            (known, _) => Verdict::from(known.clone()),
        };
        let when = rest(&self.when, rule.when.as_ref(), budget);
        Verdict::of(when, || rest(&self.unless, rule.unless.as_ref(), budget))
    }
}
