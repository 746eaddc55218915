//! What a decision says. Serialised as it stands on the record: camelCase, no value of the call in it.

use crate::approval::Requirement;
use crate::catalogue::TypeName;
use crate::decimal::Decimal;
use crate::meter::{Charge, MeterKey};
use crate::outcome::Outcome;
use crate::policy::{Retention, RuleId};
use crate::risk::{Risk, Severity};
use crate::time::Micros;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    pub outcome: Outcome,
    /// Set where the workspace only observes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed: Option<Observed>,
    /// For people.
    pub reason: String,
    /// For programs.
    pub code: ReasonCode,
    /// The least id among the strictest.
    pub matched_rule: RuleId,
    pub severity: Severity,
    pub risk: Risk,
    /// Rules that matched; ordered by id.
    pub matched: Vec<MatchedRule>,
    /// Restrictions whose condition has no value; ordered by id.
    pub suspected: Vec<SuspectedRule>,
    /// Own types of the call that no matching ALLOW covers, if some ALLOW matched.
    #[serde(serialize_with = "names")]
    pub uncovered: Vec<TypeName>,
    /// What rules in shadow policies would have said; ordered by id.
    pub shadow: Vec<ShadowRule>,
    pub audit: AuditDuty,
    /// Who must agree; empty unless the outcome is REQUIRE_APPROVAL.
    pub requirements: Vec<Requirement>,
    /// What to do to meters, now or when the event comes that a charge waits for.
    pub charges: Vec<Charge>,
    /// What is used of the limits that the call falls under, this call included if it counts. Derived from the rest,
    /// and no part of what is compared.
    #[serde(skip)]
    pub limits: Vec<Share>,
}

/// How much of a limit is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    pub rule: RuleId,
    /// The meter, where the limit is a condition that compares one.
    pub meter: Option<Arc<str>>,
    pub key: MeterKey,
    pub of: Decimal,
    pub used: Decimal,
}

/// What enforcement would have said of a call that was let through because the workspace only observes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed<Code = ReasonCode> {
    pub code: Code,
    pub outcome: Outcome,
    pub reason: String,
    /// When observing ends.
    pub until: Micros,
}

/// Why, in one stable word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    /// A rule matched.
    Policy,
    /// A rule's limit is used up.
    Limit,
    /// A restrictive rule's condition has no value.
    EvaluationError,
    /// No rule matched.
    Default,
    /// An inspector could not read the payload.
    Unreadable,
    /// A meter should count the call and cannot tell how much.
    Uncounted,
    Containment,
    /// The agent has too many open approvals.
    OpenApprovalCap,
    /// Everything that held the call was approved.
    Approved,
    /// The call was prepared under another bundle than it is decided under.
    StaleBundle,
    /// The workspace only observes; enforcement would have restricted.
    Observed,
}

impl ReasonCode {
    pub const ALL: [Self; 11] = [
        Self::Policy,
        Self::Limit,
        Self::EvaluationError,
        Self::Default,
        Self::Unreadable,
        Self::Uncounted,
        Self::Containment,
        Self::OpenApprovalCap,
        Self::Approved,
        Self::StaleBundle,
        Self::Observed,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Limit => "limit",
            Self::EvaluationError => "evaluation_error",
            Self::Default => "default",
            Self::Unreadable => "unreadable",
            Self::Uncounted => "uncounted",
            Self::Containment => "containment",
            Self::OpenApprovalCap => "open_approval_cap",
            Self::Approved => "approved",
            Self::StaleBundle => "stale_bundle",
            Self::Observed => "observed",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MatchedRule {
    pub outcome: Outcome,
    pub rule: RuleId,
    /// An approval met its requirement.
    pub satisfied: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SuspectedRule {
    /// Why its condition has no value; names and types only.
    pub error: String,
    pub outcome: Outcome,
    pub rule: RuleId,
    pub satisfied: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShadowRule {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    pub outcome: Outcome,
    pub rule: RuleId,
    /// What enforcement would decide if this rule were enforced beside what is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would: Option<Outcome>,
}

/// What the matching duties ask for, at its most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditDuty {
    pub payload: Retention,
    /// Sorted, each once.
    pub tags: Vec<String>,
}

fn names<S: serde::Serializer>(names: &[TypeName], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(names.iter().map(|name| &**name))
}
