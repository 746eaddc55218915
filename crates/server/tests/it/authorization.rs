//! Every operation of the API against every kind of caller. A new operation that is not listed here fails.

use crate::harness::Server;
use reqwest::Method;
use runplane_server::http::openapi;
use runplane_server::people::{Role, least_role};
use runplane_server::secret;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Whom an operation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Everybody,
    Agents,
    /// Accounts that are signed in, and the admin token.
    People,
    AgentsAndPeople,
    /// Accounts only: it is about a session.
    Accounts,
    /// Everybody who brings a password or a link, which nobody here does.
    SignIn,
}

use Door::{Accounts, Agents, AgentsAndPeople, Everybody, People, SignIn};

/// Each operation, whom it is for, and a body that it could be meant with.
fn operations() -> Vec<(&'static str, &'static str, Door, Value)> {
    let guard = json!({ "action": { "type": "read_balance", "target": "stripe" } });
    let yaml = json!({ "yaml": "policy: extra\nrules: []\n" });
    vec![
        ("post", "/api/v1/guard", Agents, guard.clone()),
        ("post", "/api/decide", Agents, guard.clone()),
        ("get", "/api/v1/approvals", AgentsAndPeople, Value::Null),
        ("get", "/api/v1/approvals/{id}", AgentsAndPeople, Value::Null),
        ("post", "/api/v1/approvals/{id}/approve", People, json!({})),
        ("post", "/api/v1/approvals/{id}/deny", People, json!({})),
        ("post", "/api/v1/approvals/{id}/redeem", Agents, json!({ "redemptionId": "r" })),
        ("get", "/api/v1/approvals/groups", People, Value::Null),
        ("post", "/api/v1/approvals/decide", People, json!({ "ids": [], "verdict": "deny" })),
        // Refused for what it asks, once it is known who asks: a stream has no end to wait for.
        ("get", "/api/v1/events", AgentsAndPeople, Value::Null),
        ("get", "/api/v1/statistics", People, Value::Null),
        ("get", "/api/v1/shadow-report", People, Value::Null),
        ("get", "/api/v1/limits", AgentsAndPeople, Value::Null),
        ("get", "/api/v1/ledger/proof/{index}", People, Value::Null),
        ("get", "/.well-known/jwks.json", Everybody, Value::Null),
        ("post", "/api/v1/executions/{requestId}", Agents, json!({ "status": "succeeded" })),
        ("get", "/api/v1/decisions", AgentsAndPeople, Value::Null),
        ("get", "/api/v1/decisions/{requestId}", AgentsAndPeople, Value::Null),
        ("get", "/api/v1/policies", People, Value::Null),
        ("post", "/api/v1/policies/check", People, yaml.clone()),
        ("post", "/api/v1/policies/lint", People, yaml.clone()),
        ("post", "/api/v1/policies/explain", People, json!({ "call": guard.clone() })),
        ("get", "/api/v1/policies/schema", AgentsAndPeople, Value::Null),
        ("get", "/api/v1/policies/{name}", People, Value::Null),
        ("put", "/api/v1/policies/{name}", People, yaml),
        ("delete", "/api/v1/policies/{name}", People, Value::Null),
        ("get", "/api/v1/policies/{name}/hits", People, Value::Null),
        ("get", "/api/v1/policies/{name}/versions", People, Value::Null),
        ("get", "/api/v1/policies/{name}/versions/{version}", People, Value::Null),
        ("post", "/api/v1/policies/{name}/rollback", People, json!({ "version": 1 })),
        ("get", "/api/v1/settings", People, Value::Null),
        ("patch", "/api/v1/settings", People, json!({ "internalDomains": ["acme.example"] })),
        ("get", "/api/v1/agents", People, Value::Null),
        ("post", "/api/v1/agents", People, json!({ "name": "new", "environment": "test" })),
        ("get", "/api/v1/agents/{id}", People, Value::Null),
        ("patch", "/api/v1/agents/{id}", People, json!({ "labels": [] })),
        ("get", "/api/v1/agents/{id}/profile", People, Value::Null),
        ("get", "/api/v1/agents/{id}/keys", People, Value::Null),
        ("post", "/api/v1/agents/{id}/keys", People, json!({})),
        ("patch", "/api/v1/keys/{id}", People, json!({ "expiresAt": null })),
        ("post", "/api/v1/keys/{id}/rotate", People, json!({ "graceSeconds": 60 })),
        ("post", "/api/v1/keys/{id}/revoke", People, Value::Null),
        ("post", "/api/v1/clock/accept", People, Value::Null),
        ("get", "/api/v1/session", Everybody, Value::Null),
        ("post", "/api/v1/session", SignIn, json!({ "username": "nobody", "password": "no password" })),
        ("post", "/api/v1/session/setup/check", SignIn, json!({ "token": "rps_no" })),
        ("post", "/api/v1/session/setup", SignIn, json!({ "token": "rps_no", "password": "no password" })),
        ("delete", "/api/v1/session/others", Accounts, Value::Null),
        ("post", "/api/v1/session/password", Accounts, json!({ "current": "x", "new": "y" })),
        ("get", "/api/v1/users", People, Value::Null),
        ("post", "/api/v1/users", People, json!({ "username": "new", "role": "viewer" })),
        ("get", "/api/v1/users/{id}", People, Value::Null),
        ("patch", "/api/v1/users/{id}", People, json!({ "displayName": "Somebody" })),
        ("post", "/api/v1/users/{id}/reset", People, Value::Null),
        ("delete", "/api/v1/users/{id}/sessions", People, Value::Null),
        ("get", "/api/v1/containment", People, Value::Null),
        ("post", "/api/v1/containment", People, json!({ "scope": "source", "value": "x", "reason": "r" })),
        ("delete", "/api/v1/containment/{id}", People, Value::Null),
        ("get", "/api/v1/ledger/entries", People, Value::Null),
        ("get", "/api/v1/ledger/checkpoint", People, Value::Null),
        ("get", "/api/v1/ledger/export", People, Value::Null),
        ("get", "/api/v1/ledger/verify", People, Value::Null),
        ("get", "/api/audit/verify", AgentsAndPeople, Value::Null),
        ("get", "/api/v1/catalogue", People, Value::Null),
        ("get", "/api/v1/workspaces", People, Value::Null),
        ("post", "/api/v1/workspaces", People, json!({ "name": "another" })),
        ("get", "/healthz", Everybody, Value::Null),
        ("get", "/readyz", Everybody, Value::Null),
        ("get", "/metrics", People, Value::Null),
        // Closed by then; asked last of what is about approvals.
        ("post", "/api/v1/approvals/{id}/cancel", People, json!({})),
        ("get", "/openapi.json", Everybody, Value::Null),
        // Last, because they end the session that asks.
        ("delete", "/api/v1/session/all", Accounts, Value::Null),
        ("delete", "/api/v1/session", Accounts, Value::Null),
    ]
}

