//! Conditions as sets of cubes: when they are true, false, not true, not false.
//!
//! Conditions have three outcomes, the third being that there is no value. What must stay true: every set
//! is at least as large as the calls it speaks of; what cannot be said exactly is left open.

use super::cube::{self, Cube, Cubes, Key, Test, Tested};
use super::domain;
use super::numbers::Numbers;
use super::values::{Values, kinds};
use crate::decimal::Decimal;
use crate::policy::condition::Condition;
use crate::policy::condition::ast::{Expr, Function, Kind, Operator, TypeWord};
use crate::policy::rule::Rule;

/// Which calls are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    True,
    False,
    /// False or without a value.
    NotTrue,
    /// True or without a value.
    NotFalse,
}

/// A value written down in a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Literal<'a> {
    Number(Decimal),
    Text(&'a str),
    Bool(bool),
}

/// A condition about one slot: where it is true and where it is false.
struct Atom {
    key: Key,
    domain: Values,
    yes: Values,
    no: Values,
    /// What either outcome says of the text that was tested.
    tested: Option<(Key, Values, Tested)>,
}

impl Want {
    fn opposite(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::NotTrue => Self::NotFalse,
            Self::NotFalse => Self::NotTrue,
        }
    }

    /// Whether an `&&` needs this of both sides; else one side is enough.
    fn of_both_sides(self) -> bool {
        matches!(self, Self::True | Self::NotFalse)
    }
}

/// The calls for which the expression comes out as wanted.
#[must_use]
pub fn cubes(expr: &Expr, want: Want) -> Cubes {
    match &expr.kind {
        Kind::And(left, right) => joined(left, right, want, want.of_both_sides()),
        Kind::Or(left, right) => joined(left, right, want, !want.of_both_sides()),
        Kind::Not(operand) => cubes(operand, want.opposite()),
        Kind::Bool(value) => {
            let comes_out = match want {
                Want::True | Want::NotFalse => *value,
                Want::False | Want::NotTrue => !*value,
            };
            if comes_out { cube::anything() } else { Vec::new() }
        }
        Kind::If(parts) => {
            let [test, then, otherwise] = parts.as_ref();
            if matches!(want, Want::NotTrue | Want::NotFalse) {
                return cube::anything();
            }
            let first = cube::both(&cubes(test, Want::True), &cubes(then, want));
            cube::either(first, cube::both(&cubes(test, Want::False), &cubes(otherwise, want)))
        }
        _ => atom(expr).cubes(want),
    }
}

fn joined(left: &Expr, right: &Expr, want: Want, both: bool) -> Cubes {
    let (left, right) = (cubes(left, want), cubes(right, want));
    if both { cube::both(&left, &right) } else { cube::either(left, right) }
}

/// The calls a rule's condition is true for.
#[must_use]
pub fn matches(rule: &Rule) -> Cubes {
    cube::both(&part(rule.when.as_ref(), Want::True), &part(rule.unless.as_ref(), Want::False))
}

/// The calls a rule's condition is not false for.
#[must_use]
pub fn may_match(rule: &Rule) -> Cubes {
    cube::both(&part(rule.when.as_ref(), Want::NotFalse), &part(rule.unless.as_ref(), Want::NotTrue))
}

/// The calls a rule's condition is false for.
#[must_use]
pub fn fails(rule: &Rule) -> Cubes {
    let when = rule.when.as_ref().map_or_else(Vec::new, |when| cubes(&when.root, Want::False));
    let unless = rule.unless.as_ref().map_or_else(Vec::new, |unless| cubes(&unless.root, Want::True));
    cube::either(when, unless)
}

/// The calls a rule's condition is false for, or has no value for.
#[must_use]
pub fn does_not_match(rule: &Rule) -> Cubes {
    let when = rule.when.as_ref().map_or_else(Vec::new, |when| cubes(&when.root, Want::NotTrue));
    let unless = rule.unless.as_ref().map_or_else(Vec::new, |unless| cubes(&unless.root, Want::NotFalse));
    cube::either(when, unless)
}

fn part(condition: Option<&Condition>, want: Want) -> Cubes {
    condition.map_or_else(cube::anything, |condition| cubes(&condition.root, want))
}

