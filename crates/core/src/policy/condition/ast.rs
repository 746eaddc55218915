//! The syntax tree that both evaluators walk. Names are resolved, numbers exact, patterns compiled:
//! nothing in it can fail to be understood, only fail to have a value.
//!
//! What must stay true: the tree is at most as deep as `prescan` allows, so walks may recurse.

use crate::decimal::Decimal;
use crate::inspect::Inspector;
use crate::time::{Micros, Span};
use regex::Regex;

#[derive(Clone, Debug)]
pub struct Expr {
    /// Byte offset in the condition's text.
    pub at: u32,
    pub kind: Kind,
}

#[derive(Clone, Debug)]
pub enum Kind {
    Null,
    Bool(bool),
    Number(Decimal),
    Text(Box<str>),
    Moment(Micros),
    Length(Span),
    Type(TypeWord),
    Fact(Fact),
    /// The call's `context`.
    Context,
    /// What an inspector read.
    Reading(Inspector),
    /// A meter of the bundle, by its place there.
    Meter(u32),
    /// The variable of an enclosing macro, counted from the outermost.
    Variable(u32),
    /// A name nobody knows, let through by `strict: false`: it never has a value.
    Unknown(Box<str>),
    Select(Box<Expr>, Box<str>),
    /// `has(operand.member)`.
    Has(Box<Expr>, Box<str>),
    HasFact(Fact),
    Index(Box<Expr>, Box<Expr>),
    /// `operand == null`, the one comparison a null survives.
    IsNull(Box<Expr>),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    If(Box<[Expr; 3]>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    List(Vec<Expr>),
    Map(Vec<(Box<str>, Expr)>),
    Macro(Box<Macro>),
    Call(Function, Vec<Expr>),
    Matches(Box<Expr>, Box<Regex>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MacroKind {
    Exists,
    ExistsOne,
    All,
    Map,
    Filter,
}

/// `over.kind(variable, body)`; for `map` with three arguments `filter` is the middle one.
#[derive(Clone, Debug)]
pub struct Macro {
    pub kind: MacroKind,
    pub over: Expr,
    pub variable: u32,
    pub filter: Option<Expr>,
    pub body: Expr,
    /// Steps that looking at one element costs, beside what its body spends.
    pub cost: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    Size,
    StartsWith,
    EndsWith,
    Contains,
    LowerAscii,
    UpperAscii,
    Type,
    FullYear,
    Month,
    Date,
    DayOfWeek,
    Hours,
    Minutes,
    Seconds,
}

/// What `type()` gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeWord {
    Number,
    Text,
    Bool,
    List,
    Map,
    Null,
    Timestamp,
    Duration,
    Type,
}

impl TypeWord {
    pub const ALL: [Self; 9] = [
        Self::Number,
        Self::Text,
        Self::Bool,
        Self::List,
        Self::Map,
        Self::Null,
        Self::Timestamp,
        Self::Duration,
        Self::Type,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Text => "string",
            Self::Bool => "bool",
            Self::List => "list",
            Self::Map => "map",
            Self::Null => "null_type",
            Self::Timestamp => "timestamp",
            Self::Duration => "duration",
            Self::Type => "type",
        }
    }
}

/// A fact about the call that has a name of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    ActionType,
    ActionTypes,
    ActionDeclared,
    ActionDomain,
    ActionEffect,
    ActionReversible,
    ActionSource,
    ActionTool,
    ActionInferred,
    ActionKnown,
    Target,
    Environment,
    AgentId,
    AgentName,
    AgentEnvironment,
    AgentLabels,
    Subject,
    Session,
    RiskScore,
    RiskSeverity,
    RegistrationEnvironment,
    RegistrationSensitivity,
    RegistrationAudience,
    RegistrationHosts,
    InternalDomains,
    Now,
}

