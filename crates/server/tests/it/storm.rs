//! Many clients against limits by count and by sum, with denials, approvals, expiries, failures, time that passes and
//! restarts at random: never over, never under where shares came back. What the ledger records is counted again, slowly,
//! and compared entry by entry; and the ledger adds up to the very state that is kept.

use crate::harness::Server;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

const POLICY: &str = "
policy: test
meters:
  paid:
    sum: context.amount
    action: process_refund
    within: 1h
    per: [agent]
    refund: reported_failure
rules:
  - { id: small, action: process_refund, decision: ALLOW, when: context.amount < 8 }
  - { id: large, action: process_refund, decision: REQUIRE_APPROVAL, when: context.amount >= 8, approval: { expires: 10m } }
  - id: cap
    action: process_refund
    limit: { count: 60, within: 1h, per: [agent], otherwise: BLOCK, refund: reported_failure }
  - { id: sum, action: process_refund, when: meters.paid + context.amount > 300, decision: BLOCK }
";

const CAP: i64 = 60;
const SUM: i64 = 300;
/// The window, and what it may count too long: it moves in steps of a sixtieth and keeps a step until all of it is past.
const WINDOW: i64 = 3_600_000_000;
const ROUNDED: i64 = WINDOW / 60 * 2;

#[allow(clippy::disallowed_methods)] // tests have no config.rs
fn is_full() -> bool {
    std::env::var_os("RUNPLANE_FULL").is_some_and(|value| value == "1")
}

fn dice(state: &mut u64, sides: u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) % sides
}

/// What each request asked for, by its id.
type Amounts = Arc<Mutex<BTreeMap<String, i64>>>;

