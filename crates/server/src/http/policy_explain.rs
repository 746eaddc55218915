//! What the policies, or a draft, say of a call.

use super::body;
use super::caller::Admin;
use super::moment::Moment;
use super::problems::problems;
use crate::app::App;
use crate::error::{Error, Kind};
use crate::manage::explain::{self as asked, Answer, Question};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use runplane_core::decide::Decision;
use runplane_core::policy::explain;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

problems! {
    /// A question about a call.
    Explaining: InvalidRequest, InvalidKey, Forbidden, UnknownWorkspace, UnknownAgent, PayloadTooLarge, InvalidPolicy,
    Overloaded, AuditUnavailable, Internal
}

/// A call, and what to try it on.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExplainRequest {
    /// The body of a guard request: `{"action": {"type", "target", "context"}, …}`.
    #[schema(value_type = Object)]
    call: Box<serde_json::value::RawValue>,
    /// A registered agent; without it, a production agent that nobody registered.
    #[serde(default)]
    agent_id: Option<String>,
    /// A document to try in place of the published one of its name.
    #[serde(default)]
    yaml: Option<String>,
    /// When; without it, now.
    #[serde(default)]
    at: Option<String>,
}

/// What would be decided, and why.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Explained {
    basis: ExplainBasis,
    decision: ExplainedDecision,
    call: ExplainedCall,
    /// What inspectors read, by inspector.
    #[schema(value_type = Object)]
    readings: serde_json::Value,
    meters: Vec<ExplainedMeter>,
    /// The rule that decides first, then those that matched, are suspected, nearly matched, did not, and are about other
    /// targets or sources.
    rules: Vec<ExplainedRule>,
    /// Rules about other actions, and those beyond the most that are shown.
    omitted: usize,
}

/// What was asked.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExplainBasis {
    /// `published` or `draft`.
    policies: String,
    bundle: String,
    epoch: u64,
    at: Moment,
    says: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedDecision {
    /// `ALLOW`, `REQUIRE_APPROVAL` or `BLOCK`.
    outcome: String,
    reason: String,
    code: String,
    matched_rule: String,
    severity: String,
    risk: ExplainedRisk,
    /// Own types of the call that no matching ALLOW covers.
    uncovered: Vec<String>,
    audit: ExplainedDuty,
}

#[derive(Serialize, ToSchema)]
pub struct ExplainedRisk {
    score: u8,
    severity: String,
    factors: Vec<ExplainedFactor>,
}

#[derive(Serialize, ToSchema)]
pub struct ExplainedFactor {
    name: String,
    points: u8,
    sentence: String,
}

#[derive(Serialize, ToSchema)]
pub struct ExplainedDuty {
    /// `none`, `replay` or `full`.
    #[schema(value_type = String)]
    payload: runplane_core::policy::Retention,
    tags: Vec<String>,
}

