//! Observing from the command line: what is said, what is not stopped, and what would have been.

use crate::binary::{Installation, code, json, stderr, stdout};

const CALL: &str = r#"{"action": {"type": "process_refund", "target": "stripe", "context": {"amount": 9000}}}"#;

#[test]
fn an_observing_workspace_says_so_everywhere_and_reports_what_it_let_through() {
    let installation = Installation::new();
    let server = installation.serve();
    let guard = || server.run(&["guard", "process_refund", "stripe", r#"{"amount": 9000}"#]);
    assert_eq!(code(&guard()), 4);
    let endless = server.run(&["observe", "on", "--until", "400d"]);
    assert_eq!((code(&endless), stderr(&endless).contains("90 days")), (1, true), "{}", stderr(&endless));
    let on = server.run(&["observe", "on", "--until", "2d"]);
    assert_eq!((code(&on), stdout(&on).contains("OBSERVING")), (0, true), "{}", stderr(&on));
    let let_through = guard();
    assert_eq!(code(&let_through), 0);
    assert!(stdout(&let_through).contains("enforced it is REQUIRE_APPROVAL"), "{}", stdout(&let_through));
    assert!(stdout(&server.run(&["doctor"])).contains("nothing is stopped"));
    let report = server.run(&["policy", "shadow-report", "--from", "1h", "--json"]);
    let report = json(&report);
    assert_eq!(
        (report["decisions"].as_u64(), report["rules"][0]["different"].as_u64()),
        (Some(2), Some(1)),
        "{report}"
    );
    assert_eq!(code(&server.run(&["observe", "off"])), 0);
    assert_eq!(json(&server.run(&["observe", "status", "--json"]))["mode"], "enforce");
    assert_eq!(code(&guard()), 4);
}

#[test]
fn the_risk_of_a_call_is_explained_by_the_server_and_from_files() {
    let installation = Installation::new();
    let server = installation.serve();
    let names = |risk: &serde_json::Value| {
        let factors = risk["risk"]["factors"].as_array().unwrap();
        factors.iter().map(|factor| factor["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let asked = server.run(&["risk", "explain", CALL, "--agent", installation.key("agentId"), "--json"]);
    assert_eq!(code(&asked), 0, "{}", stderr(&asked));
    assert_eq!(names(&json(&asked)), ["action", "target", "environment", "scale", "profile"]);
    let offline = server.run(&["risk", "explain", CALL, "--policies", "packs", "--json"]);
    assert_eq!(names(&json(&offline)), ["action", "target", "environment", "scale"]);
    assert!(stdout(&server.run(&["risk", "explain", CALL])).contains("of 30 outcomes"));
}
