//! A failure is never mistaken for a decision, nor a decision for a success.

use crate::binary::{Installation, code, json, runplane, stderr, stdout};
use std::os::unix::fs::PermissionsExt;

/// A port nothing listens on.
const NOBODY: &str = "http://127.0.0.1:1";

#[test]
fn usage_errors_are_failures_and_never_blocked() {
    for args in [
        &["nonsense"][..],
        &["guard"],
        &["guard", "read_balance"],
        &["--no-such-option"],
        &["serve", "--listen", "nowhere"],
        &["contain", "on", "everything", "--reason", "x"],
        &["audit", "verify", "file", "--server"],
    ] {
        let output = runplane(args).output().unwrap();
        assert_eq!(code(&output), 1, "{args:?}: {}", stderr(&output));
    }
    for args in [&["--help"][..], &["--version"], &["guard", "--help"], &["help"]] {
        assert_eq!(code(&runplane(args).output().unwrap()), 0, "{args:?}");
    }
}

#[test]
fn guard_without_an_answer_is_a_failure() {
    let guard = ["guard", "read_balance", "stripe", "--url", NOBODY];
    let no_key = runplane(&guard).output().unwrap();
    assert_eq!(code(&no_key), 1);
    assert!(stderr(&no_key).contains("set RUNPLANE_API_KEY"), "{}", stderr(&no_key));
    let no_server = runplane(&guard).env("RUNPLANE_API_KEY", "rpk_x").output().unwrap();
    assert_eq!(code(&no_server), 1);
    assert!(stderr(&no_server).contains("no server answers at http://127.0.0.1:1"), "{}", stderr(&no_server));
    let no_json = runplane(&["guard", "read_balance", "stripe", "{amount"]).env("RUNPLANE_API_KEY", "rpk_x").output();
    assert_eq!(code(&no_json.unwrap()), 1);
}

#[test]
fn failures_are_json_too() {
    let output = runplane(&["agents", "list", "--json", "--url", NOBODY]).output().unwrap();
    assert_eq!(code(&output), 1);
    assert_eq!(stdout(&output), "");
    let said: serde_json::Value = serde_json::from_str(&stderr(&output)).unwrap();
    assert!(said["error"].as_str().unwrap().contains("RUNPLANE_ADMIN_TOKEN"));
}

#[test]
fn init_prints_what_scripts_read_and_never_a_second_time() {
    let installation = Installation::new();
    let members: Vec<&str> = installation.keys.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["adminToken", "agentId", "agentKey", "dataDir", "workspace"]);
    assert_eq!(installation.key("dataDir"), installation.data());
    assert_eq!(installation.key("workspace"), "default");
    for (name, prefix, length) in [("agentKey", "rpk_", 47), ("adminToken", "rpa_", 47), ("agentId", "agt_", 36)] {
        assert!(installation.key(name).starts_with(prefix), "{name}");
        assert_eq!(installation.key(name).len(), length, "{name}");
    }
    let mode = std::fs::metadata(&installation.data).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let again = installation.command(&["init", "--json"]).output().unwrap();
    assert_eq!((code(&again), stdout(&again).as_str()), (1, ""));
}

#[test]
fn a_server_needs_an_initialised_folder_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("nothing");
    let output = runplane(&["serve", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()]).output().unwrap();
    assert_eq!(code(&output), 1);
    assert!(!data.exists(), "serving made a data folder");
    let installation = Installation::embedded();
    let server = installation.serve();
    let second = runplane(&["serve", "--listen", "127.0.0.1:0", "--data", installation.data()]).output().unwrap();
    assert_eq!(code(&second), 1);
    assert!(stderr(&second).contains("in use"), "{}", stderr(&second));
    assert_eq!(server.stop(), 0);
}

#[test]
fn doctor_names_what_is_wrong() {
    let installation = Installation::new();
    let doctor = |args: &[&str]| {
        installation.command(&[&["doctor", "--json", "--url", NOBODY], args].concat()).output().unwrap()
    };
    let well = doctor(&["--listen", "127.0.0.1:0"]);
    assert_eq!((code(&well), json(&well)["sound"].as_bool()), (0, Some(true)), "{}", stdout(&well));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let ill = doctor(&["--listen", &taken.local_addr().unwrap().to_string()]);
    assert_eq!((code(&ill), json(&ill)["sound"].as_bool()), (3, Some(false)));
    let key = installation.data.join("ledger.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let open = doctor(&["--listen", "127.0.0.1:0"]);
    assert_eq!(code(&open), 3);
    let found = json(&open);
    let bad: Vec<&str> = found["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["status"] == "bad")
        .map(|check| check["what"].as_str().unwrap())
        .collect();
    assert_eq!(bad, ["ledger key"]);
}

#[test]
fn doctor_makes_no_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("nothing");
    let output = runplane(&["doctor", "--data", data.to_str().unwrap(), "--url", NOBODY, "--listen", "127.0.0.1:0"]);
    let output = { output }.output().unwrap();
    assert_eq!(code(&output), 0, "{}", stdout(&output));
    assert!(!data.exists());
}