/// The call in canonical terms.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedCall {
    #[serde(rename = "type")]
    action_type: String,
    types: Vec<String>,
    effect: String,
    target: String,
    environment: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct ExplainedMeter {
    name: String,
    within: String,
    /// Absent while its past is still being counted.
    value: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedRule {
    rule: String,
    file: String,
    line: u32,
    column: u32,
    /// What the rule says; absent for duties and limits alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    does: Option<String>,
    shadow: bool,
    /// `matched`, `suspected`, `near`, `unmatched` or `out_of_scope`.
    standing: String,
    /// The decision names it.
    decides: bool,
    says: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<ExplainedLimit>,
    parts: Vec<ExplainedPart>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedLimit {
    count: String,
    within: String,
    used: Option<String>,
    used_up: bool,
    otherwise: String,
}

/// A part of a rule's condition.
#[derive(Serialize, ToSchema)]
pub struct ExplainedPart {
    text: String,
    /// It belongs to `unless`.
    excepts: bool,
    /// `true`, `false`, `error` or `not_read`.
    #[schema(value_type = String)]
    result: explain::Truth,
    found: BTreeMap<String, String>,
    says: String,
    /// From 1.
    line: u32,
    /// From 1, in characters.
    column: u32,
}

impl From<explain::RuleTrace> for ExplainedRule {
    fn from(trace: explain::RuleTrace) -> Self {
        let limit = trace.limit.map(|limit| ExplainedLimit {
            count: limit.count,
            within: limit.within,
            used: limit.used,
            used_up: limit.used_up,
            otherwise: limit.otherwise.to_string(),
        });
        let part = |part: explain::Part| ExplainedPart {
            text: part.text,
            excepts: part.excepts,
            result: part.result,
            found: part.found,
            says: part.says,
            line: part.line,
            column: part.column,
        };
        Self {
            rule: trace.rule.to_string(),
            file: trace.file,
            line: trace.line,
            column: trace.column,
            does: trace.does.map(|outcome| outcome.to_string()),
            shadow: trace.shadow,
            standing: trace.standing.as_str().to_owned(),
            decides: trace.decides,
            says: trace.says,
            limit,
            parts: trace.parts.into_iter().map(part).collect(),
        }
    }
}

impl From<Decision> for ExplainedDecision {
    fn from(decision: Decision) -> Self {
        let factor = |factor: runplane_core::risk::Factor| ExplainedFactor {
            name: factor.name.into_owned(),
            points: factor.points,
            sentence: factor.sentence.into(),
        };
        Self {
            outcome: decision.outcome.to_string(),
            reason: decision.reason,
            code: decision.code.as_str().to_owned(),
            matched_rule: decision.matched_rule.to_string(),
            severity: decision.severity.to_string(),
            risk: ExplainedRisk {
                score: decision.risk.score,
                severity: decision.risk.severity.to_string(),
                factors: decision.risk.factors.into_iter().map(factor).collect(),
            },
            uncovered: decision.uncovered.iter().map(ToString::to_string).collect(),
            audit: ExplainedDuty { payload: decision.audit.payload, tags: decision.audit.tags },
        }
    }
}

impl From<Answer> for Explained {
    fn from(answer: Answer) -> Self {
        let (policies, says) = if answer.is_draft {
            ("draft", "the draft beside the other policies, with the meters of this moment; nothing is recorded")
        } else {
            ("published", "the policies in force, with the meters of this moment; nothing is recorded")
        };
        let (call, explanation) = (answer.call, answer.explanation);
        let meter =
            |meter: explain::MeterTrace| ExplainedMeter { name: meter.name, within: meter.within, value: meter.value };
        Self {
            basis: ExplainBasis {
                policies: policies.to_owned(),
                bundle: answer.bundle,
                epoch: answer.epoch,
                at: Moment(answer.at),
                says: says.to_owned(),
            },
            decision: explanation.decision.into(),
            call: ExplainedCall {
                action_type: call.action.canonical.to_string(),
                types: call.action.types.iter().map(ToString::to_string).collect(),
                effect: call.action.effect.to_string(),
                target: call.target,
                environment: call.environment.to_string(),
                source: call.source,
            },
            readings: answer.readings,
            meters: explanation.meters.into_iter().map(meter).collect(),
            rules: explanation.rules.into_iter().map(ExplainedRule::from).collect(),
            omitted: explanation.omitted,
        }
    }
}

/// Explain what would be decided about a call.
///
/// Which rules match, which nearly, and what each part of their conditions found. With `yaml`, a draft is tried in place
/// of the published policy of its name. The meters are those of this moment; nothing is recorded and nothing charged.
#[utoipa::path(post, path = "/api/v1/policies/explain", operation_id = "explainCall", tag = "policies",
    request_body = ExplainRequest,
    responses((status = 200, description = "The decision, and every rule about the action", body = Explained), Explaining),
    security(("adminToken" = [])))]
pub async fn explain_call(State(app): State<Arc<App>>, admin: Admin, body: Body) -> Result<Json<Explained>, Error> {
    let request: ExplainRequest = body::json(body).await?;
    let at = request.at.map(|text| text.parse()).transpose();
    let at = at.map_err(|_| Error::new(Kind::InvalidRequest, "`at` is not a time such as `2026-01-05T12:00:00Z`"))?;
    let question = Question { call: request.call.get().into(), agent: request.agent_id, yaml: request.yaml, at };
    Ok(Json(asked::explain(&app, &admin.workspace, question).await?.into()))
}
