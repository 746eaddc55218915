use super::*;
use runplane_core::digest::sha256;
use runplane_core::meter::{Charge, ColdEntries, ColdFailure, MeterKey, MeterValue, Thinner};
use runplane_core::time::Span;
use std::sync::atomic::AtomicBool;

const NOW: Micros = Micros(1_790_000_000_000_000);

/// A disk that takes nothing while it is full.
struct Disk {
    pile: Arc<dyn Cold>,
    is_full: Arc<AtomicBool>,
}

impl Cold for Disk {
    fn find(&self, tail: &[u8; 24]) -> Result<Option<Vec<u8>>, ColdFailure> {
        self.pile.find(tail)
    }

    fn scan(&self, from: u16) -> ColdEntries<'_> {
        self.pile.scan(from)
    }

    fn len(&self) -> u64 {
        self.pile.len()
    }

    fn with(&self, entries: Vec<([u8; 24], Vec<u8>)>, thinner: &Thinner) -> Result<Arc<dyn Cold>, ColdFailure> {
        if self.is_full.load(Ordering::Relaxed) {
            return Err(ColdFailure("the disk is full".to_owned()));
        }
        let pile = self.pile.with(entries, thinner)?;
        Ok(Arc::new(Self { pile, is_full: Arc::clone(&self.is_full) }))
    }
}

/// A key of one of a few counters.
fn key(number: u64) -> MeterKey {
    MeterKey { id: sha256(&[&number.to_be_bytes()]), within: Span::seconds(3_600) }
}

/// Until there is room; `false` if there is none after a while.
fn makes_room(tier: &mut Tier, meters: &mut Meters, rounds: usize) -> bool {
    (0..rounds).any(|_| {
        tier.tend(meters, 0, NOW);
        !tier.is_full(meters)
    })
}

#[test]
fn there_is_no_room_while_the_disk_takes_none_and_there_is_again_when_it_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut tier = Tier::new(Bound::new(64 * 1024, folder.path().to_owned()));
    let (mut meters, is_full) = (Meters::default(), Arc::new(AtomicBool::new(true)));
    meters.put_cold(Arc::new(Disk { pile: Arc::new(Pile::new(folder.path())), is_full: Arc::clone(&is_full) }));
    let mut keys = 0;
    // Twice as many as fill it: on their way to disk they take up a little less.
    while meters.bytes() < 8 * 64 * 1024 {
        assert_eq!(tier.is_full(&meters), meters.bytes() / 4 > 64 * 1024, "up to there the bound is only aimed at");
        meters.put(&Charge::of_use(key(keys), 1u64.into()), NOW);
        keys += 1;
    }
    assert!(!makes_room(&mut tier, &mut meters, 300), "nothing can be put down");
    assert_eq!(meters.read(&key(0), NOW), MeterValue::Ready(1u64.into()), "and nothing is lost");
    is_full.store(false, Ordering::Relaxed);
    // It is tried again after a pause.
    assert!(makes_room(&mut tier, &mut meters, 5_000));
    assert!((0..keys).all(|number| meters.read(&key(number), NOW) == MeterValue::Ready(1u64.into())));
}

#[test]
fn a_few_keys_that_have_much_do_not_fill_it_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let bound = Bound::new(16 * 1024, folder.path().to_owned());
    let (mut tier, mut meters) = (Tier::new(bound.clone()), Meters::default());
    bound.begin(&mut meters);
    // Far fewer than go to disk together otherwise, each with every step of its window.
    for number in 0..200 {
        for minute in 0..60 {
            meters.put(&Charge::of_use(key(number), 1u64.into()), NOW.before(Span::seconds(60 * (60 - minute))));
        }
    }
    assert!(tier.is_full(&meters), "{} bytes", meters.bytes());
    assert!(makes_room(&mut tier, &mut meters, 5_000), "{} bytes", meters.bytes());
}
