//! Calls in conditions: operators, functions and macros.

use super::ast::{Expr, Function, Kind, Macro, MacroKind, Operator, TypeWord};
use super::lower::Lowering;
use super::{names, past, plain, types};
use crate::policy::finding;
use cel::common::ast::{CallExpr, Expr as Parsed, IdedExpr, LiteralValue};

const OPERATORS: [(&str, Operator); 12] = [
    ("_==_", Operator::Equal),
    ("_!=_", Operator::NotEqual),
    ("_<_", Operator::Less),
    ("_<=_", Operator::LessOrEqual),
    ("_>_", Operator::Greater),
    ("_>=_", Operator::GreaterOrEqual),
    ("@in", Operator::In),
    ("_+_", Operator::Add),
    ("_-_", Operator::Subtract),
    ("_*_", Operator::Multiply),
    ("_/_", Operator::Divide),
    ("_%_", Operator::Remainder),
];

/// Functions called on a value: name, number of further arguments.
const METHODS: [(&str, Function, usize); 14] = [
    ("size", Function::Size, 0),
    ("startsWith", Function::StartsWith, 1),
    ("endsWith", Function::EndsWith, 1),
    ("contains", Function::Contains, 1),
    ("lowerAscii", Function::LowerAscii, 0),
    ("upperAscii", Function::UpperAscii, 0),
    ("getFullYear", Function::FullYear, 0),
    ("getMonth", Function::Month, 0),
    ("getDate", Function::Date, 0),
    ("getDayOfWeek", Function::DayOfWeek, 0),
    ("getHours", Function::Hours, 0),
    ("getMinutes", Function::Minutes, 0),
    ("getSeconds", Function::Seconds, 0),
    ("matches", Function::Contains, 1),
];

const MACROS: [(&str, MacroKind); 6] = [
    ("exists", MacroKind::Exists),
    ("exists_one", MacroKind::ExistsOne),
    ("existsOne", MacroKind::ExistsOne),
    ("all", MacroKind::All),
    ("map", MacroKind::Map),
    ("filter", MacroKind::Filter),
];

/// A compiled pattern may take this much memory.
const PATTERN_BYTES: usize = 1 << 18;

pub(super) fn lower(lowering: &mut Lowering<'_>, call: &CallExpr, at: u32) -> Kind {
    let name = call.func_name.as_str();
    match (name, call.target.as_deref(), call.args.as_slice()) {
        ("_&&_", None, [left, right]) => {
            let (left, right) = logical(lowering, left, right);
            Kind::And(left, right)
        }
        ("_||_", None, [left, right]) => {
            let (left, right) = logical(lowering, left, right);
            Kind::Or(left, right)
        }
        ("!_", None, [operand]) => {
            let operand = lowering.boxed(operand);
            types::check_bool(lowering, &operand);
            Kind::Not(operand)
        }
        ("-_", None, [operand]) => {
            let operand = lowering.boxed(operand);
            types::check(lowering, &operand, TypeWord::Number, "a number");
            Kind::Negate(operand)
        }
        ("_?_:_", None, [test, then, otherwise]) => {
            let test = lowering.expr(test);
            types::check_bool(lowering, &test);
            Kind::If(Box::new([test, lowering.expr(then), lowering.expr(otherwise)]))
        }
        ("_[_]", None, [operand, index]) => lower_index(lowering, operand, index),
        ("has", None, [argument]) => lower_has(lowering, argument, at),
        ("type", None, [argument]) => Kind::Call(Function::Type, vec![lowering.expr(argument)]),
        ("size", None, [argument]) => Kind::Call(Function::Size, vec![lowering.expr(argument)]),
        ("timestamp" | "duration", None, [argument]) => lower_time(lowering, name, argument),
        (_, None, [left, right]) if operator(name).is_some() => {
            operator(name).map_or(Kind::Null, |operator| lowering.binary(operator, left, right, at))
        }
        ("matches", Some(operand), [pattern]) => lower_matches(lowering, operand, pattern),
        (_, Some(over), arguments) if macro_kind(name).is_some() => lower_macro(lowering, name, over, arguments, at),
        (_, Some(operand), arguments) => lower_method(lowering, name, operand, arguments, at),
        _ => past::lower(lowering, call, at).unwrap_or_else(|| unknown_function(lowering, name, at)),
    }
}

pub(super) fn is_macro(name: &str) -> bool {
    macro_kind(name).is_some()
}

fn operator(name: &str) -> Option<Operator> {
    OPERATORS.iter().find(|(known, _)| *known == name).map(|(_, operator)| *operator)
}

fn macro_kind(name: &str) -> Option<MacroKind> {
    MACROS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
}

fn logical(lowering: &mut Lowering<'_>, left: &IdedExpr, right: &IdedExpr) -> (Box<Expr>, Box<Expr>) {
    let (left, right) = (lowering.boxed(left), lowering.boxed(right));
    types::check_bool(lowering, &left);
    types::check_bool(lowering, &right);
    (left, right)
}

