//! Redeeming: at most once, repeatable only by the same client-made id within the permit's life.

use super::{Approval, Evidence, State, TransitionError};
use crate::time::{Micros, Span};
use serde::{Deserialize, Serialize};

/// How a redemption ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Redemption {
    pub id: String,
    pub at: Micros,
    /// Why it was refused, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
}

/// What to do with an attempt to redeem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The first one: decide the stored call again with this evidence, then record the result.
    Decide(Evidence),
    /// The same one again: give the recorded answer again.
    Repeat(Redemption),
}

impl Approval {
    /// Judges an attempt. `permit_life` is how long the same answer may be fetched again.
    pub fn attempt(&self, redemption_id: &str, permit_life: Span, now: Micros) -> Result<Attempt, TransitionError> {
        if let Some(redemption) = &self.redemption {
            let repeat = redemption.id == redemption_id && now < redemption.at.after(permit_life);
            return if repeat {
                Ok(Attempt::Repeat(redemption.clone()))
            } else {
                Err(TransitionError::RedeemedAlready)
            };
        }
        if self.state != State::Approved {
            return Err(TransitionError::NotApproved(self.state));
        }
        if self.is_overdue(now) {
            return Err(TransitionError::Expired);
        }
        Ok(Attempt::Decide(self.evidence()))
    }

    /// The approval as `decide` sees it.
    #[must_use]
    pub fn evidence(&self) -> Evidence {
        Evidence { id: self.id.clone(), digest: self.digest, created_at: self.created_at, votes: self.votes.clone() }
    }

    pub(super) fn redeem(&self, id: String, refusal: Option<String>, now: Micros) -> Result<Self, TransitionError> {
        if self.redemption.is_some() {
            return Err(TransitionError::RedeemedAlready);
        }
        if self.state != State::Approved {
            return Err(TransitionError::NotApproved(self.state));
        }
        if self.is_overdue(now) {
            return Err(TransitionError::Expired);
        }
        // Who approved stays on record; a refusal adds its reason.
        let mut next = self.clone();
        next.state = if refusal.is_some() { State::Refused } else { State::Redeemed };
        if let Some(reason) = &refusal {
            next.comment = Some(reason.clone());
        }
        next.redemption = Some(Redemption { id, at: now, refusal });
        Ok(next)
    }
}
