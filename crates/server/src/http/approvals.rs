//! Approvals: list, look, wait, approve, deny, redeem.

use super::body;
use super::caller::{Admin, AgentCaller, Caller, Credentials, credential};
use super::problem::Problem;
use super::query::Query;
use crate::app::App;
use crate::approvals::{self, ApprovalView, PolledStatus};
use crate::error::{Error, Kind};
use crate::guard::{Answer, Decided, Redemption, redeem};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use runplane_core::approval::{State as ApprovalState, Verdict};
use runplane_store::ApprovalFilter;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};

/// Longest wait of one request; a client that wants more asks again.
const MAX_WAIT: Duration = Duration::from_secs(60);
const DEFAULT_PAGE: usize = 50;
const MAX_PAGE: usize = 200;
const MAX_ID: usize = 128;

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// `pending`, `approved`, `denied` or `expired`, or one of the finer states.
    status: Option<String>,
    /// Id of an agent.
    agent: Option<String>,
    limit: Option<usize>,
    cursor: Option<u64>,
}

/// Newest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalList {
    approvals: Vec<ApprovalView>,
    next_cursor: Option<u64>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WaitQuery {
    /// Answer only when the approval is decided, or after this long; for example `25s`, at most `60s`.
    wait: Option<String>,
}

/// What a person says with a vote.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VoteBody {
    comment: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RedeemBody {
    /// Made by the client; repeating it while the permit lives gives the same permit.
    redemption_id: String,
}

/// List approvals.
#[utoipa::path(get, path = "/api/v1/approvals", operation_id = "listApprovals", tag = "approvals", params(ListQuery),
    responses(
        (status = 200, body = ApprovalList),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
    ),
    security(("agentKey" = []), ("adminToken" = [])))]
pub async fn list_approvals(caller: Caller, Query(query): Query<ListQuery>) -> Result<Json<ApprovalList>, Error> {
    let limit = query.limit.unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE);
    let agent = match caller.only_agent() {
        // An agent sees its own, whatever it asks for.
        Some(own) => Some(own.to_owned()),
        None => query.agent,
    };
    let statuses = query.status.as_deref().map(states).transpose()?.unwrap_or_default();
    let filter = ApprovalFilter { statuses, agent, before: query.cursor, limit };
    let rows = approvals::list(caller.workspace(), filter, caller.person().cloned()).await?;
    let next_cursor = (rows.len() == limit).then(|| rows.last().map(|(index, _)| *index)).flatten();
    Ok(Json(ApprovalList { approvals: rows.into_iter().map(|(_, view)| view).collect(), next_cursor }))
}

/// The states a word of the query stands for.
fn states(status: &str) -> Result<Vec<String>, Error> {
    let matching: Vec<String> = ApprovalState::ALL
        .iter()
        .filter(|state| state.status() == status || state.as_str() == status)
        .map(|state| state.as_str().to_owned())
        .collect();
    if matching.is_empty() {
        return Err(Error::new(Kind::InvalidRequest, format!("`status` cannot be `{status}`")));
    }
    Ok(matching)
}

/// Look at one approval, if wanted until it is decided.
///
/// To a client that does not send `Runplane-Client` this is a poll of the published kind: `expired` is never said,
/// and the first poll that would show `approved` is recorded as the redemption.
#[utoipa::path(get, path = "/api/v1/approvals/{id}", operation_id = "getApproval", tag = "approvals",
    params(("id" = String, Path, description = "Id of the approval"), WaitQuery),
    responses(
        (status = 200, body = ApprovalView),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
    security(("agentKey" = []), ("adminToken" = [])))]
