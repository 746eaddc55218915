//! Accounts of people: list, create, change, reset, sign out.

use super::body;
use super::caller::Admin;
use super::moment::Moment;
use super::problems::{Reading, problems};
use crate::app::App;
use crate::control::User;
use crate::error::Error;
use crate::manage::users::{self, NewUser, UserPatch};
use crate::people::{Issued, Role};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

problems! {
    /// A question about one account.
    OneUser: InvalidKey, Forbidden, UnknownWorkspace, UnknownUser, StoreUnavailable, Internal
}
problems! {
    /// A new account.
    Creating: InvalidRequest, InvalidKey, Forbidden, UnknownWorkspace, AlreadyExists, PayloadTooLarge,
    AuditUnavailable, StoreUnavailable, Overloaded, Internal
}
problems! {
    /// A change of an account.
    Patching: InvalidRequest, InvalidKey, Forbidden, UnknownWorkspace, UnknownUser, LastOwner, PayloadTooLarge,
    AuditUnavailable, StoreUnavailable, Overloaded, Internal
}

#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum UserStatus {
    Active,
    Disabled,
}

/// An account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserView {
    id: String,
    username: String,
    display_name: String,
    role: Role,
    /// Which approvals ask this person.
    groups: Vec<String>,
    status: UserStatus,
    /// Whether the one-time link was used.
    has_password: bool,
    created_at: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_at: Option<Moment>,
}

#[derive(Serialize, ToSchema)]
pub struct UserList {
    users: Vec<UserView>,
}

/// A one-time link, shown once. The page is at `path` below the address of the server.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LinkView {
    token: String,
    path: String,
    expires_at: Moment,
}

#[derive(Serialize, ToSchema)]
pub struct UserCreated {
    user: UserView,
    /// By which its holder sets a password.
    link: LinkView,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewUserBody {
    /// 1 to 64 of a–z, 0–9, `.`, `_`, `-`, `@`; never given twice.
    username: String,
    #[serde(default)]
    display_name: Option<String>,
    role: Role,
    #[serde(default)]
    groups: Vec<String>,
}

/// What is absent stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserPatchBody {
    display_name: Option<String>,
    role: Option<Role>,
    groups: Option<Vec<String>>,
    status: Option<UserStatus>,
}

#[derive(Serialize, ToSchema)]
pub struct SessionsEnded {
    ended: usize,
}

impl SessionsEnded {
    pub(super) fn of(ended: usize) -> Json<Self> {
        Json(Self { ended })
    }
}

impl UserView {
    pub(super) fn of(user: &User, has_password: bool) -> Self {
        Self {
            id: user.id.clone(),
            username: user.username.clone(),
            display_name: user.display_name.clone(),
            role: user.role,
            groups: user.groups.clone(),
            status: if user.is_active() { UserStatus::Active } else { UserStatus::Disabled },
            has_password,
            created_at: Moment(user.created_at),
            disabled_at: user.disabled_at.map(Moment),
        }
    }
}

impl From<Issued> for LinkView {
    fn from(issued: Issued) -> Self {
        Self { path: issued.path(), expires_at: Moment(issued.expires_at), token: issued.token }
    }
}

async fn view(app: &App, admin: &Admin, user: &User) -> Result<UserView, Error> {
    let has = users::have_passwords(app, &admin.workspace, vec![user.id.clone()]).await?;
    Ok(UserView::of(user, has.first().copied().unwrap_or_default()))
}

/// List accounts, disabled ones included.
#[utoipa::path(get, path = "/api/v1/users", operation_id = "listUsers", tag = "people",
    responses((status = 200, description = "Oldest first", body = UserList), Reading),
    security(("adminToken" = [])))]
pub async fn list_users(State(app): State<Arc<App>>, admin: Admin) -> Result<Json<UserList>, Error> {
    let control = admin.workspace.control();
    let ids = control.users.keys().cloned().collect();
    let has = users::have_passwords(&app, &admin.workspace, ids).await?;
    let users = control.users.values().zip(has).map(|(user, has)| UserView::of(user, has)).collect();
    Ok(Json(UserList { users }))
}

/// Create an account, and the one-time link by which its holder sets a password.
#[utoipa::path(post, path = "/api/v1/users", operation_id = "createUser", tag = "people",
    request_body = NewUserBody,
    responses((status = 201, description = "Created", body = UserCreated), Creating),
    security(("adminToken" = [])))]
pub async fn post_user(
    State(app): State<Arc<App>>,
    admin: Admin,
    body: Body,
) -> Result<(StatusCode, Json<UserCreated>), Error> {
    let NewUserBody { username, display_name, role, groups } = body::json(body).await?;
    let (user, link) = users::create(&app, &admin, NewUser { username, display_name, role, groups }).await?;
    Ok((StatusCode::CREATED, Json(UserCreated { user: UserView::of(&user, false), link: link.into() })))
}

/// Read an account.
#[utoipa::path(get, path = "/api/v1/users/{id}", operation_id = "getUser", tag = "people",
    params(("id" = String, Path, description = "Id of the user")),
    responses((status = 200, description = "The account", body = UserView), OneUser),
    security(("adminToken" = [])))]
pub async fn get_user(
    State(app): State<Arc<App>>,
    admin: Admin,
    Path(id): Path<String>,
) -> Result<Json<UserView>, Error> {
    let control = admin.workspace.control();
    view(&app, &admin, users::find(&control, &id)?).await.map(Json)
}

/// Change an account. It holds at once, also for who is signed in.
#[utoipa::path(patch, path = "/api/v1/users/{id}", operation_id = "patchUser", tag = "people",
    params(("id" = String, Path, description = "Id of the user")),
    request_body = UserPatchBody,
    responses((status = 200, description = "The account as it is now", body = UserView), Patching),
    security(("adminToken" = [])))]
pub async fn patch_user(
    State(app): State<Arc<App>>,
    admin: Admin,
    Path(id): Path<String>,
    body: Body,
) -> Result<Json<UserView>, Error> {
    let UserPatchBody { display_name, role, groups, status } = body::json(body).await?;
    let disabled = status.map(|status| matches!(status, UserStatus::Disabled));
    let patch = UserPatch { display_name, role, groups, disabled };
    let user = users::patch(&app, &admin, id, patch).await?;
    view(&app, &admin, &user).await.map(Json)
}

/// Take an account's password and sessions away, and make a one-time link for a new password.
#[utoipa::path(post, path = "/api/v1/users/{id}/reset", operation_id = "resetUser", tag = "people",
    params(("id" = String, Path, description = "Id of the user")),
    responses((status = 201, description = "The link", body = LinkView), Patching),
    security(("adminToken" = [])))]
pub async fn post_reset(
    State(app): State<Arc<App>>,
    admin: Admin,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<LinkView>), Error> {
    let link = users::reset(&app, &admin, id).await?;
    Ok((StatusCode::CREATED, Json(link.into())))
}

/// Sign somebody out everywhere.
#[utoipa::path(delete, path = "/api/v1/users/{id}/sessions", operation_id = "endSessions", tag = "people",
    params(("id" = String, Path, description = "Id of the user")),
    responses((status = 200, description = "How many sessions ended", body = SessionsEnded), OneUser),
    security(("adminToken" = [])))]
pub async fn delete_sessions(
    State(app): State<Arc<App>>,
    admin: Admin,
    Path(id): Path<String>,
) -> Result<Json<SessionsEnded>, Error> {
    Ok(SessionsEnded::of(users::end_sessions(&app, &admin, &id).await?))
}
