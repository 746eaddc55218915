//! People behind a load balancer: a session is of the installation, not of the node that made it.

use super::{nodes, refund, shipped, soon};
use crate::harness::Server;
use reqwest::{Method, Response};
use runplane_server::people;
use serde_json::{Value, json};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

/// Reads on until the text is there; everything that was read so far.
async fn told(stream: &mut Response, read: &mut String, wanted: &str) {
    let reading = async {
        while !read.contains(wanted) {
            let piece = stream.chunk().await.unwrap().unwrap_or_else(|| panic!("it ended without {wanted}: {read}"));
            read.push_str(&String::from_utf8_lossy(&piece));
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.unwrap_or_else(|_| panic!("nobody told of {wanted}: {read}"));
}

/// What is told until the other side ends it.
async fn rest(stream: &mut Response) -> String {
    let mut read = String::new();
    let reading = async {
        while let Some(piece) = stream.chunk().await.unwrap() {
            read.push_str(&String::from_utf8_lossy(&piece));
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("the stream does not end");
    read
}

fn lists(answer: &Value, request: &str) -> bool {
    answer["decisions"].as_array().is_some_and(|all| all.iter().any(|row| row["requestId"] == request))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_is_served_by_whichever_node_is_asked() {
    let nodes = nodes(2, shipped()).await;
    let (here, there) = (&nodes[0], &nodes[1]);
    let key = here.installed.agent_key.clone();
    let ada = here.person("approver").await;
    let seen = there.page(&ada, Method::GET, "/api/v1/session", None).await;
    assert_eq!((seen.status, &seen.json["signedIn"]), (200, &json!(true)), "{seen:?}");

    let mut stream = there.browser(&ada, Method::GET, "/api/v1/events").send().await.unwrap();
    assert_eq!(stream.status(), 200);
    let mut read = String::new();
    told(&mut stream, &mut read, "event: hello").await;
    let held = here.guard(&refund(800)).await;
    let (request, approval) = (held.text("requestId"), held.text("approvalId"));
    assert_eq!(held.text("decision"), "REQUIRE_APPROVAL", "{held:?}");
    told(&mut stream, &mut read, request).await;
    told(&mut stream, &mut read, "\"change\":\"opened\"").await;
    let list = async || there.page(&ada, Method::GET, "/api/v1/decisions", None).await;
    soon(list, |answer| lists(&answer.json, request)).await;

    // The program waits at one node, the person votes at the other.
    let waiting = {
        let (node, path) = (here.clone(), format!("/api/v1/approvals/{approval}?wait=20s"));
        let key = key.clone();
        #[allow(clippy::disallowed_methods, reason = "joined below")]
        tokio::spawn(async move { node.get_as(&key, &path).await })
    };
    let path = format!("/api/v1/approvals/{approval}/approve");
    let voted = there.page(&ada, Method::POST, &path, Some(&json!({}))).await;
    assert_eq!((voted.status, voted.text("status")), (200, "approved"), "{voted:?}");
    let heard = tokio::time::timeout(PATIENCE, waiting).await.expect("nobody told whoever waits").unwrap();
    assert_eq!(heard.text("status"), "approved", "{heard:?}");
    told(&mut stream, &mut read, "\"change\":\"approved\"").await;

    // Signed out there, signed out here: at once, and a stream tells nothing of what comes after.
    let out = here.page(&ada, Method::DELETE, "/api/v1/session", None).await;
    assert_eq!(out.status, 204, "{out:?}");
    assert_eq!(there.page(&ada, Method::GET, "/api/v1/decisions", None).await.status, 401);
    let late = here.guard(&refund(900)).await;
    let untold = rest(&mut stream).await;
    assert!(!untold.contains(late.text("requestId")), "{untold}");
}

/// By a link, say: the account and its session are made at once, and the next page comes from the other node.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_made_a_moment_ago_is_known_to_the_node_that_is_asked_next() {
    let nodes = nodes(2, shipped()).await;
    for round in 0..12 {
        let (here, there): (&Server, &Server) = (&nodes[round % 2], &nodes[(round + 1) % 2]);
        let person = here.person_called(&format!("p-{round}"), "viewer", &["*"]).await;
        let seen = there.page(&person, Method::GET, "/api/v1/agents", None).await;
        assert_eq!(seen.status, 200, "round {round}: {seen:?}");
    }
}

/// What an owner takes away at one node is gone at the next request, whichever node gets it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_taken_away_a_moment_ago_is_gone_at_the_node_that_is_asked_next() {
    let nodes = nodes(2, shipped()).await;
    for round in 0..12 {
        let (here, there): (&Server, &Server) = (&nodes[round % 2], &nodes[(round + 1) % 2]);
        let held = here.guard(&refund(800)).await;
        let person = here.person_called(&format!("p-{round}"), "approver", &["*"]).await;
        let path = format!("/api/v1/approvals/{}/approve", held.text("approvalId"));
        let user = format!("/api/v1/users/{}", person.id);
        let viewer = here.admin(Method::PATCH, &user, Some(&json!({ "role": "viewer" }))).await;
        assert_eq!(viewer.status, 200, "{viewer:?}");
        let vote = there.page(&person, Method::POST, &path, Some(&json!({}))).await;
        assert_eq!(vote.status, 403, "round {round}: {vote:?}");
        let disabled = here.admin(Method::PATCH, &user, Some(&json!({ "status": "disabled" }))).await;
        assert_eq!(disabled.status, 200, "{disabled:?}");
        let page = there.page(&person, Method::GET, "/api/v1/agents", None).await;
        assert_eq!(page.status, 401, "round {round}: {page:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_link_that_each_node_prints_makes_the_first_owner_and_no_second_one() {
    let nodes = nodes(2, shipped()).await;
    let mut links = Vec::new();
    for node in &nodes {
        let workspace = node.app.workspace("default").unwrap();
        links.push(people::first_owner_link(&node.app, &workspace).await.unwrap().unwrap().token);
    }
    let used = async |node: &Server, token: &str| {
        let body =
            json!({ "token": token, "username": "ada", "displayName": "Ada", "password": "a row of plain words" });
        let request = node.client.post(node.url("/api/v1/session/setup")).header("sec-fetch-site", "same-origin");
        node.send(request.json(&body)).await.status
    };
    assert_eq!(used(&nodes[1], &links[0]).await, 200, "the one printed first, at the other node");
    assert_eq!(used(&nodes[0], &links[1]).await, 410, "there is an owner now");
}
