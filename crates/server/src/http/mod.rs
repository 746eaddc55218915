//! The HTTP door: routes, and what holds for all of them.
//!
//! WIRE: every answer is JSON, also from the router's own refusals and from panics.

mod approvals;
pub mod body;
pub mod caller;
mod executions;
mod guard;
mod hosts;
mod problem;
mod query;

use crate::app::App;
use crate::error::{Error, Kind};
use axum::Router;
use axum::middleware::{from_fn_with_state, map_response};
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

#[derive(OpenApi)]
#[openapi(info(
    title = "Runplane",
    description = "A governed execution control plane for AI agents: every action is decided by policy and risk, \
                   recorded before anybody hears the answer, and held for a person where policy says so."
))]
struct Description;

/// All documented routes, with their description.
pub fn documented() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(guard::post_guard))
        .routes(routes!(guard::post_decide))
        .routes(routes!(approvals::list_approvals))
        .routes(routes!(approvals::get_approval))
        .routes(routes!(approvals::post_approve))
        .routes(routes!(approvals::post_deny))
        .routes(routes!(approvals::post_redeem))
        .routes(routes!(executions::post_execution))
}

pub fn router(app: Arc<App>) -> Router {
    let (routes, _description) = documented().split_for_parts();
    routes
        .fallback(async || Error::plain(Kind::NotFound))
        .method_not_allowed_fallback(async || Error::plain(Kind::MethodNotAllowed))
        .layer(from_fn_with_state(Arc::clone(&app), hosts::check))
        .layer(map_response(problem::ensure_json))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .with_state(app)
}
