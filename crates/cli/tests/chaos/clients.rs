//! Clients that go on asking whatever happens, and keep a history of what they were told.
//!
//! Who hears nothing asks again with the same id, until there is an answer: that is what makes a history complete.
//! What one client's call left open, others approve, deny and redeem, several at once.

use crate::history::{Event, History, Told};
use crate::nodes::Nodes;
use crate::policy::{AGENTS, POLICY, amount};
use crate::random;
use reqwest::Method;
use reqwest::blocking::Client;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long a client asks for one answer.
const PERSISTENCE: Duration = Duration::from_secs(100);
/// Held actions that anybody may take up.
const BOARD: usize = 24;

pub struct Clients {
    url: String,
    agent_keys: Vec<String>,
    admin_token: String,
    http: Client,
    board: Mutex<VecDeque<Held>>,
}

#[derive(Clone)]
struct Held {
    approval: String,
    agent: usize,
}

/// One answer, and whether it was the first attempt that had it.
struct Answer {
    status: u16,
    body: Value,
    asked: Instant,
    is_fresh: bool,
}

impl Clients {
    pub fn of(port: u16, nodes: &Nodes) -> Self {
        let http =
            Client::builder().no_proxy().timeout(Duration::from_secs(6)).pool_max_idle_per_host(256).build().unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let agent_keys = vec![nodes.key("agentKey")];
        Self { url, agent_keys, admin_token: nodes.key("adminToken"), http, board: Mutex::default() }
    }

    /// Our policy and no other, and as many agents as it is about, known to every node.
    pub fn set_up(&mut self, nodes: &[u16]) {
        let listed = self.persist(Method::GET, "policies", &Value::Null, |status| status == 200);
        for policy in listed["policies"].as_array().unwrap() {
            let path = format!("policies/{}", policy["name"].as_str().unwrap());
            self.persist(Method::DELETE, &path, &Value::Null, |status| status == 200 || status == 404);
        }
        self.persist(Method::PUT, "policies/chaos", &json!({ "yaml": POLICY }), |status| status == 200);
        for number in 1..AGENTS {
            let new = json!({ "name": format!("agent-{number}"), "environment": "production" });
            let made = self.persist(Method::POST, "agents", &new, |status| status == 201);
            self.agent_keys.push(made["key"]["key"].as_str().unwrap().to_owned());
        }
        // A key that another node made is heard of a moment later.
        for (port, key) in nodes.iter().flat_map(|port| self.agent_keys.iter().map(move |key| (port, key))) {
            let (url, began) = (format!("http://127.0.0.1:{port}/api/v1/approvals"), Instant::now());
            while !self.http.get(&url).bearer_auth(key).send().is_ok_and(|answer| answer.status() == 200) {
                assert!(began.elapsed() < PERSISTENCE, "a node does not hear of a key");
                thread::sleep(Duration::from_millis(20));
            }
        }
    }

    /// A person's request, until it is answered as wanted.
    fn persist(&self, method: Method, path: &str, body: &Value, wanted: impl Fn(u16) -> bool) -> Value {
        let answer = self.insist(method, path, body, &self.admin_token, &mut History::default());
        let answer = answer.unwrap_or_else(|| panic!("{path}: no answer"));
        assert!(wanted(answer.status), "{path}: {} {}", answer.status, answer.body);
        answer.body
    }

