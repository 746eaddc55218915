//! Ed25519 keys of signed notes (C2SP signed-note): a name, an algorithm byte, 32 bytes.
//!
//! A key's name is the origin of the ledger it signs, so one secret seed serves many workspaces and
//! a signature of one can never stand for another. Refuses to make seeds: there is no randomness
//! here. Must stay true: the seed is in no `Debug`, `Display` or error text.

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, ParsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

const ALGORITHM_ED25519: u8 = 0x01;
const MAX_NAME_BYTES: usize = 255;

pub(crate) const SIGNATURE_BYTES: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error(
        "`{0}` cannot name a key: a name is 1 to {MAX_NAME_BYTES} bytes without white space, control characters and `+`"
    )]
    Name(String),
    #[error("a verifier key has the form `name+id+key`")]
    Form,
    #[error("the key id is not the one of this name and key")]
    Id,
    #[error("the key is not an Ed25519 key")]
    Algorithm,
    #[error("the key bytes are not a valid Ed25519 key")]
    Bytes,
}

/// The first four bytes of SHA-256(name || 0x0A || algorithm || public key).
pub type KeyId = [u8; 4];

fn key_id(name: &str, public: &[u8; 32]) -> KeyId {
    let mut hasher = Sha256::new();
    hasher.update(name.as_bytes());
    hasher.update([b'\n', ALGORITHM_ED25519]);
    hasher.update(public);
    let digest: [u8; 32] = hasher.finalize().into();
    let [a, b, c, d, ..] = digest;
    [a, b, c, d]
}

fn check_name(name: &str) -> Result<(), KeyError> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    if name.is_empty() || name.len() > MAX_NAME_BYTES || name.contains(bad) {
        return Err(KeyError::Name(name.to_owned()));
    }
    Ok(())
}

/// The public half: checks signatures, and is what an auditor pins.
#[derive(Clone)]
pub struct VerifyingKey {
    name: String,
    id: KeyId,
    public: [u8; 32],
    parsed: ParsedPublicKey,
}

impl VerifyingKey {
    pub fn new(name: &str, public: [u8; 32]) -> Result<Self, KeyError> {
        check_name(name)?;
        let parsed = ParsedPublicKey::new(&ED25519, public).map_err(|_| KeyError::Bytes)?;
        Ok(Self { name: name.to_owned(), id: key_id(name, &public), public, parsed })
    }

    /// Reads the text form `name+id+key`, as `Display` writes it.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        // The key is base64 and may contain a plus itself; the name and the id cannot.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError::Form);
        };
        let bytes = STANDARD.decode(key).map_err(|_| KeyError::Form)?;
        let public = match bytes.split_first() {
            Some((&ALGORITHM_ED25519, public)) => <[u8; 32]>::try_from(public).map_err(|_| KeyError::Bytes)?,
            _ => return Err(KeyError::Algorithm),
        };
        let key = Self::new(name, public)?;
        if hex::encode(key.id) != id {
            return Err(KeyError::Id);
        }
        Ok(key)
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    #[must_use]
    pub const fn public_bytes(&self) -> &[u8; 32] {
        &self.public
    }

    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
        self.parsed.verify_sig(message, signature).is_ok()
    }
}

/// The text form `name+id+key` that is published and pinned.
impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&[ALGORITHM_ED25519], self.public.as_slice()].concat();
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id), STANDARD.encode(bytes))
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({self})")
    }
}

impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.public == other.public
    }
}

impl Eq for VerifyingKey {}

/// The secret half. Signing is deterministic (RFC 8032): the same text always gets the same note.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: VerifyingKey,
}

impl SigningKey {
    /// The key of the ledger `name` (its origin) made from a secret seed of 32 random bytes.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyError::Bytes)?;
        let public = <[u8; 32]>::try_from(pair.public_key().as_ref()).map_err(|_| KeyError::Bytes)?;
        Ok(Self { public: VerifyingKey::new(name, public)?, pair })
    }

    #[must_use]
    pub const fn verifying(&self) -> &VerifyingKey {
        &self.public
    }

    /// 64 bytes of Ed25519 signature over exactly these bytes.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, secret)", self.public)
    }
}

#[cfg(test)]
mod tests;
