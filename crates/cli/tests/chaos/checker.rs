//! What clients were told, against the ledger, and the ledger against the rules.
//!
//! The order of the ledger is the order in which everything is said to have happened. It is the right one if every
//! entry says what one thread would have said at its place ([`Model`]), if it never turns round what clients saw to
//! happen one after the other, and if every answer is that of its entry. That is linearizability, with the witness.

use crate::cluster::Cluster;
use crate::history::{Event, History, Told};
use crate::model::{Model, Stand};
use crate::policy::LIMITS;
use runplane_store::postgres::Options;
use runplane_store::{Address, PostgresStore, Store};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::time::Instant;

/// What there was to check.
pub struct Checked {
    entries: usize,
    decisions: usize,
    events: usize,
    stands: Vec<(Stand, usize)>,
    limited: HashMap<&'static str, [usize; 2]>,
    switches: usize,
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entries, decisions, events, stands, limited, switches } = self;
        write!(f, "checked: {events} answers, {decisions} of them decisions, against {entries} entries; ")?;
        write!(f, "containment thrown {switches} times")?;
        for limit in &LIMITS {
            let [let_through, stopped] = limited[limit.action];
            write!(f, "\n  {}: {let_through} let through, {stopped} stopped", limit.action)?;
        }
        write!(f, "\n  approvals:")?;
        for (stand, count) in stands {
            write!(f, " {count} {stand:?}")?;
        }
        Ok(())
    }
}

pub fn check(cluster: &Cluster, histories: &[History]) -> Checked {
    let entries = read(cluster);
    let mut model = Model::default();
    for (index, entry) in entries.iter().enumerate() {
        model.apply(u64::try_from(index).unwrap(), entry);
    }
    let events: Vec<&Event> = histories.iter().flat_map(|history| &history.events).collect();
    let held: HashMap<&str, u64> =
        model.approvals.iter().map(|(index, approval)| (approval.id.as_str(), *index)).collect();
    let ledger = Ledger { entries: &entries, model: &model, held };
    for event in &events {
        ledger.confirms(event);
    }
    ledger.holds_only_what_was_asked(histories);
    ledger.redeemed_by_one(&events);
    ledger.keeps_the_order_of_time(&events);
    ledger.was_not_seen_as_it_had_been(&events);
    let mut stands: HashMap<Stand, usize> = HashMap::new();
    model.approvals.values().for_each(|approval| *stands.entry(approval.stand).or_default() += 1);
    for stand in [Stand::Redeemed, Stand::Denied, Stand::Expired] {
        assert!(stands.contains_key(&stand), "no approval was ever {stand:?}: {stands:?}");
    }
    for limit in &LIMITS {
        let [let_through, stopped] = model.limited.get(limit.action).copied().unwrap_or_default();
        assert!(let_through > 0 && stopped > 0, "{}: {let_through} let through, {stopped} stopped", limit.action);
    }
    assert!(model.switches > 0, "nothing was ever contained");
    let mut stands: Vec<(Stand, usize)> = stands.into_iter().collect();
    stands.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let decisions = events.iter().filter(|event| matches!(event.told, Told::Decided { .. })).count();
    let (entries, events) = (entries.len(), events.len());
    Checked { entries, decisions, events, stands, limited: model.limited, switches: model.switches }
}

/// Every entry of the ledger, in its order.
pub fn read(cluster: &Cluster) -> Vec<Value> {
    let store = PostgresStore::open(&Address::parse(&cluster.url()).unwrap(), &Options::default()).unwrap();
    let workspace = store.list_workspaces().unwrap().remove(0).id;
    let mut entries: Vec<Value> = Vec::new();
    loop {
        let rows = store.read_entries(&workspace, entries.len() as u64, 4_096).unwrap();
        if rows.is_empty() {
            return entries;
        }
        entries.extend(rows.iter().map(|row| serde_json::from_slice::<Value>(&row.bytes).unwrap()));
    }
}

struct Ledger<'l> {
    entries: &'l [Value],
    model: &'l Model,
    /// Approval → index of what was held.
    held: HashMap<&'l str, u64>,
}

