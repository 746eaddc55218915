//! The HTTP door: routes, and what holds for all of them.
//!
//! WIRE: every answer is JSON, also from the router's own refusals and from panics.

mod agents;
mod approvals;
pub mod body;
pub mod caller;
mod catalogue;
mod client;
mod clock;
mod containment;
mod dashboard;
mod decisions;
mod door;
mod events;
mod executions;
mod guard;
pub mod health;
mod hosts;
mod inbox;
mod jwks;
mod keys;
mod ledger;
mod limits;
mod metrics;
mod moment;
pub mod openapi;
mod policies;
mod policy_explain;
mod policy_history;
mod policy_hits;
mod policy_tools;
mod problem;
pub mod problems;
mod profile;
mod query;
mod session;
mod settings;
mod shadow_report;
mod statistics;
mod users;
mod workspaces;

pub use decisions::DecisionView;
pub use door::Doors;

use crate::app::App;
use crate::error::{Error, Kind};
use axum::Router;
use axum::middleware::{from_fn_with_state, map_response};
use axum::routing::get;
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// All documented routes, with their description.
pub fn documented() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(openapi::Description::openapi())
        .routes(routes!(guard::post_guard))
        .routes(routes!(guard::post_decide))
        .routes(routes!(approvals::list_approvals))
        .routes(routes!(approvals::get_approval))
        .routes(routes!(approvals::post_approve))
        .routes(routes!(approvals::post_deny))
        .routes(routes!(approvals::post_redeem))
        .routes(routes!(inbox::list_groups))
        .routes(routes!(inbox::post_decide))
        .routes(routes!(inbox::post_cancel))
        .routes(routes!(events::get_events))
        .routes(routes!(statistics::get_statistics))
        .routes(routes!(executions::post_execution))
        .routes(routes!(limits::list_limits))
        .routes(routes!(decisions::list_decisions))
        .routes(routes!(decisions::get_decision))
        .routes(routes!(policies::list_policies))
        .routes(routes!(policies::check_policy))
        .routes(routes!(policy_tools::lint_policy))
        .routes(routes!(policy_tools::get_schema))
        .routes(routes!(policy_explain::explain_call))
        .routes(routes!(shadow_report::get_shadow_report))
        .routes(routes!(policies::get_policy, policies::put_policy, policies::delete_policy))
        .routes(routes!(policy_hits::get_hits))
        .routes(routes!(policy_history::list_versions))
        .routes(routes!(policy_history::get_version))
        .routes(routes!(policy_history::post_rollback))
        .routes(routes!(settings::get_settings, settings::patch_settings))
        .routes(routes!(agents::list_agents, agents::post_agent))
        .routes(routes!(agents::get_agent, agents::patch_agent))
        .routes(routes!(profile::get_profile))
        .routes(routes!(keys::list_keys, keys::post_key))
        .routes(routes!(keys::patch_key))
        .routes(routes!(keys::post_rotate_key))
        .routes(routes!(keys::post_revoke_key))
        .routes(routes!(session::get_session, session::post_session, session::delete_session))
        .routes(routes!(session::delete_others))
        .routes(routes!(session::delete_all))
        .routes(routes!(session::post_password))
        .routes(routes!(session::post_setup))
        .routes(routes!(session::post_setup_check))
        .routes(routes!(users::list_users, users::post_user))
        .routes(routes!(users::get_user, users::patch_user))
        .routes(routes!(users::post_reset))
        .routes(routes!(users::delete_sessions))
        .routes(routes!(containment::list_switches, containment::post_switch))
        .routes(routes!(containment::delete_switch))
        .routes(routes!(ledger::list_entries))
        .routes(routes!(ledger::get_checkpoint))
        .routes(routes!(ledger::get_proof))
        .routes(routes!(ledger::get_export))
        .routes(routes!(ledger::get_verify))
        .routes(routes!(ledger::get_audit_verify))
        .routes(routes!(clock::post_accept))
        .routes(routes!(catalogue::get_catalogue))
        .routes(routes!(workspaces::list_workspaces, workspaces::post_workspace))
        .routes(routes!(health::get_healthz))
        .routes(routes!(health::get_readyz))
        .routes(routes!(metrics::get_metrics))
        .routes(routes!(openapi::get_openapi))
        .routes(routes!(jwks::get_jwks))
}

pub fn router(app: Arc<App>) -> Router {
    metrics::install();
    let (routes, _description) = documented().split_for_parts();
    routes
        // The same doors for those who reach only what is below the prefix.
        .route("/api/v1/healthz", get(health::get_healthz))
        .route("/api/v1/readyz", get(health::get_readyz))
        .route("/api/v1/metrics", get(metrics::get_metrics))
        .route("/api/v1/openapi.json", get(openapi::get_openapi))
        .fallback(dashboard::serve)
        .method_not_allowed_fallback(async || Error::plain(Kind::MethodNotAllowed))
        .layer(from_fn_with_state(Arc::clone(&app), hosts::check))
        .layer(map_response(problem::ensure_json))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .with_state(app)
}
