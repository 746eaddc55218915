//! The dashboard's files, embedded in the binary.
//!
//! Serves what the build of `web/` left in `web/dist`; without one, a page that says how to make it. Paths of the
//! page itself (which has a router of its own) answer with its `index.html`; whatever is below `/api/` never does.
//!
//! SECURITY: the page may load and connect to its own origin only, run no inline script and be framed by nobody.

use crate::error::{Error, Kind};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header};
use axum::response::IntoResponse;
use rust_embed::{EmbeddedFile, RustEmbed};
use std::borrow::Cow;

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
struct Built;

const NOT_BUILT: &str = include_str!("dashboard/not_built.html");
const INDEX: &str = "index.html";
/// The names of files below it carry a hash of their content.
const HASHED: &str = "assets/";

/// Attributes of elements may carry styles (the component library sets sizes so); style elements may not.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; \
                              img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; \
                              worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const PERMISSIONS: &str = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";

/// Files, the page, or a problem document.
pub async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response<Body> {
    if method != Method::GET && method != Method::HEAD {
        return Error::plain(Kind::NotFound).into_response();
    }
    let path = uri.path().trim_start_matches('/');
    if path.is_empty() {
        return page(Built::get(INDEX), &headers);
    }
    let is_api = path == "api" || path.starts_with("api/");
    match Built::get(path) {
        Some(file) if !is_api && !is_private(path) => answer(path, &file, &headers),
        _ if !is_api && is_page(path, &headers) => page(Built::get(INDEX), &headers),
        _ => Error::plain(Kind::NotFound).into_response(),
    }
}

/// A path of the page's own router, asked for by a browser that wants a page.
fn is_page(path: &str, headers: &HeaderMap) -> bool {
    let last = path.rsplit('/').next().unwrap_or_default();
    let accepts = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    !last.contains('.') && accepts.contains("text/html")
}

/// Compressed forms are sent in place of the file they are made from, never under their own names; what begins with
/// a dot is for those who build.
fn is_private(path: &str) -> bool {
    path.starts_with('.') || path.ends_with(".br") || path.ends_with(".gz")
}

fn page(built: Option<EmbeddedFile>, headers: &HeaderMap) -> Response<Body> {
    match built {
        Some(file) => answer(INDEX, &file, headers),
        None => {
            let mut response = Response::new(Body::from(NOT_BUILT));
            let set = response.headers_mut();
            set.insert(header::CONTENT_TYPE, content_type(INDEX));
            set.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            protect(set);
            response
        }
    }
}

fn answer(path: &str, file: &EmbeddedFile, headers: &HeaderMap) -> Response<Body> {
    let (encoding, data) = encoded(path, file, headers);
    // One tag per representation.
    let digest = file.metadata.sha256_hash();
    let short = digest.get(..16).unwrap_or(&digest);
    let tag = format!("\"{}{}\"", hex::encode(short), encoding.map_or(String::new(), |name| format!("-{name}")));
    let mut response = if is_known(headers, &tag) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        Response::new(match data {
            Cow::Borrowed(bytes) => Body::from(bytes),
            Cow::Owned(bytes) => Body::from(bytes),
        })
    };
    let set = response.headers_mut();
    set.insert(header::CONTENT_TYPE, content_type(path));
    let caching = if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    set.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    set.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        set.insert(header::ETAG, tag);
    }
    if let Some(encoding) = encoding {
        set.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    protect(set);
    response
}

/// The smallest form that the client takes.
fn encoded(path: &str, file: &EmbeddedFile, headers: &HeaderMap) -> (Option<&'static str>, Cow<'static, [u8]>) {
    let accepts = headers.get(header::ACCEPT_ENCODING).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    for (name, suffix) in [("br", ".br"), ("gzip", ".gz")] {
        if takes(accepts, name)
            && let Some(smaller) = Built::get(&format!("{path}{suffix}"))
        {
            return (Some(name), smaller.data);
        }
    }
    (None, file.data.clone())
}

/// Whether an `Accept-Encoding` names this one without refusing it (`;q=0`).
fn takes(accepts: &str, name: &str) -> bool {
    accepts.split(',').any(|part| {
        let (coding, weight) = part.split_once(';').unwrap_or((part, ""));
        let weight = weight.trim().trim_start_matches("q=");
        coding.trim().eq_ignore_ascii_case(name) && !weight.parse::<f32>().is_ok_and(|weight| weight <= 0.0)
    })
}

fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok()).unwrap_or_default();
    known.split(',').any(|known| known.trim().trim_start_matches("W/") == tag)
}

fn protect(set: &mut HeaderMap) {
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        set.insert(name, HeaderValue::from_static(value));
    }
    set.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    set.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    set.insert("permissions-policy", HeaderValue::from_static(PERMISSIONS));
}

fn content_type(path: &str) -> HeaderValue {
    HeaderValue::from_static(match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(path: &str, accept: &str) -> Response<Body> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_str(accept).unwrap());
        serve(Method::GET, path.parse().unwrap(), headers).await
    }

    #[tokio::test]
    async fn the_page_is_never_cached_unseen_and_may_do_nothing_abroad() {
        for path in ["/", "/approvals", "/decisions/req_1"] {
            let response = get(path, "text/html,*/*").await;
            assert_eq!(response.status(), 200, "{path}");
            let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
            assert!(policy.contains("frame-ancestors 'none'"));
            assert!(response.headers()[header::CACHE_CONTROL].to_str().unwrap().starts_with("no-"));
        }
    }

    #[tokio::test]
    async fn a_binary_built_without_node_says_how_to_build_the_page() {
        let response = page(None, &HeaderMap::new());
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        let body = axum::body::to_bytes(response.into_body(), 1 << 16).await.unwrap();
        assert!(String::from_utf8_lossy(&body).contains("npm --prefix web run build"));
    }

    #[tokio::test]
    async fn what_is_not_the_page_is_not_answered_with_it() {
        for (path, accept) in [
            ("/api/v1/nothing", "text/html"),
            ("/api", "text/html"),
            ("/assets/gone.js", "text/html"),
            ("/approvals", "application/json"),
            ("/index.html.br", "text/html"),
            ("/.keep", "text/html"),
        ] {
            let response = get(path, accept).await;
            assert_eq!(response.status(), 404, "{path}");
            assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json", "{path}");
        }
        let posted = serve(Method::POST, "/".parse().unwrap(), HeaderMap::new()).await;
        assert_eq!(posted.status(), 404);
    }

    #[test]
    fn a_known_representation_is_not_sent_again() {
        let file = EmbeddedFile { data: Cow::Borrowed(b"x"), metadata: metadata() };
        let first = answer("assets/x-1.js", &file, &HeaderMap::new());
        assert_eq!(first.headers()[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        assert_eq!(answer("assets/x-1.js", &file, &headers).status(), 304);
        headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static("\"other\""));
        assert_eq!(answer("assets/x-1.js", &file, &headers).status(), 200);
    }

    #[test]
    fn an_encoding_that_is_refused_is_not_used() {
        assert!(takes("gzip, deflate, br", "br"));
        assert!(takes("br;q=0.5", "br"));
        assert!(!takes("br;q=0, gzip", "br"));
        assert!(!takes("brotli", "br"));
    }

    fn metadata() -> rust_embed::Metadata {
        rust_embed::Metadata::__rust_embed_new([7; 32], None, None)
    }
}
