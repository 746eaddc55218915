//! One rule about one call, with its condition as far as it is known.

use crate::policy::condition::evaluate;
use crate::policy::condition::failure::What;
use crate::policy::condition::{Budget, Condition, Failure, View};
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

/// A rule that is about the call and whose condition is not known to be false.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Place in the bundle.
    pub rule: u32,
    pub when: Verdict,
    pub unless: Verdict,
}

impl Verdict {
    fn of(condition: Option<&Condition>, absent: Self, view: &View<'_>, budget: &mut Budget) -> Self {
        match condition {
            None => absent,
            Some(condition) if condition.needs_state && view.state.is_none() => Self::Later,
            Some(condition) => match evaluate::holds(&condition.root, view, budget) {
                Ok(true) => Self::True,
                Ok(false) => Self::False,
                Err(failure) => Self::Failed(failure),
            },
        }
    }
}

impl Candidate {
    /// Evaluates what can be evaluated now; `None` if the condition is false for certain.
    #[must_use]
    pub fn new(place: u32, rule: &Rule, view: &View<'_>, budget: &mut Budget) -> Option<Self> {
        let when = Verdict::of(rule.when.as_ref(), Verdict::True, view, budget);
        if when == Verdict::False {
            return None;
        }
        let unless = Verdict::of(rule.unless.as_ref(), Verdict::False, view, budget);
        (unless != Verdict::True).then_some(Self { rule: place, when, unless })
    }

    /// The verdict on `when && !unless`: either part can decide it as false, else a failure fails it.
    /// Never `Later`: what still has no state has no value.
    #[must_use]
    pub fn verdict(&self, rule: &Rule, view: &View<'_>, budget: &mut Budget) -> Verdict {
        let resolve = |known: &Verdict, condition: Option<&Condition>, budget: &mut Budget| match known {
            Verdict::Later => Verdict::of(condition, Verdict::Later, view, budget),
            other => other.clone(),
        };
        let when = resolve(&self.when, rule.when.as_ref(), budget);
        if when == Verdict::False {
            return Verdict::False;
        }
        let unless = resolve(&self.unless, rule.unless.as_ref(), budget);
        match (when, unless) {
            (_, Verdict::True) => Verdict::False,
            (Verdict::Failed(failure), _) | (_, Verdict::Failed(failure)) => Verdict::Failed(failure),
            (Verdict::Later, _) | (_, Verdict::Later) => {
                Verdict::Failed(Failure::new(0, What::NotRead("state".into())))
            }
            _ => Verdict::True,
        }
    }
}
