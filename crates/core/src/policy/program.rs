//! The program of a bundle: all its rules and meters as one structure, made at publish.
//!
//! An index leads from a call's types, target and source to shelves of rules, where look-ups and binary
//! searches leave out whatever a plain part of its condition rules out. The conditions that remain are
//! typed predicates over slots; equal ones are one predicate. The reference evaluator says what a
//! condition means: wherever a predicate is not certain of its answer, the reference is asked.
//! INVARIANT: the program and the reference give the same verdicts, failures and budget included.

mod finder;
pub(in crate::policy) mod key;
mod predicate;
mod run;
mod shelf;
mod slot;

pub use run::Asking;

use super::condition::ast::Expr;
use super::condition::known::{Known, Seen};
use super::condition::{Condition, Failure, plain};
use super::counter::{Counter, Counts};
use super::rule::Rule;
use crate::meter::Op;
use finder::{Finder, Found};
use predicate::{Slots, Truth};
use shelf::Gate;
use slot::Slot;
use std::collections::HashMap;

#[derive(Clone, Debug, Default)]
pub struct Program {
    slots: Vec<Slot>,
    predicates: Vec<Predicate>,
    rules: Vec<Clauses>,
    counters: Vec<Option<Clause>>,
    rule_finder: Finder,
    counter_finder: Finder,
}

#[derive(Clone, Debug)]
struct Predicate {
    truth: Truth,
    /// Costly, shared and about the call alone: what it says is kept.
    is_kept: bool,
}

#[derive(Clone, Debug, Default)]
struct Clauses {
    when: Option<Clause>,
    unless: Option<Clause>,
}

/// A condition as its parts, plain ones first.
#[derive(Clone, Debug, Default)]
pub struct Clause {
    parts: Box<[Part]>,
}

#[derive(Clone, Copy, Debug)]
pub struct Part {
    predicate: u32,
    /// Offset of the part in its condition.
    at: u32,
    /// Its place among the sides of the outermost `&&`.
    place: u16,
    is_plain: bool,
    needs_state: bool,
}

impl Program {
    #[must_use]
    pub fn of(rules: &[Rule], counters: &[Counter]) -> Self {
        let mut making = Making::default();
        let clauses: Vec<Clauses> = rules
            .iter()
            .map(|rule| Clauses {
                when: rule.when.as_ref().map(|condition| making.clause(condition)),
                unless: rule.unless.as_ref().map(|condition| making.clause(condition)),
            })
            .collect();
        let counted: Vec<Option<Clause>> = counters
            .iter()
            .map(|counter| match &counter.counts {
                Counts::Own(own) => own.when.as_ref().map(|condition| making.clause(condition)),
                Counts::Rule => None,
            })
            .collect();
        let gates: Vec<Vec<Gate>> = clauses.iter().map(|clauses| making.gates(clauses.when.as_ref())).collect();
        // A mark of the last call is also put when the call is not what is asked for.
        let counter_gates: Vec<Vec<Gate>> = counted
            .iter()
            .zip(counters)
            .map(|(clause, counter)| making.gates(clause.as_ref().filter(|_| counter.op != Op::Last)))
            .collect();
        let found_rules = (0u32..).zip(rules).map(|(place, rule)| {
            let found = Found { source: rule.source.as_deref(), actions: &rule.actions, targets: &rule.targets };
            (place, found)
        });
        let found_counters = (0u32..).zip(counters).filter_map(|(place, counter)| match &counter.counts {
            Counts::Own(own) => {
                let found = Found { source: own.source.as_deref(), actions: &own.actions, targets: &own.targets };
                Some((place, found))
            }
            Counts::Rule => None,
        });
        let rule_finder = Finder::of(found_rules, &gates);
        let counter_finder = Finder::of(found_counters, &counter_gates);
        let predicates = making
            .predicates
            .into_iter()
            .map(|made| Predicate { is_kept: made.uses > 1 && made.is_costly, truth: made.truth })
            .collect();
        Self { slots: making.slots.slots, predicates, rules: clauses, counters: counted, rule_finder, counter_finder }
    }

