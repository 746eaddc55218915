//! How much could go wrong: a deterministic, explained integer from 0 to 100.
//!
//! The score is a sum of factors, each with a sentence; it decides nothing by itself. Only integers:
//! the same call and the same profile give the same score on every machine. `docs/guide/risk.md` has the formula. Refuses to be talked down: what is missing or
//! cannot be read counts at its worst. INVARIANT: more of any factor never lowers the score.

use crate::call::Call;
use crate::catalogue::{Catalogue, Effect, Field, FieldKind, Unit};
use crate::decimal::Decimal;
use crate::environment::Strictness;
use crate::profile::thirds;
use crate::target::Sensitivity;
use crate::value::{Text, Value};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

mod deviation;
mod weights;

pub use deviation::{measure, with_profile};
pub use weights::{ProfileWeights, Weights};

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
    pub name: Cow<'static, str>,
    pub points: u8,
    pub sentence: Text,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Risk {
    pub factors: Vec<Factor>,
    pub score: u8,
    pub severity: Severity,
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
    Risk::of(factors)
}

impl Risk {
    fn of(factors: Vec<Factor>) -> Self {
        let sum: u32 = factors.iter().map(|factor| u32::from(factor.points)).sum();
        let score = u8::try_from(sum.min(100)).unwrap_or(100);
        Self { score, severity: Severity::of_score(score), factors }
    }
}

/// The parts as one sentence. Every call has a handful of them, which are copied with the decision.
fn said(parts: &[&str]) -> Text {
    let mut room = [0; 256];
    let mut end = 0usize;
    for part in parts {
        let Some(place) = room.get_mut(end..end.saturating_add(part.len())) else { return parts.concat().into() };
        place.copy_from_slice(part.as_bytes());
        end += part.len();
    }
    room.get(..end).and_then(|text| std::str::from_utf8(text).ok()).map(Text::new).unwrap_or_default()
}

fn factor(name: &'static str, points: u32, sentence: Text) -> Factor {
    Factor { name: Cow::Borrowed(name), points: u8::try_from(points.min(100)).unwrap_or(100), sentence }
}

fn percent_of(points: u8, percent: u8) -> u32 {
    u32::from(points) * u32::from(percent) / 100
}

fn action(call: &Call, weights: &Weights) -> Factor {
    let action = &call.action;
    let kind = if action.known { "" } else { " (not in the catalogue)" };
    let back = if action.reversible { "can be undone" } else { "cannot be undone" };
    let sentence = said(&["`", &action.canonical, "`", kind, " is a ", action.effect.as_str(), " action that ", back]);
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
    factor("target", weakened(points, call, weights), said(&["`", &call.target, "` ", sentence]))
}

fn environment(call: &Call, weights: &Weights) -> Factor {
    let [development, staging, other, production] = weights.environment;
    let points = match call.environment.strictness() {
        Strictness::Development => development,
        Strictness::Staging => staging,
        Strictness::Other => other,
        Strictness::Production => production,
    };
    let sentence = said(&["it takes effect in `", call.environment.as_str(), "`"]);
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
        return factor("scale", 0, Text::new_static("nothing in the call measures its scale"));
    };
    let name = &field.name;
    let sentence = match measured {
        Measured::Size(number) => said(&["`", name, "` is ", &number.to_string()]),
        Measured::Missing => said(&["`", name, "` is missing, so it counts at its worst"]),
        Measured::Unreadable => said(&["`", name, "` is not a number, so it counts at its worst"]),
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
    match (value, number_of(value)) {
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
fn number_of(value: Option<&Value>) -> Option<Decimal> {
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
    thirds(number).map_or(0, |thirds| thirds.saturating_mul(per_decade) / 3)
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
