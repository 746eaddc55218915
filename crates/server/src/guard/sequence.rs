//! A prepared call, or a refusal, into the workspace's log.

use super::identify::Identity;
use super::normalise::Refusal;
use super::prepare::Ready;
use crate::error::Error;
use crate::random;
use crate::sequencer::{Caller, Decide, Nonces, Payload, Refuse, Sequenced, Work};

pub fn caller(identity: &Identity, wire_client: bool) -> Caller {
    Caller { agent: identity.agent.id.clone(), key: identity.key.clone(), wire_client }
}

/// Random bytes for one entry, drawn before the queue.
pub fn nonces() -> Result<Nonces, Error> {
    let all: [u8; 20] = random::bytes()?;
    let (request, rest) = all.split_first_chunk::<10>().ok_or_else(|| Error::internal("too few random bytes"))?;
    let approval = rest.first_chunk::<10>().ok_or_else(|| Error::internal("too few random bytes"))?;
    Ok(Nonces { request: *request, approval: *approval })
}

pub async fn decide(identity: &Identity, wire_client: bool, ready: Ready) -> Result<Sequenced, Error> {
    let (caller, nonces) = (caller(identity, wire_client), nonces()?);
    let Ready { prepared, digest, payload, request_id } = ready;
    let payload = Payload::new(payload, random::bytes()?, prepared.readings());
    let epoch = identity.control.epoch;
    identity
        .workspace
        .submit(|reply| {
            Work::Decide(Box::new(Decide { caller, prepared, digest, payload, epoch, request_id, nonces, reply }))
        })
        .await
}

/// Records a refusal; with `aggregate`, together with others of its kind.
pub async fn refuse(
    identity: &Identity,
    wire_client: bool,
    refusal: Refusal,
    aggregate: bool,
) -> Result<Sequenced, Error> {
    let (caller, nonces) = (caller(identity, wire_client), nonces()?);
    let Refusal { code, reason, request_id, declared } = refusal;
    identity
        .workspace
        .submit(|reply| {
            Work::Refuse(Box::new(Refuse { caller, request_id, code, reason, declared, aggregate, nonces, reply }))
        })
        .await
}
