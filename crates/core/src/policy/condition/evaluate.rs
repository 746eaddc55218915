//! The reference evaluator: a plain walk over the tree, slow and complete. What it says is what a
//! condition means; any faster evaluator is tested against it.
//!
//! `&&` and `||` follow CEL: a side that decides (`false` for `&&`, `true` for `||`) decides even beside
//! a side that fails, in either order; else a failure is the result. That is never laxer: the result
//! with the failing side repaired to either truth value would have been the same.
//! `exists` and `all` are their `||` and `&&` over the elements; `exists_one`, `map` and `filter` fail
//! if any element fails.

use super::ast::{Expr, Fact, Function, Kind, Macro, MacroKind, Operator, TypeWord};
use super::failure::{Failure, What};
use super::functions;
use super::names::UNKNOWN;
use super::plain;
use super::term::Term;
use super::view::View;
use crate::decimal::Decimal;
use crate::inspect::Reading;
use std::rc::Rc;

/// Steps a request may take in all of its conditions: for each element a macro looks at one step and one
/// for every node of its body, for everything read of the call one per element and per 64 bytes of text.
/// What `plain` names costs nothing: it takes no longer because a call is larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget(pub u32);

/// Steps of one request.
pub const STEPS: u32 = 200_000;

impl Budget {
    /// INVARIANT: once used up it stays used up, so that what fails does not depend on what comes after.
    pub(crate) fn spend(&mut self, steps: usize) -> bool {
        let left = u32::try_from(steps).ok().and_then(|steps| self.0.checked_sub(steps));
        self.0 = left.unwrap_or(0);
        left.is_some()
    }
}

/// Whether a condition holds.
///
/// Of the sides of the outermost `&&`, the plain ones are looked at before any other, so that nothing is
/// paid for a condition which they rule out; of several failures the leftmost is the result.
pub fn holds<'a>(condition: &'a Expr, view: &View<'a>, budget: &mut Budget) -> Result<bool, Failure> {
    let mut failure: Option<(usize, Failure)> = None;
    for plain in [true, false] {
        for (place, part) in plain::parts(condition).enumerate().filter(|(_, part)| plain::is_plain(part) == plain) {
            let mut walk = Walk { view, budget: &mut *budget, variables: Vec::new() };
            match walk.truth(part) {
                Ok(false) => return Ok(false),
                Ok(true) => {}
                Err(found) if failure.as_ref().is_none_or(|(known, _)| place < *known) => {
                    failure = Some((place, found));
                }
                Err(_) => {}
            }
        }
    }
    failure.map_or(Ok(true), |(_, failure)| Err(failure))
}

/// The value of an expression that must be a number.
pub fn number<'a>(expr: &'a Expr, view: &View<'a>, budget: &mut Budget) -> Result<Decimal, Failure> {
    let mut walk = Walk { view, budget, variables: Vec::new() };
    match walk.value(expr)? {
        Term::Number(number) => Ok(number),
        other => Err(functions::wanted(expr.at, "a number", &other)),
    }
}

/// The value of an expression as people read it.
pub fn shown<'a>(expr: &'a Expr, view: &View<'a>, budget: &mut Budget) -> Result<String, Failure> {
    let mut walk = Walk { view, budget, variables: Vec::new() };
    walk.value(expr).map(|term| term.to_string())
}

pub(super) struct Walk<'a, 'v> {
    view: &'v View<'a>,
    budget: &'v mut Budget,
    variables: Vec<Term<'a>>,
}

type Outcome<'a> = Result<Term<'a>, Failure>;

/// Something that may not be there, as opposed to something computed.
fn is_member(expr: &Expr) -> bool {
    matches!(expr.kind, Kind::Select(..) | Kind::Index(..) | Kind::Reading(_))
}