async fn client(server: Arc<Server>, seed: u64, calls: usize, amounts: Amounts) {
    let state = &mut { seed };
    let key = server.installed.agent_key.clone();
    for _ in 0..calls {
        let amount = i64::try_from(dice(state, 12)).unwrap() + 1;
        let answer = server.act("process_refund", "stripe", json!({ "amount": amount })).await;
        amounts.lock().unwrap().insert(answer.text("requestId").to_owned(), amount);
        let roll = dice(state, 4);
        if dice(state, 16) == 0 {
            // Holds run out and windows move while others are being decided.
            server.advance(dice(state, 60));
        }
        match answer.text("decision") {
            "ALLOW" => {
                let status = ["succeeded", "failed", "failed", "unknown"][usize::try_from(roll).unwrap()];
                let path = format!("/api/v1/executions/{}", answer.text("requestId"));
                server.post_as(&key, &path, &json!({ "status": status })).await;
            }
            "REQUIRE_APPROVAL" => {
                let approval = format!("/api/v1/approvals/{}", answer.text("approvalId"));
                match roll {
                    0 => drop(server.admin_post(&format!("{approval}/deny"), &json!({})).await),
                    1 => drop(server.admin_post(&format!("{approval}/cancel"), &json!({})).await),
                    2 => {
                        server.admin_post(&format!("{approval}/approve"), &json!({})).await;
                        if dice(state, 4) == 0 {
                            // Approved, and never asked for.
                            continue;
                        }
                        server.post_as(&key, &format!("{approval}/redeem"), &json!({ "redemptionId": "r" })).await;
                    }
                    // Nobody answers: it will expire.
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

/// What is used, by the index of the decision or of the hold behind it: when it was taken, and how much.
#[derive(Default)]
struct Used(BTreeMap<u64, (i64, i64)>);

impl Used {
    /// Count and sum of what was taken after `since`.
    fn after(&self, since: i64) -> (i64, i64) {
        let taken = self.0.values().filter(|(at, _)| *at > since);
        taken.fold((0, 0), |(count, sum), (_, amount)| (count + 1, sum + amount))
    }
}

/// Counts again what the ledger says, one entry after the other.
fn check(entries: &[Value], amounts: &BTreeMap<String, i64>) -> (usize, usize, usize) {
    let mut used = Used::default();
    let (mut allowed, mut refused, mut came_back) = (0, 0, 0);
    for (index, entry) in (0u64..).zip(entries) {
        let (body, at) = (&entry["body"], entry["at"].as_i64().unwrap());
        let mut free = |used: &mut Used, place: &Value| {
            came_back += usize::from(used.0.remove(&place.as_u64().unwrap()).is_some());
        };
        match entry["kind"].as_str().unwrap() {
            kind @ ("decision" | "redemption") => {
                let place = if kind == "redemption" { body["redemption"]["held"].as_u64().unwrap() } else { index };
                used.0.remove(&place);
                let amount = amounts[body["requestId"].as_str().unwrap()];
                // Certainly in the window; and what may still be counted.
                let ((count, sum), (most, most_sum)) = (used.after(at - WINDOW), used.after(at - WINDOW - ROUNDED));
                let decision = &body["decision"];
                if decision["outcome"] == "BLOCK" {
                    refused += 1;
                    match decision["matchedRule"].as_str().unwrap() {
                        "test/cap" => assert!(most >= CAP, "entry {index} was refused too early: {most}"),
                        "test/sum" => {
                            assert!(most_sum + amount > SUM, "entry {index} was refused early: {most_sum} + {amount}");
                        }
                        other => panic!("entry {index} was blocked by {other}"),
                    }
                } else {
                    allowed += 1;
                    used.0.insert(place, (at, amount));
                    assert!(
                        count < CAP && sum + amount <= SUM,
                        "entry {index} is one too many: {count}, {sum} + {amount}"
                    );
                    let read = |rule: &str| {
                        let limits = body["limits"].as_array().unwrap().iter();
                        let found = limits.clone().find(|limit| limit["rule"] == rule).unwrap();
                        found["used"].as_str().unwrap().parse::<i64>().unwrap()
                    };
                    assert!((count + 1..=most + 1).contains(&read("test/cap")), "entry {index}");
                    assert!((sum + amount..=most_sum + amount).contains(&read("test/sum")), "entry {index}");
                }
            }
            "vote" if body["state"] == "denied" => free(&mut used, &body["held"]),
            "closed" => free(&mut used, &body["held"]),
            "outcome" if body["status"] == "failed" => free(&mut used, &body["decision"]),
            _ => {}
        }
    }
    (allowed, refused, came_back)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_over_and_never_under_whatever_happens() {
    let (clients, calls, rounds) = if is_full() { (256, 12, 6) } else { (48, 5, 3) };
    let amounts: Amounts = Amounts::default();
    let mut server = Server::with_policy(POLICY).await;
    for round in 0..rounds {
        let shared = Arc::new(server);
        let tasks: Vec<_> = (0..clients)
            .map(|number| {
                let (server, amounts) = (Arc::clone(&shared), Arc::clone(&amounts));
                let seed = u64::try_from(round * 1_000 + number).unwrap();
                #[allow(clippy::disallowed_methods, reason = "joined below")]
                tokio::spawn(client(server, seed, calls, amounts))
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        // Some of what nobody answered has expired when the state is loaded again, and some has not.
        shared.advance(200 + dice(&mut u64::try_from(round).unwrap(), 500));
        server = Arc::into_inner(shared).unwrap().restart().await;
    }
    let (allowed, refused, came_back) = check(&server.entries(), &amounts.lock().unwrap());
    assert!(
        allowed > 80 && refused > 20 && came_back > 20,
        "{allowed} allowed, {refused} refused, {came_back} came back"
    );
    let workspace = server.app.workspace("default").unwrap();
    let state = runplane_server::check_state(&*server.app.store, &workspace.id).unwrap();
    assert_eq!(state.differences, Vec::<String>::new());
    assert!(state.decisions > 100 && state.snapshots > 0 && state.erased == 0, "{state:?}");
}
