//! Meters that nobody reads, and limits that change nothing.

use super::cube;
use super::example::{Case, matched};
use super::finding::{Example, Finding, Kind};
use super::pairs::is_wider;
use super::{Desk, Subject, logic};
use crate::meter::MeterValue;
use crate::outcome::Outcome;
use crate::policy::condition::ast;
use crate::policy::document::RuleTerms;
use crate::policy::rule::{Limit, Rule};

impl<'a> Desk<'a> {
    pub(super) fn look_at_meters(&mut self) {
        let mut found = Vec::new();
        for written in self.documents {
            let policy = &written.document.name.value;
            let rules = || self.subjects.iter().filter(|subject| *subject.rule.id.policy == **policy);
            let mut read: Vec<&str> = Vec::new();
            for condition in rules().flat_map(|subject| subject.rule.conditions()) {
                condition.root.walk(&mut |part| {
                    if let ast::Kind::Meter(index) = part.kind {
                        let name = usize::try_from(index).ok().and_then(|index| self.bundle.counter_names().get(index));
                        read.extend(name.map(|name| &**name));
                    }
                });
            }
            for meter in written.document.meters.iter().filter(|meter| !read.contains(&meter.name.value.as_str())) {
                let name = &meter.name.value;
                found.push(Finding {
                    file: written.file.clone(),
                    line: meter.name.place.line,
                    column: meter.name.place.column,
                    kind: Kind::UnusedMeter,
                    rules: Vec::new(),
                    message: format!("no rule reads the meter `{name}`"),
                    help: Some(format!("compare `meters.{name}` with something, or remove it")),
                    example: None,
                });
            }
        }
        self.findings.append(&mut found);
    }

    pub(super) fn look_at_limit(&mut self, subject: Subject<'a>) {
        let Some(limit) = &subject.rule.limit else { return };
        let says = match subject.rule.decision {
            Some(Outcome::Block) => "the rule blocks every call it matches, so its limit never counts one".to_owned(),
            Some(Outcome::RequireApproval) if limit.otherwise == Outcome::RequireApproval => {
                "the rule holds every call it matches, so a limit that holds changes nothing".to_owned()
            }
            _ => return self.look_at_other_limits(subject, limit),
        };
        let fits = cube::both(&logic::matches(subject.rule), &self.base(subject));
        let used_up = self.with_limits_used_up(subject, &fits, &[subject.rule]);
        let finding = self.report(subject, Kind::UnbindingLimit, limit_place(subject.terms), says);
        finding.example = used_up;
    }

    /// A limit that another one, at least as strict, reaches first.
    fn look_at_other_limits(&mut self, subject: Subject<'a>, limit: &Limit) {
        if subject.rule.shadow {
            return;
        }
        for other in self.subjects.clone() {
            if other.place == subject.place || other.rule.shadow {
                continue;
            }
            let Some(first) = &other.rule.limit else { continue };
            if !self.reaches_first((other.rule, first), (subject.rule, limit)) {
                continue;
            }
            let holds = cube::both(&logic::may_match(subject.rule), &self.base(subject));
            if cube::meet(&holds, &logic::fails(other.rule)) {
                continue;
            }
            let fits = cube::both(&logic::matches(subject.rule), &self.base(subject));
            let example = self.with_limits_used_up(subject, &fits, &[subject.rule, other.rule]);
            let message =
                format!("the limit of `{}` ({}) counts the same calls and is used up first", other.rule.id, first.says);
            let finding = self.report(subject, Kind::UnbindingLimit, limit_place(subject.terms), message);
            finding.rules.push(other.rule.id.clone());
            finding.example = example;
            return;
        }
    }

    /// Whether the first limit is used up whenever the second one is.
    fn reaches_first(&self, (rule, first): (&Rule, &Limit), (own, second): (&Rule, &Limit)) -> bool {
        let counter =
            |limit: &Limit| usize::try_from(limit.counter).ok().and_then(|place| self.bundle.counters().get(place));
        let (Some(one), Some(other)) = (counter(first), counter(second)) else { return false };
        let same = first.count == second.count && one.within == other.within && one.per == other.per;
        let order = (rule.id < own.id) || !same;
        order
            && first.otherwise >= second.otherwise
            && first.count <= second.count
            && one.within >= other.within
            && one.per.iter().all(|key| other.per.contains(key))
            && is_wider(rule, own, self.bundle)
    }

    /// A call that finds the limits of these rules used up, decided the same without the first one's rule.
    fn with_limits_used_up(&self, subject: Subject<'_>, fits: &cube::Cubes, rules: &[&Rule]) -> Option<Example> {
        let used_up: Vec<(u32, MeterValue)> = rules
            .iter()
            .filter_map(|rule| rule.limit.as_ref())
            .map(|limit| (limit.counter, MeterValue::Ready(limit.count)))
            .collect();
        let value = |counter: u32| {
            let found = used_up.iter().find(|(place, _)| *place == counter).map(|(_, value)| *value);
            found.unwrap_or(MeterValue::Ready(0u64.into()))
        };
        fits.iter().take(4).find_map(|cube| {
            let case = Case::of(self.bundle, subject.rule, None, cube);
            let fresh = case
                .tried(self.bundle, &[])
                .filter(|decision| subject.rule.decision.is_none() || matched(decision, &subject.rule.id))?;
            let decision = case.decide(self.bundle, &[], value)?;
            let without = case.decide(self.bundle, &[subject.place], value)?;
            let shows = format!(
                "{} when nothing is counted yet, {} with the limits used up, {} without this rule then",
                fresh.outcome, decision.outcome, without.outcome
            );
            let alone = rules.len() == 1 && fresh.outcome == decision.outcome;
            let first = rules.len() > 1 && decision.outcome == without.outcome;
            (alone || first).then(|| case.example(decision.outcome, without.outcome, shows))
        })
    }
}

/// Where the limit is written, or its rule if that is not known.
fn limit_place(terms: &RuleTerms) -> crate::policy::finding::Place {
    terms.id.place
}
