//! Words in the list of decisions, and how often rules had a say.

use crate::harness::Server;
use serde_json::{Value, json};

fn requests(page: &Value) -> Vec<String> {
    let rows = page["decisions"].as_array().unwrap();
    rows.iter().map(|row| row["requestId"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn words_are_found_in_everything_the_list_says() {
    let server = Server::start().await;
    let (_, key) = server.agent("Night Shift").await;
    let body = json!({ "action": { "type": "readBalance", "target": "Billing-System" } });
    let night = server.post_as(&key, "/api/v1/guard", &body).await.text("requestId").to_owned();
    let held = server.act("process_refund", "stripe", json!({ "amount": 800 })).await;
    let (held, approval) = (held.text("requestId").to_owned(), held.text("approvalId").to_owned());
    server.listed().await;
    let search = async |q: &str| requests(&server.admin_get(&format!("/api/v1/decisions?q={q}")).await.json);
    for q in ["night", "NIGHT%20shift", "billing", "readbalance", "read_balance", "shift%20allow", &night] {
        assert_eq!(search(q).await, std::slice::from_ref(&night), "{q}");
    }
    for q in ["refund-over", "stripe%20require_approval", "need%20a%20person", &approval] {
        assert_eq!(search(q).await, std::slice::from_ref(&held), "{q}");
    }
    assert_eq!(search("night%20refund").await, [] as [String; 0], "all words, in one decision");
    assert_eq!(search("riskScore").await, [] as [String; 0], "names of members are no text");
    assert_eq!(search("%20").await.len(), 2, "no word is no filter");
    let own = server.get_as(&key, "/api/v1/decisions?q=stripe").await;
    assert_eq!(requests(&own.json), [] as [String; 0], "an agent searches among its own");
    let narrowed = server.admin_get("/api/v1/decisions?q=stripe&outcome=ALLOW").await;
    assert_eq!(requests(&narrowed.json), [] as [String; 0]);
    let long = server.admin_get(&format!("/api/v1/decisions?q={}", "x".repeat(201))).await;
    assert_eq!(long.text("error"), "invalid_request");
}

#[tokio::test]
async fn decisions_are_found_by_their_risk_and_only_by_a_risk_there_can_be() {
    let server = Server::start().await;
    let mut made = Vec::new();
    for (action, context) in [("read_balance", json!({})), ("process_refund", json!({ "amount": 800 }))] {
        let answer = server.act(action, "stripe", context).await;
        made.push((answer.json["riskScore"].as_u64().unwrap(), answer.text("requestId").to_owned()));
    }
    server.listed().await;
    let search = async |query: &str| requests(&server.admin_get(&format!("/api/v1/decisions?{query}")).await.json);
    let ((low, read), (high, refund)) = (made[0].clone(), made[1].clone());
    assert!(low < high);
    assert_eq!(search(&format!("minRisk={high}")).await, std::slice::from_ref(&refund));
    assert_eq!(search(&format!("maxRisk={low}")).await, std::slice::from_ref(&read));
    assert_eq!(search(&format!("minRisk={low}&maxRisk={high}")).await, [refund.clone(), read]);
    assert_eq!(search(&format!("minRisk={high}&q=refund")).await, [refund]);
    for query in ["minRisk=50&maxRisk=49", "minRisk=101", "maxRisk=-1"] {
        let refused = server.admin_get(&format!("/api/v1/decisions?{query}")).await;
        assert_eq!((refused.status, refused.text("error")), (400, "invalid_request"), "{query}");
    }
}

#[tokio::test]
async fn a_search_goes_on_where_it_stopped_in_both_directions() {
    let server = Server::start().await;
    let mut odd = Vec::new();
    for number in 0..12 {
        let target = if number % 2 == 1 { "odd-one" } else { "even-one" };
        let request = server.act("read_balance", target, json!({})).await.text("requestId").to_owned();
        if number % 2 == 1 {
            odd.push(request);
        }
    }
    odd.reverse();
    server.listed().await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = server.admin_get(&format!("/api/v1/decisions?q=odd&limit=2{cursor}")).await.json;
        seen.extend(requests(&page));
        match page["nextCursor"].as_u64() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, odd);
    let newest = server.admin_get("/api/v1/decisions?q=odd&limit=1").await.json;
    let after = newest["prevCursor"].as_u64().unwrap();
    server.act("read_balance", "even-one", json!({})).await;
    server.listed().await;
    let none = server.admin_get(&format!("/api/v1/decisions?q=odd&after={after}")).await.json;
    assert_eq!(requests(&none), [] as [String; 0]);
    let further = none["prevCursor"].as_u64().unwrap();
    assert!(further > after, "what did not fit is not looked at again");
    let last = server.act("read_balance", "odd-one", json!({})).await.text("requestId").to_owned();
    server.listed().await;
    let one = server.admin_get(&format!("/api/v1/decisions?q=odd&after={further}")).await.json;
    assert_eq!(requests(&one), [last]);
}

#[tokio::test]
async fn rules_are_counted_also_where_a_stricter_one_decides() {
    let yaml = "policy: test\nrules:\n- { id: free, action: process_refund, decision: ALLOW }\n\
                - { id: large, action: process_refund, when: context.amount > 500, decision: BLOCK }\n\
                - { id: dead, action: process_refund, when: context.amount > 900000, decision: BLOCK }\n\
                - { id: duty, action: process_refund, audit: { payload: full } }\n";
    let server = Server::with_policy(yaml).await;
    for amount in [1, 2, 800] {
        server.act("process_refund", "stripe", json!({ "amount": amount })).await;
    }
    server.listed().await;
    let hits = server.admin_get("/api/v1/policies/test/hits").await;
    let of = |rule: &str| hits.json["rules"].as_array().unwrap().iter().find(|each| each["rule"] == rule).cloned();
    let counts = |rule, hits, allow, block| json!({ "rule": rule, "hits": hits, "allow": allow, "requireApproval": 0, "block": block, "never": hits == 0 });
    assert_eq!(of("free"), Some(counts("free", 3, 2, 1)));
    assert_eq!(of("large"), Some(counts("large", 1, 0, 1)));
    assert_eq!(of("dead"), Some(counts("dead", 0, 0, 0)));
    assert_eq!(of("duty"), None, "a duty decides nothing");
    assert_eq!(server.admin_get("/api/v1/policies/none/hits").await.text("error"), "unknown_policy");
    for within in ["0s", "93d", "soon"] {
        let refused = server.admin_get(&format!("/api/v1/policies/test/hits?within={within}")).await;
        assert_eq!(refused.text("error"), "invalid_request", "{within}");
    }
    let statistics = server.admin_get("/api/v1/statistics").await;
    assert!(statistics.json["ledger"]["checkedTo"].is_u64(), "{statistics:?}");
}
