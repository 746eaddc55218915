//! The human step of a held action, as a pure state machine:
//! `pending → approved | denied | expired | cancelled`, `approved → redeemed | refused | expired | cancelled`.
//!
//! Refuses: votes of whoever asked (owner, subject), second votes, anything after a final state. What
//! must stay true: an approval is bound to one action digest, is redeemed at most once, and never
//! leaves a final state. Whether a redemption may run is decided by `decide`, not here: this module
//! only records the result.

use crate::digest::Digest;
use crate::time::{Micros, Span};
use serde::{Deserialize, Serialize};

mod redemption;
mod requirement;

pub use redemption::{Attempt, Redemption};
pub use requirement::{Groups, Requirement, Verdict, Vote, Voter};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    Pending,
    Approved,
    Denied,
    Expired,
    Cancelled,
    Redeemed,
    Refused,
}

impl State {
    pub const ALL: [Self; 7] =
        [Self::Pending, Self::Approved, Self::Denied, Self::Expired, Self::Cancelled, Self::Redeemed, Self::Refused];

    /// Nothing follows this state.
    #[must_use]
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Approved)
    }

    /// WIRE: the four words the published client knows.
    #[must_use]
    pub fn status(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved | Self::Redeemed => "approved",
            Self::Denied | Self::Cancelled | Self::Refused => "denied",
            Self::Expired => "expired",
        }
    }

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Redeemed => "redeemed",
            Self::Refused => "refused",
        }
    }
}

/// Everything about one approval; stored as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Approval {
    pub id: String,
    pub request_id: String,
    /// The action this approval is for, and no other.
    pub digest: Digest,
    /// The asking agent's id.
    pub agent: String,
    /// People who asked, and so cannot vote: the agent's owner and the subject.
    pub requesters: Vec<String>,
    pub requirements: Vec<Requirement>,
    pub created_at: Micros,
    pub expires_at: Micros,
    pub state: State,
    pub votes: Vec<Vote>,
    pub resolved_at: Option<Micros>,
    pub resolved_by: Option<String>,
    pub comment: Option<String>,
    pub redemption: Option<Redemption>,
}

/// What happens to an approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Vote {
        voter: Voter,
        verdict: Verdict,
        comment: Option<String>,
    },
    /// Time ran out; refused before `expires_at`.
    Expire,
    /// Withdrawn by a person.
    Cancel {
        by: String,
        comment: Option<String>,
    },
    /// A redemption was decided: allowed (redeemed) or not (refused, with the reason).
    Redeem {
        redemption_id: String,
        refusal: Option<String>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransitionError {
    #[error("the approval is already {}", .0.as_str())]
    NotPending(State),
    #[error("the approval is {}, not approved", .0.as_str())]
    NotApproved(State),
    #[error("the approval expired")]
    Expired,
    #[error("the approval has not expired yet")]
    NotExpired,
    #[error("`{0}` asked for this action and cannot decide on it")]
    Requester(String),
    #[error("`{0}` is in none of the groups this approval asks for")]
    NotAsked(String),
    #[error("`{0}` has already voted")]
    VotedAlready(String),
    #[error("the approval was redeemed already")]
    RedeemedAlready,
}

impl Approval {
    /// A fresh approval; expires at the earliest of `longest` from now and its requirements' own expiry.
    #[must_use]
    pub fn open(asked: Asked, requirements: Vec<Requirement>, now: Micros, longest: Span) -> Self {
        let own = requirements.iter().filter_map(|requirement| requirement.expires_at).min();
        let latest = now.after(longest);
        Self {
            id: asked.id,
            request_id: asked.request_id,
            digest: asked.digest,
            agent: asked.agent,
            requesters: asked.requesters,
            requirements,
            created_at: now,
            expires_at: own.map_or(latest, |own| own.min(latest)),
            state: State::Pending,
            votes: Vec::new(),
            resolved_at: None,
            resolved_by: None,
            comment: None,
            redemption: None,
        }
    }

    /// The approval after `event`. INVARIANT: total; an error leaves the approval as it was.
    pub fn transition(&self, event: Event, now: Micros) -> Result<Self, TransitionError> {
        match event {
            Event::Vote { voter, verdict, comment } => self.vote(&voter, verdict, comment, now),
            Event::Expire => self.expire(now),
            Event::Cancel { by, comment } => {
                if self.state.is_final() {
                    return Err(TransitionError::NotPending(self.state));
                }
                Ok(self.resolved(State::Cancelled, Some(by), comment, now))
            }
            Event::Redeem { redemption_id, refusal } => self.redeem(redemption_id, refusal, now),
        }
    }

    /// Whether time has run out, whatever the stored state says.
    #[must_use]
    pub fn is_overdue(&self, now: Micros) -> bool {
        !self.state.is_final() && now >= self.expires_at
    }

    /// Whether every requirement is met by the votes so far.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.requirements.iter().all(|requirement| requirement.is_met_by(&self.votes))
    }

    /// Whether a vote of this person would count now; if not, why.
    pub fn may_vote(&self, voter: &Voter, now: Micros) -> Result<(), TransitionError> {
        if self.state != State::Pending {
            return Err(TransitionError::NotPending(self.state));
        }
        if self.is_overdue(now) {
            return Err(TransitionError::Expired);
        }
        if self.requesters.iter().any(|requester| voter.is_called(requester)) {
            return Err(TransitionError::Requester(voter.id.clone()));
        }
        if !self.requirements.iter().any(|requirement| requirement.asks(&voter.groups)) {
            return Err(TransitionError::NotAsked(voter.id.clone()));
        }
        if self.votes.iter().any(|vote| vote.by == voter.id) {
            return Err(TransitionError::VotedAlready(voter.id.clone()));
        }
        Ok(())
    }

    fn vote(
        &self,
        voter: &Voter,
        verdict: Verdict,
        comment: Option<String>,
        now: Micros,
    ) -> Result<Self, TransitionError> {
        self.may_vote(voter, now)?;
        let mut next = self.clone();
        let groups = voter.groups.clone();
        next.votes.push(Vote { by: voter.id.clone(), groups, at: now, verdict, comment: comment.clone() });
        let state = match verdict {
            Verdict::Deny => State::Denied,
            Verdict::Approve if next.is_met() => State::Approved,
            Verdict::Approve => return Ok(next),
        };
        Ok(next.resolved(state, Some(voter.id.clone()), comment, now))
    }

    fn expire(&self, now: Micros) -> Result<Self, TransitionError> {
        if self.state.is_final() {
            return Err(TransitionError::NotPending(self.state));
        }
        if now < self.expires_at {
            return Err(TransitionError::NotExpired);
        }
        Ok(self.resolved(State::Expired, None, Some("approval expired".to_owned()), now))
    }

    fn resolved(&self, state: State, by: Option<String>, comment: Option<String>, now: Micros) -> Self {
        let mut next = self.clone();
        next.state = state;
        next.resolved_at = Some(now);
        next.resolved_by = by;
        next.comment = comment;
        next
    }
}

/// Who asked for what, when an approval is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub id: String,
    pub request_id: String,
    pub digest: Digest,
    pub agent: String,
    pub requesters: Vec<String>,
}

/// The approval as a fact of the decision that redeems it. Which rules its votes satisfy is for
/// `decide` to say, under today's bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    pub id: String,
    pub digest: Digest,
    pub created_at: Micros,
    pub votes: Vec<Vote>,
}

#[cfg(test)]
mod tests;
