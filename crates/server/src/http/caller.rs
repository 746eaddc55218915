//! Extractors that say who a handler is for. People and agents are different doors.
//!
//! SECURITY: a handler that takes none of these is public; a test walks every operation with every kind of caller.

use crate::app::App;
use crate::error::{Error, Kind};
use crate::guard::{Identity, identify};
use crate::secret::{self, Fingerprint};
use crate::workspace::Workspace;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use std::sync::Arc;

/// People choose the workspace with this header; without it they mean `default`.
pub const WORKSPACE_HEADER: &str = "runplane-workspace";
/// Sent by clients that know more than the published one.
pub const CLIENT_HEADER: &str = "runplane-client";
pub const DEFAULT_WORKSPACE: &str = "default";

/// The bearer credential of a request, if it has a well-formed one.
pub fn credential(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credential) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| credential.trim())
}

/// WIRE: a client that does not name itself is the published one.
pub fn is_wire_client(headers: &HeaderMap) -> bool {
    !headers.contains_key(CLIENT_HEADER)
}

/// A person with the admin token, and the workspace they chose.
pub struct Admin {
    pub workspace: Arc<Workspace>,
}

/// A person with the admin token, for what belongs to no workspace.
pub struct Operator;

/// An agent with a good key.
pub struct AgentCaller {
    pub identity: Identity,
    pub wire_client: bool,
}

/// Either of them.
pub enum Caller {
    Admin(Admin),
    Agent(AgentCaller),
}

impl Caller {
    pub fn workspace(&self) -> &Arc<Workspace> {
        match self {
            Self::Admin(admin) => &admin.workspace,
            Self::Agent(agent) => &agent.identity.workspace,
        }
    }

    /// What this caller may see of a list: everything, or only what belongs to one agent.
    pub fn only_agent(&self) -> Option<&str> {
        match self {
            Self::Admin(_) => None,
            Self::Agent(agent) => Some(&agent.identity.agent.id),
        }
    }
}

fn is_admin(app: &App, credential: &str) -> bool {
    secret::well_formed(credential, secret::ADMIN_TOKEN_PREFIX)
        && Fingerprint::of(credential).matches(&Fingerprint(app.installation.admin_token_hash))
}

fn chosen_workspace(app: &App, headers: &HeaderMap) -> Result<Arc<Workspace>, Error> {
    let name = match headers.get(WORKSPACE_HEADER) {
        Some(value) => value.to_str().map_err(|_| Error::plain(Kind::UnknownWorkspace))?,
        None => DEFAULT_WORKSPACE,
    };
    app.workspace(name)
}

fn refused() -> Error {
    metrics::counter!("runplane_authentication_failures_total").increment(1);
    Error::plain(Kind::InvalidKey)
}

/// A good agent key at a door for people is told so; anything else is simply not good.
fn not_admin(app: &App, credential: &str) -> Error {
    match identify(app, credential) {
        Ok(_) => Error::new(Kind::Forbidden, "this needs the admin token; an agent key may not do it"),
        Err(failure) => failure,
    }
}

/// Who a credential belongs to, as of now. Streams and long-polls ask again while they last.
pub fn resolve(app: &App, headers: &HeaderMap) -> Result<Caller, Error> {
    let credential = credential(headers).ok_or_else(refused)?;
    if is_admin(app, credential) {
        return Ok(Caller::Admin(Admin { workspace: chosen_workspace(app, headers)? }));
    }
    let identity = identify(app, credential)?;
    Ok(Caller::Agent(AgentCaller { identity, wire_client: is_wire_client(headers) }))
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Error> {
        resolve(app, &parts.headers)
    }
}

impl FromRequestParts<Arc<App>> for Admin {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Error> {
        let credential = credential(&parts.headers).ok_or_else(refused)?;
        if !is_admin(app, credential) {
            return Err(not_admin(app, credential));
        }
        Ok(Self { workspace: chosen_workspace(app, &parts.headers)? })
    }
}

impl FromRequestParts<Arc<App>> for Operator {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Error> {
        let credential = credential(&parts.headers).ok_or_else(refused)?;
        if is_admin(app, credential) { Ok(Self) } else { Err(not_admin(app, credential)) }
    }
}

impl FromRequestParts<Arc<App>> for AgentCaller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Error> {
        let credential = credential(&parts.headers).ok_or_else(refused)?;
        if is_admin(app, credential) {
            return Err(Error::new(Kind::Forbidden, "this is for agents; use an agent key"));
        }
        Ok(Self { identity: identify(app, credential)?, wire_client: is_wire_client(&parts.headers) })
    }
}
