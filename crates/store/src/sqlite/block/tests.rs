use super::*;
use crate::contract::samples;

fn rows(count: u64) -> Vec<DecisionRow> {
    (0..count).map(samples::decision).collect()
}

#[test]
fn rows_come_back_as_they_were_and_a_cut_only_loses_what_it_cuts() {
    let mut odd = samples::decision(5);
    (odd.target, odd.rule, odd.bytes) = (String::new(), "漢字 \u{0}".into(), vec![0, 255, 7]);
    let stored = [samples::decision(1), odd, samples::decision(9)];
    let mut bytes = Vec::new();
    stored.iter().for_each(|row| write(row, &mut bytes));
    let read = |bytes: &[u8]| Rows(bytes).map(|row| row.to_row()).collect::<Vec<_>>();
    assert_eq!(read(&bytes), stored);
    for length in 0..bytes.len() {
        let cut = read(&bytes[..length]);
        assert!(cut.len() < 3 && cut == stored[..cut.len()], "cut at {length}");
    }
}

#[test]
fn a_summary_never_denies_what_is_there_and_seldom_affirms_what_is_not() {
    let mut summary = Summary::new();
    let many: Vec<DecisionRow> =
        (0..256).map(|index| DecisionRow { target: format!("t{index}"), ..samples::decision(index) }).collect();
    many.iter().for_each(|row| summary.add(row));
    for row in &many {
        assert!(Probe::of_row(row).iter().all(|probe| summary.may_have(&[*probe])));
    }
    let wrong = (0..10_000).filter(|number| summary.may_have(&[Probe::request(&format!("other {number}"))])).count();
    assert!(wrong < 60, "{wrong} of 10,000 blocks would be read for nothing");
    assert!(!summary.may_have(&[Probe::agent("t3")]), "a value counts in its own column");
}

#[test]
fn a_summary_reads_back_and_what_is_none_is_refused() {
    let mut summary = Summary::new();
    rows(40).iter().for_each(|row| summary.add(row));
    let bytes = summary.to_bytes();
    assert_eq!(Summary::from_bytes(&bytes), Some(summary.clone()));
    assert_eq!((summary.count, summary.last_index), (40, 39));
    assert_eq!(Summary::from_bytes(&bytes[1..]), None);
    assert_eq!(Summary::from_bytes(&[]), None);
}
