//! `POST /api/v1/guard` and its deprecated older sister `POST /api/decide`.

use super::body;
use super::caller::{credential, is_wire_client};
use crate::app::App;
use crate::error::{Error, Kind};
use crate::guard::{Answer, GuardRequest, Shape, guard, identify};
use crate::http::problem::Problem;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use std::sync::Arc;

/// The most any workspace may set as its limit; what is between is refused by the setting.
const READ_LIMIT: usize = 16 << 20;

/// Decide one action.
///
/// Answers 200 for every decision, BLOCK included. Any other status means that the server was unable to decide:
/// nothing was allowed.
#[utoipa::path(
    post,
    path = "/api/v1/guard",
    operation_id = "guard",
    tag = "guard",
    request_body(content = inline(crate::guard::GuardBody), content_type = "application/json"),
    responses(
        (status = 200, description = "The recorded decision", body = Answer),
        (status = 401, description = "The key is missing, malformed, expired or revoked", body = Problem),
        (status = 503, description = "Nothing could be decided or recorded", body = Problem),
    ),
    security(("agentKey" = []))
)]
pub async fn post_guard(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<axum::Json<Answer>, Error> {
    answer(&app, &headers, body, Shape::Guard).await
}

/// Decide one action (deprecated form).
#[utoipa::path(
    post,
    path = "/api/decide",
    operation_id = "decide",
    tag = "guard",
    request_body(content = inline(crate::guard::GuardBody), content_type = "application/json"),
    responses(
        (status = 200, description = "The recorded decision", body = Answer),
        (status = 401, description = "The key is missing, malformed, expired or revoked", body = Problem),
        (status = 503, description = "Nothing could be decided or recorded", body = Problem),
    ),
    security(("agentKey" = []))
)]
pub async fn post_decide(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<axum::Json<Answer>, Error> {
    answer(&app, &headers, body, Shape::Legacy).await
}

async fn answer(app: &App, headers: &HeaderMap, body: Body, shape: Shape) -> Result<axum::Json<Answer>, Error> {
    let credential = credential(headers).ok_or_else(|| Error::plain(Kind::InvalidKey))?;
    let began = app.clock.read().elapsed;
    // Nothing is read for somebody unknown.
    identify(app, credential)?;
    let request = GuardRequest {
        credential,
        body: body::read(body, READ_LIMIT).await,
        shape,
        wire_client: is_wire_client(headers),
    };
    let answer = guard(app, request).await.map(axum::Json);
    app.latencies.note(app.clock.read().elapsed.since(began));
    answer
}
