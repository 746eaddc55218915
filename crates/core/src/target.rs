//! What an operator registered about a target: established facts, which the call cannot change.
//!
//! WIRE: `{"environment"?, "environmentFrom"?: "context", "sensitivity"?, "audience"?, "hosts"?: []}`.
//! An unknown member is refused, so that a misspelt restriction is not silently none.

use crate::environment::Environment;
use serde::{Deserialize, Serialize};

/// How much damage a wrong action on the target does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sensitivity {
    Low,
    Normal,
    High,
}

/// Who can see what arrives at the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Audience {
    Internal,
    External,
}

impl Sensitivity {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }
}

impl Audience {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::External => "external",
        }
    }
}

/// The default is an unregistered target: nothing established.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub struct Registration {
    pub environment: Option<Environment>,
    /// The call's context names the environment truthfully (a deploy tool acts where it is told).
    pub environment_from_context: bool,
    pub sensitivity: Option<Sensitivity>,
    pub audience: Option<Audience>,
    /// Host names that belong to the target, lower case; `*.example.com` covers all below it.
    pub hosts: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    environment: Option<Environment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    environment_from: Option<EnvironmentFrom>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sensitivity: Option<Sensitivity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    audience: Option<Audience>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hosts: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum EnvironmentFrom {
    Context,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationError {
    #[error(
        "`environment` and `environmentFrom` exclude each other: where the environment is fixed, the call has no say"
    )]
    TwoEnvironments,
    #[error("host `{0}` is not a host name (write `api.example.com` or `*.example.com`, without scheme, port or path)")]
    Host(String),
}

impl TryFrom<Wire> for Registration {
    type Error = RegistrationError;

    fn try_from(wire: Wire) -> Result<Self, RegistrationError> {
        if wire.environment.is_some() && wire.environment_from.is_some() {
            return Err(RegistrationError::TwoEnvironments);
        }
        let hosts = wire.hosts.into_iter().map(registered_host).collect::<Result<_, _>>()?;
        Ok(Self {
            environment: wire.environment,
            environment_from_context: wire.environment_from.is_some(),
            sensitivity: wire.sensitivity,
            audience: wire.audience,
            hosts,
        })
    }
}

impl From<Registration> for Wire {
    fn from(registration: Registration) -> Self {
        Self {
            environment: registration.environment,
            environment_from: registration.environment_from_context.then_some(EnvironmentFrom::Context),
            sensitivity: registration.sensitivity,
            audience: registration.audience,
            hosts: registration.hosts,
        }
    }
}

fn registered_host(host: String) -> Result<String, RegistrationError> {
    let lower = host.to_ascii_lowercase();
    let name = lower.strip_prefix("*.").unwrap_or(&lower);
    // A wildcard directly below a top-level name would cover half the internet.
    let wide = name.len() != lower.len() && !name.contains('.');
    if wide || !is_host_name(name) {
        return Err(RegistrationError::Host(host));
    }
    Ok(lower)
}

/// Letters, digits and inner hyphens in labels of at most 63 bytes; international names in `xn--` form.
#[must_use]
pub fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

#[cfg(test)]
mod tests;
