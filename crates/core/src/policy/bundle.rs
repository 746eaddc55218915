//! The bundle: catalogue, settings, weights and policies, compiled together, immutable, named by digest.
//!
//! What must stay true: equal inputs give equal bytes and an equal digest, whatever the order of files;
//! a bundle that exists was published without an error.

use super::compile::compile;
use super::counter::Counter;
use super::document::{self, Mode};
use super::finding::{Findings, LoadError, Place, Warning};
use super::program::Program;
use super::rule::Rule;
use super::shape::Shapes;
use crate::catalogue::Catalogue;
use crate::digest::{Digest, sha256};
use crate::meter::CounterId;
use crate::risk::Weights;
use crate::settings::Settings;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a bundle is made of.
#[derive(Clone, Debug)]
pub struct BundleInputs {
    pub catalogue: Arc<Catalogue>,
    pub settings: Settings,
    pub weights: Weights,
    /// File name and YAML text. The name is what findings carry.
    pub policies: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
pub struct Bundle {
    digest: Digest,
    canonical: Vec<u8>,
    catalogue: Arc<Catalogue>,
    settings: Settings,
    weights: Weights,
    policies: Vec<PolicySummary>,
    /// Ordered by id.
    rules: Vec<Rule>,
    counters: Vec<Counter>,
    counter_names: Vec<Arc<str>>,
    shapes: Shapes,
    program: Program,
}

/// A policy of a bundle, for lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicySummary {
    pub name: String,
    pub description: String,
    pub mode: Mode,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    pub rules: usize,
    /// The file it came from.
    pub file: String,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    #[error("the stored bundle cannot be read: {0}")]
    Unreadable(String),
    #[error("the stored bundle no longer publishes: {0}")]
    Unpublishable(LoadError),
    #[error("the stored bundle is not the one its digest names")]
    Different,
}

const TAG: &[u8] = b"runplane-bundle-v1\n";

/// The stored form. Members are in the order of their names, policies in the order of their files.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Stored {
    catalogue: String,
    policies: BTreeMap<String, String>,
    settings: Settings,
    v: u32,
    weights: Weights,
}

impl Bundle {
    /// Compiles everything, or reports everything that is wrong, in the order of files and places.
    pub fn publish(inputs: &BundleInputs) -> Result<(Self, Vec<Warning>), Vec<LoadError>> {
        let mut documents = Vec::new();
        let (mut errors, mut warnings) = (Vec::new(), Vec::new());
        let mut files: Vec<&(String, String)> = inputs.policies.iter().collect();
        files.sort();
        let mut names: BTreeMap<String, &str> = BTreeMap::new();
        let mut policies = Vec::new();
        for (position, (file, text)) in files.iter().enumerate() {
            let mut findings = Findings::new(file);
            if files.get(position + 1).is_some_and(|(next, _)| next == file) {
                findings.error(Place { line: 1, column: 1 }, format!("there are two files named `{file}`"), None);
            }
            let Some(document) = document::read(text, &mut findings) else {
                errors.append(&mut findings.errors);
                continue;
            };
            if let Some(first) = names.insert(document.name.value.clone(), file) {
                let message = format!("policy `{}` already is in `{first}`", document.name.value);
                findings.error(document.name.place, message, None);
            }
            policies.push(PolicySummary {
                name: document.name.value.clone(),
                description: document.description.clone(),
                mode: document.mode,
                source: document.source.clone(),
                rules: document.rules.len(),
                file: file.clone(),
            });
            documents.push((document, findings));
        }
        let compiled = compile(&mut documents, &inputs.catalogue);
        for (_, findings) in &mut documents {
            errors.append(&mut findings.errors);
            warnings.append(&mut findings.warnings);
        }
        if !errors.is_empty() {
            errors.sort();
            errors.dedup();
            return Err(errors);
        }
        policies.sort_by(|left, right| left.name.cmp(&right.name));
        warnings.sort();
        let canonical = canonical(inputs);
        Ok((Self::assemble(inputs, canonical, policies, compiled.rules, compiled.counters), warnings))
    }

    fn assemble(
        inputs: &BundleInputs,
        canonical: Vec<u8>,
        policies: Vec<PolicySummary>,
        rules: Vec<Rule>,
        counters: Vec<Counter>,
    ) -> Self {
        Self {
            digest: sha256(&[TAG, &canonical]),
            canonical,
            catalogue: Arc::clone(&inputs.catalogue),
            settings: inputs.settings.clone(),
            weights: inputs.weights.clone(),
            policies,
            program: Program::of(&rules, &counters),
            shapes: Shapes::of(&counters),
            counter_names: counters.iter().map(|counter| counter.name.clone()).collect(),
            rules,
            counters,
        }
    }

    /// Publishes a stored bundle again. Refuses bytes that do not come back the same.
    pub fn from_canonical(bytes: &[u8]) -> Result<Self, BundleError> {
        let stored: Stored =
            serde_json::from_slice(bytes).map_err(|error| BundleError::Unreadable(error.to_string()))?;
        let catalogue =
            Catalogue::from_json(&stored.catalogue).map_err(|error| BundleError::Unreadable(error.to_string()))?;
        let inputs = BundleInputs {
            catalogue: Arc::new(catalogue),
            settings: stored.settings,
            weights: stored.weights,
            policies: stored.policies.into_iter().collect(),
        };
        let (bundle, _) = Self::publish(&inputs).map_err(|errors| {
            let first = errors.into_iter().next();
            first.map_or_else(|| BundleError::Unreadable("no reason".to_owned()), BundleError::Unpublishable)
        })?;
        if bundle.canonical == bytes { Ok(bundle) } else { Err(BundleError::Different) }
    }

    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The bytes to keep for recomputing: `from_canonical` makes the same bundle of them.
    #[must_use]
    pub fn canonical(&self) -> &[u8] {
        &self.canonical
    }

    #[must_use]
    pub fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }

    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    #[must_use]
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// Ordered by name.
    #[must_use]
    pub fn policies(&self) -> &[PolicySummary] {
        &self.policies
    }

    /// Ordered by id.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    #[must_use]
    pub fn counters(&self) -> &[Counter] {
        &self.counters
    }

    /// Counters that this bundle has and the other one has not, those of doubts included; ascending.
    #[must_use]
    pub fn counters_beyond(&self, other: Option<&Self>) -> Vec<CounterId> {
        let ids = |bundle: &Self| -> BTreeSet<CounterId> {
            bundle.counters.iter().map(Counter::id).flat_map(|id| [id, id.of_doubts()]).collect()
        };
        let known = other.map(ids).unwrap_or_default();
        ids(self).difference(&known).copied().collect()
    }

    pub(crate) fn counter_names(&self) -> &[Arc<str>] {
        &self.counter_names
    }

    pub(crate) fn shapes(&self) -> &Shapes {
        &self.shapes
    }

    pub(crate) fn program(&self) -> &Program {
        &self.program
    }
}

fn canonical(inputs: &BundleInputs) -> Vec<u8> {
    let stored = Stored {
        catalogue: inputs.catalogue.to_json(),
        policies: inputs.policies.iter().cloned().collect(),
        settings: inputs.settings.clone(),
        v: 1,
        weights: inputs.weights.clone(),
    };
    // Maps with text keys and plain members always serialise.
    serde_json::to_vec(&stored).unwrap_or_default()
}

#[cfg(test)]
mod tests;
