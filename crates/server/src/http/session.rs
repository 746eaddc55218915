//! Signing in and out, the first set-up, one's own password.
//!
//! SECURITY: signing in always makes a new session and ends the one the browser brought, so nobody can be given one
//! beforehand. Unknown names, wrong passwords and disabled accounts answer alike and take as long.

use super::body;
use super::caller::{Admin, DEFAULT_WORKSPACE};
use super::client::Client;
use super::moment::Moment;
use super::problems::problems;
use super::users::{SessionsEnded, UserView};
use crate::app::App;
use crate::control::User;
use crate::error::{Error, Kind};
use crate::manage::users;
use crate::people::{self, Ability, Attempts, Opened, Standing};
use crate::secret::Fingerprint;
use crate::tasks;
use crate::workspace::Workspace;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use runplane_core::time::Micros;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::Arc;
use utoipa::ToSchema;

/// Longest password that is looked at: anything longer is wrong already.
const LONGEST_PASSWORD: usize = 1_024;

problems! {
    /// An attempt to sign in.
    SigningIn: InvalidRequest, SignInFailed, CsrfRefused, PayloadTooLarge, TooManyAttempts, StoreUnavailable,
    Overloaded, Internal
}
problems! {
    /// The use of a one-time link.
    SettingUp: InvalidRequest, WeakPassword, CsrfRefused, LinkEnded, PayloadTooLarge, AuditUnavailable,
    StoreUnavailable, Overloaded, Internal
}
problems! {
    /// A look at a one-time link.
    Looking: InvalidRequest, CsrfRefused, LinkEnded, PayloadTooLarge, StoreUnavailable, Internal
}
problems! {
    /// The end of a session.
    SigningOut: InvalidKey, Forbidden, CsrfRefused, StoreUnavailable, Internal
}
problems! {
    /// A new password.
    ChangingPassword: InvalidRequest, WeakPassword, InvalidKey, SignInFailed, Forbidden, CsrfRefused, PayloadTooLarge,
    TooManyAttempts, StoreUnavailable, Overloaded, Internal
}

/// Who is signed in, if anybody.
#[derive(Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionView {
    signed_in: bool,
    /// There is no account yet: the server printed a one-time link when it started.
    needs_setup: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserView>,
    /// Name of the workspace the account belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace: Option<String>,
    /// To be sent as `Runplane-Csrf` with everything that is not a GET.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Moment>,
    /// What the role allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    may: Option<Vec<Ability>>,
    /// Set while the workspace only observes: until then nothing is stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    observing_until: Option<Moment>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInBody {
    username: String,
    password: String,
    /// `default` if absent.
    #[serde(default)]
    workspace: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetupBody {
    token: String,
    password: String,
    /// Of the first owner; of no meaning for other links.
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    display_name: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkBody {
    token: String,
}

/// What a one-time link is for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LinkPurpose {
    /// `firstOwner`, `invitation` or `reset`.
    purpose: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    expires_at: Moment,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordBody {
    current: String,
    new: String,
}

impl SessionView {
    fn of(workspace: &Workspace, standing: &Standing, now: Micros) -> Self {
        Self {
            signed_in: true,
            needs_setup: false,
            user: Some(UserView::of(&standing.user, true)),
            workspace: Some(workspace.name.clone()),
            csrf_token: Some(standing.csrf.clone()),
            expires_at: Some(Moment(standing.expires_at)),
            may: Some(standing.user.role.abilities()),
            observing_until: workspace.control().settings.observing(now).map(Moment),
        }
    }
}

/// Browsers name the origin of what changes something; a proxy says how it was asked.
fn is_secure(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text("origin").starts_with("https://") || text("x-forwarded-proto").eq_ignore_ascii_case("https")
}

fn opened(workspace: &Workspace, opened: &Opened, headers: &HeaderMap, now: Micros) -> Result<Response, Error> {
    let cookie = people::cookie(&opened.secret, is_secure(headers))?;
    let mut response = Json(SessionView::of(workspace, &opened.standing, now)).into_response();
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

/// Ends the session a browser brought, so that what somebody planted there is worth nothing.
async fn drop_presented(app: &App, headers: &HeaderMap) -> Result<(), Error> {
    match people::presented(headers) {
        Some(secret) => people::close(app, Fingerprint::of(secret).0).await,
        None => Ok(()),
    }
}

/// Who is signed in.
#[utoipa::path(get, path = "/api/v1/session", operation_id = "getSession", tag = "people",
    responses((status = 200, description = "The session, or that there is none", body = SessionView)))]
