//! Holds that open what the default blocks.
//!
//! Where the default is BLOCK, a call that no rule matches is blocked; a hold that matches it lets people
//! approve it. That is what a hold is for where it stands alone. A hold that also tightens an ALLOW was
//! meant to tighten: what it opens elsewhere is a surprise. Both sides are decided before anything is said.

use super::cube::{self, Cube, Cubes};
use super::example::{Case, matched};
use super::finding::{Example, Kind};
use super::{Desk, Subject, logic};
use crate::decide::ReasonCode;
use crate::outcome::Outcome;
use crate::policy::rule::Rule;
use std::cell::Cell;

/// Steps of the search for a call that no other rule says anything about.
const STEPS: usize = 600;
/// Steps of all searches together: lint has an end, however many rules there are.
const STEPS_IN_ALL: usize = 30_000;
/// Types of action that are tried per rule.
const TYPES: usize = 40;

impl<'a> Desk<'a> {
    pub(super) fn look_at_holds(&mut self) {
        if self.bundle.settings().default_decision != Outcome::Block {
            return;
        }
        let left = Cell::new(STEPS_IN_ALL);
        for subject in self.subjects.clone() {
            let rule = subject.rule;
            self.partial |= left.get() == 0;
            let holds = rule.decision == Some(Outcome::RequireApproval) && !rule.shadow && rule.limit.is_none();
            if !holds || self.dead.contains(&subject.place) {
                continue;
            }
            if let Some((example, allow)) = self.opened(subject, &left) {
                let message = format!(
                    "this hold tightens `{}`, and it also lets people approve calls that no rule matches and the \
                     default blocks",
                    allow.rule.id
                );
                let finding = self.report(subject, Kind::OpensDefault, subject.terms.id.place, message);
                finding.rules.push(allow.rule.id.clone());
                finding.help = Some("block those calls with a rule of their own, or narrow the hold".to_owned());
                finding.example = Some(example);
            }
        }
    }

    fn opened(&self, hold: Subject<'a>, left: &Cell<usize>) -> Option<(Example, Subject<'a>)> {
        let fits = cube::both(&logic::matches(hold.rule), &self.base(hold));
        let allows: Vec<Subject<'a>> = self
            .subjects
            .iter()
            .copied()
            .filter(|other| other.rule.decision == Some(Outcome::Allow) && !other.rule.shadow)
            .filter(|other| !self.dead.contains(&other.place))
            .filter(|other| other.rule.actions.shares_a_type_with(&hold.rule.actions))
            .collect();
        let mut tried = 0;
        for allow in allows {
            let types = allow.rule.actions.types().unwrap_or_default();
            let shared = types.iter().filter(|name| hold.rule.actions.types().is_none_or(|own| own.contains(name)));
            for name in shared {
                tried += 1;
                if tried > TYPES {
                    return None;
                }
                if self.tightens(hold, allow, name, &fits)
                    && let Some(example) = self.opens(hold, name, &fits, left)
                {
                    return Some((example, allow));
                }
            }
        }
        None
    }

    /// Whether the hold stops a call of this type that the ALLOW would let run.
    fn tightens(&self, hold: Subject<'_>, allow: Subject<'_>, action: &str, fits: &Cubes) -> bool {
        let shared = cube::both(fits, &logic::matches(allow.rule));
        shared.iter().take(8).any(|cube| {
            let case = Case::of(self.bundle, hold.rule, Some(action), cube);
            let with = case.tried(self.bundle, &[]).filter(|decision| matched(decision, &hold.rule.id));
            let without = case.tried(self.bundle, &[hold.place]);
            with.is_some() && without.is_some_and(|decision| decision.outcome == Outcome::Allow)
        })
    }

    /// A call of this type that only the hold keeps from being blocked by default.
    fn opens(&self, hold: Subject<'_>, action: &str, fits: &Cubes, left: &Cell<usize>) -> Option<Example> {
        let others = self.about(action, hold);
        let spared: Vec<Cubes> = others.iter().map(|rule| logic::fails(rule)).collect();
        let allowed = STEPS.min(left.get());
        let mut steps = allowed;
        let mut found = None;
        for cube in fits {
            search(cube, &spared, &mut steps, &mut |cube| {
                let case = Case::of(self.bundle, hold.rule, Some(action), cube);
                found = self.opened_call(hold, &case);
                found.is_some()
            });
            if found.is_some() || steps == 0 {
                break;
            }
        }
        left.set(left.get() - (allowed - steps));
        found
    }

    fn opened_call(&self, hold: Subject<'_>, case: &Case) -> Option<Example> {
        let with = case
            .tried(self.bundle, &[])
            .filter(|decision| decision.outcome == Outcome::RequireApproval && decision.matched_rule == hold.rule.id)?;
        let without = case.tried(self.bundle, &[hold.place])?;
        let blocked = without.outcome == Outcome::Block && without.code == ReasonCode::Default;
        if !blocked || !without.suspected.is_empty() || with.matched.len() > 1 {
            return None;
        }
        let shows = format!("REQUIRE_APPROVAL by `{}`; BLOCK by default without it", hold.rule.id);
        Some(case.example(with.outcome, without.outcome, shows))
    }

    /// The other rules that decide calls of this type.
    fn about(&self, action: &str, except: Subject<'_>) -> Vec<&'a Rule> {
        let lineage = self.bundle.catalogue().get(action).map(|kind| kind.lineage.as_slice()).unwrap_or_default();
        self.subjects
            .iter()
            .filter(|other| other.place != except.place && !other.rule.shadow && other.rule.decision.is_some())
            .filter(|other| {
                other.rule.actions.types().is_none_or(|types| lineage.iter().any(|name| types.contains(name)))
            })
            .map(|other| other.rule)
            .collect()
    }
}

/// Goes through the cubes that fit one of each list, until `accept` takes one or the steps are used up.
fn search(cube: &Cube, lists: &[Cubes], steps: &mut usize, accept: &mut impl FnMut(&Cube) -> bool) -> bool {
    if *steps == 0 {
        return false;
    }
    *steps -= 1;
    let Some((first, rest)) = lists.split_first() else { return accept(cube) };
    first.iter().any(|other| cube.and(other).is_some_and(|both| search(&both, rest, steps, accept)))
}
