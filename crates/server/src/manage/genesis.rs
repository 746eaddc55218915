//! A new workspace: shipped policies, default settings, and if wanted a first agent with its key.

use super::{ADMIN, publish};
use crate::control::{Agent, AgentStatus, Change, Control, Key, Policy, change::kind};
use crate::error::{Error, Kind};
use crate::id;
use crate::record::GenesisBody;
use crate::secret::{self, Fingerprint};
use crate::sequencer;
use runplane_core::containment::Switches;
use runplane_core::meter::KEY_FORM;
use runplane_core::settings::Settings;
use runplane_core::time::Micros;
use runplane_ledger::SigningKey;
use runplane_ledger::checkpoint::origin;
use runplane_store::{Store, Workspace};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a workspace starts with.
pub struct Start<'a> {
    pub name: &'a str,
    /// Policy documents: name and YAML text.
    pub policies: &'a [(String, String)],
    /// Name and environment of a first agent.
    pub agent: Option<(&'a str, &'a str)>,
}

/// A first agent and its key, which is shown once.
pub struct FirstAgent {
    pub id: String,
    pub key: String,
}

pub fn create(
    store: &dyn Store,
    installation: &str,
    seed: &[u8; 32],
    now: Micros,
    start: &Start<'_>,
) -> Result<(Workspace, Option<FirstAgent>), Error> {
    check_name(start.name)?;
    let workspace = Workspace { id: id::generate(id::WORKSPACE, now)?, name: start.name.to_owned(), created_us: now.0 };
    let key = SigningKey::from_seed(&origin(&workspace.id), seed)
        .map_err(|failure| Error::internal("the signing key cannot be used").because(failure))?;
    let mut first = Change::of(&empty(&workspace), ADMIN, "workspace_created", json!({ "name": start.name }));
    first.put(kind::WORKSPACE, "", &start.name)?;
    first.put_settings(Settings::default())?;
    for (name, yaml) in start.policies {
        first.put_policy(Policy { name: name.clone(), yaml: yaml.clone(), updated_at: now })?;
    }
    publish::recompile(&mut first)?;
    let agent = start.agent.map(|(name, environment)| add_agent(&mut first, name, environment, now)).transpose()?;
    let genesis = GenesisBody {
        installation: installation.to_owned(),
        key: key.verifying().to_string(),
        key_form: KEY_FORM,
        workspace: workspace.id.clone(),
    };
    sequencer::create(store, &workspace, &key, &genesis, first)?;
    Ok((workspace, agent))
}

fn empty(workspace: &Workspace) -> Control {
    Control {
        workspace_id: workspace.id.clone(),
        workspace_name: workspace.name.clone(),
        epoch: 0,
        settings: Arc::new(Settings::default()),
        policies: BTreeMap::new(),
        bundle: None,
        agents: BTreeMap::new(),
        keys: BTreeMap::new(),
        containment: Switches::default(),
        users: BTreeMap::new(),
    }
}

fn add_agent(first: &mut Change, name: &str, environment: &str, now: Micros) -> Result<FirstAgent, Error> {
    let agent = Agent {
        id: id::generate(id::AGENT, now)?,
        name: name.to_owned(),
        environment: environment.to_owned(),
        labels: Vec::new(),
        owner: None,
        source: None,
        asserts_subject: false,
        status: AgentStatus::Active,
        created_at: now,
    };
    let secret = secret::generate(secret::AGENT_KEY_PREFIX)?;
    let key = Key {
        id: id::generate(id::KEY, now)?,
        agent: agent.id.clone(),
        fingerprint: Fingerprint::of(&secret),
        created_at: now,
        expires_at: None,
        revoked_at: None,
    };
    let made = FirstAgent { id: agent.id.clone(), key: secret };
    first.note("agent", made.id.clone());
    first.put_agent(agent)?;
    first.put_key(key)?;
    Ok(made)
}

/// Workspace names go into headers, paths and file names: lower-case letters, digits and inner dashes.
pub fn check_name(name: &str) -> Result<(), Error> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let good =
        (1..=63).contains(&name.len()) && name.bytes().all(allowed) && !name.starts_with('-') && !name.ends_with('-');
    if good {
        return Ok(());
    }
    Err(Error::new(
        Kind::InvalidRequest,
        format!("`{name}` cannot name a workspace: use 1 to 63 lower-case letters, digits and inner dashes"),
    ))
}
