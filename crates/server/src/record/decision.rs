//! The record of a decision: all that is needed to answer the client again, to fill the lists, to rebuild the
//! state, and, together with the payload, to decide the same call again.

use super::{Returned, Verdict};
use crate::control::Control;
use crate::refusal::Code;
use runplane_core::approval::Evidence;
use runplane_core::call::Call;
use runplane_core::containment::Hit;
use runplane_core::decide::{Decision, Facts, Share};
use runplane_core::decimal::Decimal;
use runplane_core::digest::Digest;
use runplane_core::meter::{Charge, MeterValue};
use runplane_core::outcome::Outcome;
use runplane_core::policy::RuleId;
use runplane_core::profile::{Observation, Usual};
use runplane_core::time::{Micros, Span};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The version of the engine that decided.
const ENGINE: &str = concat!("runplane/", env!("CARGO_PKG_VERSION"));

/// Body of a `decision` and of a `redemption`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DecisionBody {
    pub action: ActionFacts,
    /// Id of the agent.
    pub agent: String,
    pub bundle: String,
    /// The meter time of the charges, where it is not the time of the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charged_at: Option<Micros>,
    /// What the decision counts against limits, now or when something happens to it.
    pub charges: Vec<Charge>,
    /// SHA-256 over salt and payload; both can be erased without touching the ledger.
    pub commitment: Option<Digest>,
    /// How many requests this entry stands for; more than one only for refusals of the same kind.
    pub count: u64,
    pub decision: Verdict,
    pub engine: Cow<'static, str>,
    pub environment: String,
    /// The open ask, if the action is held.
    pub held_as: Option<HeldAs>,
    /// What is used of the limits it falls under, with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<LimitRead>,
    /// What inspectors made of the payload; absent where none applies, or where it is too large for an entry.
    pub readings: Option<Box<RawValue>>,
    /// Set on a `redemption`.
    pub redemption: Option<RedemptionFacts>,
    pub request_id: String,
    /// What the decision read of the workspace's state.
    pub state: StateRead,
    pub target: String,
}

/// What the action is, without its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActionFacts {
    pub declared: String,
    pub domain: Cow<'static, str>,
    pub effect: Cow<'static, str>,
    pub r#type: String,
    pub types: Vec<String>,
}

/// What a limit came to with this decision. Members are in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LimitRead {
    /// The meter, where the limit is a condition about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meter: Option<String>,
    pub of: Decimal,
    /// When the first of what is used comes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<Micros>,
    pub rule: RuleId,
    pub used: Decimal,
    pub within: Span,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeldAs {
    pub expires_at: Micros,
    pub id: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RedemptionFacts {
    pub evidence: Evidence,
    pub held: u64,
    pub id: String,
    /// The reservation of the hold, which the decision did not count.
    pub returned: Returned,
}

/// State as it was read, so that the decision can be made again from the record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StateRead {
    pub containment: Option<Hit>,
    /// In the order in which the engine asked for them.
    pub meters: Vec<MeterValue>,
    pub open_approvals: u32,
    /// What was usual for the agent; absent where nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual: Option<Usual>,
}

impl StateRead {
    /// The same as the engine takes it.
    #[must_use]
    pub fn facts(&self, now: Micros, approval: Option<Evidence>) -> Facts {
        Facts {
            now,
            meters: self.meters.clone(),
            containment: self.containment.clone(),
            approval,
            open_approvals: self.open_approvals,
            usual: self.usual.clone(),
        }
    }
}

/// What the engine said, in the form of the record.
pub struct Decided {
    pub verdict: Verdict,
    pub charges: Vec<Charge>,
    pub limits: Vec<Share>,
}

impl From<Decision> for Decided {
    fn from(mut decision: Decision) -> Self {
        let charges = std::mem::take(&mut decision.charges);
        let limits = std::mem::take(&mut decision.limits);
        Self { verdict: decision.into(), charges, limits }
    }
}

impl Decided {
    /// The same when it decides a redemption: what still asks for a person is not what was approved, so the approval
    /// is spent and nothing runs.
    #[must_use]
    pub fn for_redemption(mut self) -> Self {
        if self.verdict.outcome != Outcome::Allow {
            self.verdict.outcome = Outcome::Block;
            self.verdict.requirements.clear();
            self.charges.clear();
            self.limits.clear();
        }
        self
    }

    /// A BLOCK that the engine did not say, because it could not.
    #[must_use]
    pub fn refusal(code: Code, reason: &str) -> Self {
        Self { verdict: Verdict::refusal(code, reason), charges: Vec::new(), limits: Vec::new() }
    }
}

/// A request that was blocked for what it is.
pub struct RefusedRequest<'a> {
    pub code: Code,
    pub reason: &'a str,
    pub declared: Option<(String, String)>,
    pub count: u64,
}

impl ActionFacts {
    #[must_use]
    pub fn of(call: &Call) -> Self {
        let action = &call.action;
        Self {
            declared: action.declared.clone(),
            domain: action.domain.as_str().into(),
            effect: action.effect.as_str().into(),
            r#type: action.canonical.to_string(),
            types: action.types.iter().map(ToString::to_string).collect(),
        }
    }
}

impl DecisionBody {
    /// The body of a decided call. The caller adds what sequencing gave it.
    #[must_use]
    pub fn decided(call: &Call, control: &Control, request_id: String, state: StateRead, decided: Decided) -> Self {
        let Decided { verdict, charges, limits: _ } = decided;
        Self {
            action: ActionFacts::of(call),
            agent: call.agent.id.clone(),
            bundle: control.bundle_digest(),
            charged_at: None,
            charges,
            commitment: None,
            count: 1,
            decision: verdict,
            engine: ENGINE.into(),
            environment: call.environment.as_str().to_owned(),
            held_as: None,
            limits: Vec::new(),
            readings: None,
            redemption: None,
            request_id,
            state,
            target: call.target.clone(),
        }
    }

    /// The body of a refusal.
    #[must_use]
    pub fn refused(agent: &str, control: &Control, request_id: String, refused: &RefusedRequest<'_>) -> Self {
        let (declared, target) = refused.declared.clone().unwrap_or_default();
        Self {
            action: ActionFacts {
                declared,
                domain: "unknown".into(),
                effect: "unknown".into(),
                r#type: String::new(),
                types: Vec::new(),
            },
            agent: agent.to_owned(),
            bundle: control.bundle_digest(),
            charged_at: None,
            charges: Vec::new(),
            commitment: None,
            count: refused.count,
            decision: Verdict::refusal(refused.code, refused.reason),
            engine: ENGINE.into(),
            environment: String::new(),
            held_as: None,
            limits: Vec::new(),
            readings: None,
            redemption: None,
            request_id,
            state: StateRead::default(),
            target,
        }
    }

    /// Whether its members are declared in canonical order: all but what is rare.
    #[must_use]
    pub fn is_sorted(&self) -> bool {
        self.state.containment.is_none() && self.redemption.is_none()
    }

    /// What is learned about its agent once it is known to have succeeded: only from what was allowed outright.
    #[must_use]
    pub fn observation(&self) -> Option<Observation> {
        let teaches = self.decision.enforced() == Outcome::Allow && self.redemption.is_none();
        self.state.usual.as_ref().filter(|_| teaches && self.is_allowed()).map(Usual::observation)
    }

    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.decision.outcome == Outcome::Allow
    }
}
