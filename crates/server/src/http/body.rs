//! Request bodies: bounded in size and time, and always read to the end.
//!
//! WIRE: a client that gets a reset connection instead of an answer treats it as an outage, and in fail-open
//! mode runs the action. So a body over the limit is drained, not cut off, before the refusal is sent.

use crate::error::{Error, Kind};
use axum::body::{Body, HttpBody};
use bytes::{Bytes, BytesMut};
use serde::de::DeserializeOwned;
use std::pin::pin;
use std::time::Duration;

/// The most that is read and thrown away so that a refusal can be heard.
const DRAIN_LIMIT: usize = 64 << 20;
const READ_TIMEOUT: Duration = Duration::from_millis(2_000);
/// Bodies of the endpoints for people and programs that manage Runplane.
pub const MANAGEMENT_LIMIT: usize = 4 << 20;

#[derive(Debug, PartialEq, Eq)]
pub enum Unread {
    /// More than the limit; the length seen, which may not be all.
    TooLarge(usize),
    /// The connection failed or stalled.
    Broken,
}

pub async fn read(body: Body, limit: usize) -> Result<Bytes, Unread> {
    match tokio::time::timeout(READ_TIMEOUT, read_untimed(body, limit)).await {
        Ok(result) => result,
        Err(_) => Err(Unread::Broken),
    }
}

async fn read_untimed(body: Body, limit: usize) -> Result<Bytes, Unread> {
    let mut body = pin!(body);
    let mut first: Option<Bytes> = None;
    let mut whole = BytesMut::new();
    let mut seen = 0usize;
    loop {
        let frame = std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await;
        let Some(frame) = frame else { break };
        let Ok(data) = frame.map_err(|_| Unread::Broken)?.into_data() else { continue };
        seen = seen.saturating_add(data.len());
        if seen > DRAIN_LIMIT {
            return Err(Unread::TooLarge(seen));
        }
        if seen > limit {
            continue;
        }
        // The usual body is a single frame: no copy.
        match (&first, whole.is_empty()) {
            (None, true) => first = Some(data),
            (Some(start), true) => {
                whole.extend_from_slice(start);
                whole.extend_from_slice(&data);
            }
            _ => whole.extend_from_slice(&data),
        }
    }
    if seen > limit {
        return Err(Unread::TooLarge(seen));
    }
    Ok(if whole.is_empty() { first.unwrap_or_default() } else { whole.freeze() })
}

/// A JSON body of a management endpoint. Unknown members are refused by the types themselves.
pub async fn json<T: DeserializeOwned>(body: Body) -> Result<T, Error> {
    parse_json(&bytes(body).await?)
}

/// The same, with an absent body standing for `{}`.
pub async fn json_or_empty<T: DeserializeOwned>(body: Body) -> Result<T, Error> {
    let read = bytes(body).await?;
    parse_json(if read.is_empty() { b"{}" } else { &read })
}

pub async fn bytes(body: Body) -> Result<Bytes, Error> {
    read(body, MANAGEMENT_LIMIT).await.map_err(|unread| match unread {
        Unread::TooLarge(_) => {
            Error::new(Kind::PayloadTooLarge, format!("the body may have at most {MANAGEMENT_LIMIT} bytes"))
        }
        Unread::Broken => Error::new(Kind::InvalidRequest, "the body did not arrive in full"),
    })
}

pub fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|failure| Error::new(Kind::InvalidRequest, format!("in the body: {failure}")))
}
