//! Checkpoints changed, exchanged, signed by others.

use super::ledger::{Ledger, ORIGIN, entry, key, trusted};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::hash::{Hash, empty_root, leaf_hash};
use crate::key::SigningKey;
use crate::note::NoteError;
use crate::verify::{Fault, Verifier, What};

const UNTRUSTED: CheckpointError = CheckpointError::Note(NoteError::Untrusted);

fn ledger() -> Ledger {
    Ledger::of(&[1, 3, 2, 4, 1])
}

#[test]
fn a_ledger_signed_again_with_another_key_is_named_from_its_start() {
    let mut resigned = ledger();
    resigned.sign(0, &key(8));
    let report = resigned.verify();
    let what = What::Checkpoint { size: 1, error: UNTRUSTED };
    assert_eq!(report.first_bad, Some(Fault { index: 0, what }));
    assert_eq!((report.proven, report.checkpoints), (0, 0));
}

#[test]
fn a_rewritten_tail_signed_with_another_key_is_named_from_its_commit() {
    let whole = ledger();
    for row in 0..whole.rows.len() {
        let mut rewritten = whole.clone();
        rewritten.rows[row].bytes = entry(row as u64, Hash::ZERO, "another truth");
        rewritten.chain(row);
        rewritten.sign(row as u64, &key(8));
        let report = rewritten.verify();
        let size = whole.checkpoints.iter().map(|(size, _)| *size).find(|size| *size > row as u64).unwrap();
        let proven = whole.checkpoints.iter().map(|(size, _)| *size).rfind(|size| *size <= row as u64).unwrap_or(0);
        let what = What::Checkpoint { size, error: UNTRUSTED };
        assert_eq!(report.first_bad, Some(Fault { index: proven, what }), "{row}");
        assert_eq!(report.proven, proven);
    }
}

#[test]
fn every_changed_byte_of_every_checkpoint_is_named() {
    let whole = ledger();
    for which in 0..whole.checkpoints.len() {
        let (size, note) = whole.checkpoints[which].clone();
        for byte in 0..note.len() {
            let mut bytes = note.clone().into_bytes();
            bytes[byte] ^= 0x01;
            let Ok(text) = String::from_utf8(bytes) else { continue };
            let mut changed = whole.clone();
            changed.checkpoints[which].1 = text;
            let fault = changed.fault();
            let last = which == whole.checkpoints.len() - 1;
            assert_eq!(fault.index, size - 1, "byte {byte} of checkpoint {size}: {fault}");
            let right = match fault.what {
                What::Checkpoint { size: named, .. } => last && named == size,
                What::CheckpointOnly { size: named, .. } => !last && named == size,
                _ => false,
            };
            assert!(right, "byte {byte} of checkpoint {size}: {fault}");
        }
    }
}

#[test]
fn exchanged_and_misplaced_checkpoints_are_named() {
    let whole = ledger();
    for one in 0..whole.checkpoints.len() {
        for two in one + 1..whole.checkpoints.len() {
            let mut moved = whole.clone();
            let note = moved.checkpoints[one].1.clone();
            moved.checkpoints[one].1 = moved.checkpoints[two].1.clone();
            moved.checkpoints[two].1 = note;
            let (read, size) = (whole.checkpoints[one].0, whole.checkpoints[two].0);
            let fault = Fault { index: read - 1, what: What::Misplaced { size, read } };
            assert_eq!(moved.fault(), fault);
        }
    }
}

#[test]
fn a_removed_last_checkpoint_leaves_its_entries_unsigned() {
    let mut whole = ledger();
    whole.checkpoints.pop();
    assert_eq!(whole.fault(), Fault { index: 10, what: What::Unsigned });
    whole.checkpoints.clear();
    assert_eq!(whole.fault(), Fault { index: 0, what: What::Unsigned });
}

#[test]
fn a_checkpoint_of_another_workspace_does_not_count() {
    let mut whole = ledger();
    let other = SigningKey::from_seed("runplane/ws_2", &[7; 32]).unwrap();
    whole.sign(0, &other);
    let mut verifier = Verifier::new([trusted(), vec![other.verifying().clone()]].concat(), ORIGIN);
    whole.feed(&mut verifier);
    let fault = verifier.report(None).first_bad.unwrap();
    assert!(matches!(fault.what, What::Checkpoint { error: CheckpointError::Origin { .. }, .. }), "{fault}");
}

#[test]
fn two_histories_signed_by_one_key_are_a_contradiction() {
    let mut whole = ledger();
    let forged = Checkpoint::sign(&key(7), 4, leaf_hash(b"another history"), None).unwrap();
    whole.checkpoints.insert(2, (4, forged));
    assert_eq!(whole.fault(), Fault { index: 3, what: What::Contradiction { size: 4 } });
}

#[test]
fn an_empty_ledger_is_valid_only_if_its_emptiness_is_signed() {
    let mut verifier = Verifier::new(trusted(), ORIGIN);
    assert!(!verifier.report(None).valid);
    verifier.checkpoint(&Checkpoint::sign(&key(7), 0, empty_root(), None).unwrap());
    assert!(verifier.report(None).valid);
}

#[test]
fn a_key_that_is_trusted_as_well_continues_the_ledger() {
    let mut whole = ledger();
    whole.sign(4, &key(8));
    let mut verifier = Verifier::new([trusted(), vec![key(8).verifying().clone()]].concat(), ORIGIN);
    whole.feed(&mut verifier);
    assert!(verifier.report(None).valid);
    assert!(!whole.verify().valid);
}
