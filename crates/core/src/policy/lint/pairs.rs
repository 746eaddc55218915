//! Rules compared with each other: one that says the same, one that is stricter wherever the other holds,
//! a restriction with fewer targets than the ALLOW beside it.

use super::cube::{self, Cubes};
use super::example::{Case, matched};
use super::finding::{Example, Kind};
use super::{Desk, Subject, logic};
use crate::outcome::Outcome;
use crate::policy::condition::Condition;
use crate::policy::condition::ast::{self, Expr};
use crate::policy::condition::show::show;
use crate::policy::rule::Rule;
use std::collections::BTreeMap;

/// Most pairs that are looked at; a bundle with more rules is looked at in part.
const MOST_PAIRS: usize = 1_000_000;

/// Sets of calls per rule, made when first asked for.
#[derive(Default)]
struct Sets {
    matches: BTreeMap<u32, Cubes>,
    may_match: BTreeMap<u32, Cubes>,
    fails: BTreeMap<u32, Cubes>,
    does_not_match: BTreeMap<u32, Cubes>,
}

impl<'a> Desk<'a> {
    pub(super) fn look_at_pairs(&mut self) {
        let alive: Vec<Subject<'a>> = self
            .subjects
            .iter()
            .copied()
            .filter(|subject| !subject.rule.shadow && !self.dead.contains(&subject.place))
            .collect();
        self.partial |= alive.len().saturating_mul(alive.len()) > MOST_PAIRS;
        let mut sets = Sets::default();
        let mut left = MOST_PAIRS;
        for one in &alive {
            for other in alive.iter().filter(|other| other.place != one.place) {
                left = left.saturating_sub(1);
                if left == 0 {
                    return;
                }
                if self.look_at_pair(*one, *other, &mut sets) {
                    break;
                }
            }
        }
    }

    /// Whether there is nothing more to say of the first rule.
    fn look_at_pair(&mut self, one: Subject<'a>, other: Subject<'a>, sets: &mut Sets) -> bool {
        if !one.rule.actions.shares_a_type_with(&other.rule.actions) && one.rule.actions.types().is_some() {
            // A parent is shared with its children, so only unrelated rules are left out.
            if !other.rule.actions.takes_in_all_of(&one.rule.actions, self.bundle.catalogue()) {
                return false;
            }
        }
        if says_the_same(one.rule, other.rule) {
            if later(one, other) {
                self.report_duplicate(one, other);
                return true;
            }
            return false;
        }
        if self.is_shadowed(one, other, sets) {
            self.report_shadowed(one, other);
            return true;
        }
        self.look_at_targets(one, other);
        false
    }

    fn report_duplicate(&mut self, one: Subject<'a>, other: Subject<'a>) {
        let fits = cube::both(&logic::may_match(one.rule), &self.base(one));
        let example = self.matching(one, None, &fits, |decided, without| {
            let shows = format!("`{}` and `{}` both match", one.rule.id, other.rule.id);
            (decided == without).then_some((decided, without, shows))
        });
        let message = format!("this rule says the same as `{}`", other.rule.id);
        let place = one.terms.id.place;
        let finding = self.report(one, Kind::Duplicate, place, message);
        finding.rules.push(other.rule.id.clone());
        finding.example = example;
        self.dead.insert(one.place);
    }

    /// Whether the other rule is stricter and holds wherever this one does.
    fn is_shadowed(&self, one: Subject<'_>, other: Subject<'_>, sets: &mut Sets) -> bool {
        let (weak, strict) = (one.rule, other.rule);
        let (Some(said), Some(stricter)) = (weak.decision, strict.decision) else { return false };
        // What counts, keeps or asks for something does that beside a stricter rule as well.
        let only_decides = weak.limit.is_none() && weak.audit.is_none();
        if stricter <= said || !only_decides || !is_wider(strict, weak, self.bundle) {
            return false;
        }
        // A rule that waits for a meter's past holds, it does not block.
        if strict.conditions().any(|condition| !condition.meters.is_empty()) {
            return false;
        }
        let base = self.base(one);
        let holds = if said == Outcome::Allow {
            sets.matches.entry(one.place).or_insert_with(|| cube::both(&base, &logic::matches(weak)))
        } else {
            sets.may_match.entry(one.place).or_insert_with(|| cube::both(&base, &logic::may_match(weak)))
        };
        // Beside a hold that is only suspected, an ALLOW keeps the default from holding.
        let spared = if said == Outcome::Allow && stricter == Outcome::RequireApproval {
            sets.does_not_match.entry(other.place).or_insert_with(|| logic::does_not_match(strict))
        } else {
            sets.fails.entry(other.place).or_insert_with(|| logic::fails(strict))
        };
        !holds.is_empty() && !cube::meet(holds, spared)
    }

    fn report_shadowed(&mut self, one: Subject<'a>, other: Subject<'a>) {
        let fits = cube::both(&logic::matches(one.rule), &self.base(one));
        let (weak, strict) = (&one.rule.id, &other.rule.id);
        let example = self.matching(one, None, &fits, |decided, without| {
            let shows = format!("`{strict}` holds as well: {decided} with `{weak}` and without it");
            (decided == without).then_some((decided, without, shows))
        });
        let outcome = other.rule.decision.unwrap_or(Outcome::Block);
        let message = format!("wherever this rule holds, `{strict}` holds as well and decides {outcome}");
        let place = one.terms.id.place;
        let finding = self.report(one, Kind::Shadowed, place, message);
        finding.rules.push(strict.clone());
        finding.example = example;
        self.dead.insert(one.place);
    }

