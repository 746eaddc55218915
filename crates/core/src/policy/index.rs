//! From a call's action types to the few rules and meters that may be about it.
//!
//! What must stay true: whatever `touches` would accept is found; being found means nothing else.

use super::selector::Actions;
use crate::action::Action;
use crate::catalogue::TypeName;
use std::collections::HashMap;

#[derive(Clone, Debug, Default)]
pub struct Index {
    by_type: HashMap<TypeName, Vec<u32>>,
    /// About every action.
    any: Vec<u32>,
    /// Perhaps about actions the catalogue does not know.
    foreign: Vec<u32>,
}

impl Index {
    pub fn add(&mut self, place: u32, actions: &Actions) {
        let Some(types) = actions.types() else {
            self.any.push(place);
            return;
        };
        for name in types {
            self.by_type.entry(TypeName::clone(name)).or_default().push(place);
        }
        if actions.may_be_foreign() {
            self.foreign.push(place);
        }
    }

    /// Candidate places in ascending order, each once.
    #[must_use]
    pub fn candidates(&self, action: &Action) -> Vec<u32> {
        let mut found = self.any.clone();
        let mut lists = usize::from(!self.any.is_empty());
        for member in &action.types {
            if let Some(places) = self.by_type.get(member) {
                found.extend_from_slice(places);
                lists += 1;
            }
        }
        if !action.known {
            found.extend_from_slice(&self.foreign);
            lists += 1;
        }
        if lists > 1 {
            found.sort_unstable();
            found.dedup();
        }
        found
    }
}
