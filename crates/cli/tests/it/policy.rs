//! `policy check` and `policy test`, offline.

use crate::binary::{code, json, root, runplane, stderr, stdout};
use std::fs;
use std::path::PathBuf;
use std::process::Output;
use tempfile::TempDir;

const CASES: &str = "contracts/cases/use-cases.jsonl";

fn run(args: &[&str]) -> Output {
    runplane(args).current_dir(root()).output().unwrap()
}

fn written(name: &str, text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    (folder, path)
}

#[test]
fn the_shipped_packs_earn_the_shipped_cases() {
    let output = run(&["policy", "test", CASES]);
    assert_eq!(code(&output), 0, "{}", stdout(&output));
    let results = json(&run(&["policy", "test", CASES, "--json"]));
    assert_eq!(results["cases"], 77);
    assert_eq!(results["met"], 77);
}

#[test]
fn the_shipped_packs_earn_the_further_cases() {
    let output = run(&["policy", "test", "contracts/cases/more.jsonl"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn the_embedded_packs_are_those_of_the_folder() {
    let embedded = run(&["policy", "test", CASES, "--json"]);
    let folder = run(&["policy", "test", CASES, "--json", "--policies", "packs"]);
    assert_eq!(json(&embedded)["met"], json(&folder)["met"]);
}

#[test]
fn a_case_that_is_not_met_is_a_finding_with_its_reason() {
    let text = fs::read_to_string(root().join(CASES)).unwrap();
    let wrong = text.replacen(r#""expect": "ALLOW""#, r#""expect": "BLOCK""#, 1);
    let (_folder, path) = written("cases.jsonl", &wrong);
    let output = run(&["policy", "test", path.to_str().unwrap()]);
    assert_eq!(code(&output), 3);
    let said = stdout(&output);
    assert!(said.contains("FAILED  payments/balance"), "{said}");
    assert!(said.contains("the decision is ALLOW, expected BLOCK"), "{said}");
}

#[test]
fn an_exception_may_be_stricter_and_never_laxer() {
    let setup = r#"{"setup": {"settings": {"defaultDecision": "REQUIRE_APPROVAL"}, "agent": {"name": "a", "environment": "production"}}}"#;
    let policy = "policy: p\ndescription: d\nrules:\n  - { id: free, action: read_balance, decision: ALLOW }\n";
    let (policies, _) = written("p.yaml", policy);
    let case = |action: &str, expect: &str| {
        format!(
            "{setup}\n{{\"id\": \"c\", \"action\": {{\"type\": \"{action}\", \"target\": \"t\"}}, \"expect\": \"{expect}\"}}\n"
        )
    };
    let (_folder, list) = written("list.txt", "# waits for a reader\nc\n");
    let test = |cases: &str| {
        let (_cases, path) = written("cases.jsonl", cases);
        let [path, policies, list] = [&path, policies.path(), &list].map(|path| path.to_str().unwrap().to_owned());
        run(&["policy", "test", &path, "--policies", &policies, "--exceptions", &list])
    };
    let stricter = test(&case("create_charge", "ALLOW"));
    assert_eq!(code(&stricter), 0, "{}{}", stdout(&stricter), stderr(&stricter));
    let laxer = test(&case("read_balance", "BLOCK"));
    assert_eq!(code(&laxer), 3);
    assert!(stdout(&laxer).contains("never laxer"), "{}", stdout(&laxer));
    let held = case("process_refund", "BLOCK");
    assert_eq!(code(&test(&held)), 3);
    fs::write(&list, "c held\n").unwrap();
    assert_eq!(code(&test(&held)), 0);
    fs::write(&list, "c hold\n").unwrap();
    assert_eq!(code(&test(&held)), 1);
    fs::write(&list, "c\n").unwrap();
    let met = test(&case("read_balance", "ALLOW"));
    assert_eq!(code(&met), 3);
    assert!(stdout(&met).contains("take it off the list"), "{}", stdout(&met));
    let unknown = test(&case("read_balance", "ALLOW").replace("\"c\"", "\"d\""));
    assert_eq!(code(&unknown), 3);
    assert!(stdout(&unknown).contains("there is no such case"), "{}", stdout(&unknown));
}

#[test]
fn a_file_that_tests_nothing_is_a_failure() {
    let setup = r#"{"setup": {"agent": {"name": "a", "environment": "production"}}}"#;
    let misspelt = format!(
        "{setup}\n{{\"id\": \"c\", \"action\": {{\"type\": \"x\", \"target\": \"t\"}}, \"expects\": \"ALLOW\"}}\n"
    );
    for text in ["", setup, &misspelt, "{}"] {
        let (_folder, path) = written("cases.jsonl", text);
        let output = run(&["policy", "test", path.to_str().unwrap()]);
        assert_eq!(code(&output), 1, "{text}: {}", stdout(&output));
    }
}

#[test]
fn check_shows_the_line_and_the_place() {
    let policy = "policy: demo\ndescription: d\nrules:\n  - id: big\n    action: process_refund\n    when: contxt.amount > 500\n    decision: BLOCK\n";
    let (_folder, path) = written("demo.yaml", policy);
    let output = run(&["policy", "check", path.to_str().unwrap()]);
    assert_eq!(code(&output), 3);
    let said = stdout(&output);
    assert!(said.contains("demo.yaml:6:11"), "{said}");
    assert!(said.contains("6 |     when: contxt.amount > 500\n  |           ^^^^^^\n"), "{said}");
    assert!(said.contains("did you mean `context`"), "{said}");
    assert!(!said.contains('\u{1b}'), "colour where there is no terminal");
    let answer = json(&run(&["policy", "check", path.to_str().unwrap(), "--json"]));
    assert_eq!((&answer["valid"], &answer["errors"][0]["line"]), (&false.into(), &6.into()));
    let good = run(&["policy", "check", "packs/payments.yaml", "packs/baseline.yaml"]);
    assert_eq!(code(&good), 0, "{}", stdout(&good));
}

#[test]
fn lint_shows_the_place_and_a_call_that_shows_the_mistake() {
    let output = run(&["policy", "lint", "contracts/lint/shadowed-by-block.yaml"]);
    assert_eq!(code(&output), 3);
    let said = stdout(&output);
    assert!(said.contains("shadowed-by-block.yaml:5:9"), "{said}");
    assert!(said.contains("over-1000\n  |         ^^^^"), "{said}");
    let example = said.lines().find_map(|line| line.strip_prefix("  = example: ")).unwrap();
    let call: serde_json::Value = serde_json::from_str(example).unwrap();
    assert_eq!(call["action"]["type"], "process_refund", "{call}");
    assert!(said.contains("= shows: `planted/over-500` holds as well: BLOCK with"), "{said}");
    let answer = json(&run(&["policy", "lint", "contracts/lint/shadowed-by-block.yaml", "--json"]));
    assert_eq!(answer["findings"][0]["kind"], "shadowed");
    assert_eq!(answer["findings"][0]["example"]["without"], "BLOCK");
}

#[test]
fn lint_finds_nothing_in_the_shipped_packs() {
    let output = run(&["policy", "lint", "packs"]);
    assert_eq!(code(&output), 0, "{}", stdout(&output));
}

#[test]
fn lint_knows_only_the_groups_it_is_told() {
    let file = "packs/payments.yaml";
    let output = run(&["policy", "lint", file, "--group", "finance=2"]);
    assert_eq!(code(&output), 0, "{}", stdout(&output));
    let output = run(&["policy", "lint", file, "--group", "accounting"]);
    assert_eq!(code(&output), 3);
    assert!(stdout(&output).contains("no account is in the group `finance`"), "{}", stdout(&output));
    assert_eq!(code(&run(&["policy", "lint", file, "--group", "finance=many"])), 1);
    assert_eq!(code(&run(&["policy", "lint"])), 1);
}

#[test]
fn lint_does_not_look_at_what_does_not_publish() {
    let (_folder, path) = written("p.yaml", "policy: p\nrules:\n  - { id: a, when: nonsense, decision: BLOCK }\n");
    let output = run(&["policy", "lint", path.to_str().unwrap()]);
    assert_eq!(code(&output), 3);
    assert!(stdout(&output).contains("unknown name `nonsense`"), "{}", stdout(&output));
}

#[test]
fn explain_says_which_rules_matched_and_which_nearly() {
    let call =
        r#"{"action": {"type": "process_refund", "target": "stripe", "context": {"amount": 120, "currency": "USD"}}}"#;
    let output = run(&["policy", "explain", call, "--policies", "packs"]);
    assert_eq!(code(&output), 0, "{}{}", stdout(&output), stderr(&output));
    let said = stdout(&output);
    assert!(said.starts_with("ALLOW  A refund of at most 500"), "{said}");
    assert!(said.contains("context.amount is 120, needs > 500"), "{said}");
    assert!(said.contains("payments/refund-up-to-500  ALLOW, decides"), "{said}");
    let (_folder, path) = written("call.json", call);
    let answer = json(&run(&["policy", "explain", path.to_str().unwrap(), "--policies", "packs", "--json"]));
    assert_eq!(answer["decision"]["matchedRule"], "payments/refund-up-to-500");
    let near =
        answer["rules"].as_array().unwrap().iter().find(|rule| rule["rule"] == "payments/refund-over-500").unwrap();
    assert_eq!((&near["standing"], &near["parts"][0]["found"]["context.amount"]), (&"near".into(), &"120".into()));
    assert_eq!(code(&run(&["policy", "explain", "{}", "--policies", "packs"])), 1);
}

#[test]
fn coverage_names_the_rules_that_no_case_made_true() {
    let setup = r#"{"setup": {"agent": {"name": "a", "environment": "production"}}}"#;
    let case = r#"{"id": "c", "action": {"type": "read_balance", "target": "t"}, "expect": "ALLOW"}"#;
    let policy = "policy: p\ndescription: d\nrules:\n  - { id: free, action: read_balance, decision: ALLOW }\n  - { id: night, action: read_balance, when: now.getHours() < 6, decision: BLOCK }\n  - { id: other, action: send_sms, decision: BLOCK }\n";
    let (policies, _) = written("p.yaml", policy);
    let (_cases, path) = written("cases.jsonl", &format!("{setup}\n{case}\n"));
    let folder = policies.path().to_str().unwrap().to_owned();
    let test =
        |extra: &[&str]| run(&[&["policy", "test", path.to_str().unwrap(), "--policies", &folder], extra].concat());
    let output = test(&["--coverage"]);
    assert_eq!(code(&output), 0, "{}{}", stdout(&output), stderr(&output));
    let said = stdout(&output);
    assert!(said.contains("untested  p/night: looked at, never true"), "{said}");
    assert!(said.contains("untested  p/other: never looked at"), "{said}");
    assert!(said.contains("1 of 3 rules were true at least once: 33 %"), "{said}");
    assert_eq!(code(&test(&["--min-coverage", "33"])), 0);
    assert_eq!(code(&test(&["--min-coverage", "34"])), 3);
    let answer = json(&test(&["--coverage", "--json"]));
    assert_eq!((&answer["coverage"]["percent"], &answer["coverage"]["rules"][0]["true"]), (&33.into(), &1.into()));
    assert_eq!(json(&test(&["--json"]))["coverage"], serde_json::Value::Null);
}

#[test]
fn a_case_may_say_what_was_before_it_and_touches_no_other() {
    let setup = r#"{"setup": {"agent": {"name": "a", "environment": "production"}}}"#;
    let call = r#"{"type": "process_refund", "target": "stripe", "context": {"amount": 5, "chargeId": "ch_1"}}"#;
    let case = |id: &str, history: &str, expect: &str| {
        format!(r#"{{"id": "{id}", "action": {call}, "history": [{history}], "expect": "{expect}"}}"#)
    };
    let before = |ago: &str, outcome: &str| format!(r#"{{"action": {call}, "ago": "{ago}", "outcome": "{outcome}"}}"#);
    let lines = [
        setup.to_owned(),
        case("fresh", "", "ALLOW"),
        case("twice", &before("2h", "succeeded"), "REQUIRE_APPROVAL"),
        case("asked", &before("2h", "held"), "REQUIRE_APPROVAL"),
        case("denied", &before("2h", "denied"), "ALLOW"),
        case("long-ago", &before("3d", "allowed"), "ALLOW"),
    ];
    let (_folder, path) = written("cases.jsonl", &lines.join("\n"));
    let output = run(&["policy", "test", path.to_str().unwrap(), "--policies", "packs"]);
    assert_eq!(code(&output), 0, "{}{}", stdout(&output), stderr(&output));
    let (_folder, path) =
        written("cases.jsonl", &[setup.to_owned(), case("x", &before("2h", "gone"), "ALLOW")].join("\n"));
    let output = run(&["policy", "test", path.to_str().unwrap(), "--policies", "packs"]);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("`gone` is no outcome of a past call"), "{}", stderr(&output));
}
