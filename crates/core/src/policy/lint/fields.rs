//! Members of the context that tools do not send for the actions of a rule.
//!
//! A restriction that names one is suspected for every call without it: it holds or blocks them all.

use super::cube::{self, Cube, Key, Slot};
use super::example::{Case, suspected};
use super::finding::{Example, Kind};
use super::values::{Values, kinds};
use super::{Desk, Subject, logic, place_of};
use crate::outcome::Outcome;
use crate::policy::condition::Condition;
use crate::policy::condition::ast::{self, Expr};
use crate::policy::finding::nearest;
use crate::policy::source::Source;
use std::collections::BTreeSet;

impl<'a> Desk<'a> {
    pub(super) fn look_at_fields(&mut self, subject: Subject<'a>) {
        let (rule, terms) = (subject.rule, subject.terms);
        let mut seen = BTreeSet::new();
        for (condition, source) in [(&rule.when, &terms.when), (&rule.unless, &terms.unless)] {
            let (Some(condition), Some(source)) = (condition, source) else { continue };
            for (field, part) in fields(condition) {
                if seen.insert(field) {
                    self.look_at_field(subject, field, part, source);
                }
            }
        }
    }

    fn look_at_field(&mut self, subject: Subject<'a>, field: &str, part: &Expr, source: &Source) {
        let catalogue = self.bundle.catalogue();
        let chosen = subject.rule.actions.types();
        let about: Vec<&str> = catalogue
            .types()
            .filter(|kind| chosen.is_none_or(|types| types.contains(&kind.name)))
            .map(|kind| &*kind.name)
            .collect();
        let (sending, silent): (Vec<&str>, Vec<&str>) =
            about.into_iter().partition(|name| catalogue.field(name, field).is_some());
        if sending.is_empty() {
            if !subject.rule.actions.is_about_strangers() && !silent.is_empty() {
                self.report_unsent(subject, field, part, source, &silent);
            }
            return;
        }
        let restricts = subject.rule.decision.is_some_and(Outcome::is_restrictive) && !subject.rule.shadow;
        if !restricts || silent.is_empty() {
            return;
        }
        let found =
            silent.iter().find_map(|action| Some((*action, self.suspected_without(subject, field, part, action)?)));
        if let Some((action, example)) = found {
            let others = match silent.len() - 1 {
                0 => String::new(),
                1 => " (and one more action)".to_owned(),
                more => format!(" (and {more} more actions)"),
            };
            let message = format!("`{action}`{others} has no `{field}`, so the rule is suspected for every such call");
            let finding = self.report(subject, Kind::UnknownField, place_of(source, part), message);
            finding.help = Some(format!("name the actions that have it, or test `has(context.{field})` first"));
            finding.example = Some(example);
        }
    }

    fn report_unsent(&mut self, subject: Subject<'a>, field: &str, part: &Expr, source: &Source, silent: &[&str]) {
        let catalogue = self.bundle.catalogue();
        let known = silent.iter().filter_map(|name| catalogue.get(name)).flat_map(|kind| kind.fields.keys());
        let help = nearest(field, known.chain(catalogue.common_fields().keys()).map(String::as_str));
        let example = silent.first().and_then(|action| self.suspected_without(subject, field, part, action));
        let message = format!("no tool sends `{field}` for these actions, as far as the catalogue knows");
        let finding = self.report(subject, Kind::UnknownField, place_of(source, part), message);
        finding.help = help;
        finding.example = example;
    }

    /// A call of the action, without the member, for which the rule is suspected.
    fn suspected_without(&self, subject: Subject<'_>, field: &str, part: &Expr, action: &str) -> Option<Example> {
        let slot = Slot::Context(vec![field.into()]);
        let key = Key { name: format!("context.{field}").into(), slot, whole: false };
        let missing = vec![Cube::of(key, Values::of_kinds(kinds::MISSING), None)?];
        let fits = cube::both(&cube::both(&logic::may_match(subject.rule), &missing), &self.base(subject));
        let id = &subject.rule.id;
        fits.iter().take(4).find_map(|cube| {
            let case = Case::of(self.bundle, subject.rule, Some(action), cube);
            let decision = case.tried(self.bundle, &[]).filter(|decision| suspected(decision, id))?;
            let blames = decision.suspected.iter().find(|entry| entry.rule == *id)?;
            if !blames.error.contains(&*self.show(part)) {
                return None;
            }
            let without = case.tried(self.bundle, &[subject.place])?;
            let shows = format!("`{id}` is suspected: {}", blames.error);
            Some(case.example(decision.outcome, without.outcome, shows))
        })
    }
}

/// The members of the context that a condition names, each with the first place that does.
fn fields(condition: &Condition) -> Vec<(&str, &Expr)> {
    let mut found = Vec::new();
    condition.root.walk(&mut |part| {
        if let ast::Kind::Select(operand, name) = &part.kind
            && matches!(operand.kind, ast::Kind::Context)
        {
            found.push((&**name, part));
        }
    });
    found
}
