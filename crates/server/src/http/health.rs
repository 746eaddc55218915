//! Whether the server lives, and whether it can decide.

use super::problems::problems;
use crate::app::App;
use crate::error::{Error, Kind};
use crate::tasks;
use axum::Json;
use axum::extract::State;
use parking_lot::Mutex;
use runplane_core::time::{Micros, Span};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// How long a probe of the store is believed: this door is open to everybody, and a probe costs a disk write.
const BELIEVED: Span = Span(1_000_000);

problems! {
    /// A probe that failed.
    NotReady: StoreUnavailable, AuditUnavailable
}

#[derive(Serialize, ToSchema)]
pub struct Health {
    /// `ok`.
    status: &'static str,
}

/// The last probe of the store: when, and whether it went well.
#[derive(Default)]
pub struct Probe(Mutex<Option<(Micros, bool)>>);

/// Whether the process lives.
#[utoipa::path(get, path = "/healthz", operation_id = "getHealth", tag = "health",
    responses((status = 200, description = "It does", body = Health)))]
pub async fn get_healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Whether decisions can be made and recorded.
#[utoipa::path(get, path = "/readyz", operation_id = "getReadiness", tag = "health",
    responses((status = 200, description = "They can", body = Health), NotReady))]
pub async fn get_readyz(State(app): State<Arc<App>>) -> Result<Json<Health>, Error> {
    if app.tasks.is_stopping() {
        return Err(Error::new(Kind::AuditUnavailable, "the server is stopping"));
    }
    let now = app.clock.read().elapsed;
    let known = *app.probe.0.lock();
    let good = match known {
        Some((at, good)) if now.since(at) < BELIEVED => good,
        _ => {
            let store = Arc::clone(&app.store);
            let good = tasks::blocking(move || Ok(store.health()?)).await.is_ok();
            *app.probe.0.lock() = Some((now, good));
            good
        }
    };
    if good { Ok(Json(Health { status: "ok" })) } else { Err(Error::plain(Kind::StoreUnavailable)) }
}
