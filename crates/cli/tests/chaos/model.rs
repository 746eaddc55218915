//! What each entry must say, given those before it: limits, approvals and containment as a program of one thread.
//!
//! It knows nothing of the server but the form of its entries, and reads no meter that the server recorded.

use crate::policy::{LIMITS, Limit, amount_of};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// What is counted against one limit for one agent.
#[derive(Default)]
struct Used(Vec<Share>);

struct Share {
    at: i64,
    amount: i64,
    /// The entry that took it.
    index: u64,
}

impl Used {
    fn since(&self, from: i64) -> i64 {
        self.0.iter().filter(|share| share.at > from).map(|share| share.amount).sum()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stand {
    Pending,
    Approved,
    Denied,
    Expired,
    Redeemed,
    Refused,
}

pub struct Approval {
    pub id: String,
    pub stand: Stand,
    expires: i64,
    agent: String,
    request: String,
    /// The entry of the vote, and of what ended it.
    pub vote: Option<(u64, String)>,
    pub end: Option<u64>,
    pub redemption: Option<String>,
}

#[derive(Default)]
pub struct Model {
    used: HashMap<(&'static str, String), Used>,
    /// By the index of the held decision.
    pub approvals: HashMap<u64, Approval>,
    requests: HashSet<String>,
    contained: HashSet<String>,
    /// After a step of the clock windows reach further back than the policy says.
    clock_stepped: bool,
    pub switches: usize,
    /// By action: let through (or held), and stopped by its limit.
    pub limited: HashMap<&'static str, [usize; 2]>,
}

impl Model {
    pub fn apply(&mut self, index: u64, entry: &Value) {
        let (body, at) = (&entry["body"], entry["at"].as_i64().unwrap());
        match entry["kind"].as_str().unwrap() {
            "decision" => self.decision(index, at, body),
            "vote" => self.vote(index, at, body),
            "closed" => self.closed(index, at, body),
            "redemption" => self.redemption(index, at, body),
            "clock" => self.clock_stepped = true,
            "control" => match body["change"].as_str() {
                Some("switch_thrown") => {
                    self.switches += 1;
                    self.contained.insert(switch(body));
                }
                Some("switch_released") => assert!(self.contained.remove(&switch(body)), "{entry}"),
                _ => {}
            },
            _ => {}
        }
    }

    fn decision(&mut self, index: u64, at: i64, body: &Value) {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (action, agent, request) = (text(&body["action"]["type"]), text(&body["agent"]), text(&body["requestId"]));
        let (outcome, code) = (text(&body["decision"]["outcome"]), text(&body["decision"]["code"]));
        let is_contained = action == "create_charge" && !self.contained.is_empty();
        // An ALLOW that is asked for again while its action is contained is answered with a BLOCK of its own.
        assert!(self.requests.insert(request.clone()) || is_contained, "`{request}` was decided twice: {body}");
        if is_contained {
            assert_eq!((&*outcome, &*code), ("BLOCK", "containment"), "{body}");
            return;
        }
        assert_ne!(code, "containment", "nothing was contained: {body}");
        let Some(limit) = LIMITS.iter().find(|limit| limit.action == action) else {
            assert_eq!((&*action, &*outcome), ("send_email", "BLOCK"), "{body}");
            return;
        };
        let otherwise = if action == "process_refund" { "REQUIRE_APPROVAL" } else { "ALLOW" };
        let lets_through = self.judge(limit, &agent, at, &request, &outcome, body);
        assert_eq!(outcome, if lets_through { otherwise } else { "BLOCK" }, "{body}");
        if lets_through {
            self.take(limit, &agent, at, &request, index);
        }
        if outcome == "REQUIRE_APPROVAL" {
            let (id, expires) = (text(&body["heldAs"]["id"]), body["heldAs"]["expiresAt"].as_i64().unwrap());
            let (vote, end, redemption) = (None, None, None);
            let approval = Approval { id, stand: Stand::Pending, expires, agent, request, vote, end, redemption };
            self.approvals.insert(index, approval);
        }
    }

    /// Whether the limit lets a call through. Windows may be rounded to count more, by a sixtieth of their length, so
    /// there what was said decides between two right answers.
    fn judge(&mut self, limit: &'static Limit, agent: &str, at: i64, request: &str, said: &str, body: &Value) -> bool {
        let amount = if limit.counts_amount { amount_of(request) } else { 1 };
        let used = self.used.entry((limit.action, agent.to_owned())).or_default();
        let least = used.since(at - limit.within) + amount;
        let most = used.since(at - limit.within - limit.within / 60 - 1) + amount;
        let lets_through = said != "BLOCK";
        assert!(!lets_through || least <= limit.most, "a limit was passed: {least} of {}: {body}", limit.most);
        let is_needed = most > limit.most || self.clock_stepped;
        assert!(lets_through || is_needed, "stopped at {most} of {}: {body}", limit.most);
        self.limited.entry(limit.action).or_default()[usize::from(!lets_through)] += 1;
        lets_through
    }

    fn take(&mut self, limit: &'static Limit, agent: &str, at: i64, request: &str, index: u64) {
        let amount = if limit.counts_amount { amount_of(request) } else { 1 };
        let used = self.used.entry((limit.action, agent.to_owned())).or_default();
        used.0.push(Share { at, amount, index });
        // What is long out of every window.
        used.0.retain(|share| share.at > at - 2 * limit.within);
    }

    /// The share of a hold, given back.
    fn give_back(&mut self, held: u64) {
        let agent = self.approvals[&held].agent.clone();
        let used = self.used.entry(("process_refund", agent)).or_default();
        used.0.retain(|share| share.index != held);
    }

    fn approval(&mut self, body: &Value, held: &Value) -> (u64, &mut Approval) {
        let held = held.as_u64().unwrap();
        (held, self.approvals.get_mut(&held).unwrap_or_else(|| panic!("nothing was held at {held}: {body}")))
    }

    fn vote(&mut self, index: u64, at: i64, body: &Value) {
        let (held, approval) = self.approval(body, &body["held"]);
        assert_eq!(approval.stand, Stand::Pending, "a vote on what was decided: {body}");
        assert!(at < approval.expires, "a vote on what had expired: {body}");
        let verdict = body["verdict"].as_str().unwrap().to_owned();
        let is_denied = verdict == "deny";
        approval.stand = if is_denied { Stand::Denied } else { Stand::Approved };
        approval.vote = Some((index, verdict));
        if is_denied {
            approval.end = Some(index);
            self.give_back(held);
        }
    }

    fn closed(&mut self, index: u64, at: i64, body: &Value) {
        let (held, approval) = self.approval(body, &body["held"]);
        assert!(matches!(approval.stand, Stand::Pending | Stand::Approved), "ended twice: {body}");
        assert_eq!(body["state"], "expired", "{body}");
        assert!(at >= approval.expires, "it had time left: {body}");
        (approval.stand, approval.end) = (Stand::Expired, Some(index));
        self.give_back(held);
    }

    fn redemption(&mut self, index: u64, at: i64, body: &Value) {
        let facts = &body["redemption"];
        let (held, approval) = self.approval(body, &facts["held"]);
        assert_eq!(approval.stand, Stand::Approved, "redeemed without an approval, or again: {body}");
        assert!(at < approval.expires, "redeemed after its time: {body}");
        let said = body["decision"]["outcome"].as_str().unwrap();
        approval.stand = if said == "ALLOW" { Stand::Redeemed } else { Stand::Refused };
        (approval.end, approval.redemption) = (Some(index), Some(facts["id"].as_str().unwrap().to_owned()));
        let (agent, request) = (approval.agent.clone(), approval.request.clone());
        assert_eq!(body["requestId"], *request, "{body}");
        self.give_back(held);
        let limit = LIMITS.iter().find(|limit| limit.action == "process_refund").unwrap();
        if self.judge(limit, &agent, at, &request, said, body) {
            self.take(limit, &agent, at, &request, index);
        }
    }
}

fn switch(body: &Value) -> String {
    let id = body["detail"]["switch"].as_str();
    id.unwrap_or_else(|| panic!("which switch? {body}")).to_owned()
}
