//! Of two nodes one counts the past for a new limit; it is killed, and the other one takes over where it was.

use crate::cluster::Cluster;
use crate::nodes::Nodes;
use reqwest::blocking::Client;
use serde_json::{Value, json};
use std::thread;
use std::time::{Duration, Instant};

const CALLS: u64 = 12_000;
const CLIENTS: u64 = 32;
/// Further than between two times that progress is kept.
const FAR: u64 = 4_600;

struct Node<'a> {
    url: String,
    http: &'a Client,
    nodes: &'a Nodes,
}

impl Node<'_> {
    fn ask(&self) -> String {
        let body = json!({ "action": { "type": "read_balance", "target": "stripe", "context": {} } });
        let request = self.http.post(format!("{}/api/v1/guard", self.url)).json(&body);
        let request = request.bearer_auth(self.nodes.key("agentKey")).header("runplane-client", "test/1");
        let answer: Value = request.send().unwrap().json().unwrap();
        answer["decision"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// How far this node has counted; nothing once all of it is.
    fn filling(&self) -> Option<u64> {
        let request = self.http.get(format!("{}/api/v1/limits", self.url)).bearer_auth(self.nodes.key("adminToken"));
        let limits: Value = request.send().unwrap().json().unwrap();
        limits.get("filling").map(|filling| filling["read"].as_u64().unwrap())
    }
}

#[test]
fn when_the_node_that_counts_the_past_dies_another_one_goes_on() {
    let cluster = Cluster::start();
    let nodes = Nodes::start(&cluster.url(), 2);
    let http = Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap();
    let at = |port: u16| Node { url: format!("http://127.0.0.1:{port}"), http: &http, nodes: &nodes };
    let both: Vec<Node<'_>> = nodes.ports().into_iter().map(at).collect();
    for node in &both {
        let began = Instant::now();
        while http.get(format!("{}/healthz", node.url)).send().is_err() {
            assert!(began.elapsed() < Duration::from_secs(60), "a node does not start");
            thread::sleep(Duration::from_millis(50));
        }
    }
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| (0..CALLS / CLIENTS).for_each(|_| assert_eq!(both[0].ask(), "ALLOW")));
        }
    });
    let all = CALLS / CLIENTS * CLIENTS;
    let limit = format!("{{ count: {}, within: 12h, per: [agent], otherwise: BLOCK }}", all + 2);
    let yaml = format!("policy: late\nrules: [{{ id: cap, action: read_balance, limit: {limit} }}]\n");
    let request = http.put(format!("{}/api/v1/policies/late", both[0].url)).json(&json!({ "yaml": yaml }));
    let published = request.bearer_auth(nodes.key("adminToken")).send().unwrap();
    assert_eq!(published.status(), 202, "the past is too short for this test: {}", published.text().unwrap());
    let began = Instant::now();
    let dies = loop {
        let read: Vec<u64> = both.iter().map(|node| node.filling().unwrap_or(0)).collect();
        if let Some(dies) = read.iter().position(|read| *read >= FAR) {
            assert_eq!(read[1 - dies], 0, "one node counts, not both");
            break dies;
        }
        assert!(began.elapsed() < Duration::from_secs(100), "nobody counts: {read:?}");
        thread::sleep(Duration::from_millis(5));
    };
    nodes.kill(dies);
    let lives = &both[1 - dies];
    let mut seen = Vec::new();
    while let Some(read) = lives.filling() {
        seen.push(read);
        assert!(began.elapsed() < Duration::from_secs(160), "nobody took over: {:?}", seen.last());
        thread::sleep(Duration::from_millis(5));
    }
    let first = seen.iter().find(|read| **read > 0).expect("it was done before anybody could look");
    assert!(*first >= 4_096, "it began again: {first}");
    assert_eq!([lives.ask(), lives.ask(), lives.ask()], ["ALLOW", "ALLOW", "BLOCK"]);
    nodes.stop();
    nodes.verify();
}
