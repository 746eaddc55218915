//! Agents and the keys they hold. Everything here is established: a caller cannot change it by what it sends.

use crate::secret::Fingerprint;
use runplane_core::time::Micros;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgentStatus {
    #[default]
    Active,
    /// Every call of the agent is answered BLOCK.
    Suspended,
}

/// A registered agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Agent {
    pub id: String,
    pub name: String,
    pub environment: String,
    #[serde(default)]
    pub labels: Vec<String>,
    /// The person answerable for the agent; may not approve what it asks for.
    #[serde(default)]
    pub owner: Option<String>,
    /// The platform all its tools come from, where that is known.
    #[serde(default)]
    pub source: Option<String>,
    /// Whether the host program's word on the subject is trusted.
    #[serde(default)]
    pub asserts_subject: bool,
    #[serde(default)]
    pub status: AgentStatus,
    pub created_at: Micros,
}

/// One API key of an agent; the secret itself is never kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Key {
    pub id: String,
    pub agent: String,
    /// SHA-256 of the secret, lower-case hex.
    #[serde(with = "fingerprint_hex")]
    pub fingerprint: Fingerprint,
    pub created_at: Micros,
    #[serde(default)]
    pub expires_at: Option<Micros>,
    #[serde(default)]
    pub revoked_at: Option<Micros>,
}

impl Key {
    #[must_use]
    pub fn is_active(&self, now: Micros) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| now < at)
    }
}

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fingerprint(…)")
    }
}

mod fingerprint_hex {
    use super::Fingerprint;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(value: &Fingerprint, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(value.0))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Fingerprint, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0u8; 32];
        hex::decode_to_slice(&text, &mut bytes).map_err(D::Error::custom)?;
        Ok(Fingerprint(bytes))
    }
}
