//! Decisions in process, as a server would make them in one fresh workspace: same normalisation, same bundle,
//! meters in memory, a clock that moves by a millisecond per call.

use anyhow::bail;
use runplane_core::call::{Agent, Asked, Call, Established};
use runplane_core::catalogue::Catalogue;
use runplane_core::decide::{self, Facts, Verdict};
use runplane_core::inspect;
use runplane_core::json::{self, Limits};
use runplane_core::meter::{Charge, MeterValue, Meters, On};
use runplane_core::outcome::Outcome;
use runplane_core::policy::explain::{self, Explanation};
use runplane_core::policy::{Bundle, BundleInputs, LoadError};
use runplane_core::settings::Settings;
use runplane_core::time::{Micros, Span};
use runplane_core::value::Value;
use serde::Deserialize;
use serde_json::value::RawValue;

const BETWEEN_CALLS: Span = Span(1_000);

pub struct Trial {
    pub bundle: Bundle,
    agent: Agent,
    meters: Meters,
    now: Micros,
}

/// What is asked for, as it stands in the file.
pub struct Ask<'a> {
    pub action: &'a str,
    pub target: &'a str,
    pub tool: Option<&'a str>,
    /// The JSON text, so that it is read as strictly as a server reads it.
    pub context: &'a str,
}

/// An action as somebody wrote it down.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    #[serde(rename = "type")]
    action_type: String,
    target: String,
    #[serde(default)]
    tool: Option<String>,
    #[serde(default)]
    context: Option<Box<RawValue>>,
}

impl Action {
    pub fn ask(&self) -> Ask<'_> {
        Ask {
            action: &self.action_type,
            target: &self.target,
            tool: self.tool.as_deref(),
            context: self.context.as_ref().map_or("{}", |context| context.get()),
        }
    }
}

/// A call that was made before.
pub struct Before<'a> {
    pub ask: Ask<'a>,
    /// What became of it in the end.
    pub outcome: On,
    pub ago: Span,
}

/// What happened to a call of which this became, and still counts.
fn happened(outcome: On) -> &'static [On] {
    match outcome {
        On::Use | On::Allowed => &[On::Use, On::Allowed],
        On::Held => &[On::Use, On::Held],
        On::Blocked => &[On::Blocked],
        On::Approved => &[On::Use, On::Held, On::Approved],
        On::Denied => &[On::Held, On::Denied],
        On::Expired => &[On::Held, On::Expired],
        On::Cancelled => &[On::Held, On::Cancelled],
        On::Succeeded => &[On::Use, On::Allowed, On::Succeeded],
        On::Failed => &[On::Use, On::Allowed, On::Failed],
        On::Unknown => &[On::Use, On::Allowed, On::Unknown],
    }
}

/// What was decided, as far as a case can expect something of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    pub outcome: Outcome,
    pub reason: String,
    pub matched_rule: String,
    pub risk_score: u8,
    pub audit: String,
    /// What came out of every rule about the call, by its place in the bundle.
    pub verdicts: Vec<(u32, Verdict)>,
}

/// What else is known of who asks.
#[derive(Default)]
pub struct Who {
    pub subject: Option<String>,
    pub session: Option<String>,
    pub source: Option<String>,
}

/// A call that was explained, in canonical terms, with what was read in it.
pub type Explained = (Explanation, serde_json::Value, serde_json::Value);

impl Trial {
    pub fn new(
        settings: Settings,
        agent: Agent,
        policies: Vec<(String, String)>,
        now: Micros,
    ) -> Result<Self, Vec<LoadError>> {
        let weights = settings.risk.clone();
        let inputs = BundleInputs { catalogue: Catalogue::builtin(), settings, weights, policies };
        let (bundle, _) = Bundle::publish(&inputs)?;
        Ok(Self { bundle, agent, meters: Meters::default(), now })
    }

