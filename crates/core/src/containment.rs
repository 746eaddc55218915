//! Containment: switches that make every matching decision and redemption a BLOCK.
//!
//! Pure: who may throw a switch, and from which index on it holds, is the server's business. Refuses
//! to guess: a call whose source is unknown is caught by every source switch, because it may come
//! from there.

use crate::call::Call;
use crate::text;
use crate::time::Micros;
use serde::{Deserialize, Serialize};

/// What a switch stops.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scope", content = "value", rename_all = "camelCase")]
pub enum Scope {
    Workspace,
    /// An agent's id.
    Agent(String),
    /// A canonical action type; it stops a call if any member of `action.types` is this type.
    ActionType(String),
    /// The platform a tool comes from.
    Source(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Switch {
    pub id: String,
    #[serde(flatten)]
    pub scope: Scope,
    pub reason: String,
    /// Who threw it.
    pub by: String,
    pub at: Micros,
}

/// The switches thrown in a workspace, in the order in which they were thrown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Switches(Vec<Switch>);

/// A call was caught.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hit {
    pub switch: String,
    #[serde(flatten)]
    pub scope: Scope,
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SwitchError {
    #[error("there already is a switch `{0}`")]
    Duplicate(String),
    #[error("there is no switch `{0}`")]
    Unknown(String),
}

impl Scope {
    /// Whether a call with these facts is stopped.
    #[must_use]
    pub fn covers(&self, call: &Call) -> bool {
        match self {
            Self::Workspace => true,
            Self::Agent(id) => call.agent.id == *id,
            Self::ActionType(name) => call.action.types.iter().any(|member| member.as_ref() == name.as_str()),
            Self::Source(name) => call.source.as_ref().is_none_or(|source| same_source(source, name)),
        }
    }
}

/// Sources compare in normal form; names that have none are the same, because doubt never helps.
fn same_source(left: &str, right: &str) -> bool {
    match (text::normal_target(left), text::normal_target(right)) {
        (Ok(left), Ok(right)) => left == right,
        _ => true,
    }
}

impl Switches {
    #[must_use]
    pub fn all(&self) -> &[Switch] {
        &self.0
    }

    /// Throws a switch; two with one id would leave it unclear which one a release means.
    pub fn throw(&mut self, switch: Switch) -> Result<(), SwitchError> {
        if self.0.iter().any(|other| other.id == switch.id) {
            return Err(SwitchError::Duplicate(switch.id));
        }
        self.0.push(switch);
        Ok(())
    }

    pub fn release(&mut self, id: &str) -> Result<Switch, SwitchError> {
        let at = self.0.iter().position(|switch| switch.id == id);
        at.map(|at| self.0.remove(at)).ok_or_else(|| SwitchError::Unknown(id.to_owned()))
    }

    /// The widest switch that catches the call; among equals the one thrown first.
    #[must_use]
    pub fn hit(&self, call: &Call) -> Option<Hit> {
        let width = |scope: &Scope| match scope {
            Scope::Workspace => 0,
            Scope::Source(_) => 1,
            Scope::ActionType(_) => 2,
            Scope::Agent(_) => 3,
        };
        let switch =
            self.0.iter().filter(|switch| switch.scope.covers(call)).min_by_key(|switch| width(&switch.scope))?;
        Some(Hit { switch: switch.id.clone(), scope: switch.scope.clone(), reason: switch.reason.clone() })
    }
}

#[cfg(test)]
mod tests;