pub async fn get_session(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Json<SessionView>, Error> {
    if let Some(secret) = people::presented(&headers)
        && let Some((workspace, standing)) = people::standing(&app, secret).await?
    {
        return Ok(Json(SessionView::of(&workspace, &standing, app.clock.now())));
    }
    let needs_setup = app.workspace(DEFAULT_WORKSPACE)?.control().users.is_empty();
    Ok(Json(SessionView { needs_setup, ..SessionView::default() }))
}

/// Sign in.
#[utoipa::path(post, path = "/api/v1/session", operation_id = "signIn", tag = "people",
    request_body = SignInBody,
    responses((status = 200, description = "Signed in; the session is in a cookie", body = SessionView), SigningIn))]
pub async fn post_session(
    State(app): State<Arc<App>>,
    Client(address): Client,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Error> {
    people::check_same_origin(&headers, &app.options.allowed_hosts)?;
    let SignInBody { username, password, workspace } = body::json(body).await?;
    let username = username.trim().to_ascii_lowercase();
    let workspace = workspace.unwrap_or_else(|| DEFAULT_WORKSPACE.to_owned());
    if username.len() > LONGEST_PASSWORD || workspace.len() > LONGEST_PASSWORD {
        return Err(Error::plain(Kind::SignInFailed));
    }
    let names = attempt_names(&workspace, &username, address);
    let found = app.workspace(&workspace).ok().and_then(|workspace| {
        let user = users::called(&workspace.control(), &username).cloned()?;
        Some((workspace, user))
    });
    let user = found.as_ref().map(|(workspace, user)| (workspace.as_ref(), user.as_ref()));
    check_password(&app, &names, user, password).await?;
    let (workspace, user) = found.ok_or_else(|| Error::plain(Kind::SignInFailed))?;
    drop_presented(&app, &headers).await?;
    let session = people::open(&app, &workspace, &user).await?;
    opened(&workspace, &session, &headers, app.clock.now())
}

fn attempt_names(workspace: &str, username: &str, address: Option<IpAddr>) -> Vec<String> {
    let mut names = vec![Attempts::account(workspace, username)];
    names.extend(address.as_ref().map(Attempts::address));
    names
}

/// Whether it is the password of somebody who may sign in. Counted before it is judged.
async fn check_password(
    app: &App,
    names: &[String],
    user: Option<(&Workspace, &User)>,
    password: String,
) -> Result<(), Error> {
    if let Err(wait) = app.attempts.begin(names, app.clock.read().elapsed) {
        metrics::counter!("runplane_sign_ins_slowed_total").increment(1);
        let seconds = u64::try_from(wait.0.div_euclid(1_000_000) + 1).unwrap_or(1);
        return Err(Error::plain(Kind::TooManyAttempts).with("retryAfterSeconds", seconds));
    }
    let stored = match user.filter(|(_, user)| user.is_active()) {
        Some((workspace, user)) => {
            let (store, workspace, user) = (Arc::clone(&app.store), workspace.id.clone(), user.id.clone());
            tasks::blocking(move || Ok(store.load_password(&workspace, &user)?)).await?
        }
        None => None,
    };
    let password = if password.len() > LONGEST_PASSWORD { String::new() } else { password };
    if app.passwords.verify(password, stored).await? {
        app.attempts.succeeded(names);
        return Ok(());
    }
    metrics::counter!("runplane_sign_ins_failed_total").increment(1);
    Err(Error::plain(Kind::SignInFailed))
}

/// Look at a one-time link without using it.
#[utoipa::path(post, path = "/api/v1/session/setup/check", operation_id = "checkLink", tag = "people",
    request_body = LinkBody,
    responses((status = 200, description = "It can be used", body = LinkPurpose), Looking))]
