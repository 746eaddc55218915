//! Deciding a recorded call again, from the record, its payload and the bundle of its time.
//!
//! INVARIANT: same inputs, same decision. A difference is tampering or a fault of the program, never a change of
//! policy: policies of today are not read.

use crate::control::load_bundle;
use crate::error::Error;
use crate::record::{Decided, DecisionBody, Entry, Kind};
use runplane_core::call::Call;
use runplane_core::decide::{Prepared, Share, decide, prepare};
use runplane_core::inspect::{self, Readings};
use runplane_core::json::{self, Limits};
use runplane_core::policy::Bundle;
use runplane_store::{EntryRow, Payload, Store};
use std::collections::HashMap;
use std::sync::Arc;

/// What deciding an entry again came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recomputed {
    Equal,
    Different,
    /// There is no call behind the entry: not a decision, or a request refused for what it is.
    NotApplicable,
    /// The call is no longer kept.
    PayloadErased,
}

/// A recorded decision with the call it was about.
pub(crate) enum Remade {
    NotApplicable,
    Erased,
    /// What is kept is not what was committed to.
    OtherCall,
    Call {
        bundle: Arc<Bundle>,
        prepared: Box<Prepared>,
        limits: Vec<Share>,
        is_equal: bool,
    },
}

/// Recomputes entries of one workspace; bundles are read once.
pub struct Recomputer<'a> {
    store: &'a dyn Store,
    workspace: &'a str,
    bundles: HashMap<String, Arc<Bundle>>,
}

impl<'a> Recomputer<'a> {
    #[must_use]
    pub fn new(store: &'a dyn Store, workspace: &'a str) -> Self {
        Self { store, workspace, bundles: HashMap::new() }
    }

    pub fn recompute(&mut self, row: &EntryRow) -> Result<Recomputed, Error> {
        let entry = Entry::parse(&row.bytes)?;
        if !matches!(entry.kind, Kind::Decision | Kind::Redemption) {
            return Ok(Recomputed::NotApplicable);
        }
        Ok(match self.remake(&entry, &entry.body()?)? {
            Remade::NotApplicable => Recomputed::NotApplicable,
            Remade::Erased => Recomputed::PayloadErased,
            Remade::Call { is_equal: true, .. } => Recomputed::Equal,
            Remade::OtherCall | Remade::Call { .. } => Recomputed::Different,
        })
    }

    /// The call of a recorded decision, prepared as it was, and whether deciding it again says the same.
    pub(crate) fn remake(&mut self, entry: &Entry, recorded: &DecisionBody) -> Result<Remade, Error> {
        let Some(commitment) = recorded.commitment else { return Ok(Remade::NotApplicable) };
        let Payload::Present(payload) = self.store.load_payload(self.workspace, entry.index)? else {
            return Ok(Remade::Erased);
        };
        if runplane_core::digest::sha256(&[&payload.salt, &payload.bytes]) != commitment {
            return Ok(Remade::OtherCall);
        }
        let bundle = self.bundle(&recorded.bundle)?;
        let mut call = Call::from_payload(&payload.bytes)
            .and_then(|stored| stored.as_recorded(bundle.catalogue()))
            .map_err(|failure| Error::internal("a payload could not be read").because(failure))?;
        let readings = readings(recorded, &mut call, &bundle)?;
        let prepared = prepare(&bundle, call, readings);
        let mut again = decide_again(entry, recorded, &bundle, &prepared);
        again.verdict.forget_what_was_not_kept(&recorded.decision);
        let is_equal = again.verdict == recorded.decision && again.charges == recorded.charges;
        Ok(Remade::Call { bundle, prepared: Box::new(prepared), limits: again.limits, is_equal })
    }

    pub(crate) fn bundle(&mut self, digest: &str) -> Result<Arc<Bundle>, Error> {
        if let Some(bundle) = self.bundles.get(digest) {
            return Ok(Arc::clone(bundle));
        }
        let bundle = load_bundle(self.store, self.workspace, digest)
            .ok_or_else(|| Error::internal("the bundle of a decision is missing"))?;
        let bundle = Arc::new(bundle);
        self.bundles.insert(digest.to_owned(), Arc::clone(&bundle));
        Ok(bundle)
    }
}

fn decide_again(entry: &Entry, recorded: &DecisionBody, bundle: &Bundle, prepared: &Prepared) -> Decided {
    let evidence = recorded.redemption.as_ref().map(|redemption| redemption.evidence.clone());
    let again = Decided::from(decide(bundle, prepared, &recorded.state.facts(entry.at, evidence)));
    if entry.kind == Kind::Redemption { again.for_redemption() } else { again }
}

/// The readings of the record; where they were too large for it, made again.
pub fn readings(recorded: &DecisionBody, call: &mut Call, bundle: &Bundle) -> Result<Readings, Error> {
    let Some(text) = recorded.readings.as_ref() else {
        return Ok(inspect::read_all(call, bundle.catalogue(), bundle.settings()));
    };
    let value = json::read(text.get().as_bytes(), &Limits { max_depth: 64, ..Limits::default() })
        .map_err(|failure| Error::internal("recorded readings could not be read").because(failure))?;
    let readings = Readings::from_value(&value);
    for found in &readings.found {
        call.action.add(bundle.catalogue(), found);
    }
    Ok(readings)
}
