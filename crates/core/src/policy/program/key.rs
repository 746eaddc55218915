//! The identity of a predicate: two parts of conditions with the same key mean the same, and fail at the
//! same place relative to their own.

use crate::policy::condition::ast::{Expr, Kind};
use std::fmt::Write;

/// The whole expression as text; offsets are relative to its own.
#[must_use]
pub fn key(expr: &Expr) -> String {
    let mut out = String::with_capacity(64);
    write(expr, expr.at, &mut out);
    out
}

fn write(expr: &Expr, base: u32, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = write!(out, "({}", expr.at.wrapping_sub(base).cast_signed());
    let _ = match &expr.kind {
        Kind::Null => write!(out, "null"),
        Kind::Bool(value) => write!(out, "b{value}"),
        Kind::Number(number) => write!(out, "n{number}"),
        Kind::Text(text) => write!(out, "t{text:?}"),
        Kind::Moment(moment) => write!(out, "m{}", moment.0),
        Kind::Length(span) => write!(out, "l{}", span.0),
        Kind::Type(word) => write!(out, "type {}", word.as_str()),
        Kind::Fact(fact) => write!(out, "fact {}", fact.name()),
        Kind::HasFact(fact) => write!(out, "has fact {}", fact.name()),
        Kind::Context => write!(out, "context"),
        Kind::Reading(inspector) => write!(out, "reading {}", inspector.as_str()),
        Kind::Meter(meter) => write!(out, "meter {meter}"),
        Kind::Variable(variable) => write!(out, "variable {variable}"),
        Kind::Unknown(name) => write!(out, "unknown {name:?}"),
        Kind::Select(_, member) => write!(out, "select {member:?}"),
        Kind::Has(_, member) => write!(out, "has {member:?}"),
        Kind::Index(..) => write!(out, "index"),
        Kind::IsNull(_) => write!(out, "is null"),
        Kind::Not(_) => write!(out, "not"),
        Kind::Negate(_) => write!(out, "negate"),
        Kind::And(..) => write!(out, "and"),
        Kind::Or(..) => write!(out, "or"),
        Kind::If(_) => write!(out, "if"),
        Kind::Binary(operator, ..) => write!(out, "{operator:?}"),
        Kind::List(_) => write!(out, "list"),
        Kind::Map(members) => {
            let names: Vec<&str> = members.iter().map(|(name, _)| name.as_ref()).collect();
            write!(out, "map {names:?}")
        }
        Kind::Macro(shape) => {
            write!(out, "{:?} {} {}", shape.kind, shape.variable, if shape.filter.is_some() { "filtered" } else { "" })
        }
        Kind::Call(function, _) => write!(out, "{function:?}"),
        Kind::Matches(_, pattern) => write!(out, "matches {:?}", pattern.as_str()),
    };
    expr.each_child(&mut |child| write(child, base, out));
    out.push(')');
}
