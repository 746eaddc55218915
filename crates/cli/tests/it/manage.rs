//! What people change, and that it holds from then on.

use crate::binary::{Installation, code, json, stderr, stdout};

#[test]
fn containment_suspension_and_revocation_stop_an_agent() {
    let installation = Installation::new();
    let server = installation.serve();
    let ask = || code(&server.run(&["guard", "read_balance", "stripe"]));
    let agent = installation.key("agentId");
    assert_eq!(ask(), 0);
    let on = server.run(&["contain", "on", "agent", agent, "--reason", "looks odd", "--json"]);
    assert_eq!(code(&on), 0, "{}", stderr(&on));
    assert_eq!(ask(), 2);
    assert!(stdout(&server.run(&["contain", "list"])).contains("looks odd"));
    assert_eq!(code(&server.run(&["contain", "off", json(&on)["id"].as_str().unwrap()])), 0);
    assert_eq!(ask(), 0);
    assert_eq!(code(&server.run(&["agents", "suspend", agent])), 0);
    assert_eq!(ask(), 2);
    assert_eq!(code(&server.run(&["agents", "resume", agent])), 0);
    assert_eq!(ask(), 0);
    let keys = json(&server.run(&["keys", "list", agent, "--json"]));
    let key = keys["keys"][0]["id"].as_str().unwrap();
    assert_eq!(code(&server.run(&["keys", "revoke", key])), 0);
    assert_eq!(ask(), 1);
    let made = server.run(&["keys", "create", agent, "--expires", "1h", "--json"]);
    assert_eq!(code(&made), 0, "{}", stderr(&made));
    let made = json(&made);
    let secret = made["key"]["key"].as_str().or_else(|| made["key"].as_str()).unwrap();
    let with_new =
        server.client(&["guard", "read_balance", "stripe"]).env("RUNPLANE_API_KEY", secret).output().unwrap();
    assert_eq!(code(&with_new), 0, "{}", stderr(&with_new));
}

