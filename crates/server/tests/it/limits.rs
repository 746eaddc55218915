//! Limits are exact under any concurrency, across restarts, and give back only what never ran.

use crate::harness::Server;
use serde_json::json;
use std::sync::Arc;

pub const POLICY_OF_THREE: &str = "
policy: test
rules:
  - id: reads
    action: read_balance
    limit: { count: 3, within: 1h, per: [agent], otherwise: BLOCK }
    decision: ALLOW
";

const POLICY_OF_A_THOUSAND: &str = "
policy: test
rules:
  - id: reads
    action: read_balance
    limit: { count: 1000, within: 1h, per: [agent], otherwise: BLOCK }
    decision: ALLOW
";

/// `clients` at once, each calling `each` times; says how many calls were allowed and how many blocked.
async fn rush(server: &Arc<Server>, clients: usize, each: usize) -> (usize, usize) {
    let tasks: Vec<_> = (0..clients)
        .map(|_| {
            let server = Arc::clone(server);
            #[allow(clippy::disallowed_methods, reason = "joined below")]
            tokio::spawn(async move {
                let (mut allowed, mut blocked) = (0, 0);
                for _ in 0..each {
                    let answer = server.act("read_balance", "stripe", json!({})).await;
                    match (answer.text("decision"), answer.text("reasonCode")) {
                        ("ALLOW", _) => allowed += 1,
                        ("BLOCK", "limit") => blocked += 1,
                        _ => panic!("{answer:?}"),
                    }
                }
                (allowed, blocked)
            })
        })
        .collect();
    let (mut allowed, mut blocked) = (0, 0);
    for task in tasks {
        let (a, b) = task.await.unwrap();
        allowed += a;
        blocked += b;
    }
    (allowed, blocked)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_256_clients_exactly_a_thousand_calls_pass() {
    let server = Arc::new(Server::with_policy(POLICY_OF_A_THOUSAND).await);
    let before = rush(&server, 256, 3).await;
    assert_eq!(before, (768, 0));
    let server = Arc::new(Arc::into_inner(server).unwrap().restart().await);
    let after = rush(&server, 256, 3).await;
    assert_eq!(before.0 + after.0, 1_000);
    assert_eq!(after.1, 768 - 232);
    server.advance(3_700);
    assert_eq!(rush(&server, 1, 1).await, (1, 0), "the window has passed");
    server.verify_ledger();
}

#[tokio::test]
async fn headers_hint_at_the_limit_that_has_the_least_left() {
    let server = Server::with_policy(&format!(
        "{POLICY_OF_THREE}  - {{ id: day, action: read_balance, limit: {{ count: 90, within: 24h, per: [agent] }} }}\n"
    ))
    .await;
    let hints = async || {
        let body = json!({ "action": { "type": "read_balance", "target": "stripe" } });
        let request = server.client.post(server.url("/api/v1/guard")).bearer_auth(&server.installed.agent_key);
        let headers = request.json(&body).send().await.unwrap().headers().clone();
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        (text("ratelimit-policy").unwrap(), text("ratelimit").unwrap())
    };
    for left in [2, 1, 0, 0] {
        let (policy, now) = hints().await;
        assert_eq!(policy, "\"test/reads\";q=3;w=3600");
        let (rest, seconds) = now.rsplit_once(";t=").unwrap();
        assert_eq!(rest, format!("\"test/reads\";r={left}"));
        // Windows are rounded up, by a sixtieth at most.
        assert!((3_600..=3_660).contains(&seconds.parse::<u64>().unwrap()), "{now}");
    }
}

const HELD_POLICY: &str = "
policy: test
rules:
  - id: holds
    action: process_refund
    limit: { count: 2, within: 1h, per: [agent], otherwise: BLOCK }
    decision: REQUIRE_APPROVAL
";

#[tokio::test]
async fn a_hold_counts_while_it_is_open_and_gives_back_when_denied_or_expired() {
    let server = Server::with_policy(HELD_POLICY).await;
    let ask = async || server.act("process_refund", "stripe", json!({ "amount": 1 })).await;
    let first = ask().await;
    let second = ask().await;
    assert_eq!(second.text("decision"), "REQUIRE_APPROVAL", "{second:?}");
    assert_eq!(ask().await.text("reasonCode"), "limit");
    server.admin_post(&format!("/api/v1/approvals/{}/deny", first.text("approvalId")), &json!({})).await;
    let third = ask().await;
    assert_eq!(third.text("decision"), "REQUIRE_APPROVAL", "{third:?}");
    assert_eq!(ask().await.text("reasonCode"), "limit");
    // A redeemed one has run and counts on.
    server.admin_post(&format!("/api/v1/approvals/{}/approve", second.text("approvalId")), &json!({})).await;
    let path = format!("/api/v1/approvals/{}/redeem", second.text("approvalId"));
    let key = server.installed.agent_key.clone();
    let redeemed = server.post_as(&key, &path, &json!({ "redemptionId": "x" })).await;
    assert_eq!(redeemed.text("decision"), "ALLOW", "its own reservation is not counted: {redeemed:?}");
    assert_eq!(ask().await.text("reasonCode"), "limit");
    let server = server.restart().await;
    let answer = server.act("process_refund", "stripe", json!({ "amount": 1 })).await;
    assert_eq!(answer.text("reasonCode"), "limit", "{answer:?}");
}

#[tokio::test]
async fn a_clock_set_forward_empties_no_window_until_somebody_accepts_it() {
    let server = Server::with_policy(POLICY_OF_THREE).await;
    let ask = async |server: &Server| server.act("read_balance", "stripe", json!({})).await.text("decision").to_owned();
    for expected in ["ALLOW", "ALLOW", "ALLOW", "BLOCK"] {
        assert_eq!(ask(&server).await, expected);
    }
    server.clock.step_wall(2 * 3_600 * 1_000_000);
    assert_eq!(ask(&server).await, "BLOCK", "two hours on the wall, none that passed");
    let server = server.restart().await;
    assert_eq!(ask(&server).await, "BLOCK");
    server.clock.step_wall(-3_600 * 1_000_000);
    assert_eq!(ask(&server).await, "BLOCK", "nor does a step back");
    let accepted = server.admin_post("/api/v1/clock/accept", &json!({})).await;
    assert_eq!((accepted.status, &accepted.json["widenedSeconds"]), (200, &json!(7_200)), "{accepted:?}");
    assert_eq!(ask(&server).await, "ALLOW");
    let again = server.admin_post("/api/v1/clock/accept", &json!({})).await;
    assert_eq!(again.json, json!({ "widenedSeconds": 0 }));
    let steps = server.entries().iter().filter(|entry| entry["kind"] == "clock").count();
    assert_eq!(steps, 3, "two steps and their acceptance are on the ledger");
}

const REFUNDING: &str = "
policy: test
meters:
  paid: { sum: context.amount, action: process_refund, within: 1h, per: [agent], refund: reported_failure }
rules:
  - { id: reads, action: read_balance, decision: ALLOW, limit: { count: 2, within: 1h, per: [agent], refund: reported_failure } }
  - { id: strict-reads, action: read_balance, limit: { count: 3, within: 2h, per: [agent] } }
  - { id: pays, action: process_refund, decision: ALLOW }
  - { id: cap, action: process_refund, when: meters.paid + context.amount > 100, decision: BLOCK }
";

#[tokio::test]
async fn a_reported_failure_gives_back_only_what_opted_in_and_only_once() {
    let server = Server::with_policy(REFUNDING).await;
    let key = server.installed.agent_key.clone();
    let report = async |server: &Server, answer: &str, status: &str| {
        let path = format!("/api/v1/executions/{answer}");
        server.post_as(&key, &path, &json!({ "status": status })).await.status
    };
    let read = async |server: &Server| server.act("read_balance", "stripe", json!({})).await;
    let first = read(&server).await;
    let limits = &first.json["limits"];
    assert_eq!(limits[0]["rule"], "test/reads");
    assert_eq!(
        (&limits[0]["used"], &limits[0]["of"], &limits[0]["remaining"]),
        (&json!("1"), &json!("2"), &json!("1"))
    );
    assert!(limits[0]["resetsAt"].is_string(), "{first:?}");
    read(&server).await;
    assert_eq!(read(&server).await.text("reasonCode"), "limit");
    assert_eq!(report(&server, first.text("requestId"), "failed").await, 200);
    assert_eq!(report(&server, first.text("requestId"), "failed").await, 200, "a repeat changes nothing");
    let third = read(&server).await;
    assert_eq!(third.text("decision"), "ALLOW", "{third:?}");
    assert_eq!(third.json["limits"][0]["used"], "2");
    assert_eq!(report(&server, third.text("requestId"), "unknown").await, 200);
    assert_eq!(read(&server).await.text("matchedRule"), "test/reads", "silence and doubt count");
    assert_eq!(report(&server, third.text("requestId"), "failed").await, 409);
    let pay =
        async |server: &Server, amount: i64| server.act("process_refund", "stripe", json!({ "amount": amount })).await;
    let paid = pay(&server, 90).await;
    let share = &paid.json["limits"][0];
    assert_eq!((&share["meter"], &share["used"], &share["remaining"]), (&json!("paid"), &json!("90"), &json!("10")));
    assert_eq!(pay(&server, 20).await.text("decision"), "BLOCK");
    assert_eq!(report(&server, paid.text("requestId"), "failed").await, 200);
    assert_eq!(pay(&server, 20).await.text("decision"), "ALLOW");
    let server = server.restart().await;
    assert_eq!(pay(&server, 81).await.text("decision"), "BLOCK");
    assert_eq!(pay(&server, 80).await.text("decision"), "ALLOW");
    assert_eq!(read(&server).await.text("reasonCode"), "limit");
}

#[tokio::test]
async fn limits_are_listed_fullest_first_and_agents_see_their_own() {
    let server = Server::with_policy(REFUNDING).await;
    server.act("read_balance", "stripe", json!({})).await;
    server.act("process_refund", "stripe", json!({ "amount": 90 })).await;
    let all = server.admin_get("/api/v1/limits").await;
    assert_eq!(all.status, 200, "{all:?}");
    let used = |answer: &crate::harness::Answer| -> Vec<String> {
        let rows = answer.json["used"].as_array().unwrap();
        rows.iter().map(|row| format!("{} {}", row["rule"].as_str().unwrap(), row["used"].as_str().unwrap())).collect()
    };
    assert_eq!(used(&all), ["test/cap 90", "test/reads 1", "test/strict-reads 1"]);
    assert_eq!(all.json["used"][0]["by"]["agent"], all.json["used"][1]["by"]["agent"]);
    assert!(all.json["used"][0]["last"]["requestId"].is_string());
    assert_eq!(all.json["limits"].as_array().unwrap().len(), 3);
    assert_eq!(all.json["limits"][0]["keys"], 1);
    let page = server.admin_get("/api/v1/limits?limit=1&cursor=1").await;
    assert_eq!((used(&page), &page.json["nextCursor"]), (vec!["test/reads 1".to_owned()], &json!(2)));
    let key = server.installed.agent_key.clone();
    let own = server.get_as(&key, "/api/v1/limits").await;
    assert_eq!(used(&own).len(), 3);
    assert!(own.json["limits"][0].get("keys").is_none(), "how many others there are is not for an agent");
    let other = server.admin_get("/api/v1/limits?agent=agt_nobody").await;
    assert!(used(&other).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_of_agents_that_asks_about_limits_is_sent_away_and_people_are_not() {
    let server = Server::with_policy(POLICY_OF_THREE).await;
    let key = server.installed.agent_key.clone();
    let crowd = futures_util::future::join_all((0..200).map(|_| server.get_as(&key, "/api/v1/limits")));
    let person = async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        server.admin_get("/api/v1/limits").await.status
    };
    let (answers, person) = tokio::join!(crowd, person);
    assert_eq!(person, 200);
    assert!(answers.iter().all(|answer| answer.status == 200 || answer.status == 503));
    assert!(answers.iter().any(|answer| answer.status == 503), "nobody was sent away");
    assert_eq!(server.act("read_balance", "stripe", json!({})).await.text("decision"), "ALLOW");
}
