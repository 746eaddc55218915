//! Agents: create, list, read, change.

use super::body;
use super::caller::Admin;
use super::keys::IssuedKeyView;
use super::moment::{Moment, nullable};
use super::problems::{Reading, problems};
use crate::app::App;
use crate::control::{Agent, AgentStatus};
use crate::error::Error;
use crate::manage::agents::{self, AgentPatch, NewAgent};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

problems! {
    /// A question about one agent.
    OneAgent: InvalidKey, Forbidden, UnknownWorkspace, UnknownAgent, Internal
}
problems! {
    /// A new agent.
    Creating: InvalidRequest, InvalidKey, Forbidden, UnknownWorkspace, AlreadyExists, PayloadTooLarge,
    AuditUnavailable, Overloaded, Internal
}
problems! {
    /// A change of an agent.
    Patching: InvalidRequest, InvalidKey, Forbidden, UnknownWorkspace, UnknownAgent, AlreadyExists, PayloadTooLarge,
    AuditUnavailable, Overloaded, Internal
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentView {
    id: String,
    name: String,
    environment: String,
    labels: Vec<String>,
    /// The person answerable for the agent; may not approve what it asks for.
    owner: Option<String>,
    /// The platform all its tools come from.
    source: Option<String>,
    /// Whether the host program's word on the subject is trusted.
    asserts_subject: bool,
    status: AgentStatus,
    created_at: Moment,
}

#[derive(Serialize, ToSchema)]
pub struct AgentList {
    agents: Vec<AgentView>,
}

/// A new agent with its first key.
#[derive(Serialize, ToSchema)]
pub struct AgentCreated {
    #[serde(flatten)]
    agent: AgentView,
    key: IssuedKeyView,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewAgentBody {
    /// Unique in the workspace, whatever its case.
    name: String,
    environment: String,
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default)]
    owner: Option<String>,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    asserts_subject: bool,
}

/// What is absent stays as it is; `null` takes away an owner or a source.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AgentPatchBody {
    name: Option<String>,
    environment: Option<String>,
    labels: Option<Vec<String>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    owner: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    source: Option<Option<String>>,
    asserts_subject: Option<bool>,
    status: Option<AgentStatus>,
}

impl From<&Agent> for AgentView {
    fn from(agent: &Agent) -> Self {
        Self {
            id: agent.id.clone(),
            name: agent.name.clone(),
            environment: agent.environment.clone(),
            labels: agent.labels.clone(),
            owner: agent.owner.clone(),
            source: agent.source.clone(),
            asserts_subject: agent.asserts_subject,
            status: agent.status,
            created_at: Moment(agent.created_at),
        }
    }
}

/// List agents.
#[utoipa::path(get, path = "/api/v1/agents", operation_id = "listAgents", tag = "agents",
    responses((status = 200, description = "Oldest first", body = AgentList), Reading),
    security(("adminToken" = [])))]
pub async fn list_agents(admin: Admin) -> Json<AgentList> {
    let control = admin.workspace.control();
    let mut agents: Vec<&Agent> = control.agents.values().map(AsRef::as_ref).collect();
    agents.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    Json(AgentList { agents: agents.into_iter().map(AgentView::from).collect() })
}

/// Read one agent.
#[utoipa::path(get, path = "/api/v1/agents/{id}", operation_id = "getAgent", tag = "agents",
    params(("id" = String, Path, description = "Id of the agent")),
    responses((status = 200, description = "The agent", body = AgentView), OneAgent),
    security(("adminToken" = [])))]
pub async fn get_agent(admin: Admin, Path(id): Path<String>) -> Result<Json<AgentView>, Error> {
    let control = admin.workspace.control();
    agents::find_agent(&control, &id).map(|agent| Json(agent.into()))
}

/// Register an agent. The answer holds its first key, which is shown only now.
#[utoipa::path(post, path = "/api/v1/agents", operation_id = "createAgent", tag = "agents",
    request_body = NewAgentBody,
    responses((status = 201, description = "Registered", body = AgentCreated), Creating),
    security(("adminToken" = [])))]
pub async fn post_agent(
    State(app): State<Arc<App>>,
    admin: Admin,
    body: Body,
) -> Result<(StatusCode, Json<AgentCreated>), Error> {
    let NewAgentBody { name, environment, labels, owner, source, asserts_subject } = body::json(body).await?;
    let new = NewAgent { name, environment, labels, owner, source, asserts_subject };
    let (agent, issued) = agents::create(&app, &admin.workspace, admin.id(), new).await?;
    Ok((StatusCode::CREATED, Json(AgentCreated { agent: (&agent).into(), key: issued.into() })))
}

/// Change an agent, or suspend it: every call of a suspended agent is answered BLOCK.
#[utoipa::path(patch, path = "/api/v1/agents/{id}", operation_id = "patchAgent", tag = "agents",
    params(("id" = String, Path, description = "Id of the agent")),
    request_body = AgentPatchBody,
    responses((status = 200, description = "The agent as it is now", body = AgentView), Patching),
    security(("adminToken" = [])))]
pub async fn patch_agent(admin: Admin, Path(id): Path<String>, body: Body) -> Result<Json<AgentView>, Error> {
    let AgentPatchBody { name, environment, labels, owner, source, asserts_subject, status } = body::json(body).await?;
    let patch = AgentPatch { name, environment, labels, owner, source, asserts_subject, status };
    let agent = agents::patch(&admin.workspace, admin.id(), id, patch).await?;
    Ok(Json((&agent).into()))
}
