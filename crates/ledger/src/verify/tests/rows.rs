//! Rows edited, moved, removed and put in.

use super::ledger::{Ledger, entry};
use crate::hash::{Hash, leaf_hash};
use crate::verify::{Fault, What};

/// One commit of one entry, larger ones, and a last one of one, so that every place in a commit occurs.
const COMMITS: [usize; 5] = [1, 3, 2, 4, 1];

fn at(index: usize, what: What) -> Fault {
    Fault { index: index as u64, what }
}

#[test]
fn an_untouched_ledger_is_valid_whatever_its_commits() {
    for commits in [&COMMITS[..], &[1], &[1, 1, 1], &[11], &[64, 64]] {
        let report = Ledger::of(commits).verify();
        let entries = commits.iter().sum::<usize>() as u64;
        assert!(report.valid && report.first_bad.is_none(), "{report:?}");
        assert_eq!((report.entries, report.proven), (entries, entries));
        assert_eq!(report.checkpoints, commits.len() as u64);
        assert_eq!(Some(report.root), Ledger::of(commits).head().root);
        assert_eq!(report.rollback.to_string(), "not excluded");
    }
}

#[test]
fn every_changed_byte_of_every_entry_is_named() {
    let ledger = Ledger::of(&COMMITS);
    for row in 0..ledger.rows.len() {
        for byte in 0..ledger.rows[row].bytes.len() {
            for flip in [0x01, 0x80] {
                let mut changed = ledger.clone();
                changed.rows[row].bytes[byte] ^= flip;
                assert_eq!(changed.fault(), at(row, What::Altered), "byte {byte} of row {row}");
            }
        }
    }
}

#[test]
fn every_changed_byte_of_every_stored_hash_is_named_and_the_entry_cleared() {
    let ledger = Ledger::of(&COMMITS);
    for row in 0..ledger.rows.len() {
        for byte in 0..32 {
            let mut changed = ledger.clone();
            let mut hash = changed.rows[row].stored.to_bytes();
            hash[byte] ^= 0x10;
            changed.rows[row].stored = Hash::new(hash);
            assert_eq!(changed.fault(), at(row, What::StoredHash), "byte {byte} of hash {row}");
        }
    }
}

#[test]
fn every_changed_byte_with_its_hash_made_to_fit_is_named() {
    let ledger = Ledger::of(&COMMITS);
    for row in 0..ledger.rows.len() {
        for byte in 0..ledger.rows[row].bytes.len() {
            let mut changed = ledger.clone();
            changed.rows[row].bytes[byte] ^= 0x01;
            changed.rehash(row);
            let fault = changed.fault();
            assert_eq!(fault.index, row as u64, "byte {byte} of row {row}: {fault}");
            let exact = matches!(fault.what, What::Altered | What::Prev | What::Unframed(_) | What::WrongIndex { .. });
            assert!(exact, "byte {byte} of row {row}: {fault}");
        }
    }
}

#[test]
fn a_fitting_change_of_the_very_last_entry_is_narrowed_to_its_commit() {
    let mut ledger = Ledger::of(&[2, 3]);
    ledger.rows[4].bytes = entry(4, ledger.rows[3].stored, "something else");
    ledger.rehash(4);
    assert_eq!(ledger.fault(), at(2, What::Root { last: 4 }));
    assert_eq!(ledger.verify().proven, 2);
}

#[test]
fn a_change_with_everything_after_it_made_to_fit_is_narrowed_to_its_commit() {
    let ledger = Ledger::of(&COMMITS);
    let ends: Vec<usize> = COMMITS
        .iter()
        .scan(0, |end, size| {
            Some({
                *end += size;
                *end
            })
        })
        .collect();
    for row in 0..ledger.rows.len() {
        let mut changed = ledger.clone();
        changed.rows[row].bytes = entry(row as u64, Hash::ZERO, "something else");
        changed.chain(row);
        let commit = ends.iter().position(|end| row < *end).unwrap();
        let start = ends[commit] - COMMITS[commit];
        let what = if COMMITS[commit] == 1 { What::Altered } else { What::Root { last: ends[commit] as u64 - 1 } };
        assert_eq!(changed.fault(), at(start, what), "row {row}");
        assert_eq!(changed.verify().proven, start as u64);
    }
}

