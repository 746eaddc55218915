//! Lint, explain, schema and history of policies over HTTP: what they say, and that they change nothing.

use crate::harness::Server;
use reqwest::Method;
use serde_json::{Value, json};

const REFUNDS: &str = "
policy: refunds
rules:
  - id: small
    action: process_refund
    when: context.amount <= 500
    decision: ALLOW
    limit: { count: 2, within: 1h }
  - id: large
    action: process_refund
    when: context.amount > 500
    decision: REQUIRE_APPROVAL
";

const SHADOWED: &str = "
policy: refunds
rules:
  - { id: over-1000, action: process_refund, when: context.amount > 1000, decision: REQUIRE_APPROVAL }
  - { id: over-500, action: process_refund, when: context.amount > 500, decision: BLOCK }
";

fn refund(amount: i64) -> Value {
    json!({ "action": { "type": "process_refund", "target": "stripe", "context": { "amount": amount } } })
}

#[tokio::test]
async fn lint_says_what_is_wrong_with_a_draft_and_with_what_is_in_force() {
    let server = Server::with_policies(vec![("refunds".to_owned(), REFUNDS.to_owned())]).await;
    let size = server.entries().len();
    let draft = server.admin_post("/api/v1/policies/lint", &json!({ "yaml": SHADOWED })).await;
    assert_eq!(draft.status, 200, "{draft:?}");
    let finding = &draft.json["findings"][0];
    assert_eq!((&finding["kind"], &finding["line"]), (&json!("shadowed"), &json!(4)), "{draft:?}");
    assert_eq!(finding["rules"], json!(["refunds/over-1000", "refunds/over-500"]));
    assert_eq!(finding["example"]["call"]["action"]["type"], "process_refund");
    let published = server.admin_post("/api/v1/policies/lint", &json!({})).await;
    assert_eq!((&published.json["valid"], &published.json["findings"]), (&json!(true), &json!([])), "{published:?}");
    let broken = server.admin_post("/api/v1/policies/lint", &json!({ "yaml": "policy: refunds\n" })).await;
    assert_eq!((&broken.json["valid"], &broken.json["findings"]), (&json!(false), &json!([])));
    assert!(!broken.json["errors"].as_array().unwrap().is_empty());
    assert_eq!(server.entries().len(), size, "a look is not recorded");
}

#[tokio::test]
async fn an_explanation_sees_the_meters_of_now_and_charges_nothing() {
    let server = Server::with_policies(vec![("refunds".to_owned(), REFUNDS.to_owned())]).await;
    let ask = async |yaml: Option<&str>, amount: i64| {
        let body = json!({ "call": refund(amount), "yaml": yaml });
        server.admin_post("/api/v1/policies/explain", &body).await
    };
    let first = ask(None, 100).await;
    assert_eq!(first.status, 200, "{first:?}");
    assert_eq!(first.json["decision"]["outcome"], "ALLOW");
    for _ in 0..3 {
        assert_eq!(ask(None, 100).await.json["rules"][0]["limit"]["used"], "0", "asking counts nothing");
    }
    let size = server.entries().len();
    for _ in 0..2 {
        assert_eq!(server.act("process_refund", "stripe", json!({ "amount": 100 })).await.text("decision"), "ALLOW");
    }
    assert_eq!(server.entries().len(), size + 2);
    let used_up = ask(None, 100).await;
    assert_eq!(used_up.json["decision"]["outcome"], "BLOCK", "{used_up:?}");
    assert_eq!(used_up.json["decision"]["code"], "limit");
    assert_eq!(used_up.json["rules"][0]["limit"]["usedUp"], true);
    assert_eq!(used_up.json["basis"]["policies"], "published");
    let near = used_up.json["rules"].as_array().unwrap().iter().find(|rule| rule["rule"] == "refunds/large").unwrap();
    assert_eq!((&near["standing"], &near["says"]), (&json!("near"), &json!("context.amount is 100, needs > 500")));
    assert_eq!((&near["line"], &near["parts"][0]["line"]), (&json!(9), &json!(11)));

    let draft = ask(Some(SHADOWED), 700).await;
    assert_eq!(
        (&draft.json["decision"]["outcome"], &draft.json["basis"]["policies"]),
        (&json!("BLOCK"), &json!("draft"))
    );
    assert_eq!(
        server.act("process_refund", "stripe", json!({ "amount": 700 })).await.text("decision"),
        "REQUIRE_APPROVAL"
    );
}

