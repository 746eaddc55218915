//! The life of a guard request, step by step.
//!
//! INVARIANT: every way out of here is either an answer made from a recorded decision, or an error that says the
//! server was unable to decide. What the request itself causes is always the former.

mod answer;
mod identify;
mod normalise;
mod outcome;
mod prepare;
mod redeem;
mod sequence;

pub use answer::{Answer, Decided, LedgerPosition, LimitView, RequirementView, remaining};
pub use identify::{Identity, identify};
pub use normalise::{Shape, normalise, read};
pub use outcome::{Outcome, report};
pub use prepare::{Ready, prepare};
pub use redeem::{Redemption, redeem};
pub use sequence::decide as sequence;

use crate::app::App;
use crate::error::{Error, Kind};
use crate::http::body::Unread;
use crate::refusal::Code;
pub use crate::sequencer::Sequenced;
use bytes::Bytes;
use normalise::Refusal;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// How often a call is prepared again because control changed while it waited.
pub(crate) const ATTEMPTS: usize = 3;
/// Bodies above this are read and prepared off the request threads.
const INLINE_BYTES: usize = 32 * 1024;

/// What a client sends.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)] // describes what `normalise` reads
pub struct GuardBody {
    action: GuardAction,
    /// Made by the client, so that a retry gets the same answer: 1 to 128 visible ASCII characters.
    request_id: Option<String>,
    /// On whose behalf the agent acts.
    subject: Option<String>,
    /// One run of the agent.
    session: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[allow(dead_code)] // describes what `normalise` reads
pub struct GuardAction {
    r#type: String,
    /// The system acted on.
    target: String,
    /// The arguments of the action.
    #[schema(value_type = Object)]
    context: Option<serde_json::Value>,
    /// Name of the tool behind the action.
    tool: Option<String>,
}

/// One guard request: who, what, and in which dialect.
pub struct GuardRequest<'r> {
    pub credential: &'r str,
    pub body: Result<Bytes, Unread>,
    pub shape: Shape,
    /// WIRE: the client does not name itself, so it is the published one.
    pub wire_client: bool,
}

/// `known` is who it was before the body was read.
pub async fn guard(app: &App, known: Identity, request: GuardRequest<'_>) -> Result<Decided, Error> {
    let mut known = Some(known);
    for _ in 0..ATTEMPTS {
        // Established facts, under the control of now: a revoked key ends here.
        let identity = match known.take().filter(|known| known.holds(app.clock.now())) {
            Some(known) => Arc::new(known),
            None => Arc::new(identify(app, request.credential)?),
        };
        let limits = &identity.control.settings.limits;
        // Too many: recorded in aggregate, so that a flood cannot fill the ledger.
        let admitted = app.rates.admits(&identity.agent.id, limits.requests_per_second_per_agent);
        let sequenced = if admitted {
            // What it means, in parallel; then its place in the log, in order.
            match prepare_call(&identity, &request).await {
                Ok(ready) => sequence::decide(&identity, request.wire_client, ready).await?,
                Err(refusal) => sequence::refuse(&identity, request.wire_client, refusal, false).await?,
            }
        } else {
            let refusal = Refusal::new(Code::RequestRate, "the agent makes more requests than its limit allows");
            sequence::refuse(&identity, request.wire_client, refusal, true).await?
        };
        match sequenced {
            Sequenced::Decided(recorded) => return Ok(Decided::new(recorded, false)),
            Sequenced::Replayed(recorded) => return Ok(Decided::new(recorded, true)),
            Sequenced::Stale => {}
        }
    }
    Err(Error::new(Kind::Overloaded, "policies kept changing while the call waited"))
}

async fn prepare_call(identity: &Arc<Identity>, request: &GuardRequest<'_>) -> Result<prepare::Ready, Refusal> {
    let limit = identity.control.settings.limits.max_body_bytes;
    let bytes = match &request.body {
        Ok(bytes) if bytes.len() <= limit => bytes.clone(),
        Ok(bytes) => return Err(too_large(bytes.len(), limit)),
        Err(Unread::TooLarge(seen)) => return Err(too_large(*seen, limit)),
        Err(Unread::Broken) => return Err(Refusal::new(Code::InvalidRequest, "the body did not arrive in full")),
    };
    if bytes.len() <= INLINE_BYTES {
        return prepare::prepare(&bytes, request.shape, identity);
    }
    let (identity, shape) = (Arc::clone(identity), request.shape);
    let prepared = tokio::task::spawn_blocking(move || prepare::prepare(&bytes, shape, &identity)).await;
    prepared.unwrap_or_else(|_| Err(Refusal::new(Code::Internal, "the call could not be prepared")))
}

fn too_large(seen: usize, limit: usize) -> Refusal {
    Refusal::new(Code::PayloadTooLarge, format!("the body has at least {seen} bytes, the limit is {limit}"))
}