impl<'a> Walk<'a, '_> {
    fn value(&mut self, expr: &'a Expr) -> Outcome<'a> {
        let fail = |what| Err(Failure::new(expr.at, what));
        match &expr.kind {
            Kind::Null => Ok(Term::Null),
            Kind::Bool(value) => Ok(Term::Bool(*value)),
            Kind::Number(number) => Ok(Term::Number(*number)),
            Kind::Text(text) => Ok(Term::text(text)),
            Kind::Moment(moment) => Ok(Term::Moment(*moment)),
            Kind::Length(span) => Ok(Term::Length(*span)),
            Kind::Type(word) => Ok(Term::Type(*word)),
            Kind::Fact(Fact::Now) => {
                self.view.now().map_or_else(|| fail(What::NotRead("now".into())), |now| Ok(Term::Moment(now)))
            }
            Kind::Fact(Fact::Subject) | Kind::HasFact(Fact::Subject) if self.view.call.subject_is_claimed() => {
                fail(What::Claimed)
            }
            Kind::Fact(fact) => Ok(self.view.fact(*fact)),
            Kind::Context => Ok(Term::Object(self.view.context())),
            Kind::Reading(inspector) => match self.view.reading(*inspector) {
                Reading::NotApplicable => fail(What::Missing(inspector.as_str().into())),
                Reading::Unknown => Ok(Term::text(UNKNOWN)),
                Reading::Object(members) => Ok(Term::Object(members)),
            },
            Kind::Meter(index) => self.view.meter(*index).map(Term::Number).map_err(|what| Failure::new(expr.at, what)),
            Kind::Variable(slot) => {
                let term = usize::try_from(*slot).ok().and_then(|slot| self.variables.get(slot));
                term.cloned().map_or_else(|| fail(What::Missing("variable".into())), Ok)
            }
            Kind::Unknown(name) => fail(What::Missing(name.clone())),
            Kind::Select(operand, member) => self.member(expr, operand, member),
            Kind::Has(operand, member) => self.has(operand, member).map(Term::Bool),
            Kind::HasFact(fact) => Ok(Term::Bool(!matches!(self.view.fact(*fact), Term::Null))),
            Kind::Index(operand, index) => self.index(expr, operand, index),
            Kind::IsNull(operand) => Ok(Term::Bool(matches!(self.value(operand)?, Term::Null))),
            Kind::Not(operand) => Ok(Term::Bool(!self.truth(operand)?)),
            Kind::Negate(operand) => match self.value(operand)? {
                Term::Number(number) => Ok(Term::Number(-number)),
                other => Err(functions::wanted(operand.at, "a number", &other)),
            },
            Kind::And(left, right) => self.both(left, right, false),
            Kind::Or(left, right) => self.both(left, right, true),
            Kind::If(parts) => {
                let [test, then, otherwise] = parts.as_ref();
                if self.truth(test)? { self.value(then) } else { self.value(otherwise) }
            }
            Kind::Binary(operator, left, right) => self.binary(expr.at, *operator, left, right),
            Kind::List(items) => {
                let terms = items.iter().map(|item| self.value(item)).collect::<Result<_, _>>()?;
                Ok(Term::Made(Rc::new(terms)))
            }
            Kind::Map(members) => {
                let member = |(name, value): &'a (Box<str>, Expr)| Ok((name.as_ref(), self.value(value)?));
                Ok(Term::Members(Rc::new(members.iter().map(member).collect::<Result<_, Failure>>()?)))
            }
            Kind::Macro(shape) => self.macro_call(shape),
            // `type()` is a test: what is not there has the type of null, so a guarded ceiling does not block a call
            // for an amount that nobody gave.
            Kind::Call(Function::Type, arguments) if arguments.first().is_some_and(is_member) => {
                match self.value(arguments.first().unwrap_or(expr)) {
                    Err(failure) if matches!(failure.what, What::Missing(_)) => Ok(Term::Type(TypeWord::Null)),
                    value => value.map(|term| Term::Type(term.type_word())),
                }
            }
            Kind::Call(function, arguments) => {
                let terms = arguments.iter().map(|argument| self.value(argument)).collect::<Result<Vec<_>, _>>()?;
                if !plain::reads_little(*function, arguments) {
                    self.spend(expr.at, terms.iter().map(functions::weight).sum())?;
                }
                functions::call(expr.at, *function, &terms)
            }
            Kind::Matches(operand, pattern) => {
                let term = self.value(operand)?;
                self.spend(expr.at, functions::weight(&term))?;
                match &term {
                    Term::Text(text) => Ok(Term::Bool(pattern.is_match(text))),
                    other => Err(functions::wanted(operand.at, "a string", other)),
                }
            }
        }
    }

    fn truth(&mut self, expr: &'a Expr) -> Result<bool, Failure> {
        match self.value(expr)? {
            Term::Bool(value) => Ok(value),
            other => Err(functions::wanted(expr.at, "true or false", &other)),
        }
    }

    /// `&&` (decided by `false`) and `||` (decided by `true`).
    fn both(&mut self, left: &'a Expr, right: &'a Expr, deciding: bool) -> Outcome<'a> {
        let left = self.truth(left);
        if left == Ok(deciding) {
            return left.map(Term::Bool);
        }
        match (left, self.truth(right)) {
            (_, Ok(right)) if right == deciding => Ok(Term::Bool(deciding)),
            (Err(failure), _) | (_, Err(failure)) => Err(failure),
            _ => Ok(Term::Bool(!deciding)),
        }
    }

    fn member(&mut self, expr: &'a Expr, operand: &'a Expr, member: &str) -> Outcome<'a> {
        if let Kind::Reading(inspector) = &operand.kind
            && matches!(self.view.reading(*inspector), Reading::Unknown)
        {
            return Ok(Term::text(UNKNOWN));
        }
        let term = self.value(operand)?;
        if !term.is_object() {
            return Err(functions::wanted(operand.at, "an object", &term));
        }
        term.member(member).ok_or_else(|| Failure::new(expr.at, What::Missing(functions::path(expr))))
    }

    /// `false` if the member or any parent is absent; a parent that is there and no object is a failure.
    fn has(&mut self, operand: &'a Expr, member: &str) -> Result<bool, Failure> {
        if let Kind::Reading(inspector) = &operand.kind
            && matches!(self.view.reading(*inspector), Reading::Unknown)
        {
            return Ok(true);
        }
        match self.value(operand) {
            Ok(term) if term.is_object() => Ok(term.member(member).is_some()),
            Ok(other) => Err(functions::wanted(operand.at, "an object", &other)),
            Err(Failure { what: What::Missing(_) | What::NoSuchIndex, .. }) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    fn index(&mut self, expr: &'a Expr, operand: &'a Expr, index: &'a Expr) -> Outcome<'a> {
        let (term, key) = (self.value(operand)?, self.value(index)?);
        match (&term, &key) {
            (Term::Items(_) | Term::Made(_), Term::Number(number)) => {
                let place = number.to_i64().and_then(|place| usize::try_from(place).ok());
                let found = place.and_then(|place| term.elements().and_then(|mut elements| elements.nth(place)));
                found.ok_or_else(|| Failure::new(expr.at, What::NoSuchIndex))
            }
            (Term::Object(_) | Term::Members(_), Term::Text(name)) => {
                term.member(name).ok_or_else(|| Failure::new(expr.at, What::Missing(functions::path(expr))))
            }
            (Term::Items(_) | Term::Made(_), other) => Err(functions::wanted(index.at, "a number", other)),
            (Term::Object(_) | Term::Members(_), other) => Err(functions::wanted(index.at, "a string", other)),
            (other, _) => Err(functions::wanted(operand.at, "a list or an object", other)),
        }
    }

    fn binary(&mut self, at: u32, operator: Operator, left: &'a Expr, right: &'a Expr) -> Outcome<'a> {
        let free = plain::computes_little(operator, left, right);
        let (left, right) = (self.value(left)?, self.value(right)?);
        let weight = match operator {
            _ if free => 0,
            Operator::In => functions::weight_of_search(&right, &left),
            _ => functions::weight(&left).saturating_add(functions::weight(&right)),
        };
        self.spend(at, weight)?;
        functions::binary(operator, left, right).map_err(|what| Failure::new(at, what))
    }

    fn macro_call(&mut self, shape: &'a Macro) -> Outcome<'a> {
        let over = self.value(&shape.over)?;
        let Some(elements) = over.elements() else {
            return Err(functions::wanted(shape.over.at, "a list", &over));
        };
        let outer = self.variables.len();
        let mut state = Gathered::default();
        for element in elements {
            self.variables.truncate(usize::try_from(shape.variable).unwrap_or(outer));
            self.variables.push(element.clone());
            if self.element(shape, element, &mut state) {
                break;
            }
        }
        self.variables.truncate(outer);
        state.result(shape.kind)
    }

    /// Takes one element in; `true` if nothing after it can change the result.
    fn element(&mut self, shape: &'a Macro, element: Term<'a>, state: &mut Gathered<'a>) -> bool {
        let steps = usize::try_from(shape.cost).unwrap_or(usize::MAX);
        if let Err(failure) = self.spend(shape.body.at, steps) {
            return state.fail(failure);
        }
        match shape.kind {
            MacroKind::Exists | MacroKind::All => match self.truth(&shape.body) {
                Ok(value) if value == (shape.kind == MacroKind::Exists) => state.decide(),
                Ok(_) => false,
                // The budget being used up fails everything; any other failure waits for a decision.
                Err(failure) => {
                    let stop = failure.what == What::Budget;
                    state.fail(failure);
                    stop
                }
            },
            MacroKind::ExistsOne => match self.truth(&shape.body) {
                Ok(value) => state.count(value),
                Err(failure) => state.fail(failure),
            },
            MacroKind::Filter => match self.truth(&shape.body) {
                Ok(true) => state.keep(element),
                Ok(false) => false,
                Err(failure) => state.fail(failure),
            },
            MacroKind::Map => match shape.filter.as_ref().map_or(Ok(true), |filter| self.truth(filter)) {
                Ok(false) => false,
                Ok(true) => match self.value(&shape.body) {
                    Ok(term) => state.keep(term),
                    Err(failure) => state.fail(failure),
                },
                Err(failure) => state.fail(failure),
            },
        }
    }

    fn spend(&mut self, at: u32, steps: usize) -> Result<(), Failure> {
        if self.budget.spend(steps) { Ok(()) } else { Err(Failure::new(at, What::Budget)) }
    }
}

/// What a macro has found so far.
#[derive(Default)]
struct Gathered<'a> {
    decided: bool,
    matches: usize,
    kept: Vec<Term<'a>>,
    failure: Option<Failure>,
}

impl<'a> Gathered<'a> {
    fn decide(&mut self) -> bool {
        self.decided = true;
        true
    }

    fn count(&mut self, value: bool) -> bool {
        self.matches += usize::from(value);
        false
    }

    fn keep(&mut self, term: Term<'a>) -> bool {
        self.kept.push(term);
        false
    }

    fn fail(&mut self, failure: Failure) -> bool {
        self.failure.get_or_insert(failure);
        true
    }

    fn result(self, kind: MacroKind) -> Outcome<'a> {
        let exists = kind == MacroKind::Exists;
        match (kind, self.failure) {
            (MacroKind::Exists | MacroKind::All, _) if self.decided => Ok(Term::Bool(exists)),
            (_, Some(failure)) => Err(failure),
            (MacroKind::Exists | MacroKind::All, None) => Ok(Term::Bool(!exists)),
            (MacroKind::ExistsOne, None) => Ok(Term::Bool(self.matches == 1)),
            (MacroKind::Map | MacroKind::Filter, None) => Ok(Term::Made(Rc::new(self.kept))),
        }
    }
}