    /// A restriction (`one`) that names fewer targets than the ALLOW beside it.
    fn look_at_targets(&mut self, one: Subject<'a>, other: Subject<'a>) {
        let (strict, allow) = (one.rule, other.rule);
        let restricts = strict.decision.is_some_and(Outcome::is_restrictive) && allow.decision == Some(Outcome::Allow);
        let beside = strict.id.policy == allow.id.policy && strict.actions.shares_a_type_with(&allow.actions);
        if !restricts || !beside || strict.targets.is_any() || strict.targets.takes_in_all_of(&allow.targets) {
            return;
        }
        let Some(when) = strict.when.as_ref().filter(|when| is_about_arguments(when)) else { return };
        if !allow.targets.is_any() {
            // Both name targets: the restriction forgot some of them.
            if !allow.targets.takes_in_all_of(&strict.targets) {
                return;
            }
        } else if self.is_special(one) || !allow.when.as_ref().is_none_or(|other| share_a_slot(when, other)) {
            return;
        }
        let Some((example, target)) = self.slips(one, other) else { return };
        let message = format!(
            "calls to `{target}` slip through `{}`: this restriction names fewer targets than that rule allows",
            allow.id
        );
        let place = one.terms.target.as_ref().and_then(|terms| terms.first()).map_or(one.terms.id.place, |at| at.place);
        let finding = self.report(one, Kind::NarrowerThanAllow, place, message);
        finding.rules.push(allow.id.clone());
        finding.example = Some(example);
    }

    /// Targets that the operator set apart, or whose names do: a rule about them alone is meant so.
    fn is_special(&self, subject: Subject<'_>) -> bool {
        let settings = self.bundle.settings();
        subject.rule.targets.examples().any(|target| {
            let named = crate::environment::Environment::new(&target);
            settings.registration(&target).is_some() || named.is_ok_and(|named| named.is_production())
        })
    }

    /// The same call twice: held at a target of the restriction, allowed at another one.
    fn slips(&self, strict: Subject<'_>, allow: Subject<'_>) -> Option<(Example, String)> {
        let fits = cube::both(&logic::matches(strict.rule), &logic::matches(allow.rule));
        let spared = allow.rule.targets.examples().chain(["another-system".to_owned()]);
        let spared: Vec<String> =
            spared.filter(|target| !strict.rule.targets.has(target) && allow.rule.targets.has(target)).collect();
        let action = allow.rule.actions.types().and_then(|types| {
            types.iter().find(|name| strict.rule.actions.types().is_none_or(|others| others.contains(name)))
        });
        fits.iter().take(8).find_map(|cube| {
            let mut case = Case::of(self.bundle, strict.rule, action.map(|name| &**name), cube);
            let held = case.tried(self.bundle, &[]).filter(|decision| matched(decision, &strict.rule.id))?;
            let caught = case.target.clone();
            spared.iter().find_map(|target| {
                case.target.clone_from(target);
                let decision = case.tried(self.bundle, &[])?;
                if decision.outcome != Outcome::Allow || !matched(&decision, &allow.rule.id) {
                    return None;
                }
                let without = case.tried(self.bundle, &[strict.place])?;
                let shows = format!("ALLOW at `{target}`; the same call to `{caught}` is {}", held.outcome);
                Some((case.example(decision.outcome, without.outcome, shows), target.clone()))
            })
        })
    }
}

/// Whether the first rule is about every call that the second one is about.
#[must_use]
pub(super) fn is_wider(wide: &Rule, narrow: &Rule, bundle: &crate::policy::Bundle) -> bool {
    let source = wide.source.is_none() || wide.source == narrow.source;
    source
        && wide.targets.takes_in_all_of(&narrow.targets)
        && wide.actions.takes_in_all_of(&narrow.actions, bundle.catalogue())
}

/// The later of two in the order of files and lines is the one too many.
fn later(one: Subject<'_>, other: Subject<'_>) -> bool {
    let order = |subject: Subject<'_>| {
        let place = subject.terms.id.place;
        (subject.written.file.clone(), place.line, place.column)
    };
    order(one) > order(other)
}

fn says_the_same(one: &Rule, other: &Rule) -> bool {
    let condition = |condition: &Option<Condition>| condition.as_ref().map(|found| show(&found.root, &[]));
    let limit = |rule: &Rule| rule.limit.as_ref().map(|limit| (limit.says.clone(), limit.otherwise));
    one.decision == other.decision
        && one.source == other.source
        && one.approval == other.approval
        && one.audit == other.audit
        && one.targets == other.targets
        && one.actions == other.actions
        && limit(one) == limit(other)
        && one.limit.is_none()
        && condition(&one.when) == condition(&other.when)
        && condition(&one.unless) == condition(&other.unless)
}

fn is_about_arguments(condition: &Condition) -> bool {
    !slots(condition).is_empty()
}

fn share_a_slot(one: &Condition, other: &Condition) -> bool {
    let others = slots(other);
    slots(one).iter().any(|slot| others.contains(slot))
}

/// The arguments and readings that a condition names.
fn slots(condition: &Condition) -> Vec<String> {
    let mut found = Vec::new();
    condition.root.walk(&mut |part: &Expr| {
        if let ast::Kind::Select(operand, _) = &part.kind
            && matches!(operand.kind, ast::Kind::Context | ast::Kind::Reading(_))
        {
            found.push(show(part, &[]));
        }
    });
    found
}
