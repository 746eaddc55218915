//! Which values a slot can have at all, before any condition is looked at.
//!
//! What must stay true: a domain is never smaller than the truth. Where readers of payloads or callers are
//! free to send something, everything is in it.

use super::cube::{Key, Slot};
use super::numbers::Numbers;
use super::values::{Values, kinds};
use crate::inspect::{Inspector, UNKNOWN};
use crate::policy::condition::ast::{Expr, Fact, Function, Kind};
use crate::policy::condition::show::show;

/// What a member of a reading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member {
    Number,
    /// A number of things.
    Count,
    Bool,
    List,
    Text,
    /// One of these.
    Word(&'static [&'static str]),
}

/// What the sql inspector calls statements.
pub const SQL_KINDS: &[&str] = &[
    "SELECT",
    "SHOW",
    "INSERT",
    "UPDATE",
    "TRANSACTION",
    "SET",
    "LOCK",
    "MERGE",
    "COPY",
    "CALL",
    "CREATE",
    "ALTER",
    "GRANT",
    "OTHER",
    "TRUNCATE",
    "DROP",
    "DELETE",
];
const DOMAINS: &[&str] =
    &["payments", "database", "infrastructure", "communication", "integrations", "enterprise", "unknown"];
/// In the order of strictness.
pub const EFFECTS: &[&str] = &["read", "write", "destructive", "unknown"];
const SEVERITIES: &[&str] = &["low", "medium", "high", "critical"];
const SENSITIVITIES: &[&str] = &["low", "normal", "high"];
const AUDIENCES: &[&str] = &["internal", "external"];

/// What an inspector's member is, where that is settled.
#[must_use]
pub fn member(inspector: Inspector, name: &str) -> Option<Member> {
    Some(match (inspector, name) {
        (Inspector::Sql, "kind") => Member::Word(SQL_KINDS),
        (Inspector::Sql, "statements") => Member::Count,
        (Inspector::Sql, "has_where" | "reads" | "writes" | "deletes" | "schema" | "grants") => Member::Bool,
        (Inspector::Sql, "kinds" | "tables") => Member::List,
        (Inspector::Recipients, "count" | "external" | "internal" | "phones") => Member::Count,
        (Inspector::Recipients, "known") => Member::Bool,
        (Inspector::Recipients, "domains") => Member::List,
        (Inspector::Url, "host" | "scheme" | "path" | "method") => Member::Text,
        (Inspector::Url, "port") => Member::Number,
        (Inspector::Url, "registered" | "private" | "metadata" | "userinfo") => Member::Bool,
        (Inspector::Url, "hosts") => Member::List,
        (Inspector::Shell, "destructive" | "network" | "privilege" | "pipes_to_interpreter") => Member::Bool,
        (Inspector::Shell, "programs") => Member::List,
        (Inspector::Money, "amount") => Member::Number,
        (Inspector::Money, "currency") => Member::Text,
        (Inspector::File, "traversal" | "absolute" | "secret") => Member::Bool,
        (Inspector::File, "paths") => Member::List,
        (Inspector::File, "count") => Member::Count,
        (Inspector::Blast, "count" | "percent" | "from" | "to" | "factor") => Member::Number,
        (Inspector::Blast, "to_zero" | "everything") => Member::Bool,
        _ => return None,
    })
}

/// The words that a fact can be, if they are few.
#[must_use]
pub fn words(fact: Fact) -> Option<&'static [&'static str]> {
    Some(match fact {
        Fact::ActionDomain => DOMAINS,
        Fact::ActionEffect => EFFECTS,
        Fact::RiskSeverity => SEVERITIES,
        Fact::RegistrationSensitivity => SENSITIVITIES,
        Fact::RegistrationAudience => AUDIENCES,
        _ => return None,
    })
}

/// The slot that an expression is.
#[must_use]
pub fn key(expr: &Expr) -> Key {
    let slot = slot(expr);
    let whole = match &slot {
        Slot::Size(_) | Slot::Fact(Fact::RiskScore) => true,
        Slot::Reading(inspector, name) => member(*inspector, name) == Some(Member::Count),
        _ => {
            matches!(&expr.kind, Kind::Call(function, _) if *function == Function::Size || calendar(*function).is_some())
        }
    };
    Key { name: show(expr, &[]).into(), slot, whole }
}

fn slot(expr: &Expr) -> Slot {
    match &expr.kind {
        Kind::Fact(fact) => Slot::Fact(*fact),
        Kind::Meter(index) => Slot::Meter(*index),
        Kind::Select(operand, name) => match (&operand.kind, path(expr)) {
            (Kind::Reading(inspector), _) => Slot::Reading(*inspector, name.clone()),
            (_, Some(path)) => Slot::Context(path),
            _ => Slot::Other,
        },
        Kind::Call(Function::Size, arguments) => arguments.first().and_then(path).map_or(Slot::Other, Slot::Size),
        _ => Slot::Other,
    }
}

