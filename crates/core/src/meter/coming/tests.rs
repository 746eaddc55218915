use crate::digest::sha256;
use crate::meter::{Charge, CounterId, GroupId, MeterKey, MeterValue, Meters, TABLES, ValuesDigest};
use crate::time::{Micros, Span};

const HOUR: Span = Span::seconds(3_600);
const NOW: Micros = Micros(1_700_000_000_000_000);

/// A key of one of two counters that are kept apart alike.
fn member(counter: &str, number: u64) -> MeterKey {
    let values = ValuesDigest::new(&sha256(&[&number.to_be_bytes()]));
    CounterId::new(&sha256(&[counter.as_bytes()]), HOUR).key(GroupId::new(&sha256(&[b"g"])), values)
}

fn add(meters: &mut Meters, key: MeterKey, amount: u64) {
    meters.put(&Charge::of_use(key, amount.into()), NOW);
}

fn image(meters: &Meters) -> Vec<u8> {
    let mut bytes = Vec::new();
    let take = |piece: Vec<u8>| {
        bytes.extend(piece);
        true
    };
    meters.image(NOW, take).unwrap();
    bytes
}

/// A past of so many keys, and the meters that wait for it and have something else for every other one of them.
fn waiting(keys: u64) -> (Meters, Meters) {
    let (mut meters, mut past) = (Meters::default(), Meters::default());
    meters.begin_filling(member("new", 0).counter());
    for number in 0..keys {
        add(&mut past, member("new", number), 1 + number % 7);
        add(&mut past, member("not asked for", number), 1);
        if number % 2 == 0 {
            add(&mut meters, member("old", number), 3);
        }
    }
    (meters, past)
}

#[test]
fn half_a_million_keys_are_taken_over_at_once_and_put_in_place_a_few_at_a_time() {
    const KEYS: u64 = 500_000;
    const AT_ONCE: usize = 512;
    let (mut meters, past) = waiting(KEYS);
    let before = meters.shards.in_tables();
    meters.install(&[member("new", 0).counter()], &past).unwrap();
    drop(past);
    assert_eq!(meters.shards.in_tables(), before, "not one of them was touched");
    assert_eq!(meters.read(&member("new", 8), NOW), MeterValue::Ready(2u64.into()), "and all of them count");
    let (mut slices, mut moved, mut longest) = (0, 0, 0);
    loop {
        let slice = meters.take_in(AT_ONCE);
        if slice == 0 {
            break;
        }
        (slices, moved, longest) = (slices + 1, moved + slice, longest.max(slice));
    }
    assert_eq!((moved as u64, longest), (KEYS, AT_ONCE));
    assert!(slices >= moved / AT_ONCE);
    assert_eq!(meters.shards.in_tables() as u64, KEYS);
}

#[test]
fn how_far_it_is_makes_no_difference() {
    let (meters, past) = waiting(300);
    let counters = [member("new", 0).counter()];
    let mut all_at_once = meters.clone();
    all_at_once.install(&counters, &past).unwrap();
    while all_at_once.take_in(usize::MAX) > 0 {}
    let mut slowly = meters;
    slowly.install(&counters, &past).unwrap();
    for round in 0..60u64 {
        let copy = slowly.clone();
        assert!(image(&slowly) == image(&all_at_once), "after {round} rounds");
        assert_eq!(slowly, all_at_once);
        for number in 0..300 {
            for counter in ["old", "new", "not asked for"] {
                let key = member(counter, number);
                assert_eq!(slowly.read(&key, NOW), all_at_once.read(&key, NOW), "{counter} {number}");
            }
        }
        // What is changed meanwhile, in either counter or in both, given back, or new.
        for meters in [&mut slowly, &mut all_at_once] {
            add(meters, member("new", round * 5), 2);
            add(meters, member("old", round * 7 % 300), 1);
            add(meters, member("new", 1_000 + round), 1);
            meters.give_back(&Charge::of_use(member("new", round * 11 % 300), 3u64.into()), NOW);
            meters.look_through(TABLES / 7, usize::MAX, NOW);
        }
        slowly.take_in(4);
        assert!(image(&copy) != image(&slowly), "a copy stays what it was");
    }
    assert!(slowly.len() > 300);
}

#[test]
fn a_second_past_may_come_while_the_first_is_on_its_way() {
    let (mut meters, past) = waiting(50);
    let (new, other) = (member("new", 0).counter(), member("other", 0).counter());
    meters.install(&[new], &past).unwrap();
    meters.begin_filling(other);
    let mut second = Meters::default();
    (0..50).for_each(|number| add(&mut second, member("other", number), 9));
    meters.install(&[other], &second).unwrap();
    // The first is put in force again while it is still coming: what it came to is forgotten.
    assert_eq!(meters.read(&member("new", 3), NOW), MeterValue::Ready(4u64.into()));
    meters.begin_filling(new);
    assert_eq!(meters.read(&member("new", 3), NOW), MeterValue::Filling);
    meters.install(&[new], &Meters::default()).unwrap();
    for _ in 0..2 {
        for number in 0..50 {
            assert_eq!(meters.read(&member("new", number), NOW), MeterValue::Ready(0u64.into()), "{number}");
            assert_eq!(meters.read(&member("other", number), NOW), MeterValue::Ready(9u64.into()), "{number}");
        }
        while meters.take_in(8) > 0 {}
    }
}

#[test]
fn keys_beyond_the_bound_share_a_bucket_as_if_they_had_been_counted_here() {
    let mut meters = Meters::with_most_keys(3);
    meters.begin_filling(member("new", 0).counter());
    let mut past = Meters::default();
    (0..3).for_each(|number| add(&mut past, member("new", number), 1));
    meters.install(&[member("new", 0).counter()], &past).unwrap();
    add(&mut meters, member("new", 7), 5);
    assert_eq!(meters.read(&member("new", 99), NOW), MeterValue::Ready(5u64.into()), "three is full");
}