impl Ledger<'_> {
    fn entry(&self, index: u64) -> &Value {
        let at = usize::try_from(index).unwrap();
        self.entries.get(at).unwrap_or_else(|| panic!("entry {index} was acknowledged and is not there"))
    }

    fn approval(&self, id: &str) -> &crate::model::Approval {
        let index = self.held.get(id).unwrap_or_else(|| panic!("approval {id} was acknowledged and is not there"));
        &self.model.approvals[index]
    }

    /// No acknowledged answer is missing or another one.
    fn confirms(&self, event: &Event) {
        match &event.told {
            Told::Decided { action, request, outcome, index, approval, .. } => {
                let entry = self.entry(*index);
                assert_eq!(entry["kind"], "decision", "{entry}");
                assert_eq!(entry["body"]["requestId"], **request, "{entry}");
                assert_eq!(entry["body"]["action"]["type"], **action, "{entry}");
                assert_eq!(entry["body"]["decision"]["outcome"], **outcome, "{entry}");
                assert_eq!(entry["body"]["heldAs"]["id"].as_str(), approval.as_deref(), "{entry}");
            }
            Told::Voted { approval, verdict } => {
                let vote = &self.approval(approval).vote;
                assert!(
                    vote.as_ref().is_some_and(|(_, said)| said == verdict),
                    "{approval}: {verdict} was counted, {vote:?}"
                );
            }
            Told::TooLate { approval } => {
                assert!(self.decided_at(approval).is_some(), "{approval} was said to be decided");
            }
            Told::Redeemed { approval, redemption, outcome, index } => {
                let (entry, found) = (self.entry(*index), self.approval(approval));
                assert_eq!(entry["body"]["decision"]["outcome"], **outcome, "{entry}");
                assert_eq!((found.end, found.redemption.as_deref()), (Some(*index), Some(&**redemption)), "{entry}");
            }
            Told::Already { approval } => assert!(self.approval(approval).redemption.is_some(), "{approval}"),
            Told::NotApproved { approval, status } => {
                let found = self.approval(approval);
                let said = match status.as_str() {
                    "pending" => true,
                    "denied" => found.vote.as_ref().is_some_and(|(_, verdict)| verdict == "deny"),
                    "expired" => found.stand == Stand::Expired,
                    _ => false,
                };
                assert!(said, "{approval} was said to be {status}, and is {:?}", found.stand);
            }
        }
    }

    /// The first entry after which there is nothing to vote on.
    fn decided_at(&self, approval: &str) -> Option<u64> {
        let found = self.approval(approval);
        found.vote.as_ref().map(|(index, _)| *index).into_iter().chain(found.end).min()
    }

    /// Nothing was recorded that nobody had asked for.
    fn holds_only_what_was_asked(&self, histories: &[History]) {
        let told = histories.iter().flat_map(|history| &history.events).filter_map(|event| match &event.told {
            Told::Decided { request, .. } => Some(request.as_str()),
            _ => None,
        });
        let unanswered = histories.iter().flat_map(|history| history.unanswered.iter().map(String::as_str));
        let asked: HashSet<&str> = told.chain(unanswered).collect();
        for entry in self.entries.iter().filter(|entry| entry["kind"] == "decision") {
            let request = entry["body"]["requestId"].as_str().unwrap();
            assert!(asked.contains(request), "nobody asked for `{request}`: {entry}");
        }
    }

    /// Of all who tried to redeem an approval, whoever they are, one was let through.
    fn redeemed_by_one(&self, events: &[&Event]) {
        let mut by: HashMap<&str, &str> = HashMap::new();
        for event in events {
            let Told::Redeemed { approval, redemption, outcome, .. } = &event.told else { continue };
            if outcome == "ALLOW" {
                let first = by.entry(approval).or_insert(redemption);
                assert_eq!(first, redemption, "approval {approval} was redeemed twice");
            }
        }
    }

    /// The entry that an answer is about; nothing of a later index can have been needed for it.
    fn seen(&self, event: &Event) -> Option<u64> {
        match &event.told {
            Told::Decided { index, .. } | Told::Redeemed { index, .. } => Some(*index),
            Told::Voted { approval, .. } => self.approval(approval).vote.as_ref().map(|(index, _)| *index),
            Told::TooLate { approval } => self.decided_at(approval),
            Told::Already { approval } => self.approval(approval).end,
            Told::NotApproved { .. } => None,
        }
    }

    /// What was answered before something else was asked comes before it.
    fn keeps_the_order_of_time(&self, events: &[&Event]) {
        let mut heard: Vec<(Instant, u64)> =
            events.iter().filter_map(|event| Some((event.heard, self.seen(event)?))).collect();
        heard.sort_unstable();
        let mut asked: Vec<(&Event, u64)> = Vec::new();
        let mut by_time: Vec<&&Event> = events.iter().collect();
        by_time.sort_unstable_by_key(|event| event.asked);
        let mut redeemed = HashSet::new();
        for event in by_time {
            // What made an entry, and cannot have made it before it was asked.
            let makes = match &event.told {
                Told::Decided { replayed, .. } => !replayed,
                Told::Voted { .. } => true,
                Told::Redeemed { redemption, .. } => redeemed.insert(redemption),
                _ => false,
            };
            if makes && event.is_fresh {
                asked.push((event, self.seen(event).unwrap()));
            }
        }
        assert!(asked.len() > 100, "only {} answers: nothing was tested", asked.len());
        let (mut next, mut newest) = (0, None);
        for (event, index) in asked {
            while next < heard.len() && heard[next].0 < event.asked {
                newest = newest.max(Some(heard[next].1));
                next += 1;
            }
            assert!(newest < Some(index), "asked after entry {newest:?} had been answered, and placed at {index}");
        }
    }

    /// Whoever asks for a redemption after somebody had heard of the vote is not told that there was none.
    fn was_not_seen_as_it_had_been(&self, events: &[&Event]) {
        let mut voted: HashMap<&str, Instant> = HashMap::new();
        for event in events {
            if let Told::Voted { approval, .. } | Told::TooLate { approval } | Told::Already { approval } = &event.told
            {
                let first = voted.entry(approval).or_insert(event.heard);
                *first = event.heard.min(*first);
            }
        }
        for event in events {
            if let Told::NotApproved { approval, status } = &event.told
                && status == "pending"
            {
                let is_late = voted.get(approval.as_str()).is_some_and(|heard| *heard < event.asked);
                assert!(!is_late, "{approval} was said to be pending after its vote had been heard of");
            }
        }
    }
}
