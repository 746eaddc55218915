//! The ledger's clock, where somebody has to say that the machine's clock is right.

use super::caller::Admin;
use super::problems::problems;
use crate::error::Error;
use crate::guard::LedgerPosition;
use crate::sequencer::Work;
use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

/// What accepting the clock ended.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClockAccepted {
    /// By how many seconds every window had been widened.
    widened_seconds: i64,
    /// Where it is recorded; absent if there was nothing to accept.
    #[serde(skip_serializing_if = "Option::is_none")]
    ledger: Option<LedgerPosition>,
}

problems! {
    /// What accepting the clock can fail with.
    Accepting: InvalidKey, Forbidden, UnknownWorkspace, AuditUnavailable, Overloaded
}

/// Accept the machine's clock.
///
/// A step of the wall clock forward (a suspended machine, a corrected clock) must not empty windows early, so they are
/// widened by it. Whoever knows that the clock is right ends that here.
#[utoipa::path(post, path = "/api/v1/clock/accept", operation_id = "acceptClock", tag = "ledger",
    responses((status = 200, description = "Windows are as long as they say again", body = ClockAccepted), Accepting),
    security(("adminToken" = [])))]
pub async fn post_accept(admin: Admin) -> Result<Json<ClockAccepted>, Error> {
    let accepted = admin.workspace.submit(Work::AcceptClock).await?;
    Ok(Json(ClockAccepted {
        widened_seconds: accepted.widened.0 / 1_000_000,
        ledger: accepted.position.as_ref().map(LedgerPosition::from),
    }))
}
