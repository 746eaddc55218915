//! Conditions that cannot be true, exceptions that always apply, selectors that select nothing.

use super::cube::{self, Cubes};
use super::example::{Case, matched, suspected};
use super::finding::{Example, Kind};
use super::logic::{self, Want};
use super::{Desk, Subject, place_of};
use crate::outcome::Outcome;
use crate::policy::condition::Condition;
use crate::policy::condition::ast::{self, Expr};
use crate::policy::document::ActionTerms;
use crate::policy::glob;
use crate::policy::source::Source;

/// How many calls are tried for one example.
const TRIES: usize = 12;

impl<'a> Desk<'a> {
    /// Globs and attributes that no action type has.
    pub(super) fn look_at_selector(&mut self, subject: Subject<'a>) {
        let Some(terms) = &subject.terms.action else { return };
        let types: Vec<&str> = self.bundle.catalogue().types().map(|kind| &*kind.name).collect();
        match terms {
            ActionTerms::Names(names) => {
                for name in names.iter().filter(|name| glob::is_glob(&name.value)) {
                    if !types.iter().any(|known| glob::matches(&name.value, known)) {
                        let message = format!("no action type is named like `{}`", name.value);
                        self.report(subject, Kind::EmptyGlob, name.place, message);
                    }
                }
            }
            ActionTerms::Attributes { domains, effects } => {
                if subject.rule.actions.is_nothing() {
                    let place = domains.first().or(effects.first()).map_or(subject.terms.id.place, |word| word.place);
                    let message =
                        "no action type is of this domain and effect, so the rule is about nothing".to_owned();
                    self.report(subject, Kind::EmptyGlob, place, message);
                    self.dead.insert(subject.place);
                }
            }
        }
    }

    pub(super) fn look_at_conditions(&mut self, subject: Subject<'a>) {
        let (rule, terms) = (subject.rule, subject.terms);
        let mut sound = true;
        for (condition, source) in [(&rule.when, &terms.when), (&rule.unless, &terms.unless)] {
            let (Some(condition), Some(source)) = (condition, source) else { continue };
            sound &= self.look_at_comparisons(subject, condition, source);
        }
        if sound && let (Some(when), Some(source)) = (&rule.when, &terms.when) {
            sound &= self.look_for_contradiction(subject, when, source);
        }
        if sound && let (Some(unless), Some(source)) = (&rule.unless, &terms.unless) {
            sound &= self.look_at_exception(subject, unless, source);
        }
        if !sound {
            self.dead.insert(subject.place);
        }
    }

    /// `when` against itself, then against the selector; whether it can be true.
    fn look_for_contradiction(&mut self, subject: Subject<'a>, when: &Condition, source: &Source) -> bool {
        if let Some(part) = dead(&when.root, &cube::anything()) {
            let whole = std::ptr::eq(part, &raw const when.root);
            let effect =
                if whole { ", so the rule never matches" } else { ", so this part of the condition does nothing" };
            let message = format!("`{}` can never be true{effect}", self.show(part));
            let example = self.not_matched(subject, near(part));
            let example = example.or_else(|| self.matched_otherwise(subject).filter(|_| !whole));
            let finding = self.report(subject, Kind::Contradiction, place_of(source, part), message);
            finding.example = example;
            return !whole;
        }
        let base = self.base(subject);
        if let Some(part) = dead(&when.root, &base) {
            let message = format!("`{}` is never true for the calls that the rule selects", self.show(part));
            let example = self.not_matched(subject, base);
            let finding = self.report(subject, Kind::Unreachable, place_of(source, part), message);
            finding.example = example;
            return false;
        }
        true
    }

