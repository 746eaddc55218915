//! Predicates: parts of conditions, typed, over slots.
//!
//! What is not typed here is `Reference`: the tree walker evaluates it. What must stay true: a typed
//! predicate says true or false only where the reference says the same at the same cost; in every doubt
//! it says nothing, and the reference is asked.

use super::slot::Slot;
use crate::decimal::Decimal;
use crate::policy::condition::ast::{Expr, Fact, Function, Kind, Macro, MacroKind, Operator, TypeWord};
use crate::policy::condition::plain;
use regex::Regex;
use std::collections::HashMap;

/// Where a value is looked for: a slot of the program, or a variable of the macro around it.
#[derive(Clone, Debug)]
pub enum Place {
    Slot(u32),
    Variable(Box<Slot>),
}

#[derive(Clone, Debug)]
pub enum Truth {
    Reference,
    Constant(bool),
    /// The value is `true`.
    Flag(Place),
    Has(Place),
    HasFact(Place),
    IsNull(Place),
    IsType(Place, TypeWord),
    Equals(Place, Literal),
    Ordered(Place, Order, Literal),
    Among(Place, Box<[Literal]>),
    /// A text is in the list.
    Holds(Place, Box<str>),
    /// A text is in a list of a registration.
    HoldsFree(Place, Box<str>),
    Text(Place, TextTest, Box<str>),
    Matches(Place, Box<Regex>),
    Compares(Order, Box<[Amount; 2]>),
    Same(Box<[Amount; 2]>),
    Some(Box<Each>),
    All(Box<Each>),
    Not(Box<Truth>),
    Both(Box<[Truth; 2]>),
    Either(Box<[Truth; 2]>),
}

