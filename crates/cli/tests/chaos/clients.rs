//! Clients that go on asking whatever happens, and keep a history of what they were told.
//!
//! Who hears nothing asks again with the same id, until there is an answer: that is what makes a history complete.

use crate::POLICY;
use crate::nodes::Nodes;
use reqwest::Method;
use reqwest::blocking::Client;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long a client asks for one answer.
const PERSISTENCE: Duration = Duration::from_secs(100);

pub struct Clients {
    url: String,
    agent_key: String,
    admin_token: String,
    http: Client,
}

/// One call and the one answer it came to.
pub struct Told {
    pub action: &'static str,
    pub request: String,
    pub answer: Value,
    /// Answered at the first attempt: nothing can have been recorded before it was asked.
    pub is_fresh: bool,
    pub asked: Instant,
    pub heard: Instant,
    /// For a held action that was approved: the redemptions that were let through.
    pub redeemed: Option<Vec<String>>,
}

#[derive(Default)]
pub struct History {
    pub told: Vec<Told>,
    pub attempts: usize,
    pub failures: usize,
    /// Failed to get any answer in time; the ids, of which something may have been recorded.
    pub unanswered: Vec<String>,
}

impl Clients {
    pub fn of(port: u16, nodes: &Nodes) -> Self {
        let http =
            Client::builder().no_proxy().timeout(Duration::from_secs(6)).pool_max_idle_per_host(64).build().unwrap();
        let url = format!("http://127.0.0.1:{port}");
        Self { url, agent_key: nodes.key("agentKey"), admin_token: nodes.key("adminToken"), http }
    }

    /// Our policy and no other.
    pub fn set_up(&self) {
        let listed = self.persist(Method::GET, "policies", &Value::Null, |status| status == 200);
        for policy in listed["policies"].as_array().unwrap() {
            let path = format!("policies/{}", policy["name"].as_str().unwrap());
            self.persist(Method::DELETE, &path, &Value::Null, |status| status == 200 || status == 404);
        }
        self.persist(Method::PUT, "policies/chaos", &json!({ "yaml": POLICY }), |status| status == 200);
    }

    /// A person's request, until it is answered as wanted.
    fn persist(&self, method: Method, path: &str, body: &Value, wanted: impl Fn(u16) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let mut request = self.http.request(method.clone(), format!("{}/api/v1/{path}", self.url));
            if !body.is_null() {
                request = request.json(body);
            }
            let answer = request.bearer_auth(&self.admin_token).send().ok();
            let answer = answer.and_then(|answer| Some((answer.status().as_u16(), answer.json::<Value>().ok()?)));
            match answer {
                Some((status, answer)) if wanted(status) => return answer,
                other => assert!(began.elapsed() < PERSISTENCE, "{method} {path}: {other:?}"),
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// An agent's request, until there is an answer that is not an outage.
    fn insist(&self, path: &str, body: &Value, history: &mut History) -> Option<(u16, Value, bool)> {
        let (began, mut attempts) = (Instant::now(), 0);
        while began.elapsed() < PERSISTENCE {
            attempts += 1;
            history.attempts += 1;
            let sent = self.http.post(format!("{}/api/v1/{path}", self.url)).bearer_auth(&self.agent_key);
            let answer = sent.header("runplane-client", "chaos/1").json(body).send().ok();
            let answer = answer.and_then(|answer| Some((answer.status().as_u16(), answer.json::<Value>().ok()?)));
            match answer {
                Some((status, answer)) if status < 500 => return Some((status, answer, attempts == 1)),
                _ => history.failures += 1,
            }
            thread::sleep(Duration::from_millis(50));
        }
        None
    }

    /// Asks until told to stop.
    pub fn ask(&self, client: usize, stop: &AtomicBool) -> History {
        let mut history = History::default();
        for number in 0.. {
            if stop.load(Ordering::SeqCst) {
                break;
            }
            let (action, target) = match number % 5 {
                0 | 3 => ("read_balance", "stripe"),
                1 => ("create_charge", "stripe"),
                2 => ("send_email", "smtp"),
                _ => ("process_refund", "stripe"),
            };
            let request = format!("chaos-{client}-{number}");
            let context = json!({ "amount": 100 + number, "currency": "usd" });
            let body =
                json!({ "requestId": request, "action": { "type": action, "target": target, "context": context } });
            let asked = Instant::now();
            let Some((status, answer, is_fresh)) = self.insist("guard", &body, &mut history) else {
                history.unanswered.push(request);
                continue;
            };
            assert_eq!(status, 200, "{answer}");
            let heard = Instant::now();
            let redeemed = answer["approvalId"].as_str().map(|id| self.approve_and_redeem(id, &mut history));
            history.told.push(Told { action, request, answer, is_fresh, asked, heard, redeemed });
        }
        history
    }

    /// Approves, then redeems under three ids at once; those that were let through.
    fn approve_and_redeem(&self, id: &str, history: &mut History) -> Vec<String> {
        self.persist(Method::POST, &format!("approvals/{id}/approve"), &json!({}), |status| {
            status == 200 || status == 409
        });
        let path = format!("approvals/{id}/redeem");
        let attempts = thread::scope(|scope| {
            let redeem = |redemption: &'static str| {
                let path = &path;
                scope.spawn(move || {
                    let mut own = History::default();
                    let answer = self.insist(path, &json!({ "redemptionId": redemption }), &mut own);
                    (redemption, answer, own)
                })
            };
            let racing = [redeem("one"), redeem("two"), redeem("three")];
            racing.map(|attempt| attempt.join().unwrap())
        });
        let mut redeemed = Vec::new();
        for (redemption, answer, own) in attempts {
            history.attempts += own.attempts;
            history.failures += own.failures;
            let Some((status, answer, _)) = answer else { continue };
            assert!(status == 200 || status == 409, "{status} {answer}");
            if status == 200 && answer["decision"] == "ALLOW" {
                redeemed.push(redemption.to_owned());
            }
        }
        redeemed
    }

    /// Contains charges, and releases them, again and again.
    pub fn switch(&self, stop: &AtomicBool) {
        while !stop.load(Ordering::SeqCst) {
            let body = json!({ "scope": "actionType", "value": "create_charge", "reason": "chaos" });
            // A switch that was thrown by an attempt nobody heard of is there already.
            self.persist(Method::POST, "containment", &body, |status| status == 201 || status == 409);
            thread::sleep(Duration::from_millis(300));
            let listed = self.persist(Method::GET, "containment", &Value::Null, |status| status == 200);
            for switch in listed["switches"].as_array().unwrap() {
                let path = format!("containment/{}", switch["id"].as_str().unwrap());
                self.persist(Method::DELETE, &path, &Value::Null, |status| status == 200 || status == 404);
            }
            thread::sleep(Duration::from_millis(700));
        }
    }
}