    /// Decides in a workspace of its own, in which this happened before and nothing else.
    pub fn after<T>(&mut self, past: &[Before<'_>], decide: impl FnOnce(&mut Self) -> T) -> anyhow::Result<T> {
        let usual = std::mem::take(&mut self.meters);
        let decided = self.remember(past).map(|()| decide(self));
        self.meters = usual;
        decided
    }

    /// Puts into the meters what these calls did, the oldest first.
    fn remember(&mut self, past: &[Before<'_>]) -> anyhow::Result<()> {
        let mut past: Vec<&Before<'_>> = past.iter().collect();
        past.sort_by_key(|before| std::cmp::Reverse(before.ago));
        for before in past {
            let at = self.now.before(before.ago);
            let mut call = match self.call(&before.ask, Who::default())? {
                Ok(call) => call,
                Err(reason) => bail!("a call of the history is none: {reason}"),
            };
            let readings = inspect::read_all(&mut call, self.bundle.catalogue(), self.bundle.settings());
            let prepared = decide::prepare(&self.bundle, call, readings);
            let charges = decide::charges(&self.bundle, &prepared, &Facts { now: at, ..Facts::default() });
            let counts = |charge: &&Charge| {
                let is_back = before.outcome == On::Failed && charge.refund;
                happened(before.outcome).contains(&charge.on) && !is_back
            };
            for charge in charges.iter().filter(counts) {
                self.meters.put(charge, at);
            }
        }
        Ok(())
    }

    /// Decides one call and counts it, if it is allowed or held.
    pub fn decide(&mut self, ask: &Ask<'_>) -> anyhow::Result<Decided> {
        self.now = self.now.after(BETWEEN_CALLS);
        let mut call = match self.call(ask, Who::default())? {
            Ok(call) => call,
            Err(reason) => return Ok(Decided::refused(reason)),
        };
        let readings = inspect::read_all(&mut call, self.bundle.catalogue(), self.bundle.settings());
        let prepared = decide::prepare(&self.bundle, call, readings);
        let meters = prepared.meter_keys().map(|key| self.meters.read(key, self.now)).collect();
        let facts = Facts { now: self.now, meters, ..Facts::default() };
        let decision = decide::decide(&self.bundle, &prepared, &facts);
        let verdicts = prepared.verdicts(&self.bundle, &facts);
        for charge in decision.charges.iter().filter(|charge| charge.on.is_immediate()) {
            self.meters.put(charge, self.now);
        }
        let Ok(serde_json::Value::String(audit)) = serde_json::to_value(decision.audit.payload) else {
            bail!("the duty to keep the payload has no name");
        };
        Ok(Decided {
            outcome: decision.outcome,
            reason: decision.reason,
            matched_rule: decision.matched_rule.to_string(),
            risk_score: decision.risk.score,
            audit,
            verdicts,
        })
    }

    /// Says why one call is decided as it is, with nothing counted; `None` if a server would refuse it unread.
    pub fn explain(&self, ask: &Ask<'_>, who: Who, policies: &[(String, String)]) -> anyhow::Result<Option<Explained>> {
        let Ok(mut call) = self.call(ask, who)? else { return Ok(None) };
        let readings = inspect::read_all(&mut call, self.bundle.catalogue(), self.bundle.settings());
        let prepared = decide::prepare(&self.bundle, call, readings);
        let facts = prepared.supposing(self.now, |_| MeterValue::Ready(0u64.into()));
        let explanation = explain::explain(&self.bundle, policies, &prepared, &facts);
        let call = prepared.call();
        let types: Vec<&str> = call.action.types.iter().map(|name| &**name).collect();
        let canonical = serde_json::json!({
            "type": &*call.action.canonical, "types": types, "effect": call.action.effect.as_str(),
            "target": call.target, "environment": call.environment.as_str(), "source": call.source,
        });
        let readings = serde_json::from_slice(&json::to_canonical(&prepared.readings().to_value()))?;
        Ok(Some((explanation, canonical, readings)))
    }

    /// The call in canonical terms, or why a server would block it unread.
    fn call(&self, ask: &Ask<'_>, who: Who) -> anyhow::Result<Result<Call, String>> {
        let context = match json::read(ask.context.as_bytes(), &Limits::default()) {
            Ok(Value::Object(context)) => context,
            Ok(other) => bail!("the context is a {}, not an object", other.kind()),
            Err(error) => return Ok(Err(error.to_string())),
        };
        let asked = Asked {
            action: ask.action.to_owned(),
            tool: ask.tool.map(str::to_owned),
            target: ask.target.to_owned(),
            subject: who.subject,
            session: who.session,
            context,
        };
        let established = Established {
            workspace: "ws_trial".to_owned(),
            agent: self.agent.clone(),
            source: who.source,
            asserts_subject: false,
        };
        let call = Call::new(asked, established, self.bundle.catalogue(), self.bundle.settings());
        Ok(call.map_err(|error| error.to_string()))
    }
}

impl Decided {
    fn refused(reason: String) -> Self {
        Self {
            outcome: Outcome::Block,
            reason,
            matched_rule: "runplane/invalid-request".to_owned(),
            risk_score: 0,
            audit: "none".to_owned(),
            verdicts: Vec::new(),
        }
    }
}