fn literal_text(node: &IdedExpr) -> Option<&str> {
    match &node.expr {
        Parsed::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}

/// `a["b"]` is `a.b`; everything else is an index computed at run time.
fn lower_index(lowering: &mut Lowering<'_>, operand: &IdedExpr, index: &IdedExpr) -> Kind {
    let lowered = lowering.boxed(operand);
    match literal_text(index) {
        Some(name) => {
            let at = lowering.offset(index);
            lowering.member(lowered, name, at).kind
        }
        None => Kind::Index(lowered, lowering.boxed(index)),
    }
}

fn lower_has(lowering: &mut Lowering<'_>, argument: &IdedExpr, at: u32) -> Kind {
    let lowered = lowering.expr(argument);
    match lowered.kind {
        Kind::Select(operand, member) => Kind::Has(operand, member),
        Kind::Fact(fact) => Kind::HasFact(fact),
        // Reported already, or let through by `strict: false`: then it is not there.
        Kind::Unknown(_) => Kind::Bool(false),
        _ => lowering.refuse(at, "`has` asks for a member, as in `has(context.amount)`"),
    }
}

fn lower_time(lowering: &mut Lowering<'_>, name: &str, argument: &IdedExpr) -> Kind {
    let at = lowering.start(argument);
    let Some(text) = literal_text(argument) else {
        return lowering.refuse(at, format!("`{name}` takes a literal string"));
    };
    let kind = if name == "timestamp" { text.parse().map(Kind::Moment) } else { text.parse().map(Kind::Length) };
    kind.unwrap_or_else(|error| lowering.refuse(at, error.to_string()))
}

fn lower_matches(lowering: &mut Lowering<'_>, operand: &IdedExpr, pattern: &IdedExpr) -> Kind {
    let operand = lowering.boxed(operand);
    types::check(lowering, &operand, TypeWord::Text, "a string");
    let at = lowering.start(pattern);
    let Some(text) = literal_text(pattern) else {
        return lowering.refuse(at, "a pattern is a literal string");
    };
    match regex::RegexBuilder::new(text).size_limit(PATTERN_BYTES).build() {
        Ok(pattern) => Kind::Matches(operand, Box::new(pattern)),
        Err(error) => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            lowering.refuse(at, format!("the pattern cannot be used: {last}"))
        }
    }
}

fn lower_macro(lowering: &mut Lowering<'_>, name: &str, over: &IdedExpr, arguments: &[IdedExpr], at: u32) -> Kind {
    let Some(kind) = macro_kind(name) else { return unknown_function(lowering, name, at) };
    let (variable, filter, body) = match arguments {
        [variable, body] => (variable, None, body),
        [variable, filter, body] if kind == MacroKind::Map => (variable, Some(filter), body),
        _ => return lowering.refuse(at, format!("`{name}` takes a variable and a condition")),
    };
    let Parsed::Ident(variable) = &variable.expr else {
        return lowering.refuse(at, format!("the first argument of `{name}` is the name of a variable"));
    };
    let over = lowering.expr(over);
    lowering.bound.push(variable.clone());
    let slot = u32::try_from(lowering.bound.len() - 1).unwrap_or(u32::MAX);
    let filter = filter.map(|filter| lowering.expr(filter));
    let body = lowering.expr(body);
    lowering.bound.pop();
    if let Some(filter) = &filter {
        types::check_bool(lowering, filter);
    }
    if kind != MacroKind::Map {
        types::check_bool(lowering, &body);
    }
    let cost = filter.iter().chain([&body]).fold(1, |sum: u32, part| sum.saturating_add(plain::nodes(part)));
    Kind::Macro(Box::new(Macro { kind, over, variable: slot, filter, body, cost }))
}

fn lower_method(lowering: &mut Lowering<'_>, name: &str, operand: &IdedExpr, arguments: &[IdedExpr], at: u32) -> Kind {
    let Some((_, function, count)) = METHODS.iter().find(|(known, _, _)| *known == name) else {
        return unknown_function(lowering, name, at);
    };
    if arguments.len() != *count {
        return lowering.refuse(at, format!("`{name}` takes {count} arguments, not {}", arguments.len()));
    }
    let mut operands = vec![lowering.expr(operand)];
    operands.extend(arguments.iter().map(|argument| lowering.expr(argument)));
    Kind::Call(*function, operands)
}

fn unknown_function(lowering: &mut Lowering<'_>, name: &str, at: u32) -> Kind {
    let known = METHODS.iter().map(|(known, _, _)| *known).chain(MACROS.iter().map(|(known, _)| *known));
    let help = finding::nearest(name, known.chain(["has", "type", "timestamp", "duration"]).chain(past::names()));
    lowering.problem(at, format!("unknown function `{name}`"), help);
    Kind::Unknown(names::UNKNOWN.into())
}
