//! Millions of keys in bounded memory, in a process of its own, because memory is the process's.

#![allow(clippy::unwrap_used)] // a test of its own

use runplane_core::digest::Digest;
use runplane_core::meter::{Charge, CounterId, GroupId, MeterKey, MeterValue, Meters, Reader, ValuesDigest};
use runplane_core::time::{Micros, Span};
use runplane_server::{Bound, Tier};

const START: Micros = Micros(1_790_000_000_000_000);
const DAY: Span = Span::seconds(86_400);
const COUNTERS: u64 = 8;
const MIB: usize = 1024 * 1024;

fn digest(number: u64) -> Digest {
    let (mut bytes, mut mixed) = ([0; 32], number);
    for chunk in bytes.chunks_mut(8) {
        mixed = mixed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = mixed;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        chunk.copy_from_slice(&(word ^ (word >> 31)).to_le_bytes());
    }
    Digest(bytes)
}

fn key(number: u64) -> MeterKey {
    let counter = CounterId::new(&digest(u64::MAX - number % COUNTERS), DAY);
    counter.key(GroupId::new(&digest(1 << 60)), ValuesDigest::new(&digest(number)))
}

fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 4_096
}

/// How often a key was counted.
fn times(number: u64) -> u64 {
    1 + u64::from(number.is_multiple_of(3)) + u64::from(number.is_multiple_of(15))
}

#[test]
fn millions_of_keys_stay_within_the_bound_and_what_went_to_disk_is_still_exact() {
    #[allow(clippy::disallowed_methods, reason = "tests have no configuration but this")]
    let is_full = std::env::var("RUNPLANE_FULL").is_ok_and(|value| value == "1");
    let (keys, most) = if is_full { (5_000_000u64, 128 * MIB) } else { (300_000, 8 * MIB) };
    let folder = tempfile::tempdir().unwrap();
    let bound = Bound::new(most, folder.path().to_owned());
    let (mut tier, mut meters) = (Tier::new(bound.clone()), Meters::default());
    bound.begin(&mut meters);
    let before = resident();
    let (mut count, mut now, mut largest) = (0u64, START, 0);
    for step in [1, 3, 15] {
        for number in (0..keys).step_by(step) {
            meters.put(&Charge::of_use(key(number), 1u64.into()), now);
            count += 1;
            if count.is_multiple_of(64) {
                now = now.after(Span(1_000));
                tier.tend(&mut meters, count, now);
            }
            if count.is_multiple_of(65_536) {
                largest = largest.max(resident().saturating_sub(before));
            }
        }
    }
    assert!(meters.bytes() <= most + most / 2, "{} bytes", meters.bytes());
    assert!(largest <= 2 * most + 32 * MIB, "{largest} bytes are resident");
    let wrong = |meters: &Meters| {
        let counted = |number: u64| meters.read(&key(number), now) == MeterValue::Ready(times(number).into());
        let strange = |number: u64| meters.read(&key(number), now) == MeterValue::Ready(0u64.into());
        let known = (0..keys).step_by(7).find(|number| !counted(*number));
        known.or_else(|| (keys..keys + 50_000).find(|number| !strange(*number)))
    };
    assert_eq!(wrong(&meters), None);
    assert!(!meters.has_failed());

    // The image of it is read back within the same bound, and says the same.
    let (mut reader, mut pieces, mut failed) = (Reader::default(), 0, None);
    bound.begin(reader.meters());
    let mut image = Vec::new();
    meters
        .image(now, |piece| {
            pieces += 1;
            failed = failed.or(reader.take(&piece).err());
            bound.relieve(reader.meters()).unwrap();
            image.push(digest(piece.iter().fold(7, |sum: u64, byte| sum.rotate_left(5) ^ u64::from(*byte))));
            true
        })
        .unwrap();
    let copy = reader.finish().unwrap();
    assert_eq!((failed, wrong(&copy)), (None, None));
    assert!(pieces > 4 && copy.bytes() <= most + most / 2, "{pieces} pieces, {} bytes", copy.bytes());
    let mut again = Vec::new();
    let take = |piece: Vec<u8>| {
        again.push(digest(piece.iter().fold(7, |sum: u64, byte| sum.rotate_left(5) ^ u64::from(*byte))));
        true
    };
    copy.image(now, take).unwrap();
    assert!(image == again, "another image");
}
