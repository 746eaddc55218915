//! The stored form of a call: the canonical action and, beside it, what else a decision used.
//!
//! Reading trusts nothing: a payload that is not exactly what was written is refused, and the digest of
//! what was read can be compared with the one on the record.

use super::{Agent, Asked, Call, CallError, Established, TAG, VERSION, text_member};
use crate::catalogue::Catalogue;
use crate::digest::{Digest, sha256};
use crate::environment::Environment;
use crate::json::{self, Limits, ReadError};
use crate::settings::Settings;
use crate::target::Registration;
use crate::value::{Object, Value};
use std::ops::Range;

/// One level deeper than a request may be, for the action around the context.
const LIMITS: Limits = Limits { max_depth: 128, max_values: usize::MAX };

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    #[error("the stored call cannot be read: {0}")]
    Json(#[from] ReadError),
    #[error("the stored call has no usable `{0}`")]
    Member(&'static str),
    #[error("the stored call is of version {0}, which this program does not know")]
    Version(String),
    #[error("the stored call cannot be resolved: {0}")]
    Call(#[from] CallError),
    #[error("the stored call does not resolve to itself: the catalogue or the registration is another one")]
    Different,
}

/// A payload taken apart, not yet resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub asked: Asked,
    pub established: Established,
    /// The target's registration when the call was made.
    pub registration: Registration,
    /// Digest of the stored canonical action.
    pub digest: Digest,
}

impl Call {
    /// Everything needed to build this call again, as canonical JSON.
    #[must_use]
    pub fn to_payload(&self) -> Vec<u8> {
        self.write_payload().0
    }

    /// The payload, and where in it the canonical bytes are.
    pub(super) fn write_payload(&self) -> (Vec<u8>, Range<usize>) {
        let mut out = Vec::with_capacity(1_024);
        out.extend_from_slice(b"{\"action\":");
        let start = out.len();
        self.write_canonical(&mut out);
        let action = start..out.len();
        out.extend_from_slice(b",\"agent\":");
        let agent = &self.agent;
        let asserts: &[u8] = if self.asserts_subject { b"true" } else { b"false" };
        out.extend_from_slice(b"{\"assertsSubject\":");
        out.extend_from_slice(asserts);
        text_member(b",\"environment\":", Some(agent.environment.as_str()), &mut out);
        out.extend_from_slice(b",\"labels\":[");
        for (index, label) in agent.labels.iter().enumerate() {
            text_member(if index > 0 { b"," } else { b"" }, Some(label), &mut out);
        }
        text_member(b"],\"name\":", Some(&agent.name), &mut out);
        text_member(b",\"owner\":", agent.owner.as_deref(), &mut out);
        text_member(b"},\"declaredTarget\":", Some(&self.declared_target), &mut out);
        out.extend_from_slice(b",\"registration\":");
        json::write_canonical_object(&registration_members(&self.registration), &mut out);
        text_member(b",\"session\":", self.session.as_deref(), &mut out);
        out.push(b'}');
        (out, action)
    }

    /// Takes a stored call apart. Refuses whatever `to_payload` would not have written.
    pub fn from_payload(bytes: &[u8]) -> Result<Stored, PayloadError> {
        let payload = json::read(bytes, &LIMITS)?;
        let action = payload.get("action").ok_or(PayloadError::Member("action"))?;
        let version = action.get("v").and_then(Value::as_number);
        if version != Some(VERSION.into()) {
            return Err(PayloadError::Version(version.map_or_else(String::new, |version| version.to_string())));
        }
        let agent = payload.get("agent").ok_or(PayloadError::Member("agent"))?;
        let environment =
            Environment::new(text(agent, "environment")?).map_err(|_| PayloadError::Member("environment"))?;
        let labels = agent.get("labels").and_then(Value::as_list).ok_or(PayloadError::Member("labels"))?;
        let labels = labels.iter().map(|label| label.as_text().map(str::to_owned)).collect::<Option<_>>();
        let context = action.get("context").and_then(Value::as_object).ok_or(PayloadError::Member("context"))?;
        Ok(Stored {
            asked: Asked {
                action: text(action, "declaredType")?.to_owned(),
                tool: optional(action, "tool")?,
                target: text(&payload, "declaredTarget")?.to_owned(),
                subject: optional(action, "subject")?,
                session: optional(&payload, "session")?,
                context: context.clone(),
            },
            established: Established {
                workspace: text(action, "workspace")?.to_owned(),
                agent: Agent {
                    id: text(action, "agent")?.to_owned(),
                    name: text(agent, "name")?.to_owned(),
                    environment,
                    labels: labels.ok_or(PayloadError::Member("labels"))?,
                    owner: optional(agent, "owner")?,
                },
                source: optional(action, "source")?,
                asserts_subject: asserts_subject(agent)?,
            },
            registration: registration(payload.get("registration"))?,
            digest: sha256(&[TAG, &json::to_canonical(action)]),
        })
    }
}

impl Stored {
    /// The call exactly as it was decided, under the catalogue of that time.
    pub fn as_recorded(self, catalogue: &Catalogue) -> Result<Call, PayloadError> {
        let target =
            crate::text::normal_target(&self.asked.target).map_err(|problem| CallError { field: "target", problem })?;
        let digest = self.digest;
        let call = Call::resolved(self.asked, self.established, catalogue, target, self.registration)?;
        if call.digest() == digest { Ok(call) } else { Err(PayloadError::Different) }
    }

    /// The same call under today's facts about the agent and the target. Its digest differs from the
    /// stored one if those facts change what the action is, or where it takes effect.
    ///
    /// The workspace and the source stay those of the key that asked; everything else is as it is established today.
    pub fn today(self, today: Established, catalogue: &Catalogue, settings: &Settings) -> Result<Call, CallError> {
        let Established { workspace, source, .. } = self.established;
        Call::new(self.asked, Established { workspace, source, ..today }, catalogue, settings)
    }
}

/// Absent in what was stored before subjects were told apart: then all of them were believed.
fn asserts_subject(agent: &Value) -> Result<bool, PayloadError> {
    match agent.get("assertsSubject") {
        None => Ok(true),
        Some(Value::Bool(asserts)) => Ok(*asserts),
        Some(_) => Err(PayloadError::Member("assertsSubject")),
    }
}

fn text<'a>(object: &'a Value, key: &'static str) -> Result<&'a str, PayloadError> {
    object.get(key).and_then(Value::as_text).ok_or(PayloadError::Member(key))
}

fn optional(object: &Value, key: &'static str) -> Result<Option<String>, PayloadError> {
    match object.get(key) {
        Some(Value::Null) => Ok(None),
        Some(Value::Text(text)) => Ok(Some(text.to_string())),
        _ => Err(PayloadError::Member(key)),
    }
}

fn registration_members(registration: &Registration) -> Object {
    let mut members = Object::new();
    let mut put = |key: &str, value: Option<&str>| {
        if let Some(value) = value {
            members.insert(key, Value::from(value));
        }
    };
    put("environment", registration.environment.as_ref().map(Environment::as_str));
    put("environmentFrom", registration.environment_from_context.then_some("context"));
    put("sensitivity", registration.sensitivity.map(crate::target::Sensitivity::as_str));
    put("audience", registration.audience.map(crate::target::Audience::as_str));
    if !registration.hosts.is_empty() {
        let hosts = registration.hosts.iter().map(|host| Value::from(host.as_str())).collect();
        members.insert("hosts", Value::List(hosts));
    }
    members
}

fn registration(value: Option<&Value>) -> Result<Registration, PayloadError> {
    let value = value.ok_or(PayloadError::Member("registration"))?;
    serde_json::from_slice(&json::to_canonical(value)).map_err(|_| PayloadError::Member("registration"))
}