/// The path of a member of the context.
#[must_use]
pub fn path(expr: &Expr) -> Option<Vec<Box<str>>> {
    let Kind::Select(operand, name) = &expr.kind else { return None };
    let mut path = match &operand.kind {
        Kind::Context => Vec::new(),
        _ => path(operand)?,
    };
    path.push(name.clone());
    Some(path)
}

/// Everything that the expression's value can be.
#[must_use]
pub fn of(expr: &Expr) -> Values {
    match &expr.kind {
        Kind::Fact(fact) => of_fact(*fact),
        Kind::Meter(_) => Values::of_numbers(Numbers::above(0u64.into(), true)).with(kinds::BROKEN),
        Kind::Select(operand, name) => match &operand.kind {
            // The context is always there and always an object.
            Kind::Context => Values::all().minus(&Values::of_kinds(kinds::BROKEN | kinds::OTHER)),
            Kind::Reading(inspector) => of_member(*inspector, name),
            _ => Values::all(),
        },
        Kind::Has(..) | Kind::IsNull(_) | Kind::Matches(..) => truth(),
        Kind::HasFact(_) => Values::of_kinds(kinds::YES | kinds::NO),
        Kind::Call(function, _) => of_function(*function),
        _ => Values::all(),
    }
}

fn truth() -> Values {
    Values::of_kinds(kinds::YES | kinds::NO | kinds::VOID)
}

fn of_fact(fact: Fact) -> Values {
    let absent = Values::of_kinds(kinds::NULL);
    match fact {
        Fact::RiskScore => Values::of_numbers(Numbers::between(0, 100)),
        Fact::ActionReversible | Fact::ActionInferred | Fact::ActionKnown => Values::of_kinds(kinds::YES | kinds::NO),
        Fact::ActionTypes | Fact::AgentLabels | Fact::RegistrationHosts | Fact::InternalDomains => {
            Values::of_kinds(kinds::LIST)
        }
        Fact::Now => Values::of_kinds(kinds::OTHER | kinds::BROKEN),
        Fact::ActionDomain | Fact::ActionEffect | Fact::RiskSeverity => Values::texts(words(fact).unwrap_or_default()),
        Fact::RegistrationSensitivity | Fact::RegistrationAudience => {
            Values::texts(words(fact).unwrap_or_default()).or(&absent)
        }
        Fact::ActionType
        | Fact::ActionDeclared
        | Fact::Target
        | Fact::Environment
        | Fact::AgentId
        | Fact::AgentName
        | Fact::AgentEnvironment => Values::any_text(),
        Fact::ActionSource | Fact::ActionTool | Fact::Subject | Fact::Session | Fact::RegistrationEnvironment => {
            Values::any_text().or(&absent)
        }
    }
}

fn of_member(inspector: Inspector, name: &str) -> Values {
    let read = match member(inspector, name) {
        None => return Values::all(),
        Some(Member::Number) => Values::of_numbers(Numbers::all()),
        Some(Member::Count) => Values::of_numbers(Numbers::above(0u64.into(), true)),
        Some(Member::Bool) => Values::of_kinds(kinds::YES | kinds::NO),
        Some(Member::List) => Values::of_kinds(kinds::LIST),
        Some(Member::Text) => Values::any_text(),
        Some(Member::Word(words)) => Values::texts(words),
    };
    read.or(&Values::texts([UNKNOWN])).with(kinds::VOID | kinds::NULL)
}

fn of_function(function: Function) -> Values {
    let number = |least, most| Values::of_numbers(Numbers::between(least, most)).with(kinds::VOID);
    match (function, calendar(function)) {
        (_, Some((least, most))) => number(least, most),
        (Function::Size, _) => Values::of_numbers(Numbers::above(0u64.into(), true)).with(kinds::VOID),
        (Function::LowerAscii | Function::UpperAscii, _) => Values::any_text().with(kinds::VOID),
        (Function::StartsWith | Function::EndsWith | Function::Contains, _) => truth(),
        _ => Values::all(),
    }
}

/// The least and the largest that a field of the calendar can be.
fn calendar(function: Function) -> Option<(u64, u64)> {
    Some(match function {
        Function::Month => (0, 11),
        Function::Date => (1, 31),
        Function::DayOfWeek => (0, 6),
        Function::Hours => (0, 23),
        Function::Minutes | Function::Seconds => (0, 59),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_the_sql_inspector_says_is_known_here() {
        let source = include_str!("../../inspect/sql.rs");
        let said: Vec<&str> = source
            .lines()
            .filter_map(|line| line.trim().strip_prefix("Self::")?.split_once(" => \"")?.1.strip_suffix("\","))
            .collect();
        assert!(said.len() >= 17, "{said:?}");
        for word in said {
            assert!(SQL_KINDS.contains(&word), "`{word}` is a kind of statement that lint does not know");
        }
    }

    #[test]
    fn every_member_of_a_reading_has_a_kind_or_is_left_open() {
        for inspector in Inspector::ALL {
            let known = inspector.members().iter().filter(|name| member(inspector, name).is_some()).count();
            assert!(known > 0, "{inspector:?}");
        }
    }
}
