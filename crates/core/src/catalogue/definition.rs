//! One action type as it is written in the catalogue.

use crate::inspect::Inspector;
use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Domain {
    Payments,
    Database,
    Infrastructure,
    Communication,
    Integrations,
    Enterprise,
    /// Of actions that no catalogue knows.
    Unknown,
}

/// What an action does to the world. The order is strictness.
///
/// INVARIANT: `Ord` is strictness, so of two readings of one action the `max` holds; what nobody can
/// tell is stricter than anything that was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Observes, changes nothing.
    Read,
    /// Creates or changes something, or tells somebody something.
    Write,
    /// Removes or stops something that may not come back.
    Destructive,
    /// Nothing is known about it.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldKind {
    Number,
    Text,
    Bool,
    List,
    Object,
    /// Several of these: callers differ.
    Any,
}

/// What a number, or the length of a list, measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    Money,
    Count,
    Percent,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    pub name: String,
    pub kind: FieldKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// The real parameter of the call, not a remark about it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub effective: bool,
    /// A call without it cannot be judged small.
    #[serde(default, skip_serializing_if = "is_false")]
    pub required: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    pub domain: Domain,
    pub effect: Effect,
    pub reversible: bool,
    /// Inherent risk, 0 to 100.
    pub risk: u8,
    pub about: String,
    /// One line for the person who approves; `{field}` is filled from the context.
    pub says: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inspectors: Vec<Inspector>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
}

fn is_false(value: &bool) -> bool {
    !*value
}

impl Domain {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Payments => "payments",
            Self::Database => "database",
            Self::Infrastructure => "infrastructure",
            Self::Communication => "communication",
            Self::Integrations => "integrations",
            Self::Enterprise => "enterprise",
            Self::Unknown => "unknown",
        }
    }
}

impl Effect {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Destructive => "destructive",
            Self::Unknown => "unknown",
        }
    }
}

impl FieldKind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Text => "text",
            Self::Bool => "bool",
            Self::List => "list",
            Self::Object => "object",
            Self::Any => "any",
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
