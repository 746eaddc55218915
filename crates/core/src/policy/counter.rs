//! The definition of a meter: which calls count, how much, over how long, kept apart by what.
//!
//! What must stay true: the identity of a counter is a digest of its definition and of nothing else,
//! so that publishing an unchanged rule does not start counting again.

use super::condition::Condition;
use super::document::At;
use super::finding::{Findings, nearest};
use super::selector::{Actions, Targets};
use crate::call::Call;
use crate::digest::{Digest, sha256};
use crate::json;
use crate::meter::{CounterId, GroupId, On, Op};
use crate::time::Span;
use crate::value::Value;
use serde::Serialize;
use std::sync::Arc;

/// What keeps counters apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Per {
    Agent,
    Target,
    Session,
    Subject,
    Source,
    Environment,
    Action,
    /// All of the workspace together.
    Workspace,
    /// A member of the context, by its path.
    Context(Vec<Box<str>>),
}

pub(super) const PER: [(&str, Per); 7] = [
    ("agent", Per::Agent),
    ("target", Per::Target),
    ("session", Per::Session),
    ("subject", Per::Subject),
    ("source", Per::Source),
    ("environment", Per::Environment),
    ("action", Per::Action),
];

#[derive(Clone, Debug)]
pub struct Counter {
    pub name: Arc<str>,
    pub identity: Digest,
    pub group: GroupId,
    pub shadow: bool,
    pub within: Span,
    /// What keeps the counters of counted calls apart.
    pub per: Vec<Per>,
    /// The same of the call that asks, where it is something else.
    pub asks: Option<Vec<Per>>,
    pub counts: Counts,
    /// The events at which it counts.
    pub on: Box<[On]>,
    pub op: Op,
    /// It belongs to a condition about the past: what cannot be judged makes it doubtful.
    pub is_past: bool,
    /// A reported failure gives its share back.
    pub refund: bool,
    /// A call whose payload is gone is left out when the past is counted, instead of counting as everything.
    pub ignores_erased: bool,
}

/// Which calls count, and how much.
#[derive(Clone, Debug)]
pub enum Counts {
    /// Calls that a rule's selector and condition take in, one each; the rule's place in the bundle is
    /// known to the rule.
    Rule,
    /// A named meter's own selector.
    Own(Box<Own>),
}

/// A named meter: what it takes in, and what it adds.
#[derive(Clone, Debug)]
pub struct Own {
    pub source: Option<Box<str>>,
    pub actions: Actions,
    pub targets: Targets,
    pub when: Option<Condition>,
    /// `None` counts one each.
    pub sum: Option<Condition>,
}

/// Everything that makes a counter what it is, as written.
#[derive(Serialize)]
pub struct Identity<'a> {
    pub shadow: bool,
    pub source: Option<&'a str>,
    pub action: Vec<String>,
    pub any_action: bool,
    pub target: &'a Targets,
    pub when: Option<&'a str>,
    pub unless: Option<&'a str>,
    pub sum: Option<&'a str>,
    pub within: Span,
    pub per: Vec<&'a str>,
}

impl Identity<'_> {
    #[must_use]
    pub fn digest(&self) -> Digest {
        // A struct of texts and numbers always serialises, in the order of its members.
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        sha256(&[b"runplane-meter-v1\n", &bytes])
    }

    /// Counters that are about the same actions and kept apart by the same members lie together.
    #[must_use]
    pub fn group(&self) -> GroupId {
        let bytes = serde_json::to_vec(&(&self.per, self.source, &self.action, self.any_action)).unwrap_or_default();
        GroupId::new(&sha256(&[b"runplane-meter-group-v1\n", &bytes]))
    }
}

impl Per {
    pub fn read(terms: &[At<String>], findings: &mut Findings) -> Vec<Self> {
        let mut keys: Vec<Self> = Vec::new();
        for term in terms {
            let known = PER.iter().find(|(name, _)| *name == term.value).map(|(_, per)| per.clone());
            let key = known.or_else(|| {
                let path = term.value.strip_prefix("context.")?;
                let parts: Vec<Box<str>> = path.split('.').map(Into::into).collect();
                parts.iter().all(|part| !part.is_empty()).then_some(Self::Context(parts))
            });
            match key {
                Some(key) if keys.contains(&key) => {
                    findings.error(term.place, format!("`{}` is given twice", term.value), None);
                }
                Some(key) => keys.push(key),
                None => {
                    let names: Vec<&str> = PER.iter().map(|(name, _)| *name).collect();
                    let help = nearest(&term.value, names.iter().copied())
                        .or_else(|| Some(format!("one of {}, or a member as `context.…`", names.join(", "))));
                    findings.error(term.place, format!("meters are not kept apart by `{}`", term.value), help);
                }
            }
        }
        keys
    }

    /// As it is written.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Workspace => "workspace".to_owned(),
            Self::Context(path) => format!("context.{}", path.join(".")),
            other => PER.iter().find(|(_, per)| per == other).map_or("", |(name, _)| name).to_owned(),
        }
    }

    /// Appends the call's value of this key; `false` if there is none. An absent value is one shared bucket.
    pub(super) fn write(&self, call: &Call, out: &mut Vec<u8>) -> bool {
        let mut text = |text: Option<&str>| match text {
            None => {
                out.push(0);
                false
            }
            Some(text) => {
                out.push(1);
                out.extend_from_slice(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
                out.extend_from_slice(text.as_bytes());
                true
            }
        };
        match self {
            Self::Workspace => text(Some(&call.workspace)),
            Self::Agent => text(Some(&call.agent.id)),
            Self::Target => text(Some(&call.target)),
            Self::Session => text(call.session.as_deref()),
            Self::Subject => text(call.subject.as_deref().filter(|_| call.asserts_subject)),
            Self::Source => text(call.source.as_deref()),
            Self::Environment => text(Some(call.environment.as_str())),
            Self::Action => text(Some(&call.action.canonical)),
            Self::Context(path) => {
                let mut value = path.split_first().and_then(|(first, _)| call.context.get(first.as_ref()));
                for part in path.iter().skip(1) {
                    value = value.and_then(|value| value.get(part));
                }
                match value {
                    None | Some(Value::Null) => {
                        out.push(0);
                        false
                    }
                    Some(value) => {
                        let mut bytes = Vec::new();
                        json::write_canonical(value, &mut bytes);
                        out.push(2);
                        out.extend_from_slice(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
                        out.extend_from_slice(&bytes);
                        true
                    }
                }
            }
        }
    }
}

impl Counter {
    #[must_use]
    pub fn id(&self) -> CounterId {
        CounterId::new(&self.identity, self.within)
    }
}

impl Own {
    /// Whether the selector of a meter that the bundle's index found takes the call in; `when` comes on top. Names of
    /// types and targets and the source have been compared there, and only patterns are left.
    #[must_use]
    pub(crate) fn takes_in_found(&self, call: &Call) -> bool {
        (self.targets.names().is_some() || self.targets.has(&call.target))
            && (call.action.known || self.actions.touches(&call.action))
    }
}
