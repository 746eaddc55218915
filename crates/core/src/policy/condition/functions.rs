//! What operators and functions compute. Total: every operand of a wrong type is a failure.

use super::ast::{Expr, Function, Kind, Operator};
use super::failure::{Failure, What};
use super::term::Term;
use crate::decimal::{Decimal, DecimalError};
use crate::time::{Micros, Span};
use crate::value::Value;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::rc::Rc;

type Computed<'a> = Result<Term<'a>, What>;

#[must_use]
pub fn wanted(at: u32, wanted: &'static str, found: &Term<'_>) -> Failure {
    let what = match found {
        Term::Null => What::Null,
        other => What::Wanted { wanted, found: other.type_word() },
    };
    Failure::new(at, what)
}

/// Steps that reading all of the term costs: one per element or member at any depth, and one per 64
/// bytes of text. Takes as long as it says, so that it can be spent before the work is done.
#[must_use]
pub fn weight(term: &Term<'_>) -> usize {
    let sum = |weights: &mut dyn Iterator<Item = usize>| weights.fold(0, |sum: usize, one| sum.saturating_add(one + 1));
    match term {
        Term::Text(text) => text.len() / 64,
        Term::Items(items) => sum(&mut items.iter().map(weight_of_value)),
        Term::Made(terms) => sum(&mut terms.iter().map(weight)),
        Term::Object(object) => sum(&mut object.values().map(weight_of_value)),
        Term::Members(members) => sum(&mut members.iter().map(|(_, term)| weight(term))),
        _ => 0,
    }
}

/// Steps that looking for `wanted` among the elements of `list` costs.
#[must_use]
pub fn weight_of_search(list: &Term<'_>, wanted: &Term<'_>) -> usize {
    weight(list).saturating_add(list.size().unwrap_or(0).saturating_mul(weight(wanted)))
}

fn weight_of_value(value: &Value) -> usize {
    weight(&Term::from(value))
}

/// The path of a member as it is written, for messages; computed parts are left out.
#[must_use]
pub fn path(expr: &Expr) -> Box<str> {
    fn write(expr: &Expr, out: &mut String) {
        match &expr.kind {
            Kind::Context => out.push_str("context"),
            Kind::Reading(inspector) => out.push_str(inspector.as_str()),
            Kind::Variable(_) => out.push_str("variable"),
            Kind::Select(operand, member) => {
                write(operand, out);
                out.push('.');
                out.push_str(member);
            }
            Kind::Index(operand, _) => {
                write(operand, out);
                out.push_str("[…]");
            }
            _ => out.push('…'),
        }
    }
    let mut out = String::new();
    write(expr, &mut out);
    out.into()
}

pub fn binary<'a>(operator: Operator, left: Term<'a>, right: Term<'a>) -> Computed<'a> {
    let ordered = |accept: fn(Ordering) -> bool| left.order(&right).map(|order| Term::Bool(accept(order)));
    match operator {
        Operator::Equal => left.equals(&right).map(Term::Bool),
        Operator::NotEqual => left.equals(&right).map(|same| Term::Bool(!same)),
        Operator::Less => ordered(Ordering::is_lt),
        Operator::LessOrEqual => ordered(Ordering::is_le),
        Operator::Greater => ordered(Ordering::is_gt),
        Operator::GreaterOrEqual => ordered(Ordering::is_ge),
        Operator::In => contains(&right, &left).map(Term::Bool),
        Operator::Add => add(left, right),
        Operator::Subtract => subtract(&left, &right),
        Operator::Multiply => arithmetic(&left, &right, Decimal::checked_mul),
        Operator::Divide => arithmetic(&left, &right, Decimal::checked_div),
        Operator::Remainder => arithmetic(&left, &right, Decimal::checked_rem),
    }
}

/// Like `exists(element == wanted)`: one equal element decides, else one failing comparison fails.
fn contains(list: &Term<'_>, wanted: &Term<'_>) -> Result<bool, What> {
    if let (true, Term::Text(name)) = (list.is_object(), wanted) {
        return Ok(list.member(name).is_some());
    }
    let elements = list.elements().ok_or_else(|| mismatch(wanted, list))?;
    if matches!(wanted, Term::Null) {
        return Err(What::Null);
    }
    let mut failure = None;
    for element in elements {
        match element.equals(wanted) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(what) => failure = failure.or(Some(what)),
        }
    }
    failure.map_or(Ok(false), Err)
}

