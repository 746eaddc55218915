//! Health, readiness, metrics and the description of the API.

use crate::harness::Server;
use runplane_store::fault::Condition;
use serde_json::json;

#[tokio::test]
async fn readiness_follows_the_store_and_health_does_not() {
    let server = Server::start().await;
    for path in ["/healthz", "/readyz", "/api/v1/healthz", "/api/v1/readyz"] {
        let answer = server.send(server.client.get(server.url(path))).await;
        assert_eq!((answer.status, answer.json), (200, json!({ "status": "ok" })), "{path}");
    }
    server.store.set(Condition::Gone);
    let ready = |path: &'static str| server.send(server.client.get(server.url(path)));
    assert_eq!(ready("/readyz").await.status, 200, "a probe is believed for a second");
    server.advance(1);
    let not = ready("/readyz").await;
    assert_eq!((not.status, not.text("error")), (503, "store_unavailable"));
    assert_eq!(ready("/healthz").await.status, 200);
    server.store.set(Condition::Sound);
    server.advance(1);
    assert_eq!(ready("/readyz").await.status, 200);
}

#[tokio::test]
async fn the_description_is_the_committed_one() {
    let server = Server::start().await;
    for path in ["/openapi.json", "/api/v1/openapi.json"] {
        let answer = server.send(server.client.get(server.url(path))).await;
        assert_eq!(answer.status, 200);
        let path_of_committed = concat!(env!("CARGO_MANIFEST_DIR"), "/../../contracts/openapi.json");
        let text = std::fs::read_to_string(path_of_committed).unwrap();
        let committed: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(answer.json == committed, "{path} differs from contracts/openapi.json");
    }
}

#[tokio::test]
async fn metrics_are_for_people_and_say_how_far_the_ledger_is() {
    let server = Server::start().await;
    server.act("read_balance", "stripe", json!({})).await;
    for path in ["/metrics", "/api/v1/metrics"] {
        let request = server.client.get(server.url(path)).bearer_auth(&server.installed.admin_token);
        let response = request.send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
        let text = response.text().await.unwrap();
        assert!(text.contains("runplane_ledger_entries{workspace=\"default\"}"), "{text}");
        assert!(text.contains("runplane_commits_total"), "{text}");
    }
    let refused = server.get_as(&server.installed.agent_key.clone(), "/metrics").await;
    assert_eq!((refused.status, refused.text("error")), (403, "forbidden"));
}

#[tokio::test]
async fn the_catalogue_describes_every_documented_type() {
    let server = Server::start().await;
    let answer = server.admin_get("/api/v1/catalogue").await;
    let actions = answer.json["actions"].as_array().unwrap();
    let find = |name: &str| actions.iter().find(|action| action["name"] == json!(name));
    for name in ["create_charge", "process_refund", "execute_query", "terminate_instance", "send_email", "export_data"]
    {
        assert!(find(name).is_some(), "{name}");
    }
    let user = find("delete_user").unwrap();
    assert_eq!(user["lineage"], json!(["delete_user", "delete_record", "delete_records"]), "{user}");
    assert!(actions.len() >= 31);
}

/// As in `deploy/Caddyfile`: the names of nodes are not among those that people may use.
#[tokio::test]
async fn a_load_balancer_asks_by_the_name_of_the_node_and_nobody_else_may() {
    let server = Server::start().await;
    let ask = async |path: &str| {
        let request = server.client.get(server.url(path)).header("host", "one:7070");
        request.send().await.unwrap().status().as_u16()
    };
    for path in ["/readyz", "/healthz"] {
        assert_eq!(ask(path).await, 200, "{path}");
    }
    for path in ["/", "/api/v1/session", "/api/v1/readyz", "/readyz/"] {
        assert_eq!(ask(path).await, 421, "{path}");
    }
}
