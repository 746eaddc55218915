//! Whether a WHERE bounds what a statement touches, or only looks as if it did.
//!
//! Counts as a bound: a column equal to a value, or among listed values, and nothing beside it that
//! opens it again. `1 = 1`, `id = id`, `id > 0`, `id IS NOT NULL` and anything joined to such by OR do not.
//! Where several tables are named, the bound has to be on the changed one, or on one that an equality
//! of columns ties to it.

use super::lexical::Scan;
use sqlparser::ast::{BinaryOperator, Expr, Ident, UnaryOperator, Value};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Whether the condition bounds the rows of the changed table. `None`: there is only one table.
pub(super) fn bounds(condition: &Expr, changed: Option<&[String]>) -> bool {
    match changed {
        None => holds_bound(condition, &|_| true),
        Some(names) => {
            let mut tied: BTreeSet<String> = names.iter().cloned().collect();
            let mut pairs = Vec::new();
            ties(condition, &mut pairs);
            // As many rounds as there are ties reach every table tied to the changed one.
            for _ in 0..pairs.len() {
                for (one, other) in &pairs {
                    if tied.contains(one) || tied.contains(other) {
                        tied.insert(one.clone());
                        tied.insert(other.clone());
                    }
                }
            }
            holds_bound(condition, &|column| qualifier(column).is_some_and(|table| tied.contains(&table)))
        }
    }
}

fn holds_bound(condition: &Expr, counts: &dyn Fn(&Expr) -> bool) -> bool {
    let is_bound = |column: &Expr, value: &Expr| is_column(column) && counts(column) && is_telling(value);
    match condition {
        Expr::Nested(inner) => holds_bound(inner, counts),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            holds_bound(left, counts) || holds_bound(right, counts)
        }
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
            holds_bound(left, counts) && holds_bound(right, counts)
        }
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => is_bound(left, right) || is_bound(right, left),
        Expr::InList { expr, list, negated: false } => {
            !list.is_empty() && list.iter().all(|value| is_bound(expr, value))
        }
        _ => false,
    }
}

/// Equalities between columns of two tables that hold for every row: only those joined by AND.
fn ties(condition: &Expr, pairs: &mut Vec<(String, String)>) {
    match condition {
        Expr::Nested(inner) => ties(inner, pairs),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            ties(left, pairs);
            ties(right, pairs);
        }
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
            if let (Some(one), Some(other)) = (qualifier(left), qualifier(right))
                && one != other
            {
                pairs.push((one, other));
            }
        }
        _ => {}
    }
}

/// The table that a column is written with.
fn qualifier(column: &Expr) -> Option<String> {
    match column {
        Expr::Nested(inner) => qualifier(inner),
        Expr::CompoundIdentifier(parts) => parts.iter().rev().nth(1).map(|name| name.value.to_lowercase()),
        _ => None,
    }
}

/// A value that picks rows. Zero and truth values pick whatever is no number (in MySQL `name = 0` is true
/// for every name), or about half of everything.
fn is_telling(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_telling(inner),
        Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr } => is_telling(expr),
        Expr::Cast { expr, .. } => is_telling(expr),
        Expr::Value(value) => match &value.value {
            Value::Boolean(_) => false,
            Value::Number(digits, _) => digits.contains(|digit: char| matches!(digit, '1'..='9')),
            _ => true,
        },
        other => is_value(other),
    }
}

/// Whether a condition that stands alone (`status = 'done'`) plainly chooses some rows and not all. Softer
/// than a bound: it may be a truth value, a pattern with letters in it, a time.
pub(super) fn chooses(text: &str) -> bool {
    let scan = Scan::of(text);
    if scan.is_ambiguous || !scan.is_small || text.len() > 4_096 {
        return false;
    }
    // SECURITY: the parser is not ours; a panic in it is a text that cannot be read.
    let parsed = catch_unwind(AssertUnwindSafe(|| {
        let mut parser = Parser::new(&GenericDialect {}).with_recursion_limit(20).try_with_sql(text).ok()?;
        let condition = parser.parse_expr().ok()?;
        (parser.peek_token().token == Token::EOF).then(|| is_choice(&condition))
    }));
    parsed.ok().flatten().unwrap_or(false)
}

fn is_choice(condition: &Expr) -> bool {
    match condition {
        Expr::Nested(inner) => is_choice(inner),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => is_choice(left) || is_choice(right),
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => is_choice(left) && is_choice(right),
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
            (is_column(left) && is_value(right)) || (is_value(left) && is_column(right))
        }
        Expr::BinaryOp {
            left,
            op: BinaryOperator::Lt | BinaryOperator::LtEq | BinaryOperator::Gt | BinaryOperator::GtEq,
            right,
        } => (is_column(left) && is_time(right)) || (is_time(left) && is_column(right)),
        Expr::InList { expr, list, negated: false } => is_column(expr) && !list.is_empty() && list.iter().all(is_value),
        Expr::Between { expr, negated: false, low, high } => is_column(expr) && is_time(low) && is_time(high),
        Expr::Like { negated: false, expr, pattern, any: false, .. } => is_column(expr) && has_letters(pattern),
        Expr::IsNull(expr) | Expr::IsTrue(expr) | Expr::IsFalse(expr) => is_column(expr),
        _ => false,
    }
}

/// A text that begins like a date, or something reckoned from now.
fn is_time(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_time(inner),
        Expr::TypedString(_) => true,
        Expr::Cast { expr, .. } => is_time(expr),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => {
                text.len() >= 8 && text.get(..4).is_some_and(|year| year.bytes().all(|digit| digit.is_ascii_digit()))
            }
            _ => false,
        },
        Expr::BinaryOp { left, op: BinaryOperator::Minus, right } => {
            is_time(left) && matches!(**right, Expr::Interval(_))
        }
        Expr::Function(function) => {
            let name = function.name.to_string().to_lowercase();
            matches!(name.as_str(), "now" | "current_timestamp" | "current_date" | "getdate" | "sysdate")
        }
        _ => false,
    }
}

fn has_letters(pattern: &Expr) -> bool {
    match pattern {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => text.chars().filter(|letter| letter.is_alphanumeric()).count() >= 2,
            _ => false,
        },
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
