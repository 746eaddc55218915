//! Why a call is decided as it is: every rule that is about it, and what each part of its conditions found.
//!
//! The conditions are evaluated by the reference evaluator, the decision is made by the engine itself. Refuses to
//! record anything. What must stay true: a trace never says of a rule what the decision contradicts. It shows values
//! of the call, so it is for whoever has the call, never for the ledger.

mod parts;

pub use parts::{Part, Truth};

use super::bundle::Bundle;
use super::document::{self, Document, RuleTerms};
use super::finding::{Findings, Place};
use super::id::RuleId;
use super::rule::Rule;
use super::selector::in_scope;
use crate::decide::{Decision, Facts, Prepared, decide};
use crate::meter::MeterValue;
use crate::outcome::Outcome;
use crate::policy::condition::view::value_of;
use crate::policy::condition::{State, View};
use parts::Eye;
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Most rules of a trace; what is left out is counted.
pub const MOST: usize = 200;

/// How a rule stands to a call. The order is that of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Matched,
    /// It restricts, and its condition has no value.
    Suspected,
    /// One part of its condition is false; the others are true.
    Near,
    Unmatched,
    /// About the same action, but not about this target or source.
    OutOfScope,
}

impl Standing {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::Suspected => "suspected",
            Self::Near => "near",
            Self::Unmatched => "unmatched",
            Self::OutOfScope => "out_of_scope",
        }
    }
}

/// One rule about one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleTrace {
    pub rule: RuleId,
    pub file: String,
    pub line: u32,
    pub column: u32,
    /// What the rule says; absent for duties and limits alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub does: Option<Outcome>,
    pub shadow: bool,
    pub standing: Standing,
    /// It is the rule the decision names.
    pub decides: bool,
    pub says: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<LimitTrace>,
    pub parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LimitTrace {
    pub count: String,
    pub within: String,
    /// Absent if nothing was counted for a call like this, or the past is still being counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<String>,
    pub used_up: bool,
    pub otherwise: Outcome,
}

/// A counter that the decision read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MeterTrace {
    pub name: String,
    pub within: String,
    /// Absent while its past is still being counted.
    pub value: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    pub decision: Decision,
    pub meters: Vec<MeterTrace>,
    pub rules: Vec<RuleTrace>,
    /// Rules about other actions, and those beyond the most that a trace holds.
    pub omitted: usize,
}

/// Decides the call and says why. `policies` are the texts that the bundle was made of.
#[must_use]
pub fn explain(bundle: &Bundle, policies: &[(String, String)], prepared: &Prepared, facts: &Facts) -> Explanation {
    let decision = decide(bundle, prepared, facts);
    let written: Vec<(&str, Document)> = policies
        .iter()
        .filter_map(|(file, text)| Some((file.as_str(), document::read(text, &mut Findings::new(file))?)))
        .collect();
    let terms: BTreeMap<(&str, &str), (&str, &RuleTerms)> = written
        .iter()
        .flat_map(|(file, document)| {
            let name = document.name.value.as_str();
            document.rules.iter().map(move |rule| ((name, rule.id.value.as_str()), (*file, rule)))
        })
        .collect();
    let meters: Vec<(u32, MeterValue)> = prepared.read_values(bundle, facts).collect();
    let risk = prepared.risk_with(bundle, facts);
    let view = View {
        call: prepared.call(),
        readings: prepared.readings(),
        risk: &risk,
        settings: bundle.settings(),
        state: Some(State { now: facts.now, meters: &meters, names: bundle.counter_names() }),
    };
    let desk = Desk { bundle, decision: &decision, view, meters: &meters };
    let mut rules: Vec<RuleTrace> = bundle
        .rules()
        .iter()
        .filter_map(|rule| {
            let (file, terms) = terms.get(&(&*rule.id.policy, &*rule.id.rule))?;
            desk.trace(rule, file, terms)
        })
        .collect();
    rules.sort_by_cached_key(|trace| (Reverse(trace.decides), trace.standing, trace.rule.clone()));
    let omitted = bundle.rules().len() - rules.len().min(MOST);
    rules.truncate(MOST);
    let meters = desk.read_meters();
    Explanation { meters, rules, omitted, decision }
}

struct Desk<'a> {
    bundle: &'a Bundle,
    decision: &'a Decision,
    view: View<'a>,
    meters: &'a [(u32, MeterValue)],
}

