//! Asking predicates about one call.
//!
//! What must stay true: each slot is found at most once, a costly predicate that several rules share is
//! evaluated and paid for once, and whatever a typed predicate does not know for certain is what the
//! reference says, budget and failure included.

use super::predicate::{Amount, Each, Literal, Place, TextTest, Truth};
use super::slot::{Seen, Slot};
use super::{Part, Program};
use crate::call::Call;
use crate::decimal::Decimal;
use crate::policy::condition::ast::{Expr, Operator};
use crate::policy::condition::term::Term;
use crate::policy::condition::{Budget, Failure, View, evaluate, functions};
use std::collections::HashMap;

/// Slots that are kept once found; what a call needs beyond is found again each time.
const KEPT: usize = 32;

/// What a predicate said.
pub type Said = Result<bool, Failure>;

pub struct Asking<'a, 'v> {
    program: &'a Program,
    view: &'v View<'a>,
    pub budget: Budget,
    seen: Vec<(u32, Seen<'a>)>,
    variables: Vec<Seen<'a>>,
    /// What costly shared predicates said; offsets are relative to the predicate.
    said: HashMap<u32, Said>,
}

impl<'a, 'v> Asking<'a, 'v> {
    #[must_use]
    pub fn new(program: &'a Program, view: &'v View<'a>, budget: Budget) -> Self {
        Self { program, view, budget, seen: Vec::new(), variables: Vec::new(), said: HashMap::new() }
    }

    #[must_use]
    pub fn call(&self) -> &'a Call {
        self.view.call
    }

    /// Asks a plain predicate; `None` if it has no certain answer.
    pub fn plain(&mut self, predicate: u32) -> Option<bool> {
        self.program.predicate(predicate).and_then(|predicate| self.truth(&predicate.truth))
    }

    /// Asks one part of a condition; `expr` is the part as it stands in the condition.
    pub fn part(&mut self, part: &Part, expr: impl FnOnce() -> Option<&'a Expr>) -> Said {
        let Some(predicate) = self.program.predicate(part.predicate) else { return self.reference(expr) };
        if !predicate.is_kept {
            return self.ask(&predicate.truth, expr);
        }
        if let Some(said) = self.said.get(&part.predicate) {
            return said.clone().map_err(|failure| moved(failure, part.at, u32::wrapping_add));
        }
        let said = self.ask(&predicate.truth, expr);
        let kept = said.clone().map_err(|failure| moved(failure, part.at, u32::wrapping_sub));
        self.said.insert(part.predicate, kept);
        said
    }

    fn ask(&mut self, truth: &'a Truth, expr: impl FnOnce() -> Option<&'a Expr>) -> Said {
        let before = self.budget;
        match self.truth(truth) {
            Some(value) => Ok(value),
            None => {
                self.budget = before;
                self.variables.clear();
                self.reference(expr)
            }
        }
    }

    fn reference(&mut self, expr: impl FnOnce() -> Option<&'a Expr>) -> Said {
        use crate::policy::condition::failure::What;
        let missing = || Failure::new(0, What::Missing("condition".into()));
        expr().map_or_else(|| Err(missing()), |expr| evaluate::holds(expr, self.view, &mut self.budget))
    }

    /// What an expression comes to, by the reference evaluator.
    pub fn number(&mut self, expr: &'a Expr) -> Result<Decimal, Failure> {
        evaluate::number(expr, self.view, &mut self.budget)
    }

