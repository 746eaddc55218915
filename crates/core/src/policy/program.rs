//! The program of a bundle: all its rules and meters as one structure, made at publish.
//!
//! An index leads from a call's types, target and source to shelves of rules, where look-ups and binary
//! searches leave out whatever a plain part of its condition rules out. The conditions that remain are
//! typed predicates over slots; equal ones are one predicate. The reference evaluator says what a
//! condition means: wherever a predicate is not certain of its answer, the reference is asked.
//! INVARIANT: the program and the reference give the same verdicts, failures and budget included.

mod finder;
mod key;
mod predicate;
mod run;
mod shelf;
mod slot;

pub use run::Asking;

use super::condition::ast::{Expr, Fact, Kind};
use super::condition::{Condition, Failure, plain};
use super::counter::{Counter, Counts};
use super::rule::Rule;
use crate::decide::Verdict;
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

/// What is known of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    True,
    False,
    /// It has no value.
    Failed(Failure),
    /// Some part needs time or meters; the others do not make it false. With the failure of the leftmost
    /// part that has no value, and its place.
    Later(Option<(u16, Failure)>),
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
        let counter_gates: Vec<Vec<Gate>> = counted.iter().map(|clause| making.gates(clause.as_ref())).collect();
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
                let (is_plain, needs_state) = (plain::is_plain(expr), condition.needs_state && needs_state(expr));
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

fn needs_state(expr: &Expr) -> bool {
    let mut found = false;
    expr.walk(&mut |expr| {
        found |= matches!(expr.kind, Kind::Meter(_) | Kind::Fact(Fact::Now) | Kind::HasFact(Fact::Now));
    });
    found
}

impl<'a> Asking<'a, '_> {
    /// What is known of a condition from the call alone; `root` is the condition.
    pub fn clause(&mut self, clause: &Clause, root: &'a Expr) -> Known {
        let (mut failure, mut later) = (None, false);
        for part in &clause.parts {
            if part.needs_state {
                later = true;
                continue;
            }
            match self.part(part, || plain::parts(root).nth(usize::from(part.place))) {
                Ok(true) => {}
                Ok(false) => return Known::False,
                Err(found) => leftmost(&mut failure, part.place, found),
            }
        }
        match (later, failure) {
            (true, failure) => Known::Later(failure),
            (false, Some((_, failure))) => Known::Failed(failure),
            (false, None) => Known::True,
        }
    }

    /// The rest of a condition, once time and meters are there; `known` is what failed before. Never `Later`.
    pub fn rest(&mut self, clause: &Clause, root: &'a Expr, known: Option<&(u16, Failure)>) -> Verdict {
        let mut failure = known.cloned();
        for part in clause.parts.iter().filter(|part| part.needs_state) {
            match self.part(part, || plain::parts(root).nth(usize::from(part.place))) {
                Ok(true) => {}
                Ok(false) => return Verdict::False,
                Err(found) => leftmost(&mut failure, part.place, found),
            }
        }
        failure.map_or(Verdict::True, |(_, failure)| Verdict::Failed(failure))
    }
}

fn leftmost(known: &mut Option<(u16, Failure)>, place: u16, failure: Failure) {
    if known.as_ref().is_none_or(|(first, _)| place < *first) {
        *known = Some((place, failure));
    }
}
