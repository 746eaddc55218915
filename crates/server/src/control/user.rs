//! An account: what is on record of a person. What they sign in with is kept elsewhere.

use crate::people::Role;
use runplane_core::time::Micros;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    pub id: String,
    /// Lower case, unique in the workspace for ever.
    pub username: String,
    pub display_name: String,
    pub role: Role,
    /// Which approvals ask this person.
    #[serde(default)]
    pub groups: Vec<String>,
    pub created_at: Micros,
    #[serde(default)]
    pub disabled_at: Option<Micros>,
}

impl User {
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.disabled_at.is_none()
    }
}
