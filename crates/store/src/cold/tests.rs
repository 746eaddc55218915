use super::*;

fn tail(number: u64) -> [u8; 24] {
    let mut tail = [0; 24];
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    tail[..8].copy_from_slice(&mixed.to_be_bytes());
    tail[16..].copy_from_slice(&mixed.rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9).to_be_bytes());
    tail
}

fn entries(numbers: impl Iterator<Item = u64>, byte: u8) -> Vec<Entry> {
    let mut entries: Vec<Entry> = numbers.map(|number| (tail(number), vec![byte; (number % 50) as usize])).collect();
    entries.sort();
    entries
}

#[test]
fn what_was_put_down_comes_back_and_the_newest_counts() {
    let folder = tempfile::tempdir().unwrap();
    let thinner = Thinner::default();
    let mut pile: Arc<dyn Cold> = Arc::new(Pile::new(folder.path()));
    // Enough for merges of merges; every tenth key is put down again and again.
    for round in 0..21u64 {
        let own = (0..1_000u64).map(|number| if number.is_multiple_of(10) { number } else { round * 1_000 + number });
        pile = pile.with(entries(own, round as u8), &thinner).unwrap();
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the files have no names");
    for number in 0..21_000u64 {
        let round = if number.is_multiple_of(10) && number < 1_000 { 20 } else { number / 1_000 };
        let expected =
            (!number.is_multiple_of(10) || number < 1_000).then(|| vec![round as u8; (number % 50) as usize]);
        assert_eq!(pile.find(&tail(number)).unwrap(), expected, "{number}");
    }
    let all: Vec<Entry> = pile.scan(0).map(Result::unwrap).collect();
    assert_eq!(all.len(), 21 * 900 + 100);
    assert!(all.is_sorted_by(|left, right| left.0 < right.0));
    let half: Vec<Entry> = pile.scan(0x8000).map(Result::unwrap).collect();
    assert_eq!(half, all.into_iter().filter(|(tail, _)| tail[0] >= 0x80).collect::<Vec<_>>());
}

#[test]
fn a_damaged_block_is_a_failure_and_never_an_absent_key() {
    let folder = tempfile::tempdir().unwrap();
    let all = entries(0..2_000, 7);
    for at in [0, 30, 4_000, 9_999] {
        let run = Run::write(folder.path(), all.iter().cloned().map(Ok), 2_000).unwrap();
        run.spoil(at);
        let failed = all.iter().filter(|(tail, _)| run.find(tail).is_err()).count();
        assert!(failed > 20, "{failed}");
        let wrong = |(tail, bytes): &&Entry| run.find(tail).is_ok_and(|found| found.as_ref() != Some(bytes));
        assert_eq!(all.iter().filter(wrong).count(), 0);
        assert!(run.scan(0).any(|entry| entry.is_err()));
    }
}

#[test]
fn keys_that_are_not_there_are_mostly_known_not_to_be() {
    let mut filter = filter::Filter::new(100_000);
    (0..100_000).for_each(|number| filter.add(&tail(number)));
    assert!((0..100_000).all(|number| filter.may_have(&tail(number))));
    let mistaken = (100_000..200_000).filter(|number| filter.may_have(&tail(*number))).count();
    assert!(mistaken < 3_000, "{mistaken}");
}

#[test]
fn a_merge_that_fails_leaves_what_was_put_down_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let thinner = Thinner::default();
    let mut pile = Pile::new(folder.path());
    for round in 0..3u64 {
        let run =
            Run::write(folder.path(), entries(round * 500..(round + 1) * 500, 1).into_iter().map(Ok), 500).unwrap();
        if round == 1 {
            run.spoil(30);
        }
        pile.runs.push((0, Arc::new(run)));
    }
    // The fourth of a size makes one of them all, and the second cannot be read.
    let more = pile.with(entries(0..200, 2), &thinner).unwrap();
    assert_eq!(more.len(), 1_700, "nothing was merged, and nothing is gone");
    for number in 0..200 {
        assert_eq!(more.find(&tail(number)).unwrap(), Some(vec![2; (number % 50) as usize]), "{number}");
    }
    let old: Vec<_> = (0..1_500).map(|number| pile.find(&tail(number)).map_err(|_| ())).collect();
    let new: Vec<_> = (0..1_500).map(|number| more.find(&tail(number)).map_err(|_| ())).collect();
    assert!(old[200..] == new[200..], "what could be read can be read, and what could not is still no absent key");
    assert!(new.iter().any(Result::is_err));
    // And the next one is put down as well.
    assert_eq!(more.with(entries(2_000..2_010, 3), &thinner).unwrap().len(), 1_710);
}