/// Facts by name; a name with a dot is a member of a group that is no value itself.
pub const FACTS: [(&str, Fact); 26] = [
    ("action.type", Fact::ActionType),
    ("action.types", Fact::ActionTypes),
    ("action.declared", Fact::ActionDeclared),
    ("action.domain", Fact::ActionDomain),
    ("action.effect", Fact::ActionEffect),
    ("action.reversible", Fact::ActionReversible),
    ("action.source", Fact::ActionSource),
    ("action.tool", Fact::ActionTool),
    ("action.inferred", Fact::ActionInferred),
    ("action.known", Fact::ActionKnown),
    ("target", Fact::Target),
    ("environment", Fact::Environment),
    ("agent.id", Fact::AgentId),
    ("agent.name", Fact::AgentName),
    ("agent.environment", Fact::AgentEnvironment),
    ("agent.labels", Fact::AgentLabels),
    ("subject", Fact::Subject),
    ("session", Fact::Session),
    ("risk.score", Fact::RiskScore),
    ("risk.severity", Fact::RiskSeverity),
    ("registration.environment", Fact::RegistrationEnvironment),
    ("registration.sensitivity", Fact::RegistrationSensitivity),
    ("registration.audience", Fact::RegistrationAudience),
    ("registration.hosts", Fact::RegistrationHosts),
    ("internal_domains", Fact::InternalDomains),
    ("now", Fact::Now),
];

impl Fact {
    #[must_use]
    pub fn name(self) -> &'static str {
        FACTS.iter().find(|(_, fact)| *fact == self).map_or("", |(name, _)| name)
    }

    /// Whether it depends on more than the call. In meters, which see the call alone, risk is without what is usual.
    #[must_use]
    pub fn needs_state(self) -> bool {
        matches!(self, Self::Now | Self::RiskScore | Self::RiskSeverity)
    }

    /// The type of its value when it has one.
    #[must_use]
    pub fn type_word(self) -> TypeWord {
        match self {
            Self::RiskScore => TypeWord::Number,
            Self::ActionReversible | Self::ActionInferred | Self::ActionKnown => TypeWord::Bool,
            Self::ActionTypes | Self::AgentLabels | Self::RegistrationHosts | Self::InternalDomains => TypeWord::List,
            Self::Now => TypeWord::Timestamp,
            _ => TypeWord::Text,
        }
    }
}

impl Expr {
    /// Calls `visit` for this node and everything below it.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Self)) {
        visit(self);
        self.each_child(&mut |child| child.walk(visit));
    }

    /// Calls `visit` for what is directly below this node, from left to right.
    pub fn each_child<'a>(&'a self, visit: &mut dyn FnMut(&'a Self)) {
        match &self.kind {
            Kind::Select(inner, _) | Kind::Has(inner, _) | Kind::IsNull(inner) | Kind::Matches(inner, _) => {
                visit(inner);
            }
            Kind::Not(inner) | Kind::Negate(inner) => visit(inner),
            Kind::Index(left, right)
            | Kind::And(left, right)
            | Kind::Or(left, right)
            | Kind::Binary(_, left, right) => {
                visit(left);
                visit(right);
            }
            Kind::If(parts) => parts.iter().for_each(visit),
            Kind::List(items) | Kind::Call(_, items) => items.iter().for_each(visit),
            Kind::Map(members) => members.iter().for_each(|(_, value)| visit(value)),
            Kind::Macro(shape) => {
                visit(&shape.over);
                shape.filter.iter().for_each(&mut *visit);
                visit(&shape.body);
            }
            Kind::Null
            | Kind::Bool(_)
            | Kind::Number(_)
            | Kind::Text(_)
            | Kind::Moment(_)
            | Kind::Length(_)
            | Kind::Type(_)
            | Kind::Fact(_)
            | Kind::HasFact(_)
            | Kind::Context
            | Kind::Reading(_)
            | Kind::Meter(_)
            | Kind::Variable(_)
            | Kind::Unknown(_) => {}
        }
    }
}