#[test]
fn every_swapped_pair_is_named_by_its_first_place() {
    let ledger = Ledger::of(&COMMITS);
    for one in 0..ledger.rows.len() {
        for two in one + 1..ledger.rows.len() {
            let mut moved = ledger.clone();
            moved.rows.swap(one, two);
            assert_eq!(moved.fault(), at(one, What::Gap { next: two as u64 }));
            moved.number();
            assert_eq!(moved.fault(), at(one, What::WrongIndex { says: two as u64 }));

            let mut bytes_only = ledger.clone();
            let bytes = bytes_only.rows[one].bytes.clone();
            bytes_only.rows[one].bytes = bytes_only.rows[two].bytes.clone();
            bytes_only.rows[two].bytes = bytes;
            assert_eq!(bytes_only.fault().index, one as u64);

            let mut hashes_only = ledger.clone();
            let hash = hashes_only.rows[one].stored;
            hashes_only.rows[one].stored = hashes_only.rows[two].stored;
            hashes_only.rows[two].stored = hash;
            assert_eq!(hashes_only.fault(), at(one, What::StoredHash));
        }
    }
}

#[test]
fn a_swap_with_indices_and_hashes_made_to_fit_is_named() {
    let ledger = Ledger::of(&COMMITS);
    for one in 1..ledger.rows.len() - 1 {
        let two = one + 1;
        let mut moved = ledger.clone();
        for (place, text) in [(one, two), (two, one)] {
            let prev = moved.rows[place - 1].stored;
            moved.rows[place].bytes = entry(place as u64, prev, &format!("what happened at {text}"));
            moved.rehash(place);
        }
        let fault = moved.fault();
        assert!(fault.index <= one as u64 && moved.verify().proven <= one as u64, "{one}: {fault}");
        let in_range = match fault.what {
            What::Root { last } => last >= one as u64,
            // Only if the signed root leaves no other place.
            What::Altered => fault.index == one as u64,
            _ => false,
        };
        assert!(in_range, "{one}: {fault}");
    }
}

#[test]
fn every_removed_entry_is_named() {
    let ledger = Ledger::of(&COMMITS);
    let last = ledger.rows.len() - 1;
    for row in 0..=last {
        let mut short = ledger.clone();
        short.rows.remove(row);
        let missing = What::Missing { signed: last as u64 + 1 };
        let gap = What::Gap { next: row as u64 + 1 };
        assert_eq!(short.fault(), at(row, if row == last { missing.clone() } else { gap }));
        short.number();
        let moved = What::WrongIndex { says: row as u64 + 1 };
        assert_eq!(short.fault(), at(row, if row == last { missing } else { moved }));
    }
}

#[test]
fn every_entry_put_in_is_named() {
    let ledger = Ledger::of(&COMMITS);
    for row in 0..ledger.rows.len() {
        let mut copied = ledger.clone();
        copied.rows.insert(row + 1, ledger.rows[row].clone());
        assert_eq!(copied.fault(), at(row + 1, What::RowAgain { found: row as u64 }));
        copied.number();
        assert_eq!(copied.fault(), at(row + 1, What::WrongIndex { says: row as u64 }));

        let mut forged = ledger.clone();
        let prev = if row == 0 { Hash::ZERO } else { ledger.rows[row - 1].stored };
        let bytes = entry(row as u64, prev, "never happened");
        let put_in = super::ledger::Row { index: row as u64, stored: leaf_hash(&bytes), bytes };
        forged.rows.insert(row, put_in);
        forged.number();
        let fault = forged.fault();
        let right = match fault.what {
            // Where a checkpoint stands behind it, the forgery is narrowed to its commit.
            What::Root { last } => fault.index <= row as u64 && row as u64 <= last,
            What::Altered => fault.index == row as u64,
            What::WrongIndex { says } => says == row as u64 && fault.index == says + 1,
            _ => false,
        };
        assert!(right, "{row}: {fault}");
        assert!(forged.verify().proven <= row as u64);
    }
}

#[test]
fn an_entry_that_signs_a_broken_chain_is_named_though_the_root_fits() {
    let mut ledger = Ledger::of(&[2, 3]);
    ledger.rows[3].bytes = entry(3, leaf_hash(b"not the entry before"), "text");
    ledger.rehash(3);
    ledger.chain(4);
    ledger.sign(0, &super::ledger::key(7));
    assert_eq!(ledger.fault(), at(2, What::Chain));
    let mut ledger = Ledger::of(&[1]);
    ledger.rows[0].bytes = entry(0, leaf_hash(b""), "text");
    ledger.rehash(0);
    ledger.sign(0, &super::ledger::key(7));
    assert_eq!(ledger.fault(), at(0, What::Prev));
}

#[test]
fn several_changes_are_answered_by_the_first() {
    let ledger = Ledger::of(&COMMITS);
    for one in 0..ledger.rows.len() {
        for two in one + 1..ledger.rows.len() {
            let mut changed = ledger.clone();
            changed.rows[one].bytes[40] ^= 1;
            changed.rows[two].bytes[40] ^= 1;
            assert_eq!(changed.fault(), at(one, What::Altered));
            changed.rehash(two);
            assert_eq!(changed.fault().index, one as u64);
        }
    }
}
