//! Deliberately bad requests: the right answer, always JSON, and a server that is well afterwards.

use crate::harness::{Answer, Server};
use serde_json::json;

/// Body of a guard call and the reason code it is blocked with.
fn bad_bodies() -> Vec<(String, &'static str)> {
    let call =
        |context: &str| format!(r#"{{"action":{{"type":"read_balance","target":"stripe","context":{context}}}}}"#);
    let mut bad: Vec<(String, &'static str)> = [
        ("", "malformed_json"),
        (" ", "malformed_json"),
        ("{", "malformed_json"),
        ("nul", "malformed_json"),
        ("{}", "invalid_request"),
        ("[]", "invalid_request"),
        ("null", "invalid_request"),
        ("\"text\"", "invalid_request"),
        ("42", "invalid_request"),
        ("{\"action\":null}", "invalid_request"),
        ("{\"action\":[]}", "invalid_request"),
        ("{\"action\":\"read_balance\",\"target\":\"stripe\"}", "invalid_request"),
        ("{\"action\":{}}", "invalid_request"),
        ("{\"action\":{\"type\":\"read_balance\"}}", "invalid_request"),
        ("{\"action\":{\"target\":\"stripe\"}}", "invalid_request"),
        ("{\"action\":{\"type\":7,\"target\":\"stripe\"}}", "invalid_request"),
        ("{\"action\":{\"type\":\"read_balance\",\"target\":[\"stripe\"]}}", "invalid_request"),
        ("{\"action\":{\"type\":\"\",\"target\":\"stripe\"}}", "invalid_request"),
        ("{\"action\":{\"type\":\"read_balance\",\"target\":\"\"}}", "invalid_request"),
        ("{\"action\":{\"type\":\"read_balance\",\"target\":\"   \"}}", "invalid_request"),
        ("{\"action\":{\"type\":\"a\\u0000b\",\"target\":\"stripe\"}}", "invalid_request"),
        ("{\"action\":{\"type\":\"read\\nbalance\",\"target\":\"stripe\"}}", "invalid_request"),
        ("{\"action\":{\"type\":\"read_balance\",\"target\":\"st\\u202eripe\"}}", "invalid_request"),
        ("{\"action\":{\"type\":\"read_balance\",\"target\":\"stripe\"},\"requestId\":7}", "invalid_request"),
        ("{\"action\":{\"type\":\"read_balance\",\"target\":\"stripe\"},\"requestId\":\"\"}", "invalid_request"),
        ("{\"action\":{\"type\":\"read_balance\",\"target\":\"stripe\"},\"requestId\":\"a b\"}", "invalid_request"),
        ("{\"action\":{\"type\":\"read_balance\",\"target\":\"stripe\"},\"requestId\":\"\\u0000\"}", "invalid_request"),
        ("{\"action\":{\"type\":\"read_balance\",\"target\":\"stripe\"},\"subject\":{}}", "invalid_request"),
        ("{\"action\":{\"type\":\"read_balance\",\"target\":\"stripe\",\"tool\":3}}", "invalid_request"),
        ("{\"action\":{\"type\":\"read_balance\",\"type\":\"read_balance\",\"target\":\"stripe\"}}", "duplicate_key"),
        ("{\"action\":{\"type\":\"read_balance\",\"target\":\"stripe\"}} trailing", "malformed_json"),
        ("{\"action\":{\"type\":\"read_balance\",\"target\":\"stripe\"},}", "malformed_json"),
        ("{'action':{}}", "malformed_json"),
        ("\u{feff}{}", "malformed_json"),
    ]
    .map(|(body, code)| (body.to_owned(), code))
    .into();
    for (context, code) in [
        ("[]", "invalid_request"),
        ("\"x\"", "invalid_request"),
        ("7", "invalid_request"),
        ("{\"a\":1,\"a\":2}", "duplicate_key"),
        ("{\"a\":1,\"\\u0061\":2}", "duplicate_key"),
        ("{\"a\":{\"b\":1,\"b\":1}}", "duplicate_key"),
        ("{\"a\":9007199254740993}", "ambiguous_number"),
        ("{\"a\":0.1000000000000000055511151231257827}", "ambiguous_number"),
        ("{\"a\":1e400}", "ambiguous_number"),
        ("{\"a\":-1e999}", "ambiguous_number"),
        ("{\"a\":123456789012345678901234567890}", "ambiguous_number"),
        ("{\"a\":NaN}", "malformed_json"),
        ("{\"a\":Infinity}", "malformed_json"),
        ("{\"a\":01}", "malformed_json"),
        ("{\"a\":+1}", "malformed_json"),
        ("{\"a\":.5}", "malformed_json"),
        ("{\"a\":1.}", "malformed_json"),
        ("{\"a\":0x10}", "malformed_json"),
        ("{\"a\":\"\\ud800\"}", "malformed_json"),
        ("{\"a\":\"\\x\"}", "malformed_json"),
        ("{\"a\":\"line\nbreak\"}", "malformed_json"),
        ("{\"a\":tru}", "malformed_json"),
        ("{\"a\" 1}", "malformed_json"),
        ("{a:1}", "malformed_json"),
    ] {
        bad.push((call(context), code));
    }
    bad.push((call(&format!("{}{}", "{\"a\":".repeat(200), "1".to_owned() + &"}".repeat(200))), "too_deep"));
    bad.push((call(&format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000))), "too_deep"));
    bad.push((call(&format!("{{\"a\":[{}1]}}", "1,".repeat(300_000))), "too_many_values"));
    bad.push((call(&format!("{{\"a\":\"{}\"}}", "x".repeat(10_000_000))), "payload_too_large"));
    let long = "t".repeat(10_000);
    bad.push((format!(r#"{{"action":{{"type":"{long}","target":"stripe"}}}}"#), "invalid_request"));
    bad.push((format!(r#"{{"action":{{"type":"read_balance","target":"{long}"}}}}"#), "invalid_request"));
    let id = "i".repeat(129);
    bad.push((format!(r#"{{"requestId":"{id}","action":{{"type":"read_balance","target":"s"}}}}"#), "invalid_request"));
    bad
}

#[tokio::test]
async fn whatever_the_request_causes_is_a_recorded_block() {
    let server = Server::start().await;
    let bodies = bad_bodies();
    assert!(bodies.len() >= 60, "{}", bodies.len());
    let before = server.verify_ledger();
    for (body, code) in &bodies {
        let shown: String = body.chars().take(120).collect();
        let answer = raw(&server, body.clone().into_bytes()).await;
        assert_eq!((answer.status, answer.text("decision")), (200, "BLOCK"), "{shown}: {answer:?}");
        assert_eq!(answer.text("reasonCode"), *code, "{shown}: {answer:?}");
        assert!(answer.json["ledger"]["index"].is_u64(), "{shown}");
    }
    assert_eq!(server.verify_ledger(), before + bodies.len() as u64);
    let well = server.act("read_balance", "stripe", json!({})).await;
    assert_eq!(well.text("decision"), "ALLOW");
}

#[tokio::test]
async fn bytes_that_are_no_text_are_blocked() {
    let server = Server::start().await;
    for bytes in [vec![0xff, 0xfe], b"{\"action\":{\"type\":\"a\xc3\x28\",\"target\":\"s\"}}".to_vec(), vec![0; 64]] {
        let answer = raw(&server, bytes).await;
        assert_eq!((answer.status, answer.text("decision")), (200, "BLOCK"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_nul_inside_a_context_string_is_legal() {
    let server = Server::start().await;
    let answer = server.act("read_balance", "stripe", json!({ "note": "a\u{0}b" })).await;
    assert_eq!(answer.text("decision"), "ALLOW", "{answer:?}");
}

async fn raw(server: &Server, body: Vec<u8>) -> Answer {
    let request = server.client.post(server.url("/api/v1/guard")).bearer_auth(&server.installed.agent_key);
    server.send(request.body(body)).await
}

#[tokio::test]
async fn wrong_doors_and_wrong_keys_answer_problem_documents() {
    let server = Server::start().await;
    let good = server.installed.agent_key.clone();
    let cases = [
        ("GET", "/nothing", None, 404, "not_found"),
        ("GET", "/api/v1/nothing", Some(good.as_str()), 404, "not_found"),
        ("POST", "/api/v1/guard/extra", Some(good.as_str()), 404, "not_found"),
        ("GET", "/api/v1/guard", Some(good.as_str()), 405, "method_not_allowed"),
        ("PUT", "/api/v1/guard", Some(good.as_str()), 405, "method_not_allowed"),
        ("DELETE", "/api/decide", Some(good.as_str()), 405, "method_not_allowed"),
        ("POST", "/api/v1/guard", None, 401, "invalid_key"),
        ("POST", "/api/v1/guard", Some(""), 401, "invalid_key"),
        ("POST", "/api/v1/guard", Some("rpk_short"), 401, "invalid_key"),
        ("POST", "/api/v1/guard", Some("rpk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), 401, "invalid_key"),
        ("POST", "/api/v1/guard", Some(server.installed.admin_token.as_str()), 401, "invalid_key"),
        ("GET", "/api/v1/approvals/%FF", Some(good.as_str()), 400, "invalid_request"),
        ("GET", "/api/v1/approvals?limit=many", Some(good.as_str()), 400, "invalid_request"),
        ("GET", "/api/v1/approvals?stat=pending", Some(good.as_str()), 400, "invalid_request"),
        ("GET", "/api/v1/approvals/apr_1?wait=long", Some(good.as_str()), 400, "invalid_request"),
        ("POST", "/api/v1/approvals/apr_1/approve", Some(good.as_str()), 403, "forbidden"),
        ("POST", "/api/v1/approvals/apr_1/redeem", Some(good.as_str()), 400, "invalid_request"),
        ("POST", "/api/v1/executions/req_1", Some(good.as_str()), 400, "invalid_request"),
    ];
    for (method, path, credential, status, code) in cases {
        let mut request =
            server.client.request(method.parse().unwrap(), server.url(path)).header("runplane-client", "t/1");
        if let Some(credential) = credential {
            request = request.bearer_auth(credential);
        }
        let answer = server.send(request).await;
        assert_eq!((answer.status, answer.text("error")), (status, code), "{method} {path}: {answer:?}");
    }
    let other_host = server.client.get(server.url("/api/v1/approvals")).header("host", "evil.test");
    assert_eq!(server.send(other_host).await.text("error"), "host_not_allowed");
}
