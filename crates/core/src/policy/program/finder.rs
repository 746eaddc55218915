//! From a call's action types, target, source and arguments to the few rules and meters that may be about
//! it and not ruled out.
//!
//! What must stay true: a rule that touches the call is found, unless a gate of its condition is false;
//! being found means nothing else.

use super::run::Asking;
use super::shelf::{Gate, Shelf};
use crate::catalogue::TypeName;
use crate::policy::selector::{Actions, Targets};
use crate::text;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, HashMap};

#[derive(Clone, Debug, Default)]
pub struct Finder {
    by_type: FxHashMap<TypeName, Group<Shelf>>,
    /// About every action.
    any: Group<Shelf>,
    /// Perhaps about actions the catalogue does not know.
    foreign: Group<Shelf>,
}

/// The selector of what is found.
pub struct Found<'a> {
    pub source: Option<&'a str>,
    pub actions: &'a Actions,
    pub targets: &'a Targets,
}

/// Under one key, split by target where targets are named.
#[derive(Clone, Debug, Default)]
struct Group<T> {
    /// About any target, or about targets that fit a glob.
    open: Scoped<T>,
    by_target: FxHashMap<Box<str>, Scoped<T>>,
}

/// Split by the source the policy is for.
#[derive(Clone, Debug, Default)]
struct Scoped<T> {
    everywhere: T,
    by_source: BTreeMap<Box<str>, T>,
}

impl Finder {
    /// Places are in ascending order; `gates` are those of all places.
    #[must_use]
    pub fn of<'a>(selectors: impl Iterator<Item = (u32, Found<'a>)>, gates: &[Vec<Gate>]) -> Self {
        let mut by_type: HashMap<TypeName, Group<Vec<u32>>> = HashMap::new();
        let (mut any, mut foreign) = (Group::default(), Group::default());
        for (place, found) in selectors {
            let Some(types) = found.actions.types() else {
                any.add(place, &found);
                continue;
            };
            for name in types {
                by_type.entry(TypeName::clone(name)).or_default().add(place, &found);
            }
            if found.actions.may_be_foreign() {
                foreign.add(place, &found);
            }
        }
        Self {
            by_type: by_type.into_iter().map(|(name, group)| (name, group.shelved(gates))).collect(),
            any: any.shelved(gates),
            foreign: foreign.shelved(gates),
        }
    }

    /// Places in ascending order, each once.
    #[must_use]
    pub fn find<'a>(&'a self, asking: &mut Asking<'a, '_>) -> Vec<u32> {
        let call = asking.call();
        let mut found = Vec::new();
        // No policy has an empty source, which stands for one that could not be a name.
        let source = call.source.as_deref().map(|source| text::normal_target(source).unwrap_or_default());
        let wanted = Wanted { target: &call.target, source };
        self.any.gather(&wanted, asking, &mut found);
        for member in &call.action.types {
            if let Some(group) = self.by_type.get(member) {
                group.gather(&wanted, asking, &mut found);
            }
        }
        if !call.action.known {
            self.foreign.gather(&wanted, asking, &mut found);
        }
        if found.len() > 1 {
            found.sort_unstable();
            found.dedup();
        }
        found
    }
}

struct Wanted<'a> {
    target: &'a str,
    /// In normal form; `None` if unknown.
    source: Option<String>,
}

impl Group<Vec<u32>> {
    fn add(&mut self, place: u32, found: &Found<'_>) {
        match found.targets.names() {
            Some(names) => {
                for name in names {
                    self.by_target.entry(name.clone()).or_default().add(place, found.source);
                }
            }
            None => self.open.add(place, found.source),
        }
    }

    fn shelved(self, gates: &[Vec<Gate>]) -> Group<Shelf> {
        Group {
            open: self.open.shelved(gates),
            by_target: self.by_target.into_iter().map(|(name, scoped)| (name, scoped.shelved(gates))).collect(),
        }
    }
}

impl Group<Shelf> {
    fn gather<'a>(&'a self, wanted: &Wanted<'_>, asking: &mut Asking<'a, '_>, found: &mut Vec<u32>) {
        self.open.gather(wanted, asking, found);
        if !self.by_target.is_empty()
            && let Some(scoped) = self.by_target.get(wanted.target)
        {
            scoped.gather(wanted, asking, found);
        }
    }
}

impl Scoped<Vec<u32>> {
    fn add(&mut self, place: u32, source: Option<&str>) {
        let places = match source {
            None => &mut self.everywhere,
            Some(source) => self.by_source.entry(source.into()).or_default(),
        };
        if places.last() != Some(&place) {
            places.push(place);
        }
    }

    fn shelved(self, gates: &[Vec<Gate>]) -> Scoped<Shelf> {
        let shelf = |places: &[u32]| Shelf::of(places, gates, &mut Vec::new());
        Scoped {
            everywhere: shelf(&self.everywhere),
            by_source: self.by_source.iter().map(|(name, places)| (name.clone(), shelf(places))).collect(),
        }
    }
}

impl Scoped<Shelf> {
    /// An unknown source is everybody's.
    fn gather<'a>(&'a self, wanted: &Wanted<'_>, asking: &mut Asking<'a, '_>, found: &mut Vec<u32>) {
        self.everywhere.gather(asking, found);
        match &wanted.source {
            _ if self.by_source.is_empty() => {}
            None => self.by_source.values().for_each(|shelf| shelf.gather(asking, found)),
            Some(source) => {
                if let Some(shelf) = self.by_source.get(source.as_str()) {
                    shelf.gather(asking, found);
                }
            }
        }
    }
}

/// For tests: the most places that rules stand in under one key.
#[cfg(test)]
impl Finder {
    pub fn places(&self) -> usize {
        let groups = self.by_type.values().chain([&self.any, &self.foreign]);
        groups.map(|group| group.open.everywhere.places()).max().unwrap_or_default()
    }
}
