//! The shipped packs as one bundle, meters in memory, and calls from JSON.

use runplane_core::call::{Agent, Asked, Call, Established};
use runplane_core::catalogue::Catalogue;
use runplane_core::decide::{Decision, Facts, decide, prepare};
use runplane_core::environment::Environment;
use runplane_core::inspect::{self, Readings};
use runplane_core::json;
use runplane_core::meter::Meters;
use runplane_core::outcome::Outcome;
use runplane_core::packs;
use runplane_core::policy::{Bundle, BundleInputs};
use runplane_core::risk::Weights;
use runplane_core::settings::Settings;
use runplane_core::time::Micros;
use runplane_core::value::{Object, Value};

pub const NOW: Micros = Micros(1_790_000_000_000_000);

pub struct Sandbox {
    pub bundle: Bundle,
    pub agent: Agent,
}

pub fn shipped(settings: Settings) -> BundleInputs {
    let policies = packs::ALL.iter().map(|pack| (pack.file.to_owned(), pack.source.to_owned())).collect();
    BundleInputs { catalogue: Catalogue::builtin(), settings, weights: Weights::default(), policies }
}

pub fn settings_with_default(default_decision: Outcome) -> Settings {
    Settings { default_decision, ..Settings::default() }
}

pub fn production_agent() -> Agent {
    Agent {
        id: "agt_1".to_owned(),
        name: "tester".to_owned(),
        environment: Environment::production(),
        labels: Vec::new(),
        owner: None,
    }
}

/// A JSON object, read as a request would be.
pub fn action(text: &str) -> Object {
    match json::read(text.as_bytes(), &json::Limits::default()) {
        Ok(Value::Object(object)) => object,
        other => panic!("{text}: {other:?}"),
    }
}

impl Sandbox {
    pub fn new(settings: Settings, agent: Agent) -> Self {
        let (bundle, _) = Bundle::publish(&shipped(settings)).expect("the shipped packs publish");
        Self { bundle, agent }
    }

    /// One call with what the inspectors read of it.
    pub fn read(&self, action: &Object) -> (Call, Readings) {
        let text = |name: &str| action.get(name).and_then(Value::as_text).map(str::to_owned);
        let asked = Asked {
            action: text("type").expect("a type"),
            tool: text("tool"),
            target: text("target").expect("a target"),
            subject: None,
            session: None,
            context: action.get("context").and_then(Value::as_object).cloned().unwrap_or_default(),
        };
        let established = Established {
            workspace: "ws_1".to_owned(),
            agent: self.agent.clone(),
            source: None,
            asserts_subject: false,
        };
        let (catalogue, settings) = (self.bundle.catalogue(), self.bundle.settings());
        let mut call = Call::new(asked, established, catalogue, settings).expect("a usable call");
        let readings = inspect::read_all(&mut call, catalogue, settings);
        (call, readings)
    }

    /// One call, recorded in the meters as a sequencer would.
    pub fn run(&self, action: &Object, meters: &mut Meters) -> Decision {
        let (call, readings) = self.read(action);
        let prepared = prepare(&self.bundle, call, readings);
        let values = prepared.meter_keys().map(|key| meters.read(key, NOW)).collect();
        let decision = decide(&self.bundle, &prepared, &Facts { now: NOW, meters: values, ..Facts::default() });
        for charge in decision.charges.iter().filter(|charge| charge.on.is_immediate()) {
            meters.put(charge, NOW);
        }
        decision
    }
}
