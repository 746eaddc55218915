//! Control from the documents of a workspace.
//!
//! The bundle in force is stored with its digest, so a restart decides under exactly the same bytes. If it cannot
//! be read the workspace still starts, without a bundle: every call is then blocked, and a publish mends it.

use super::change::kind;
use super::{Agent, Control, Key, Policy, User};
use crate::error::Error;
use runplane_core::containment::{Switch, Switches};
use runplane_core::policy::Bundle;
use runplane_core::settings::Settings;
use runplane_store::{Document, Head, Store};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::sync::Arc;

const KINDS: [&str; 8] =
    [kind::POLICY, kind::AGENT, kind::KEY, kind::SETTINGS, kind::SWITCH, kind::USER, kind::IN_FORCE, kind::WORKSPACE];

pub fn load(store: &dyn Store, workspace: &str, head: &Head) -> Result<Control, Error> {
    let mut control = Control {
        workspace_id: workspace.to_owned(),
        workspace_name: String::new(),
        epoch: head.epoch,
        settings: Arc::new(Settings::default()),
        policies: BTreeMap::new(),
        bundle: None,
        agents: BTreeMap::new(),
        keys: BTreeMap::new(),
        containment: Switches::default(),
        users: BTreeMap::new(),
    };
    let mut switches: Vec<Switch> = Vec::new();
    let mut in_force = None;
    for document in store.load_documents(workspace, &KINDS)? {
        match document.kind.as_str() {
            kind::POLICY => {
                let policy: Policy = read(&document)?;
                control.policies.insert(document.key, Arc::new(policy));
            }
            kind::AGENT => {
                let agent: Agent = read(&document)?;
                control.agents.insert(document.key, Arc::new(agent));
            }
            kind::KEY => {
                let key: Key = read(&document)?;
                control.keys.insert(document.key, Arc::new(key));
            }
            kind::USER => {
                let user: User = read(&document)?;
                control.users.insert(document.key, Arc::new(user));
            }
            kind::SETTINGS => control.settings = Arc::new(read(&document)?),
            kind::SWITCH => switches.push(read(&document)?),
            kind::IN_FORCE => in_force = Some(read::<String>(&document)?),
            kind::WORKSPACE => control.workspace_name = read(&document)?,
            _ => {}
        }
    }
    switches.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    for switch in switches {
        control.containment.throw(switch).map_err(|failure| Error::internal(failure.to_string()))?;
    }
    control.bundle = in_force.and_then(|digest| load_bundle(store, workspace, &digest)).map(Arc::new);
    Ok(control)
}

/// The bundle with this digest; `None`, and a line in the log, if it is missing or cannot be read.
pub fn load_bundle(store: &dyn Store, workspace: &str, digest: &str) -> Option<Bundle> {
    let bytes = match store.load_document(workspace, kind::BUNDLE, digest) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => {
            tracing::error!(workspace, digest, "the bundle in force is missing");
            return None;
        }
        Err(failure) => {
            tracing::error!(workspace, digest, %failure, "the bundle in force could not be loaded");
            return None;
        }
    };
    match Bundle::from_canonical(&bytes) {
        Ok(bundle) if bundle.digest().to_string() == digest => Some(bundle),
        Ok(_) => {
            tracing::error!(workspace, digest, "the stored bundle is not the one in force");
            None
        }
        Err(failure) => {
            tracing::error!(workspace, digest, ?failure, "the bundle in force could not be read");
            None
        }
    }
}

fn read<T: DeserializeOwned>(document: &Document) -> Result<T, Error> {
    serde_json::from_slice(&document.bytes).map_err(|failure| {
        Error::internal(format!("the stored {} `{}` could not be read", document.kind, document.key)).because(failure)
    })
}