/// A body that is asked of every element of a list.
#[derive(Clone, Debug)]
pub struct Each {
    pub over: Place,
    pub variable: u32,
    pub cost: u32,
    pub body: Truth,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Literal {
    Bool(bool),
    Number(Decimal),
    Text(Box<str>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextTest {
    StartsWith,
    EndsWith,
    Contains,
}

/// Something that is a number, or the reference is asked.
#[derive(Clone, Debug)]
pub enum Amount {
    Constant(Decimal),
    Place(Place),
    Meter(u32),
    /// A field of `now`.
    Calendar(Function),
    Size(Place),
    Negative(Box<Amount>),
    Computed(Operator, Box<[Amount; 2]>),
}

impl Literal {
    #[must_use]
    pub fn of(expr: &Expr) -> Option<Self> {
        Some(match &expr.kind {
            Kind::Bool(value) => Self::Bool(*value),
            Kind::Number(number) => Self::Number(*number),
            Kind::Text(text) => Self::Text(text.clone()),
            _ => return None,
        })
    }
}

impl Order {
    fn of(operator: Operator) -> Option<Self> {
        Some(match operator {
            Operator::Less => Self::Less,
            Operator::LessOrEqual => Self::LessOrEqual,
            Operator::Greater => Self::Greater,
            Operator::GreaterOrEqual => Self::GreaterOrEqual,
            _ => return None,
        })
    }

    /// The same comparison with its sides exchanged.
    fn turned(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }

    #[must_use]
    pub fn accepts(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

/// The slots of a program while it is made.
#[derive(Default)]
pub struct Slots {
    pub slots: Vec<Slot>,
    known: HashMap<Slot, u32>,
}

impl Slots {
    pub fn place(&mut self, slot: Slot) -> u32 {
        if let Some(place) = self.known.get(&slot) {
            return *place;
        }
        let place = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.slots.push(slot.clone());
        self.known.insert(slot, place);
        place
    }

    fn find(&mut self, expr: &Expr) -> Option<Place> {
        let slot = Slot::of(expr)?;
        Some(match slot.root {
            super::slot::Root::Variable(_) => Place::Variable(Box::new(slot)),
            _ => Place::Slot(self.place(slot)),
        })
    }

    /// The predicate that an expression is.
    pub fn truth(&mut self, expr: &Expr) -> Truth {
        self.typed(expr).unwrap_or(Truth::Reference)
    }

    fn typed(&mut self, expr: &Expr) -> Option<Truth> {
        match &expr.kind {
            Kind::Bool(value) => Some(Truth::Constant(*value)),
            Kind::Not(operand) => Some(Truth::Not(Box::new(self.typed(operand)?))),
            Kind::And(left, right) => Some(Truth::Both(Box::new([self.typed(left)?, self.typed(right)?]))),
            Kind::Or(left, right) => Some(Truth::Either(Box::new([self.typed(left)?, self.typed(right)?]))),
            Kind::IsNull(operand) => Some(Truth::IsNull(self.find(operand)?)),
            Kind::Has(operand, member) => {
                let mut slot = Slot::of(operand)?;
                let mut members = slot.members.into_vec();
                members.push(member.clone());
                slot.members = members.into();
                Some(Truth::Has(match slot.root {
                    super::slot::Root::Variable(_) => Place::Variable(Box::new(slot)),
                    _ => Place::Slot(self.place(slot)),
                }))
            }
            Kind::HasFact(fact) => {
                let slot = Slot::of(&Expr { at: 0, kind: Kind::Fact(*fact) })?;
                Some(Truth::HasFact(Place::Slot(self.place(slot))))
            }
            Kind::Binary(operator, left, right) => self.comparison(*operator, left, right),
            Kind::Macro(shape) => self.quantified(shape),
            Kind::Call(function, arguments) => self.text_test(*function, arguments),
            Kind::Matches(operand, pattern) => Some(Truth::Matches(self.find(operand)?, pattern.clone())),
            _ => Some(Truth::Flag(self.find(expr)?)),
        }
    }

    fn quantified(&mut self, shape: &Macro) -> Option<Truth> {
        let each = |slots: &mut Self| {
            let (over, body) = (slots.find(&shape.over)?, slots.typed(&shape.body)?);
            Some(Box::new(Each { over, variable: shape.variable, cost: shape.cost, body }))
        };
        match shape.kind {
            MacroKind::Exists => Some(Truth::Some(each(self)?)),
            MacroKind::All => Some(Truth::All(each(self)?)),
            _ => None,
        }
    }

    fn text_test(&mut self, function: Function, arguments: &[Expr]) -> Option<Truth> {
        let test = match function {
            Function::StartsWith => TextTest::StartsWith,
            Function::EndsWith => TextTest::EndsWith,
            Function::Contains => TextTest::Contains,
            _ => return None,
        };
        match arguments {
            [text, Expr { kind: Kind::Text(part), .. }] => Some(Truth::Text(self.find(text)?, test, part.clone())),
            _ => None,
        }
    }

    fn comparison(&mut self, operator: Operator, left: &Expr, right: &Expr) -> Option<Truth> {
        match operator {
            Operator::In => self.membership(left, right),
            Operator::Equal => self.equality(left, right),
            Operator::NotEqual => Some(Truth::Not(Box::new(self.equality(left, right)?))),
            _ => {
                let order = Order::of(operator)?;
                match (Literal::of(left), Literal::of(right)) {
                    (None, Some(literal)) if Slot::of(left).is_some() => {
                        Some(Truth::Ordered(self.find(left)?, order, literal))
                    }
                    (Some(literal), None) if Slot::of(right).is_some() => {
                        Some(Truth::Ordered(self.find(right)?, order.turned(), literal))
                    }
                    _ => Some(Truth::Compares(order, Box::new([self.amount(left)?, self.amount(right)?]))),
                }
            }
        }
    }

    fn equality(&mut self, left: &Expr, right: &Expr) -> Option<Truth> {
        let type_of = |expr: &Expr| match &expr.kind {
            Kind::Call(Function::Type, arguments) => arguments.first().filter(|of| is_member(of)).cloned(),
            _ => None,
        };
        match (&left.kind, &right.kind) {
            (Kind::Type(word), _) => return Some(Truth::IsType(self.find(&type_of(right)?)?, *word)),
            (_, Kind::Type(word)) => return Some(Truth::IsType(self.find(&type_of(left)?)?, *word)),
            _ => {}
        }
        match (Literal::of(left), Literal::of(right)) {
            (None, Some(literal)) if Slot::of(left).is_some() => Some(Truth::Equals(self.find(left)?, literal)),
            (Some(literal), None) if Slot::of(right).is_some() => Some(Truth::Equals(self.find(right)?, literal)),
            _ => Some(Truth::Same(Box::new([self.amount(left)?, self.amount(right)?]))),
        }
    }

    fn membership(&mut self, left: &Expr, right: &Expr) -> Option<Truth> {
        match (&left.kind, &right.kind) {
            (_, Kind::List(items)) => {
                let literals: Option<Vec<Literal>> = items.iter().map(Literal::of).collect();
                Some(Truth::Among(self.find(left)?, literals?.into()))
            }
            (Kind::Text(text), _) => {
                let place = self.find(right)?;
                Some(if plain::compares_little(Operator::In, left, right) {
                    Truth::HoldsFree(place, text.clone())
                } else {
                    Truth::Holds(place, text.clone())
                })
            }
            _ => None,
        }
    }

    fn amount(&mut self, expr: &Expr) -> Option<Amount> {
        Some(match &expr.kind {
            Kind::Number(number) => Amount::Constant(*number),
            Kind::Meter(meter) => Amount::Meter(*meter),
            Kind::Negate(operand) => Amount::Negative(Box::new(self.amount(operand)?)),
            Kind::Call(Function::Size, arguments) => Amount::Size(self.find(arguments.first()?)?),
            Kind::Call(function, arguments) => match arguments.as_slice() {
                [Expr { kind: Kind::Fact(Fact::Now), .. }] if plain::reads_little(*function, arguments) => {
                    Amount::Calendar(*function)
                }
                _ => return None,
            },
            Kind::Binary(operator, left, right) => match operator {
                Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Remainder => {
                    Amount::Computed(*operator, Box::new([self.amount(left)?, self.amount(right)?]))
                }
                _ => return None,
            },
            _ => Amount::Place(self.find(expr)?),
        })
    }
}

/// `type()` of what is not there is the type of null for these only.
fn is_member(expr: &Expr) -> bool {
    matches!(expr.kind, Kind::Select(..) | Kind::Reading(_))
}
