//! `POST /api/v1/guard` and its deprecated older sister `POST /api/decide`.

use super::body;
use super::caller::{credential, is_wire_client};
use crate::app::App;
use crate::error::{Error, Kind};
use crate::guard::{Answer, Decided, GuardRequest, Shape, guard, identify, remaining};
use crate::http::problem::Problem;
use crate::record::LimitRead;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue};
use runplane_core::decimal::Decimal;
use runplane_core::time::Micros;
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
pub async fn post_guard(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Result<Answered, Error> {
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
pub async fn post_decide(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Result<Answered, Error> {
    answer(&app, &headers, body, Shape::Legacy).await
}

/// A decision, with hints in its headers.
type Answered = (HeaderMap, Decided);

/// `RateLimit-Policy` and `RateLimit` as in draft-ietf-httpapi-ratelimit-headers, for the limit that has the least
/// left. Hints: the limits are in the answer, exactly.
fn hints(limits: &[LimitRead], now: Micros) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let whole = |number: Decimal| number.to_i64().filter(|whole| *whole >= 0);
    let counts =
        limits.iter().filter_map(|limit| Some((whole(remaining(limit.used, limit.of))?, whole(limit.of)?, limit)));
    let Some((remaining, of, limit)) = counts.min_by_key(|(remaining, _, _)| *remaining) else { return headers };
    let seconds = limit.resets_at.map_or(0, |until| until.since(now).0.max(0).saturating_add(999_999) / 1_000_000);
    // A rule's name has no character that would have to be escaped.
    let lines = [
        ("ratelimit-policy", format!("\"{}\";q={of};w={}", limit.rule, limit.within.0 / 1_000_000)),
        ("ratelimit", format!("\"{}\";r={remaining};t={seconds}", limit.rule)),
    ];
    for (name, value) in lines {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    headers
}

async fn answer(app: &App, headers: &HeaderMap, body: Body, shape: Shape) -> Result<Answered, Error> {
    let credential = credential(headers).ok_or_else(|| Error::plain(Kind::InvalidKey))?;
    let began = app.clock.read().elapsed;
    // Nothing is read for somebody unknown.
    let identity = identify(app, credential)?;
    let request = GuardRequest {
        credential,
        body: body::read(body, READ_LIMIT).await,
        shape,
        wire_client: is_wire_client(headers),
    };
    let answer = guard(app, identity, request).await;
    let now = app.clock.read();
    app.latencies.note(now.elapsed.since(began));
    answer.map(|decided| (hints(decided.limits(), now.wall), decided))
}
