//! `contracts/policy.schema.json`: what the code says, and that it accepts and refuses the right documents.

use crate::sandbox::shipped;
use jsonschema::Validator;
use runplane_core::catalogue::Catalogue;
use runplane_core::policy::schema;
use runplane_core::settings::Settings;
use std::fs;
use std::path::Path;

fn contracts() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts")
}

#[allow(clippy::disallowed_methods)] // a test's own switch, not configuration
fn asked_to_bless() -> bool {
    std::env::var_os("RUNPLANE_BLESS").is_some()
}

/// `RUNPLANE_BLESS=1 cargo test -p runplane-core golden` writes the file anew.
#[test]
fn golden_policy_schema_is_what_the_reader_says() {
    let path = contracts().join("policy.schema.json");
    let text = schema::text(&Catalogue::builtin());
    if asked_to_bless() {
        fs::write(&path, &text).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == text, "contracts/policy.schema.json is not what the code says: run `make bless`");
}

fn validator() -> Validator {
    jsonschema::validator_for(&schema::schema(&Catalogue::builtin())).unwrap()
}

fn problems(validator: &Validator, yaml: &str) -> Vec<String> {
    let document: serde_json::Value = serde_saphyr::from_str(yaml).unwrap();
    validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn every_document_that_publishes_is_valid() {
    let validator = validator();
    let packs = shipped(Settings::default()).policies;
    let folder = fs::read_dir(contracts().join("lint")).unwrap().map(|entry| entry.unwrap().path());
    let planted = folder.map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap()));
    let guide = fs::read_to_string(contracts().join("../docs/guide/policies.md")).unwrap();
    let example = guide.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap().to_owned();
    let mut count = 0;
    for (file, text) in packs.into_iter().chain(planted).chain([("the guide".to_owned(), example)]) {
        assert_eq!(problems(&validator, &text), [""; 0], "{file}");
        count += 1;
    }
    assert!(count > 70);
}

#[test]
fn what_does_not_publish_because_of_its_form_is_not_valid() {
    let validator = validator();
    let rule = |rule: &str| format!("policy: p\nrules:\n  - {rule}\n");
    let wrong = [
        ("no rules", "policy: p\n".to_owned()),
        ("no name", "rules: []\n".to_owned()),
        ("a reserved name", "policy: runplane\nrules: []\n".to_owned()),
        ("a name in capitals", "policy: P\nrules: []\n".to_owned()),
        ("an unknown member", "policy: p\nrule: []\nrules: []\n".to_owned()),
        ("an unknown mode", "policy: p\nmode: on\nrules: []\n".to_owned()),
        ("a rule without an id", rule("{ decision: ALLOW }")),
        ("a rule that does nothing", rule("{ id: a, action: read_balance }")),
        ("an unknown member of a rule", rule("{ id: a, decision: ALLOW, actions: read_balance }")),
        ("an unknown decision", rule("{ id: a, decision: DENY }")),
        ("a decision in lower case", rule("{ id: a, decision: allow }")),
        ("an unknown action", rule("{ id: a, action: refund_everything, decision: ALLOW }")),
        ("an alias", rule("{ id: a, action: issue_refund, decision: ALLOW }")),
        ("an unknown domain", rule("{ id: a, action: { domain: payment }, decision: ALLOW }")),
        ("an unknown effect", rule("{ id: a, action: { effect: delete }, decision: ALLOW }")),
        ("an empty selector", rule("{ id: a, action: {}, decision: ALLOW }")),
        ("an empty list", rule("{ id: a, action: [], decision: ALLOW }")),
        ("a condition that is no text", rule("{ id: a, when: true, decision: ALLOW }")),
        ("an unknown severity", rule("{ id: a, severity: urgent, decision: ALLOW }")),
        ("an approval nobody asks for", rule("{ id: a, decision: BLOCK, approval: { from: [dba] } }")),
        ("an unknown member of an approval", rule("{ id: a, decision: REQUIRE_APPROVAL, approval: { group: dba } }")),
        ("a quorum of none", rule("{ id: a, decision: REQUIRE_APPROVAL, approval: { quorum: 0 } }")),
        ("a span without a unit", rule("{ id: a, decision: REQUIRE_APPROVAL, approval: { expires: '30' } }")),
        ("a limit without a window", rule("{ id: a, limit: { count: 5 } }")),
        ("a limit that allows", rule("{ id: a, limit: { count: 5, within: 1h, otherwise: ALLOW } }")),
        ("a limit of half a call", rule("{ id: a, limit: { count: 0.5, within: 1h } }")),
        ("an unknown key", rule("{ id: a, limit: { count: 5, within: 1h, per: [person] } }")),
        ("an unknown retention", rule("{ id: a, audit: { payload: all } }")),
        ("a meter without a window", "policy: p\nmeters: { m: { count: true } }\nrules: []\n".to_owned()),
        (
            "a meter of two kinds",
            "policy: p\nmeters: { m: { count: true, sum: context.amount, within: 1h } }\nrules: []\n".to_owned(),
        ),
        (
            "a meter that does not count",
            "policy: p\nmeters: { m: { count: false, within: 1h } }\nrules: []\n".to_owned(),
        ),
        ("a name that is no name", "policy: p\nmeters: { 1m: { count: true, within: 1h } }\nrules: []\n".to_owned()),
    ];
    for (what, text) in wrong {
        assert!(!problems(&validator, &text).is_empty(), "{what} is valid:\n{text}");
    }
    let lenient = "policy: p\nstrict: false\nrules:\n  - { id: a, action: refund_everything, decision: BLOCK }\n";
    assert_eq!(problems(&validator, lenient), [""; 0]);
}
