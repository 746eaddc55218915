//! Whether a WHERE bounds what a statement touches, or only looks as if it did.
//!
//! Counts as a bound: a column equal to a value, or among listed values, and nothing beside it that
//! opens it again. `1 = 1`, `id = id`, `id > 0`, `id IS NOT NULL` and anything joined to such by OR do not.

use sqlparser::ast::{BinaryOperator, Expr, Ident, UnaryOperator};

pub(super) fn bounds(condition: &Expr) -> bool {
    match condition {
        Expr::Nested(inner) => bounds(inner),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => bounds(left) || bounds(right),
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => bounds(left) && bounds(right),
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
            (is_column(left) && is_value(right)) || (is_value(left) && is_column(right))
        }
        Expr::InList { expr, list, negated: false } => is_column(expr) && !list.is_empty() && list.iter().all(is_value),
        _ => false,
    }
}

fn is_column(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_column(inner),
        // Some databases read a name in double quotes as a string, and `true` or `null` are names to some.
        Expr::Identifier(name) => {
            !is_placeholder(name)
                && name.quote_style != Some('"')
                && !matches!(name.value.to_lowercase().as_str(), "true" | "false" | "null" | "unknown")
        }
        Expr::CompoundIdentifier(parts) => parts.len() > 1,
        _ => false,
    }
}

/// `$1` is a name to some parsers.
fn is_placeholder(name: &Ident) -> bool {
    name.quote_style.is_none() && name.value.starts_with(['$', ':', '@', '?'])
}

fn is_value(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_value(inner),
        Expr::Value(_) | Expr::TypedString(_) => true,
        Expr::Identifier(name) => is_placeholder(name),
        Expr::Cast { expr, .. } => is_value(expr),
        Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr } => is_value(expr),
        _ => false,
    }
}
