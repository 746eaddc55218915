//! Workspaces: list and create.

use super::body;
use super::caller::Operator;
use super::moment::Moment;
use super::problems::problems;
use crate::app::App;
use crate::error::Error;
use crate::manage::workspaces;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use runplane_core::time::Micros;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

problems! {
    /// A question about the installation.
    Listing: InvalidKey, Forbidden, StoreUnavailable, Internal
}
problems! {
    /// A new workspace.
    Creating: InvalidRequest, InvalidKey, Forbidden, AlreadyExists, PayloadTooLarge, AuditUnavailable,
    StoreUnavailable, Internal
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkspaceView {
    id: String,
    /// What the header `Runplane-Workspace` says.
    name: String,
    created_at: Moment,
}

#[derive(Serialize, ToSchema)]
pub struct WorkspaceList {
    workspaces: Vec<WorkspaceView>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWorkspace {
    /// 1 to 63 lower-case letters, digits and inner dashes.
    name: String,
}

impl From<runplane_store::Workspace> for WorkspaceView {
    fn from(workspace: runplane_store::Workspace) -> Self {
        Self { id: workspace.id, name: workspace.name, created_at: Moment(Micros(workspace.created_us)) }
    }
}

/// List workspaces.
#[utoipa::path(get, path = "/api/v1/workspaces", operation_id = "listWorkspaces", tag = "workspaces",
    responses((status = 200, description = "Oldest first", body = WorkspaceList), Listing),
    security(("adminToken" = [])))]
pub async fn list_workspaces(_: Operator, State(app): State<Arc<App>>) -> Result<Json<WorkspaceList>, Error> {
    let workspaces = workspaces::list(&app).await?;
    Ok(Json(WorkspaceList { workspaces: workspaces.into_iter().map(WorkspaceView::from).collect() }))
}

/// Create a workspace, with the shipped policies and a ledger of its own.
#[utoipa::path(post, path = "/api/v1/workspaces", operation_id = "createWorkspace", tag = "workspaces",
    request_body = NewWorkspace,
    responses((status = 201, description = "Created", body = WorkspaceView), Creating),
    security(("adminToken" = [])))]
pub async fn post_workspace(
    _: Operator,
    State(app): State<Arc<App>>,
    body: Body,
) -> Result<(StatusCode, Json<WorkspaceView>), Error> {
    let new: NewWorkspace = body::json(body).await?;
    let workspace = workspaces::create(&app, new.name).await?;
    Ok((StatusCode::CREATED, Json(workspace.into())))
}
