//! Agents and their keys.
//!
//! SECURITY: a secret exists in full only in the answer to the request that made it; what is kept is its
//! fingerprint. A key that was revoked or has expired stays on record and never comes back to life.

use super::{apply, names};
use crate::app::App;
use crate::control::{Agent, AgentStatus, Change, Control, Key};
use crate::error::{Error, Kind};
use crate::id;
use crate::secret::{self, Fingerprint};
use crate::workspace::Workspace;
use runplane_core::environment::Environment;
use runplane_core::time::{Micros, Span};
use serde_json::json;
use std::sync::Arc;

/// Longest time for which a key that is being replaced may go on working.
pub const LONGEST_GRACE: u32 = 7 * 24 * 3_600;
/// Keys an agent may have, dead ones included.
const MAX_KEYS: usize = 1_000;

#[derive(Clone, Debug)]
pub struct NewAgent {
    pub name: String,
    pub environment: String,
    pub labels: Vec<String>,
    pub owner: Option<String>,
    pub source: Option<String>,
    pub asserts_subject: bool,
}

/// What to change of an agent; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct AgentPatch {
    pub name: Option<String>,
    pub environment: Option<String>,
    pub labels: Option<Vec<String>>,
    pub owner: Option<Option<String>>,
    pub source: Option<Option<String>>,
    pub asserts_subject: Option<bool>,
    pub status: Option<AgentStatus>,
}

/// A new key with its secret, which nobody will see again.
pub struct IssuedKey {
    pub key: Key,
    pub secret: String,
}

pub struct Rotated {
    pub issued: IssuedKey,
    /// The old key and when it stops working.
    pub replaced: Key,
}

pub async fn create(
    app: &App,
    workspace: &Arc<Workspace>,
    by: &str,
    new: NewAgent,
) -> Result<(Agent, IssuedKey), Error> {
    let by = by.to_owned();
    let now = app.clock.now();
    let agent = Agent {
        id: id::generate(id::AGENT, now)?,
        name: names::printable("name", &new.name, names::MAX_NAME_BYTES)?,
        environment: environment(&new.environment)?,
        labels: names::labels(&new.labels)?,
        owner: optional("owner", new.owner.as_deref())?,
        source: new.source.as_deref().map(|source| names::normal("source", source)).transpose()?,
        asserts_subject: new.asserts_subject,
        status: AgentStatus::Active,
        created_at: now,
    };
    let issued = issue(&agent.id, now, None)?;
    let (made, key) = (agent.clone(), issued.key.clone());
    apply(workspace, move |control| {
        refuse_taken_name(control, &made.id, &made.name)?;
        let detail = json!({ "agent": made.id, "environment": made.environment, "key": key.id });
        let mut change = Change::of(control, &by, "agent_created", detail);
        change.put_agent(made.clone())?;
        change.put_key(key.clone())?;
        Ok((change, ()))
    })
    .await?;
    app.learn_key(issued.key.fingerprint, workspace, &issued.key.id);
    Ok((agent, issued))
}

pub async fn patch(workspace: &Arc<Workspace>, by: &str, agent: String, patch: AgentPatch) -> Result<Agent, Error> {
    let by = by.to_owned();
    let (changed, ..) = apply(workspace, move |control| {
        let before = find_agent(control, &agent)?;
        let after = patched(before, &patch)?;
        if after.name != before.name {
            refuse_taken_name(control, &after.id, &after.name)?;
        }
        let detail = json!({ "agent": after.id, "environment": after.environment, "status": after.status });
        let mut change = Change::of(control, &by, "agent_changed", detail);
        change.put_agent(after.clone())?;
        Ok((change, after))
    })
    .await?;
    Ok(changed)
}

pub async fn create_key(
    app: &App,
    workspace: &Arc<Workspace>,
    by: &str,
    agent: String,
    expires_at: Option<Micros>,
) -> Result<IssuedKey, Error> {
    let by = by.to_owned();
    let now = app.clock.now();
    check_expiry(expires_at, now)?;
    let issued = issue(&agent, now, expires_at)?;
    let key = issued.key.clone();
    apply(workspace, move |control| {
        find_agent(control, &agent)?;
        refuse_too_many_keys(control, &agent)?;
        let detail = json!({ "agent": agent, "expiresAt": key.expires_at, "key": key.id });
        let mut change = Change::of(control, &by, "key_created", detail);
        change.put_key(key.clone())?;
        Ok((change, ()))
    })
    .await?;
    app.learn_key(issued.key.fingerprint, workspace, &issued.key.id);
    Ok(issued)
}

/// A new key in the place of an old one, which goes on working for `grace` at most.
pub async fn rotate(
    app: &App,
    workspace: &Arc<Workspace>,
    by: &str,
    key_id: String,
    grace: Span,
) -> Result<Rotated, Error> {
    let by = by.to_owned();
    let now = app.clock.now();
    // Which agent holds a key never changes, so it may be read before the change is made.
    let agent = find_key(&workspace.control(), &key_id)?.agent.clone();
    let issued = issue(&agent, now, None)?;
    let new = issued.key.clone();
    let (replaced, ..) = apply(workspace, move |control| {
        let old = find_key(control, &key_id)?;
        if !old.is_active(now) {
            return Err(Error::new(Kind::KeyNotActive, "only a key that works can be rotated"));
        }
        refuse_too_many_keys(control, &old.agent)?;
        let end = now.after(grace);
        let old = Key { expires_at: Some(old.expires_at.map_or(end, |at| at.min(end))), ..old.clone() };
        let detail = json!({ "agent": old.agent, "expiresAt": old.expires_at, "key": new.id, "replaces": old.id });
        let mut change = Change::of(control, &by, "key_rotated", detail);
        change.put_key(old.clone())?;
        change.put_key(new.clone())?;
        Ok((change, old))
    })
    .await?;
    app.learn_key(issued.key.fingerprint, workspace, &issued.key.id);
    Ok(Rotated { issued, replaced })
}

