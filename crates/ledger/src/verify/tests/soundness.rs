//! Whatever is done to a ledger without its key: it is found, and the report claims nothing false.

use proptest::prelude::*;

use super::ledger::{Ledger, entry};
use crate::hash::Hash;
use crate::verify::What;

#[derive(Clone, Debug)]
enum Tampering {
    Flip { row: usize, byte: usize, bit: u8, rehash: bool, chain: bool },
    Hash { row: usize, byte: usize },
    Swap { one: usize, two: usize, number: bool },
    Remove { row: usize, number: bool },
    Copy { from: usize, to: usize, number: bool },
    Rewrite { row: usize, chain: bool },
}

fn tampering() -> impl Strategy<Value = Tampering> {
    let row = || 0usize..64;
    prop_oneof![
        (row(), 0usize..256, 0u8..8, any::<bool>(), any::<bool>())
            .prop_map(|(row, byte, bit, rehash, chain)| Tampering::Flip { row, byte, bit, rehash, chain }),
        (row(), 0usize..32).prop_map(|(row, byte)| Tampering::Hash { row, byte }),
        (row(), row(), any::<bool>()).prop_map(|(one, two, number)| Tampering::Swap { one, two, number }),
        (row(), any::<bool>()).prop_map(|(row, number)| Tampering::Remove { row, number }),
        (row(), row(), any::<bool>()).prop_map(|(from, to, number)| Tampering::Copy { from, to, number }),
        (row(), any::<bool>()).prop_map(|(row, chain)| Tampering::Rewrite { row, chain }),
    ]
}

fn apply(ledger: &mut Ledger, tampering: &Tampering) {
    let count = ledger.rows.len();
    if count == 0 {
        return;
    }
    match *tampering {
        Tampering::Flip { row, byte, bit, rehash, .. } => {
            let row = row % count;
            let bytes = &mut ledger.rows[row].bytes;
            let byte = byte % bytes.len();
            bytes[byte] ^= 1 << bit;
            if rehash {
                ledger.rehash(row);
            }
        }
        Tampering::Hash { row, byte } => {
            let mut hash = ledger.rows[row % count].stored.to_bytes();
            hash[byte] ^= 0xff;
            ledger.rows[row % count].stored = Hash::new(hash);
        }
        Tampering::Swap { one, two, .. } => ledger.rows.swap(one % count, two % count),
        Tampering::Remove { row, .. } => {
            ledger.rows.remove(row % count);
        }
        Tampering::Copy { from, to, .. } => {
            let row = ledger.rows[from % count].clone();
            ledger.rows.insert(to % count, row);
        }
        Tampering::Rewrite { row, .. } => {
            let row = row % count;
            ledger.rows[row].bytes = entry(row as u64, Hash::ZERO, "another truth");
            ledger.rehash(row);
        }
    }
    let number = matches!(
        tampering,
        Tampering::Swap { number: true, .. }
            | Tampering::Remove { number: true, .. }
            | Tampering::Copy { number: true, .. }
    );
    if number {
        ledger.number();
    }
    if let Tampering::Rewrite { row, chain: true } = *tampering {
        ledger.chain(row % count);
    }
    if let Tampering::Flip { row, rehash: true, chain: true, .. } = *tampering {
        ledger.chain(row % count + 1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn what_was_done_is_found_and_nothing_false_is_claimed(
        commits in prop::collection::vec(1usize..6, 1..8),
        doings in prop::collection::vec(tampering(), 1..4),
    ) {
        let original = Ledger::of(&commits);
        let mut ledger = original.clone();
        for doing in &doings {
            apply(&mut ledger, doing);
        }
        let report = ledger.verify();
        prop_assert_eq!(report.valid, ledger == original);
        let Some(fault) = report.first_bad else { return Ok(()) };

        let same = |at: u64| ledger.rows.get(at as usize) == original.rows.get(at as usize);
        let first_changed = (0..).find(|at| !same(*at)).unwrap();
        prop_assert!(report.proven <= first_changed, "{} entries are called proven", report.proven);
        prop_assert!(report.proven <= fault.index, "the fault lies in what was proven: {}", fault);
        match &fault.what {
            What::Altered | What::StoredHash | What::Bytes | What::Gap { .. } | What::WrongIndex { .. } =>
                prop_assert!(!same(fault.index), "this row was not changed: {}", fault),
            What::Chain => prop_assert!(!same(fault.index) || !same(fault.index + 1), "{}", fault),
            What::Root { last } => prop_assert!((fault.index..=*last).any(|at| !same(at)), "{}", fault),
            _ => {}
        }
        let text = |ledger: &Ledger| ledger.rows.get(fault.index as usize).map(|row| row.bytes.clone());
        if fault.what == What::StoredHash {
            prop_assert_eq!(text(&ledger), text(&original), "an altered entry is called intact");
        }
        if fault.what == What::Altered {
            prop_assert_ne!(text(&ledger), text(&original), "an intact entry is called altered");
            prop_assert_eq!(fault.index, first_changed, "an exact answer that is not the first");
        }
    }
}
