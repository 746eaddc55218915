//! Extractors that say who a handler is for. People and agents are different doors.
//!
//! SECURITY: a handler that takes none of these is public; a test walks every operation with every kind of caller.

use crate::app::App;
use crate::error::{Error, Kind};
use crate::guard::{Identity, identify};
use crate::people::{self, Person, Who};
use crate::secret::{self, Fingerprint};
use crate::workspace::Workspace;
use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use std::sync::Arc;

/// People choose the workspace with this header; without it they mean `default`.
pub const WORKSPACE_HEADER: &str = "runplane-workspace";
/// Sent by clients that know more than the published one.
pub const CLIENT_HEADER: &str = "runplane-client";
pub const DEFAULT_WORKSPACE: &str = "default";

/// The bearer credential of a request, if it has a well-formed one. Two are none: who knows which is meant.
pub fn credential(headers: &HeaderMap) -> Option<&str> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let value = given.next()?.to_str().ok()?;
    if given.next().is_some() {
        return None;
    }
    let (scheme, credential) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| credential.trim())
}

/// WIRE: a client that does not name itself is the published one.
pub fn is_wire_client(headers: &HeaderMap) -> bool {
    !headers.contains_key(CLIENT_HEADER)
}

/// A handler for people takes this one: it is refused to whoever's role is less than the table of roles asks for.
pub type Admin = Person;

/// A person who may do what belongs to no workspace: the admin token, or an owner of the `default` workspace.
pub struct Operator;

/// An agent with a good key.
pub struct AgentCaller {
    pub identity: Identity,
    pub wire_client: bool,
}

/// Either of them.
pub enum Caller {
    Person(Person),
    Agent(AgentCaller),
}

impl Caller {
    pub fn workspace(&self) -> &Arc<Workspace> {
        match self {
            Self::Person(person) => &person.workspace,
            Self::Agent(agent) => &agent.identity.workspace,
        }
    }

    pub fn person(&self) -> Option<&Person> {
        match self {
            Self::Person(person) => Some(person),
            Self::Agent(_) => None,
        }
    }

    /// What this caller may see of a list: everything, or only what belongs to one agent.
    pub fn only_agent(&self) -> Option<&str> {
        match self {
            Self::Person(_) => None,
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

/// Who a request comes from, kept so that streams and long-polls can ask again while they last.
#[derive(Clone)]
pub struct Credentials {
    headers: HeaderMap,
    method: Method,
    /// The path as it is routed; absent where nothing is.
    path: Option<String>,
}

impl Credentials {
    fn of(parts: &Parts) -> Self {
        let path = parts.extensions.get::<MatchedPath>().map(|path| path.as_str().to_owned());
        Self { headers: parts.headers.clone(), method: parts.method.clone(), path }
    }

    /// Whose credential it is, as of now.
    ///
    /// SECURITY: a bearer credential, even a bad one, speaks before a cookie. A cookie speaks only for what changes
    /// nothing, or with the token of its session from this origin; and only as far as the role goes.
    pub async fn resolve(&self, app: &Arc<App>) -> Result<Caller, Error> {
        if self.headers.contains_key(header::AUTHORIZATION) {
            let credential = credential(&self.headers).ok_or_else(refused)?;
            if is_admin(app, credential) {
                let workspace = chosen_workspace(app, &self.headers)?;
                return Ok(Caller::Person(Person { workspace, who: Who::Token }));
            }
            let identity = identify(app, credential)?;
            return Ok(Caller::Agent(AgentCaller { identity, wire_client: is_wire_client(&self.headers) }));
        }
        let secret = people::presented(&self.headers).ok_or_else(refused)?;
        let (workspace, standing) = people::standing(app, secret).await?.ok_or_else(refused)?;
        if self.method != Method::GET && self.method != Method::HEAD {
            people::check_same_origin(&self.headers, &app.options.allowed_hosts)?;
            people::check_csrf(&self.headers, &standing)?;
        }
        if self.headers.get(WORKSPACE_HEADER).is_some_and(|name| name.as_bytes() != workspace.name.as_bytes()) {
            return Err(Error::plain(Kind::UnknownWorkspace));
        }
        let person = Person { workspace, who: Who::Account(standing) };
        let path = self.path.as_deref().unwrap_or_default();
        match people::least_role(self.method.as_str(), path) {
            Some(least) => person.require(least)?,
            None => {
                return Err(Error::new(
                    Kind::Forbidden,
                    "accounts may not do this; it is for agents or the admin token",
                ));
            }
        }
        Ok(Caller::Person(person))
    }

    /// The same for a person, who may have lost standing meanwhile.
    pub async fn still_a_person(&self, app: &Arc<App>) -> bool {
        matches!(self.resolve(app).await, Ok(Caller::Person(_)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Credentials {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(parts))
    }
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Error> {
        Credentials::of(parts).resolve(app).await
    }
}

impl FromRequestParts<Arc<App>> for Person {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Error> {
        match Credentials::of(parts).resolve(app).await? {
            Caller::Person(person) => Ok(person),
            Caller::Agent(_) => Err(Error::new(Kind::Forbidden, "this is for people; an agent key may not do it")),
        }
    }
}

impl FromRequestParts<Arc<App>> for Operator {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Error> {
        // Whatever workspace a token names: this belongs to none.
        parts.headers.remove(WORKSPACE_HEADER);
        let person = Person::from_request_parts(parts, app).await?;
        if person.workspace.name != DEFAULT_WORKSPACE {
            let detail = format!("only owners of the workspace `{DEFAULT_WORKSPACE}` may do this");
            return Err(Error::new(Kind::Forbidden, detail));
        }
        Ok(Self)
    }
}

impl FromRequestParts<Arc<App>> for AgentCaller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Error> {
        match Credentials::of(parts).resolve(app).await? {
            Caller::Agent(agent) => Ok(agent),
            Caller::Person(_) => Err(Error::new(Kind::Forbidden, "this is for agents; use an agent key")),
        }
    }
}
