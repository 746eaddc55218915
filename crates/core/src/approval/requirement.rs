//! Who must agree before an action may run. Requirements are conjunctive: each is met on its own, one
//! vote may count for several. Refuses to count a vote twice or a denial at all.

use crate::policy::RuleId;
use crate::text;
use crate::time::Micros;
use serde::{Deserialize, Serialize};

/// What one rule asks of people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Requirement {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Micros>,
    /// Names of groups; empty means anybody who may approve at all.
    pub from: Vec<String>,
    pub quorum: u32,
    pub rule: RuleId,
}

/// The groups somebody is in. The admin token is one person in all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Groups {
    All,
    Named(Vec<String>),
}

/// Somebody who votes. SECURITY: callers make one of a person only; an agent key never votes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voter {
    pub id: String,
    /// What people call this person; an owner or a subject may be registered under any of them.
    pub names: Vec<String>,
    pub groups: Groups,
}

impl Voter {
    /// Whether a name somebody wrote down means this person, whatever its case.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        let folded = text::fold(name.trim());
        folded == text::fold(&self.id) || self.names.iter().any(|own| text::fold(own.trim()) == folded)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    Approve,
    Deny,
}

/// A vote and the groups its voter was in when it was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vote {
    pub by: String,
    pub groups: Groups,
    pub at: Micros,
    pub verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl Groups {
    fn overlaps(&self, from: &[String]) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => from.is_empty() || from.iter().any(|name| names.contains(name)),
        }
    }
}

impl Requirement {
    /// Whether somebody in these groups is among those asked.
    #[must_use]
    pub fn asks(&self, groups: &Groups) -> bool {
        groups.overlaps(&self.from)
    }

    #[must_use]
    pub fn is_met_by(&self, votes: &[Vote]) -> bool {
        count(votes, &self.from) >= self.quorum.max(1)
    }
}

/// How many different people of these groups agreed.
#[must_use]
pub fn count(votes: &[Vote], from: &[String]) -> u32 {
    let mut people: Vec<&str> = Vec::new();
    for vote in votes {
        let counts = vote.verdict == Verdict::Approve && vote.groups.overlaps(from);
        if counts && !people.contains(&vote.by.as_str()) {
            people.push(&vote.by);
        }
    }
    u32::try_from(people.len()).unwrap_or(u32::MAX)
}
