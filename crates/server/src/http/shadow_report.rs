//! What would have been decided otherwise, by rule.

use super::caller::Admin;
use super::moment::Moment;
use super::problems::Reading;
use super::query::Query;
use crate::error::Error;
use crate::shadow_report::{Range, ShadowReport};
use crate::tasks;
use axum::Json;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ShadowQuery {
    /// Decisions from this moment on (RFC 3339); the whole ledger if absent.
    #[param(value_type = Option<String>)]
    from: Option<Moment>,
    /// Decisions before this moment (RFC 3339).
    #[param(value_type = Option<String>)]
    to: Option<Moment>,
    /// The `next` of the page before.
    after: Option<u64>,
}

/// What would have been different.
///
/// By rules of policies in shadow mode, each as if it alone were enforced, and by rules that decided while the workspace
/// observed. One page reads up to 10,000 entries; add up pages until there is no `next`.
#[utoipa::path(get, path = "/api/v1/shadow-report", operation_id = "getShadowReport", tag = "policies",
    params(ShadowQuery),
    responses((status = 200, description = "Counts and examples by rule", body = ShadowReport), Reading),
    security(("adminToken" = [])))]
pub async fn get_shadow_report(admin: Admin, Query(query): Query<ShadowQuery>) -> Result<Json<ShadowReport>, Error> {
    let workspace = Arc::clone(&admin.workspace);
    let (from, to) = (query.from.map(|from| from.0), query.to.map(|to| to.0));
    let range = Range { after: query.after, from, to };
    tasks::blocking(move || ShadowReport::read(&*workspace.store, &workspace, range)).await.map(Json)
}
