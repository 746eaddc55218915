//! What the commands do on PostgreSQL and only there. The other tests run there, too, with `RUNPLANE_TEST_STORE=postgres`.

use crate::binary::{Installation, code, json, runplane, stderr, stdout};
use runplane_store::postgres::testing::Database;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn checks(said: &Value, what: &str) -> Vec<(String, String)> {
    let checks = said["checks"].as_array().unwrap().iter().filter(|check| check["what"] == what);
    checks.map(|check| (check["status"].as_str().unwrap().into(), check["found"].as_str().unwrap().into())).collect()
}

#[test]
fn a_node_is_set_up_asked_looked_at_and_verified() {
    let installation = Installation::shared();
    let server = installation.serve();
    assert_eq!(code(&server.run(&["guard", "read_balance", "stripe"])), 0);
    let held = json(&server.run(&["guard", "process_refund", "stripe", r#"{"amount":800}"#, "--json"]));
    let id = held["approvalId"].as_str().unwrap();
    // From another node with the same keys.
    let other = installation.beside();
    let beside = other.serve();
    assert_eq!(code(&beside.run(&["approvals", "approve", id])), 0);
    assert_eq!(code(&beside.run(&["guard", "read_balance", "stripe"])), 0);
    let doctor = server.client(&["doctor", "--json", "--listen", "127.0.0.1:0", "--data", installation.data()]);
    let doctor =
        { doctor }.env("RUNPLANE_DATABASE_URL", installation.database.as_ref().unwrap().url()).output().unwrap();
    assert_eq!(code(&doctor), 0, "{}{}", stdout(&doctor), stderr(&doctor));
    assert_eq!(checks(&json(&doctor), "schema")[0].0, "good", "{}", stdout(&doctor));
    let verified = installation.done(&["audit", "verify", "--state"]);
    assert!(stdout(&verified).starts_with("VALID"), "{}", stdout(&verified));
    assert_eq!(server.stop(), 0);
    assert_eq!(beside.stop(), 0);

    let bare = tempfile::tempdir().unwrap();
    let url = installation.database.as_ref().unwrap().url();
    let args = ["serve", "--listen", "127.0.0.1:0", "--data", bare.path().to_str().unwrap()];
    let keyless = runplane(&args).env("RUNPLANE_DATABASE_URL", &url).output().unwrap();
    assert_eq!(code(&keyless), 1);
    assert!(stderr(&keyless).contains("ledger.key"), "{}", stderr(&keyless));
    let short = installation.command(&["serve", "--keep-lists", "6d", "--listen", "127.0.0.1:0"]).output().unwrap();
    assert_eq!(code(&short), 1);
    assert!(stderr(&short).contains("at least `7d`"), "{}", stderr(&short));
}

#[test]
fn a_password_is_said_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let url = "postgres://me:s3cret@127.0.0.1:1/nothing";
    for args in [&["doctor"][..], &["migrate"], &["serve"], &["init"], &["audit", "verify"]] {
        let output = runplane(args)
            .env("RUNPLANE_DATABASE_URL", url)
            .args(["--data", folder.path().join("data").to_str().unwrap()])
            .output()
            .unwrap();
        assert_ne!(code(&output), 0, "{args:?}");
        let said = stdout(&output) + &stderr(&output);
        assert!(!said.contains("s3cret"), "{args:?}: {said}");
        if ["doctor", "migrate"].contains(&args[0]) {
            assert!(said.contains("127.0.0.1") || said.contains("Connection refused"), "{args:?}: {said}");
        }
    }
}

#[test]
fn doctor_changes_nothing_and_migrate_says_what_it_did() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let database = Database::create();
    let run = |args: &[&str]| {
        let all = [args, &["--json", "--data", data.to_str().unwrap()]].concat();
        let output = runplane(&all).env("RUNPLANE_DATABASE_URL", database.url()).output().unwrap();
        assert_eq!(code(&output), 0, "{args:?}: {}{}", stdout(&output), stderr(&output));
        json(&output)
    };
    let version = || database.execute("SELECT max(version) FROM runplane.versions").unwrap();
    let doctor = ["doctor", "--listen", "127.0.0.1:0", "--url", "http://127.0.0.1:1"];
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
    assert!(checks(&run(&doctor), "schema")[0].1.contains("no installation"));
    let is_there = "SELECT count(*) FROM pg_namespace WHERE nspname = 'runplane'";
    assert_eq!(database.execute(is_there), Some("0".into()));
    database.raise_to(4);
    assert!(checks(&run(&doctor), "schema")[0].1.contains("version 4"));
    assert_eq!(version(), "4");
    let migrated = run(&["migrate"]);
    assert_eq!((&migrated["from"], &migrated["to"]), (&4.into(), &6.into()), "{migrated}");
    assert_eq!((version().as_str(), &run(&["migrate"])["from"]), ("6", &6.into()));
    database.raise_beyond(true, &["SELECT 1"]);
    assert!(checks(&run(&doctor), "schema")[0].1.contains("newer program"));
}
