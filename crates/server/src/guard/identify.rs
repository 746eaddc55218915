//! Who is calling: credential → workspace, agent. Everything it says is established.
//!
//! SECURITY: unknown, malformed, expired and revoked keys all get the same answer.

use crate::app::App;
use crate::control::{Agent, Control};
use crate::error::{Error, Kind};
use crate::secret::{self, Fingerprint};
use crate::workspace::Workspace;
use runplane_core::time::Micros;
use std::sync::Arc;

/// An agent whose key was good under this control.
pub struct Identity {
    pub workspace: Arc<Workspace>,
    pub control: Arc<Control>,
    pub agent: Arc<Agent>,
    pub key: String,
}

impl Identity {
    /// Whether identifying again would say the same.
    #[must_use]
    pub fn holds(&self, now: Micros) -> bool {
        Arc::ptr_eq(&self.workspace.published.control.load(), &self.control)
            && self.control.active_key(&self.key, now).is_some()
    }
}

/// The agent behind a bearer credential, under the control of right now.
pub fn identify(app: &App, credential: &str) -> Result<Identity, Error> {
    let refused = || {
        metrics::counter!("runplane_authentication_failures_total").increment(1);
        Error::plain(Kind::InvalidKey)
    };
    if !secret::well_formed(credential, secret::AGENT_KEY_PREFIX) {
        return Err(refused());
    }
    let fingerprint = Fingerprint::of(credential);
    let (workspace, key_id) = app.find_key(&fingerprint).ok_or_else(refused)?;
    let control = workspace.control();
    let now = app.clock.now();
    let (key, agent) = control.active_key(&key_id, now).ok_or_else(refused)?;
    if !key.fingerprint.matches(&fingerprint) {
        return Err(refused());
    }
    let agent = Arc::clone(agent);
    Ok(Identity { workspace, agent, key: key_id, control })
}
