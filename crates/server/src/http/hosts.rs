//! What holds for requests that bring no bearer credential: those of browsers.
//!
//! The Host allow-list, against DNS rebinding, and headers that keep an answer from being framed, sniffed or kept.
//!
//! SECURITY: a page in somebody's browser can be made to talk to this server under a foreign name, but it cannot
//! know a bearer credential. So the check is for requests that bring none; the others prove who they are.

use crate::app::App;
use crate::error::{Error, Kind};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Request, Response, header};
use axum::middleware::Next;
use axum::response::IntoResponse;
use std::net::IpAddr;
use std::sync::Arc;

pub async fn check(State(app): State<Arc<App>>, request: Request<Body>, next: Next) -> Response<Body> {
    let headers = request.headers();
    // A load balancer asks whether a node is well under a name of its own, and hears nothing else there.
    if headers.contains_key(header::AUTHORIZATION) || matches!(request.uri().path(), "/healthz" | "/readyz") {
        return next.run(request).await;
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if is_allowed(host, &app.options.allowed_hosts) {
        let mut response = next.run(request).await;
        protect(response.headers_mut());
        return response;
    }
    Error::plain(Kind::HostNotAllowed).into_response()
}

/// Pages say more than this themselves; it is for the answers that do not.
fn protect(set: &mut HeaderMap) {
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ] {
        set.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

/// Loopback names, literal addresses (which cannot be rebound) and configured names, with any port.
fn is_allowed(host: &str, allowed: &[String]) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok()
        || allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_must_be_listed_and_addresses_need_not() {
        let listed = vec!["runplane.acme.example".to_owned()];
        for host in ["localhost:7070", "127.0.0.1", "[::1]:7070", "10.0.0.4:80", "Runplane.acme.example:443"] {
            assert!(is_allowed(host, &listed), "{host}");
        }
        for host in ["", "evil.test", "localhost.evil.test", "127.0.0.1.evil.test", "runplane.acme.example.evil.test"] {
            assert!(!is_allowed(host, &listed), "{host}");
        }
    }
}
