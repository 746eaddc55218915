use super::*;
use crate::digest::sha256;
use crate::time::Span;
use proptest::prelude::*;

fn key(name: &str, within: Span) -> MeterKey {
    MeterKey { id: sha256(&[name.as_bytes()]), within }
}

fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn add(meters: &mut Meters, key: MeterKey, at: Micros, amount: Decimal) {
    meters.put(&Charge::of_use(key, amount), at);
}

fn give_back(meters: &mut Meters, key: MeterKey, at: Micros, amount: Decimal) {
    meters.give_back(&Charge::of_use(key, amount), at);
}

fn read(meters: &Meters, key: &MeterKey, now: Micros) -> Decimal {
    match meters.read(key, now) {
        MeterValue::Ready(value) => value,
        other => panic!("{other:?}"),
    }
}

const HOUR: Span = Span::seconds(3_600);

#[test]
fn what_was_added_counts_for_the_whole_window_and_at_most_a_step_longer() {
    let (mut meters, key) = (Meters::default(), key("m", HOUR));
    let start = Micros(1_700_000_000_000_000);
    add(&mut meters, key, start, number("12.50"));
    assert_eq!(read(&meters, &key, start), number("12.5"));
    assert_eq!(read(&meters, &key, start.after(HOUR)), number("12.5"));
    assert_eq!(read(&meters, &key, start.after(HOUR).after(Span::seconds(61))), Decimal::ZERO);
}

#[test]
fn given_back_is_gone_but_never_below_zero() {
    let (mut meters, key) = (Meters::default(), key("m", HOUR));
    add(&mut meters, key, Micros(0), number("5"));
    give_back(&mut meters, key, Micros(0), number("7"));
    assert_eq!(read(&meters, &key, Micros(0)), Decimal::ZERO);
    give_back(&mut meters, key, Micros(0), number("-7"));
    assert_eq!(read(&meters, &key, Micros(0)), Decimal::ZERO);
}

#[test]
fn another_window_is_another_counter() {
    let mut meters = Meters::default();
    add(&mut meters, key("m", HOUR), Micros(0), number("5"));
    assert_eq!(read(&meters, &key("m", Span::seconds(60)), Micros(0)), Decimal::ZERO);
}

#[test]
fn a_sum_beyond_34_digits_counts_as_more_never_as_less() {
    let (mut meters, key) = (Meters::default(), key("m", HOUR));
    add(&mut meters, key, Micros(0), number("1e60"));
    add(&mut meters, key, Micros(0), number("0.01"));
    assert!(read(&meters, &key, Micros(0)) >= number("1e60").checked_add(number("1e30")).unwrap());
}

#[test]
fn keys_without_anything_that_counts_are_swept() {
    let (mut meters, key) = (Meters::default(), key("m", HOUR));
    add(&mut meters, key, Micros(0), number("1"));
    meters.sweep(Micros(0).after(HOUR));
    assert_eq!(meters.len(), 1);
    meters.sweep(Micros(0).after(HOUR).after(HOUR));
    assert!(meters.is_empty());
}

