//! A node that is stopped by a signal while it holds the lock of a workspace: nobody else waits for it, and when it is
//! let go on it has decided nothing late.

use crate::checker;
use crate::cluster::{Cluster, Session};
use crate::nodes::Nodes;
use crate::random;
use reqwest::blocking::Client;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const LIMIT: usize = 60;
const POLICY: &str = "
policy: frozen
rules:
  - { id: limited, action: read_balance, limit: { count: 60, within: 24h, per: [agent], otherwise: BLOCK }, decision: ALLOW }
";
/// The sessions that have the lock of a head and from which nothing came since: the last that a turn begins with is
/// to take it.
const HOLDS: &str = "SELECT coalesce(string_agg(concat(pid, ' ', xact_start), ','), '') FROM pg_stat_activity \
     WHERE application_name = 'runplane' AND state = 'idle in transaction' AND query LIKE '%runplane.lock_head%'";
/// It may be stopped before it has read that the lock is its own. Then it begins anew, and refuses nothing.
const ROUNDS: usize = 20;

/// Tells those who ask to stop, also where the test fails meanwhile.
struct Ending<'s>(&'s AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

struct Door {
    http: Client,
    url: String,
    key: String,
}

impl Door {
    fn of(nodes: &Nodes, port: u16) -> Self {
        let http = Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().unwrap();
        Self { http, url: format!("http://127.0.0.1:{port}"), key: nodes.key("agentKey") }
    }

    fn ask(&self, request: &str) -> (u16, Value) {
        let body = json!({ "requestId": request, "action": { "type": "read_balance", "target": "stripe" } });
        let sent = self.http.post(format!("{}/api/v1/guard", self.url)).bearer_auth(&self.key);
        let answer = sent.header("runplane-client", "frozen/1").json(&body).send().unwrap();
        (answer.status().as_u16(), answer.json().unwrap())
    }

    fn wait_until_ready(&self) {
        let began = Instant::now();
        while !self.http.get(format!("{}/readyz", self.url)).send().is_ok_and(|answer| answer.status() == 200) {
            assert!(began.elapsed() < Duration::from_secs(60), "a node does not start");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Stops the first node again and again, until it is stopped at the wrong moment; says with which session. To find that
/// out may not take longer than a turn may be idle.
fn stop_with_the_lock(database: &mut Session, nodes: &Nodes) -> String {
    for _ in 0..500 {
        thread::sleep(Duration::from_micros(random(4_000)));
        nodes.signal(0, "STOP");
        let session = database.ask(HOLDS);
        thread::sleep(Duration::from_millis(10));
        if !session.is_empty() && database.ask(HOLDS) == session {
            return session;
        }
        nodes.signal(0, "CONT");
    }
    panic!("the node was never stopped while it held the lock")
}

#[test]
fn a_node_that_is_stopped_with_the_lock_stops_nobody_else_and_decides_nothing_late() {
    let cluster = Cluster::start();
    let nodes = Nodes::start(&cluster.url(), 2);
    let [first, second] = nodes.ports()[..] else { panic!("two nodes") };
    let (frozen, other) = (Door::of(&nodes, first), Door::of(&nodes, second));
    frozen.wait_until_ready();
    other.wait_until_ready();
    let put = frozen.http.put(format!("{}/api/v1/policies/frozen", frozen.url)).bearer_auth(nodes.key("adminToken"));
    assert_eq!(put.json(&json!({ "yaml": POLICY })).send().unwrap().status(), 200);

    let mut database = cluster.session();
    let (stop, refused) = (AtomicBool::new(false), AtomicUsize::new(0));
    let told = thread::scope(|scope| {
        let asking: Vec<_> = (0..8)
            .map(|client| {
                let (frozen, stop, refused) = (&frozen, &stop, &refused);
                scope.spawn(move || {
                    let mut told = Vec::new();
                    for number in 0.. {
                        if stop.load(Ordering::SeqCst) {
                            break;
                        }
                        let request = format!("frozen-{client}-{number}");
                        let (status, answer) = frozen.ask(&request);
                        refused.fetch_add(usize::from(status == 503), Ordering::SeqCst);
                        told.push((request, status, answer));
                    }
                    told
                })
            })
            .collect();
        let ending = Ending(&stop);
        for round in 0..ROUNDS {
            let session = stop_with_the_lock(&mut database, &nodes);
            let began = Instant::now();
            let meanwhile: Vec<_> = (0..5).map(|number| other.ask(&format!("other-{round}-{number}"))).collect();
            let waited = began.elapsed();
            let holds = database.ask(HOLDS);
            nodes.signal(0, "CONT");
            assert!(!holds.contains(&session), "the lock was not taken from it: {session} of {holds}");
            assert!(waited < Duration::from_secs(5), "the other node waited for {waited:?}");
            assert!(meanwhile.iter().all(|(status, _)| *status == 200), "{meanwhile:?}");
            thread::sleep(Duration::from_millis(200));
            if refused.load(Ordering::SeqCst) > 0 {
                break;
            }
        }
        drop(ending);
        asking.into_iter().flat_map(|client| client.join().unwrap()).collect::<Vec<_>>()
    });
    let (status, answer) = frozen.ask("afterwards");
    assert_eq!(status, 200, "it goes on: {answer}");

    let used_up =
        (0..=LIMIT).map(|number| other.ask(&format!("rest-{number}")).1).any(|answer| answer["decision"] == "BLOCK");
    assert!(used_up, "the limit has an end");

    let entries = checker::read(&cluster);
    assert!(refused.into_inner() > 0, "what it was deciding when it was stopped was not decided");
    for (request, status, answer) in &told {
        let recorded = entries.iter().filter(|entry| entry["body"]["requestId"] == **request).count();
        match status {
            200 => {
                let entry = &entries[usize::try_from(answer["ledger"]["index"].as_u64().unwrap()).unwrap()];
                assert_eq!(entry["body"]["requestId"], **request, "{answer}");
                assert_eq!(recorded, 1, "{answer}");
            }
            503 => assert_eq!(recorded, 0, "it was said not to be decided: {answer}"),
            _ => panic!("{status} {answer}"),
        }
    }
    let allowed = entries.iter().filter(|entry| entry["body"]["decision"]["outcome"] == "ALLOW").count();
    assert_eq!(allowed, LIMIT, "of a limit of {LIMIT}");
    nodes.stop();
    nodes.verify();
}
