//! How far a past has been counted, kept now and then, so that a restart or another node goes on from there.
//!
//! It is no part of the ledger and proves nothing: what a past comes to is put on the record when it is ready, and
//! `audit verify --state` counts it again. What must stay true: it is gone on with only for the same counters, put in
//! force by the same entry, under the same bundle; anything else begins again.

use super::{Fill, Job, Past};
use crate::error::Error;
use crate::record::CounterName;
use runplane_core::meter::Meters;
use runplane_core::policy::Bundle;
use runplane_core::time::Span;
use runplane_store::{MAX_PAGE, Store};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

const KIND: &str = "filling";
const KEY: &str = "progress";
/// Entries between two times it is kept, unless there is more to keep than that.
pub const EVERY: u64 = MAX_PAGE as u64;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Kept<'a> {
    from: u64,
    bundle: String,
    counters: Vec<CounterName>,
    next: u64,
    skipped: Span,
    meters: &'a Meters,
    past: &'a BTreeMap<u64, Past>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    from: u64,
    bundle: String,
    counters: Vec<CounterName>,
    next: u64,
    skipped: Span,
    meters: Meters,
    past: BTreeMap<u64, Past>,
}

fn names(job: &Job) -> Vec<CounterName> {
    job.counters.iter().map(CounterName::from).collect()
}

/// Keeps how far it is.
pub fn keep(fill: &Fill, store: &dyn Store, workspace: &str) -> Result<(), Error> {
    let kept = Kept {
        from: fill.job.from,
        bundle: fill.bundle.digest().to_string(),
        counters: names(&fill.job),
        next: fill.next,
        skipped: fill.skipped,
        meters: &fill.meters,
        past: &fill.past,
    };
    let bytes = serde_json::to_vec(&kept)
        .map_err(|failure| Error::internal("how far a past was counted could not be written").because(failure))?;
    Ok(store.keep_document(workspace, KIND, KEY, Some(&bytes))?)
}

/// Where to go on, if the same past was begun before.
pub fn find(job: &Arc<Job>, bundle: &Arc<Bundle>, store: &dyn Store, workspace: &str) -> Result<Option<Fill>, Error> {
    let Some(bytes) = store.load_document(workspace, KIND, KEY)? else { return Ok(None) };
    // One of another version of the program begins again, too.
    let Ok(found) = serde_json::from_slice::<Found>(&bytes) else { return Ok(None) };
    let is_same = found.from == job.from
        && found.bundle == bundle.digest().to_string()
        && found.counters == names(job)
        && found.next <= store.load_head(workspace)?.size;
    if !is_same {
        return Ok(None);
    }
    let mut fill = Fill::new(Arc::clone(job), Arc::clone(bundle), found.next);
    (fill.skipped, fill.meters, fill.past) = (found.skipped, found.meters, found.past);
    Ok(Some(fill))
}

/// It is on the record now.
pub fn forget(store: &dyn Store, workspace: &str) -> Result<(), Error> {
    Ok(store.keep_document(workspace, KIND, KEY, None)?)
}
