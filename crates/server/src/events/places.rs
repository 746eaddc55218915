//! Places for listeners: so many in all, fewer for agents together, and few for one of them.
//!
//! INVARIANT: no agent, and not all agents together, can keep people from listening.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;

/// Streams open at once.
const MOST: usize = 1_000;
/// Streams of agents, of all together.
const MOST_OF_AGENTS: usize = 500;
/// Streams of one person or one agent.
pub const MOST_OF_ONE: usize = 64;

/// Who listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Whose {
    Person(String),
    Agent(String),
}

#[derive(Default)]
pub struct Places {
    taken: Mutex<HashMap<Whose, usize>>,
}

/// A place that is taken for as long as this lives.
pub struct Place {
    places: Arc<Places>,
    whose: Whose,
}

impl Places {
    /// A place for one more stream, if there is one.
    #[must_use]
    pub fn take(self: &Arc<Self>, whose: Whose) -> Option<Place> {
        let mut taken = self.taken.lock();
        let of_agents = |whose: &Whose| matches!(whose, Whose::Agent(_));
        let all: usize = taken.values().sum();
        let agents: usize = taken.iter().filter(|(whose, _)| of_agents(whose)).map(|(_, count)| count).sum();
        let own = taken.get(&whose).copied().unwrap_or(0);
        if all >= MOST || own >= MOST_OF_ONE || (of_agents(&whose) && agents >= MOST_OF_AGENTS) {
            return None;
        }
        taken.insert(whose.clone(), own + 1);
        Some(Place { places: Arc::clone(self), whose })
    }

    /// Streams that are open.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.taken.lock().values().sum()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock();
        if let Some(count) = taken.get_mut(&self.whose) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.whose);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(number: usize) -> Whose {
        Whose::Agent(format!("agt_{number}"))
    }

    #[test]
    fn one_listener_has_few_places_and_agents_leave_some_for_people() {
        let places = Arc::new(Places::default());
        let mut held: Vec<Place> = (0..MOST_OF_ONE).map(|_| places.take(agent(0)).unwrap()).collect();
        assert!(places.take(agent(0)).is_none());
        held.extend((held.len()..MOST_OF_AGENTS).map(|number| places.take(agent(number)).unwrap()));
        assert!(places.take(agent(9_999)).is_none(), "agents together");
        let person = Whose::Person("usr_1".to_owned());
        held.push(places.take(person.clone()).unwrap());
        held.remove(0);
        held.push(places.take(agent(0)).unwrap());
        assert_eq!(places.taken(), MOST_OF_AGENTS + 1);
        drop(held);
        assert_eq!(places.taken(), 0, "what is over leaves nothing behind");
    }
}
