//! A published rule.

use super::condition::Condition;
use super::document::{ApprovalTerms, AuditTerms};
use super::id::RuleId;
use super::selector::{Actions, Targets, in_scope};
use crate::call::Call;
use crate::decimal::Decimal;
use crate::outcome::Outcome;
use crate::risk::Severity;

#[derive(Clone, Debug)]
pub struct Rule {
    pub id: RuleId,
    /// Shown, never counted in.
    pub shadow: bool,
    /// Normalised name of the platform the rule's policy is for.
    pub source: Option<Box<str>>,
    pub actions: Actions,
    pub targets: Targets,
    pub when: Option<Condition>,
    pub unless: Option<Condition>,
    pub decision: Option<Outcome>,
    pub severity: Option<Severity>,
    pub reason: Option<String>,
    pub approval: ApprovalTerms,
    pub limit: Option<Limit>,
    /// Meters that its condition compares with a number, and the number: for showing what is left.
    pub ceilings: Vec<(u32, Decimal)>,
    pub audit: Option<AuditTerms>,
}

/// A restrictive rule with the same selector and condition: it holds once `count` is used up.
#[derive(Clone, Debug)]
pub struct Limit {
    pub count: Decimal,
    /// Its counter, by place in the bundle.
    pub counter: u32,
    pub otherwise: Outcome,
    /// For messages: `60 in 1m`.
    pub says: String,
}

impl Rule {
    /// Whether the call is one the rule is about in any of its parts; conditions come on top.
    #[must_use]
    pub fn touches(&self, call: &Call) -> bool {
        in_scope(self.source.as_deref(), call, false)
            && self.targets.has(&call.target)
            && self.actions.touches(&call.action)
    }

    /// The same for a rule that the bundle's index found: names of types and targets and the source have been
    /// compared there, and only patterns are left.
    #[must_use]
    pub(crate) fn touches_found(&self, call: &Call) -> bool {
        (self.targets.names().is_some() || self.targets.has(&call.target))
            && (call.action.known || self.actions.touches(&call.action))
    }

    /// Whether its ALLOW can speak for the call at all: an unknown source is not the policy's.
    #[must_use]
    pub fn may_allow(&self, call: &Call) -> bool {
        in_scope(self.source.as_deref(), call, true)
    }

    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.when.iter().chain(self.unless.iter())
    }
}
