//! Permits: short-lived signed proofs that one exact action may run, as JWS (RFC 7515) with Ed25519.
//!
//! A permit is a function of the recorded redemption, so asking for it again gives the same one.

use crate::error::Error;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use runplane_core::time::{Micros, Span};
use serde::{Deserialize, Serialize};

/// How long a permit may be used, and how long it can be fetched again.
pub const LIFE: Span = Span::seconds(120);

/// PKCS#8 wrapping of a raw Ed25519 seed (RFC 8410 §7).
const PKCS8_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// What a permit says. Times are seconds since 1970, as JWT has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    /// The agent.
    pub sub: String,
    /// The redemption's ledger entry: `workspace/index`.
    pub jti: String,
    pub workspace: String,
    pub approval: String,
    /// Digest of the exact action.
    pub action: String,
    pub iat: i64,
    pub exp: i64,
}

pub struct PermitKey {
    encoding: EncodingKey,
    kid: String,
    /// The public key, unpadded base64url.
    public: String,
}

/// A signed permit and when it ends.
pub struct Permit {
    pub token: String,
    pub expires_at: Micros,
}

impl PermitKey {
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, Error> {
        let der = [PKCS8_PREFIX.as_slice(), seed.as_slice()].concat();
        let key = runplane_ledger::SigningKey::from_seed("runplane-permit", seed)
            .map_err(|failure| Error::internal("the permit key cannot be used").because(failure))?;
        let public = URL_SAFE_NO_PAD.encode(key.verifying().public_bytes());
        Ok(Self { encoding: EncodingKey::from_ed_der(&der), kid: hex::encode(key.verifying().id()), public })
    }

    /// Its id and its public half.
    #[must_use]
    pub fn public(&self) -> (String, String) {
        (self.kid.clone(), self.public.clone())
    }

    /// Signs the permit of a redemption made at `at`.
    pub fn sign(
        &self,
        workspace: &str,
        agent: &str,
        approval: &str,
        action: &str,
        index: u64,
        at: Micros,
    ) -> Result<Permit, Error> {
        let expires_at = at.after(LIFE);
        let claims = Claims {
            iss: "runplane".to_owned(),
            sub: agent.to_owned(),
            jti: format!("{workspace}/{index}"),
            workspace: workspace.to_owned(),
            approval: approval.to_owned(),
            action: action.to_owned(),
            iat: at.0.div_euclid(1_000_000),
            exp: expires_at.0.div_euclid(1_000_000),
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(self.kid.clone());
        let token = jsonwebtoken::encode(&header, &claims, &self.encoding)
            .map_err(|failure| Error::internal("the permit could not be signed").because(failure))?;
        Ok(Permit { token, expires_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::{DecodingKey, Validation};

    #[test]
    fn a_permit_verifies_and_is_the_same_every_time() {
        let key = PermitKey::from_seed(&[7; 32]).unwrap();
        let at = Micros(4_000_000_000_000_000);
        let permit = key.sign("ws_1", "agt_1", "apr_1", "ab12", 5, at).unwrap();
        assert_eq!(key.sign("ws_1", "agt_1", "apr_1", "ab12", 5, at).unwrap().token, permit.token);
        let public = runplane_ledger::SigningKey::from_seed("x", &[7; 32]).unwrap();
        let decoding = DecodingKey::from_ed_der(public.verifying().public_bytes());
        let token =
            jsonwebtoken::decode::<Claims>(&permit.token, &decoding, &Validation::new(Algorithm::EdDSA)).unwrap();
        assert_eq!(token.claims.approval, "apr_1");
        let (head, rest) = permit.token.split_once('.').unwrap();
        let forged = format!("{head}.{}", rest.replacen('a', "b", 1));
        assert_ne!(forged, permit.token);
        assert!(jsonwebtoken::decode::<Claims>(&forged, &decoding, &Validation::new(Algorithm::EdDSA)).is_err());
    }
}
