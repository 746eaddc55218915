//! Policies: documents, conditions and the compiled bundle.

pub mod bundle;
mod compile;
pub mod condition;
pub mod counter;
pub mod document;
pub mod explain;
pub mod finding;
mod glob;
mod id;
pub mod lint;
mod members;
pub(crate) mod program;
pub mod rule;
pub mod schema;
pub mod selector;
pub(crate) mod shape;
mod source;
mod yaml;

pub use bundle::{Bundle, BundleError, BundleInputs, PolicySummary};
pub use document::Retention;
pub use finding::{Finding, LoadError, Warning};
pub use id::{BUILT_IN, RuleId};