impl<'a> Desk<'a> {
    /// The rule's trace, if it is about this action at all.
    fn trace(&self, rule: &'a Rule, file: &str, terms: &RuleTerms) -> Option<RuleTrace> {
        let call = self.view.call;
        if !rule.actions.touches(&call.action) {
            return None;
        }
        let place = terms.id.place;
        let mut trace = RuleTrace {
            rule: rule.id.clone(),
            file: file.to_owned(),
            line: place.line,
            column: place.column,
            does: rule.decision,
            shadow: rule.shadow,
            standing: Standing::OutOfScope,
            decides: self.decision.matched_rule == rule.id,
            says: String::new(),
            limit: None,
            parts: Vec::new(),
        };
        if !in_scope(rule.source.as_deref(), call, false) {
            let source = call.source.as_deref().unwrap_or("unknown");
            trace.says =
                format!("the source is `{source}`, the policy is for `{}`", rule.source.as_deref().unwrap_or(""));
            return Some(trace);
        }
        if !rule.targets.has(&call.target) {
            let wanted: Vec<String> =
                terms.target.iter().flatten().map(|target| format!("`{}`", target.value)).collect();
            trace.says = format!("the target is `{}`, the rule is for {}", call.target, wanted.join(", "));
            return Some(trace);
        }
        let eye = Eye { view: &self.view, meters: self.bundle.counter_names() };
        trace.parts = eye.look(rule, terms);
        trace.limit = self.limit(rule);
        (trace.standing, trace.says) = self.standing(rule, &trace);
        Some(trace)
    }

    fn standing(&self, rule: &Rule, trace: &RuleTrace) -> (Standing, String) {
        if let Some(found) = self.decision.suspected.iter().find(|entry| entry.rule == rule.id) {
            return (Standing::Suspected, format!("it cannot be told whether it applies: {}", plain(&found.error)));
        }
        let stopping: Vec<&Part> = trace.parts.iter().filter(|part| part.stops()).collect();
        let doubtful: Vec<&Part> = trace.parts.iter().filter(|part| part.result == Truth::Error).collect();
        match (stopping.as_slice(), doubtful.as_slice()) {
            ([], []) => {
                let limited = trace.limit.as_ref().filter(|limit| limit.used_up);
                let says = match limited {
                    Some(limit) => format!("it holds, and its limit of {} in {} is used up", limit.count, limit.within),
                    None if rule.decision == Some(Outcome::Allow) && !rule.may_allow(self.view.call) => {
                        let says = "it holds, but the source of the call is unknown and an ALLOW never guesses";
                        return (Standing::Unmatched, says.to_owned());
                    }
                    None if trace.parts.is_empty() => "it has no condition".to_owned(),
                    None => "every part of its condition is true".to_owned(),
                };
                (Standing::Matched, says)
            }
            ([], [first, ..]) => (Standing::Unmatched, first.says.clone()),
            ([only], []) => (Standing::Near, only.says.clone()),
            ([first, ..], _) => (Standing::Unmatched, first.says.clone()),
        }
    }

    fn limit(&self, rule: &Rule) -> Option<LimitTrace> {
        let limit = rule.limit.as_ref()?;
        let counter = usize::try_from(limit.counter).ok().and_then(|place| self.bundle.counters().get(place));
        let used = match value_of(self.meters, limit.counter)? {
            MeterValue::Ready(used) => Some(used),
            MeterValue::Filling | MeterValue::Doubtful => None,
        };
        let one = 1u64.into();
        let used_up = used.is_none_or(|used| used.checked_add(one).map_or(true, |next| next > limit.count));
        Some(LimitTrace {
            count: limit.count.to_string(),
            within: counter.map(|counter| counter.within.to_string()).unwrap_or_default(),
            used: used.map(|used| used.to_string()),
            used_up,
            otherwise: limit.otherwise,
        })
    }

    fn read_meters(&self) -> Vec<MeterTrace> {
        let trace = |(place, value): &(u32, MeterValue)| {
            let counter = usize::try_from(*place).ok().and_then(|place| self.bundle.counters().get(place))?;
            let value = match value {
                MeterValue::Ready(value) => Some(value.to_string()),
                MeterValue::Filling | MeterValue::Doubtful => None,
            };
            Some(MeterTrace { name: counter.name.to_string(), within: counter.within.to_string(), value })
        };
        self.meters.iter().filter_map(trace).collect()
    }
}

/// A failure without the offset, which a trace says as a place.
fn plain(error: &str) -> &str {
    error.split(" (offset ").next().unwrap_or(error)
}

/// The place of an offset in a condition, for parts.
fn place_at(source: &super::source::Source, offset: u32) -> Place {
    source.place_of(usize::try_from(offset).unwrap_or(0))
}

#[cfg(test)]
mod tests;