#[tokio::test]
async fn an_explanation_refuses_what_is_no_call_no_draft_and_no_agent() {
    let server = Server::with_policies(vec![("refunds".to_owned(), REFUNDS.to_owned())]).await;
    let explain = async |body: Value| server.admin_post("/api/v1/policies/explain", &body).await;
    let no_call = explain(json!({ "call": { "action": {} } })).await;
    assert_eq!((no_call.status, no_call.text("error")), (400, "invalid_request"));
    let no_draft = explain(json!({ "call": refund(1), "yaml": "policy: refunds\n" })).await;
    assert_eq!(no_draft.text("error"), "invalid_policy", "{no_draft:?}");
    let no_agent = explain(json!({ "call": refund(1), "agentId": "agt_none" })).await;
    assert_eq!(no_agent.text("error"), "unknown_agent");
    let no_time = explain(json!({ "call": refund(1), "at": "noon" })).await;
    assert_eq!(no_time.text("error"), "invalid_request");
}

#[tokio::test]
async fn the_schema_is_the_committed_one() {
    let server = Server::with_policies(vec![("refunds".to_owned(), REFUNDS.to_owned())]).await;
    let schema = server.admin_get("/api/v1/policies/schema").await;
    let committed = include_str!("../../../../contracts/policy.schema.json");
    assert_eq!(schema.json, serde_json::from_str::<Value>(committed).unwrap());
}

#[tokio::test]
async fn every_change_is_a_version_and_an_old_one_can_be_put_in_force_again() {
    let server = Server::with_policies(vec![("refunds".to_owned(), REFUNDS.to_owned())]).await;
    let path = "/api/v1/policies/refunds";
    let versions = async |server: &Server| server.admin_get(&format!("{path}/versions")).await.json["versions"].clone();
    assert_eq!(versions(&server).await.as_array().unwrap().len(), 1, "what an installation began with");
    let put = json!({ "yaml": SHADOWED, "message": "harder" });
    let put = server.admin(Method::PUT, path, Some(&put)).await;
    assert_eq!((put.status, &put.json["version"]), (200, &json!(2)), "{put:?}");
    let list = versions(&server).await;
    assert_eq!(
        (&list[0]["version"], &list[0]["message"], &list[0]["current"]),
        (&json!(2), &json!("harder"), &json!(true))
    );
    assert_eq!(
        (&list[1]["version"], &list[1]["change"], &list[1]["current"]),
        (&json!(1), &json!("published"), &json!(false))
    );
    let first = server.admin_get(&format!("{path}/versions/1")).await;
    assert_eq!(first.text("yaml"), REFUNDS);

    let back = server.admin_post(&format!("{path}/rollback"), &json!({ "version": 1, "message": "too hard" })).await;
    assert_eq!((back.status, &back.json["version"]), (200, &json!(3)), "{back:?}");
    assert_eq!(server.admin_get(path).await.text("yaml"), REFUNDS);
    let list = versions(&server).await;
    assert_eq!((&list[0]["change"], &list[0]["rolledBackTo"]), (&json!("rolled_back"), &json!(1)));
    let entry = server.entries().into_iter().rev().find(|entry| entry["kind"] == "control").unwrap();
    assert_eq!(entry["body"]["detail"]["rolledBackTo"], 1, "{entry}");

    let server = server.restart().await;
    assert_eq!(versions(&server).await, list, "history outlives the process");
    let gone = server.admin(Method::DELETE, &format!("{path}?message=unused"), None).await;
    assert_eq!((gone.status, &gone.json["version"]), (200, &json!(4)), "{gone:?}");
    let list = versions(&server).await;
    assert_eq!((&list[0]["change"], &list[0]["message"]), (&json!("withdrawn"), &json!("unused")));
    let withdrawn = server.admin_post(&format!("{path}/rollback"), &json!({ "version": 4 })).await;
    assert_eq!((withdrawn.status, withdrawn.text("error")), (400, "invalid_request"));
    let unknown = server.admin_post(&format!("{path}/rollback"), &json!({ "version": 9 })).await;
    assert_eq!((unknown.status, unknown.text("error")), (404, "unknown_policy"));
    let back = server.admin_post(&format!("{path}/rollback"), &json!({ "version": 2 })).await;
    assert_eq!((back.status, &back.json["version"]), (200, &json!(5)), "a withdrawn policy comes back");
    let unknown = server.admin_get("/api/v1/policies/nobody/versions").await;
    assert_eq!((unknown.status, unknown.text("error")), (404, "unknown_policy"));
    let long = json!({ "yaml": REFUNDS, "message": "x".repeat(501) });
    assert_eq!(server.admin(Method::PUT, path, Some(&long)).await.text("error"), "invalid_request");
}
