//! Which parts of a condition are plain: their cost does not grow with the call.
//!
//! The budget exists for what a caller can make large: lists, objects and texts of the call. A plain
//! part reads members and facts, and compares them with what the rule itself spells out; how much of that
//! there can be was bounded when the condition was published. So plain parts are free, and they are looked
//! at before the others. What must stay true: nothing that is free takes longer because a call is larger.

use super::ast::{Expr, Fact, Function, Kind, Operator};

/// The sides of the outermost `&&`, from left to right. If one is false, the condition is false.
pub fn parts(root: &Expr) -> Parts<'_> {
    Parts { waiting: vec![root] }
}

pub struct Parts<'e> {
    waiting: Vec<&'e Expr>,
}

impl<'e> Iterator for Parts<'e> {
    type Item = &'e Expr;

    fn next(&mut self) -> Option<&'e Expr> {
        let mut expr = self.waiting.pop()?;
        while let Kind::And(left, right) = &expr.kind {
            self.waiting.push(right);
            expr = left;
        }
        Some(expr)
    }
}

/// Whether the whole expression is free.
#[must_use]
pub fn is_plain(expr: &Expr) -> bool {
    match &expr.kind {
        Kind::And(left, right) | Kind::Or(left, right) => is_plain(left) && is_plain(right),
        Kind::Not(operand) | Kind::IsNull(operand) | Kind::Negate(operand) => is_plain(operand),
        Kind::If(parts) => parts.iter().all(is_plain),
        Kind::Binary(operator, left, right) => {
            let operands = is_plain(left) && (is_plain(right) || is_spelled_out(right));
            operands && computes_little(*operator, left, right)
        }
        Kind::Call(Function::Type, arguments) => arguments.first().is_some_and(is_place),
        Kind::Call(function, arguments) => reads_little(*function, arguments) && arguments.iter().all(is_plain),
        Kind::Has(operand, _) => is_place(operand),
        Kind::HasFact(_) | Kind::Unknown(_) | Kind::Meter(_) | Kind::Null => true,
        _ => is_scalar(expr) || is_place(expr),
    }
}

/// A member of the call, a reading, a fact.
fn is_place(expr: &Expr) -> bool {
    match &expr.kind {
        Kind::Select(operand, _) => is_place(operand),
        Kind::Context | Kind::Reading(_) | Kind::Variable(_) | Kind::Fact(_) => true,
        _ => false,
    }
}

/// Subtraction and what multiplies take numbers and times only; addition also joins texts and lists.
fn is_arithmetic(operator: Operator) -> bool {
    matches!(operator, Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Remainder)
}

/// A literal that is no list or map.
#[must_use]
pub fn is_scalar(expr: &Expr) -> bool {
    matches!(
        expr.kind,
        Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Moment(_) | Kind::Length(_) | Kind::Type(_)
    )
}

/// A list of scalar literals.
fn is_spelled_out(expr: &Expr) -> bool {
    matches!(&expr.kind, Kind::List(items) if items.iter().all(is_scalar))
}

/// Whether the operator takes no longer because its operands are larger.
#[must_use]
pub fn computes_little(operator: Operator, left: &Expr, right: &Expr) -> bool {
    is_arithmetic(operator) || compares_little(operator, left, right)
}

/// Whether the comparison reads no more than the rule spells out, whatever the other side is.
#[must_use]
pub fn compares_little(operator: Operator, left: &Expr, right: &Expr) -> bool {
    match operator {
        Operator::Equal
        | Operator::NotEqual
        | Operator::Less
        | Operator::LessOrEqual
        | Operator::Greater
        | Operator::GreaterOrEqual => is_scalar(left) || is_scalar(right) || is_type(left) || is_type(right),
        // Facts that are lists come from registrations and the catalogue, not from the call.
        Operator::In => is_spelled_out(right) || (is_scalar(left) && is_registered_list(right)),
        _ => false,
    }
}

fn is_type(expr: &Expr) -> bool {
    matches!(expr.kind, Kind::Call(Function::Type, _))
}

fn is_registered_list(expr: &Expr) -> bool {
    let lists = [Fact::ActionTypes, Fact::AgentLabels, Fact::RegistrationHosts, Fact::InternalDomains];
    matches!(&expr.kind, Kind::Fact(fact) if lists.contains(fact))
}

/// Whether the function reads no more of a text than the literal beside it is long.
#[must_use]
pub fn reads_little(function: Function, arguments: &[Expr]) -> bool {
    let ends = matches!(function, Function::StartsWith | Function::EndsWith);
    let calendar = !ends
        && !matches!(
            function,
            Function::Size | Function::Contains | Function::LowerAscii | Function::UpperAscii | Function::Type
        );
    calendar || (ends && arguments.get(1).is_some_and(is_scalar))
}

/// Whether it has no value before the call is in its place in the log: meters, the time, and the risk, which
/// depends on what is usual for the agent by then.
#[must_use]
pub fn needs_state(expr: &Expr) -> bool {
    let mut found = false;
    expr.walk(&mut |expr| {
        found |= match expr.kind {
            Kind::Meter(_) => true,
            Kind::Fact(fact) | Kind::HasFact(fact) => fact.needs_state(),
            _ => false,
        };
    });
    found
}

/// Nodes of the tree: what one element of a macro costs.
#[must_use]
pub fn nodes(expr: &Expr) -> u32 {
    let mut count = 0u32;
    expr.walk(&mut |_| count = count.saturating_add(1));
    count
}
