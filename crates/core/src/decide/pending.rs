//! One rule about one call, with its condition as far as the call alone tells.
//!
//! The counterpart of `Candidate` in the compiled engine: same verdicts, from the bundle's program.

use super::candidate::Verdict;
use crate::policy::Bundle;
use crate::policy::condition::{Condition, Known};
use crate::policy::program::{Asking, Clause};
use crate::policy::rule::Rule;

/// A rule that is about the call and whose condition is not known to be false.
#[derive(Clone, Debug)]
pub struct Pending {
    /// Place in the bundle.
    pub rule: u32,
    when: Known,
    unless: Known,
}

impl Pending {
    /// `None` if the rule is not about the call, or its condition is false for certain.
    #[must_use]
    pub fn new<'a>(bundle: &'a Bundle, place: u32, asking: &mut Asking<'a, '_>) -> Option<Self> {
        let rule = super::prepare::rule_at(bundle, place)?;
        if !rule.touches_found(asking.call()) {
            return None;
        }
        let program = bundle.program();
        let when = first(program.when(place), rule.when.as_ref(), Known::True, asking);
        if when == Known::False {
            return None;
        }
        let unless = first(program.unless(place), rule.unless.as_ref(), Known::False, asking);
        (unless != Known::True).then_some(Self { rule: place, when, unless })
    }

    /// Whether it waits for time or meters.
    #[must_use]
    pub fn waits(&self) -> bool {
        matches!(self.when, Known::Later(_)) || matches!(self.unless, Known::Later(_))
    }

    /// The verdict on `when && !unless`: either part can decide it as false, else a failure fails it.
    #[must_use]
    pub fn verdict<'a>(&self, bundle: &'a Bundle, rule: &'a Rule, asking: &mut Asking<'a, '_>) -> Verdict {
        let program = bundle.program();
        let when = rest(&self.when, program.when(self.rule), rule.when.as_ref(), asking);
        Verdict::of(when, || rest(&self.unless, program.unless(self.rule), rule.unless.as_ref(), asking))
    }
}

fn first<'a>(
    clause: Option<&Clause>,
    condition: Option<&'a Condition>,
    absent: Known,
    asking: &mut Asking<'a, '_>,
) -> Known {
    clause.zip(condition).map_or(absent, |(clause, condition)| asking.first(clause, &condition.root))
}

fn rest<'a>(
    known: &Known,
    clause: Option<&Clause>,
    condition: Option<&'a Condition>,
    asking: &mut Asking<'a, '_>,
) -> Verdict {
    match (known, clause.zip(condition)) {
        (Known::Later(failure), Some((clause, condition))) => {
            asking.rest(clause, &condition.root, failure.as_ref()).into()
        }
        (known, _) => known.clone().into(),
    }
}
