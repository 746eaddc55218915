//! One guarded call, complete: who asks for what, where, with which arguments.
//!
//! The canonical bytes and their digest are what an approval is bound to. A call is also stored as a
//! payload, from which it can be built again: as it was (to recompute a decision) or under today's
//! registrations (to redeem an approval).
//! INVARIANT: two calls with the same digest are the same in everything a decision may depend on that
//! the caller can choose.

mod payload;

pub use payload::{PayloadError, Stored};

use crate::action::{self, Action};
use crate::catalogue::Catalogue;
use crate::digest::{Digest, sha256};
use crate::environment::{self, Environment};
use crate::json;
use crate::settings::Settings;
use crate::target::Registration;
use crate::text::{self, TextError};
use crate::value::Object;

const TAG: &[u8] = b"runplane-action-v1\n";
const VERSION: i64 = 1;

/// Established by the key: the software that acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    pub id: String,
    pub name: String,
    pub environment: Environment,
    pub labels: Vec<String>,
    pub owner: Option<String>,
}

/// What the caller said, as it said it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    pub action: String,
    pub tool: Option<String>,
    pub target: String,
    pub subject: Option<String>,
    pub session: Option<String>,
    pub context: Object,
}

/// What the server knows about who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Established {
    pub workspace: String,
    pub agent: Agent,
    pub source: Option<String>,
    /// Whether the agent is registered as one whose word on the subject is believed.
    pub asserts_subject: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub workspace: String,
    pub agent: Agent,
    pub subject: Option<String>,
    /// Whether the subject is established, and not only what the program says.
    pub asserts_subject: bool,
    pub session: Option<String>,
    pub source: Option<String>,
    pub action: Action,
    /// Normalised: trimmed, NFKC, case-folded.
    pub target: String,
    pub declared_target: String,
    pub registration: Registration,
    pub environment: Environment,
    pub context: Object,
}

/// A name in the call that cannot be used, and which.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {problem}")]
pub struct CallError {
    pub field: &'static str,
    pub problem: TextError,
}

impl Call {
    /// Resolves the action, the target's registration and the environment.
    pub fn new(
        asked: Asked,
        established: Established,
        catalogue: &Catalogue,
        settings: &Settings,
    ) -> Result<Self, CallError> {
        let target = text::normal_target(&asked.target).map_err(|problem| CallError { field: "target", problem })?;
        let registration = settings.registration(&target).cloned().unwrap_or_default();
        Self::resolved(asked, established, catalogue, target, registration)
    }

    fn resolved(
        asked: Asked,
        established: Established,
        catalogue: &Catalogue,
        target: String,
        registration: Registration,
    ) -> Result<Self, CallError> {
        for (field, value) in [("subject", &asked.subject), ("session", &asked.session)] {
            if let Some(value) = value {
                name(value).map_err(|problem| CallError { field, problem })?;
            }
        }
        let action = action::resolve(catalogue, &asked.action, asked.tool.as_deref(), &asked.context)
            .map_err(|problem| CallError { field: "action.type", problem })?;
        let environment = environment::resolve(&registration, &established.agent.environment, &asked.context);
        Ok(Self {
            workspace: established.workspace,
            agent: established.agent,
            subject: asked.subject,
            asserts_subject: established.asserts_subject,
            session: asked.session,
            source: established.source,
            action,
            target,
            declared_target: asked.target,
            registration,
            environment,
            context: asked.context,
        })
    }

    /// A subject is named by a program whose word on it is not believed. Conditions on it have no value then, and
    /// meters do not keep it apart: naming somebody else must not help.
    #[must_use]
    pub fn subject_is_claimed(&self) -> bool {
        self.subject.is_some() && !self.asserts_subject
    }

    /// RFC 8785 bytes of everything an approval is bound to.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        self.write_canonical(&mut out);
        out
    }

    /// SHA-256 over a version tag and the canonical bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        sha256(&[TAG, &self.canonical()])
    }

    /// Canonical bytes and digest in one go.
    #[must_use]
    pub fn canonical_and_digest(&self) -> (Vec<u8>, Digest) {
        let bytes = self.canonical();
        let digest = sha256(&[TAG, &bytes]);
        (bytes, digest)
    }

    /// The payload and the digest, with the canonical bytes written once.
    #[must_use]
    pub fn payload_and_digest(&self) -> (Vec<u8>, Digest) {
        let (payload, action) = self.write_payload();
        let digest = sha256(&[TAG, payload.get(action).unwrap_or_default()]);
        (payload, digest)
    }

    /// Members in their canonical order; all names are ASCII, so that is their byte order.
    fn write_canonical(&self, out: &mut Vec<u8>) {
        text_member(b"{\"agent\":", Some(&self.agent.id), out);
        out.extend_from_slice(b",\"context\":");
        json::write_canonical_object(&self.context, out);
        text_member(b",\"declaredType\":", Some(&self.action.declared), out);
        text_member(b",\"environment\":", Some(self.environment.as_str()), out);
        text_member(b",\"source\":", self.source.as_deref(), out);
        text_member(b",\"subject\":", self.subject.as_deref(), out);
        text_member(b",\"target\":", Some(&self.target), out);
        text_member(b",\"tool\":", self.action.tool.as_deref(), out);
        text_member(b",\"type\":", Some(&self.action.canonical), out);
        out.extend_from_slice(b",\"v\":");
        json::write_number(VERSION.into(), out);
        text_member(b",\"workspace\":", Some(&self.workspace), out);
        out.push(b'}');
    }
}

fn text_member(key: &[u8], text: Option<&str>, out: &mut Vec<u8>) {
    out.extend_from_slice(key);
    match text {
        Some(text) => json::write_text(text, out),
        None => out.extend_from_slice(b"null"),
    }
}

fn name(value: &str) -> Result<(), TextError> {
    if value.len() > text::MAX_NAME_BYTES {
        return Err(TextError::TooLong { limit: text::MAX_NAME_BYTES });
    }
    text::printable(value)
}

#[cfg(test)]
mod tests;
