//! Keys and tokens: made once, shown once, kept only as a hash.
//!
//! They carry 256 random bits, so a plain SHA-256 is enough to store (no slow hash is needed against
//! guessing), and a visible prefix, so that a leaked one can be recognised by scanners.

use crate::error::Error;
use crate::random;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

pub const AGENT_KEY_PREFIX: &str = "rpk_";
pub const ADMIN_TOKEN_PREFIX: &str = "rpa_";
/// Length of 32 bytes in unpadded base64.
const BODY_LENGTH: usize = 43;

/// SHA-256 of a presented secret: what is stored and compared.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    #[must_use]
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }

    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// A new secret with the given prefix. The caller shows it once and stores its [`Fingerprint`].
pub fn generate(prefix: &str) -> Result<String, Error> {
    Ok(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random::bytes::<32>()?)))
}

/// Whether a text has the form of a secret with this prefix; says nothing about whether it is known.
#[must_use]
pub fn well_formed(secret: &str, prefix: &str) -> bool {
    secret.strip_prefix(prefix).is_some_and(|body| {
        body.len() == BODY_LENGTH && body.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    })
}