    /// Rules that may be about the call and are not ruled out; by place, ascending.
    #[must_use]
    pub fn rules<'a>(&'a self, asking: &mut Asking<'a, '_>) -> Vec<u32> {
        self.rule_finder.find(asking)
    }

    /// Named meters that may count the call.
    #[must_use]
    pub fn counters<'a>(&'a self, asking: &mut Asking<'a, '_>) -> Vec<u32> {
        self.counter_finder.find(asking)
    }

    #[must_use]
    pub fn when(&self, rule: u32) -> Option<&Clause> {
        self.rules.get(usize::try_from(rule).ok()?)?.when.as_ref()
    }

    #[must_use]
    pub fn unless(&self, rule: u32) -> Option<&Clause> {
        self.rules.get(usize::try_from(rule).ok()?)?.unless.as_ref()
    }

    #[must_use]
    pub fn counter(&self, counter: u32) -> Option<&Clause> {
        self.counters.get(usize::try_from(counter).ok()?)?.as_ref()
    }

    fn slot(&self, place: u32) -> Option<&Slot> {
        self.slots.get(usize::try_from(place).ok()?)
    }

    fn predicate(&self, place: u32) -> Option<&Predicate> {
        self.predicates.get(usize::try_from(place).ok()?)
    }
}

/// A program while it is made.
#[derive(Default)]
struct Making {
    slots: Slots,
    predicates: Vec<Made>,
    known: HashMap<String, u32>,
}

struct Made {
    truth: Truth,
    is_costly: bool,
    uses: u32,
}

impl Making {
    fn clause(&mut self, condition: &Condition) -> Clause {
        let mut parts: Vec<Part> = (0u16..)
            .zip(plain::parts(&condition.root))
            .map(|(place, expr)| {
                let (is_plain, needs_state) =
                    (plain::is_plain(expr), condition.needs_state && plain::needs_state(expr));
                let predicate = self.predicate(expr, !is_plain && !needs_state);
                Part { predicate, at: expr.at, place, is_plain, needs_state }
            })
            .collect();
        parts.sort_by_key(|part| !part.is_plain);
        Clause { parts: parts.into() }
    }

    fn predicate(&mut self, expr: &Expr, is_costly: bool) -> u32 {
        let key = key::key(expr);
        if let Some(place) = self.known.get(&key) {
            if let Some(made) = usize::try_from(*place).ok().and_then(|place| self.predicates.get_mut(place)) {
                made.uses += 1;
            }
            return *place;
        }
        let place = u32::try_from(self.predicates.len()).unwrap_or(u32::MAX);
        self.predicates.push(Made { truth: self.slots.truth(expr), is_costly, uses: 1 });
        self.known.insert(key, place);
        place
    }

    /// What can rule a condition out without a cost.
    fn gates(&self, clause: Option<&Clause>) -> Vec<Gate> {
        let parts = clause.map_or(&[] as &[Part], |clause| &clause.parts);
        let plain = parts.iter().filter(|part| part.is_plain && !part.needs_state);
        plain
            .filter_map(|part| {
                let made = self.predicates.get(usize::try_from(part.predicate).ok()?)?;
                (!matches!(made.truth, Truth::Reference)).then(|| Gate::of(part.predicate, &made.truth))
            })
            .collect()
    }
}

impl<'a> Asking<'a, '_> {
    /// What is known of a condition from the call alone; `root` is the condition.
    pub fn first(&mut self, clause: &Clause, root: &'a Expr) -> Known {
        let waits = clause.parts.iter().any(|part| part.needs_state);
        let mut seen = Seen { waits, ..Seen::default() };
        if self.look(clause, root, &mut seen, false) { seen.known() } else { Known::False }
    }

    /// The rest of a condition, once time and meters are there; `failure` is what failed before.
    pub fn rest(&mut self, clause: &Clause, root: &'a Expr, failure: Option<&(u16, Failure)>) -> Known {
        let mut seen = Seen { failure: failure.cloned(), waits: false };
        if self.look(clause, root, &mut seen, true) { seen.known() } else { Known::False }
    }

    /// Looks at the parts that need state, or at the others; `false` if one of them is false.
    fn look(&mut self, clause: &Clause, root: &'a Expr, seen: &mut Seen, needs_state: bool) -> bool {
        for part in clause.parts.iter().filter(|part| part.needs_state == needs_state) {
            match self.part(part, || plain::parts(root).nth(usize::from(part.place))) {
                Ok(true) => {}
                Ok(false) => return false,
                Err(failure) => seen.fail(part.place, failure),
            }
        }
        true
    }
}

/// For tests: how many predicates are typed, of how many, and what the index takes up.
#[cfg(test)]
impl Program {
    pub fn places(&self) -> usize {
        self.rule_finder.places()
    }

    pub fn typed(&self) -> (usize, usize) {
        let typed = |predicate: &&Predicate| !matches!(predicate.truth, Truth::Reference);
        (self.predicates.iter().filter(typed).count(), self.predicates.len())
    }
}

#[cfg(test)]
mod tests;
