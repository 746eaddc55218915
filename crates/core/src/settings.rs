//! A workspace's settings: what the operator says about the world around the agents.
//!
//! WIRE: camelCase JSON; absent members have their defaults. Reading validates and normalises, so a
//! `Settings` that exists is usable. Refuses unknown members, names that are no names, limits of zero.

use crate::outcome::Outcome;
use crate::risk::Weights;
use crate::target::{Registration, is_host_name};
use crate::text;
use crate::time::Micros;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields, try_from = "Unchecked")]
pub struct Settings {
    /// Domains whose mail is ours, lower case. `acme.example` is only itself, `*.acme.example` all that is below
    /// it: a sub-domain may be lent to customers or to somebody else's service.
    pub internal_domains: Vec<String>,
    /// What holds for a call that no rule matched.
    pub default_decision: Outcome,
    /// By normalised target name.
    pub targets: BTreeMap<String, Registration>,
    pub limits: Limits,
    /// How many points the factors of risk give.
    #[serde(skip_serializing_if = "is_usual")]
    pub risk: Weights,
    /// Nothing is stopped for a while; absent in a workspace that enforces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observe: Option<Observe>,
}

/// Everything is decided and recorded, nothing is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Observe {
    /// From this moment of ledger time on the workspace enforces.
    #[serde(with = "moment")]
    pub until: Micros,
}

/// WIRE: RFC 3339.
mod moment {
    use super::Micros;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(at: &Micros, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(at)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Micros, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = || D::Error::custom(format!("`{text}` is not a time such as `2026-01-31T09:30:00Z`"));
        text.parse().map_err(|_| wrong())
    }
}

fn is_usual(weights: &Weights) -> bool {
    *weights == Weights::default()
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Limits {
    pub open_approvals_per_agent: u32,
    pub requests_per_second_per_agent: Option<u32>,
    /// When an approval asked for by a client without `Runplane-Client` closes; below its own 300 s.
    pub legacy_approval_seconds: u32,
    /// When an approval closes unless a rule says sooner.
    pub approval_seconds: u32,
    pub max_body_bytes: usize,
    /// Deepest nesting of a request body.
    pub max_depth: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            internal_domains: Vec::new(),
            default_decision: Outcome::Block,
            targets: BTreeMap::new(),
            limits: Limits::default(),
            risk: Weights::default(),
            observe: None,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            open_approvals_per_agent: 100,
            requests_per_second_per_agent: None,
            legacy_approval_seconds: 290,
            approval_seconds: 3_600,
            max_body_bytes: 1024 * 1024,
            max_depth: 32,
        }
    }
}

/// A setting that cannot hold, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{place}` {problem}")]
pub struct SettingsError {
    pub place: String,
    pub problem: String,
}

impl SettingsError {
    fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: place.into(), problem: problem.into() }
    }
}

impl Settings {
    /// The registration of a target, by its normalised name; an unknown target has none.
    #[must_use]
    pub fn registration(&self, target: &str) -> Option<&Registration> {
        self.targets.get(target)
    }

    /// Until when nothing is stopped, if nothing is stopped at `now`.
    #[must_use]
    pub fn observing(&self, now: Micros) -> Option<Micros> {
        self.observe.map(|observe| observe.until).filter(|until| now < *until)
    }

    /// Whether `domain` (lower case) is one of ours.
    #[must_use]
    pub fn is_internal_domain(&self, domain: &str) -> bool {
        self.internal_domains.iter().any(|ours| match ours.strip_prefix("*.") {
            Some(above) => domain.strip_suffix(above).is_some_and(|front| front.ends_with('.')),
            None => domain == ours,
        })
    }
}

/// The wire form before anything is checked.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Unchecked {
    internal_domains: Vec<String>,
    default_decision: Outcome,
    targets: BTreeMap<String, Registration>,
    limits: Limits,
    risk: Weights,
    observe: Option<Observe>,
}

impl Default for Unchecked {
    fn default() -> Self {
        let Settings { internal_domains, default_decision, targets, limits, risk, observe } = Settings::default();
        Self { internal_domains, default_decision, targets, limits, risk, observe }
    }
}

impl TryFrom<Unchecked> for Settings {
    type Error = SettingsError;

    fn try_from(unchecked: Unchecked) -> Result<Self, SettingsError> {
        let mut internal_domains = Vec::with_capacity(unchecked.internal_domains.len());
        for (index, domain) in unchecked.internal_domains.iter().enumerate() {
            internal_domains.push(internal_domain(domain).map_err(|problem| {
                SettingsError::new(format!("internalDomains[{index}]"), format!("(`{domain}`) {problem}"))
            })?);
        }
        let mut targets = BTreeMap::new();
        for (name, registration) in unchecked.targets {
            let place = format!("targets.{name}");
            let normal = text::normal_target(&name)
                .map_err(|error| SettingsError::new(place.clone(), format!("is not a target name: it {error}")))?;
            if targets.insert(normal.clone(), registration).is_some() {
                return Err(SettingsError::new(place, format!("is registered twice: both names mean `{normal}`")));
            }
        }
        check_limits(&unchecked.limits)?;
        let Unchecked { default_decision, limits, risk, observe, .. } = unchecked;
        risk.check().map_err(|(place, problem)| SettingsError::new(format!("risk.{place}"), problem))?;
        Ok(Self { internal_domains, default_decision, targets, limits, risk, observe })
    }
}

fn internal_domain(domain: &str) -> Result<String, &'static str> {
    let written = domain.trim();
    let (below, name) = written.strip_prefix("*.").map_or(("", written), |name| ("*.", name));
    // `=acme.example` said once that sub-domains are not meant, which is so without it now.
    let name = name.strip_prefix('=').filter(|_| below.is_empty()).unwrap_or(name);
    let lower = name.trim_start_matches('@').to_ascii_lowercase();
    if !is_host_name(&lower) {
        return Err("is not a domain name (write international names in their `xn--` form)");
    }
    if !lower.contains('.') {
        return Err("has no dot: a whole top-level domain cannot be internal");
    }
    Ok(format!("{below}{lower}"))
}

fn check_limits(limits: &Limits) -> Result<(), SettingsError> {
    let within = |name: &str, value: usize, least: usize, most: usize| {
        if (least..=most).contains(&value) {
            return Ok(());
        }
        Err(SettingsError::new(format!("limits.{name}"), format!("must be from {least} to {most}, not {value}")))
    };
    let wide = |value: u32| usize::try_from(value).unwrap_or(usize::MAX);
    within("openApprovalsPerAgent", wide(limits.open_approvals_per_agent), 1, 100_000)?;
    within("requestsPerSecondPerAgent", wide(limits.requests_per_second_per_agent.unwrap_or(1)), 1, 1_000_000)?;
    // WIRE: the published client gives up after 300 s and may then run the action.
    within("legacyApprovalSeconds", wide(limits.legacy_approval_seconds), 1, 295)?;
    within("approvalSeconds", wide(limits.approval_seconds), 1, 30 * 24 * 3_600)?;
    within("maxBodyBytes", limits.max_body_bytes, 1_024, 16 * 1024 * 1024)?;
    within("maxDepth", limits.max_depth, 4, 128)
}

#[cfg(test)]
mod tests;