/// Ends a key for good. Revoking it again says the same.
pub async fn revoke(app: &App, workspace: &Arc<Workspace>, by: &str, key_id: String) -> Result<Key, Error> {
    let by = by.to_owned();
    let now = app.clock.now();
    if let Some(revoked) = find_key(&workspace.control(), &key_id).ok().filter(|key| key.revoked_at.is_some()) {
        return Ok(revoked.clone());
    }
    let (revoked, ..) = apply(workspace, move |control| {
        let key = find_key(control, &key_id)?;
        let revoked = Key { revoked_at: Some(key.revoked_at.unwrap_or(now)), ..key.clone() };
        let detail = json!({ "agent": revoked.agent, "key": revoked.id });
        let mut change = Change::of(control, &by, "key_revoked", detail);
        change.put_key(revoked.clone())?;
        Ok((change, revoked))
    })
    .await?;
    Ok(revoked)
}

pub async fn expire(
    app: &App,
    workspace: &Arc<Workspace>,
    by: &str,
    key_id: String,
    expires_at: Option<Micros>,
) -> Result<Key, Error> {
    let by = by.to_owned();
    let now = app.clock.now();
    check_expiry(expires_at, now)?;
    let (changed, ..) = apply(workspace, move |control| {
        let key = find_key(control, &key_id)?;
        if !key.is_active(now) {
            return Err(Error::new(Kind::KeyNotActive, "a key that has ended does not come back"));
        }
        let key = Key { expires_at, ..key.clone() };
        let detail = json!({ "agent": key.agent, "expiresAt": key.expires_at, "key": key.id });
        let mut change = Change::of(control, &by, "key_expiry_changed", detail);
        change.put_key(key.clone())?;
        Ok((change, key))
    })
    .await?;
    Ok(changed)
}

pub fn find_agent<'c>(control: &'c Control, agent: &str) -> Result<&'c Agent, Error> {
    control.agents.get(agent).map(AsRef::as_ref).ok_or_else(|| Error::plain(Kind::UnknownAgent))
}

fn find_key<'c>(control: &'c Control, key: &str) -> Result<&'c Key, Error> {
    control.keys.get(key).map(AsRef::as_ref).ok_or_else(|| Error::plain(Kind::UnknownKey))
}

fn issue(agent: &str, now: Micros, expires_at: Option<Micros>) -> Result<IssuedKey, Error> {
    let secret = secret::generate(secret::AGENT_KEY_PREFIX)?;
    let key = Key {
        id: id::generate(id::KEY, now)?,
        agent: agent.to_owned(),
        fingerprint: Fingerprint::of(&secret),
        created_at: now,
        expires_at,
        revoked_at: None,
    };
    Ok(IssuedKey { key, secret })
}

fn patched(before: &Agent, patch: &AgentPatch) -> Result<Agent, Error> {
    let mut after = before.clone();
    if let Some(name) = &patch.name {
        after.name = names::printable("name", name, names::MAX_NAME_BYTES)?;
    }
    if let Some(name) = &patch.environment {
        after.environment = environment(name)?;
    }
    if let Some(labels) = &patch.labels {
        after.labels = names::labels(labels)?;
    }
    if let Some(owner) = &patch.owner {
        after.owner = optional("owner", owner.as_deref())?;
    }
    if let Some(source) = &patch.source {
        after.source = source.as_deref().map(|source| names::normal("source", source)).transpose()?;
    }
    after.asserts_subject = patch.asserts_subject.unwrap_or(before.asserts_subject);
    after.status = patch.status.unwrap_or(before.status);
    Ok(after)
}

fn environment(name: &str) -> Result<String, Error> {
    Environment::new(name)
        .map(|environment| environment.as_str().to_owned())
        .map_err(|problem| Error::new(Kind::InvalidRequest, format!("`environment` {problem}")))
}

fn optional(field: &str, text: Option<&str>) -> Result<Option<String>, Error> {
    text.map(|text| names::printable(field, text, names::MAX_NAME_BYTES)).transpose()
}

fn check_expiry(expires_at: Option<Micros>, now: Micros) -> Result<(), Error> {
    if expires_at.is_some_and(|at| at <= now) {
        return Err(Error::new(Kind::InvalidRequest, "`expiresAt` has passed; to end a key now, revoke it"));
    }
    Ok(())
}

fn refuse_taken_name(control: &Control, agent: &str, name: &str) -> Result<(), Error> {
    if control.agents.values().any(|other| other.id != agent && names::same(&other.name, name)) {
        return Err(Error::new(Kind::AlreadyExists, format!("there is an agent named `{name}` already")));
    }
    Ok(())
}

fn refuse_too_many_keys(control: &Control, agent: &str) -> Result<(), Error> {
    if control.keys.values().filter(|key| key.agent == agent).count() >= MAX_KEYS {
        return Err(Error::new(Kind::InvalidRequest, format!("an agent may have at most {MAX_KEYS} keys")));
    }
    Ok(())
}
