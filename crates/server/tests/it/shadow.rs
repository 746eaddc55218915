//! What would have been decided otherwise, counted by rule.

use crate::harness::Server;
use reqwest::Method;
use serde_json::{Value, json};

const ENFORCED: &str = "
policy: test
rules:
  - { id: fine, action: process_refund, decision: ALLOW }
  - { id: big, action: process_refund, when: context.amount > 500, decision: BLOCK }
";
const TRIED: &str = "
policy: tried
mode: shadow
rules:
  - { id: ask, action: process_refund, when: context.amount > 50, decision: REQUIRE_APPROVAL }
  - { id: rate, action: process_refund, limit: { count: 2, within: 1h, otherwise: BLOCK } }
  - { id: reads, action: read_balance, decision: ALLOW }
  - { id: odd, action: process_refund, when: context.note == 5, decision: BLOCK }
";

async fn refund(server: &Server, amount: u64) {
    let answer = server.act("process_refund", "stripe", json!({ "amount": amount })).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

async fn report(server: &Server, query: &str) -> Value {
    let answer = server.admin_get(&format!("/api/v1/shadow-report{query}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json
}

fn rule<'a>(report: &'a Value, name: &str) -> &'a Value {
    let rules = report["rules"].as_array().unwrap();
    rules.iter().find(|tally| tally["rule"] == name).unwrap_or_else(|| panic!("no `{name}` in {report}"))
}

#[tokio::test]
async fn shadow_rules_are_counted_by_what_they_would_have_changed() {
    let policies = [("test", ENFORCED), ("tried", TRIED)].map(|(name, yaml)| (name.to_owned(), yaml.to_owned()));
    let server = Server::with_policies(policies.to_vec()).await;
    for amount in [5, 60, 600, 5] {
        refund(&server, amount).await;
    }
    assert_eq!(server.act("read_balance", "stripe", json!({})).await.text("decision"), "BLOCK");
    let all = report(&server, "").await;
    assert_eq!((&all["decisions"], &all["next"]), (&json!(5), &json!(null)));
    // Blocked anyway at 600, so only one call would have been held.
    let ask = rule(&all, "tried/ask");
    assert_eq!((&ask["calls"], &ask["different"]), (&json!(2), &json!(1)), "{ask}");
    assert_eq!(ask["changes"], json!([{ "from": "ALLOW", "to": "REQUIRE_APPROVAL", "count": 1 }]));
    assert_eq!(
        (&ask["examples"][0]["decided"], &ask["examples"][0]["would"]),
        (&json!("ALLOW"), &json!("REQUIRE_APPROVAL"))
    );
    // Two had used it up; the blocked one did not count.
    let rate = rule(&all, "tried/rate");
    assert_eq!(rate["changes"], json!([{ "from": "ALLOW", "to": "BLOCK", "count": 1 }]), "{all}");
    let reads = rule(&all, "tried/reads");
    assert_eq!(reads["changes"], json!([{ "from": "BLOCK", "to": "ALLOW", "count": 1 }]), "{all}");
    let odd = rule(&all, "tried/odd");
    assert_eq!((&odd["errors"], &odd["different"]), (&json!(4), &json!(3)), "{odd}");
    let later = report(&server, "?from=2027-01-01T00:00:00Z").await;
    assert_eq!((&later["decisions"], &later["rules"]), (&json!(0), &json!([])));
    let before = report(&server, "?to=2026-11-22T12:00:00Z").await;
    assert_eq!(before["decisions"], 0);
}

#[tokio::test]
async fn what_was_only_observed_is_counted_by_the_rule_that_would_have_stopped_it() {
    let server = Server::with_policy(ENFORCED).await;
    let patch = json!({ "observe": { "until": "2026-11-23T12:00:00Z" } });
    assert_eq!(server.admin(Method::PATCH, "/api/v1/settings", Some(&patch)).await.status, 200);
    for amount in [5, 600, 700] {
        refund(&server, amount).await;
    }
    let all = report(&server, "").await;
    let big = rule(&all, "test/big");
    assert_eq!((&big["mode"], &big["different"]), (&json!("observed"), &json!(2)), "{big}");
    assert_eq!(big["changes"], json!([{ "from": "ALLOW", "to": "BLOCK", "count": 2 }]));
    assert_eq!(rule(&all, "test/fine")["different"], 0);
}
