//! `kill -9` under load: whatever a client was told is on the ledger, and told again.
//!
//! 64 clients ask; after a random number of answers the server is killed where it stands and started again on
//! the same folder. Three times, or twenty with `RUNPLANE_FULL=1`. A limit on a sum is reached on the way: what was
//! allowed comes to no more, whatever was in flight when the server was killed, and to nearly as much.

use crate::binary::{Installation, Server, asked_for, code, stderr, stdout};
use reqwest::blocking::Client;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, mpsc};
use std::thread;

const CLIENTS: usize = 64;
/// The kill comes after at most so many answers.
const LONGEST: u64 = 1_000;

/// What charges may come to, all rounds together; the smallest is 200, the largest some hundreds more.
const MOST: u64 = 60_000;
const CAPPED: &str = "
policy: cap
meters:
  charged: { sum: context.amount, action: create_charge, within: 744h, per: [agent] }
rules:
  - { id: all, action: create_charge, when: meters.charged + context.amount > 60000, decision: BLOCK }
";

/// A charge that is refused whatever there was before.
const LARGE: u64 = 60_000;

/// What a client was told.
struct Told {
    body: Value,
    answer: Value,
}

#[test]
fn every_answer_survives_a_kill() {
    let installation = Installation::new();
    let rounds = if asked_for("RUNPLANE_FULL") { 20 } else { 3 };
    let mut told = Vec::new();
    let file = installation.folder.path().join("cap.yaml");
    std::fs::write(&file, CAPPED).unwrap();
    let server = installation.serve();
    let put = server.run(&["policy", "put", file.to_str().unwrap()]);
    assert_eq!(code(&put), 0, "{}{}", stdout(&put), stderr(&put));
    drop(server);
    for round in 0..rounds {
        let mut server = installation.serve();
        let (answered, unanswered) = load_until_killed(&mut server, round);
        drop(server);
        assert!(unanswered.len() >= CLIENTS / 2, "the kill hit nobody");
        let first = told.len();
        told.extend(answered);
        check_ledger(&installation, &told);

        let server = installation.serve();
        retry(&server, &told[first..]);
        // What nobody heard of was either recorded or not; asked again it has one answer, and keeps it.
        let heard = unanswered.into_iter().map(|body| ask(&client(), &server.url, &key(&server), &body));
        let heard: Vec<Told> = heard.map(|told| told.expect("a sound server did not answer")).collect();
        retry(&server, &heard);
        told.extend(heard);
        drop(server);
        check_ledger(&installation, &told);
        check_sum(&told);
    }
}

/// Decisions of every kind, none of them for long.
fn body(round: usize, client: usize, number: usize) -> Value {
    let (kind, context) = match number % 4 {
        0 => ("read_balance", json!({})),
        1 => ("create_charge", json!({ "amount": 200 + number, "currency": "usd" })),
        2 => ("create_charge", json!({ "amount": LARGE, "currency": "usd" })),
        _ => ("process_refund", json!({ "amount": 800 + client, "currency": "usd" })),
    };
    json!({
        "action": { "type": kind, "target": "stripe", "context": context },
        "requestId": format!("kill-{round}-{client}-{number}"),
    })
}

/// Asks from all clients until the server is killed; what was answered, and what was not.
fn load_until_killed(server: &mut Server<'_>, round: usize) -> (Vec<Told>, Vec<Value>) {
    let (answered, unanswered) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let last = RandomState::new().hash_one(round) % LONGEST;
    let (url, key, http) = (server.url.clone(), key(server), client());
    let (tick, ticks) = mpsc::channel();
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (answered, unanswered, tick) = (&answered, &unanswered, tick.clone());
            let (url, key, http) = (&url, &key, http.clone());
            scope.spawn(move || {
                for number in 0.. {
                    let body = body(round, client, number);
                    match ask(&http, url, key, &body) {
                        Some(told) => answered.lock().unwrap().push(told),
                        None => return unanswered.lock().unwrap().push(body),
                    }
                    // Nobody counts any more once the server is killed.
                    let _ = tick.send(());
                }
            });
        }
        drop(tick);
        ticks.iter().take(usize::try_from(last).unwrap()).for_each(drop);
        server.kill();
    });
    (answered.into_inner().unwrap(), unanswered.into_inner().unwrap())
}