#[test]
fn versions_of_a_policy_are_listed_compared_and_put_in_force_again() {
    let installation = Installation::new();
    let server = installation.serve();
    let file = installation.folder.path().join("cap.yaml");
    let put = |cap: u32, why: &str| {
        let rule = format!("{{ id: cap, action: process_refund, when: 'context.amount > {cap}', decision: BLOCK }}");
        std::fs::write(&file, format!("policy: cap\ndescription: d\nrules:\n  - {rule}\n")).unwrap();
        let put = server.run(&["policy", "put", file.to_str().unwrap(), "--message", why]);
        assert_eq!(code(&put), 0, "{}", stderr(&put));
    };
    let ask = || {
        let answer = server.run(&["guard", "process_refund", "stripe", r#"{"amount":150}"#, "--json"]);
        json(&answer)["matchedRule"].as_str().unwrap().to_owned()
    };
    put(100, "a first cap");
    assert_eq!(ask(), "cap/cap");
    put(200, "there are larger ones");
    assert_ne!(ask(), "cap/cap");

    let history = stdout(&server.run(&["policy", "history", "cap"]));
    let place = |text: &str| history.find(text).unwrap_or_else(|| panic!("no {text}: {history}"));
    assert!(place("there are larger ones") < place("a first cap"), "newest first: {history}");
    let diff = server.run(&["policy", "diff", "cap", "1", "2"]);
    assert_eq!(code(&diff), 0, "{}", stderr(&diff));
    let changed: Vec<String> =
        stdout(&diff).lines().filter(|line| line.starts_with(['-', '+'])).map(str::to_owned).collect();
    assert!(changed.iter().any(|line| line.starts_with('-') && line.contains("> 100")), "{changed:?}");
    assert!(changed.iter().any(|line| line.starts_with('+') && line.contains("> 200")), "{changed:?}");

    let back = server.run(&["policy", "rollback", "cap", "1", "--message", "too large"]);
    assert_eq!(code(&back), 0, "{}", stderr(&back));
    assert_eq!(ask(), "cap/cap");
    assert!(stdout(&server.run(&["policy", "get", "cap"])).contains("> 100"));
    let history = json(&server.run(&["policy", "history", "cap", "--json"]));
    assert_eq!(history["versions"].as_array().map(Vec::len), Some(3), "a rollback is a version: {history}");
    let unknown = server.run(&["policy", "rollback", "cap", "9"]);
    assert_ne!(code(&unknown), 0, "{}", stdout(&unknown));
}

#[test]
fn policies_are_put_in_force_and_taken_out() {
    let installation = Installation::new();
    let server = installation.serve();
    let file = installation.folder.path().join("freeze.yaml");
    std::fs::write(&file, "policy: freeze\ndescription: d\nrules:\n  - { id: all, action: read_balance, decision: BLOCK, reason: frozen }\n").unwrap();
    let file = file.to_str().unwrap();
    let put = server.run(&["policy", "put", file]);
    assert_eq!(code(&put), 0, "{}", stderr(&put));
    let blocked = server.run(&["guard", "read_balance", "stripe", "--json"]);
    assert_eq!((code(&blocked), json(&blocked)["matchedRule"].as_str()), (2, Some("freeze/all")));
    assert_eq!(stdout(&server.run(&["policy", "get", "freeze"])), std::fs::read_to_string(file).unwrap());
    assert!(stdout(&server.run(&["policy", "list"])).contains("freeze"));
    std::fs::write(
        file,
        "policy: freeze\ndescription: d\nrules:\n  - { id: all, action: read_balanc, decision: BLOCK }\n",
    )
    .unwrap();
    let refused = server.run(&["policy", "put", file]);
    assert_eq!(code(&refused), 3, "{}{}", stdout(&refused), stderr(&refused));
    assert!(stdout(&refused).contains("read_balance"), "{}", stdout(&refused));
    assert_eq!(code(&server.run(&["guard", "read_balance", "stripe"])), 2, "a bad publish replaced a good one");
    assert_eq!(code(&server.run(&["policy", "delete", "freeze"])), 0);
    assert_eq!(code(&server.run(&["guard", "read_balance", "stripe"])), 0);
}

#[test]
fn agents_are_made_with_a_key_that_works() {
    let installation = Installation::new();
    let server = installation.serve();
    let made = server.run(&["agents", "create", "helper", "--environment", "staging", "--label", "desk", "--json"]);
    assert_eq!(code(&made), 0, "{}", stderr(&made));
    let made = json(&made);
    let key = made["key"]["key"].as_str().unwrap();
    let asked =
        server.client(&["guard", "read_balance", "stripe", "--json"]).env("RUNPLANE_API_KEY", key).output().unwrap();
    assert_eq!((code(&asked), json(&asked)["environment"].as_str()), (0, Some("staging")));
    let listed = stdout(&server.run(&["agents", "list"]));
    assert!(listed.contains("helper") && listed.contains("desk"), "{listed}");
}

#[test]
fn a_rotated_key_is_replaced_by_one_that_works() {
    let installation = Installation::new();
    let server = installation.serve();
    let keys = json(&server.run(&["keys", "list", installation.key("agentId"), "--json"]));
    let rotated = server.run(&["keys", "rotate", keys["keys"][0]["id"].as_str().unwrap()]);
    assert_eq!(code(&rotated), 0, "{}", stderr(&rotated));
    let said = stdout(&rotated);
    let secret = said.split_whitespace().find(|word| word.starts_with("rpk_")).unwrap();
    let ask = |key: &str| {
        code(&server.client(&["guard", "read_balance", "stripe"]).env("RUNPLANE_API_KEY", key).output().unwrap())
    };
    assert_eq!((ask(secret), ask(installation.key("agentKey"))), (0, 1));
}
