//! A recorded decision as the client sees it. There is no other way to make one.

use crate::clock::rfc3339;
use crate::permit::Permit;
use crate::record::{DecisionBody, LimitRead};
use crate::sequencer::Recorded;
use runplane_core::decide::Observed;
use runplane_core::decimal::Decimal;
use runplane_core::time::Span;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// The decision of one action.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// `ALLOW`, `REQUIRE_APPROVAL` or `BLOCK`.
    pub decision: String,
    /// One sentence for people.
    pub reason: String,
    /// Why, as a stable word: `policy`, `default`, `containment`, `limit`, `invalid_request`, …
    pub reason_code: String,
    pub request_id: String,
    /// Set exactly if the decision is `REQUIRE_APPROVAL`.
    pub approval_id: Option<String>,
    /// `policy/rule`; the rules of the engine itself are named `runplane/…`.
    pub matched_rule: String,
    /// Set while the workspace only observes: nothing is stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed: Option<ObservedView>,
    /// 0 to 100.
    pub risk_score: u8,
    /// `low`, `medium`, `high` or `critical`.
    pub severity: String,
    /// The same request was answered before; this is that answer.
    pub replayed: bool,
    pub action: ActionView,
    /// The environment the decision was made for.
    pub environment: String,
    pub risk: RiskView,
    pub obligations: Obligations,
    /// What is used and left of the limits that the action falls under, with this decision counted.
    #[serde(default)]
    pub limits: Vec<LimitView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalAsked>,
    pub ledger: LedgerPosition,
    /// Digest of the policies, catalogue and settings that decided.
    pub bundle: String,
    /// Signed proof that this exact action may run now; only in the answer to a redemption.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub permit: Option<PermitView>,
}

/// What enforcement would have said.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObservedView {
    /// `ALLOW`, `REQUIRE_APPROVAL` or `BLOCK`.
    pub decision: String,
    pub reason: String,
    pub reason_code: String,
    /// RFC 3339; enforced from then on.
    pub until: String,
}

impl From<&Observed<String>> for ObservedView {
    fn from(observed: &Observed<String>) -> Self {
        Self {
            decision: observed.outcome.to_string(),
            reason: observed.reason.clone(),
            reason_code: observed.code.clone(),
            until: rfc3339(observed.until),
        }
    }
}

/// What the action was taken to be.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActionView {
    pub declared: String,
    pub domain: String,
    pub effect: String,
    /// The canonical action type.
    pub r#type: String,
    /// The canonical type, its parents, and what inspectors found.
    pub types: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RiskView {
    pub score: u8,
    pub severity: String,
    pub factors: Vec<FactorView>,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FactorView {
    pub name: String,
    pub points: i64,
    pub sentence: String,
}

/// How much of a limit is used.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LimitView {
    /// `policy/rule`.
    pub rule: String,
    /// The meter, where the limit is a condition about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meter: Option<String>,
    /// A decimal as text.
    pub used: String,
    /// What it may come to; a decimal as text.
    pub of: String,
    /// Never below 0; a decimal as text.
    pub remaining: String,
    pub within_seconds: i64,
    /// When the first of what is used comes back: RFC 3339. Absent while nothing is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<String>,
}

impl LimitView {
    #[must_use]
    pub fn new(rule: String, meter: Option<String>, used: Decimal, of: Decimal, within: Span) -> Self {
        let remaining = of.checked_sub(used).ok().filter(|rest| !rest.is_negative()).unwrap_or_default();
        Self {
            rule,
            meter,
            used: used.to_string(),
            of: of.to_string(),
            remaining: remaining.to_string(),
            within_seconds: within.0 / 1_000_000,
            resets_at: None,
        }
    }
}

impl From<&LimitRead> for LimitView {
    fn from(read: &LimitRead) -> Self {
        let view = Self::new(read.rule.to_string(), read.meter.clone(), read.used, read.of, read.within);
        Self { resets_at: read.resets_at.map(rfc3339), ..view }
    }
}

/// What comes with the decision.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Obligations {
    pub audit: AuditObligation,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditObligation {
    /// How the payload is kept: `none`, `replay` or `full`.
    pub payload: String,
    pub tags: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalAsked {
    /// RFC 3339.
    pub expires_at: String,
    pub requirements: Vec<RequirementView>,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequirementView {
    pub rule: String,
    pub from: Vec<String>,
    pub quorum: u32,
}

/// Where the decision stands on the ledger.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LedgerPosition {
    pub index: u64,
    /// Size of a signed tree that contains it.
    pub tree_size: u64,
    /// Root hash of that tree, lower-case hex.
    pub root: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PermitView {
    /// JWS with Ed25519.
    pub permit: String,
    /// RFC 3339.
    pub permit_expires_at: String,
}

impl From<&crate::record::Position> for LedgerPosition {
    fn from(position: &crate::record::Position) -> Self {
        Self { index: position.index, tree_size: position.tree_size, root: hex::encode(position.root) }
    }
}

impl From<&runplane_core::approval::Requirement> for RequirementView {
    fn from(requirement: &runplane_core::approval::Requirement) -> Self {
        Self { rule: requirement.rule.to_string(), from: requirement.from.clone(), quorum: requirement.quorum }
    }
}

impl Answer {
    #[must_use]
    pub fn of(recorded: &Recorded<Arc<DecisionBody>>, replayed: bool) -> Self {
        let body = recorded.value();
        let decision = &body.decision;
        Self {
            decision: decision.outcome.to_string(),
            reason: decision.reason.clone(),
            reason_code: decision.code.to_string(),
            request_id: body.request_id.clone(),
            approval_id: body.held_as.as_ref().map(|held| held.id.clone()),
            matched_rule: decision.matched_rule.to_string(),
            observed: decision.observed.as_ref().map(ObservedView::from),
            risk_score: decision.risk.score,
            severity: decision.severity.as_str().to_owned(),
            replayed,
            action: ActionView {
                declared: body.action.declared.clone(),
                domain: body.action.domain.clone(),
                effect: body.action.effect.clone(),
                r#type: body.action.r#type.clone(),
                types: body.action.types.clone(),
            },
            environment: body.environment.clone(),
            risk: RiskView::of(&decision.risk),
            obligations: Obligations {
                audit: AuditObligation {
                    payload: retention(decision.audit.payload).to_owned(),
                    tags: decision.audit.tags.clone(),
                },
            },
            limits: body.limits.iter().map(LimitView::from).collect(),
            approval: body.held_as.as_ref().map(|held| ApprovalAsked {
                expires_at: rfc3339(held.expires_at),
                requirements: decision.requirements.iter().map(RequirementView::from).collect(),
            }),
            ledger: recorded.position().into(),
            bundle: body.bundle.clone(),
            permit: None,
        }
    }

    #[must_use]
    pub fn with_permit(mut self, permit: Permit) -> Self {
        self.permit = Some(PermitView { permit: permit.token, permit_expires_at: rfc3339(permit.expires_at) });
        self
    }
}

impl RiskView {
    #[must_use]
    pub fn of(risk: &runplane_core::risk::Risk) -> Self {
        Self {
            score: risk.score,
            severity: risk.severity.as_str().to_owned(),
            factors: risk
                .factors
                .iter()
                .map(|factor| FactorView {
                    name: factor.name.to_string(),
                    points: i64::from(factor.points),
                    sentence: factor.sentence.clone(),
                })
                .collect(),
        }
    }
}

fn retention(retention: runplane_core::policy::Retention) -> &'static str {
    use runplane_core::policy::Retention;
    match retention {
        Retention::None => "none",
        Retention::Replay => "replay",
        Retention::Full => "full",
    }
}
