//! What clients were told, against the ledger.

use crate::LIMIT;
use crate::clients::{History, Told};
use crate::cluster::Cluster;
use runplane_store::postgres::Options;
use runplane_store::{Address, PostgresStore, Store};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::fmt;

/// What there was to check, and how often there was no answer.
pub struct Checked {
    entries: usize,
    acknowledged: usize,
    attempts: usize,
    failures: usize,
    unanswered: usize,
    redeemed: usize,
    allowed_of_limit: usize,
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entries, acknowledged, attempts, failures, unanswered, redeemed, allowed_of_limit } = self;
        write!(
            f,
            "{acknowledged} decisions acknowledged, {entries} entries, {attempts} attempts of which {failures} failed \
             and {unanswered} calls never had an answer; {redeemed} approvals redeemed; {allowed_of_limit} of {LIMIT} \
             of the limit used"
        )
    }
}

pub fn check(cluster: &Cluster, histories: &[History]) -> Checked {
    let entries = read(cluster);
    let told: Vec<&Told> = histories.iter().flat_map(|history| &history.told).collect();
    assert!(told.len() > 100, "only {} answers: nothing was tested", told.len());
    acknowledged_is_recorded(&entries, &told);
    once_each(&entries);
    redeemed_once(&entries, &told);
    contained_is_blocked(&entries);
    in_the_order_of_time(&told);
    let allowed = entries.iter().filter(|entry| is(entry, "read_balance", "ALLOW")).count();
    assert!(allowed <= LIMIT, "{allowed} calls of a limit of {LIMIT} were let through");
    let blocked = entries.iter().any(|entry| is(entry, "read_balance", "BLOCK"));
    assert!(!blocked || allowed == LIMIT, "the limit stopped calls after {allowed} of {LIMIT}");
    Checked {
        entries: entries.len(),
        acknowledged: told.len(),
        attempts: histories.iter().map(|history| history.attempts).sum(),
        failures: histories.iter().map(|history| history.failures).sum(),
        unanswered: histories.iter().map(|history| history.unanswered.len()).sum(),
        redeemed: told.iter().filter(|told| told.redeemed.as_ref().is_some_and(|ids| !ids.is_empty())).count(),
        allowed_of_limit: allowed,
    }
}

fn read(cluster: &Cluster) -> Vec<Value> {
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

fn is(entry: &Value, action: &str, outcome: &str) -> bool {
    let body = &entry["body"];
    entry["kind"] == "decision" && body["action"]["type"] == action && body["decision"]["outcome"] == outcome
}

/// No acknowledged decision is missing or another one, and none is laxer than policy.
fn acknowledged_is_recorded(entries: &[Value], told: &[&Told]) {
    for Told { action, request, answer, .. } in told {
        let index = usize::try_from(answer["ledger"]["index"].as_u64().unwrap()).unwrap();
        let entry = entries.get(index).unwrap_or_else(|| panic!("entry {index} is not on the ledger: {answer}"));
        assert_eq!(entry["body"]["requestId"], **request, "{entry}");
        assert_eq!(entry["body"]["decision"]["outcome"], answer["decision"], "{entry}");
        let outcome = answer["decision"].as_str().unwrap();
        let expected: &[&str] = match *action {
            "send_email" => &["BLOCK"],
            "process_refund" => &["REQUIRE_APPROVAL"],
            _ => &["ALLOW", "BLOCK"],
        };
        assert!(expected.contains(&outcome), "{action}: {answer}");
    }
}

/// However often it was asked, a request is one decision.
fn once_each(entries: &[Value]) {
    let mut seen = HashSet::new();
    for entry in entries.iter().filter(|entry| entry["kind"] == "decision") {
        let request = entry["body"]["requestId"].as_str().unwrap();
        // An ALLOW that is asked for again while its action is contained is answered with a BLOCK of its own.
        let is_contained = entry["body"]["decision"]["code"] == "containment";
        assert!(seen.insert(request) || is_contained, "`{request}` was decided twice: {entry}");
    }
}

/// Of several redemptions of one approval one is let through, on the ledger and by what clients heard.
fn redeemed_once(entries: &[Value], told: &[&Told]) {
    let mut redeemed: HashMap<u64, usize> = HashMap::new();
    for entry in entries.iter().filter(|entry| entry["kind"] == "redemption") {
        *redeemed.entry(entry["body"]["redemption"]["held"].as_u64().unwrap()).or_default() += 1;
    }
    assert!(redeemed.values().all(|times| *times == 1), "{redeemed:?}");
    for Told { answer, redeemed: ids, .. } in told {
        let Some(ids) = ids else { continue };
        assert!(ids.len() <= 1, "{ids:?} were both let through: {answer}");
        let index = answer["ledger"]["index"].as_u64().unwrap();
        assert!(ids.is_empty() || redeemed.contains_key(&index), "a redemption is not on the ledger: {answer}");
    }
}

/// From the entry of a switch on, until the entry that releases it, nothing it covers is let through.
fn contained_is_blocked(entries: &[Value]) {
    let (mut contained, mut times) = (0, 0);
    for entry in entries {
        match entry["body"]["change"].as_str() {
            Some("switch_thrown") => (contained, times) = (contained + 1, times + 1),
            Some("switch_released") => contained -= 1,
            _ => assert!(contained == 0 || !is(entry, "create_charge", "ALLOW"), "{entry}"),
        }
    }
    assert!(times > 0, "nothing was ever contained");
}

/// What was answered before another call was asked comes before it: decisions are linearizable, and with them limits.
fn in_the_order_of_time(told: &[&Told]) {
    let mut heard: Vec<_> =
        told.iter().map(|told| (told.heard, told.answer["ledger"]["index"].as_u64().unwrap())).collect();
    heard.sort_unstable();
    let mut asked: Vec<&&Told> = told.iter().filter(|told| told.is_fresh && told.answer["replayed"] != true).collect();
    asked.sort_unstable_by_key(|told| told.asked);
    let (mut next, mut newest) = (0, None);
    for told in asked {
        while next < heard.len() && heard[next].0 < told.asked {
            newest = newest.max(Some(heard[next].1));
            next += 1;
        }
        let index = told.answer["ledger"]["index"].as_u64();
        assert!(newest < index, "asked after entry {newest:?} was answered, and placed before it: {}", told.answer);
    }
}
