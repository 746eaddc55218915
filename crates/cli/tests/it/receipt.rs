//! A receipt is fetched from a server and checked without it.

use crate::binary::{Installation, code, json, runplane, stderr, stdout};
use std::fs;

#[test]
fn a_receipt_holds_without_a_server_and_not_when_it_was_changed() {
    let installation = Installation::new();
    let server = installation.serve();
    let guarded = json(&server.run(&["guard", "read_balance", "stripe", "--json"]));
    let request = guarded["requestId"].as_str().unwrap();
    let kept = installation.folder.path().join("kept.receipt.json");
    let file = kept.to_str().unwrap();
    let got = server.run(&["receipt", "get", request, "--output", file]);
    assert_eq!(code(&got), 0, "{}{}", stdout(&got), stderr(&got));
    assert_eq!(code(&server.run(&["receipt", "get", request, "--output", file])), 1, "no file is written over");
    assert_eq!(code(&server.run(&["receipt", "get", "9999"])), 1);
    assert_eq!(server.stop(), 0);

    let verify = |args: &[&str]| runplane(&[&["receipt", "verify", "--json"], args].concat()).output().unwrap();
    let found = verify(&[file]);
    assert_eq!(code(&found), 0, "{}{}", stdout(&found), stderr(&found));
    let found = json(&found);
    assert_eq!((&found["keyTrust"], &found["entry"]["body"]["requestId"]), (&"unpinned".into(), &request.into()));
    let key = found["key"].as_str().unwrap();
    assert_eq!(json(&verify(&[file, "--key", key]))["keyTrust"], "pinned");

    let text = fs::read_to_string(&kept).unwrap();
    let changed = installation.folder.path().join("changed.receipt.json");
    fs::write(&changed, text.replacen("read_balance", "read_balancf", 1)).unwrap();
    let broken = verify(&[changed.to_str().unwrap(), "--key", key]);
    assert_eq!((code(&broken), &json(&broken)["valid"]), (3, &false.into()), "{}", stdout(&broken));
    let other = Installation::new();
    let foreign = json(&other.done(&["audit", "verify", "--json"]));
    let foreign = foreign["ledgers"][0]["key"].as_str().unwrap().to_owned();
    assert_eq!(code(&verify(&[file, "--key", &foreign])), 3);
    fs::write(&changed, "{}").unwrap();
    assert_eq!(code(&verify(&[changed.to_str().unwrap()])), 1, "what is no receipt is a failure, not a finding");
}