    /// Until there is an answer that is not an outage.
    fn insist(&self, method: Method, path: &str, body: &Value, secret: &str, history: &mut History) -> Option<Answer> {
        let (asked, mut attempts) = (Instant::now(), 0);
        while asked.elapsed() < PERSISTENCE {
            attempts += 1;
            history.attempts += 1;
            let mut request = self.http.request(method.clone(), format!("{}/api/v1/{path}", self.url));
            if !body.is_null() {
                request = request.json(body);
            }
            let sent = request.bearer_auth(secret).header("runplane-client", "chaos/1").send();
            let answered = sent.and_then(|answer| Ok((answer.status().as_u16(), answer.text()?)));
            match answered {
                Ok((status, text)) => {
                    let body: Value = serde_json::from_str(&text).unwrap_or_default();
                    if status < 500 && !body.is_null() {
                        history.answered.push(Instant::now());
                        return Some(Answer { status, body, asked, is_fresh: attempts == 1 });
                    }
                    history.fail(format!("{status} {}", body["error"].as_str().unwrap_or("without a reason")));
                }
                Err(failure) if failure.is_timeout() => history.fail("time-out".to_owned()),
                Err(failure) if failure.is_connect() => history.fail("no connection".to_owned()),
                Err(_) => history.fail("connection lost".to_owned()),
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
            match number % 8 {
                0 => self.guard("read_balance", "stripe", client, number, &mut history),
                1 | 5 => self.guard("create_charge", "stripe", client, number, &mut history),
                2 => self.guard("send_email", "smtp", client, number, &mut history),
                3 => self.guard("inspect_resource", "aws", client, number, &mut history),
                4 => self.guard("process_refund", "stripe", client, number, &mut history),
                _ => self.take_up(client, number, &mut history),
            }
        }
        history
    }

    fn guard(&self, action: &'static str, target: &str, client: usize, number: usize, history: &mut History) {
        let (request, agent) = (format!("chaos-{client}-{number}"), client % AGENTS);
        let context = json!({ "amount": amount(number), "currency": "usd" });
        let body = json!({ "requestId": request, "action": { "type": action, "target": target, "context": context } });
        let Some(answer) = self.insist(Method::POST, "guard", &body, &self.agent_keys[agent], history) else {
            history.unanswered.push(request);
            return;
        };
        assert_eq!(answer.status, 200, "{}", answer.body);
        let approval = answer.body["approvalId"].as_str().map(str::to_owned);
        if let Some(approval) = &approval {
            let mut board = self.board.lock().unwrap();
            board.push_back(Held { approval: approval.clone(), agent });
            if board.len() > BOARD {
                board.pop_front();
            }
        }
        let text = |name: &str| answer.body[name].as_str().unwrap().to_owned();
        let (outcome, index) = (text("decision"), answer.body["ledger"]["index"].as_u64().unwrap());
        let replayed = answer.body["replayed"] == true;
        note(history, &answer, Told::Decided { action, request, outcome, index, replayed, approval });
    }

    /// Does something about a held action of anybody's.
    fn take_up(&self, client: usize, number: usize, history: &mut History) {
        let held = {
            let board = self.board.lock().unwrap();
            board.get(usize::try_from(random(board.len() as u64)).unwrap()).cloned()
        };
        let Some(held) = held else { return };
        match random(8) {
            0..3 => self.vote(&held, "approve", history),
            3 => self.vote(&held, "deny", history),
            _ => {
                let redemption = format!("by-{client}-{number}");
                if self.redeem(&held, &redemption, history) {
                    // Whoever did not hear it asks again: the same permit, and nothing is redeemed twice.
                    self.redeem(&held, &redemption, history);
                }
            }
        }
    }

    fn vote(&self, held: &Held, verdict: &'static str, history: &mut History) {
        let (path, approval) = (format!("approvals/{}/{verdict}", held.approval), held.approval.clone());
        let Some(answer) = self.insist(Method::POST, &path, &json!({}), &self.admin_token, history) else {
            history.unanswered.push(path);
            return;
        };
        match answer.status {
            200 => note(history, &answer, Told::Voted { approval, verdict }),
            409 => note(history, &answer, Told::TooLate { approval }),
            other => panic!("{path}: {other} {}", answer.body),
        }
    }

    /// Whether it was let through.
    fn redeem(&self, held: &Held, redemption: &str, history: &mut History) -> bool {
        let (path, approval) = (format!("approvals/{}/redeem", held.approval), held.approval.clone());
        let body = json!({ "redemptionId": redemption });
        let Some(answer) = self.insist(Method::POST, &path, &body, &self.agent_keys[held.agent], history) else {
            history.unanswered.push(path);
            return false;
        };
        let told = match (answer.status, answer.body["error"].as_str()) {
            (200, _) => Told::Redeemed {
                approval,
                redemption: redemption.to_owned(),
                outcome: answer.body["decision"].as_str().unwrap().to_owned(),
                index: answer.body["ledger"]["index"].as_u64().unwrap(),
            },
            (409, Some("already_redeemed")) => Told::Already { approval },
            (409, Some("approval_not_approved")) => {
                let status = answer.body["approvalStatus"].as_str().unwrap_or_default().to_owned();
                Told::NotApproved { approval, status }
            }
            other => panic!("{path}: {other:?} {}", answer.body),
        };
        let is_allowed = matches!(&told, Told::Redeemed { outcome, .. } if outcome == "ALLOW");
        assert!(!is_allowed || answer.body["permit"].is_string(), "no permit: {}", answer.body);
        note(history, &answer, told);
        is_allowed
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
            thread::sleep(Duration::from_millis(1_500));
        }
    }
}

fn note(history: &mut History, answer: &Answer, told: Told) {
    let event = Event { told, asked: answer.asked, heard: Instant::now(), is_fresh: answer.is_fresh };
    history.events.push(event);
}
