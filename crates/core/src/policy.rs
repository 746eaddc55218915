//! Policies: documents, conditions and the compiled bundle.

mod id;

pub use id::{BUILT_IN, RuleId};
