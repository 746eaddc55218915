//! Verification from all three sources, and what tampering looks like.

use crate::binary::{Installation, code, json, runplane, stderr, stdout};
use std::fs;

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
