//! Errors as RFC 9457 problem documents.
//!
//! WIRE: every non-2xx answer is JSON with a string member `error`, whatever produced it.

use crate::error::{Error, Kind};
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// Seconds after which a client may try again when the server is unable to answer.
const RETRY_AFTER: &str = "1";

impl IntoResponse for Error {
    fn into_response(self) -> Response<Body> {
        let (status, code, title) = self.kind.row();
        if status >= 500 {
            tracing::error!(code, detail = %self.detail, cause = ?std::error::Error::source(&self), "request failed");
        }
        let document_wait = self.members.get("retryAfterSeconds").and_then(Value::as_u64);
        let mut document: Map<String, Value> = self.members;
        for (name, value) in [
            ("type", json!(format!("urn:runplane:error:{code}"))),
            ("title", json!(title)),
            ("status", json!(status)),
            ("detail", json!(self.detail)),
            ("error", json!(code)),
        ] {
            document.insert(name.to_owned(), value);
        }
        let mut response = Response::new(Body::from(Value::Object(document).to_string()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match self.kind {
            Kind::AuditUnavailable | Kind::StoreUnavailable | Kind::Overloaded => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
            }
            Kind::TooManyAttempts => {
                let wait = document_wait.unwrap_or(1);
                headers.insert(header::RETRY_AFTER, HeaderValue::from(wait));
            }
            Kind::InvalidKey => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        response
    }
}

/// An RFC 9457 problem document.
#[derive(Serialize, ToSchema)]
#[allow(dead_code)] // describes what `into_response` writes
pub struct Problem {
    r#type: String,
    title: String,
    status: u16,
    detail: String,
    /// Stable word for the kind of error.
    error: String,
}

/// WIRE: refusals that the framework words itself become problem documents too.
pub async fn ensure_json(response: Response<Body>) -> Response<Body> {
    let status = response.status();
    let is_json = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.contains("json"));
    if is_json || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let kind = match status {
        StatusCode::NOT_FOUND => Kind::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Kind::MethodNotAllowed,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Kind::UnsupportedMediaType,
        StatusCode::PAYLOAD_TOO_LARGE => Kind::PayloadTooLarge,
        _ if status.is_client_error() => Kind::InvalidRequest,
        _ => Kind::Internal,
    };
    Error::plain(kind).into_response()
}

/// A panic in a handler: the text stays in the log.
pub fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response<Body> {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    tracing::error!(panic = %text, "a handler panicked");
    Error::plain(Kind::Internal).into_response()
}
