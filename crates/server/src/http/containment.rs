//! Containment switches: list, throw, release.

use super::body;
use super::caller::Admin;
use super::moment::Moment;
use super::problems::{Reading, problems};
use crate::app::App;
use crate::error::{Error, Kind};
use crate::manage::containment;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use runplane_core::containment::{Scope, Switch};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

problems! {
    /// A new switch.
    Throwing: InvalidRequest, InvalidKey, Forbidden, UnknownWorkspace, UnknownAgent, PayloadTooLarge,
    AuditUnavailable, Overloaded, Internal
}
problems! {
    /// The end of a switch.
    Releasing: InvalidKey, Forbidden, UnknownWorkspace, UnknownSwitch, AuditUnavailable, Overloaded, Internal
}

/// What a switch stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ScopeView {
    Workspace,
    Agent,
    ActionType,
    Source,
}

/// While it is thrown, every matching decision and redemption is BLOCK.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SwitchView {
    id: String,
    scope: ScopeView,
    /// Id of the agent, canonical action type, or name of the source; absent for the whole workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    reason: String,
    by: String,
    at: Moment,
}

#[derive(Serialize, ToSchema)]
pub struct SwitchList {
    switches: Vec<SwitchView>,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSwitch {
    scope: ScopeView,
    /// Id of the agent, action type in any spelling, or name of the source; absent for the whole workspace.
    #[serde(default)]
    value: Option<String>,
    /// Shown with every decision the switch stops.
    reason: String,
}

impl From<&Switch> for SwitchView {
    fn from(switch: &Switch) -> Self {
        let (scope, value) = match &switch.scope {
            Scope::Workspace => (ScopeView::Workspace, None),
            Scope::Agent(agent) => (ScopeView::Agent, Some(agent.clone())),
            Scope::ActionType(name) => (ScopeView::ActionType, Some(name.clone())),
            Scope::Source(source) => (ScopeView::Source, Some(source.clone())),
        };
        let Switch { id, reason, by, at, .. } = switch;
        Self { id: id.clone(), scope, value, reason: reason.clone(), by: by.clone(), at: Moment(*at) }
    }
}

/// List the switches that are thrown.
#[utoipa::path(get, path = "/api/v1/containment", operation_id = "listSwitches", tag = "containment",
    responses((status = 200, description = "In the order in which they were thrown", body = SwitchList), Reading),
    security(("adminToken" = [])))]
pub async fn list_switches(admin: Admin) -> Json<SwitchList> {
    let control = admin.workspace.control();
    Json(SwitchList { switches: control.containment.all().iter().map(SwitchView::from).collect() })
}

/// Throw a switch. It holds from the next ledger index on.
#[utoipa::path(post, path = "/api/v1/containment", operation_id = "throwSwitch", tag = "containment",
    request_body = NewSwitch,
    responses((status = 201, description = "Thrown", body = SwitchView), Throwing),
    security(("adminToken" = [])))]
pub async fn post_switch(
    State(app): State<Arc<App>>,
    admin: Admin,
    body: Body,
) -> Result<(StatusCode, Json<SwitchView>), Error> {
    let NewSwitch { scope, value, reason } = body::json(body).await?;
    let scope = match (scope, value) {
        (ScopeView::Workspace, None) => Scope::Workspace,
        (ScopeView::Workspace, Some(_)) => {
            return Err(Error::new(Kind::InvalidRequest, "`value` has no meaning for the whole workspace"));
        }
        (_, None) => return Err(Error::new(Kind::InvalidRequest, "`value` is missing")),
        (ScopeView::Agent, Some(agent)) => Scope::Agent(agent),
        (ScopeView::ActionType, Some(name)) => Scope::ActionType(name),
        (ScopeView::Source, Some(source)) => Scope::Source(source),
    };
    let switch = containment::throw(&app, &admin.workspace, admin.id(), scope, &reason).await?;
    Ok((StatusCode::CREATED, Json((&switch).into())))
}

/// Release a switch.
#[utoipa::path(delete, path = "/api/v1/containment/{id}", operation_id = "releaseSwitch", tag = "containment",
    params(("id" = String, Path, description = "Id of the switch")),
    responses((status = 200, description = "The switch that was released", body = SwitchView), Releasing),
    security(("adminToken" = [])))]
pub async fn delete_switch(admin: Admin, Path(id): Path<String>) -> Result<Json<SwitchView>, Error> {
    let switch = containment::release(&admin.workspace, admin.id(), id).await?;
    Ok(Json((&switch).into()))
}