/// Things of the default workspace that belong to nobody who asks: one id for each kind of path.
struct Things {
    approval: String,
    request: String,
    agent: String,
    key: String,
    switch: String,
    user: String,
}

impl Things {
    async fn of(server: &Server) -> Self {
        let (agent, key) = server.agent("owner of things").await;
        let refund = json!({ "type": "process_refund", "target": "stripe", "context": { "amount": 800 } });
        let held = server.post_as(&key, "/api/v1/guard", &json!({ "action": refund })).await;
        let keys = server.admin_get(&format!("/api/v1/agents/{agent}/keys")).await;
        let switch = json!({ "scope": "actionType", "value": "send_sms", "reason": "r" });
        let switch = server.admin_post("/api/v1/containment", &switch).await;
        let user = server.admin_post("/api/v1/users", &json!({ "username": "somebody", "role": "viewer" })).await;
        Self {
            user: user.json["user"]["id"].as_str().unwrap().to_owned(),
            approval: held.text("approvalId").to_owned(),
            request: held.text("requestId").to_owned(),
            agent,
            key: keys.json["keys"][0]["id"].as_str().unwrap().to_owned(),
            switch: switch.text("id").to_owned(),
        }
    }

    fn fill(&self, path: &str) -> String {
        let id = match path.split('/').nth(3) {
            Some("approvals") => &self.approval,
            Some("agents") => &self.agent,
            Some("keys") => &self.key,
            Some("users") => &self.user,
            _ => &self.switch,
        };
        let path = path.replace("/api/v1/events", "/api/v1/events?types=none");
        path.replace("{id}", id)
            .replace("{requestId}", &self.request)
            .replace("{name}", "extra")
            .replace("{version}", "1")
            .replace("{index}", "3")
    }
}

/// Status and body, whatever its form.
async fn ask(
    server: &Server,
    method: &str,
    path: &str,
    body: &Value,
    credential: Option<&str>,
    workspace: &str,
) -> (u16, String) {
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
    let mut request = server.client.request(method, server.url(path)).header("runplane-client", "test/1");
    request = request.header("runplane-workspace", workspace);
    if let Some(credential) = credential {
        request = request.header("authorization", format!("Bearer {credential}"));
    }
    if !body.is_null() {
        request = request.json(body);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.text().await.unwrap())
}

