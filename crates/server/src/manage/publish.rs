//! Policies and settings → the bundle in force.
//!
//! A bad publish never replaces a good bundle: nothing of the change is applied unless all policies of the
//! workspace compile together under its settings.

use crate::control::{Change, Control};
use crate::error::{Error, Kind};
use crate::tasks;
use runplane_core::catalogue::Catalogue;
use runplane_core::policy::{Bundle, BundleInputs, LoadError, Warning};
use serde_json::json;

/// Compiles the policies and settings of `control`.
pub fn compile(control: &Control) -> Result<(Bundle, Vec<Warning>), Vec<LoadError>> {
    Bundle::publish(&inputs(control))
}

/// What the bundle of `control` is made of.
pub fn inputs(control: &Control) -> BundleInputs {
    BundleInputs {
        catalogue: Catalogue::builtin(),
        settings: control.settings.as_ref().clone(),
        weights: control.settings.risk.clone(),
        policies: control.policies.values().map(|policy| (file_name(&policy.name), policy.yaml.clone())).collect(),
    }
}

/// Puts the bundle of what `change` leads to in force, as part of that change.
pub fn recompile(change: &mut Change) -> Result<Vec<Warning>, Error> {
    // Calls are decided meanwhile, and come first.
    let compiled = tasks::patiently(|| compile(&change.next));
    let compiled = compiled.ok_or_else(|| Error::internal("the policies could not be compiled"))?;
    let (bundle, warnings) = compiled.map_err(|errors| refused(&errors))?;
    change.put_bundle(bundle)?;
    Ok(warnings)
}

/// What findings call the document of a policy.
#[must_use]
pub fn file_name(policy: &str) -> String {
    format!("{policy}.yaml")
}

/// The error that carries everything wrong with a publish.
#[must_use]
pub fn refused(errors: &[LoadError]) -> Error {
    let first = errors.first().map_or_else(|| "it could not be compiled".to_owned(), ToString::to_string);
    let list: Vec<_> = errors.iter().map(|error| json!(error)).collect();
    Error::new(Kind::InvalidPolicy, first).with("errors", list)
}
