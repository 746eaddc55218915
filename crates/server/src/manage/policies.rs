//! Publishing and withdrawing policies. Each change compiles all policies of the workspace into a new bundle.

use super::history::{self, Note};
use super::users::ALL_GROUPS;
use super::{apply, publish};
use crate::app::App;
use crate::control::{Change, Control, Policy};
use crate::error::{Error, Kind};
use crate::tasks;
use crate::workspace::Workspace;
use runplane_core::digest::sha256;
use runplane_core::policy::finding::{Finding, Findings};
use runplane_core::policy::{Bundle, LoadError, PolicySummary, Warning, document, lint};
use runplane_core::time::Micros;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Longest document.
pub const MAX_YAML_BYTES: usize = 1 << 20;

/// A change of policies that is in force.
pub struct Published {
    pub bundle: String,
    pub epoch: u64,
    pub warnings: Vec<Warning>,
    /// The number of the version this is.
    pub version: u64,
}

/// What publishing a document would say.
pub struct Checked {
    pub errors: Vec<LoadError>,
    pub warnings: Vec<Warning>,
}

/// What lint says of a document that may or may not publish.
pub struct Linted {
    pub errors: Vec<LoadError>,
    pub warnings: Vec<Warning>,
    pub findings: Vec<lint::Finding>,
}

/// A published policy with what it says of itself.
pub struct Listed {
    pub policy: Arc<Policy>,
    /// Absent only while no bundle is in force.
    pub summary: Option<PolicySummary>,
}

#[must_use]
pub fn list(control: &Control) -> Vec<Listed> {
    control.policies.values().map(|policy| listed(control, policy)).collect()
}

pub fn find(control: &Control, name: &str) -> Result<Listed, Error> {
    control.policies.get(name).map(|policy| listed(control, policy)).ok_or_else(|| Error::plain(Kind::UnknownPolicy))
}

/// The rules of a policy in force that decide or limit something, by id.
pub fn deciding_rules(control: &Control, name: &str) -> Result<Vec<String>, Error> {
    find(control, name)?;
    let rules = control.bundle.as_ref().map(|bundle| bundle.rules()).unwrap_or_default();
    let own = rules.iter().filter(|rule| &*rule.id.policy == name && (rule.decision.is_some() || rule.limit.is_some()));
    Ok(own.map(|rule| rule.id.rule.to_string()).collect())
}

fn listed(control: &Control, policy: &Arc<Policy>) -> Listed {
    let summaries = control.bundle.as_ref().map(|bundle| bundle.policies()).unwrap_or_default();
    let summary = summaries.iter().find(|summary| summary.name == policy.name).cloned();
    Listed { policy: Arc::clone(policy), summary }
}

/// Publishes a document under the name it gives itself, which must be the one it is put under.
pub async fn put(
    app: &App,
    workspace: &Arc<Workspace>,
    name: String,
    yaml: String,
    note: Note,
) -> Result<Published, Error> {
    check_size(&yaml)?;
    history::check(note.message.as_deref())?;
    let (now, store, id) = (app.clock.now(), Arc::clone(&workspace.store), workspace.id.clone());
    let change = move |control: &Control| {
        let digest = sha256(&[yaml.as_bytes()]).to_string();
        let detail = json!({ "policy": name, "text": digest });
        let mut change = Change::of(control, &note.by, "policy_put", detail);
        let policy = Policy { name: name.clone(), yaml: yaml.clone(), updated_at: now };
        let before = history::Before { store: &*store, workspace: &id, control };
        let version = history::add(&mut change, &before, &name, Some(&policy), &note, now)?;
        change.put_policy(policy)?;
        let compiled = publish::recompile(&mut change);
        refuse_other_name(&name, &yaml, change.next.bundle.as_deref().filter(|_| compiled.is_ok()))?;
        Ok((change, (compiled?, version)))
    };
    let ((warnings, version), _, control) = apply(workspace, change).await?;
    Ok(Published { bundle: control.bundle_digest(), epoch: control.epoch, warnings, version })
}

pub async fn delete(app: &App, workspace: &Arc<Workspace>, name: String, note: Note) -> Result<Published, Error> {
    history::check(note.message.as_deref())?;
    let (now, store, id) = (app.clock.now(), Arc::clone(&workspace.store), workspace.id.clone());
    let change = move |control: &Control| {
        find(control, &name)?;
        let mut change = Change::of(control, &note.by, "policy_deleted", json!({ "policy": name }));
        let before = history::Before { store: &*store, workspace: &id, control };
        let version = history::add(&mut change, &before, &name, None, &note, now)?;
        change.delete_policy(&name);
        let warnings = publish::recompile(&mut change)?;
        Ok((change, (warnings, version)))
    };
    let ((warnings, version), _, control) = apply(workspace, change).await?;
    Ok(Published { bundle: control.bundle_digest(), epoch: control.epoch, warnings, version })
}

