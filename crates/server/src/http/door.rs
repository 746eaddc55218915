//! The way of an ordinary guard request past the router.
//!
//! A router and its layers cost a request some twenty allocations, which is nothing beside a page and much beside a
//! decision. What goes this way is what the router would hand to the same handler with nothing between that could
//! refuse it: `POST /api/v1/guard` with a credential, which is what the check of the host lets pass. Everything else
//! goes to the router. A panic is answered as the router answers it.

use super::{guard, problem};
use crate::app::App;
use axum::Router;
use axum::extract::connect_info::ConnectInfo;
use axum::extract::{Request, State};
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use axum::serve::IncomingStream;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::net::TcpListener;
use tower::Service;

/// Makes the way in of each connection.
pub struct Doors {
    app: Arc<App>,
    router: Router,
}

impl Doors {
    pub fn new(app: Arc<App>) -> Self {
        let router = super::router(Arc::clone(&app));
        Self { app, router }
    }
}

impl Service<IncomingStream<'_, TcpListener>> for Doors {
    type Response = Door;
    type Error = Infallible;
    type Future = Ready<Result<Door, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, stream: IncomingStream<'_, TcpListener>) -> Self::Future {
        let (app, router) = (Arc::clone(&self.app), self.router.clone());
        ready(Ok(Door { app, router, peer: *stream.remote_addr() }))
    }
}

/// The way in of one connection.
#[derive(Clone)]
pub struct Door {
    app: Arc<App>,
    router: Router,
    peer: SocketAddr,
}

impl Service<Request> for Door {
    type Response = Response;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request) -> Answering {
        if is_ordinary(&request) {
            let (app, (parts, body)) = (State(Arc::clone(&self.app)), request.into_parts());
            return Answering(Box::pin(async move {
                Ok(guard::post_guard(app, parts.headers, body).await.into_response())
            }));
        }
        request.extensions_mut().insert(ConnectInfo(self.peer));
        Answering(Box::pin(self.router.call(request)))
    }
}

/// An answer in the making. What panics is answered, too.
pub struct Answering(Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>);

impl Future for Answering {
    type Output = Result<Response, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // A future that panicked is not polled again.
        catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(context)))
            .unwrap_or_else(|panic| Poll::Ready(Ok(problem::panicked(panic))))
    }
}

fn is_ordinary(request: &Request) -> bool {
    request.method() == Method::POST
        && request.uri().path() == "/api/v1/guard"
        && request.headers().contains_key(header::AUTHORIZATION)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::StatusCode;
    use futures_util::FutureExt as _;

    #[test]
    fn only_a_guard_request_with_a_credential_goes_past_the_router() {
        let ask = |method: &str, uri: &str, name: &str| {
            is_ordinary(&Request::builder().method(method).uri(uri).header(name, "x").body(Body::empty()).unwrap())
        };
        assert!(ask("POST", "/api/v1/guard", "authorization"));
        assert!(ask("POST", "/api/v1/guard?x", "authorization"), "as the router sees it");
        for (method, uri, name) in [
            ("POST", "/api/v1/guard", "cookie"),
            ("GET", "/api/v1/guard", "authorization"),
            ("POST", "/api/v1/guard/", "authorization"),
            ("POST", "/api/decide", "authorization"),
        ] {
            assert!(!ask(method, uri, name), "{method} {uri} {name}");
        }
    }

    #[test]
    fn a_panic_is_answered() {
        let answered = Answering(Box::pin(async { panic!("on purpose") })).now_or_never().unwrap().unwrap();
        assert_eq!(answered.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
