//! What a call does to meters, and when.

use super::MeterKey;
use crate::decimal::Decimal;
use crate::outcome::Outcome;
use serde::{Deserialize, Serialize};

/// What a decision does to a counter if the event comes that it waits for.
///
/// INVARIANT: members are in the order of their names, as records are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Charge {
    /// What is added. For a mark 1 is true, 0 is false, and 2 is unknown.
    pub amount: Decimal,
    pub key: MeterKey,
    #[serde(default, skip_serializing_if = "On::is_use")]
    pub on: On,
    #[serde(default, skip_serializing_if = "Op::is_add")]
    pub op: Op,
    /// Given back if the program reports that the action failed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub refund: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
fn is_false(value: &bool) -> bool {
    !value
}

/// When a charge counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum On {
    /// As soon as the call is allowed, and while it is held; given back if it never ran.
    #[default]
    Use,
    Allowed,
    Held,
    Blocked,
    Approved,
    Denied,
    Expired,
    Cancelled,
    Succeeded,
    Failed,
    Unknown,
}

/// What a charge does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Op {
    #[default]
    Add,
    /// The mark says what this call was.
    Last,
    /// The mark is set.
    Event,
    /// The mark is taken away.
    Reset,
}

impl On {
    /// Those that a condition can name as `past.outcome`.
    pub const NAMED: [(&'static str, Self); 10] = [
        ("allowed", Self::Allowed),
        ("held", Self::Held),
        ("blocked", Self::Blocked),
        ("approved", Self::Approved),
        ("denied", Self::Denied),
        ("expired", Self::Expired),
        ("cancelled", Self::Cancelled),
        ("succeeded", Self::Succeeded),
        ("failed", Self::Failed),
        ("unknown", Self::Unknown),
    ];

    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMED.iter().find(|(known, _)| *known == name).map(|(_, on)| *on)
    }

    /// Whether it counts as soon as the decision is made.
    #[must_use]
    pub fn is_immediate(self) -> bool {
        matches!(self, Self::Use | Self::Allowed | Self::Held | Self::Blocked)
    }

    /// Whether the event can come once a decision of this outcome was made. A redemption is a decision of its own.
    #[must_use]
    pub fn may_follow(self, outcome: Outcome) -> bool {
        match self {
            Self::Use => outcome != Outcome::Block,
            Self::Allowed | Self::Succeeded | Self::Failed | Self::Unknown => outcome == Outcome::Allow,
            Self::Blocked => outcome == Outcome::Block,
            Self::Held | Self::Approved | Self::Denied | Self::Expired | Self::Cancelled => {
                outcome == Outcome::RequireApproval
            }
        }
    }

    fn is_use(&self) -> bool {
        *self == Self::Use
    }
}

impl Op {
    fn is_add(&self) -> bool {
        *self == Self::Add
    }
}

impl Charge {
    /// One that counts while the call is allowed or held.
    #[must_use]
    pub fn of_use(key: MeterKey, amount: Decimal) -> Self {
        Self { amount, key, on: On::Use, op: Op::Add, refund: false }
    }

    pub(super) fn adds_nothing(&self) -> bool {
        self.op == Op::Add && (self.amount.is_zero() || self.amount.is_negative())
    }
}
