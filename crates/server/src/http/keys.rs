//! Keys of agents: list, create, rotate, revoke, expire. A secret is shown once, in the answer that made it.

use super::body;
use super::caller::Admin;
use super::moment::{Moment, nullable};
use super::problems::problems;
use crate::app::App;
use crate::control::Key;
use crate::error::{Error, Kind};
use crate::manage::agents::{self, IssuedKey, LONGEST_GRACE};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use runplane_core::time::{Micros, Span};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

problems! {
    /// A question about the keys of an agent.
    Listing: InvalidKey, Forbidden, UnknownWorkspace, UnknownAgent, Internal
}
problems! {
    /// A new key.
    Creating: InvalidRequest, InvalidKey, Forbidden, UnknownWorkspace, UnknownAgent, PayloadTooLarge,
    AuditUnavailable, Overloaded, Internal
}
problems! {
    /// A change of a key.
    KeyChange: InvalidRequest, InvalidKey, Forbidden, UnknownWorkspace, UnknownKey, KeyNotActive, PayloadTooLarge,
    AuditUnavailable, Overloaded, Internal
}

#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeyStatus {
    Active,
    Expired,
    Revoked,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyView {
    id: String,
    /// Id of the agent.
    agent: String,
    status: KeyStatus,
    created_at: Moment,
    expires_at: Option<Moment>,
    revoked_at: Option<Moment>,
}

#[derive(Serialize, ToSchema)]
pub struct KeyList {
    keys: Vec<KeyView>,
}

/// A new key with its secret, which is shown only now.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IssuedKeyView {
    id: String,
    /// The secret: what the agent sends as `Authorization: Bearer …`.
    key: String,
    /// Id of the agent.
    agent: String,
    expires_at: Option<Moment>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyRotated {
    #[serde(flatten)]
    issued: IssuedKeyView,
    /// The key that was replaced, and when it stops working.
    replaced: KeyView,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewKeyBody {
    #[serde(default)]
    expires_at: Option<Moment>,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RotateBody {
    /// How long the old key goes on working; at most a week. Without it, it stops at once.
    #[serde(default)]
    grace_seconds: u32,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyPatchBody {
    /// `null` means that it does not expire.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Moment>, required)]
    expires_at: Option<Option<Moment>>,
}

impl From<IssuedKey> for IssuedKeyView {
    fn from(IssuedKey { key, secret }: IssuedKey) -> Self {
        Self { id: key.id, key: secret, agent: key.agent, expires_at: key.expires_at.map(Moment) }
    }
}

impl KeyView {
    fn of(key: &Key, now: Micros) -> Self {
        let status = match key.revoked_at {
            Some(_) => KeyStatus::Revoked,
            None if key.is_active(now) => KeyStatus::Active,
            None => KeyStatus::Expired,
        };
        Self {
            id: key.id.clone(),
            agent: key.agent.clone(),
            status,
            created_at: Moment(key.created_at),
            expires_at: key.expires_at.map(Moment),
            revoked_at: key.revoked_at.map(Moment),
        }
    }
}

/// List the keys of an agent, without their secrets.
#[utoipa::path(get, path = "/api/v1/agents/{id}/keys", operation_id = "listKeys", tag = "agents",
    params(("id" = String, Path, description = "Id of the agent")),
    responses((status = 200, description = "Oldest first", body = KeyList), Listing),
    security(("adminToken" = [])))]
pub async fn list_keys(
    State(app): State<Arc<App>>,
    admin: Admin,
    Path(id): Path<String>,
) -> Result<Json<KeyList>, Error> {
    let (control, now) = (admin.workspace.control(), app.clock.now());
    agents::find_agent(&control, &id)?;
    let mut keys: Vec<&Key> = control.keys.values().map(AsRef::as_ref).filter(|key| key.agent == id).collect();
    keys.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    Ok(Json(KeyList { keys: keys.into_iter().map(|key| KeyView::of(key, now)).collect() }))
}

/// Create one more key for an agent.
#[utoipa::path(post, path = "/api/v1/agents/{id}/keys", operation_id = "createKey", tag = "agents",
    params(("id" = String, Path, description = "Id of the agent")),
    request_body(content = inline(Option<NewKeyBody>), content_type = "application/json"),
    responses((status = 201, description = "Created", body = IssuedKeyView), Creating),
    security(("adminToken" = [])))]
