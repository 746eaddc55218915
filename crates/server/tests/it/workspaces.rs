//! Workspaces keep apart: own policies, agents, ledger and state.

use crate::harness::Server;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn a_new_workspace_decides_at_once_and_outlives_the_process() {
    let server = Server::start().await;
    let made = server.admin_post("/api/v1/workspaces", &json!({ "name": "team-b" })).await;
    assert_eq!((made.status, made.text("name")), (201, "team-b"), "{made:?}");
    let again = server.admin_post("/api/v1/workspaces", &json!({ "name": "team-b" })).await;
    assert_eq!((again.status, again.text("error")), (409, "already_exists"));
    let new = json!({ "name": "worker", "environment": "test" });
    let agent = server.admin_of("team-b", Method::POST, "/api/v1/agents", Some(&new)).await;
    let key = agent.json["key"]["key"].as_str().unwrap().to_owned();

    let server = server.restart().await;
    let guard = json!({ "action": { "type": "read_balance", "target": "stripe" } });
    let answer = server.post_as(&key, "/api/v1/guard", &guard).await;
    assert_eq!(answer.text("decision"), "ALLOW", "it starts with the shipped packs: {answer:?}");
    let list = server.admin_get("/api/v1/workspaces").await;
    let names: Vec<_> = list.json["workspaces"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["default", "team-b"]);

    let here = server.admin_get("/api/v1/agents").await;
    assert!(!here.json.to_string().contains(agent.text("id")), "agents of one are not those of the other");
    let other = server.admin_of("team-b", Method::GET, "/api/v1/ledger/verify", None).await;
    assert_eq!(other.json["valid"], json!(true), "{other:?}");
    assert_eq!(other.json["chainLength"], json!(4), "genesis, control, agent, decision: {other:?}");
}

#[tokio::test]
async fn a_workspace_that_cannot_be_named_is_refused() {
    let server = Server::start().await;
    for name in ["", "Team", "a b", "-a", "a-", "ä", "a/b", &"x".repeat(64)] {
        let refused = server.admin_post("/api/v1/workspaces", &json!({ "name": name })).await;
        assert_eq!((refused.status, refused.text("error")), (400, "invalid_request"), "{name}");
    }
    let unknown = server.admin_of("nobody", Method::GET, "/api/v1/policies", None).await;
    assert_eq!((unknown.status, unknown.text("error")), (404, "unknown_workspace"));
}
