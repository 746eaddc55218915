//! The committed use cases over HTTP, in file order in one fresh workspace.

use crate::harness::Server;
use serde_json::{Value, json};

const CASES: &str = include_str!("../../../../contracts/cases/use-cases.jsonl");

#[tokio::test]
async fn every_use_case_is_decided_as_expected_over_http() {
    let server = Server::start().await;
    let mut lines = CASES.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let setup = lines.next().unwrap();
    let request = server.client.patch(server.url("/api/v1/settings")).bearer_auth(&server.installed.admin_token);
    let patched = server.send(request.json(&setup["setup"]["settings"])).await;
    assert_eq!(patched.status, 200, "{patched:?}");
    assert_eq!(setup["setup"]["agent"]["environment"], json!("production"));
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