/// The text that a version put in force.
pub async fn text_of(workspace: &Arc<Workspace>, name: String, version: u64) -> Result<String, Error> {
    let (_, text, _) = history::find(workspace, name.clone(), version).await?;
    let withdrawn = || Error::new(Kind::InvalidRequest, format!("version {version} of `{name}` withdrew it"));
    text.ok_or_else(withdrawn)
}

/// Compiles the document together with the other policies of the workspace, and changes nothing.
pub async fn check(app: &App, workspace: &Arc<Workspace>, yaml: String) -> Result<Checked, Error> {
    check_size(&yaml)?;
    let (control, now) = (workspace.control(), app.clock.now());
    tasks::blocking(move || {
        let (drafted, _) = drafted(&control, Some(yaml), now);
        Ok(match publish::compile(&drafted) {
            Ok((_, warnings)) => Checked { errors: Vec::new(), warnings },
            Err(errors) => Checked { errors, warnings: Vec::new() },
        })
    })
    .await
}

/// Looks for mistakes in the document together with the other policies of the workspace, or in all of them; changes
/// nothing.
pub async fn lint(workspace: &Arc<Workspace>, yaml: Option<String>, now: Micros) -> Result<Linted, Error> {
    yaml.as_deref().map_or(Ok(()), check_size)?;
    let control = workspace.control();
    tasks::blocking(move || {
        let (drafted, only) = drafted(&control, yaml, now);
        let options = lint::Options { groups: groups(&control), settings_known: true };
        let mut linted = match lint::lint(&publish::inputs(&drafted), &options) {
            Ok(report) => Linted { errors: Vec::new(), warnings: report.warnings, findings: report.findings },
            Err(errors) => Linted { errors, warnings: Vec::new(), findings: Vec::new() },
        };
        if let Some(file) = only {
            linted.findings.retain(|finding| finding.file == file);
        }
        Ok(linted)
    })
    .await
}

/// How many people are in each group; unknown until there are accounts, and where one is in every group.
fn groups(control: &Control) -> Option<BTreeMap<String, u32>> {
    let mut groups = BTreeMap::new();
    let people = control.users.values().filter(|user| user.is_active());
    if people.clone().any(|user| user.groups.iter().any(|group| group == ALL_GROUPS)) {
        return None;
    }
    for group in people.clone().flat_map(|user| &user.groups) {
        *groups.entry(group.clone()).or_default() += 1;
    }
    people.count().gt(&0).then_some(groups)
}

/// The control with a draft in place of the published policy of its name, and what findings call the draft.
pub(super) fn drafted(control: &Control, yaml: Option<String>, now: Micros) -> (Control, Option<String>) {
    let mut drafted = control.clone();
    let Some(yaml) = yaml else { return (drafted, None) };
    let name = name_of(&yaml).unwrap_or_else(|| "policy".to_owned());
    let file = publish::file_name(&name);
    drafted.policies.insert(name.clone(), Arc::new(Policy { name, yaml, updated_at: now }));
    (drafted, Some(file))
}

/// The name a document gives itself, if it can be read that far.
fn name_of(yaml: &str) -> Option<String> {
    document::read(yaml, &mut Findings::new("")).map(|document| document.name.value)
}

/// Said before anything else: under another name it could be in the way of a policy that is published already. A
/// document that compiled is not read again for its name.
fn refuse_other_name(name: &str, yaml: &str, compiled: Option<&Bundle>) -> Result<(), Error> {
    let file = publish::file_name(name);
    let own = match compiled {
        Some(bundle) => bundle.policies().iter().find(|policy| policy.file == file).map(|policy| policy.name.clone()),
        None => name_of(yaml),
    };
    let Some(own) = own.filter(|own| own != name) else { return Ok(()) };
    let message = format!("the document is policy `{own}`, not `{name}`");
    Err(publish::refused(&[Finding { file, line: 1, column: 1, message, help: None }]))
}

fn check_size(yaml: &str) -> Result<(), Error> {
    if yaml.len() > MAX_YAML_BYTES {
        return Err(Error::new(Kind::PayloadTooLarge, format!("a policy may have at most {MAX_YAML_BYTES} bytes")));
    }
    Ok(())
}
