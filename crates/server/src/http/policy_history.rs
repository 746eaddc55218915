//! The versions of a policy, and going back to one.

use super::body;
use super::caller::Admin;
use super::moment::Moment;
use super::policies::{OnePolicy, PolicyPublished, Publishing};
use crate::app::App;
use crate::error::Error;
use crate::manage::history::{self, Note, Version};
use crate::manage::policies;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// What happened to a policy once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyVersion {
    /// From 1.
    version: u64,
    /// `published`, `rolled_back` or `withdrawn`.
    change: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    by: String,
    at: Moment,
    epoch: u64,
    /// SHA-256 of the text, lower-case hex; absent if it was withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rolled_back_to: Option<u64>,
    /// Nothing happened to it since.
    current: bool,
}

/// The versions of a policy, newest first.
#[derive(Serialize, ToSchema)]
pub struct PolicyVersions {
    name: String,
    versions: Vec<PolicyVersion>,
}

/// A version with its text.
#[derive(Serialize, ToSchema)]
pub struct PolicyVersionText {
    #[serde(flatten)]
    version: PolicyVersion,
    /// Absent if it was withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    yaml: Option<String>,
}

/// Which version to publish again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyRollback {
    version: u64,
    /// Why, for those who read the history.
    #[serde(default)]
    message: Option<String>,
}

impl PolicyVersion {
    fn of(version: Version, current: bool) -> Self {
        Self {
            version: version.version,
            change: version.change.as_str().to_owned(),
            message: version.message,
            by: version.by,
            at: Moment(version.at),
            epoch: version.epoch,
            text: version.text,
            rolled_back_to: version.rolled_back_to,
            current,
        }
    }
}

/// List the versions of a policy.
#[utoipa::path(get, path = "/api/v1/policies/{name}/versions", operation_id = "listPolicyVersions", tag = "policies",
    params(("name" = String, Path, description = "Name of the policy, which may have been withdrawn")),
    responses((status = 200, description = "Newest first", body = PolicyVersions), OnePolicy),
    security(("adminToken" = [])))]
pub async fn list_versions(admin: Admin, Path(name): Path<String>) -> Result<Json<PolicyVersions>, Error> {
    let versions = history::list(&admin.workspace, name.clone()).await?;
    let versions = versions.into_iter().enumerate().map(|(place, version)| PolicyVersion::of(version, place == 0));
    Ok(Json(PolicyVersions { name, versions: versions.collect() }))
}

/// Read one version of a policy.
#[utoipa::path(get, path = "/api/v1/policies/{name}/versions/{version}", operation_id = "getPolicyVersion",
    tag = "policies",
    params(("name" = String, Path, description = "Name of the policy"),
           ("version" = u64, Path, description = "Number of the version, from 1")),
    responses((status = 200, description = "The version and its text", body = PolicyVersionText), OnePolicy),
    security(("adminToken" = [])))]
pub async fn get_version(
    admin: Admin,
    Path((name, number)): Path<(String, u64)>,
) -> Result<Json<PolicyVersionText>, Error> {
    let (version, yaml, current) = history::find(&admin.workspace, name, number).await?;
    Ok(Json(PolicyVersionText { version: PolicyVersion::of(version, current), yaml }))
}

/// Publish an old version of a policy again.
///
/// The text is compiled as any publish is, under what the catalogue and the settings are today; if it no longer
/// compiles nothing changes. The rollback is a version of its own.
#[utoipa::path(post, path = "/api/v1/policies/{name}/rollback", operation_id = "rollbackPolicy", tag = "policies",
    params(("name" = String, Path, description = "Name of the policy")),
    request_body = PolicyRollback,
    responses((status = 200, description = "In force", body = PolicyPublished),
        (status = 202, description = "In force; rules that need the past hold until it is counted", body = PolicyPublished),
        Publishing),
    security(("adminToken" = [])))]
pub async fn post_rollback(
    State(app): State<Arc<App>>,
    admin: Admin,
    Path(name): Path<String>,
    body: Body,
) -> Result<(StatusCode, Json<PolicyPublished>), Error> {
    let PolicyRollback { version, message } = body::json(body).await?;
    history::check(message.as_deref())?;
    let yaml = policies::text_of(&admin.workspace, name.clone(), version).await?;
    let note = Note { by: admin.id().to_owned(), message, rolled_back_to: Some(version) };
    let published = policies::put(&app, &admin.workspace, name.clone(), yaml, note).await?;
    Ok(PolicyPublished::of(name, published).answer(&admin.workspace))
}
