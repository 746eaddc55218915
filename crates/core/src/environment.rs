//! Where an action takes effect: a name such as `production`, and which of two is stricter.
//!
//! An environment said by the call can only tighten, unless the target is registered to take it from
//! there. What is missing or cannot be read where it should decide counts as production.

use crate::target::Registration;
use crate::text::{self, TextError};
use crate::value::{Object, Text, Value};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cmp::Ordering;
use std::fmt;

/// Context members that name an environment in the tools agents call.
const CONTEXT_KEYS: [&str; 4] = ["environment", "env", "stage", "deploymentEnvironment"];

/// A normalised name; every spelling of production is `production`.
///
/// INVARIANT: `Ord` is strictness first, so the stricter of two is their `max`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Environment(Text);

impl Environment {
    #[must_use]
    pub fn production() -> Self {
        Self(Text::new_static("production"))
    }

    pub fn new(name: &str) -> Result<Self, TextError> {
        if matches!(name, "production" | "staging" | "development" | "test" | "sandbox") {
            return Ok(Self(Text::new(name)));
        }
        let normal = text::normal_target(name)?;
        let known = match normal.as_str() {
            "stage" | "stg" => "staging",
            "dev" | "local" => "development",
            "testing" | "qa" => "test",
            other if names_production(other) => "production",
            other => other,
        };
        Ok(Self(known.into()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn is_production(&self) -> bool {
        self.strictness() == Strictness::Production
    }

    /// How much an action there matters; names nobody declared harmless are stricter than staging.
    #[must_use]
    pub fn strictness(&self) -> Strictness {
        match self.as_str() {
            "production" => Strictness::Production,
            "staging" => Strictness::Staging,
            "test" | "development" | "sandbox" => Strictness::Development,
            _ => Strictness::Other,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strictness {
    Development,
    Staging,
    Other,
    Production,
}

/// Whether a word of the name says production (`prod-eu`, `live_2`), and no word before it denies it.
fn names_production(name: &str) -> bool {
    let mut denied = false;
    for word in name.split(|character: char| !character.is_alphanumeric()) {
        match word {
            "non" | "pre" | "not" | "no" => denied = true,
            "prod" | "production" | "prd" | "live" => return !denied,
            _ => {}
        }
    }
    false
}

/// The environment of a call: the target's registration, else the strictest of context and agent.
#[must_use]
pub fn resolve(registration: &Registration, agent: &Environment, context: &Object) -> Environment {
    if let Some(registered) = &registration.environment {
        return registered.clone();
    }
    let environment = match (said(context), registration.environment_from_context) {
        (Some(said), true) => said,
        // Registered to be told, and not told: nothing says that it is harmless.
        (None, true) => Environment::production(),
        (Some(said), false) => said.max(agent.clone()),
        (None, false) => agent.clone(),
    };
    match hinted(context) {
        Some(hinted) => environment.max(hinted),
        None => environment,
    }
}

/// The strictest environment that the context names under one of the names for it.
fn said(context: &Object) -> Option<Environment> {
    CONTEXT_KEYS.iter().filter_map(|key| context.get(key)).map(read).max()
}

/// The same under any other spelling of these names (`ENV`, `deployment_environment`): no way to say it,
/// so it counts only where it is stricter.
fn hinted(context: &Object) -> Option<Environment> {
    let hints = |name: &str| CONTEXT_KEYS.iter().any(|key| is_spelling(name, key) && name != *key);
    context.iter().filter(|(name, _)| hints(name)).map(|(_, value)| read(value)).max()
}

/// Anything but a readable name is production.
fn read(value: &Value) -> Environment {
    let name = value.as_text().and_then(|name| Environment::new(name).ok());
    name.unwrap_or_else(Environment::production)
}

/// Whether two names differ only in case and separators.
fn is_spelling(name: &str, of: &str) -> bool {
    if name.is_ascii() {
        // Asked of every argument of every call.
        let lower = |letter: u8| letter.to_ascii_lowercase();
        let letters = name.bytes().filter(u8::is_ascii_alphanumeric).map(lower);
        return name.len() >= of.len() && letters.eq(of.bytes().map(lower));
    }
    let letters = name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase);
    let wanted = of.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase);
    name.len() >= of.len() && letters.eq(wanted)
}

impl Ord for Environment {
    fn cmp(&self, other: &Self) -> Ordering {
        self.strictness().cmp(&other.strictness()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Environment {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Serialize for Environment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Environment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::new(&name).map_err(|error| serde::de::Error::custom(format!("environment `{name}` {error}")))
    }
}

#[cfg(test)]
mod tests;
