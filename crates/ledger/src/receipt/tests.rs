use std::convert::Infallible;

use super::*;
use crate::key::SigningKey;
use crate::proof::inclusion;
use crate::tree::Frontier;

const ORIGIN: &str = "runplane/ws_1";

fn entry(index: u64) -> String {
    format!("{{\"index\":{index},\"kind\":\"decision\"}}")
}

fn receipt_of(index: u64, size: u64, origin: &str) -> Receipt {
    let key = SigningKey::from_seed(origin, &[7; 32]).unwrap();
    let leaf = |index: u64| Ok::<_, Infallible>(leaf_hash(entry(index).as_bytes()));
    let mut tree = Frontier::new();
    (0..size).for_each(|index| _ = tree.append(leaf(index).unwrap()));
    let root = tree.root();
    Receipt {
        receipt: VERSION,
        index,
        size,
        leaf_hash: leaf(index).unwrap().to_string(),
        entry: entry(index),
        proof: inclusion(index, size, leaf).unwrap().iter().map(ToString::to_string).collect(),
        root: root.to_string(),
        origin: origin.to_owned(),
        checkpoint: Checkpoint::sign(&key, size, root, Some(1)).unwrap(),
        key: key.verifying().to_string(),
    }
}

#[test]
fn every_entry_of_every_small_ledger_has_a_receipt() {
    for size in 1..20 {
        for index in 0..size {
            let receipt = receipt_of(index, size, ORIGIN);
            let text = serde_json::to_string(&receipt).unwrap();
            let proven = Receipt::read(&text).unwrap().verify(None).unwrap();
            assert_eq!((proven.index, proven.checkpoint.size), (index, size));
        }
    }
}

#[test]
fn nothing_of_it_can_be_changed() {
    type Change = fn(&mut Receipt);
    let other = receipt_of(4, 13, ORIGIN);
    assert!(other.verify(None).is_ok());
    let changes: [(&str, Change); 9] = [
        ("entry", |receipt| receipt.entry = receipt.entry.replace("decision", "decisiom")),
        ("entry and leaf", |receipt| {
            receipt.entry = entry(99);
            receipt.leaf_hash = leaf_hash(receipt.entry.as_bytes()).to_string();
        }),
        ("index", |receipt| receipt.index = 6),
        ("size", |receipt| receipt.size = 14),
        ("root", |receipt| receipt.root = receipt.leaf_hash.clone()),
        ("proof", |receipt| _ = receipt.proof.pop()),
        ("hash", |receipt| receipt.proof[0] = "00".into()),
        ("note", |receipt| receipt.checkpoint = receipt.checkpoint.replace("time-us 1", "time-us 2")),
        ("ledger", |receipt| receipt.origin = "runplane/ws_2".into()),
    ];
    for (what, change) in changes {
        let mut receipt = receipt_of(5, 13, ORIGIN);
        change(&mut receipt);
        assert!(receipt.verify(None).is_err(), "{what}");
    }
}

#[test]
fn a_pinned_key_is_believed_and_no_other() {
    let receipt = receipt_of(5, 13, ORIGIN);
    let own = VerifyingKey::parse(&receipt.key).unwrap();
    assert_eq!(receipt.verify(Some(&own)).unwrap().key, own);
    let foreign = SigningKey::from_seed(ORIGIN, &[8; 32]).unwrap();
    assert!(matches!(receipt.verify(Some(foreign.verifying())), Err(ReceiptError::Signature(_))));
    let elsewhere = SigningKey::from_seed("runplane/ws_2", &[7; 32]).unwrap();
    assert!(matches!(receipt.verify(Some(elsewhere.verifying())), Err(ReceiptError::Ledger { .. })));
}

#[test]
fn what_is_no_receipt_is_refused_unread() {
    let text = serde_json::to_string(&receipt_of(0, 1, ORIGIN)).unwrap();
    assert!(matches!(Receipt::read("{}"), Err(ReceiptError::Form(_))));
    assert!(matches!(Receipt::read(&" ".repeat(MAX_BYTES + 1)), Err(ReceiptError::Form(_))));
    assert!(matches!(Receipt::read(&text.replacen('{', "{\"more\":1,", 1)), Err(ReceiptError::Form(_))));
    assert_eq!(Receipt::read(&text.replace("\"receipt\":1", "\"receipt\":2")), Err(ReceiptError::Version(2)));
}
