//! Verification from all three sources, and what tampering looks like.

use crate::binary::{Installation, code, json, runplane, stderr, stdout};
use std::fs;

#[test]
fn a_ledger_verifies_from_server_folder_and_export() {
    let installation = Installation::new();
    let server = installation.serve();
    for amount in ["1", "2", "3"] {
        let context = format!("{{\"amount\":{amount},\"currency\":\"usd\"}}");
        assert_eq!(code(&server.run(&["guard", "create_charge", "stripe", &context])), 0);
    }
    let running = server.run(&["audit", "verify", "--server"]);
    assert_eq!(code(&running), 0, "{}{}", stdout(&running), stderr(&running));
    assert!(stdout(&running).contains("rollback not excluded"), "{}", stdout(&running));
    // The folder belongs to the server while it runs.
    let in_use = runplane(&["audit", "verify", "--data", installation.data()]).output().unwrap();
    assert_eq!(code(&in_use), 1);
    assert!(stderr(&in_use).contains("--server"), "{}", stderr(&in_use));
    let from_server = installation.folder.path().join("server.ndjson");
    let exported = server.run(&["audit", "export", "--server", "--output", from_server.to_str().unwrap()]);
    assert_eq!(code(&exported), 0, "{}", stderr(&exported));
    assert_eq!(server.stop(), 0);

    let folder = runplane(&["audit", "verify", "--json", "--data", installation.data()]).output().unwrap();
    assert_eq!(code(&folder), 0, "{}", stderr(&folder));
    let found = json(&folder)["ledgers"][0].clone();
    assert_eq!((&found["keyTrust"], &found["rollback"]), (&"dataFolder".into(), &"not excluded".into()));
    let export = runplane(&["audit", "export", "--data", installation.data()]).output().unwrap();
    assert_eq!(code(&export), 0, "{}", stderr(&export));
    let own = installation.folder.path().join("folder.ndjson");
    fs::write(&own, &export.stdout).unwrap();
    let key = found["key"].as_str().unwrap();
    for file in [&own, &from_server] {
        let verified = runplane(&["audit", "verify", file.to_str().unwrap(), "--key", key, "--json"]).output().unwrap();
        assert_eq!(code(&verified), 0, "{}{}", stdout(&verified), stderr(&verified));
        let verified = json(&verified)["ledgers"][0].clone();
        assert_eq!((&verified["root"], &verified["keyTrust"]), (&found["root"], &"pinned".into()));
    }
    assert_eq!(code(&runplane(&["audit", "export", "--output", own.to_str().unwrap()]).output().unwrap()), 1);
}

#[test]
fn a_changed_byte_is_found_and_named() {
    let installation = Installation::new();
    let server = installation.serve();
    for _ in 0..4 {
        assert_eq!(code(&server.run(&["guard", "read_balance", "stripe"])), 0);
    }
    drop(server);
    let export = runplane(&["audit", "export", "--data", installation.data()]).output().unwrap();
    let text = stdout(&export);
    let entries = text.lines().filter(|line| line.contains("\"leafHash\"")).count();
    let changed = text.lines().map(|line| {
        let last = line.starts_with(&format!("{{\"index\":{},", entries - 1));
        if last { line.replacen("read_balance", "read_balancf", 1) } else { line.to_owned() }
    });
    let changed = changed.collect::<Vec<_>>().join("\n");
    assert_ne!(changed, text.trim_end());
    let file = installation.folder.path().join("changed.ndjson");
    fs::write(&file, changed).unwrap();
    let verified = runplane(&["audit", "verify", file.to_str().unwrap()]).output().unwrap();
    assert_eq!(code(&verified), 3, "{}{}", stdout(&verified), stderr(&verified));
    assert!(stdout(&verified).contains(&format!("at entry {} (line ", entries - 1)), "{}", stdout(&verified));
    let verified = runplane(&["audit", "verify", file.to_str().unwrap(), "--json"]).output().unwrap();
    assert_eq!(json(&verified)["ledgers"][0]["firstBad"]["index"], entries - 1);
}

#[test]
fn a_checkpoint_kept_elsewhere_shows_a_rollback() {
    let installation = Installation::new();
    let older = installation.folder.path().join("older.ndjson");
    let exported = |path: &std::path::Path| {
        let args = ["audit", "export", "--data", installation.data(), "--output", path.to_str().unwrap()];
        assert_eq!(code(&runplane(&args).output().unwrap()), 0);
    };
    exported(&older);
    let server = installation.serve();
    assert_eq!(code(&server.run(&["guard", "read_balance", "stripe"])), 0);
    drop(server);
    let newer = installation.folder.path().join("newer.ndjson");
    exported(&newer);
    let text = fs::read_to_string(&newer).unwrap();
    let note = text.lines().rev().find(|line| line.starts_with("{\"checkpoint\":")).unwrap();
    let note: serde_json::Value = serde_json::from_str(note).unwrap();
    let kept = installation.folder.path().join("checkpoint.txt");
    fs::write(&kept, note["checkpoint"].as_str().unwrap()).unwrap();
    let verify = |source: &[&str]| {
        runplane(&[&["audit", "verify", "--checkpoint", kept.to_str().unwrap()], source].concat()).output().unwrap()
    };
    for source in [&[newer.to_str().unwrap()][..], &["--data", installation.data()]] {
        let verified = verify(source);
        assert_eq!(code(&verified), 0, "{}{}", stdout(&verified), stderr(&verified));
        assert!(stdout(&verified).contains("rollback excluded up to size"), "{}", stdout(&verified));
    }
    let rolled_back = verify(&[older.to_str().unwrap()]);
    assert_eq!(code(&rolled_back), 3, "{}{}", stdout(&rolled_back), stderr(&rolled_back));
    assert!(stdout(&rolled_back).contains("rolled back"), "{}", stdout(&rolled_back));
}
