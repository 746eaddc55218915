//! Conjunctions of what slots of a call may be, and sets of them.
//!
//! A cube says of each slot it names which values are left; a call fits if every slot does. What must
//! stay true: a cube that is dropped as empty fits no call at all. Sets that grow too large are replaced
//! by the cube that says nothing, which every call fits.

use super::values::{Texts, Values};
use crate::inspect::Inspector;
use crate::policy::condition::ast::Fact;
use crate::text;
use regex::Regex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Largest set of cubes; beyond it nothing is known.
pub const MOST: usize = 192;

/// What a condition looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slot {
    Context(Vec<Box<str>>),
    Fact(Fact),
    Reading(Inspector, Box<str>),
    Meter(u32),
    /// `size()` of a member of the context.
    Size(Vec<Box<str>>),
    /// Anything else, known only by its text.
    Other,
}

/// A slot with its name; the name is what is compared.
#[derive(Clone, Debug)]
pub struct Key {
    pub name: Arc<str>,
    pub slot: Slot,
    /// Its numbers are whole ones.
    pub whole: bool,
}

/// A test on a text, and which way it came out.
#[derive(Clone, Debug)]
pub struct Test {
    pub what: Tested,
    pub holds: bool,
}

#[derive(Clone, Debug)]
pub enum Tested {
    Starts(Box<str>),
    Ends(Box<str>),
    Contains(Box<str>),
    Pattern(Regex),
    /// It is a spelling of this name of a source.
    Source(Box<str>),
}

#[derive(Clone, Debug)]
pub struct Place {
    pub key: Key,
    pub values: Values,
    tests: Vec<Test>,
}

/// A conjunction.
#[derive(Clone, Debug, Default)]
pub struct Cube {
    places: BTreeMap<Arc<str>, Place>,
}

pub type Cubes = Vec<Cube>;

impl Test {
    fn passes(&self, text: &str) -> bool {
        let found = match &self.what {
            Tested::Starts(part) => text.starts_with(&**part),
            Tested::Ends(part) => text.ends_with(&**part),
            Tested::Contains(part) => text.contains(&**part),
            Tested::Pattern(pattern) => pattern.is_match(text),
            Tested::Source(name) => text::normal_target(text).is_ok_and(|normal| *normal == **name),
        };
        found == self.holds
    }
}

impl Cube {
    /// The cube that says one thing; none if that cannot be.
    #[must_use]
    pub fn of(key: Key, values: Values, test: Option<Test>) -> Option<Self> {
        let mut place = Place { key, values, tests: test.into_iter().collect() };
        place.settle();
        if place.is_empty() {
            return None;
        }
        Some(Self { places: BTreeMap::from([(Arc::clone(&place.key.name), place)]) })
    }

    /// Both at once; `None` if no call fits both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Option<Self> {
        let (small, large) = if self.places.len() < other.places.len() { (self, other) } else { (other, self) };
        let mut both = large.clone();
        for (name, place) in &small.places {
            match both.places.get_mut(name) {
                None => {
                    both.places.insert(Arc::clone(name), place.clone());
                }
                Some(found) => {
                    found.values = found.values.and(&place.values);
                    found.tests.extend(place.tests.iter().cloned());
                    found.settle();
                    if found.is_empty() {
                        return None;
                    }
                }
            }
        }
        Some(both)
    }

    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.places.values()
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Place> {
        self.places.get(name)
    }
}

impl Place {
    /// Drops the texts that fail a test, where they are counted out one by one.
    fn settle(&mut self) {
        let tests = &self.tests;
        if let Texts::Only(texts) = &mut self.values.texts {
            texts.retain(|text| tests.iter().all(|test| test.passes(text)));
        }
    }

    fn is_empty(&self) -> bool {
        self.values.is_empty(self.key.whole)
    }

    /// Whether a text passes everything that is asked of it.
    #[must_use]
    pub fn accepts(&self, text: &str) -> bool {
        let listed = match &self.values.texts {
            Texts::Only(texts) => texts.contains(text),
            Texts::AllBut(texts) => !texts.contains(text),
        };
        listed && self.tests.iter().all(|test| test.passes(text))
    }

    /// Parts of texts that tests ask for, to make a text of.
    pub fn hints(&self) -> impl Iterator<Item = &str> {
        self.tests.iter().filter(|test| test.holds).filter_map(|test| match &test.what {
            Tested::Starts(part) | Tested::Ends(part) | Tested::Contains(part) | Tested::Source(part) => Some(&**part),
            Tested::Pattern(_) => None,
        })
    }
}

/// The set that every call fits.
#[must_use]
pub fn anything() -> Cubes {
    vec![Cube::default()]
}

/// Every pair that can be. If there are too many pairs the smaller side stands alone.
#[must_use]
pub fn both(left: &[Cube], right: &[Cube]) -> Cubes {
    if left.len().saturating_mul(right.len()) > MOST {
        let smaller = if left.len() <= right.len() { left } else { right };
        return smaller.to_vec();
    }
    left.iter().flat_map(|left| right.iter().filter_map(|right| left.and(right))).collect()
}

#[must_use]
pub fn either(mut left: Cubes, right: Cubes) -> Cubes {
    if left.len() + right.len() > MOST {
        return anything();
    }
    left.extend(right);
    left
}

/// Whether some cube of one side goes with some cube of the other.
#[must_use]
pub fn meet(left: &[Cube], right: &[Cube]) -> bool {
    left.iter().any(|left| right.iter().any(|right| left.and(right).is_some()))
}
