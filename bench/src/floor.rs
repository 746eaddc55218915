//! The physical limits a governed call is measured against, as servers of their own.
//!
//! `bare`: axum parses a guard request and answers a fixed decision. `durable`: the same, plus a hash chain and one
//! fdatasync, or one commit of a PostgreSQL database, for everybody who waits. None knows a policy; nothing that records
//! can be faster than `durable`.

use crate::postgres::Group;
use anyhow::{Context, Result};
use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::post;
use axum::{Router, extract::State};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

const ANSWER: &str = r#"{"decision":"ALLOW","reason":"allowed","requestId":"req_0","approvalId":null,"matchedRule":"a/b","riskScore":10,"severity":"low"}"#;
const QUEUE: usize = 8_192;
const BATCH: usize = 1_024;

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    action: Action<'a>,
}

#[derive(Deserialize)]
struct Action<'a> {
    r#type: &'a str,
    target: &'a str,
    context: serde_json::Value,
}

/// Serves until killed; prints its port on the first line.
pub async fn serve(log: Option<&Path>, database: Option<&str>) -> Result<()> {
    let router = match (database, log) {
        (Some(url), _) => {
            let group = Group::open(url).await?;
            Router::new().route("/api/v1/guard", post(grouped)).with_state(group)
        }
        (None, None) => Router::new().route("/api/v1/guard", post(bare)),
        (None, Some(path)) => {
            let (queue, waiting) = sync_channel(QUEUE);
            let file = File::create(path).context("creating the log")?;
            #[allow(clippy::disallowed_methods)] // a benchmark's only thread; it ends with the process
            std::thread::spawn(move || append(file, &waiting));
            Router::new().route("/api/v1/guard", post(durable)).with_state(Arc::new(queue))
        }
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    crate::say(&listener.local_addr()?.port().to_string());
    axum::serve(listener, router).await.context("serving")
}

fn answer() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], ANSWER)
}

fn parse(body: &[u8]) -> Option<usize> {
    let request: Request<'_> = serde_json::from_slice(body).ok()?;
    let members = request.action.context.as_object()?.len();
    Some(request.action.r#type.len() + request.action.target.len() + members)
}

async fn bare(body: Bytes) -> impl IntoResponse {
    if parse(&body).is_some() { answer().into_response() } else { StatusCode::BAD_REQUEST.into_response() }
}

type Queue = SyncSender<(Bytes, oneshot::Sender<()>)>;

async fn durable(State(queue): State<Arc<Queue>>, body: Bytes) -> impl IntoResponse {
    if parse(&body).is_none() {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let (done, durable) = oneshot::channel();
    if queue.try_send((body, done)).is_err() || durable.await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    answer().into_response()
}

async fn grouped(State(group): State<Group>, body: Bytes) -> impl IntoResponse {
    if parse(&body).is_none() {
        return StatusCode::BAD_REQUEST.into_response();
    }
    if group.commit(body).await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    answer().into_response()
}

fn append(mut file: File, waiting: &Receiver<(Bytes, oneshot::Sender<()>)>) {
    let mut previous = [0u8; 32];
    let mut buffer = Vec::new();
    let mut answers = Vec::new();
    while let Ok(first) = waiting.recv() {
        let mut next = Some(first);
        while let Some((body, answer)) = next {
            let hash: [u8; 32] = Sha256::new().chain_update(previous).chain_update(&body).finalize().into();
            previous = hash;
            buffer.extend_from_slice(&hash);
            buffer.extend_from_slice(&body);
            answers.push(answer);
            next = if answers.len() < BATCH { waiting.try_recv().ok() } else { None };
        }
        if file.write_all(&buffer).and_then(|()| file.sync_data()).is_err() {
            return;
        }
        buffer.clear();
        for answer in answers.drain(..) {
            // A client that left needs no answer.
            let _ = answer.send(());
        }
    }
}