#[test]
fn a_snapshot_out_of_order_is_refused() {
    let text = |steps: &str| {
        let tail = "0".repeat(48);
        format!(
            r#"{{"counters":[{{"id":"0000000000000000","within":60000000,"keys":{{"{tail}":{steps}}}}}],"filling":[]}}"#
        )
    };
    assert!(serde_json::from_str::<Meters>(&text(r#"[[1,"2"],[2,"1"]]"#)).is_ok());
    for steps in [r#"[[2,"2"],[1,"1"]]"#, r#"[[1,"-1"]]"#, r#"[[1,"0"]]"#, "[]"] {
        assert!(serde_json::from_str::<Meters>(&text(steps)).is_err(), "{steps}");
    }
}

/// A key of one and the same counter.
fn member(number: u64) -> MeterKey {
    let values = ValuesDigest::new(&sha256(&[&number.to_be_bytes()]));
    CounterId::new(&sha256(&[b"c"]), HOUR).key(GroupId::new(&sha256(&[b"g"])), values)
}

#[test]
fn keys_beyond_the_bound_share_a_bucket_until_it_is_empty() {
    let mut meters = Meters::with_most_keys(3);
    let one = || number("1");
    let start = Micros(1_700_000_000_000_000);
    for key in 0..10 {
        add(&mut meters, member(key), start, one());
    }
    let said = |meters: &Meters, key: u64, now: Micros| read(meters, &member(key), now);
    assert_eq!((0..3).map(|key| said(&meters, key, start)).collect::<Vec<_>>(), [one(), one(), one()]);
    assert_eq!(said(&meters, 5, start), number("7"));
    assert_eq!(said(&meters, 99, start), number("7"), "a key that was never seen has no fresh budget");
    // The own keys give back and there is room, but what the others did is still in the bucket.
    give_back(&mut meters, member(0), start, one());
    assert_eq!(said(&meters, 0, start), number("7"));
    add(&mut meters, member(5), start, one());
    assert_eq!(said(&meters, 5, start), number("8"));
    let later = start.after(HOUR).after(HOUR);
    assert_eq!(said(&meters, 5, later), Decimal::ZERO);
    add(&mut meters, member(5), later, one());
    assert_eq!((said(&meters, 5, later), said(&meters, 6, later)), (one(), Decimal::ZERO));
}

#[test]
fn whether_it_was_swept_makes_no_difference() {
    let (mut swept, mut left) = (Meters::with_most_keys(2), Meters::with_most_keys(2));
    let mut now = Micros(1_700_000_000_000_000);
    let mut dice = 7u64;
    for _ in 0..2_000 {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        now = now.after(Span((dice >> 33) as i64 % 2_000_000_000));
        let key = member((dice >> 20) % 5);
        for meters in [&mut swept, &mut left] {
            add(meters, key, now, number("1"));
        }
        swept.sweep(now);
        for other in 0..6 {
            assert_eq!(read(&swept, &member(other), now), read(&left, &member(other), now));
        }
    }
    left.sweep(now);
    assert_eq!(serde_json::to_string(&swept).unwrap(), serde_json::to_string(&left).unwrap());
}

#[test]
fn a_mark_says_what_was_last_and_in_the_bucket_nobody_knows() {
    let mut meters = Meters::with_most_keys(1);
    let mark = |op: Op, amount: u64, key: u64| Charge { op, ..Charge::of_use(member(key), amount.into()) };
    let start = Micros(1_700_000_000_000_000);
    let said = |meters: &Meters, key: u64| read(meters, &member(key), start).to_i64().unwrap();
    meters.put(&mark(Op::Last, 1, 0), start);
    assert_eq!(said(&meters, 0), 1);
    meters.put(&mark(Op::Last, 0, 0), start);
    assert_eq!(said(&meters, 0), 0);
    meters.put(&mark(Op::Last, 0, 1), start);
    assert_eq!((said(&meters, 1), said(&meters, 2)), (2, 2), "shared with others");
    let mut meters = Meters::default();
    meters.put(&mark(Op::Event, 1, 0), start);
    meters.put(&mark(Op::Reset, 2, 0), start);
    assert_eq!(said(&meters, 0), 2, "it may have been taken away");
    meters.put(&mark(Op::Reset, 1, 0), start);
    assert_eq!(said(&meters, 0), 0);
    meters.put(&mark(Op::Event, 1, 0), start);
    assert_eq!(read(&meters, &member(0), start.after(HOUR)), number("1"));
    assert_eq!(read(&meters, &member(0), start.after(HOUR).after(Span(1))), Decimal::ZERO);
}

#[test]
fn a_counter_that_is_filling_takes_nothing_until_its_past_is_there() {
    let mut meters = Meters::default();
    let key = member(1);
    meters.begin_filling(key.counter());
    add(&mut meters, key, Micros(0), number("1"));
    assert_eq!(meters.read(&key, Micros(0)), MeterValue::Filling);
    let copy: Meters = serde_json::from_str(&serde_json::to_string(&meters).unwrap()).unwrap();
    assert_eq!(copy, meters);
    let mut past = Meters::default();
    add(&mut past, key, Micros(0), number("3"));
    meters.install(&[key.counter()], &past).unwrap();
    assert_eq!(read(&meters, &key, Micros(0)), number("3"));
}

#[test]
fn what_is_lost_counts_as_everything_while_it_is_in_the_window() {
    let mut meters = Meters::default();
    meters.lose(member(1).counter(), Micros(0));
    assert_eq!(read(&meters, &member(7), Micros(0).after(HOUR)), largest());
    meters.sweep(Micros(0).after(HOUR).after(HOUR));
    assert!(meters.is_empty());
}

/// A disk that can no longer be read.
struct Broken;

impl Cold for Broken {
    fn find(&self, _: &[u8; 24]) -> Result<Option<Vec<u8>>, ColdFailure> {
        Err(ColdFailure("broken".to_owned()))
    }

    fn scan(&self, _: u16) -> ColdEntries<'_> {
        Box::new(std::iter::once(Err(ColdFailure("broken".to_owned()))))
    }

    fn len(&self) -> u64 {
        1
    }

    fn with(&self, _: Vec<([u8; 24], Vec<u8>)>, _: &Thinner) -> Result<Arc<dyn Cold>, ColdFailure> {
        Err(ColdFailure("broken".to_owned()))
    }
}

#[test]
fn a_key_that_cannot_be_read_back_is_never_a_fresh_one() {
    let mut meters = Meters::default();
    add(&mut meters, member(1), Micros(0), number("1"));
    meters.put_cold(Arc::new(Broken));
    assert_eq!(meters.read(&member(1), Micros(0)), MeterValue::Ready(number("1")));
    assert!(!meters.has_failed());
    assert_eq!(meters.read(&member(2), Micros(0)), MeterValue::Doubtful);
    assert!(meters.has_failed());
    let mut meters = Meters::default();
    meters.put_cold(Arc::new(Broken));
    add(&mut meters, member(1), Micros(0), number("1"));
    assert!(meters.has_failed(), "what it had before is not known");
    assert!(meters.image(Micros(0), |_| true).is_err());
}

#[test]
fn an_image_that_is_not_as_it_is_written_is_refused() {
    let mut meters = Meters::with_most_keys(3);
    let start = Micros(1_700_000_000_000_000);
    for key in 0..6 {
        add(&mut meters, member(key), start, number("1.5"));
        meters.put(&Charge { op: Op::Event, ..Charge::of_use(marked(key), number("1")) }, start);
    }
    meters.lose(CounterId::new(&sha256(&[b"lost"]), HOUR), start);
    meters.begin_filling(CounterId::new(&sha256(&[b"filling"]), HOUR));
    let mut image = Vec::new();
    let take = |piece: Vec<u8>| {
        image.extend(piece);
        true
    };
    meters.image(start, take).unwrap();
    let read = |bytes: &[u8]| -> Result<Meters, image::Broken> {
        let mut reader = Reader::default();
        reader.take(bytes)?;
        reader.finish()
    };
    assert_eq!(read(&image).unwrap(), meters);
    let ends = (0..image.len()).filter(|end| read(&image[..*end]).is_ok()).count();
    // Only where an entry ends: that some are missing is for the digest of the whole to find.
    assert!(ends <= 8, "{ends}");
    for at in 0..image.len() {
        let mut changed = image.clone();
        changed[at] ^= 0x80;
        // It must not panic; that it is not what was written is for the digest to find.
        let _ = read(&changed);
    }
}

fn marked(number: u64) -> MeterKey {
    let values = ValuesDigest::new(&sha256(&[&number.to_be_bytes()]));
    CounterId::new(&sha256(&[b"mark"]), HOUR).key(GroupId::new(&sha256(&[b"g"])), values)
}

proptest! {
    /// Against a list of everything that was added: never less than the exact sliding sum, never more
    /// than the sum over a window one step longer; a snapshot changes nothing.
    #[test]
    fn readings_are_exact_up_to_one_step(
        events in proptest::collection::vec((0i64..20_000_000, 1i64..1_000), 0..80),
        within in 60i64..600,
    ) {
        let span = Span(within * 1_000);
        let (mut meters, key) = (Meters::default(), key("p", span));
        let mut now = Micros(1_700_000_000_000_000);
        let mut log: Vec<(Micros, i64)> = Vec::new();
        for (gap, amount) in events {
            now = now.after(Span(gap % (within * 100)));
            add(&mut meters, key, now, amount.into());
            log.push((now, amount));
            let counted = |length: Span| -> i64 {
                log.iter().filter(|(at, _)| *at > now.before(length)).map(|(_, amount)| amount).sum()
            };
            let found = read(&meters, &key, now);
            prop_assert!(found >= counted(span).into());
            prop_assert!(found <= counted(Span(span.0 + span.0 / 60 + 1)).into());
            let copy: Meters = serde_json::from_str(&serde_json::to_string(&meters).unwrap()).unwrap();
            prop_assert_eq!(read(&copy, &key, now), found);
            prop_assert!(serde_json::to_string(&meters).unwrap().len() <= 62 * 40);
        }
    }
}
