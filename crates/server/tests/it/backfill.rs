//! A rule that is published today knows what was before it.

use crate::harness::{Answer, Server};
use axum::http::Method;
use serde_json::json;

const OPEN: &str = "
policy: test
rules:
  - { id: reads, action: read_balance, decision: ALLOW }
  - { id: pays, action: process_refund, decision: ALLOW, when: context.amount < 100 }
  - { id: holds, action: process_refund, decision: REQUIRE_APPROVAL, when: context.amount >= 100 }
  - { id: unkept, action: create_charge, decision: ALLOW, audit: { payload: none } }
";

async fn read(server: &Server) -> Answer {
    server.act("read_balance", "stripe", json!({})).await
}

async fn refund(server: &Server, amount: i64) -> Answer {
    server.act("process_refund", "stripe", json!({ "amount": amount })).await
}

async fn publish(server: &Server, name: &str, rules: &str) -> Answer {
    let yaml = format!("policy: {name}\n{rules}");
    let answer = server.admin(Method::PUT, &format!("/api/v1/policies/{name}"), Some(&json!({ "yaml": yaml }))).await;
    assert_eq!(answer.status, 200, "a short past is counted while the publish waits: {answer:?}");
    assert!(answer.json.get("filling").is_none());
    answer
}

#[tokio::test]
async fn a_limit_published_today_counts_what_was_before_it_and_not_what_is_too_old() {
    let server = Server::with_policy(OPEN).await;
    read(&server).await;
    server.advance(4_000);
    read(&server).await;
    read(&server).await;
    publish(
        &server,
        "late",
        "rules: [{ id: cap, action: read_balance, limit: { count: 4, within: 1h, per: [agent], otherwise: BLOCK } }]\n",
    )
    .await;
    let third = read(&server).await;
    assert_eq!((third.text("decision"), &third.json["limits"][0]["used"]), ("ALLOW", &json!("3")), "{third:?}");
    let server = server.restart().await;
    assert_eq!(read(&server).await.text("decision"), "ALLOW");
    assert_eq!(read(&server).await.text("reasonCode"), "limit");
    let kinds: Vec<String> = server.entries().iter().map(|entry| entry["kind"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds.iter().filter(|kind| *kind == "filled").count(), 1, "{kinds:?}");
    server.verify_ledger();
}

#[tokio::test]
async fn holds_and_reports_from_before_go_on_counting_after() {
    let server = Server::with_policy(OPEN).await;
    let held = refund(&server, 100).await;
    assert_eq!(held.text("decision"), "REQUIRE_APPROVAL");
    let first = refund(&server, 1).await;
    let second = refund(&server, 1).await;
    let report = async |server: &Server, answer: &Answer, status: &str| {
        let path = format!("/api/v1/executions/{}", answer.text("requestId"));
        server.post_as(&server.installed.agent_key.clone(), &path, &json!({ "status": status })).await
    };
    report(&server, &first, "failed").await;
    publish(
        &server,
        "late",
        "meters: { paid: { sum: context.amount, action: process_refund, within: 1h, per: [agent] } }
rules:
  - { id: cap, action: process_refund, when: meters.paid + context.amount > 105, decision: BLOCK }
  - { id: failures, action: read_balance, decision: BLOCK,
      when: \"count('1h', past.agent.id == agent.id && past.outcome == 'failed') >= 2\" }
",
    )
    .await;
    assert_eq!(refund(&server, 4).await.text("decision"), "BLOCK", "100 are held, 2 were paid");
    assert_eq!(refund(&server, 3).await.text("decision"), "ALLOW");
    assert_eq!(read(&server).await.text("decision"), "ALLOW");
    assert_eq!(report(&server, &second, "failed").await.status, 200);
    assert_eq!(read(&server).await.text("matchedRule"), "late/failures", "of a call from before the publish, too");
    server.admin_post(&format!("/api/v1/approvals/{}/deny", held.text("approvalId")), &json!({})).await;
    assert_eq!(refund(&server, 99).await.text("decision"), "ALLOW", "the share of the hold has come back");
    let server = server.restart().await;
    assert_eq!(refund(&server, 2).await.text("decision"), "BLOCK");
    assert_eq!(read(&server).await.text("matchedRule"), "late/failures");
}

#[tokio::test]
async fn what_is_no_longer_kept_counts_as_the_limit_being_reached_unless_it_is_to_be_left_out() {
    let server = Server::with_policy(OPEN).await;
    let charge = async |server: &Server| server.act("create_charge", "stripe", json!({ "amount": 1 })).await;
    charge(&server).await;
    let limit = |more: &str| {
        format!(
            "rules: [{{ id: cap, action: create_charge, limit: {{ count: 5, within: 1h, per: [agent], otherwise: \
             BLOCK{more} }} }}, {{ id: other, action: read_balance, limit: {{ count: 5, within: 1h }} }}]\n"
        )
    };
    publish(&server, "late", &limit("")).await;
    assert_eq!(charge(&server).await.text("reasonCode"), "limit");
    assert_eq!(read(&server).await.text("decision"), "ALLOW", "a limit of other actions cannot be meant");
    server.advance(3_700);
    assert_eq!(charge(&server).await.text("decision"), "ALLOW", "until the window has passed it");
    publish(&server, "later", &limit(", erased: ignore").replace("within: 1h, per", "within: 2h, per")).await;
    assert_eq!(charge(&server).await.text("decision"), "ALLOW");
}

#[tokio::test]
async fn a_policy_that_is_taken_away_and_put_back_does_not_start_again() {
    let server = Server::with_policy(OPEN).await;
    let rules = "rules: [{ id: cap, action: read_balance, limit: { count: 2, within: 1h, per: [agent] } }]\n";
    publish(&server, "late", rules).await;
    read(&server).await;
    let gone = server.admin(Method::DELETE, "/api/v1/policies/late", None).await;
    assert_eq!(gone.status, 200, "{gone:?}");
    read(&server).await;
    publish(&server, "late", rules).await;
    assert_eq!(read(&server).await.text("reasonCode"), "limit");
    let limits = server.admin_get("/api/v1/limits").await;
    assert_eq!(limits.json["limits"][0]["state"], "ready");
}

#[tokio::test]
async fn what_becomes_of_a_hold_counts_however_old_the_hold_is() {
    let rules = "rules:
  - { id: denials, action: read_balance, decision: BLOCK,
      when: \"count('10m', past.agent.id == agent.id && past.outcome == 'denied') >= 1\" }
";
    for is_denied_before in [true, false] {
        let server = Server::with_policy(OPEN).await;
        let held = refund(&server, 100).await;
        let deny = async || {
            let path = format!("/api/v1/approvals/{}/deny", held.text("approvalId"));
            assert_eq!(server.admin_post(&path, &json!({})).await.status, 200);
        };
        server.advance(1_200);
        read(&server).await;
        if is_denied_before {
            deny().await;
        }
        publish(&server, "late", rules).await;
        if !is_denied_before {
            assert_eq!(read(&server).await.text("decision"), "ALLOW");
            deny().await;
        }
        assert_eq!(read(&server).await.text("matchedRule"), "late/denials", "denied before: {is_denied_before}");
        let server = server.restart().await;
        assert_eq!(read(&server).await.text("matchedRule"), "late/denials");
        server.advance(700);
        assert_eq!(read(&server).await.text("decision"), "ALLOW");
    }
}

#[tokio::test]
async fn a_report_counts_however_old_its_decision_is() {
    let server = Server::with_policy(OPEN).await;
    let paid = refund(&server, 1).await;
    server.advance(1_200);
    read(&server).await;
    let path = format!("/api/v1/executions/{}", paid.text("requestId"));
    let answer = server.post_as(&server.installed.agent_key.clone(), &path, &json!({ "status": "failed" })).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let rules = "rules:
  - { id: failures, action: read_balance, decision: BLOCK,
      when: \"count('10m', past.agent.id == agent.id && past.outcome == 'failed') >= 1\" }
";
    publish(&server, "late", rules).await;
    assert_eq!(read(&server).await.text("matchedRule"), "late/failures");
}

#[tokio::test]
async fn more_new_counters_than_an_entry_has_room_for_are_filled_all_the_same() {
    let server = Server::with_policy(OPEN).await;
    read(&server).await;
    let limit = |at: usize| {
        let target = if at == 800 { "stripe".to_owned() } else { format!("t{at}") };
        format!("  - {{ id: r{at}, action: read_balance, target: {target}, limit: {{ count: 2, within: 1h }} }}\n")
    };
    let rules: String = (1..=800).map(limit).collect();
    publish(&server, "late", &format!("rules:\n{rules}")).await;
    assert_eq!(read(&server).await.text("decision"), "ALLOW");
    let server = server.restart().await;
    assert_eq!(read(&server).await.text("reasonCode"), "limit");
    server.verify_ledger();
}

#[tokio::test]
async fn what_the_longest_window_may_still_reach_is_not_erased() {
    let server = Server::with_policy(OPEN).await;
    assert_eq!(refund(&server, 1).await.text("decision"), "ALLOW");
    let workspace = server.app.workspace("default").unwrap().id.clone();
    let erase = || server.app.store.erase_payloads(&workspace, server.app.clock.now().0, 100).unwrap();
    // Rounded up, the window still has it.
    server.advance(31 * 24 * 3_600 + 6 * 3_600);
    assert_eq!(erase(), 0);
    let limit = "limit: { count: 2, within: 31d, per: [agent], otherwise: BLOCK }";
    publish(&server, "late", &format!("rules: [{{ id: cap, action: process_refund, {limit} }}]\n")).await;
    assert_eq!(refund(&server, 1).await.text("decision"), "ALLOW", "one of two: nothing of the past is missing");
    assert_eq!(refund(&server, 1).await.text("reasonCode"), "limit");
    server.advance(2 * 24 * 3_600);
    assert_eq!(erase(), 1, "the first one");
}
