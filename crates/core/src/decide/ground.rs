//! Grounds: everything that restricts, or may restrict, one call.

use super::decision::ReasonCode;
use crate::approval::{Evidence, Requirement};
use crate::decimal::Decimal;
use crate::meter::MeterValue;
use crate::outcome::Outcome;
use crate::policy::RuleId;
use crate::policy::condition::Failure;
use crate::policy::rule::{Limit, Rule};
use crate::time::{Micros, Span};

/// One reason to restrict, matched (`error` is `None`) or suspected.
#[derive(Clone, Debug)]
pub struct Ground {
    pub rule: RuleId,
    pub outcome: Outcome,
    pub code: ReasonCode,
    pub reason: String,
    /// Why it is only suspected.
    pub error: Option<String>,
    pub from: Vec<String>,
    pub quorum: u32,
    pub expires: Option<Span>,
    /// An approval met its requirement.
    pub satisfied: bool,
}

impl Ground {
    /// A rule whose condition is true, or has no value.
    #[must_use]
    pub fn of_rule(rule: &Rule, outcome: Outcome, failure: Option<&Failure>) -> Self {
        // Waiting for a meter's past holds; it does not block.
        let outcome = if failure.is_some_and(Failure::is_filling) { Outcome::RequireApproval } else { outcome };
        let said = rule.reason.clone().unwrap_or_else(|| match outcome {
            Outcome::Block => format!("blocked by `{}`", rule.id),
            _ => format!("`{}` requires approval", rule.id),
        });
        let error = failure.map(ToString::to_string);
        Self {
            rule: rule.id.clone(),
            outcome,
            code: if error.is_some() { ReasonCode::EvaluationError } else { ReasonCode::Policy },
            reason: match &error {
                Some(error) => format!("{said} (it cannot be told whether this applies: {error})"),
                None => said,
            },
            error,
            from: rule.approval.from.clone(),
            quorum: rule.approval.quorum.max(1),
            expires: rule.approval.expires,
            satisfied: false,
        }
    }

    /// The restrictive rule that a limit is: same selector and condition, and the count used up. As with
    /// `&&`, a count that is not used up decides even beside a condition that has no value.
    #[must_use]
    pub fn of_limit(rule: &Rule, limit: &Limit, failure: Option<&Failure>, value: Option<MeterValue>) -> Option<Self> {
        let (outcome, error) = match value {
            Some(MeterValue::Ready(used)) => {
                // A count too long to add to is used up.
                let used_up = used.checked_add(Decimal::from(1u64)).map_or(true, |next| next > limit.count);
                if !used_up {
                    return None;
                }
                (limit.otherwise, failure.map(ToString::to_string))
            }
            Some(MeterValue::Filling) => {
                (Outcome::RequireApproval, Some("the limit is still counting its past".to_owned()))
            }
            Some(MeterValue::Doubtful) => {
                (limit.otherwise, Some("some call of the past could not be judged".to_owned()))
            }
            None => (limit.otherwise, Some("the limit's meter was not read".to_owned())),
        };
        let code = if error.is_some() { ReasonCode::EvaluationError } else { ReasonCode::Limit };
        let reason = format!("the limit of `{}` is used up: {}", rule.id, limit.says);
        Some(Self { code, reason, error, ..Self::of_rule(rule, outcome, None) })
    }

    /// A rule of the engine. It is suspected, never matched: it can hold a call, and cannot keep a
    /// stricter default from holding.
    #[must_use]
    pub fn of_engine(name: &str, code: ReasonCode, reason: String, error: String) -> Self {
        Self {
            rule: RuleId::built_in(name),
            outcome: Outcome::RequireApproval,
            code,
            reason,
            error: Some(error),
            from: Vec::new(),
            quorum: 1,
            expires: None,
            satisfied: false,
        }
    }

    /// The workspace's default, where no rule matched.
    #[must_use]
    pub fn of_default(outcome: Outcome, reason: String) -> Self {
        Self {
            rule: RuleId::built_in("default"),
            outcome,
            code: ReasonCode::Default,
            reason,
            error: None,
            from: Vec::new(),
            quorum: 1,
            expires: None,
            satisfied: false,
        }
    }

    /// What it asks of people, its expiry counted from `asked`.
    #[must_use]
    pub fn requirement(&self, asked: Micros) -> Requirement {
        Requirement {
            rule: self.rule.clone(),
            from: self.from.clone(),
            quorum: self.quorum,
            expires_at: self.expires.map(|expires| asked.after(expires)),
        }
    }

    /// Whether the approval's votes meet what it asks; only REQUIRE_APPROVAL asks anything.
    #[must_use]
    pub fn is_satisfied_by(&self, evidence: &Evidence, now: Micros) -> bool {
        let requirement = self.requirement(evidence.created_at);
        let in_time = requirement.expires_at.is_none_or(|expires_at| now < expires_at);
        self.outcome == Outcome::RequireApproval && in_time && requirement.is_met_by(&evidence.votes)
    }
}
