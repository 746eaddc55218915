//! A prepared call, or a refusal, into the workspace's log.

use super::identify::Identity;
use super::normalise::Refusal;
use super::prepare::Ready;
use crate::error::Error;
use crate::random;
use crate::sequencer::{Caller, Decide, Nonces, Payload, Refuse, Sequenced, Work};
use std::sync::Arc;

pub fn caller(identity: &Identity, wire_client: bool) -> Caller {
    Caller { agent: identity.agent.id.clone(), key: identity.key.clone(), wire_client }
}

/// Random bytes for one entry and the salt of its payload, drawn before the queue and at once.
pub fn drawn() -> Result<(Nonces, [u8; 16]), Error> {
    let all: [u8; 36] = random::common_bytes()?;
    let parts = || {
        let (request, rest) = all.split_first_chunk::<10>()?;
        let (approval, rest) = rest.split_first_chunk::<10>()?;
        Some((Nonces { request: *request, approval: *approval }, *rest.first_chunk::<16>()?))
    };
    parts().ok_or_else(|| Error::internal("too few random bytes"))
}

pub async fn decide(identity: &Identity, wire_client: bool, ready: Ready) -> Result<Sequenced, Error> {
    let (caller, (nonces, salt)) = (caller(identity, wire_client), drawn()?);
    let Ready { prepared, digest, payload, request_id } = ready;
    let payload = Payload::new(payload, salt, prepared.readings());
    let (epoch, kept) = (identity.control.epoch, Arc::new(prepared));
    let prepared = Arc::clone(&kept);
    let sequenced = identity
        .workspace
        .submit(|reply| {
            Work::Decide(Box::new(Decide { caller, prepared, digest, payload, epoch, request_id, nonces, reply }))
        })
        .await;
    drop(kept);
    sequenced
}

/// Records a refusal; with `aggregate`, together with others of its kind.
pub async fn refuse(
    identity: &Identity,
    wire_client: bool,
    refusal: Refusal,
    aggregate: bool,
) -> Result<Sequenced, Error> {
    let (caller, nonces) = (caller(identity, wire_client), drawn()?.0);
    let Refusal { code, reason, request_id, declared } = refusal;
    identity
        .workspace
        .submit(|reply| {
            Work::Refuse(Box::new(Refuse { caller, request_id, code, reason, declared, aggregate, nonces, reply }))
        })
        .await
}
