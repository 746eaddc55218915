//! The versions of a policy: who put which text in force when, and why. Rolling back is publishing an old text again.
//!
//! Each version is a document of its own, written in the same commit as the change it belongs to; texts are kept once,
//! by their digest. A policy that was in force before versions were kept has one from the moment it is changed.
//! Refuses to change a version: a rollback adds one.

use crate::control::{Change, Control, Policy};
use crate::error::{Error, Kind};
use crate::tasks;
use crate::workspace::Workspace;
use runplane_core::digest::sha256;
use runplane_core::time::Micros;
use runplane_store::{Change as DocumentChange, Store};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Longest remark on a change.
pub const MAX_MESSAGE: usize = 500;

/// Documents that hold the texts of policies, by digest.
const TEXT: &str = "policy_text";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Did {
    Published,
    RolledBack,
    Withdrawn,
}

impl Did {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::RolledBack => "rolled_back",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// What happened to a policy once.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// From 1.
    pub version: u64,
    pub change: Did,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    pub by: String,
    pub at: Micros,
    pub epoch: u64,
    /// SHA-256 of the text, lower-case hex; absent if it was withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back_to: Option<u64>,
}

/// Who makes a change, and why.
#[derive(Clone, Debug)]
pub struct Note {
    pub by: String,
    pub message: Option<String>,
    pub rolled_back_to: Option<u64>,
}

/// What a change is made from.
pub struct Before<'a> {
    pub store: &'a dyn Store,
    pub workspace: &'a str,
    pub control: &'a Control,
}

/// All versions, newest first. A policy that nobody ever published is unknown.
pub async fn list(workspace: &Arc<Workspace>, name: String) -> Result<Vec<Version>, Error> {
    let workspace = Arc::clone(workspace);
    tasks::blocking(move || {
        let mut versions = load(&*workspace.store, &workspace.id, &workspace.control(), &name)?;
        versions.reverse();
        if versions.is_empty() { Err(Error::plain(Kind::UnknownPolicy)) } else { Ok(versions) }
    })
    .await
}

/// One version and its text, if it has one.
pub async fn find(
    workspace: &Arc<Workspace>,
    name: String,
    number: u64,
) -> Result<(Version, Option<String>, bool), Error> {
    let workspace = Arc::clone(workspace);
    tasks::blocking(move || {
        let control = workspace.control();
        let versions = load(&*workspace.store, &workspace.id, &control, &name)?;
        let last = versions.last().map(|version| version.version);
        let version = versions
            .into_iter()
            .find(|version| version.version == number)
            .ok_or_else(|| Error::new(Kind::UnknownPolicy, format!("policy `{name}` has no version {number}")))?;
        let text = match &version.text {
            Some(digest) => Some(text(&*workspace.store, &workspace.id, &control, &name, digest)?),
            None => None,
        };
        let current = last == Some(number);
        Ok((version, text, current))
    })
    .await
}

/// Refuses a remark that is too long to be one.
pub fn check(message: Option<&str>) -> Result<(), Error> {
    let long = message.is_some_and(|message| message.chars().count() > MAX_MESSAGE);
    if long {
        return Err(Error::new(Kind::InvalidRequest, format!("`message` has at most {MAX_MESSAGE} characters")));
    }
    Ok(())
}

/// Adds the version that the change makes, and notes it in the ledger. `policy` is absent if it is withdrawn.
pub fn add(
    change: &mut Change,
    before: &Before<'_>,
    name: &str,
    policy: Option<&Policy>,
    note: &Note,
    now: Micros,
) -> Result<u64, Error> {
    let versions = load(before.store, before.workspace, before.control, name)?;
    if let [only] = versions.as_slice()
        && let Some(policy) = before.control.policies.get(name)
    {
        // It may be one that was only inferred: from now on it is kept like the others.
        put(change, name, only, Some(&policy.yaml))?;
    }
    let version = Version {
        version: versions.last().map_or(0, |version| version.version) + 1,
        change: match (policy, note.rolled_back_to) {
            (None, _) => Did::Withdrawn,
            (Some(_), Some(_)) => Did::RolledBack,
            (Some(_), None) => Did::Published,
        },
        message: note.message.clone(),
        by: change.body.by.clone(),
        at: now,
        epoch: change.next.epoch,
        text: policy.map(|policy| digest(&policy.yaml)),
        rolled_back_to: note.rolled_back_to,
    };
    put(change, name, &version, policy.map(|policy| policy.yaml.as_str()))?;
    change.note("version", version.version);
    if let Some(message) = &note.message {
        change.note("message", message.as_str());
    }
    if let Some(to) = note.rolled_back_to {
        change.note("rolledBackTo", to);
    }
    Ok(version.version)
}

fn put(change: &mut Change, name: &str, version: &Version, yaml: Option<&str>) -> Result<(), Error> {
    change.put(&kind(name), &format!("{:012}", version.version), version)?;
    if let (Some(yaml), Some(digest)) = (yaml, &version.text) {
        let (kind, key, bytes) = (TEXT.to_owned(), digest.clone(), yaml.as_bytes().to_vec().into());
        change.documents.push(DocumentChange::Put { kind, key, bytes });
    }
    Ok(())
}

fn kind(policy: &str) -> String {
    format!("policy_version/{policy}")
}

fn digest(yaml: &str) -> String {
    sha256(&[yaml.as_bytes()]).to_string()
}

/// The versions that are kept, oldest first; the one in force, if it is older than all versions.
fn load(store: &dyn Store, workspace: &str, control: &Control, name: &str) -> Result<Vec<Version>, Error> {
    let mut versions = Vec::new();
    for document in store.load_documents(workspace, &[&kind(name)])? {
        let version: Version = serde_json::from_slice(&document.bytes).map_err(|failure| {
            Error::internal(format!("version `{}` of policy `{name}` could not be read", document.key)).because(failure)
        })?;
        versions.push(version);
    }
    versions.sort_by_key(|version| version.version);
    if versions.is_empty()
        && let Some(policy) = control.policies.get(name)
    {
        versions.push(Version {
            version: 1,
            change: Did::Published,
            message: None,
            by: super::ADMIN.to_owned(),
            at: policy.updated_at,
            epoch: 0,
            text: Some(digest(&policy.yaml)),
            rolled_back_to: None,
        });
    }
    Ok(versions)
}

fn text(store: &dyn Store, workspace: &str, control: &Control, name: &str, wanted: &str) -> Result<String, Error> {
    let missing = || Error::internal(format!("a text of policy `{name}` is missing"));
    let yaml = match store.load_document(workspace, TEXT, wanted)? {
        Some(bytes) => String::from_utf8(bytes).map_err(|_| missing())?,
        None => control.policies.get(name).map(|policy| policy.yaml.clone()).ok_or_else(missing)?,
    };
    // What is kept by a digest is what the digest says, or nothing.
    if digest(&yaml) == wanted { Ok(yaml) } else { Err(missing()) }
}
