//! The public key that permits are signed with, as a JSON Web Key Set (RFC 7517, RFC 8037).

use crate::app::App;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub struct JsonWebKey {
    /// `OKP`.
    kty: &'static str,
    /// `Ed25519`.
    crv: &'static str,
    /// As in the header of every permit.
    kid: String,
    r#use: &'static str,
    alg: &'static str,
    x: String,
}

#[derive(Serialize, ToSchema)]
pub struct JsonWebKeySet {
    keys: Vec<JsonWebKey>,
}

/// The keys that permits are verified with.
#[utoipa::path(get, path = "/.well-known/jwks.json", operation_id = "getPermitKeys", tag = "health",
    responses((status = 200, description = "One key", body = JsonWebKeySet)))]
pub async fn get_jwks(State(app): State<Arc<App>>) -> Json<JsonWebKeySet> {
    let (kid, x) = app.permits.public();
    Json(JsonWebKeySet { keys: vec![JsonWebKey { kty: "OKP", crv: "Ed25519", kid, r#use: "sig", alg: "EdDSA", x }] })
}