fn client() -> Client {
    Client::builder().no_proxy().pool_max_idle_per_host(CLIENTS).build().unwrap()
}

fn key(server: &Server<'_>) -> String {
    server.installation.key("agentKey").to_owned()
}

/// The decision, if the whole answer arrived.
fn ask(http: &Client, url: &str, key: &str, body: &Value) -> Option<Told> {
    let response = http.post(format!("{url}/api/v1/guard")).bearer_auth(key).json(body).send().ok()?;
    let status = response.status();
    let answer: Value = response.json().ok()?;
    assert_eq!(status, 200, "{answer}");
    Some(Told { body: body.clone(), answer })
}

/// Asked again with the same id, everybody is told the same.
fn retry(server: &Server<'_>, told: &[Told]) {
    let (http, key) = (client(), key(server));
    thread::scope(|scope| {
        for part in told.chunks(told.len().div_ceil(CLIENTS).max(1)) {
            let (http, key) = (http.clone(), &key);
            scope.spawn(move || {
                for told in part {
                    let again = ask(&http, &server.url, key, &told.body).expect("a sound server did not answer");
                    assert_eq!(again.answer["replayed"], true, "{}", again.answer);
                    for member in ["decision", "requestId", "approvalId", "matchedRule", "reason"] {
                        assert_eq!(again.answer[member], told.answer[member], "{member} of {}", told.answer);
                    }
                    assert_eq!(again.answer["ledger"]["index"], told.answer["ledger"]["index"]);
                }
            });
        }
    });
}

/// The ledger verifies, and every decision stands at its index with its id and its outcome.
fn check_ledger(installation: &Installation, told: &[Told]) {
    let verified = installation.command(&["audit", "verify", "--state"]).output().unwrap();
    assert_eq!(code(&verified), 0, "{}{}", stdout(&verified), stderr(&verified));
    let exported = installation.command(&["audit", "export"]).output().unwrap();
    assert_eq!(code(&exported), 0, "{}", stderr(&exported));
    let text = stdout(&exported);
    let entries: HashMap<u64, Value> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter_map(|mut line| Some((line["index"].as_u64()?, line["entry"].take())))
        .collect();
    for Told { answer, .. } in told {
        let index = answer["ledger"]["index"].as_u64().unwrap();
        let entry = entries.get(&index).unwrap_or_else(|| panic!("entry {index} is not on the ledger: {answer}"));
        assert_eq!(entry["body"]["requestId"], answer["requestId"], "{entry}");
        assert_eq!(entry["body"]["decision"]["outcome"], answer["decision"], "{entry}");
    }
}

/// Once everybody was answered.
fn check_sum(told: &[Told]) {
    let of_charges = |wanted: &str| {
        let charges = told.iter().filter(move |told| told.body["action"]["type"] == "create_charge");
        charges.filter(|told| told.answer["decision"] == *wanted).map(|told| amount(&told.body)).collect::<Vec<u64>>()
    };
    let allowed: u64 = of_charges("ALLOW").iter().sum();
    assert!(allowed <= MOST, "{allowed} were allowed");
    // The largest that was refused had no room at the end either.
    let refused = of_charges("BLOCK").into_iter().filter(|amount| *amount < LARGE).max();
    assert!(refused.is_none_or(|amount| allowed + amount > MOST), "{allowed} were allowed, and {refused:?} was not");
}

fn amount(body: &Value) -> u64 {
    body["action"]["context"]["amount"].as_u64().unwrap()
}
