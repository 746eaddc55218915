//! What lint finds, and the call that shows it.

use crate::outcome::Outcome;
use crate::policy::RuleId;
use serde::Serialize;

/// The closed list of mistakes. WIRE: snake_case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The condition contradicts what the rule is about, so no call ever reaches it.
    Unreachable,
    /// Wherever the rule holds, a stricter one holds as well.
    Shadowed,
    /// A condition, or a part of it, can never be true.
    Contradiction,
    /// A comparison that can never hold because of what its sides are.
    NeverByType,
    /// The exception always applies, so the rule never does.
    AlwaysTrueUnless,
    /// Nobody is in the group that has to approve.
    UnknownGroup,
    /// A member of the context that no tool sends for these actions.
    UnknownField,
    /// A restriction names fewer targets than the ALLOW beside it.
    NarrowerThanAllow,
    /// A hold that lets people approve what the default would have blocked.
    OpensDefault,
    /// Another rule says the same.
    Duplicate,
    /// A meter that no rule reads.
    UnusedMeter,
    /// A limit that changes no decision.
    UnbindingLimit,
    /// A selector that selects nothing.
    EmptyGlob,
    /// More people are asked for than there are.
    UnsatisfiableQuorum,
}

impl Kind {
    pub const ALL: [Self; 14] = [
        Self::Unreachable,
        Self::Shadowed,
        Self::Contradiction,
        Self::NeverByType,
        Self::AlwaysTrueUnless,
        Self::UnknownGroup,
        Self::UnknownField,
        Self::NarrowerThanAllow,
        Self::OpensDefault,
        Self::Duplicate,
        Self::UnusedMeter,
        Self::UnbindingLimit,
        Self::EmptyGlob,
        Self::UnsatisfiableQuorum,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Shadowed => "shadowed",
            Self::Contradiction => "contradiction",
            Self::NeverByType => "never_by_type",
            Self::AlwaysTrueUnless => "always_true_unless",
            Self::UnknownGroup => "unknown_group",
            Self::UnknownField => "unknown_field",
            Self::NarrowerThanAllow => "narrower_than_allow",
            Self::OpensDefault => "opens_default",
            Self::Duplicate => "duplicate",
            Self::UnusedMeter => "unused_meter",
            Self::UnbindingLimit => "unbinding_limit",
            Self::EmptyGlob => "empty_glob",
            Self::UnsatisfiableQuorum => "unsatisfiable_quorum",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    pub file: String,
    pub line: u32,
    pub column: u32,
    pub kind: Kind,
    /// The rule it is about first, then those it is compared with.
    pub rules: Vec<RuleId>,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<Example>,
}

/// A call that was decided, with the rule and without it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Example {
    /// As it is sent to be guarded.
    pub call: serde_json::Value,
    /// Who asks; what is not said is a production agent without labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<Asker>,
    pub outcome: Outcome,
    /// The outcome with the rule left out.
    pub without: Outcome,
    /// What the decisions say, in a sentence.
    pub shows: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Asker {
    pub environment: String,
    pub labels: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}