    /// What is in a slot of the program.
    pub fn slot(&mut self, place: u32) -> Seen<'a> {
        if let Some((_, seen)) = self.seen.iter().find(|(known, _)| *known == place) {
            return *seen;
        }
        let slot = self.program.slot(place);
        let seen = slot.map_or(Seen::Doubt, |slot| slot.find(self.view, &[]));
        if self.seen.len() < KEPT {
            self.seen.push((place, seen));
        }
        seen
    }

    fn place(&mut self, place: &Place) -> Seen<'a> {
        match place {
            Place::Slot(slot) => self.slot(*slot),
            Place::Variable(slot) => Slot::find(slot, self.view, &self.variables),
        }
    }

    /// `None`: the reference has to say.
    pub fn truth(&mut self, truth: &'a Truth) -> Option<bool> {
        match truth {
            Truth::Reference => None,
            Truth::Constant(value) => Some(*value),
            Truth::Flag(place) => match self.place(place) {
                Seen::Bool(value) => Some(value),
                _ => None,
            },
            Truth::Has(place) => match self.place(place) {
                Seen::Doubt => None,
                Seen::Absent => Some(false),
                _ => Some(true),
            },
            Truth::HasFact(place) => match self.place(place) {
                Seen::Doubt => None,
                seen => Some(!matches!(seen, Seen::Null)),
            },
            Truth::IsNull(place) => match self.place(place) {
                Seen::Doubt | Seen::Absent => None,
                seen => Some(matches!(seen, Seen::Null)),
            },
            Truth::IsType(place, word) => self.place(place).type_word().map(|found| found == *word),
            Truth::Equals(place, literal) => equals(&self.place(place), literal),
            Truth::Ordered(place, order, literal) => match (self.place(place), literal) {
                (Seen::Number(number), Literal::Number(literal)) => Some(order.accepts(number.cmp(literal))),
                (Seen::Text(text), Literal::Text(literal)) => Some(order.accepts(text.cmp(literal))),
                _ => None,
            },
            Truth::Among(place, literals) => among(&self.place(place), literals),
            Truth::HoldsFree(place, text) => holds(&self.place(place), text),
            Truth::Holds(place, text) => {
                let seen = self.place(place);
                let steps = functions::weight_of_search(&seen.term()?, &Term::text(text));
                self.pay(steps)?;
                holds(&seen, text)
            }
            Truth::Text(place, test, part) => {
                let text = self.place(place).text()?;
                match test {
                    TextTest::StartsWith => Some(text.starts_with(part.as_ref())),
                    TextTest::EndsWith => Some(text.ends_with(part.as_ref())),
                    TextTest::Contains => {
                        self.pay(text.len() / 64 + part.len() / 64)?;
                        Some(text.contains(part.as_ref()))
                    }
                }
            }
            Truth::Matches(place, pattern) => {
                let text = self.place(place).text()?;
                self.pay(text.len() / 64)?;
                Some(pattern.is_match(text))
            }
            Truth::Compares(order, sides) => {
                let [left, right] = sides.as_ref();
                let (left, right) = (self.amount(left)?, self.amount(right)?);
                Some(order.accepts(left.cmp(&right)))
            }
            Truth::Same(sides) => {
                let [left, right] = sides.as_ref();
                Some(self.amount(left)? == self.amount(right)?)
            }
            Truth::Some(each) => self.each(each, true),
            Truth::All(each) => self.each(each, false),
            Truth::Not(inner) => self.truth(inner).map(|value| !value),
            Truth::Both(sides) => {
                let [left, right] = sides.as_ref();
                if self.truth(left)? { self.truth(right) } else { Some(false) }
            }
            Truth::Either(sides) => {
                let [left, right] = sides.as_ref();
                if self.truth(left)? { Some(true) } else { self.truth(right) }
            }
        }
    }

    fn each(&mut self, each: &'a Each, deciding: bool) -> Option<bool> {
        let outer = usize::try_from(each.variable).ok().filter(|outer| *outer == self.variables.len())?;
        let over = self.place(&each.over);
        for place in 0..over.length()? {
            self.pay(usize::try_from(each.cost).ok()?)?;
            self.variables.push(over.element(place));
            let value = self.truth(&each.body);
            self.variables.truncate(outer);
            if value? == deciding {
                return Some(deciding);
            }
        }
        Some(!deciding)
    }

    fn amount(&mut self, amount: &'a Amount) -> Option<Decimal> {
        match amount {
            Amount::Constant(number) => Some(*number),
            Amount::Place(place) => self.place(place).number(),
            Amount::Meter(meter) => self.view.meter(*meter).ok(),
            Amount::Calendar(function) => {
                let now = Term::Moment(self.view.now()?);
                match functions::call(0, *function, &[now]) {
                    Ok(Term::Number(number)) => Some(number),
                    _ => None,
                }
            }
            Amount::Size(place) => {
                let term = self.place(place).term()?;
                self.pay(functions::weight(&term))?;
                term.size().and_then(|size| u64::try_from(size).ok()).map(Decimal::from)
            }
            Amount::Negative(inner) => self.amount(inner).map(|number| -number),
            Amount::Computed(operator, sides) => {
                let [left, right] = sides.as_ref();
                let (left, right) = (self.amount(left)?, self.amount(right)?);
                match operator {
                    Operator::Add => left.checked_add(right),
                    Operator::Subtract => left.checked_sub(right),
                    Operator::Multiply => left.checked_mul(right),
                    Operator::Divide => left.checked_div(right),
                    Operator::Remainder => left.checked_rem(right),
                    _ => return None,
                }
                .ok()
            }
        }
    }

    fn pay(&mut self, steps: usize) -> Option<()> {
        self.budget.spend(steps).then_some(())
    }
}

fn moved(failure: Failure, by: u32, shift: fn(u32, u32) -> u32) -> Failure {
    Failure { at: shift(failure.at, by), ..failure }
}

fn equals(seen: &Seen<'_>, literal: &Literal) -> Option<bool> {
    match (seen, literal) {
        (Seen::Number(number), Literal::Number(literal)) => Some(number == literal),
        (Seen::Text(text), Literal::Text(literal)) => Some(**text == **literal),
        (Seen::Bool(value), Literal::Bool(literal)) => Some(value == literal),
        _ => None,
    }
}

/// An equal literal decides; a literal of another type leaves a doubt.
fn among(seen: &Seen<'_>, literals: &[Literal]) -> Option<bool> {
    let mut result = Some(false);
    for literal in literals {
        match equals(seen, literal) {
            Some(true) => return Some(true),
            Some(false) => {}
            None => result = None,
        }
    }
    // In an empty list nothing is compared; null alone fails there.
    if literals.is_empty() && matches!(seen, Seen::Null | Seen::Absent | Seen::Doubt) { None } else { result }
}

fn holds(seen: &Seen<'_>, wanted: &str) -> Option<bool> {
    match seen {
        Seen::Names(names) => Some(names.iter().any(|name| name == wanted)),
        Seen::Types(types) => Some(types.iter().any(|name| **name == *wanted)),
        Seen::Object(object) => Some(object.contains_key(wanted)),
        Seen::List(items) => {
            let mut result = Some(false);
            for item in *items {
                match item.as_text() {
                    Some(text) if text == wanted => return Some(true),
                    Some(_) => {}
                    None => result = None,
                }
            }
            result
        }
        _ => None,
    }
}
