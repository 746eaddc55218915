//! `POST /api/v1/executions/{requestId}`: what happened after an ALLOW.

use super::body;
use super::caller::AgentCaller;
use super::problem::Problem;
use crate::clock::rfc3339;
use crate::error::{Error, Kind};
use crate::guard::{LedgerPosition, Outcome, report};
use crate::sequencer::Reported;
use axum::Json;
use axum::body::Body;
use axum::extract::Path;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const MAX_DETAIL: usize = 4_000;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OutcomeBody {
    status: Outcome,
    /// At most 4,000 characters; kept beside the ledger, which holds its digest.
    detail: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OutcomeRecorded {
    request_id: String,
    status: String,
    /// RFC 3339.
    recorded_at: String,
    ledger: LedgerPosition,
}

/// Report the outcome of an allowed action. The same report again is answered the same.
#[utoipa::path(post, path = "/api/v1/executions/{requestId}", operation_id = "reportOutcome", tag = "guard",
    params(("requestId" = String, Path, description = "Request id of the decision")),
    request_body = OutcomeBody,
    responses(
        (status = 200, body = OutcomeRecorded),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("agentKey" = [])))]
pub async fn post_execution(
    agent: AgentCaller,
    Path(request_id): Path<String>,
    body: Body,
) -> Result<Json<OutcomeRecorded>, Error> {
    let outcome: OutcomeBody = body::json(body).await?;
    if outcome.detail.as_ref().is_some_and(|detail| detail.chars().count() > MAX_DETAIL) {
        return Err(Error::new(Kind::InvalidRequest, format!("`detail` has more than {MAX_DETAIL} characters")));
    }
    match report(&agent.identity, request_id.clone(), outcome.status, outcome.detail).await? {
        Reported::Recorded { status, at, position } => {
            let (recorded_at, ledger) = (rfc3339(at), LedgerPosition::from(&position));
            Ok(Json(OutcomeRecorded { request_id, status, recorded_at, ledger }))
        }
        Reported::Conflict { status } => {
            let text = format!("the outcome `{status}` was reported before");
            Err(Error::new(Kind::OutcomeConflict, text).with("reported", status))
        }
    }
}
