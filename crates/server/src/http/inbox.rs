//! The inbox of people: identical asks together, many decided at once, asks withdrawn.

use super::body;
use super::caller::Admin;
use super::problem::Problem;
use super::problems::{Reading, problems};
use super::query::Query;
use crate::approvals::{self, ApprovalView};
use crate::error::{Error, Kind};
use axum::Json;
use axum::body::Body;
use axum::extract::Path;
use runplane_core::approval::Verdict;
use runplane_store::ApprovalFilter;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Asks looked at for one answer.
const LOOKED_AT: usize = 500;
const MOST_AT_ONCE: usize = 200;

problems! {
    /// Many votes at once.
    Deciding: InvalidRequest, InvalidKey, Forbidden, UnknownWorkspace, PayloadTooLarge, AuditUnavailable, Overloaded,
    Internal
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GroupsQuery {
    /// Id of an agent.
    agent: Option<String>,
}

/// Asks for the very same action by the same agent.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupView {
    /// Digest of the action.
    digest: String,
    count: usize,
    /// Oldest first.
    ids: Vec<String>,
    oldest_at: String,
    soonest_expiry: String,
    /// The oldest of them, in full.
    first: ApprovalView,
}

#[derive(Serialize, ToSchema)]
pub struct GroupList {
    /// Oldest first.
    groups: Vec<GroupView>,
    /// More wait than were looked at.
    truncated: bool,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum VerdictWord {
    Approve,
    Deny,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideBody {
    /// At most 200.
    ids: Vec<String>,
    verdict: VerdictWord,
    #[serde(default)]
    comment: Option<String>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelBody {
    comment: Option<String>,
}

/// What became of one vote.
#[derive(Serialize, ToSchema)]
pub struct DecideResult {
    id: String,
    /// Whether the vote was counted and recorded.
    decided: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    /// Stable word for why it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct DecideResults {
    /// In the order of the ids.
    results: Vec<DecideResult>,
}

/// List what waits for a person, identical asks together.
#[utoipa::path(get, path = "/api/v1/approvals/groups", operation_id = "listApprovalGroups", tag = "approvals",
    params(GroupsQuery),
    responses((status = 200, description = "Groups of pending asks", body = GroupList), Reading),
    security(("adminToken" = [])))]
pub async fn list_groups(admin: Admin, Query(query): Query<GroupsQuery>) -> Result<Json<GroupList>, Error> {
    let filter =
        ApprovalFilter { statuses: vec!["pending".to_owned()], agent: query.agent, before: None, limit: LOOKED_AT };
    let rows = approvals::list(&admin.workspace, filter, Some(admin.clone())).await?;
    let truncated = rows.len() == LOOKED_AT;
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut groups: Vec<GroupView> = Vec::new();
    for (_, ask) in rows.into_iter().rev() {
        let place = places.get(&ask.digest).copied();
        match place.and_then(|place| groups.get_mut(place)) {
            Some(group) => {
                group.count += 1;
                group.ids.push(ask.id);
                // RFC 3339 in one form sorts as it reads.
                group.soonest_expiry = group.soonest_expiry.clone().min(ask.expires_at);
            }
            None => {
                places.insert(ask.digest.clone(), groups.len());
                groups.push(GroupView {
                    digest: ask.digest.clone(),
                    count: 1,
                    ids: vec![ask.id.clone()],
                    oldest_at: ask.created_at.clone(),
                    soonest_expiry: ask.expires_at.clone(),
                    first: ask,
                });
            }
        }
    }
    Ok(Json(GroupList { groups, truncated }))
}

/// Approve or deny many held actions. Each vote is an entry of its own, and each is judged by itself.
#[utoipa::path(post, path = "/api/v1/approvals/decide", operation_id = "decideApprovals", tag = "approvals",
    request_body = DecideBody,
    responses((status = 200, description = "What became of each", body = DecideResults), Deciding),
    security(("adminToken" = [])))]
pub async fn post_decide(admin: Admin, body: Body) -> Result<Json<DecideResults>, Error> {
    let DecideBody { ids, verdict, comment } = body::json(body).await?;
    if ids.len() > MOST_AT_ONCE {
        return Err(Error::new(Kind::InvalidRequest, format!("`ids` may have at most {MOST_AT_ONCE} entries")));
    }
    let verdict = match verdict {
        VerdictWord::Approve => Verdict::Approve,
        VerdictWord::Deny => Verdict::Deny,
    };
    let mut results = Vec::with_capacity(ids.len());
    for id in ids {
        let voted = approvals::vote(&admin, &id, verdict, comment.clone()).await;
        results.push(match voted {
            Ok(view) => DecideResult { id, decided: true, state: Some(view.state), error: None, detail: None },
            // What is about this one is told beside the others; what is about the server ends it.
            Err(failure) if failure.kind.status() < 500 => DecideResult {
                id,
                decided: false,
                state: None,
                error: Some(failure.kind.code()),
                detail: Some(failure.detail),
            },
            Err(failure) => return Err(failure),
        });
    }
    Ok(Json(DecideResults { results }))
}

/// Withdraw a held action, also one that is approved and not yet redeemed.
#[utoipa::path(post, path = "/api/v1/approvals/{id}/cancel", operation_id = "cancelApproval", tag = "approvals",
    params(("id" = String, Path, description = "Id of the approval")),
    request_body(content = inline(Option<CancelBody>), content_type = "application/json"),
    responses(
        (status = 200, body = ApprovalView),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("adminToken" = [])))]
pub async fn post_cancel(admin: Admin, Path(id): Path<String>, body: Body) -> Result<Json<ApprovalView>, Error> {
    let cancel: CancelBody = body::json_or_empty(body).await?;
    approvals::cancel(&admin, &id, cancel.comment).await.map(Json)
}