#[test]
fn every_operation_is_in_the_matrix() {
    let document: Value = serde_json::from_str(&openapi::text()).unwrap();
    let described: BTreeSet<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |method| (method.clone(), path.clone())))
        .collect();
    let listed: BTreeSet<(String, String)> =
        operations().into_iter().map(|(method, path, ..)| (method.to_owned(), path.to_owned())).collect();
    assert_eq!(listed, described, "an operation without a row in the matrix, or a row without an operation");
    for (method, path, door, _) in operations() {
        let security = &document["paths"][path][method]["security"];
        let described = [
            ("agentKey", &[Agents, AgentsAndPeople][..]),
            ("adminToken", &[People, AgentsAndPeople]),
            ("session", &[People, AgentsAndPeople, Accounts]),
        ];
        for (scheme, doors) in described {
            let says = security.as_array().is_some_and(|all| all.iter().any(|one| one.get(scheme).is_some()));
            assert_eq!(says, doors.contains(&door), "{method} {path}: `{scheme}`");
        }
    }
}

#[tokio::test]
async fn whoever_has_no_good_credential_gets_nowhere() {
    let server = Server::start().await;
    let things = Things::of(&server).await;
    let (agent, revoked) = server.agent("revoked").await;
    let keys = server.admin_get(&format!("/api/v1/agents/{agent}/keys")).await;
    let revoke = format!("/api/v1/keys/{}/revoke", keys.json["keys"][0]["id"].as_str().unwrap());
    assert_eq!(server.admin(Method::POST, &revoke, None).await.status, 200);
    let size = server.verify_ledger();

    let stranger_key = format!("{}{}", secret::AGENT_KEY_PREFIX, "A".repeat(43));
    let stranger_token = format!("{}{}", secret::ADMIN_TOKEN_PREFIX, "A".repeat(43));
    let cut = server.installed.admin_token.get(..46).unwrap().to_owned();
    let longer = format!("{}A", server.installed.admin_token);
    let credentials = [
        None,
        Some(""),
        Some("x"),
        Some(&*stranger_key),
        Some(&*stranger_token),
        Some(&*revoked),
        Some(&*cut),
        Some(&*longer),
    ];
    for (method, path, door, body) in operations() {
        for credential in credentials {
            let (status, text) = ask(&server, method, &things.fill(path), &body, credential, "default").await;
            if door == Everybody {
                assert_eq!(status, 200, "{method} {path} with {credential:?}: {text}");
            } else if door == SignIn {
                assert!(matches!(status, 401 | 410 | 429), "{method} {path} with {credential:?}: {text}");
            } else {
                let problem: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(
                    (status, &problem["error"]),
                    (401, &json!("invalid_key")),
                    "{method} {path} with {credential:?}: {text}"
                );
            }
        }
    }
    assert_eq!(server.verify_ledger(), size, "failed authentication is no entry");
}

#[tokio::test]
async fn an_agent_gets_through_its_own_doors_only_and_finds_nothing_foreign_there() {
    let server = Server::start().await;
    let things = Things::of(&server).await;
    server.admin_post("/api/v1/workspaces", &json!({ "name": "elsewhere" })).await;
    let new = json!({ "name": "stranger", "environment": "test" });
    let made = server.admin_of("elsewhere", Method::POST, "/api/v1/agents", Some(&new)).await;
    let stranger = made.json["key"]["key"].as_str().unwrap().to_owned();
    let (_, sibling) = server.agent("sibling").await;
    server.listed().await;
    let secrets = [&things.approval, &things.request, &things.agent, &things.key, &things.switch, &things.user];
    for (who, key) in [("an agent of another workspace", &stranger), ("another agent", &sibling)] {
        for (method, path, door, body) in operations() {
            // Whatever workspace it names: the key says which one is meant.
            let (status, text) = ask(&server, method, &things.fill(path), &body, Some(key), "default").await;
            let place = format!("{who} at {method} {path}: {status} {text}");
            match door {
                People | Accounts => assert!(status == 403 && text.contains("forbidden"), "{place}"),
                SignIn => assert!(matches!(status, 401 | 410 | 429), "{place}"),
                _ if path == "/api/v1/events" => assert_eq!(status, 400, "{place}"),
                // The path names a thing of somebody else: it is as if it did not exist.
                Agents | AgentsAndPeople if path.contains('{') => {
                    assert!(status == 404 && text.contains("unknown_"), "{place}");
                }
                Agents | AgentsAndPeople | Everybody => assert_eq!(status, 200, "{place}"),
            }
            let leaked = secrets.iter().any(|secret| text.contains(*secret));
            assert!(!leaked, "a foreign id is shown to {place}");
        }
    }
}