pub async fn get_approval(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Query(query): Query<WaitQuery>,
    credentials: Credentials,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let caller = credentials.resolve(&app).await?;
    let wait = query.wait.as_deref().map(parse_wait).transpose()?.unwrap_or_default();
    let only_agent = caller.only_agent().map(str::to_owned);
    let workspace = caller.workspace();
    let held = if id.len() > MAX_ID {
        None
    } else if wait.is_zero() {
        approvals::find(workspace, &id, only_agent.as_deref()).await?
    } else {
        let still_allowed = || {
            let (app, credentials) = (Arc::clone(&app), credentials.clone());
            async move { credentials.resolve(&app).await.map(|_| ()) }
        };
        approvals::wait(&app, workspace, &id, only_agent.as_deref(), wait, still_allowed).await?
    };
    if let Caller::Agent(agent) = &caller
        && agent.wire_client
    {
        let credential = credential(&headers).unwrap_or_default();
        let status = match held {
            Some(_) => approvals::poll(&app, credential, workspace, &agent.identity.agent.id, &id).await?,
            None => PolledStatus::unknown(),
        };
        return Ok(Json(status).into_response());
    }
    let held = held.ok_or_else(|| Error::plain(Kind::UnknownApproval))?;
    Ok(Json(approvals::view_of(workspace, held, caller.person().cloned()).await?).into_response())
}

fn parse_wait(text: &str) -> Result<Duration, Error> {
    let span: runplane_core::time::Span = text
        .parse()
        .map_err(|failure| Error::new(Kind::InvalidRequest, format!("`wait` cannot be `{text}`: {failure}")))?;
    Ok(Duration::from_micros(u64::try_from(span.0).unwrap_or(0)).min(MAX_WAIT))
}

/// Approve a held action.
#[utoipa::path(post, path = "/api/v1/approvals/{id}/approve", operation_id = "approve", tag = "approvals",
    params(("id" = String, Path, description = "Id of the approval")),
    request_body(content = inline(Option<VoteBody>), content_type = "application/json"),
    responses(
        (status = 200, body = ApprovalView),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("adminToken" = [])))]
pub async fn post_approve(admin: Admin, Path(id): Path<String>, body: Body) -> Result<Json<ApprovalView>, Error> {
    let vote: VoteBody = body::json_or_empty(body).await?;
    approvals::vote(&admin, &id, Verdict::Approve, vote.comment).await.map(Json)
}

/// Deny a held action.
#[utoipa::path(post, path = "/api/v1/approvals/{id}/deny", operation_id = "deny", tag = "approvals",
    params(("id" = String, Path, description = "Id of the approval")),
    request_body(content = inline(Option<VoteBody>), content_type = "application/json"),
    responses(
        (status = 200, body = ApprovalView),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("adminToken" = [])))]
pub async fn post_deny(admin: Admin, Path(id): Path<String>, body: Body) -> Result<Json<ApprovalView>, Error> {
    let vote: VoteBody = body::json_or_empty(body).await?;
    approvals::vote(&admin, &id, Verdict::Deny, vote.comment).await.map(Json)
}

/// Turn an approval into a permit.
///
/// The stored action is decided again under the policies and containment of now. ALLOW comes with a permit; BLOCK
/// is final. Nothing may run on any other answer.
#[utoipa::path(post, path = "/api/v1/approvals/{id}/redeem", operation_id = "redeem", tag = "approvals",
    params(("id" = String, Path, description = "Id of the approval")),
    request_body = RedeemBody,
    responses(
        (status = 200, body = Answer),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("agentKey" = [])))]
pub async fn post_redeem(
    State(app): State<Arc<App>>,
    agent: AgentCaller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Decided, Error> {
    let request: RedeemBody = body::json(body).await?;
    if runplane_core::text::visible_id(&request.redemption_id).is_err() {
        return Err(Error::new(Kind::InvalidRequest, "`redemptionId` is not 1 to 128 visible ASCII characters"));
    }
    // Closes it first if its time is up.
    let only = Some(agent.identity.agent.id.as_str());
    approvals::find(&agent.identity.workspace, &id, only).await?.ok_or_else(|| Error::plain(Kind::UnknownApproval))?;
    let credential = credential(&headers).unwrap_or_default();
    match redeem(&app, credential, false, &id, &request.redemption_id).await? {
        Redemption::Decided { decided, .. } => Ok(decided),
        Redemption::Already(_) => Err(Error::plain(Kind::AlreadyRedeemed)),
        Redemption::NotApproved(held) => {
            let state = held.approval.state;
            let text = format!("the approval is {}", state.as_str());
            Err(Error::new(Kind::ApprovalNotApproved, text).with("approvalStatus", state.status()))
        }
    }
}
