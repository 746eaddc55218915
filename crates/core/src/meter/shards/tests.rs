use crate::digest::sha256;
use crate::meter::{
    Charge, Cold, ColdEntries, ColdFailure, CounterId, GroupId, MeterKey, MeterValue, Meters, TABLES, Thinner,
    ValuesDigest,
};
use crate::time::{Micros, Span};
use std::collections::BTreeMap;
use std::sync::Arc;

const NOW: Micros = Micros(1_700_000_000_000_000);

/// Keys on disk, here in a map.
#[derive(Clone, Default)]
struct Shelf(BTreeMap<[u8; 24], Vec<u8>>);

impl Cold for Shelf {
    fn find(&self, tail: &[u8; 24]) -> Result<Option<Vec<u8>>, ColdFailure> {
        Ok(self.0.get(tail).cloned())
    }

    fn scan(&self, _: u16) -> ColdEntries<'_> {
        Box::new(self.0.iter().map(|(tail, bytes)| Ok((*tail, bytes.clone()))))
    }

    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn with(&self, entries: Vec<([u8; 24], Vec<u8>)>, _: &Thinner) -> Result<Arc<dyn Cold>, ColdFailure> {
        let mut shelf = self.clone();
        shelf.0.extend(entries);
        Ok(Arc::new(shelf))
    }
}

fn key(number: u64) -> MeterKey {
    let values = ValuesDigest::new(&sha256(&[&number.to_be_bytes()]));
    CounterId::new(&sha256(&[b"c"]), Span::seconds(3_600)).key(GroupId::new(&sha256(&[b"g"])), values)
}

fn add(meters: &mut Meters, number: u64) {
    meters.put(&Charge::of_use(key(number), 1u64.into()), NOW);
}

/// Everything that nobody asked for leaves its table; the second round takes what the first one spared.
fn let_go(meters: &mut Meters) {
    (0..2).for_each(|_| meters.look_through(TABLES, 0, NOW));
}

#[test]
fn what_nobody_writes_any_more_is_given_again_before_what_is_newer() {
    let mut meters = Meters::default();
    meters.put_cold(Arc::new(Shelf::default()));
    add(&mut meters, 1);
    add(&mut meters, 2);
    let_go(&mut meters);
    // Whoever should have put it down is gone: another state has it, or it could not be sent.
    let lost = meters.part(1, NOW).unwrap();
    assert_eq!(lost.layer.len(), 2);
    add(&mut meters, 1);
    let_go(&mut meters);
    let again = meters.part(1, NOW).unwrap();
    assert!(Arc::ptr_eq(&lost.layer, &again.layer), "put down later, it would hide what is newer");
    meters.settle(&again.layer, again.put_down().unwrap());
    let newer = meters.part(1, NOW).unwrap();
    assert_eq!(newer.layer.len(), 1);
    meters.settle(&newer.layer, newer.put_down().unwrap());
    assert!(meters.part(1, NOW).is_none());
    // Both are on disk now.
    assert_eq!(meters.read_all(&[key(1), key(2)], NOW), [2u64, 1].map(|used| MeterValue::Ready(used.into())));
    // What comes back late from whoever it was given to first changes nothing.
    meters.settle(&lost.layer, lost.put_down().unwrap());
    assert_eq!(meters.read(&key(1), NOW), MeterValue::Ready(2u64.into()));
}
