//! What governs a workspace right now: bundle, settings, agents, keys, containment, under one epoch.
//!
//! A [`Control`] is immutable. A change makes a new one, one epoch higher, and takes effect at its own place in
//! the ledger: the sequencer records it, commits it and only then publishes it. A call that was prepared under
//! an older epoch is prepared again.

pub mod agent;
pub mod change;
mod load;
pub mod user;

pub use agent::{Agent, AgentStatus, Key};
pub use change::Change;
pub use load::{load, load_bundle};
pub use user::User;

use runplane_core::containment::Switches;
use runplane_core::policy::Bundle;
use runplane_core::settings::Settings;
use runplane_core::time::Micros;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A policy document as it was published.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    pub name: String,
    pub yaml: String,
    pub updated_at: Micros,
}

#[derive(Clone)]
pub struct Control {
    pub workspace_id: String,
    pub workspace_name: String,
    pub epoch: u64,
    pub settings: Arc<Settings>,
    pub policies: BTreeMap<String, Arc<Policy>>,
    /// `None` when the stored policies could not be compiled: every call is then blocked.
    pub bundle: Option<Arc<Bundle>>,
    pub agents: BTreeMap<String, Arc<Agent>>,
    /// By key id.
    pub keys: BTreeMap<String, Arc<Key>>,
    pub containment: Switches,
    /// Accounts, by id; disabled ones stay.
    pub users: BTreeMap<String, Arc<User>>,
}

impl Control {
    /// The digest that names the bundle on every record; empty when there is none.
    #[must_use]
    pub fn bundle_digest(&self) -> String {
        self.bundle.as_ref().map(|bundle| bundle.digest().to_string()).unwrap_or_default()
    }

    /// The key if it may be used at `now`, with the agent that holds it.
    #[must_use]
    pub fn active_key(&self, key_id: &str, now: Micros) -> Option<(&Arc<Key>, &Arc<Agent>)> {
        let key = self.keys.get(key_id).filter(|key| key.is_active(now))?;
        Some((key, self.agents.get(&key.agent)?))
    }
}
