//! What is kept beside the ledger: snapshots and held actions.

use super::Check;
use crate::error::Error;
use crate::held::Held;
use crate::sequencer::snapshot;
use runplane_core::decimal::Decimal;
use runplane_core::meter::{CounterId, MeterKey, Meters};
use runplane_core::profile::Profiles;
use runplane_core::time::Micros;
use runplane_store::{Snapshot, Store};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Snapshots this version would start from, in the order of the ledger.
pub(super) fn usable_snapshots(store: &dyn Store, workspace: &str, size: u64) -> Result<Vec<Snapshot>, Error> {
    let mut kept = store.load_snapshots(workspace)?;
    kept.retain(|snapshot| snapshot.size <= size && snapshot::is_known(snapshot));
    kept.sort_by_key(|snapshot| snapshot.size);
    Ok(kept)
}

/// What each key of these counters says.
fn values(meters: &Meters, counters: &BTreeSet<CounterId>, at: Micros) -> BTreeMap<MeterKey, Decimal> {
    let mut values = BTreeMap::new();
    let looked = meters.visit(at, |key, value| {
        if counters.contains(&key.counter()) {
            values.insert(key, value);
        }
    });
    // Nothing of it is on disk, so there is nothing that could not be read.
    looked.map_or_else(|_| BTreeMap::new(), |()| values)
}

/// The counters of which the two do not say the same.
pub(super) fn differing(kept: &Meters, added: &Meters, counters: &[CounterId], at: Micros) -> BTreeSet<CounterId> {
    if kept == added {
        return BTreeSet::new();
    }
    let all: BTreeSet<CounterId> = counters.iter().copied().collect();
    let (kept, added) = (values(kept, &all, at), values(added, &all, at));
    let keys = kept.keys().chain(added.keys());
    let other: BTreeSet<CounterId> =
        keys.filter(|key| kept.get(*key) != added.get(*key)).map(MeterKey::counter).collect();
    // They say the same now and not for ever, which of them is not told apart.
    if other.is_empty() { all } else { other }
}

impl Check<'_> {
    pub(super) fn compare_snapshot(&mut self, row: &Snapshot) -> Result<(), Error> {
        // One that is not whole (its pieces went with the lists, say), or not of this ledger and entry, is no snapshot: no
        // start goes on from it.
        let Some(kept) = snapshot::load(self.store, self.workspace, row, None)? else { return Ok(()) };
        self.report.snapshots += 1;
        if self.state.take_at(self.workspace, self.report.entries, self.leaf).head()? == row.bytes {
            return Ok(());
        }
        let at = self.state.meter_time(self.state.time);
        let told = self.report.differences.len();
        let all: BTreeSet<CounterId> = self.names.keys().chain(&self.seen).copied().collect();
        let (said, added) = (values(&kept.meters, &all, at), values(&self.state.meters, &all, at));
        let keys: BTreeSet<&MeterKey> = said.keys().chain(added.keys()).collect();
        for key in keys {
            let says = |values: &BTreeMap<MeterKey, Decimal>| values.get(key).copied().unwrap_or(Decimal::ZERO);
            let (kept, added) = (says(&said), says(&added));
            if kept != added {
                let name = self.name(key.counter());
                self.snapshot_differs(row, format_args!("{name} of key {} is {kept}, the ledger says {added}", key.id));
            }
        }
        for (agent, action) in profiles_that_differ(&kept.profiles, &self.state.profiles) {
            self.snapshot_differs(row, format_args!("the profile of {agent}{action} is not what its reports taught"));
        }
        if kept.skipped != self.state.skipped {
            self.snapshot_differs(row, "windows are widened otherwise than the steps of the clock add up to");
        }
        if (kept.decided, kept.fill_from) != (self.state.decided, self.state.fill_from) {
            self.snapshot_differs(row, "counters wait for another past than the ledger says");
        }
        if self.report.differences.len() == told {
            self.snapshot_differs(row, "it is not what the entries before it add up to");
        }
        Ok(())
    }

    fn snapshot_differs(&mut self, row: &Snapshot, what: impl std::fmt::Display) {
        self.tell(format!("the snapshot at entry {}: {what}", row.size));
    }

    pub(super) fn compare_approvals(&mut self) -> Result<(), Error> {
        let mut kept: BTreeMap<String, Held> = BTreeMap::new();
        for row in self.store.list_open_approvals(self.workspace)? {
            let held = Held::parse(&row.bytes)?;
            kept.insert(held.id().to_owned(), held);
        }
        self.report.open_approvals = self.open.len();
        let open = std::mem::take(&mut self.open);
        for (index, hold) in &open {
            let Some(held) = kept.remove(&hold.id) else {
                self.tell(format!("approval {} of entry {index} is open and is not kept as such", hold.id));
                continue;
            };
            let (found, says) = (held.approval.state, hold.state);
            if found != says {
                let (id, found, says) = (&hold.id, found.as_str(), says.as_str());
                self.tell(format!("approval {id} of entry {index} is kept as {found}, the ledger says {says}"));
            }
            let is_younger = |charge: &runplane_core::meter::Charge| {
                self.began.get(&charge.key.counter()).is_some_and(|began| began > index)
            };
            let is_kept = hold.charges.iter().all(|charge| held.charges.contains(charge));
            let is_its = held.charges.iter().all(|charge| hold.charges.contains(charge) || is_younger(charge));
            if !is_kept || !is_its || held.charged_at != hold.at {
                self.tell(format!("approval {} of entry {index} is kept with other shares of limits", hold.id));
            }
        }
        for id in kept.keys() {
            self.tell(format!("approval {id} is kept as open, and no entry says so"));
        }
        Ok(())
    }
}

/// Agents, and the types of action, of which profiles differ.
fn profiles_that_differ(kept: &Profiles, added: &Profiles) -> Vec<(String, String)> {
    if kept == added {
        return Vec::new();
    }
    let (kept, added) = (by_agent(kept), by_agent(added));
    let agents: BTreeSet<&String> = kept.keys().chain(added.keys()).collect();
    let mut found = Vec::new();
    for agent in agents {
        let of = |all: &BTreeMap<String, Value>| all.get(agent).cloned().unwrap_or_default();
        let (kept, added) = (of(&kept), of(&added));
        if kept == added {
            continue;
        }
        let types = |profile: &Value| profile.get("types").and_then(Value::as_object).cloned().unwrap_or_default();
        let (kept, added) = (types(&kept), types(&added));
        let names: BTreeSet<&String> = kept.keys().chain(added.keys()).collect();
        let other: Vec<&str> =
            names.into_iter().filter(|name| kept.get(*name) != added.get(*name)).map(String::as_str).collect();
        let action = if other.is_empty() { String::new() } else { format!(" for {}", other.join(", ")) };
        found.push((agent.clone(), action));
    }
    found
}

fn by_agent(profiles: &Profiles) -> BTreeMap<String, Value> {
    let written = serde_json::to_value(profiles).unwrap_or_default();
    let agents = written.get("agents").and_then(Value::as_array).cloned().unwrap_or_default();
    let named = |profile: Value| Some((profile.get("agent")?.as_str()?.to_owned(), profile));
    agents.into_iter().filter_map(named).collect()
}