fn mismatch(left: &Term<'_>, right: &Term<'_>) -> What {
    match (left, right) {
        (Term::Null, _) | (_, Term::Null) => What::Null,
        _ => What::Mismatch { left: left.type_word(), right: right.type_word() },
    }
}

fn add<'a>(left: Term<'a>, right: Term<'a>) -> Computed<'a> {
    match (&left, &right) {
        (Term::Text(left), Term::Text(right)) => Ok(Term::Text(Cow::Owned(format!("{left}{right}")))),
        (Term::Moment(moment), Term::Length(span)) | (Term::Length(span), Term::Moment(moment)) => {
            moment.0.checked_add(span.0).map(|sum| Term::Moment(Micros(sum))).ok_or(What::Time)
        }
        (Term::Length(left), Term::Length(right)) => {
            left.0.checked_add(right.0).map(|sum| Term::Length(Span(sum))).ok_or(What::Time)
        }
        _ => match (left.elements(), right.elements()) {
            (Some(first), Some(second)) => Ok(Term::Made(Rc::new(first.chain(second).collect()))),
            _ => arithmetic(&left, &right, Decimal::checked_add),
        },
    }
}

fn subtract<'a>(left: &Term<'a>, right: &Term<'a>) -> Computed<'a> {
    match (left, right) {
        (Term::Moment(moment), Term::Length(span)) => {
            moment.0.checked_sub(span.0).map(|rest| Term::Moment(Micros(rest))).ok_or(What::Time)
        }
        (Term::Moment(left), Term::Moment(right)) => {
            left.0.checked_sub(right.0).map(|rest| Term::Length(Span(rest))).ok_or(What::Time)
        }
        (Term::Length(left), Term::Length(right)) => {
            left.0.checked_sub(right.0).map(|rest| Term::Length(Span(rest))).ok_or(What::Time)
        }
        _ => arithmetic(left, right, Decimal::checked_sub),
    }
}

fn arithmetic<'a>(
    left: &Term<'a>,
    right: &Term<'a>,
    compute: fn(Decimal, Decimal) -> Result<Decimal, DecimalError>,
) -> Computed<'a> {
    match (left, right) {
        (Term::Number(left), Term::Number(right)) => compute(*left, *right).map(Term::Number).map_err(What::Number),
        _ => Err(mismatch(left, right)),
    }
}

pub fn call<'a>(at: u32, function: Function, arguments: &[Term<'a>]) -> Result<Term<'a>, Failure> {
    let Some(first) = arguments.first() else {
        return Err(Failure::new(at, What::Missing("argument".into())));
    };
    match function {
        Function::Type => Ok(Term::Type(first.type_word())),
        Function::Size => {
            let size = first.size().and_then(|size| u64::try_from(size).ok());
            let size = size.ok_or_else(|| wanted(at, "a string, list or map", first))?;
            Ok(Term::Number(Decimal::from(size)))
        }
        Function::StartsWith | Function::EndsWith | Function::Contains => {
            let (text, part) = (text(at, first)?, text(at, arguments.get(1).unwrap_or(&Term::Null))?);
            Ok(Term::Bool(match function {
                Function::StartsWith => text.starts_with(part),
                Function::EndsWith => text.ends_with(part),
                _ => text.contains(part),
            }))
        }
        Function::LowerAscii => Ok(Term::Text(Cow::Owned(text(at, first)?.to_ascii_lowercase()))),
        Function::UpperAscii => Ok(Term::Text(Cow::Owned(text(at, first)?.to_ascii_uppercase()))),
        _ => calendar(at, function, first),
    }
}

fn text<'t>(at: u32, term: &'t Term<'_>) -> Result<&'t str, Failure> {
    match term {
        Term::Text(text) => Ok(text),
        other => Err(wanted(at, "a string", other)),
    }
}

/// Calendar fields in UTC; as in CEL, months and days of the week start at 0, `getDate` at 1.
fn calendar<'a>(at: u32, function: Function, term: &Term<'a>) -> Result<Term<'a>, Failure> {
    let Term::Moment(moment) = term else { return Err(wanted(at, "a timestamp", term)) };
    let calendar = moment.calendar();
    let field = match function {
        Function::FullYear => calendar.year,
        Function::Month => calendar.month - 1,
        Function::Date => calendar.day,
        Function::DayOfWeek => calendar.weekday,
        Function::Hours => calendar.hour,
        Function::Minutes => calendar.minute,
        _ => calendar.second,
    };
    Ok(Term::Number(Decimal::from(field)))
}
