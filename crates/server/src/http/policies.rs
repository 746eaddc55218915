//! Policies: list, read, publish, withdraw, check.

use super::body;
use super::caller::Admin;
use super::moment::Moment;
use super::problems::{Reading, problems};
use super::query::Query;
use crate::app::App;
use crate::error::{Error, Kind};
use crate::manage::history::Note;
use crate::manage::policies::{self, Listed, Published};
use crate::workspace::Workspace;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::{HeaderMap, header};
use runplane_core::policy::Finding;
use runplane_core::policy::document::Mode;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use utoipa::{IntoParams, ToSchema};

problems! {
    /// A question about one policy.
    OnePolicy: InvalidKey, Forbidden, UnknownWorkspace, UnknownPolicy, Internal
}
problems! {
    /// A publish or a withdrawal.
    Publishing: InvalidRequest, InvalidKey, Forbidden, UnknownWorkspace, UnknownPolicy, PayloadTooLarge,
    InvalidPolicy, AuditUnavailable, Overloaded, Internal
}
problems! {
    /// A check.
    Checking: InvalidRequest, InvalidKey, Forbidden, UnknownWorkspace, PayloadTooLarge, Internal
}

/// A published policy.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyView {
    name: String,
    description: String,
    /// `enforce` or `shadow`.
    mode: String,
    /// Number of rules.
    rules: usize,
    /// The platform the policy is for, if it is for one only.
    source: Option<String>,
    updated_at: Moment,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyList {
    policies: Vec<PolicyView>,
    /// Digest of what is in force: policies, settings and catalogue.
    bundle: String,
    epoch: u64,
}

/// A published policy with its text.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyText {
    #[serde(flatten)]
    policy: PolicyView,
    yaml: String,
    bundle: String,
    epoch: u64,
}

/// The JSON form of a document; a body of any other content type is the YAML text itself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyDocument {
    yaml: String,
    /// Why, for those who read the history; only used by a publish.
    #[serde(default)]
    message: Option<String>,
}

/// Why a policy is changed.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Remark {
    /// For those who read the history; at most 500 characters. A JSON body may carry it instead.
    message: Option<String>,
}

/// A change of policies that is in force.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyPublished {
    name: String,
    bundle: String,
    epoch: u64,
    /// The number of the version this is, from 1.
    version: u64,
    warnings: Vec<FindingView>,
    /// Set while the recorded past is still being counted for what is new: rules that need it hold until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    filling: Option<FillingView>,
}

/// How far the past has been counted.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FillingView {
    /// How many counters wait for it.
    counters: usize,
    /// Entries read.
    read: u64,
    /// Entries to read.
    of: u64,
}

impl FillingView {
    pub(super) fn of(workspace: &Workspace) -> Option<Self> {
        let job = workspace.published.filling.borrow().clone()?;
        let (read, of) = (job.read.load(Ordering::Relaxed), job.of.load(Ordering::Relaxed));
        Some(Self { counters: job.counters.len(), read: read.min(of), of })
    }
}

/// What publishing the document would say.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyChecked {
    valid: bool,
    errors: Vec<FindingView>,
    warnings: Vec<FindingView>,
}

/// One problem of a document at one place.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FindingView {
    file: String,
    /// From 1.
    line: u32,
    /// From 1, in characters.
    column: u32,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

impl From<Finding> for FindingView {
    fn from(finding: Finding) -> Self {
        let Finding { file, line, column, message, help } = finding;
        Self { file, line, column, message, help }
    }
}

impl From<Listed> for PolicyView {
    fn from(Listed { policy, summary }: Listed) -> Self {
        let mode = match summary.as_ref().map(|summary| summary.mode) {
            Some(Mode::Shadow) => "shadow",
            Some(Mode::Enforce) | None => "enforce",
        };
        Self {
            name: policy.name.clone(),
            description: summary.as_ref().map(|summary| summary.description.clone()).unwrap_or_default(),
            mode: mode.to_owned(),
            rules: summary.as_ref().map_or(0, |summary| summary.rules),
            source: summary.and_then(|summary| summary.source),
            updated_at: Moment(policy.updated_at),
        }
    }
}

impl PolicyPublished {
    pub(super) fn of(name: String, published: Published) -> Self {
        let Published { bundle, epoch, warnings, version } = published;
        let warnings = warnings.into_iter().map(FindingView::from).collect();
        Self { name, bundle, epoch, version, warnings, filling: None }
    }

    /// 200, or 202 while the past is still being counted.
    pub(super) fn answer(self, workspace: &Workspace) -> (StatusCode, Json<Self>) {
        let filling = FillingView::of(workspace);
        let status = if filling.is_some() { StatusCode::ACCEPTED } else { StatusCode::OK };
        (status, Json(Self { filling, ..self }))
    }
}

