//! The types that are known before any call: enough to refuse conditions that can only fail.
//!
//! Context is not typed here: a caller may send anything, and conditions are expected to test it.

use super::ast::{Expr, Function, Kind, MacroKind, Operator, TypeWord};
use super::lower::Lowering;

/// The type of the expression's value, if it can have only one.
#[must_use]
pub fn known(expr: &Expr) -> Option<TypeWord> {
    Some(match &expr.kind {
        Kind::Null => TypeWord::Null,
        Kind::Bool(_) | Kind::Has(..) | Kind::HasFact(_) | Kind::IsNull(_) | Kind::Not(_) => TypeWord::Bool,
        Kind::And(..) | Kind::Or(..) | Kind::Matches(..) => TypeWord::Bool,
        Kind::Number(_) | Kind::Negate(_) | Kind::Meter(_) => TypeWord::Number,
        Kind::Text(_) => TypeWord::Text,
        Kind::Moment(_) => TypeWord::Timestamp,
        Kind::Length(_) => TypeWord::Duration,
        Kind::Type(_) => TypeWord::Type,
        Kind::Fact(fact) => fact.type_word(),
        Kind::Context | Kind::Map(_) => TypeWord::Map,
        Kind::List(_) => TypeWord::List,
        Kind::Macro(shape) => match shape.kind {
            MacroKind::Exists | MacroKind::ExistsOne | MacroKind::All => TypeWord::Bool,
            MacroKind::Map | MacroKind::Filter => TypeWord::List,
        },
        Kind::Call(function, _) => of_function(*function),
        Kind::Binary(operator, left, right) => return of_operator(*operator, left, right),
        Kind::Reading(_) | Kind::Variable(_) | Kind::Unknown(_) | Kind::Select(..) | Kind::Index(..) | Kind::If(_) => {
            return None;
        }
    })
}

fn of_function(function: Function) -> TypeWord {
    match function {
        Function::StartsWith | Function::EndsWith | Function::Contains => TypeWord::Bool,
        Function::LowerAscii | Function::UpperAscii => TypeWord::Text,
        Function::Type => TypeWord::Type,
        _ => TypeWord::Number,
    }
}

fn of_operator(operator: Operator, left: &Expr, right: &Expr) -> Option<TypeWord> {
    match operator {
        Operator::Multiply | Operator::Divide | Operator::Remainder => Some(TypeWord::Number),
        Operator::Add | Operator::Subtract => {
            let (left, right) = (known(left)?, known(right)?);
            (left == right && left != TypeWord::Timestamp).then_some(left)
        }
        _ => Some(TypeWord::Bool),
    }
}

pub(super) fn check_binary(lowering: &mut Lowering<'_>, operator: Operator, left: &Expr, right: &Expr, at: u32) {
    let (Some(left), Some(right)) = (known(left), known(right)) else { return };
    let fits = match operator {
        Operator::Equal | Operator::NotEqual => left == right,
        Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
            let ordered = [TypeWord::Number, TypeWord::Text, TypeWord::Timestamp, TypeWord::Duration];
            left == right && ordered.contains(&left)
        }
        Operator::In => right == TypeWord::List || (right == TypeWord::Map && left == TypeWord::Text),
        Operator::Multiply | Operator::Divide | Operator::Remainder => {
            (left, right) == (TypeWord::Number, TypeWord::Number)
        }
        Operator::Add | Operator::Subtract => match (left, right) {
            (TypeWord::Text | TypeWord::List, _) => left == right && operator == Operator::Add,
            (TypeWord::Number, TypeWord::Number) | (TypeWord::Duration, TypeWord::Duration) => true,
            (TypeWord::Timestamp, TypeWord::Duration) => true,
            (TypeWord::Duration, TypeWord::Timestamp) => operator == Operator::Add,
            (TypeWord::Timestamp, TypeWord::Timestamp) => operator == Operator::Subtract,
            _ => false,
        },
    };
    if !fits {
        let message = format!("this can only fail: {} with {}", left.as_str(), right.as_str());
        lowering.problem(at, message, None);
    }
}

/// What stands where only true or false can stand.
pub(super) fn check_bool(lowering: &mut Lowering<'_>, expr: &Expr) {
    check(lowering, expr, TypeWord::Bool, "true or false");
}

pub(super) fn check(lowering: &mut Lowering<'_>, expr: &Expr, wanted: TypeWord, words: &str) {
    if let Some(found) = known(expr).filter(|found| *found != wanted) {
        lowering.problem(expr.at, format!("{words} is needed here, this is a {}", found.as_str()), None);
    }
}