pub async fn post_key(
    State(app): State<Arc<App>>,
    admin: Admin,
    Path(id): Path<String>,
    body: Body,
) -> Result<(StatusCode, Json<IssuedKeyView>), Error> {
    let new: NewKeyBody = body::json_or_empty(body).await?;
    let expires_at = new.expires_at.map(|moment| moment.0);
    let issued = agents::create_key(&app, &admin.workspace, admin.id(), id, expires_at).await?;
    Ok((StatusCode::CREATED, Json(issued.into())))
}

/// Replace a key by a new one.
#[utoipa::path(post, path = "/api/v1/keys/{id}/rotate", operation_id = "rotateKey", tag = "agents",
    params(("id" = String, Path, description = "Id of the key")),
    request_body(content = inline(Option<RotateBody>), content_type = "application/json"),
    responses((status = 201, description = "The new key", body = KeyRotated), KeyChange),
    security(("adminToken" = [])))]
pub async fn post_rotate_key(
    State(app): State<Arc<App>>,
    admin: Admin,
    Path(id): Path<String>,
    body: Body,
) -> Result<(StatusCode, Json<KeyRotated>), Error> {
    let RotateBody { grace_seconds } = body::json_or_empty(body).await?;
    if grace_seconds > LONGEST_GRACE {
        let detail = format!("`graceSeconds` may be at most {LONGEST_GRACE}");
        return Err(Error::new(Kind::InvalidRequest, detail));
    }
    let grace = Span::seconds(i64::from(grace_seconds));
    let rotated = agents::rotate(&app, &admin.workspace, admin.id(), id, grace).await?;
    let replaced = KeyView::of(&rotated.replaced, app.clock.now());
    Ok((StatusCode::CREATED, Json(KeyRotated { issued: rotated.issued.into(), replaced })))
}

/// End a key at once and for good.
#[utoipa::path(post, path = "/api/v1/keys/{id}/revoke", operation_id = "revokeKey", tag = "agents",
    params(("id" = String, Path, description = "Id of the key")),
    responses((status = 200, description = "The key as it is now", body = KeyView), KeyChange),
    security(("adminToken" = [])))]
pub async fn post_revoke_key(
    State(app): State<Arc<App>>,
    admin: Admin,
    Path(id): Path<String>,
) -> Result<Json<KeyView>, Error> {
    let key = agents::revoke(&app, &admin.workspace, admin.id(), id).await?;
    Ok(Json(KeyView::of(&key, app.clock.now())))
}

/// Say when a key expires.
#[utoipa::path(patch, path = "/api/v1/keys/{id}", operation_id = "patchKey", tag = "agents",
    params(("id" = String, Path, description = "Id of the key")),
    request_body = KeyPatchBody,
    responses((status = 200, description = "The key as it is now", body = KeyView), KeyChange),
    security(("adminToken" = [])))]
pub async fn patch_key(
    State(app): State<Arc<App>>,
    admin: Admin,
    Path(id): Path<String>,
    body: Body,
) -> Result<Json<KeyView>, Error> {
    let patch: KeyPatchBody = body::json(body).await?;
    let missing = || Error::new(Kind::InvalidRequest, "`expiresAt` is missing; `null` means that it does not expire");
    let expires_at = patch.expires_at.ok_or_else(missing)?.map(|moment| moment.0);
    let key = agents::expire(&app, &admin.workspace, admin.id(), id, expires_at).await?;
    Ok(Json(KeyView::of(&key, app.clock.now())))
}
