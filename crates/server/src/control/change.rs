//! One change of control: the state after it, the documents that keep it, and what the ledger says of it.

use super::{Agent, Control, Key, Policy, User};
use crate::error::Error;
use crate::record;
use runplane_core::settings::Settings;
use runplane_store::Change as DocumentChange;
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Document kinds under which control state is stored.
pub mod kind {
    pub const POLICY: &str = "policy";
    pub const AGENT: &str = "agent";
    pub const KEY: &str = "key";
    pub const SETTINGS: &str = "settings";
    pub const SWITCH: &str = "switch";
    pub const USER: &str = "user";
    /// Canonical bytes of every bundle that was ever in force, by digest: what recomputing reads.
    pub const BUNDLE: &str = "bundle";
    /// The digest of the bundle in force.
    pub const IN_FORCE: &str = "in_force";
    /// Which counters are new where they are many, and what they came to when their past was counted, by the index of
    /// the entry that says so.
    pub const FILL: &str = "fill";
    /// The workspace's name.
    pub const WORKSPACE: &str = "workspace";
}

/// A change on its way to the sequencer.
pub struct Change {
    /// The epoch the change was made from. If another change came first it is made again.
    pub based_on: u64,
    pub next: Control,
    pub documents: Vec<DocumentChange>,
    pub body: record::ControlBody,
}

impl Change {
    /// Starts a change of `control` by `by`; `what` is the ledger's word for it, such as `policy_put`.
    #[must_use]
    pub fn of(control: &Control, by: &str, what: &str, detail: Value) -> Self {
        let mut next = control.clone();
        next.epoch += 1;
        let body = record::ControlBody {
            bundle: control.bundle_digest(),
            by: by.to_owned(),
            change: what.to_owned(),
            detail,
            filling: Vec::new(),
            filling_list: None,
        };
        Self { based_on: control.epoch, next, documents: Vec::new(), body }
    }

    pub fn put_agent(&mut self, agent: Agent) -> Result<(), Error> {
        self.put(kind::AGENT, &agent.id, &agent)?;
        self.next.agents.insert(agent.id.clone(), Arc::new(agent));
        Ok(())
    }

    pub fn put_key(&mut self, key: Key) -> Result<(), Error> {
        self.put(kind::KEY, &key.id, &key)?;
        self.next.keys.insert(key.id.clone(), Arc::new(key));
        Ok(())
    }

    pub fn put_user(&mut self, user: User) -> Result<(), Error> {
        self.put(kind::USER, &user.id, &user)?;
        self.next.users.insert(user.id.clone(), Arc::new(user));
        Ok(())
    }

    pub fn put_policy(&mut self, policy: Policy) -> Result<(), Error> {
        self.put(kind::POLICY, &policy.name, &policy)?;
        self.next.policies.insert(policy.name.clone(), Arc::new(policy));
        Ok(())
    }

    pub fn delete_policy(&mut self, name: &str) {
        self.delete(kind::POLICY, name);
        self.next.policies.remove(name);
    }

    pub fn put_settings(&mut self, settings: Settings) -> Result<(), Error> {
        self.put(kind::SETTINGS, "", &settings)?;
        self.next.settings = Arc::new(settings);
        Ok(())
    }

    /// Puts the bundle compiled from the policies and settings of `next` in force.
    pub fn put_bundle(&mut self, bundle: runplane_core::policy::Bundle) -> Result<(), Error> {
        let digest = bundle.digest().to_string();
        let bytes = bundle.canonical().to_vec().into();
        self.documents.push(DocumentChange::Put { kind: kind::BUNDLE.to_owned(), key: digest.clone(), bytes });
        self.put(kind::IN_FORCE, "", &digest)?;
        self.body.bundle = digest;
        self.next.bundle = Some(Arc::new(bundle));
        Ok(())
    }

    pub fn put<T: Serialize>(&mut self, kind: &str, key: &str, document: &T) -> Result<(), Error> {
        let bytes = serde_json::to_vec(document)
            .map_err(|failure| Error::internal("a document could not be written").because(failure))?;
        self.documents.push(DocumentChange::Put { kind: kind.to_owned(), key: key.to_owned(), bytes: bytes.into() });
        Ok(())
    }

    pub fn delete(&mut self, kind: &str, key: &str) {
        self.documents.push(DocumentChange::Delete { kind: kind.to_owned(), key: key.to_owned() });
    }

    pub fn note(&mut self, member: &str, value: impl Into<Value>) {
        if let Value::Object(members) = &mut self.body.detail {
            members.insert(member.to_owned(), value.into());
        } else {
            self.body.detail = json!({ member: value.into() });
        }
    }
}
