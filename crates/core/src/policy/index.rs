//! From a call's action types and target to the few rules and meters that may be about it.
//!
//! What must stay true: whatever `touches` would accept is found; being found means nothing else.

use super::selector::{Actions, Targets};
use crate::action::Action;
use crate::catalogue::TypeName;
use std::collections::HashMap;

#[derive(Clone, Debug, Default)]
pub struct Index {
    by_type: HashMap<TypeName, Group>,
    /// About every action.
    any: Group,
    /// Perhaps about actions the catalogue does not know.
    foreign: Group,
}

/// Places under one key, split by target where a rule names its targets.
#[derive(Clone, Debug, Default)]
struct Group {
    /// About any target, or about targets that fit a glob.
    open: Vec<u32>,
    by_target: HashMap<Box<str>, Vec<u32>>,
}

impl Group {
    fn add(&mut self, place: u32, targets: &Targets) {
        match targets.names() {
            Some(names) => {
                for name in names {
                    let places = self.by_target.entry(name.clone()).or_default();
                    if places.last() != Some(&place) {
                        places.push(place);
                    }
                }
            }
            None => self.open.push(place),
        }
    }

    /// Appends what may be about the target; the number of lists it came from.
    fn gather(&self, target: &str, found: &mut Vec<u32>) -> usize {
        let mut lists = 0;
        let named = self.by_target.get(target).map_or(&[] as &[u32], Vec::as_slice);
        for places in [self.open.as_slice(), named] {
            found.extend_from_slice(places);
            lists += usize::from(!places.is_empty());
        }
        lists
    }
}

impl Index {
    /// Places are added in ascending order.
    pub fn add(&mut self, place: u32, actions: &Actions, targets: &Targets) {
        let Some(types) = actions.types() else {
            self.any.add(place, targets);
            return;
        };
        for name in types {
            self.by_type.entry(TypeName::clone(name)).or_default().add(place, targets);
        }
        if actions.may_be_foreign() {
            self.foreign.add(place, targets);
        }
    }

    /// Candidate places in ascending order, each once.
    #[must_use]
    pub fn candidates(&self, action: &Action, target: &str) -> Vec<u32> {
        let mut found = Vec::new();
        let mut lists = self.any.gather(target, &mut found);
        for member in &action.types {
            if let Some(group) = self.by_type.get(member) {
                lists += group.gather(target, &mut found);
            }
        }
        if !action.known {
            lists += self.foreign.gather(target, &mut found);
        }
        if lists > 1 {
            found.sort_unstable();
            found.dedup();
        }
        found
    }
}
