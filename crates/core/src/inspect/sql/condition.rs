//! Whether a WHERE bounds what a statement touches, or only looks as if it did.
//!
//! Counts as a bound: a column equal to a value, or among listed values, and nothing beside it that
//! opens it again. `1 = 1`, `id = id`, `id > 0`, `id IS NOT NULL` and anything joined to such by OR do not.
//! Where several tables are named, the bound has to be on the changed one, or on one that an equality
//! of columns ties to it.

use super::lexical::Scan;
use sqlparser::ast::{BinaryOperator, CastKind, DataType, Expr, Ident, UnaryOperator, Value};
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

/// A value that picks rows. To MySQL every text that begins with no digit is the number zero, so `name = 0` is
/// true for every name; so is `name = -'a'`, because a sign or a cast makes a number of the text beside it.
fn is_telling(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_telling(inner),
        Expr::Identifier(name) => is_placeholder(name),
        Expr::TypedString(typed) => typed.value.value.clone().into_string().is_some_and(|text| has_one(&text)),
        Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr } => is_number(expr),
        Expr::Cast { kind, expr, data_type, .. } => is_telling_cast(kind, expr, data_type),
        Expr::Value(value) => match &value.value {
            Value::Boolean(_) => false,
            Value::Number(..) => is_number(expr),
            Value::HexStringLiteral(digits)
            | Value::SingleQuotedByteStringLiteral(digits)
            | Value::DoubleQuotedByteStringLiteral(digits) => {
                digits.contains(|digit: char| digit.is_ascii_alphanumeric() && digit != '0')
            }
            _ => true,
        },
        _ => false,
    }
}

/// `CAST('a' AS SIGNED)` is zero, and `CAST(0.4 AS SIGNED)` as well. Who writes `$1::int` is asking a database that
/// compares no text with a number.
fn is_telling_cast(kind: &CastKind, expr: &Expr, kept_as: &DataType) -> bool {
    const NUMBERS: &[&str] = &["INT", "INTEGER", "BIGINT", "SIGNED", "UNSIGNED", "DECIMAL", "NUMERIC"];
    const TEXTS: &[&str] = &["CHAR", "CHARACTER", "VARCHAR", "NCHAR", "NVARCHAR", "TEXT", "UUID", "UNIQUEIDENTIFIER"];
    let name = kept_as.to_string().to_uppercase();
    let is = |table: &[&str]| name.split([' ', '(']).next().is_some_and(|first| table.contains(&first));
    if *kind == CastKind::DoubleColon {
        return is_telling(expr) && !name.starts_with("BOOL") && !name.starts_with("BIT");
    }
    is(TEXTS) && is_telling(expr) || is(NUMBERS) && is_whole_number(expr)
}

/// A number that stays one, whatever it is rounded to on its way: not zero, and not so small that it becomes it.
fn is_number(expr: &Expr) -> bool {
    let Expr::Value(value) = expr else {
        return match expr {
            Expr::Nested(inner) => is_number(inner),
            Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr } => is_number(expr),
            _ => false,
        };
    };
    match &value.value {
        Value::Number(digits, _) => digits.parse::<f64>().is_ok_and(|number| number.is_finite() && number >= 1e-9),
        _ => false,
    }
}

fn is_whole_number(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_whole_number(inner),
        Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr } => is_whole_number(expr),
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => has_one(digits) && digits.bytes().all(|digit| digit.is_ascii_digit()),
            _ => false,
        },
        _ => false,
    }
}

/// Whether a digit other than zero is in it.
fn has_one(text: &str) -> bool {
    text.contains(|digit: char| matches!(digit, '1'..='9'))
}

/// Whether a condition that stands alone (`status = 'done'`) plainly chooses some rows and not all. Softer
/// than a bound: it may be what is true, a pattern with letters in it, a time. False it may not be: to MySQL that
/// is zero.
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
            (is_column(left) && is_picked(right)) || (is_picked(left) && is_column(right))
        }
        Expr::BinaryOp {
            left,
            op: BinaryOperator::Lt | BinaryOperator::LtEq | BinaryOperator::Gt | BinaryOperator::GtEq,
            right,
        } => (is_column(left) && is_time(right)) || (is_time(left) && is_column(right)),
        Expr::InList { expr, list, negated: false } => {
            is_column(expr) && !list.is_empty() && list.iter().all(is_picked)
        }
        Expr::Between { expr, negated: false, low, high } => is_column(expr) && is_time(low) && is_time(high),
        Expr::Like { negated: false, expr, pattern, any: false, .. } => is_column(expr) && has_letters(pattern),
        Expr::IsNull(expr) | Expr::IsTrue(expr) => is_column(expr),
        _ => false,
    }
}

/// A text that begins like a date, or something reckoned from now.
fn is_time(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_time(inner),
        Expr::TypedString(_) => true,
        Expr::Cast { expr, data_type, .. } => is_time(expr) && keeps_time(data_type),
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

fn is_picked(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_picked(inner),
        Expr::Value(value) => value.value == Value::Boolean(true) || is_telling(expr),
        _ => is_telling(expr),
    }
}

/// A time that is cast to a number is later than every text.
fn keeps_time(kept_as: &DataType) -> bool {
    matches!(
        kept_as,
        DataType::Date | DataType::Date32 | DataType::Datetime(_) | DataType::Timestamp(..) | DataType::TimestampNtz(_)
    )
}