/// The literal that an expression is.
#[must_use]
pub fn literal(expr: &Expr) -> Option<Literal<'_>> {
    match &expr.kind {
        Kind::Number(number) => Some(Literal::Number(*number)),
        Kind::Text(text) => Some(Literal::Text(text)),
        Kind::Bool(value) => Some(Literal::Bool(*value)),
        Kind::Negate(inner) => match inner.kind {
            Kind::Number(number) => Some(Literal::Number(-number)),
            _ => None,
        },
        _ => None,
    }
}

impl Literal<'_> {
    fn values(self) -> Values {
        match self {
            Self::Number(number) => Values::number(number),
            Self::Text(text) => Values::texts([text]),
            Self::Bool(true) => Values::of_kinds(kinds::YES),
            Self::Bool(false) => Values::of_kinds(kinds::NO),
        }
    }

    /// Everything of the same type, and so everything that compares with it.
    fn alike(self) -> Values {
        match self {
            Self::Number(_) => Values::of_numbers(Numbers::all()),
            Self::Text(_) => Values::any_text(),
            Self::Bool(_) => Values::of_kinds(kinds::YES | kinds::NO),
        }
    }
}

impl Atom {
    fn opaque(expr: &Expr) -> Self {
        Self {
            key: domain::key(expr),
            domain: domain::of(expr),
            yes: Values::of_kinds(kinds::YES),
            no: Values::of_kinds(kinds::NO),
            tested: None,
        }
    }

    fn on(slot: &Expr, yes: Values, no: Values) -> Self {
        Self { key: domain::key(slot), domain: domain::of(slot), yes, no, tested: None }
    }

    fn negated(mut self) -> Self {
        std::mem::swap(&mut self.yes, &mut self.no);
        self
    }

    fn cubes(&self, want: Want) -> Cubes {
        let values = match want {
            Want::True => self.domain.and(&self.yes),
            Want::False => self.domain.and(&self.no),
            Want::NotTrue => self.domain.minus(&self.yes),
            Want::NotFalse => self.domain.minus(&self.no),
        };
        let Some(cube) = Cube::of(self.key.clone(), values, None) else { return Vec::new() };
        let Some((key, domain, what)) = &self.tested else { return vec![cube] };
        if matches!(want, Want::NotTrue | Want::NotFalse) {
            return vec![cube];
        }
        let test = Test { what: what.clone(), holds: want == Want::True };
        let told = Cube::of(key.clone(), domain.and(&Values::any_text()), Some(test));
        told.and_then(|told| cube.and(&told)).into_iter().collect()
    }
}

fn atom(expr: &Expr) -> Atom {
    let exact = match &expr.kind {
        Kind::Binary(operator, left, right) => compared(*operator, left, right),
        Kind::IsNull(operand) => {
            let null = Values::of_kinds(kinds::NULL);
            let other = null.with(kinds::VOID).complement();
            Some(Atom::on(operand, Values::of_kinds(kinds::NULL), other))
        }
        Kind::Has(operand, member) => {
            let select = Expr { at: expr.at, kind: Kind::Select(operand.clone(), member.clone()) };
            let missing = Values::of_kinds(kinds::MISSING);
            // An index that is not there has no value and is not missing either.
            let plain = matches!(operand.kind, Kind::Reading(_)) || domain::path(&select).is_some();
            plain.then(|| Atom::on(&select, Values::of_kinds(kinds::VOID).complement(), missing))
        }
        Kind::HasFact(fact) => {
            let select = Expr { at: expr.at, kind: Kind::Fact(*fact) };
            let null = Values::of_kinds(kinds::NULL);
            Some(Atom::on(&select, null.complement(), null))
        }
        Kind::Call(function, arguments) => match (function, arguments.as_slice()) {
            (Function::StartsWith, [text, part]) => tested(expr, text, part, Tested::Starts),
            (Function::EndsWith, [text, part]) => tested(expr, text, part, Tested::Ends),
            (Function::Contains, [text, part]) => tested(expr, text, part, Tested::Contains),
            _ => None,
        },
        Kind::Matches(text, pattern) => {
            let tested = Some((domain::key(text), domain::of(text), Tested::Pattern((**pattern).clone())));
            Some(Atom { tested, ..Atom::opaque(expr) })
        }
        _ => None,
    };
    exact.unwrap_or_else(|| Atom::opaque(expr))
}

