//! The request's bytes → a call in canonical terms, or the reason why it cannot be one.
//!
//! Pure and bounded: a strict reader, limits on size and depth, names that can be printed. What it refuses becomes
//! a recorded BLOCK, never an HTTP error.

use super::identify::Identity;
use crate::refusal::Code;
use runplane_core::call::{Agent, Asked, Call, Established};
use runplane_core::environment::Environment;
use runplane_core::json::{self, Limits};
use runplane_core::policy::Bundle;
use runplane_core::text;
use runplane_core::value::{Object, Value};

/// How the body may be shaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `{"action": {"type", "target", "context"}}`.
    Guard,
    /// That, or one of the two older forms with `action` or `actionType` as the name.
    Legacy,
}

/// Why a request is no call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Stable reason code.
    pub code: Code,
    pub reason: String,
    pub request_id: Option<String>,
    /// Declared type and target, where they could be read.
    pub declared: Option<(String, String)>,
}

impl Refusal {
    pub fn new(code: Code, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into(), request_id: None, declared: None }
    }
}

/// A request that was understood.
pub struct Request {
    pub call: Call,
    pub request_id: Option<String>,
}

/// What a body asks for, and the id it gives its request; of a refused one the id as well, where it could be read.
pub fn read(bytes: &[u8], shape: Shape, limits: &Limits) -> Result<(Asked, Option<String>), Refusal> {
    let body = json::read(bytes, limits).map_err(|error| Refusal::new(Code::Unread(error.code), error.to_string()))?;
    let Value::Object(mut body) = body else {
        return Err(Refusal::new(INVALID, "the body is not a JSON object"));
    };
    let request_id = request_id(&mut body)?;
    match asked(body, shape) {
        Ok(asked) => Ok((asked, request_id)),
        Err(refusal) => Err(Refusal { request_id, ..refusal }),
    }
}

pub fn normalise(bytes: &[u8], shape: Shape, identity: &Identity, bundle: &Bundle) -> Result<Request, Refusal> {
    let limits = Limits { max_depth: identity.control.settings.limits.max_depth, ..Limits::default() };
    let (asked, request_id) = read(bytes, shape, &limits)?;
    let declared = (asked.action.clone(), asked.target.clone());
    let call = Call::new(asked, established(identity), bundle.catalogue(), bundle.settings()).map_err(|error| {
        // Names that cannot be printed are not repeated.
        let printable =
            [&declared.0, &declared.1].iter().all(|name| text::printable(name).is_ok() && name.len() <= 256);
        let declared = printable.then_some(declared);
        Refusal { request_id: request_id.clone(), declared, ..Refusal::new(INVALID, error.to_string()) }
    })?;
    Ok(Request { call, request_id })
}

const INVALID: Code = Code::InvalidRequest;

fn asked(mut body: Object, shape: Shape) -> Result<Asked, Refusal> {
    let subject = optional_text(&mut body, "subject")?;
    let session = optional_text(&mut body, "session")?;
    if body.contains_key("action") && body.contains_key("actionType") {
        return Err(Refusal::new(INVALID, "`action` and `actionType` both name the action"));
    }
    let (place, action, mut rest) = match body.remove("action") {
        Some(Value::Object(mut action)) => ("action.", required_text(&mut action, "action.", "type")?, action),
        Some(Value::Text(name)) if shape == Shape::Legacy => ("", name.into(), body),
        None if shape == Shape::Legacy && body.contains_key("actionType") => {
            ("", required_text(&mut body, "", "actionType")?, body)
        }
        Some(other) => return Err(Refusal::new(INVALID, format!("`action` is a {}, not an object", other.kind()))),
        None => return Err(Refusal::new(INVALID, "`action` is missing")),
    };
    let target = required_text(&mut rest, place, "target")?;
    let context = match rest.remove("context") {
        Some(Value::Object(context)) => context,
        None | Some(Value::Null) => Object::new(),
        Some(other) => {
            return Err(Refusal::new(INVALID, format!("`{place}context` is a {}, not an object", other.kind())));
        }
    };
    let tool = optional_text(&mut rest, "tool")?;
    Ok(Asked { action, tool, target, subject, session, context })
}

fn request_id(body: &mut Object) -> Result<Option<String>, Refusal> {
    let request_id = optional_text(body, "requestId")?;
    match &request_id {
        Some(id) if text::visible_id(id).is_err() => {
            Err(Refusal::new(INVALID, "`requestId` is not 1 to 128 visible ASCII characters"))
        }
        _ => Ok(request_id),
    }
}

fn required_text(object: &mut Object, place: &str, key: &str) -> Result<String, Refusal> {
    match object.remove(key) {
        Some(Value::Text(text)) => Ok(text.into()),
        Some(other) => Err(Refusal::new(INVALID, format!("`{place}{key}` is a {}, not a string", other.kind()))),
        None => Err(Refusal::new(INVALID, format!("`{place}{key}` is missing"))),
    }
}

fn optional_text(object: &mut Object, key: &str) -> Result<Option<String>, Refusal> {
    match object.remove(key) {
        Some(Value::Text(text)) => Ok(Some(text.into())),
        None | Some(Value::Null) => Ok(None),
        Some(other) => Err(Refusal::new(INVALID, format!("`{key}` is a {}, not a string", other.kind()))),
    }
}

/// What the key says about the caller.
pub fn established(identity: &Identity) -> Established {
    Established {
        workspace: identity.workspace.id.clone(),
        agent: agent_facts(identity),
        source: identity.agent.source.clone(),
        asserts_subject: identity.agent.asserts_subject,
    }
}

pub fn agent_facts(identity: &Identity) -> Agent {
    let agent = &identity.agent;
    Agent {
        id: agent.id.clone(),
        name: agent.name.clone(),
        // Checked when the agent was registered; an unusable name counts as the strictest there is.
        environment: Environment::new(&agent.environment).unwrap_or_else(|_| Environment::production()),
        labels: agent.labels.clone(),
        owner: agent.owner.clone(),
    }
}