pub async fn post_setup_check(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<LinkPurpose>, Error> {
    people::check_same_origin(&headers, &app.options.allowed_hosts)?;
    let LinkBody { token } = body::json(body).await?;
    let facts = people::look_at_link(&app, &token).await?;
    let control = facts.workspace.control();
    let user = facts.user.as_ref().and_then(|user| control.users.get(user));
    Ok(Json(LinkPurpose {
        purpose: facts.purpose.as_str(),
        username: user.map(|user| user.username.clone()),
        display_name: user.map(|user| user.display_name.clone()),
        expires_at: Moment(facts.expires_at),
    }))
}

/// Use a one-time link: set a password, and for the first owner make the account. Signs in.
#[utoipa::path(post, path = "/api/v1/session/setup", operation_id = "setUp", tag = "people",
    request_body = SetupBody,
    responses((status = 200, description = "Signed in; the session is in a cookie", body = SessionView), SettingUp))]
pub async fn post_setup(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Result<Response, Error> {
    people::check_same_origin(&headers, &app.options.allowed_hosts)?;
    let SetupBody { token, password, username, display_name } = body::json(body).await?;
    let facts = people::look_at_link(&app, &token).await?;
    let workspace = Arc::clone(&facts.workspace);
    let user = users::set_up(&app, facts, username, display_name, password).await?;
    drop_presented(&app, &headers).await?;
    let session = people::open(&app, &workspace, &user).await?;
    opened(&workspace, &session, &headers, app.clock.now())
}

/// Sign out.
#[utoipa::path(delete, path = "/api/v1/session", operation_id = "signOut", tag = "people",
    responses((status = 204, description = "Signed out"), SigningOut),
    security(("session" = [])))]
pub async fn delete_session(State(app): State<Arc<App>>, person: Admin, headers: HeaderMap) -> Result<Response, Error> {
    people::close(&app, person.account()?.session).await?;
    signed_out(StatusCode::NO_CONTENT.into_response(), &headers)
}

/// Sign out everywhere else.
#[utoipa::path(delete, path = "/api/v1/session/others", operation_id = "signOutOthers", tag = "people",
    responses((status = 200, description = "How many sessions ended", body = SessionsEnded), SigningOut),
    security(("session" = [])))]
pub async fn delete_others(State(app): State<Arc<App>>, person: Admin) -> Result<Json<SessionsEnded>, Error> {
    let standing = person.account()?;
    let ended = people::close_all(&app, &person.workspace, &standing.user.id, Some(standing.session)).await?;
    Ok(SessionsEnded::of(ended))
}

/// Sign out everywhere, here too.
#[utoipa::path(delete, path = "/api/v1/session/all", operation_id = "signOutEverywhere", tag = "people",
    responses((status = 200, description = "How many sessions ended", body = SessionsEnded), SigningOut),
    security(("session" = [])))]
pub async fn delete_all(State(app): State<Arc<App>>, person: Admin, headers: HeaderMap) -> Result<Response, Error> {
    let ended = people::close_all(&app, &person.workspace, &person.account()?.user.id, None).await?;
    signed_out(SessionsEnded::of(ended).into_response(), &headers)
}

fn signed_out(mut response: Response, headers: &HeaderMap) -> Result<Response, Error> {
    let cookie = people::clear_cookie(is_secure(headers))?;
    let set = response.headers_mut();
    set.insert(header::SET_COOKIE, cookie);
    set.insert("clear-site-data", HeaderValue::from_static("\"cache\""));
    Ok(response)
}

/// Change one's own password. All other sessions end, and this one gets a new cookie.
#[utoipa::path(post, path = "/api/v1/session/password", operation_id = "changePassword", tag = "people",
    request_body = PasswordBody,
    responses((status = 200, description = "Changed", body = SessionView), ChangingPassword),
    security(("session" = [])))]
pub async fn post_password(
    State(app): State<Arc<App>>,
    person: Admin,
    Client(address): Client,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Error> {
    let PasswordBody { current, new } = body::json(body).await?;
    let (workspace, user) = (&person.workspace, Arc::clone(&person.account()?.user));
    let names = attempt_names(&workspace.name, &user.username, address);
    check_password(&app, &names, Some((workspace, &user)), current).await?;
    people::check_strength(&new, &user.username)?;
    let hash = app.passwords.hash(new).await?;
    users::set_password(&app, workspace, &user.id, Some(hash)).await?;
    people::close_all(&app, workspace, &user.id, None).await?;
    let session = people::open(&app, workspace, &user).await?;
    opened(workspace, &session, &headers, app.clock.now())
}
