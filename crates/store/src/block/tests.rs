use super::*;
use crate::contract::samples;

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
