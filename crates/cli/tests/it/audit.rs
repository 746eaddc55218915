//! Verification from all three sources, and what tampering looks like.

use crate::binary::{Installation, code, json, runplane, stderr, stdout};
use runplane_store::Snapshot;
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
    // The folder belongs to the server while it runs; a shared database does not.
    let beside = installation.command(&["audit", "verify"]).output().unwrap();
    match &installation.database {
        Some(_) => assert_eq!(code(&beside), 0, "{}", stderr(&beside)),
        None => {
            assert_eq!(code(&beside), 1);
            assert!(stderr(&beside).contains("--server"), "{}", stderr(&beside));
        }
    }
    let from_server = installation.folder.path().join("server.ndjson");
    let exported = server.run(&["audit", "export", "--server", "--output", from_server.to_str().unwrap()]);
    assert_eq!(code(&exported), 0, "{}", stderr(&exported));
    assert_eq!(server.stop(), 0);

    let folder = installation.command(&["audit", "verify", "--json"]).output().unwrap();
    assert_eq!(code(&folder), 0, "{}", stderr(&folder));
    let found = json(&folder)["ledgers"][0].clone();
    assert_eq!((&found["keyTrust"], &found["rollback"]), (&"dataFolder".into(), &"not excluded".into()));
    let export = installation.command(&["audit", "export"]).output().unwrap();
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
    let export = installation.command(&["audit", "export"]).output().unwrap();
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
        installation.done(&["audit", "export", "--output", path.to_str().unwrap()]);
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
        let args = [&["audit", "verify", "--checkpoint", kept.to_str().unwrap()], source].concat();
        installation.command(&args).output().unwrap()
    };
    for source in [&[newer.to_str().unwrap()][..], &[]] {
        let verified = verify(source);
        assert_eq!(code(&verified), 0, "{}{}", stdout(&verified), stderr(&verified));
        assert!(stdout(&verified).contains("rollback excluded up to size"), "{}", stdout(&verified));
    }
    let rolled_back = verify(&[older.to_str().unwrap()]);
    assert_eq!(code(&rolled_back), 3, "{}{}", stdout(&rolled_back), stderr(&rolled_back));
    assert!(stdout(&rolled_back).contains("rolled back"), "{}", stdout(&rolled_back));
}

#[test]
fn a_sparse_reading_says_so_and_finds_what_matters() {
    let installation = Installation::new();
    let server = installation.serve();
    for _ in 0..3 {
        assert_eq!(code(&server.run(&["guard", "read_balance", "stripe"])), 0);
    }
    drop(server);
    let file = installation.folder.path().join("whole.ndjson");
    let path = file.to_str().unwrap();
    installation.done(&["audit", "export", "--output", path]);
    let verify = |more: &[&str]| runplane(&[&["audit", "verify", path], more].concat()).output().unwrap();
    let sparse = verify(&["--sparse"]);
    assert_eq!(code(&sparse), 0, "{}", stderr(&sparse));
    assert!(stdout(&sparse).contains("not all were checked"), "{}", stdout(&sparse));
    assert!(!stdout(&verify(&[])).contains("not all were checked"));
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen("read_balance", "read_balancf", 1)).unwrap();
    let (sparse, full) = (verify(&["--sparse", "--json"]), verify(&["--json"]));
    assert_eq!((code(&sparse), code(&full)), (3, 3));
    assert_eq!(json(&sparse), json(&full), "what is found bad is read again in full");
    let folder = installation.command(&["audit", "verify", "--sparse"]).output().unwrap();
    assert_eq!(code(&folder), 1);
    assert!(stderr(&folder).contains("--sparse is for exports"), "{}", stderr(&folder));
}

#[test]
fn state_that_is_not_what_the_ledger_adds_up_to_is_named() {
    let installation = Installation::new();
    let refund = |amount: &str| {
        let server = installation.serve();
        let context = format!("{{\"amount\":{amount},\"currency\":\"usd\"}}");
        assert_eq!(code(&server.run(&["guard", "process_refund", "stripe", &context])), 0);
        assert_eq!(server.stop(), 0);
    };
    let verify = || installation.command(&["audit", "verify", "--state"]).output().unwrap();
    refund("100");
    refund("20");
    let sound = verify();
    assert_eq!(code(&sound), 0, "{}{}", stdout(&sound), stderr(&sound));
    assert!(stdout(&sound).contains("state as the ledger adds up to: 2 decisions made again"), "{}", stdout(&sound));

    // What was kept before the second refund, as if it had been kept after it.
    let store = installation.store();
    let workspace = store.list_workspaces().unwrap().remove(0).id;
    let [newer, older] = <[Snapshot; 2]>::try_from(store.load_snapshots(&workspace).unwrap()).unwrap();
    for part in 0.. {
        let Some(bytes) = store.load_snapshot_part(&workspace, older.size, part).unwrap() else { break };
        store.put_snapshot_part(&workspace, newer.size, part, &bytes).unwrap();
    }
    // Format, workspace, entry and leaf are the newer one's, and the digest is right.
    let mut bytes = [&newer.bytes[..88], &older.bytes[88..older.bytes.len() - 32]].concat();
    bytes.extend_from_slice(&runplane_core::digest::sha256(&[&bytes]).0);
    store.save_snapshot(&workspace, &Snapshot { size: newer.size, bytes }).unwrap();
    drop(store);
    let found = verify();
    assert_eq!(code(&found), 3, "{}{}", stdout(&found), stderr(&found));
    assert!(!stdout(&found).contains("VALID"), "{}", stdout(&found));
    for wanted in
        ["DIFFERS", "differs: the snapshot at entry", "counter `refunded_today` of key", "is 100, the ledger says 120"]
    {
        assert!(stdout(&found).contains(wanted), "{}", stdout(&found));
    }
}
