//! The tail cut, the head changed, the whole ledger rolled back, and what a checkpoint held elsewhere adds.

use super::ledger::{Ledger, ORIGIN, entry, key, trusted};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::hash::{Hash, empty_root};
use crate::note::NoteError;
use crate::verify::{Fault, Head, Report, Rollback, Verifier, What};

fn ledger() -> Ledger {
    Ledger::of(&[1, 3, 2, 4, 1])
}

fn with_outside(ledger: &Ledger, notes: &[&str]) -> Report {
    let mut verifier = Verifier::new(trusted(), ORIGIN);
    for note in notes {
        verifier.outside(note).unwrap();
    }
    ledger.feed(&mut verifier);
    verifier.report(None)
}

/// The first `size` rows and the checkpoints up to there.
fn cut(ledger: &Ledger, size: usize) -> Ledger {
    let mut short = ledger.clone();
    short.rows.truncate(size);
    short.checkpoints.retain(|(covered, _)| *covered <= size as u64);
    short
}

#[test]
fn a_tail_cut_without_its_checkpoints_is_named() {
    let whole = ledger();
    for size in 0..whole.rows.len() {
        let mut short = whole.clone();
        short.rows.truncate(size);
        let signed = whole.rows.len() as u64;
        assert_eq!(short.fault(), Fault { index: size as u64, what: What::Missing { signed } });
    }
}

#[test]
fn a_tail_cut_with_its_checkpoints_is_found_by_the_head_or_a_checkpoint_held_elsewhere() {
    let whole = ledger();
    let signed = whole.rows.len() as u64;
    for size in 0..whole.rows.len() {
        let short = cut(&whole, size);
        let alone = short.verify();
        let boundary = short.checkpoints.last().is_some_and(|(covered, _)| *covered == size as u64);
        assert_eq!(alone.valid, boundary, "cut at {size}");
        assert_eq!(alone.rollback, Rollback::NotExcluded);
        if !boundary {
            let proven = short.checkpoints.last().map_or(0, |(covered, _)| *covered);
            assert_eq!(alone.first_bad, Some(Fault { index: proven, what: What::Unsigned }));
        }

        let mut verifier = Verifier::new(trusted(), ORIGIN);
        short.feed(&mut verifier);
        let fault = verifier.report(Some(&whole.head())).first_bad;
        assert_eq!(fault, Some(Fault { index: size as u64, what: What::Missing { signed } }));

        let fault = with_outside(&short, &[whole.last_note()]).first_bad.unwrap();
        let expected = Fault { index: size as u64, what: What::RolledBack { size: signed } };
        assert!(fault == expected || (!boundary && fault.what == What::Unsigned), "cut at {size}: {fault}");
    }
}

#[test]
fn a_checkpoint_held_elsewhere_excludes_rollback_up_to_its_size() {
    let whole = ledger();
    for (size, note) in &whole.checkpoints {
        let report = with_outside(&whole, &[note]);
        assert!(report.valid, "{report:?}");
        assert_eq!(report.rollback, Rollback::ExcludedUpTo(*size));
    }
    let notes: Vec<&str> = whole.checkpoints.iter().map(|(_, note)| note.as_str()).collect();
    assert_eq!(with_outside(&whole, &notes).rollback.to_string(), "excluded up to size 11");
}

#[test]
fn a_history_rewritten_with_the_real_key_is_found_by_a_checkpoint_held_elsewhere() {
    let whole = ledger();
    for row in 0..whole.rows.len() {
        let mut rewritten = whole.clone();
        rewritten.rows[row].bytes = entry(row as u64, Hash::ZERO, "another truth");
        rewritten.chain(row);
        rewritten.sign(0, &key(7));
        let alone = rewritten.verify();
        assert!(alone.valid && alone.rollback == Rollback::NotExcluded);

        let last = whole.rows.len() as u64 - 1;
        let report = with_outside(&rewritten, &[whole.last_note()]);
        assert_eq!(report.first_bad, Some(Fault { index: 0, what: What::Forked { last } }), "{row}");
        assert_eq!(report.rollback, Rollback::NotExcluded);

        // With every checkpoint held elsewhere the fork is narrowed to its commit.
        let notes: Vec<&str> = whole.checkpoints.iter().map(|(_, note)| note.as_str()).collect();
        let fault = with_outside(&rewritten, &notes).first_bad.unwrap();
        let (end, _) = whole.checkpoints.iter().find(|(size, _)| *size > row as u64).unwrap();
        assert_eq!(fault.what, What::Forked { last: end - 1 });
        assert!(fault.index <= row as u64);
    }
}

#[test]
fn a_checkpoint_held_elsewhere_must_be_of_this_ledger_and_come_in_time() {
    let whole = ledger();
    let mut verifier = Verifier::new(trusted(), ORIGIN);
    let foreign = Checkpoint::sign(&key(8), 1, empty_root(), None).unwrap();
    assert_eq!(verifier.outside(&foreign), Err(CheckpointError::Note(NoteError::Untrusted)));
    whole.feed(&mut verifier);
    assert!(verifier.outside(&whole.checkpoints[0].1).is_err());
    assert_eq!(verifier.outside(whole.last_note()), Ok(()));
    assert_eq!(verifier.report(None).rollback, Rollback::ExcludedUpTo(11));
}

#[test]
fn a_head_that_does_not_fit_the_entries_is_named() {
    let whole = ledger();
    let mut verifier = Verifier::new(trusted(), ORIGIN);
    whole.feed(&mut verifier);
    let head = whole.head();
    assert!(verifier.report(Some(&head)).valid);
    let fault = |head: Head| verifier.report(Some(&head)).first_bad.unwrap();
    assert_eq!(fault(Head { size: 12, ..head }), Fault { index: 11, what: What::Missing { signed: 12 } });
    assert_eq!(fault(Head { size: 10, ..head }), Fault { index: 10, what: What::BeyondHead });
    assert_eq!(fault(Head { root: Some(empty_root()), ..head }), Fault { index: 10, what: What::HeadRoot });
}

#[test]
fn a_report_may_be_asked_for_at_any_time() {
    let whole = ledger();
    let mut verifier = Verifier::new(trusted(), ORIGIN);
    let nothing = verifier.report(None);
    assert_eq!(nothing.first_bad, Some(Fault { index: 0, what: What::Unsigned }));
    for (read, row) in (1u64..).zip(&whole.rows) {
        verifier.entry(row.index, &row.bytes, row.stored);
        for (_, note) in whole.checkpoints.iter().filter(|(size, _)| *size == read) {
            verifier.checkpoint(note);
            let report = verifier.report(None);
            assert!(report.valid && report.proven == read, "{report:?}");
        }
    }
    assert_eq!(verifier.entries(), 11);
}