fn tested(expr: &Expr, text: &Expr, part: &Expr, of: fn(Box<str>) -> Tested) -> Option<Atom> {
    let Some(Literal::Text(part)) = literal(part) else { return None };
    let tested = Some((domain::key(text), domain::of(text), of(part.into())));
    Some(Atom { tested, ..Atom::opaque(expr) })
}

fn compared(operator: Operator, left: &Expr, right: &Expr) -> Option<Atom> {
    if operator == Operator::In {
        return among(left, right);
    }
    if let Some(atom) = typed(operator, left, right).or_else(|| typed(operator, right, left)) {
        return Some(atom);
    }
    match (literal(left), literal(right)) {
        (None, Some(right)) => with_literal(operator, left, right),
        (Some(left), None) => with_literal(turned(operator), right, left),
        _ => None,
    }
}

fn with_literal(operator: Operator, slot: &Expr, literal: Literal<'_>) -> Option<Atom> {
    let equal = || {
        let same = literal.values();
        let other = literal.alike().minus(&same);
        Atom::on(slot, same, other)
    };
    let ordered = |yes: fn(Decimal) -> Numbers| match literal {
        Literal::Number(number) => {
            let (yes, all) = (Values::of_numbers(yes(number)), literal.alike());
            Some(Atom::on(slot, yes.clone(), all.minus(&yes)))
        }
        _ => None,
    };
    match operator {
        Operator::Equal => Some(equal()),
        Operator::NotEqual => Some(equal().negated()),
        Operator::Less => ordered(|number| Numbers::below(number, false)),
        Operator::LessOrEqual => ordered(|number| Numbers::below(number, true)),
        Operator::Greater => ordered(|number| Numbers::above(number, false)),
        Operator::GreaterOrEqual => ordered(|number| Numbers::above(number, true)),
        _ => None,
    }
}

/// The operator with its sides exchanged.
fn turned(operator: Operator) -> Operator {
    match operator {
        Operator::Less => Operator::Greater,
        Operator::LessOrEqual => Operator::GreaterOrEqual,
        Operator::Greater => Operator::Less,
        Operator::GreaterOrEqual => Operator::LessOrEqual,
        same => same,
    }
}

/// `slot in [literals]`: true if one is equal, false only if all compare and none is.
fn among(slot: &Expr, list: &Expr) -> Option<Atom> {
    let Kind::List(items) = &list.kind else { return None };
    let literals: Vec<Literal<'_>> = items.iter().map(literal).collect::<Option<_>>()?;
    let yes = literals.iter().fold(Values::none(), |all, literal| all.or(&literal.values()));
    let comparable = literals.iter().map(|literal| literal.alike());
    let something = Values::of_kinds(kinds::VOID | kinds::NULL).complement();
    let no = comparable.fold(something, |all, alike| all.and(&alike)).minus(&yes);
    Some(Atom::on(slot, yes, no))
}

/// `type(slot) == word`.
fn typed(operator: Operator, call: &Expr, word: &Expr) -> Option<Atom> {
    let (Kind::Call(Function::Type, arguments), Kind::Type(word)) = (&call.kind, &word.kind) else { return None };
    let slot = arguments.first()?;
    let yes = match word {
        TypeWord::Number => Values::of_numbers(Numbers::all()),
        TypeWord::Text => Values::any_text(),
        TypeWord::Bool => Values::of_kinds(kinds::YES | kinds::NO),
        TypeWord::List => Values::of_kinds(kinds::LIST),
        TypeWord::Map => Values::of_kinds(kinds::MAP),
        // A member that is not there has the type of null.
        TypeWord::Null => Values::of_kinds(kinds::NULL | kinds::MISSING),
        TypeWord::Timestamp | TypeWord::Duration | TypeWord::Type => return None,
    };
    let is_member = matches!(slot.kind, Kind::Select(..) | Kind::Index(..) | Kind::Reading(_));
    let untyped = Values::of_kinds(if is_member { kinds::BROKEN } else { kinds::VOID });
    let no = yes.complement().minus(&untyped);
    let yes = yes.minus(&untyped);
    match operator {
        Operator::Equal => Some(Atom::on(slot, yes, no)),
        Operator::NotEqual => Some(Atom::on(slot, no, yes)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
