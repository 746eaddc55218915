//! The name of a rule: its policy and its own id. Ordered by policy, then rule, which is what makes
//! `matchedRule` independent of the order of rules and files.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

/// `policy/rule`. Neither part contains a slash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId {
    pub policy: Arc<str>,
    pub rule: Arc<str>,
}

/// The policy name of what the engine itself adds; no document may use it.
pub const BUILT_IN: &str = "runplane";

impl RuleId {
    #[must_use]
    pub fn new(policy: &str, rule: &str) -> Self {
        Self { policy: policy.into(), rule: rule.into() }
    }

    /// A rule of the engine: `runplane/…`.
    #[must_use]
    pub fn built_in(rule: &str) -> Self {
        Self::new(BUILT_IN, rule)
    }

    #[must_use]
    pub fn is_built_in(&self) -> bool {
        self.policy.as_ref() == BUILT_IN
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.policy, self.rule)
    }
}

impl Serialize for RuleId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Records name rules many times; most names are short.
        let (policy, rule) = (self.policy.as_bytes(), self.rule.as_bytes());
        let mut buffer = [0; 128];
        let parts = policy.iter().chain(b"/").chain(rule);
        let length = policy.len() + 1 + rule.len();
        let Some(text) = buffer.get_mut(..length) else { return serializer.collect_str(self) };
        text.iter_mut().zip(parts).for_each(|(place, byte)| *place = *byte);
        match std::str::from_utf8(text) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for RuleId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (policy, rule) =
            text.split_once('/').ok_or_else(|| serde::de::Error::custom("a rule is named `policy/rule`"))?;
        Ok(Self::new(policy, rule))
    }
}
