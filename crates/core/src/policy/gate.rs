//! Gates: a cheap test that says of most rules that their condition is false, before the rule is looked at.
//!
//! A gate is a comparison of one member of the context with a number, standing alone or as a side of the
//! condition's outermost `&&`. What must stay true: a shut gate means that the whole condition is false,
//! never that it fails; an open gate means nothing.

use super::condition::Condition;
use super::condition::ast::{Expr, Kind, Operator};
use crate::decimal::Decimal;
use crate::value::{Object, Value};
use std::cmp::Ordering;
use std::collections::HashMap;

#[derive(Clone, Copy, Debug)]
struct Gate {
    /// Place of the member's name.
    slot: u32,
    operator: Operator,
    number: Decimal,
}

/// The gates of all rules of a bundle, by the rule's place.
#[derive(Clone, Debug, Default)]
pub struct Gates {
    gates: Vec<Option<Gate>>,
    /// Members of the context that gates look at.
    names: Vec<Box<str>>,
}

/// The members of one call's context that gates look at; each is looked up at most once.
pub struct Slots<'a> {
    gates: &'a Gates,
    context: &'a Object,
    found: Vec<Option<Option<Decimal>>>,
}

impl Gates {
    #[must_use]
    pub fn of<'a>(conditions: impl Iterator<Item = Option<&'a Condition>>) -> Self {
        let mut slots: HashMap<Box<str>, u32> = HashMap::new();
        let mut gates = Self::default();
        for condition in conditions {
            let found = condition.and_then(|condition| comparison(&condition.root));
            let gate = found.map(|(name, operator, number)| {
                let slot = *slots.entry(name.into()).or_insert_with(|| {
                    gates.names.push(name.into());
                    u32::try_from(gates.names.len() - 1).unwrap_or(u32::MAX)
                });
                Gate { slot, operator, number }
            });
            gates.gates.push(gate);
        }
        gates
    }

    #[must_use]
    pub fn slots<'a>(&'a self, context: &'a Object) -> Slots<'a> {
        Slots { gates: self, context, found: vec![None; self.names.len()] }
    }
}

impl Slots<'_> {
    /// Whether the condition of the rule at this place is false for certain.
    #[must_use]
    pub fn shut(&mut self, rule: u32) -> bool {
        let place = usize::try_from(rule).unwrap_or(usize::MAX);
        let Some(Some(gate)) = self.gates.gates.get(place) else { return false };
        let Some(number) = self.number(gate.slot) else { return false };
        let order = number.cmp(&gate.number);
        let holds = match gate.operator {
            Operator::Less => order == Ordering::Less,
            Operator::LessOrEqual => order != Ordering::Greater,
            Operator::Greater => order == Ordering::Greater,
            Operator::GreaterOrEqual => order != Ordering::Less,
            Operator::Equal => order == Ordering::Equal,
            Operator::NotEqual => order != Ordering::Equal,
            _ => true,
        };
        !holds
    }

    fn number(&mut self, slot: u32) -> Option<Decimal> {
        let slot = usize::try_from(slot).ok()?;
        let known = self.found.get_mut(slot)?;
        let name = self.gates.names.get(slot)?;
        let context = self.context;
        *known.get_or_insert_with(|| context.get(name.as_ref()).and_then(Value::as_number))
    }
}

/// A side of the outermost `&&` that compares a member of the context with a number.
fn comparison(expr: &Expr) -> Option<(&str, Operator, Decimal)> {
    match &expr.kind {
        Kind::And(left, right) => comparison(left).or_else(|| comparison(right)),
        Kind::Binary(operator, left, right) => match (member(left), number(right), number(left), member(right)) {
            (Some(name), Some(number), _, _) => compared(*operator).then_some((name, *operator, number)),
            (_, _, Some(number), Some(name)) => compared(*operator).then_some((name, turned(*operator), number)),
            _ => None,
        },
        _ => None,
    }
}

fn compared(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::Less
            | Operator::LessOrEqual
            | Operator::Greater
            | Operator::GreaterOrEqual
            | Operator::Equal
            | Operator::NotEqual
    )
}

fn turned(operator: Operator) -> Operator {
    match operator {
        Operator::Less => Operator::Greater,
        Operator::LessOrEqual => Operator::GreaterOrEqual,
        Operator::Greater => Operator::Less,
        Operator::GreaterOrEqual => Operator::LessOrEqual,
        same => same,
    }
}

fn member(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        Kind::Select(operand, name) if matches!(operand.kind, Kind::Context) => Some(name),
        _ => None,
    }
}

fn number(expr: &Expr) -> Option<Decimal> {
    match &expr.kind {
        Kind::Number(number) => Some(*number),
        _ => None,
    }
}
