//! What is known of a condition, first from the call alone, then with time and meters.
//!
//! A condition is the `&&` of its parts. Those that need only the call are looked at when the call is
//! prepared, plain ones first, so that nothing is paid for a condition which they rule out; the others wait
//! until the call is in its place in the log. A part that is false makes the condition false, whatever the
//! others are; else the leftmost part without a value says why the condition has none.

use super::evaluate::{self, Budget};
use super::failure::Failure;
use super::plain;
use super::view::View;
use super::{Condition, ast::Expr};

/// What is known of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    True,
    False,
    /// It has no value.
    Failed(Failure),
    /// Some part needs time or meters; the others do not make it false. With the place and the failure of
    /// the leftmost part that has no value.
    Later(Option<(u16, Failure)>),
}

/// Parts that were looked at and are not false.
#[derive(Default)]
pub struct Seen {
    pub failure: Option<(u16, Failure)>,
    pub waits: bool,
}

impl Seen {
    pub fn fail(&mut self, place: u16, failure: Failure) {
        if self.failure.as_ref().is_none_or(|(first, _)| place < *first) {
            self.failure = Some((place, failure));
        }
    }

    #[must_use]
    pub fn known(self) -> Known {
        match (self.waits, self.failure) {
            (true, failure) => Known::Later(failure),
            (false, Some((_, failure))) => Known::Failed(failure),
            (false, None) => Known::True,
        }
    }
}

impl Condition {
    /// By the reference evaluator, from the call alone.
    #[must_use]
    pub fn first<'a>(&'a self, view: &View<'a>, budget: &mut Budget) -> Known {
        let mut seen = Seen { waits: self.needs_state, ..Seen::default() };
        let call_only = |part: &Expr| !(self.needs_state && plain::needs_state(part));
        if self.look(view, budget, &mut seen, call_only) { seen.known() } else { Known::False }
    }

    /// By the reference evaluator, the parts that `first` left, once time and meters are there.
    #[must_use]
    pub fn rest<'a>(&'a self, failure: Option<&(u16, Failure)>, view: &View<'a>, budget: &mut Budget) -> Known {
        let mut seen = Seen { failure: failure.cloned(), waits: false };
        if self.look(view, budget, &mut seen, plain::needs_state) { seen.known() } else { Known::False }
    }

    /// Looks at the chosen parts; `false` if one of them is false.
    fn look<'a>(
        &'a self,
        view: &View<'a>,
        budget: &mut Budget,
        seen: &mut Seen,
        chosen: impl Fn(&Expr) -> bool,
    ) -> bool {
        for is_plain in [true, false] {
            let parts = (0u16..).zip(plain::parts(&self.root));
            for (place, part) in parts.filter(|(_, part)| chosen(part) && plain::is_plain(part) == is_plain) {
                match evaluate::holds(part, view, budget) {
                    Ok(true) => {}
                    Ok(false) => return false,
                    Err(failure) => seen.fail(place, failure),
                }
            }
        }
        true
    }
}
