//! What was decided and why, as it stands on the record.
//!
//! Lists are capped, so that a call that a thousand rules are about still fits an entry; the digest of the whole
//! lists is recorded, and the payload lets anybody make them again.

use crate::refusal::Code;
use runplane_core::approval::Requirement;
use runplane_core::decide::{AuditDuty, Decision, MatchedRule, Observed, ShadowRule, SuspectedRule};
use runplane_core::digest::{Digest, sha256};
use runplane_core::outcome::Outcome;
use runplane_core::policy::{Retention, RuleId};
use runplane_core::risk::{Risk, Severity};
use serde::{Deserialize, Serialize};

/// Most items of a list on the record.
const LISTED: usize = 64;
/// Longest text on the record, in characters.
const LONGEST: usize = 1_000;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    pub audit: AuditDuty,
    /// Stable reason code: the engine's, or one of the server's for requests that are no calls.
    pub code: String,
    pub matched: Listed<MatchedRule>,
    pub matched_rule: RuleId,
    /// Set where the workspace only observed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<Observed<String>>,
    pub outcome: Outcome,
    pub reason: String,
    pub requirements: Vec<Requirement>,
    pub risk: Risk,
    pub severity: Severity,
    pub shadow: Listed<ShadowRule>,
    pub suspected: Listed<SuspectedRule>,
    pub uncovered: Vec<String>,
}

/// The first items of a list, how many there are, and the digest of all of them if some are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed<T> {
    pub count: usize,
    pub digest: Option<Digest>,
    pub first: Vec<T>,
}

impl<T: Serialize> Listed<T> {
    fn of(mut items: Vec<T>) -> Self {
        let count = items.len();
        let digest = (count > LISTED).then(|| {
            let bytes = serde_json::to_vec(&items).unwrap_or_default();
            sha256(&[&bytes])
        });
        items.truncate(LISTED);
        Self { count, digest, first: items }
    }
}

impl From<Decision> for Verdict {
    fn from(decision: Decision) -> Self {
        let mut requirements = decision.requirements;
        requirements.truncate(LISTED);
        Self {
            audit: decision.audit,
            code: decision.code.as_str().to_owned(),
            matched: Listed::of(decision.matched),
            matched_rule: decision.matched_rule,
            observed: decision.observed.map(|observed| Observed {
                code: observed.code.as_str().to_owned(),
                outcome: observed.outcome,
                reason: shorten(observed.reason),
                until: observed.until,
            }),
            outcome: decision.outcome,
            reason: shorten(decision.reason),
            requirements,
            risk: decision.risk,
            severity: decision.severity,
            shadow: Listed::of(decision.shadow),
            suspected: Listed::of(
                decision
                    .suspected
                    .into_iter()
                    .map(|rule| SuspectedRule { error: shorten(rule.error), ..rule })
                    .collect(),
            ),
            uncovered: decision.uncovered.iter().take(LISTED).map(ToString::to_string).collect(),
        }
    }
}

impl Verdict {
    /// Entries of before do not say what shadow rules would have changed.
    pub fn forget_what_was_not_kept(&mut self, recorded: &Self) {
        if recorded.shadow.first.iter().all(|rule| rule.would.is_none()) {
            self.shadow.first.iter_mut().for_each(|rule| rule.would = None);
        }
    }

    /// What enforcement says, whether or not it was in force.
    #[must_use]
    pub fn enforced(&self) -> Outcome {
        self.observed.as_ref().map_or(self.outcome, |observed| observed.outcome)
    }

    /// It was let through only because the workspace observes.
    #[must_use]
    pub fn is_only_observed(&self) -> bool {
        self.outcome == Outcome::Allow && self.enforced() != Outcome::Allow
    }

    /// A BLOCK for what the request is, named `runplane/<code>`.
    #[must_use]
    pub fn refusal(code: Code, reason: &str) -> Self {
        Self {
            audit: AuditDuty { payload: Retention::None, tags: Vec::new() },
            code: code.as_str().to_owned(),
            matched: Listed::of(Vec::new()),
            matched_rule: RuleId::built_in(&code.as_str().replace('_', "-")),
            observed: None,
            outcome: Outcome::Block,
            reason: shorten(reason.to_owned()),
            requirements: Vec::new(),
            risk: Risk { score: 0, severity: Severity::Low, factors: Vec::new() },
            severity: Severity::Low,
            shadow: Listed::of(Vec::new()),
            suspected: Listed::of(Vec::new()),
            uncovered: Vec::new(),
        }
    }
}

fn shorten(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
