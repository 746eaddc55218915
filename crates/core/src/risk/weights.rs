//! How many points each factor can give. Weights are settings, so they are part of the bundle and its digest.
//!
//! INVARIANT: weights that exist are monotone: what is worse never gives fewer points.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Weights {
    /// Share of the action's inherent risk that counts, in percent.
    pub action_percent: u8,
    /// Points of a target of low, normal and high sensitivity; an unregistered one counts as high.
    pub sensitivity: [u8; 3],
    /// Points of development, staging, any other environment, production.
    pub environment: [u8; 4],
    /// Share of target and environment points that counts for a read, in percent.
    pub read_percent: u8,
    /// Points per power of ten of an amount or a count.
    pub per_decade: u8,
    /// Most points that scale can give, and what it gives if it cannot be read.
    pub scale_most: u8,
    /// Left out where it is the usual one: bundles made before there were profiles keep their digest.
    #[serde(skip_serializing_if = "ProfileWeights::is_default")]
    pub profile: ProfileWeights,
}

/// What it adds that a call is not what its agent usually does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ProfileWeights {
    /// Most points, and what an action gives that the agent never did.
    pub most: u8,
    /// Points for each doubling of the pace beyond twice the usual.
    pub per_doubling: u8,
    /// Points for each third of a power of ten above the usual size.
    pub per_step: u8,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            action_percent: 50,
            sensitivity: [0, 6, 12],
            environment: [0, 3, 9, 12],
            read_percent: 50,
            per_decade: 3,
            scale_most: 30,
            profile: ProfileWeights::default(),
        }
    }
}

impl Default for ProfileWeights {
    fn default() -> Self {
        Self { most: 15, per_doubling: 3, per_step: 3 }
    }
}

impl ProfileWeights {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Weights {
    /// The first member that cannot hold, and why.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let points = [("scaleMost", self.scale_most), ("profile.most", self.profile.most)];
        let percents = [("actionPercent", self.action_percent), ("readPercent", self.read_percent)];
        if let Some((place, _)) = points.iter().chain(&percents).find(|(_, value)| *value > 100) {
            return Err((place, "is above 100"));
        }
        for (place, ladder) in
            [("sensitivity", self.sensitivity.as_slice()), ("environment", self.environment.as_slice())]
        {
            if !ladder.is_sorted() {
                return Err((place, "goes down: what is stricter must not give fewer points"));
            }
            if ladder.last().is_some_and(|last| *last > 100) {
                return Err((place, "is above 100"));
            }
        }
        Ok(())
    }
}
