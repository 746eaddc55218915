//! A recorded decision as the client sees it. There is no other way to make one.

use crate::clock::rfc3339;
use crate::error::Error;
use crate::permit::Permit;
use crate::record::{DecisionBody, LimitRead};
use crate::sequencer::Recorded;
use crate::write;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use runplane_core::decide::Observed;
use runplane_core::decimal::Decimal;
use runplane_core::policy::RuleId;
use runplane_core::time::Span;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Few answers are longer.
const USUAL_BYTES: usize = 3 * 1024;
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A recorded decision on its way out, and the permit that goes with it.
pub struct Decided {
    recorded: Recorded<Arc<DecisionBody>>,
    replayed: bool,
    permit: Option<Permit>,
}

impl Decided {
    #[must_use]
    pub fn new(recorded: Recorded<Arc<DecisionBody>>, replayed: bool) -> Self {
        Self { recorded, replayed, permit: None }
    }

    #[must_use]
    pub fn with_permit(self, permit: Permit) -> Self {
        Self { permit: Some(permit), ..self }
    }

    /// The limits that the action falls under, with this decision counted.
    #[must_use]
    pub fn limits(&self) -> &[LimitRead] {
        &self.recorded.value().limits
    }

    #[must_use]
    pub fn answer(&self) -> Answer<'_> {
        let permit = self
            .permit
            .as_ref()
            .map(|permit| PermitView { permit: permit.token.clone(), permit_expires_at: rfc3339(permit.expires_at) });
        Answer { permit, ..Answer::of(&self.recorded, self.replayed) }
    }
}

/// Written out here, where the decision is: nothing of it is copied first.
impl IntoResponse for Decided {
    fn into_response(self) -> Response {
        match write::json(&self.answer(), USUAL_BYTES) {
            Ok(bytes) => ([(CONTENT_TYPE, JSON)], bytes).into_response(),
            Err(failure) => Error::internal("an answer could not be written").because(failure).into_response(),
        }
    }
}

/// The decision of one action.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Answer<'a> {
    /// `ALLOW`, `REQUIRE_APPROVAL` or `BLOCK`.
    pub decision: &'a str,
    /// One sentence for people.
    pub reason: &'a str,
    /// Why, as a stable word: `policy`, `default`, `containment`, `limit`, `invalid_request`, …
    pub reason_code: &'a str,
    pub request_id: &'a str,
    /// Set exactly if the decision is `REQUIRE_APPROVAL`.
    pub approval_id: Option<&'a str>,
    /// `policy/rule`; the rules of the engine itself are named `runplane/…`.
    #[schema(value_type = String)]
    pub matched_rule: &'a RuleId,
    /// Set while the workspace only observes: nothing is stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed: Option<ObservedView>,
    /// 0 to 100.
    pub risk_score: u8,
    /// `low`, `medium`, `high` or `critical`.
    pub severity: &'a str,
    /// The same request was answered before; this is that answer.
    pub replayed: bool,
    pub action: ActionView<'a>,
    /// The environment the decision was made for.
    pub environment: &'a str,
    pub risk: RiskView<'a>,
    pub obligations: Obligations<'a>,
    /// What is used and left of the limits that the action falls under, with this decision counted.
    #[schema(required = false)]
    pub limits: Vec<LimitView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalAsked>,
    pub ledger: LedgerPosition,
    /// Digest of the policies, catalogue and settings that decided.
    pub bundle: &'a str,
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
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActionView<'a> {
    pub declared: &'a str,
    pub domain: &'a str,
    pub effect: &'a str,
    /// The canonical action type.
    pub r#type: &'a str,
    /// The canonical type, its parents, and what inspectors found.
    pub types: &'a [String],
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RiskView<'a> {
    pub score: u8,
    pub severity: &'a str,
    pub factors: Vec<FactorView<'a>>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FactorView<'a> {
    pub name: &'a str,
    pub points: i64,
    pub sentence: &'a str,
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

/// What is left of a limit, never below 0.
#[must_use]
pub fn remaining(used: Decimal, of: Decimal) -> Decimal {
    of.checked_sub(used).ok().filter(|rest| !rest.is_negative()).unwrap_or_default()
}

impl LimitView {
    #[must_use]
    pub fn new(rule: String, meter: Option<String>, used: Decimal, of: Decimal, within: Span) -> Self {
        Self {
            rule,
            meter,
            used: used.to_string(),
            of: of.to_string(),
            remaining: remaining(used, of).to_string(),
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
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Obligations<'a> {
    pub audit: AuditObligation<'a>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditObligation<'a> {
    /// How the payload is kept: `none`, `replay` or `full`.
    pub payload: &'a str,
    pub tags: &'a [String],
}

#[derive(Clone, Debug, Serialize, ToSchema)]
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
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LedgerPosition {
    pub index: u64,
    /// Size of a signed tree that contains it.
    pub tree_size: u64,
    /// Root hash of that tree, lower-case hex.
    pub root: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
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

impl<'a> Answer<'a> {
    fn of(recorded: &'a Recorded<Arc<DecisionBody>>, replayed: bool) -> Self {
        let body = recorded.value();
        let decision = &body.decision;
        Self {
            decision: decision.outcome.as_str(),
            reason: &decision.reason,
            reason_code: &decision.code,
            request_id: &body.request_id,
            approval_id: body.held_as.as_ref().map(|held| held.id.as_str()),
            matched_rule: &decision.matched_rule,
            observed: decision.observed.as_ref().map(ObservedView::from),
            risk_score: decision.risk.score,
            severity: decision.severity.as_str(),
            replayed,
            action: ActionView {
                declared: &body.action.declared,
                domain: &body.action.domain,
                effect: &body.action.effect,
                r#type: &body.action.r#type,
                types: &body.action.types,
            },
            environment: &body.environment,
            risk: RiskView::of(&decision.risk),
            obligations: Obligations {
                audit: AuditObligation { payload: retention(decision.audit.payload), tags: &decision.audit.tags },
            },
            limits: body.limits.iter().map(LimitView::from).collect(),
            approval: body.held_as.as_ref().map(|held| ApprovalAsked {
                expires_at: rfc3339(held.expires_at),
                requirements: decision.requirements.iter().map(RequirementView::from).collect(),
            }),
            ledger: recorded.position().into(),
            bundle: &body.bundle,
            permit: None,
        }
    }
}

impl<'a> RiskView<'a> {
    fn of(risk: &'a runplane_core::risk::Risk) -> Self {
        Self {
            score: risk.score,
            severity: risk.severity.as_str(),
            factors: risk
                .factors
                .iter()
                .map(|factor| FactorView {
                    name: &factor.name,
                    points: i64::from(factor.points),
                    sentence: &factor.sentence,
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
