//! How much could go wrong: a deterministic, explained integer from 0 to 100.
//!
//! The score is a sum of factors, each with a sentence; it decides nothing by itself. Only integers:
//! the same call gives the same score on every machine. Refuses to be talked down: what is missing or
//! cannot be read counts at its worst. INVARIANT: more of any factor never lowers the score.

use crate::call::Call;
use crate::catalogue::{Catalogue, Effect, Field, FieldKind, Unit};
use crate::decimal::Decimal;
use crate::environment::Strictness;
use crate::target::Sensitivity;
use crate::value::Value;
use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factor {
    pub name: String,
    pub points: u8,
    pub sentence: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Risk {
    pub factors: Vec<Factor>,
    pub score: u8,
    pub severity: Severity,
}

/// How many points each factor can give; part of the bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Weights {
    /// Share of the action's inherent risk that counts, in percent.
    pub action_percent: u8,
    /// Points of a target of low, normal and high sensitivity; an unregistered one counts as high.
    pub sensitivity: [u8; 3],
    /// Points of development, staging, any other environment, production.
    pub environment: [u8; 4],
    /// Share of target and environment points that counts for a read, in percent.
    pub read_percent: u8,
    /// Points per power of ten of an amount or a count.
    pub per_decade: u8,
    /// Most points that scale can give, and what it gives if it cannot be read.
    pub scale_most: u8,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            action_percent: 50,
            sensitivity: [0, 6, 12],
            environment: [0, 3, 9, 12],
            read_percent: 50,
            per_decade: 3,
            scale_most: 30,
        }
    }
}