    /// `unless` that never or always applies; whether the rule can still match.
    fn look_at_exception(&mut self, subject: Subject<'a>, unless: &Condition, source: &Source) -> bool {
        let rule = subject.rule;
        let place = place_of(source, &unless.root);
        if let Some(part) = dead(&unless.root, &cube::anything()) {
            let message = format!("`{}` can never be true, so this exception does not apply", self.show(part));
            let example = self.not_excepted(subject);
            let finding = self.report(subject, Kind::Contradiction, place_of(source, part), message);
            finding.example = example;
            return true;
        }
        let base = self.base(subject);
        let holds = |want| rule.when.as_ref().map_or_else(cube::anything, |when| logic::cubes(&when.root, want));
        let restricts = rule.decision.is_none_or(Outcome::is_restrictive);
        let spared = if restricts { Want::NotTrue } else { Want::False };
        let left = cube::both(&base, &holds(Want::True));
        if !cube::meet(&left, &logic::cubes(&unless.root, spared)) {
            let always = rule.when.is_none() || !cube::meet(&base, &logic::cubes(&unless.root, spared));
            let says = if always { "is always true" } else { "is true whenever `when` is" };
            let message = format!("`{}` {says}, so the rule never matches", self.show(&unless.root));
            let example = self.not_matched(subject, left);
            let finding = self.report(subject, Kind::AlwaysTrueUnless, place, message);
            finding.example = example;
            return false;
        }
        true
    }

    /// A call that the rule seems to be for, and does nothing about.
    pub(super) fn not_matched(&self, subject: Subject<'_>, near: Cubes) -> Option<Example> {
        let id = &subject.rule.id;
        let near = cube::both(&near, &self.base(subject));
        near.iter().take(TRIES).find_map(|cube| {
            let case = Case::of(self.bundle, subject.rule, None, cube);
            let decision = case.tried(self.bundle, &[])?;
            if matched(&decision, id) || suspected(&decision, id) {
                return None;
            }
            let without = case.tried(self.bundle, &[subject.place])?;
            let shows = format!("`{id}` does not match: {} with the rule and without it", decision.outcome);
            (decision.outcome == without.outcome).then(|| case.example(decision.outcome, without.outcome, shows))
        })
    }

    /// A call that the rule matches although it has an exception.
    fn not_excepted(&self, subject: Subject<'_>) -> Option<Example> {
        let fits = cube::both(&logic::matches(subject.rule), &self.base(subject));
        self.matching(subject, None, &fits, |decision, without| {
            let id = &subject.rule.id;
            let shows = format!("`{id}` matches: the exception does not spare this call");
            Some((decision, without, shows))
        })
    }

    /// A call that the rule matches by the rest of its condition.
    fn matched_otherwise(&self, subject: Subject<'_>) -> Option<Example> {
        let fits = cube::both(&logic::matches(subject.rule), &self.base(subject));
        self.matching(subject, None, &fits, |decision, without| {
            let shows = format!("`{}` matches by another part of its condition", subject.rule.id);
            Some((decision, without, shows))
        })
    }

    /// A call that the rule matches, of which `says` has something to say given both outcomes.
    pub(super) fn matching(
        &self,
        subject: Subject<'_>,
        action: Option<&str>,
        fits: &Cubes,
        says: impl Fn(Outcome, Outcome) -> Option<(Outcome, Outcome, String)>,
    ) -> Option<Example> {
        fits.iter().take(TRIES).find_map(|cube| {
            let case = Case::of(self.bundle, subject.rule, action, cube);
            let decision = case.tried(self.bundle, &[]).filter(|decision| matched(decision, &subject.rule.id))?;
            let without = case.tried(self.bundle, &[subject.place])?;
            let (outcome, without, shows) = says(decision.outcome, without.outcome)?;
            Some(case.example(outcome, without, shows))
        })
    }
}

/// The smallest part of a condition that can never be true among these calls.
fn dead<'e>(expr: &'e Expr, among: &Cubes) -> Option<&'e Expr> {
    let holds = logic::cubes(expr, Want::True);
    if !cube::meet(among, &holds) {
        return match &expr.kind {
            ast::Kind::And(left, right) => dead(left, among).or_else(|| dead(right, among)).or(Some(expr)),
            _ => Some(expr),
        };
    }
    match &expr.kind {
        ast::Kind::And(left, right) => {
            let beside = |other: &Expr| cube::both(among, &logic::cubes(other, Want::True));
            dead(left, &beside(right)).or_else(|| dead(right, &beside(left)))
        }
        ast::Kind::Or(left, right) => dead(left, among).or_else(|| dead(right, among)),
        _ => None,
    }
}

/// Calls for which one side of what can never be true is true.
fn near(part: &Expr) -> Cubes {
    match &part.kind {
        ast::Kind::And(left, right) => {
            let mut cubes = logic::cubes(left, Want::True);
            cubes.extend(logic::cubes(right, Want::True));
            cubes.truncate(cube::MOST);
            cubes
        }
        _ => logic::cubes(part, Want::NotTrue),
    }
}
