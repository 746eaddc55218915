//! How the keys of a bundle's counters are made: whatever is kept apart by the same members of a call shares one
//! digest per call, and counters that are touched together have keys that lie together.
//!
//! What must stay true: the key of a counter follows from its definition and the call alone, never from what else is
//! in the bundle, so that it stays the same across publishes; and whatever changes keys raises `KEY_FORM`.

use super::counter::{Counter, Per};
use crate::call::Call;
use crate::digest::sha256;
use crate::meter::{CounterId, GroupId, MeterKey, ValuesDigest};
use std::collections::HashMap;

/// The shapes of all counters of a bundle.
#[derive(Clone, Debug, Default)]
pub struct Shapes {
    /// Lists of members, each once.
    lists: Vec<Vec<Per>>,
    counters: Vec<Shape>,
}

/// Of one counter.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    id: CounterId,
    group: GroupId,
    /// What keeps counted calls apart, and what the call that asks is compared by: places among the lists.
    per: u32,
    asks: u32,
    /// Its place in an order in which counters with the same keys follow one another.
    pub rank: u32,
    /// Another counter of the bundle counts into the same keys.
    pub is_shared: bool,
    is_past: bool,
}

impl Shapes {
    #[must_use]
    pub fn of(counters: &[Counter]) -> Self {
        let mut places: HashMap<&[Per], u32> = HashMap::new();
        let mut lists: Vec<Vec<Per>> = Vec::new();
        let mut list = |terms| {
            *places.entry(terms).or_insert_with(|| {
                lists.push(terms.to_vec());
                u32::try_from(lists.len() - 1).unwrap_or(u32::MAX)
            })
        };
        let mut uses: HashMap<CounterId, u32> = HashMap::new();
        let mut shapes: Vec<Shape> = Vec::with_capacity(counters.len());
        for counter in counters {
            let id = counter.id();
            *uses.entry(id).or_default() += 1;
            let per = list(counter.per.as_slice());
            let asks = counter.asks.as_deref().map_or(per, &mut list);
            let (group, is_past) = (counter.group, counter.is_past);
            shapes.push(Shape { id, group, per, asks, rank: 0, is_shared: false, is_past });
        }
        let mut order: Vec<usize> = (0..shapes.len()).collect();
        let mut firsts: HashMap<(GroupId, u32), usize> = HashMap::new();
        for (place, shape) in shapes.iter().enumerate() {
            firsts.entry((shape.group, shape.asks)).or_insert(place);
        }
        // Stable: the order of the bundle stays, but for what follows the first of its group.
        order.sort_by_key(|place| firsts.get(&shapes.get(*place).map(|shape| (shape.group, shape.asks))?).copied());
        for (rank, place) in (0u32..).zip(order) {
            if let Some(shape) = shapes.get_mut(place) {
                shape.rank = rank;
                shape.is_shared = uses.get(&shape.id).is_some_and(|uses| *uses > 1);
            }
        }
        Self { lists, counters: shapes }
    }

    #[must_use]
    pub fn get(&self, counter: u32) -> Option<&Shape> {
        self.counters.get(usize::try_from(counter).ok()?)
    }
}

/// The keys of one call, each digest made once.
pub struct Keys<'b> {
    shapes: &'b Shapes,
    call: &'b Call,
    made: Vec<(u32, ValuesDigest, bool)>,
    written: Vec<u8>,
}

/// Where a call stands with one counter.
#[derive(Clone, Copy, Debug)]
pub struct Keyed {
    pub key: MeterKey,
    /// The call lacks something that a condition about the past compares: it then equals nothing.
    pub lacks: bool,
}

impl<'b> Keys<'b> {
    #[must_use]
    pub fn new(shapes: &'b Shapes, call: &'b Call) -> Self {
        Self { shapes, call, made: Vec::new(), written: Vec::new() }
    }

    /// The key that this call adds to.
    pub fn counted(&mut self, counter: u32) -> Option<Keyed> {
        let shape = self.shapes.get(counter)?;
        self.keyed(shape, shape.per)
    }

    /// The key that this call reads.
    pub fn asked(&mut self, counter: u32) -> Option<Keyed> {
        let shape = self.shapes.get(counter)?;
        self.keyed(shape, shape.asks)
    }

    fn keyed(&mut self, shape: &Shape, list: u32) -> Option<Keyed> {
        let (values, lacks) = match self.made.iter().find(|(known, ..)| *known == list) {
            Some((_, values, lacks)) => (*values, *lacks),
            None => self.make(list)?,
        };
        Some(Keyed { key: shape.id.key(shape.group, values), lacks: lacks && shape.is_past })
    }

    fn make(&mut self, list: u32) -> Option<(ValuesDigest, bool)> {
        self.written.clear();
        let mut lacks = false;
        for per in self.shapes.lists.get(usize::try_from(list).ok()?)? {
            lacks |= !per.write(self.call, &mut self.written);
        }
        let values = ValuesDigest::new(&sha256(&[b"runplane-meter-key-v3\n", &self.written]));
        self.made.push((list, values, lacks));
        Some((values, lacks))
    }
}