impl Severity {
    /// The band of a score: low < 25 ≤ medium < 50 ≤ high < 75 ≤ critical.
    #[must_use]
    pub fn of_score(score: u8) -> Self {
        match score {
            0..25 => Self::Low,
            25..50 => Self::Medium,
            50..75 => Self::High,
            _ => Self::Critical,
        }
    }

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Scores a call whose payload has been read (findings already added to its action).
#[must_use]
pub fn score(call: &Call, catalogue: &Catalogue, weights: &Weights) -> Risk {
    let factors = vec![
        action(call, weights),
        sensitivity(call, weights),
        environment(call, weights),
        scale(call, catalogue, weights),
    ];
    let sum: u32 = factors.iter().map(|factor| u32::from(factor.points)).sum();
    let score = u8::try_from(sum.min(100)).unwrap_or(100);
    Risk { score, severity: Severity::of_score(score), factors }
}

fn factor(name: &str, points: u32, sentence: String) -> Factor {
    Factor { name: name.to_owned(), points: u8::try_from(points.min(100)).unwrap_or(100), sentence }
}

fn percent_of(points: u8, percent: u8) -> u32 {
    u32::from(points) * u32::from(percent) / 100
}

fn action(call: &Call, weights: &Weights) -> Factor {
    let action = &call.action;
    let kind = if action.known { "" } else { " (not in the catalogue)" };
    let back = if action.reversible { "can be undone" } else { "cannot be undone" };
    let sentence = format!("`{}`{kind} is a {} action that {back}", action.canonical, action.effect);
    factor("action", percent_of(action.base_risk, weights.action_percent), sentence)
}

/// Looking at something does less harm than changing it, wherever it is.
fn weakened(points: u8, call: &Call, weights: &Weights) -> u32 {
    let percent = if call.action.effect == Effect::Read { weights.read_percent.min(100) } else { 100 };
    percent_of(points, percent)
}

fn sensitivity(call: &Call, weights: &Weights) -> Factor {
    let [low, normal, high] = weights.sensitivity;
    let (points, sentence) = match call.registration.sensitivity {
        Some(Sensitivity::Low) => (low, "is registered as being of low sensitivity"),
        Some(Sensitivity::Normal) => (normal, "is registered as being of normal sensitivity"),
        Some(Sensitivity::High) => (high, "is registered as sensitive"),
        None => (high, "has no registered sensitivity, so it counts as sensitive"),
    };
    factor("target", weakened(points, call, weights), format!("`{}` {sentence}", call.target))
}

fn environment(call: &Call, weights: &Weights) -> Factor {
    let [development, staging, other, production] = weights.environment;
    let points = match call.environment.strictness() {
        Strictness::Development => development,
        Strictness::Staging => staging,
        Strictness::Other => other,
        Strictness::Production => production,
    };
    let sentence = format!("it takes effect in `{}`", call.environment);
    factor("environment", weakened(points, call, weights), sentence)
}

/// The largest effective field decides; further fields add nothing, so that splitting or repeating a
/// number changes nothing.
fn scale(call: &Call, catalogue: &Catalogue, weights: &Weights) -> Factor {
    let mut largest: Option<(u32, &Field, Measured)> = None;
    let kinds = call.action.types.iter().filter_map(|name| catalogue.get(name));
    for field in kinds.flat_map(|kind| &kind.measures).chain(catalogue.common_measures()) {
        let found = points_of(field, call.context.get(&field.name), weights);
        if let Some((points, measured)) =
            found.filter(|(points, _)| largest.as_ref().is_none_or(|seen| *points > seen.0))
        {
            largest = Some((points, field, measured));
        }
    }
    let Some((points, field, measured)) = largest.filter(|(points, ..)| *points > 0) else {
        return factor("scale", 0, "nothing in the call measures its scale".to_owned());
    };
    let name = &field.name;
    let sentence = match measured {
        Measured::Size(number) => format!("`{name}` is {number}"),
        Measured::Missing => format!("`{name}` is missing, so it counts at its worst"),
        Measured::Unreadable => format!("`{name}` is not a number, so it counts at its worst"),
    };
    factor("scale", points, sentence)
}

/// What a field says about the scale of a call.
enum Measured {
    Size(Decimal),
    Missing,
    Unreadable,
}

fn points_of(field: &Field, value: Option<&Value>, weights: &Weights) -> Option<(u32, Measured)> {
    let unit = field.unit?;
    let most = u32::from(weights.scale_most);
    match (value, measure(value)) {
        (None, _) => field.required.then_some((most, Measured::Missing)),
        (Some(_), Some(number)) => {
            let points = match unit {
                Unit::Percent => share(number, most),
                Unit::Money | Unit::Count => steps(number, u32::from(weights.per_decade)),
            };
            Some((points.min(most), Measured::Size(number)))
        }
        // A text or object of no known size says nothing about scale where several forms are usual.
        (Some(_), None) if field.kind == FieldKind::Any => None,
        (Some(_), None) => Some((most, Measured::Unreadable)),
    }
}

/// The size of a number or a list.
fn measure(value: Option<&Value>) -> Option<Decimal> {
    match value? {
        Value::Number(number) if number.is_negative() => Some(-*number),
        Value::Number(number) => Some(*number),
        Value::List(items) => i64::try_from(items.len()).ok().map(Into::into),
        _ => None,
    }
}

/// Points that grow like a logarithm: `per_decade` for each power of ten, a third of that for a leading
/// digit from 2, two thirds from 5. Below 1 there are none.
fn steps(number: Decimal, per_decade: u32) -> u32 {
    let (coefficient, exponent) = number.parts();
    let magnitude = coefficient.unsigned_abs();
    let Some(digits) = magnitude.checked_ilog10() else { return 0 };
    let Ok(decades) = u32::try_from(i64::from(digits) + i64::from(exponent)) else { return 0 };
    let leading = magnitude / 10u128.pow(digits);
    let thirds = match leading {
        0..2 => 0,
        2..5 => 1,
        _ => 2,
    };
    (decades.saturating_mul(3).saturating_add(thirds)).saturating_mul(per_decade) / 3
}

/// The part of `most` that a percentage is.
fn share(percent: Decimal, most: u32) -> u32 {
    let (coefficient, exponent) = percent.parts();
    if percent >= Decimal::from(100u64) {
        return most;
    }
    // Below 100 the whole part is at most two digits; a fraction counts as the next whole percent.
    let divisor = u32::try_from(-i64::from(exponent)).ok().map_or(Some(1), |places| 10u128.checked_pow(places));
    let whole = match (divisor, percent.to_i64()) {
        (_, Some(whole)) => u32::try_from(whole).unwrap_or(0),
        (Some(divisor), None) => u32::try_from(coefficient.unsigned_abs() / divisor).unwrap_or(0) + 1,
        (None, None) => 1,
    };
    most * whole / 100
}

#[cfg(test)]
mod tests;