/// List the policies in force.
#[utoipa::path(get, path = "/api/v1/policies", operation_id = "listPolicies", tag = "policies",
    responses((status = 200, description = "All policies, by name", body = PolicyList), Reading),
    security(("adminToken" = [])))]
pub async fn list_policies(admin: Admin) -> Json<PolicyList> {
    let control = admin.workspace.control();
    let policies = policies::list(&control).into_iter().map(PolicyView::from).collect();
    Json(PolicyList { policies, bundle: control.bundle_digest(), epoch: control.epoch })
}

/// Read a policy as it was published.
#[utoipa::path(get, path = "/api/v1/policies/{name}", operation_id = "getPolicy", tag = "policies",
    params(("name" = String, Path, description = "Name of the policy")),
    responses((status = 200, description = "The policy and its text", body = PolicyText), OnePolicy),
    security(("adminToken" = [])))]
pub async fn get_policy(admin: Admin, Path(name): Path<String>) -> Result<Json<PolicyText>, Error> {
    let control = admin.workspace.control();
    let listed = policies::find(&control, &name)?;
    let yaml = listed.policy.yaml.clone();
    Ok(Json(PolicyText { policy: listed.into(), yaml, bundle: control.bundle_digest(), epoch: control.epoch }))
}

/// Publish a policy.
///
/// All policies of the workspace are compiled together with it. If anything is wrong nothing changes, and `errors`
/// says what and where. The new bundle decides from the next ledger index on.
#[utoipa::path(put, path = "/api/v1/policies/{name}", operation_id = "putPolicy", tag = "policies",
    params(("name" = String, Path, description = "Name of the policy, the same as in the document"), Remark),
    request_body(content((String = "application/yaml"), (PolicyDocument = "application/json"))),
    responses((status = 200, description = "In force", body = PolicyPublished),
        (status = 202, description = "In force; rules that need the past hold until it is counted", body = PolicyPublished),
        Publishing),
    security(("adminToken" = [])))]
pub async fn put_policy(
    State(app): State<Arc<App>>,
    admin: Admin,
    Path(name): Path<String>,
    Query(remark): Query<Remark>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<PolicyPublished>), Error> {
    let PolicyDocument { yaml, message } = read_document(&headers, body).await?;
    let note = Note { by: admin.id().to_owned(), message: message.or(remark.message), rolled_back_to: None };
    let published = policies::put(&app, &admin.workspace, name.clone(), yaml, note).await?;
    Ok(PolicyPublished::of(name, published).answer(&admin.workspace))
}

/// Withdraw a policy.
#[utoipa::path(delete, path = "/api/v1/policies/{name}", operation_id = "deletePolicy", tag = "policies",
    params(("name" = String, Path, description = "Name of the policy"), Remark),
    responses((status = 200, description = "No longer in force", body = PolicyPublished), Publishing),
    security(("adminToken" = [])))]
pub async fn delete_policy(
    State(app): State<Arc<App>>,
    admin: Admin,
    Path(name): Path<String>,
    Query(remark): Query<Remark>,
) -> Result<Json<PolicyPublished>, Error> {
    let note = Note { by: admin.id().to_owned(), message: remark.message, rolled_back_to: None };
    let published = policies::delete(&app, &admin.workspace, name.clone(), note).await?;
    Ok(Json(PolicyPublished::of(name, published)))
}

/// Check a policy without publishing it.
///
/// Compiled as a publish would, together with the other policies of the workspace.
#[utoipa::path(post, path = "/api/v1/policies/check", operation_id = "checkPolicy", tag = "policies",
    request_body(content((String = "application/yaml"), (PolicyDocument = "application/json"))),
    responses((status = 200, description = "What a publish would say", body = PolicyChecked), Checking),
    security(("adminToken" = [])))]
pub async fn check_policy(
    State(app): State<Arc<App>>,
    admin: Admin,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<PolicyChecked>, Error> {
    let PolicyDocument { yaml, .. } = read_document(&headers, body).await?;
    let checked = policies::check(&app, &admin.workspace, yaml).await?;
    Ok(Json(PolicyChecked {
        valid: checked.errors.is_empty(),
        errors: checked.errors.into_iter().map(FindingView::from).collect(),
        warnings: checked.warnings.into_iter().map(FindingView::from).collect(),
    }))
}

async fn read_document(headers: &HeaderMap, body: Body) -> Result<PolicyDocument, Error> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.contains("json") {
        return body::json(body).await;
    }
    let bytes = body::bytes(body).await?;
    let yaml = String::from_utf8(bytes.to_vec());
    let yaml = yaml.map_err(|_| Error::new(Kind::InvalidRequest, "the body is not UTF-8 text"))?;
    Ok(PolicyDocument { yaml, message: None })
}
