//! What is usual for an agent: which actions it does, how fast and how large, as pure state.
//!
//! The usual is learned only from actions that were allowed and reported to have succeeded; how fast an agent
//! acts now is counted from every decision. Refuses to be talked into much: what is usual moves at most one
//! step a day, a call cannot teach its pace for another hour than its own, and what is not measured teaches
//! nothing. INVARIANT: memory is bounded (a fixed sketch per agent and action type, bounded numbers of both). What an
//! agent did is forgotten as a whole, from whoever was silent longest, and that agent is new again: until enough is
//! known of it nothing is unusual, so nothing is added to its risk for that, as before it ever acted.

use crate::time::Micros;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub(crate) mod pair;
mod size;
mod sketch;

use pair::Pair;
pub use size::{Size, UNREAD, thirds};

/// Observations below which nothing is called usual.
pub const NEEDED: u64 = 30;
/// Action types that are kept apart for one agent.
const MAX_TYPES: usize = 64;
/// Pairs of agent and action type that are kept in all.
const MAX_PAIRS: usize = 20_000;
const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;

/// All profiles of a workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profiles {
    /// Shared with copies until one of them changes, so that a copy of all costs little.
    agents: HashMap<Arc<str>, Arc<Profile>>,
    /// Agents by when they last taught something, for forgetting.
    by_age: BTreeMap<u64, Arc<str>>,
    pairs: usize,
    /// Observations ever learned.
    learned: u64,
}

/// What is known of one agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Profile {
    observations: u64,
    /// Place of its last observation among those of all agents.
    learned: u64,
    types: BTreeMap<Box<str>, Pair>,
}

/// What one decision read. Goes on the record as it is, so that the decision can be made again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Usual {
    /// Observations of the agent.
    pub agent: u64,
    /// The hour of the call, counted from 1970 in the time by which windows move.
    pub hour: i64,
    /// How large the call is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// One for each type that the call is in its own right.
    pub types: Vec<UsualType>,
}

/// What is usual of one agent's use of one action type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UsualType {
    pub observations: u64,
    /// Calls like this within the last hour, this one included.
    pub pace: u32,
    pub r#type: String,
    /// The power of two that usual hours stay below twice of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual_pace: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual_size: Option<Size>,
}

/// What a call that succeeded teaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observation {
    /// The hour in which it was decided.
    pub hour: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    pub types: Vec<String>,
}

impl Usual {
    /// What the call teaches once it is known to have succeeded.
    #[must_use]
    pub fn observation(&self) -> Observation {
        let types = self.types.iter().map(|kind| kind.r#type.clone()).collect();
        Observation { hour: self.hour, size: self.size, types }
    }
}

impl Profiles {
    /// What a call of these types reads at `at`.
    pub fn read<'t>(&self, agent: &str, types: impl Iterator<Item = &'t str>, size: Option<Size>, at: Micros) -> Usual {
        let profile = self.agents.get(agent);
        let known = |name: &str| profile.and_then(|profile| profile.types.get(name));
        let read = |name: &'t str| match known(name) {
            None => UsualType { pace: 1, r#type: name.to_owned(), ..UsualType::default() },
            Some(pair) => UsualType {
                observations: pair.observations,
                pace: pair.pace(hour_of(at), minute_of(at)).saturating_add(1),
                r#type: name.to_owned(),
                usual_pace: pair.usual_pace(),
                usual_size: pair.usual_size(),
            },
        };
        let observations = profile.map_or(0, |profile| profile.observations);
        Usual { agent: observations, hour: hour_of(at), size, types: types.map(read).collect() }
    }

    /// The action types that are kept apart for an agent, in the order of their names.
    pub fn types_of(&self, agent: &str) -> impl Iterator<Item = &str> {
        self.agents.get(agent).into_iter().flat_map(|profile| profile.types.keys().map(AsRef::as_ref))
    }

    /// Counts a decided call, whatever was decided.
    pub fn note(&mut self, agent: &str, read: &Usual) {
        let Some(profile) = self.agents.get_mut(agent).map(Arc::make_mut) else { return };
        for kind in &read.types {
            if let Some(pair) = profile.types.get_mut(kind.r#type.as_str()) {
                pair.note(read.hour);
            }
        }
    }

    /// Learns from a call that was allowed and succeeded; `at` is when that became known.
    pub fn learn(&mut self, agent: &str, observation: &Observation, at: Micros) {
        self.learned += 1;
        let (learned, now) = (self.learned, hour_of(at));
        let name: Arc<str> = agent.into();
        let profile = Arc::make_mut(self.agents.entry(Arc::clone(&name)).or_default());
        self.by_age.remove(&profile.learned);
        self.by_age.insert(learned, name);
        profile.learned = learned;
        profile.observations += 1;
        let before = profile.types.len();
        for name in observation.types.iter().take(MAX_TYPES) {
            profile.pair_of(name).learn(observation.hour, observation.size, learned, now);
        }
        self.pairs += profile.types.len() - before;
        while self.pairs > MAX_PAIRS && self.forget_oldest() {}
    }

    fn forget_oldest(&mut self) -> bool {
        let Some((_, agent)) = self.by_age.pop_first() else { return false };
        let forgotten = self.agents.remove(&agent).map_or(0, |profile| profile.types.len());
        self.pairs -= forgotten;
        true
    }

    /// Pairs of agent and action type.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pairs
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.agents.is_empty()
    }
}

impl Profile {
    /// The pair of this type, made if need be in place of the least known one.
    fn pair_of(&mut self, name: &str) -> &mut Pair {
        if self.types.len() >= MAX_TYPES && !self.types.contains_key(name) {
            // One that was often seen is not pushed out by many that were seen once.
            let least = self.types.iter().min_by_key(|(_, pair)| (pair.observations, pair.learned));
            if let Some(least) = least.map(|(name, _)| name.clone()) {
                self.types.remove(&least);
            }
        }
        self.types.entry(name.into()).or_default()
    }
}

fn hour_of(at: Micros) -> i64 {
    at.0.div_euclid(HOUR)
}

fn minute_of(at: Micros) -> u32 {
    u32::try_from(at.0.rem_euclid(HOUR) / MINUTE).unwrap_or(0)
}

/// The form in a snapshot: ordered, so that equal state has equal bytes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    learned: u64,
    agents: Vec<StoredAgent>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredAgent {
    agent: Box<str>,
    observations: u64,
    learned: u64,
    types: BTreeMap<Box<str>, Pair>,
}

impl Serialize for Profiles {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut agents: Vec<StoredAgent> = self
            .agents
            .iter()
            .map(|(agent, profile)| StoredAgent {
                agent: (**agent).into(),
                observations: profile.observations,
                learned: profile.learned,
                types: profile.types.clone(),
            })
            .collect();
        agents.sort_by(|left, right| left.agent.cmp(&right.agent));
        Stored { learned: self.learned, agents }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Profiles {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = Stored::deserialize(deserializer)?;
        let mut profiles = Self { learned: stored.learned, ..Self::default() };
        for StoredAgent { agent, observations, learned, types } in stored.agents {
            profiles.pairs += types.len();
            let agent: Arc<str> = agent.into();
            let twice = profiles.by_age.insert(learned, Arc::clone(&agent)).is_some();
            profiles.agents.insert(agent, Arc::new(Profile { observations, learned, types }));
            if twice {
                return Err(serde::de::Error::custom("two profiles are of the same age"));
            }
        }
        Ok(profiles)
    }
}

#[cfg(test)]
mod tests;