#[tokio::test]
async fn people_get_through_their_own_doors_and_only_in_the_workspace_they_name() {
    let server = Server::start().await;
    let things = Things::of(&server).await;
    let token = server.installed.admin_token.clone();
    server.admin_post("/api/v1/workspaces", &json!({ "name": "elsewhere" })).await;
    for (method, path, door, body) in operations().into_iter().filter(|(_, path, ..)| path.contains('{')) {
        let (status, text) = ask(&server, method, &things.fill(path), &body, Some(&token), "elsewhere").await;
        let expected = match (door, method) {
            (Agents, _) => 403,
            // Published there, withdrawn, and put in force again.
            (_, "put" | "delete") if path.contains("policies") => 200,
            _ if path.contains("/versions") || path.ends_with("/rollback") => 200,
            _ => 404,
        };
        assert_eq!(status, expected, "{method} {path} elsewhere: {text}");
    }
    for (method, path, door, body) in operations() {
        let (status, text) = ask(&server, method, &things.fill(path), &body, Some(&token), "default").await;
        let place = format!("{method} {path}: {status} {text}");
        match door {
            // The guard endpoints know agents only; the others say so.
            Agents => assert!(status == 403 || (status == 401 && !path.contains('{')), "{place}"),
            Accounts => assert!(status == 403 && text.contains("signed in"), "{place}"),
            _ if path == "/api/v1/events" => assert_eq!(status, 400, "{place}"),
            SignIn => assert!(matches!(status, 401 | 410 | 429), "{place}"),
            _ if path == "/api/v1/approvals/{id}/deny" => assert_eq!(status, 409, "approved just before: {place}"),
            // Not published yet when it is asked for.
            _ if matches!((method, path), ("get", "/api/v1/policies/{name}" | "/api/v1/policies/{name}/hits")) => {
                assert_eq!(status, 404, "{place}")
            }
            _ => assert!((200..300).contains(&status), "{place}"),
        }
    }
    server.verify_ledger();
}

/// Every role at every operation, with the token of its session and without.
#[tokio::test]
async fn an_account_gets_as_far_as_its_role_and_changes_nothing_without_the_token_of_its_session() {
    for role in Role::ALL {
        let server = Server::start().await;
        let things = Things::of(&server).await;
        let mut browser = server.person(role.as_str()).await;
        for (method, path, door, body) in operations() {
            let verb = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let place = things.fill(path);
            let least = least_role(verb.as_str(), path);
            let entry = format!("{} at {method} {path}", role.as_str());
            if method != "get" && matches!(door, People | AgentsAndPeople | Accounts) {
                let size = server.entries().len();
                for token in [None, Some("foreign")] {
                    let mut request = server.browser(&browser, verb.clone(), &place);
                    if let Some(token) = token {
                        request = request.header("runplane-csrf", token);
                    }
                    let refused = server.send(request.json(&body)).await;
                    assert_eq!((refused.status, refused.text("error")), (403, "csrf_refused"), "{entry}: {refused:?}");
                }
                assert_eq!(server.entries().len(), size, "{entry} changed something without the token");
            }
            let mut request = server.browser(&browser, verb, &place).header("runplane-csrf", &browser.csrf);
            request = request.header("runplane-client", "test/1");
            if !body.is_null() {
                request = request.json(&body);
            }
            let response = request.send().await.unwrap();
            let (status, text) = (response.status().as_u16(), response.text().await.unwrap());
            let entry = format!("{entry}: {status} {text}");
            match least {
                // The guard endpoints know agents only.
                None if door == Agents => assert!(matches!(status, 401 | 403), "{entry}"),
                None if door == SignIn => assert!(matches!(status, 400 | 401 | 410 | 429), "{entry}"),
                None => assert_eq!((status, door), (200, Everybody), "{entry}"),
                Some(least) if role.covers(least) => {
                    assert!(status != 403 || path.ends_with("/password"), "{entry}");
                    assert!(status < 500, "{entry}");
                }
                Some(least) => {
                    let problem: Value = serde_json::from_str(&text).unwrap();
                    assert_eq!((status, &problem["error"]), (403, &json!("forbidden")), "{entry}");
                    assert_eq!(problem["leastRole"], json!(least.as_str()), "{entry}");
                }
            }
            if path == "/api/v1/session/all" {
                browser = server.person_called("again", role.as_str(), &["*"]).await;
            }
        }
    }
}

#[test]
fn every_operation_for_people_has_a_least_role() {
    for (method, path, door, _) in operations() {
        let least = least_role(&method.to_uppercase(), path);
        assert_eq!(least.is_some(), matches!(door, People | AgentsAndPeople | Accounts), "{method} {path}");
    }
}
