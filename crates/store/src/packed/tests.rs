use super::*;
use crate::contract::samples;

fn entries(lengths: &[usize]) -> Vec<Entry> {
    let bytes = |(at, length): (usize, &usize)| Entry {
        bytes: vec![u8::try_from(at % 251).unwrap(); *length],
        leaf_hash: samples::hash(u64::try_from(at).unwrap(), 3),
    };
    lengths.iter().enumerate().map(bytes).collect()
}

fn unpacked(packed: &Packed, first: u64) -> Vec<EntryRow> {
    unpack(first, &packed.leaf_hashes, &packed.ends, &packed.entries).map(row).collect()
}

#[test]
fn what_was_packed_comes_back_byte_by_byte() {
    let entries = entries(&[0, 1, 700, 0, 65_536, 3]);
    let rows = unpacked(&pack(&entries), 40);
    assert_eq!(rows.len(), entries.len());
    for ((row, entry), index) in rows.iter().zip(&entries).zip(40..) {
        assert_eq!((row.index, &row.bytes, row.leaf_hash), (index, &entry.bytes, entry.leaf_hash));
    }
}

#[test]
fn what_is_not_where_it_should_be_is_a_gap_and_no_failure() {
    let whole = pack(&entries(&[10, 20, 30]));
    let indexes = |packed: &Packed| unpacked(packed, 7).iter().map(|row| row.index).collect::<Vec<_>>();
    let spoiled = |spoil: fn(&mut Packed)| {
        let mut packed = Packed {
            count: 3,
            leaf_hashes: whole.leaf_hashes.clone(),
            ends: whole.ends.clone(),
            entries: whole.entries.clone(),
        };
        spoil(&mut packed);
        indexes(&packed)
    };
    assert_eq!(indexes(&whole), [7, 8, 9]);
    assert_eq!(spoiled(|packed| packed.entries.truncate(45)), [7, 8]);
    assert_eq!(spoiled(|packed| packed.leaf_hashes.truncate(40)), [7]);
    assert_eq!(spoiled(|packed| packed.ends.clear()), [] as [u64; 0]);
    // An end far behind, then one before its beginning.
    assert_eq!(spoiled(|packed| packed.ends[4] = 0xff), [7]);
}

#[test]
fn a_segment_ends_before_it_is_too_long_for_a_row() {
    let small = entries(&[100; 1_000]);
    assert_eq!(next_count(&small, 5, &[]), MOST_ENTRIES);
    assert_eq!(next_count(&small[..30], 5, &[]), 30);
    let mut large = samples::payload(7, None);
    large.bytes = vec![0; LONG];
    assert_eq!(next_count(&small, 5, &[samples::payload(5, None), large]), 3);
    assert_eq!(next_count(&entries(&[LONG + 1, 1]), 0, &[]), 1);
}

#[test]
fn payloads_are_found_erased_and_not_confused() {
    let kept: Vec<NewPayload> = [(10, Some(5)), (12, None), (13, Some(3)), (15, Some(9))]
        .map(|(index, erase_after_us)| samples::payload(index, erase_after_us))
        .into();
    let mut packed = Payloads::pack(10, &kept);
    assert_eq!(packed.first_due(), Some(3));
    let present = |packed: &Payloads, index: u64| match packed.find(index - 10).unwrap() {
        Payload::Present(stored) => stored.bytes,
        other => panic!("{other:?}"),
    };
    for payload in &kept {
        assert_eq!(present(&packed, payload.index), payload.bytes);
    }
    assert_eq!(packed.find(1), Some(Payload::NotKept));
    assert_eq!(packed.erase(2, 10), 0);
    assert_eq!(packed.erase(8, 1), 1, "the oldest duty first");
    assert_eq!(packed.find(3), Some(Payload::Erased));
    assert_eq!((packed.first_due(), packed.erase(8, 10)), (Some(5), 1));
    assert_eq!((packed.first_due(), packed.erase(i64::MAX, 10)), (Some(9), 1));
    assert_eq!((packed.first_due(), packed.erase(i64::MAX, 10)), (None, 0));
    assert_eq!(present(&packed, 12), kept[1].bytes);
    for erased in [0, 2, 3] {
        let text = &kept[erased].bytes;
        assert!(!packed.bytes.windows(text.len()).any(|window| window == text), "its bytes are gone");
    }
    assert_eq!(packed.heads.windows(16).filter(|window| *window == [7; 16]).count(), 1, "and so are their salts");
}
