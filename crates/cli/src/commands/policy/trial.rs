//! Decisions in process, as a server would make them in one fresh workspace: same normalisation, same bundle,
//! meters in memory, a clock that moves by a millisecond per call.

use anyhow::bail;
use runplane_core::call::{Agent, Asked, Call, Established};
use runplane_core::catalogue::Catalogue;
use runplane_core::decide::{self, Facts};
use runplane_core::inspect;
use runplane_core::json::{self, Limits};
use runplane_core::meter::{MeterValue, Meters};
use runplane_core::outcome::Outcome;
use runplane_core::policy::{Bundle, BundleInputs, LoadError};
use runplane_core::risk::Weights;
use runplane_core::settings::Settings;
use runplane_core::time::{Micros, Span};
use runplane_core::value::Value;

const BETWEEN_CALLS: Span = Span(1_000);

pub struct Trial {
    bundle: Bundle,
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

/// What was decided, as far as a case can expect something of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    pub outcome: Outcome,
    pub reason: String,
    pub matched_rule: String,
    pub risk_score: u8,
    pub audit: String,
}

impl Trial {
    pub fn new(
        settings: Settings,
        agent: Agent,
        policies: Vec<(String, String)>,
        now: Micros,
    ) -> Result<Self, Vec<LoadError>> {
        let inputs = BundleInputs { catalogue: Catalogue::builtin(), settings, weights: Weights::default(), policies };
        let (bundle, _) = Bundle::publish(&inputs)?;
        Ok(Self { bundle, agent, meters: Meters::default(), now })
    }

    /// Decides one call and counts it, if it is allowed or held.
    pub fn decide(&mut self, ask: &Ask<'_>) -> anyhow::Result<Decided> {
        self.now = self.now.after(BETWEEN_CALLS);
        let mut call = match self.call(ask)? {
            Ok(call) => call,
            Err(reason) => return Ok(Decided::refused(reason)),
        };
        let readings = inspect::read_all(&mut call, self.bundle.catalogue(), self.bundle.settings());
        let prepared = decide::prepare(&self.bundle, call, readings);
        let meters = prepared.meter_keys().map(|key| MeterValue::Ready(self.meters.read(key, self.now))).collect();
        let facts = Facts { now: self.now, meters, ..Facts::default() };
        let decision = decide::decide(&self.bundle, &prepared, &facts);
        for charge in &decision.charges {
            self.meters.add(charge.key, self.now, charge.amount);
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
        })
    }

    /// The call in canonical terms, or why a server would block it unread.
    fn call(&self, ask: &Ask<'_>) -> anyhow::Result<Result<Call, String>> {
        let context = match json::read(ask.context.as_bytes(), &Limits::default()) {
            Ok(Value::Object(context)) => context,
            Ok(other) => bail!("the context is a {}, not an object", other.kind()),
            Err(error) => return Ok(Err(error.to_string())),
        };
        let asked = Asked {
            action: ask.action.to_owned(),
            tool: ask.tool.map(str::to_owned),
            target: ask.target.to_owned(),
            subject: None,
            session: None,
            context,
        };
        let established = Established { workspace: "ws_trial".to_owned(), agent: self.agent.clone(), source: None };
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
        }
    }
}
