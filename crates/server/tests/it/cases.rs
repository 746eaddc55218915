//! The committed use cases over HTTP, in file order in one fresh workspace, and a share of the further ones, each
//! asked by an agent of its own.

use crate::harness::Server;
use serde_json::{Value, json};

const CASES: &str = include_str!("../../../../contracts/cases/use-cases.jsonl");
const MORE: &str = include_str!("../../../../contracts/cases/more.jsonl");
/// Every so many of the further cases go over HTTP; all of them run in process.
const SHARE: usize = 11;

async fn server_for(setup: &Value) -> Server {
    let server = Server::start().await;
    let request = server.client.patch(server.url("/api/v1/settings")).bearer_auth(&server.installed.admin_token);
    let patched = server.send(request.json(&setup["setup"]["settings"])).await;
    assert_eq!(patched.status, 200, "{patched:?}");
    assert_eq!(setup["setup"]["agent"]["environment"], json!("production"));
    server
}

#[tokio::test]
async fn further_cases_are_decided_as_expected_over_http() {
    let mut lines = MORE.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let server = server_for(&lines.next().unwrap()).await;
    let mut wrong = Vec::new();
    let pastless = lines.filter(|case| case["history"].as_array().is_none_or(Vec::is_empty));
    for (number, case) in pastless.step_by(SHARE).enumerate() {
        let (_, key) = server.agent(&format!("case-{number}")).await;
        let body = json!({ "action": case["action"] });
        let mut answer = server.post_as(&key, "/api/v1/guard", &body).await;
        for _ in 1..case["repeat"].as_u64().unwrap_or(1) {
            answer = server.post_as(&key, "/api/v1/guard", &body).await;
        }
        if answer.status != 200 || answer.json["decision"] != case["expect"] {
            wrong.push(format!("{}: {} by {}", case["id"], answer.json["decision"], answer.json["matchedRule"]));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn every_use_case_is_decided_as_expected_over_http() {
    let mut lines = CASES.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let server = server_for(&lines.next().unwrap()).await;
    let mut wrong = Vec::new();
    for case in lines {
        let body = json!({ "action": case["action"] });
        let mut answer = server.guard(&body).await;
        for _ in 1..case["repeat"].as_u64().unwrap_or(1) {
            answer = server.guard(&body).await;
        }
        let as_expected = answer.status == 200
            && answer.json["decision"] == case["expect"]
            && (case["riskScore"].is_null() || answer.json["riskScore"] == case["riskScore"])
            && (case["audit"].is_null() || answer.json["obligations"]["audit"]["payload"] == case["audit"]);
        if !as_expected {
            wrong.push(format!("{}: {} by {}", case["id"], answer.json["decision"], answer.json["matchedRule"]));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
