//! Everything about a call that needs only the call: readings, risk, and every condition of the bundle that names
//! no state. Pure, in parallel, and total: a panic in it becomes a refusal.

use super::identify::Identity;
use super::normalise::{Refusal, Request, Shape, normalise};
use crate::refusal::Code;
use runplane_core::decide::{self, Prepared};
use runplane_core::digest::Digest;
use runplane_core::inspect;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A call that is ready for its place in the log.
#[derive(Clone)]
pub struct Ready {
    pub prepared: Prepared,
    pub digest: Digest,
    pub payload: Vec<u8>,
    pub request_id: Option<String>,
}

pub fn prepare(bytes: &[u8], shape: Shape, identity: &Identity) -> Result<Ready, Refusal> {
    let Some(bundle) = identity.control.bundle.as_ref() else {
        return Err(Refusal::new(Code::PolicyUnavailable, "no policy bundle is in force, so nothing can be allowed"));
    };
    guarded(|| {
        let Request { mut call, request_id } = normalise(bytes, shape, identity, bundle)?;
        let (payload, digest) = call.payload_and_digest();
        let readings = inspect::read_all(&mut call, bundle.catalogue(), bundle.settings());
        Ok(Ready { prepared: decide::prepare(bundle, call, readings), digest, payload, request_id })
    })
}

/// Runs pure work; a panic in it is a refusal, not an outage.
pub fn guarded<T>(work: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        tracing::error!("preparing a call panicked");
        Err(Refusal::new(Code::Internal, "the call could not be prepared"))
    })
}
