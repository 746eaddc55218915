//! Finding a decision by its request id, before and after the lists have caught up.

use crate::control::load_bundle;
use crate::error::Error;
use crate::fill;
use crate::id;
use crate::record::{DecisionBody, Entry, Kind, Returned};
use runplane_core::policy::Bundle;
use runplane_store::Store;

/// The decision of this agent with this request id, and its index. A redemption is not a decision of its own here.
pub fn decision_of(
    store: &dyn Store,
    workspace: &str,
    agent: &str,
    request_id: &str,
) -> Result<Option<(u64, DecisionBody)>, Error> {
    let index = match store.load_request(workspace, agent, request_id)? {
        Some(request) => Some(request.index),
        None => id::index_of_request(request_id),
    };
    let Some(index) = index else { return Ok(None) };
    let found = decision_at(store, workspace, index)?;
    // The index in a request id is only a claim.
    Ok(found.filter(|body| body.agent == agent && body.request_id == request_id).map(|body| (index, body)))
}

/// The decision recorded at `index`, if there is one there.
pub fn decision_at(store: &dyn Store, workspace: &str, index: u64) -> Result<Option<DecisionBody>, Error> {
    let row = store.read_entries(workspace, index, 1)?.into_iter().find(|row| row.index == index);
    let Some(row) = row else { return Ok(None) };
    let entry = Entry::parse(&row.bytes)?;
    if entry.kind == Kind::Decision { entry.body().map(Some) } else { Ok(None) }
}

/// What the decision or redemption recorded at `index` charged, and at which meter time.
pub fn charged_at(store: &dyn Store, workspace: &str, index: u64, bundle: Option<&Bundle>) -> Result<Returned, Error> {
    let row = store.read_entries(workspace, index, 1)?.into_iter().find(|row| row.index == index);
    let Some(row) = row else { return Ok(Returned::default()) };
    let entry = Entry::parse(&row.bytes)?;
    if !matches!(entry.kind, Kind::Decision | Kind::Redemption) {
        return Ok(Returned::default());
    }
    let body: DecisionBody = entry.body()?;
    let mut charges = body.charges.clone();
    if let Some(bundle) = bundle.filter(|bundle| bundle.digest().to_string() != body.bundle) {
        // Counters of today that were not there then: their part of the past is counted, this one is theirs, too.
        let then = load_bundle(store, workspace, &body.bundle);
        let new = bundle.counters_beyond(then.as_ref());
        let would = fill::would_have_charged(bundle, &body, index, entry.at, store, workspace)?.unwrap_or_default();
        charges.extend(would.into_iter().filter(|charge| new.contains(&charge.key.counter())));
    }
    Ok(Returned { at: body.charged_at.unwrap_or(entry.at), charges })
}
