//! A small world for decisions: one bundle, one agent, calls from JSON.

use crate::call::{Agent, Asked, Call, Established};
use crate::catalogue::Catalogue;
use crate::containment::{Hit, Scope};
use crate::decide::{Decision, Facts, decide, prepare};
use crate::environment::Environment;
use crate::inspect::Readings;
use crate::json;
use crate::meter::{MeterValue, Meters};
use crate::outcome::Outcome;
use crate::policy::{Bundle, BundleInputs};
use crate::risk::Weights;
use crate::settings::Settings;
use crate::time::Micros;
use crate::value::{Object, Value};

pub struct World {
    pub inputs: BundleInputs,
    pub bundle: Bundle,
}

impl World {
    pub fn new(policies: &[&str]) -> Self {
        let policies = policies.iter().enumerate().map(|(index, text)| (format!("{index}.yaml"), (*text).to_owned()));
        Self::of(BundleInputs {
            catalogue: Catalogue::builtin(),
            settings: Settings::default(),
            weights: Weights::default(),
            policies: policies.collect(),
        })
    }

    /// One policy named `p` with these rules.
    pub fn policy(rules: &str) -> Self {
        Self::new(&[&format!("policy: p\nrules:\n{rules}\n")])
    }

    fn of(inputs: BundleInputs) -> Self {
        let bundle = match Bundle::publish(&inputs) {
            Ok((bundle, _)) => bundle,
            Err(errors) => {
                let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
                panic!("{}", lines.join("\n"))
            }
        };
        Self { inputs, bundle }
    }

    pub fn default_decision(mut self, outcome: Outcome) -> Self {
        self.inputs.settings.default_decision = outcome;
        Self::of(self.inputs)
    }

    pub fn decide(&self, call: &Call) -> Decision {
        self.decide_with(call, &Facts::default())
    }

    /// Meters are read as zero.
    pub fn decide_with(&self, call: &Call, facts: &Facts) -> Decision {
        self.decide_read(call, &Readings::default(), facts)
    }

    pub fn decide_read(&self, call: &Call, readings: &Readings, facts: &Facts) -> Decision {
        let prepared = prepare(&self.bundle, call.clone(), readings.clone());
        let mut facts = facts.clone();
        facts.meters = prepared.meter_keys().map(|_| MeterValue::Ready(0i64.into())).collect();
        decide(&self.bundle, &prepared, &facts)
    }

    /// Decides as a sequencer does: reads the meters, then charges them.
    pub fn run(&self, call: &Call, meters: &mut Meters, now: Micros) -> Decision {
        let prepared = prepare(&self.bundle, call.clone(), Readings::default());
        let values = prepared.meter_keys().map(|key| meters.read(key, now)).collect();
        let decision = decide(&self.bundle, &prepared, &Facts { now, meters: values, ..Facts::default() });
        for charge in decision.charges.iter().filter(|charge| charge.on.is_immediate()) {
            meters.put(charge, now);
        }
        decision
    }
}

pub fn object(text: &str) -> Object {
    match json::read(text.as_bytes(), &json::Limits::default()) {
        Ok(Value::Object(object)) => object,
        other => panic!("not an object: {other:?}"),
    }
}

pub fn agent() -> Agent {
    Agent {
        id: "agt_1".to_owned(),
        name: "agent".to_owned(),
        environment: Environment::production(),
        labels: vec!["refund-desk".to_owned()],
        owner: None,
    }
}

pub fn call(action: &str, target: &str, context: &str) -> Call {
    call_of(action, target, object(context))
}

pub fn call_of(action: &str, target: &str, context: Object) -> Call {
    let asked = Asked { action: action.to_owned(), target: target.to_owned(), context, ..Asked::default() };
    let established =
        Established { workspace: "ws_1".to_owned(), agent: agent(), source: None, asserts_subject: false };
    Call::new(asked, established, &Catalogue::builtin(), &Settings::default()).unwrap()
}

/// A refund of an amount given as JSON.
pub fn refund(amount: &str) -> Call {
    call("process_refund", "stripe", &format!("{{\"amount\":{amount}}}"))
}

/// A refund in somebody's name, which the agent is believed or not.
pub fn refund_for(subject: &str, asserts_subject: bool) -> Call {
    let mut call = refund("1");
    (call.subject, call.asserts_subject) = (Some(subject.to_owned()), asserts_subject);
    call
}

pub fn everything_contained() -> Hit {
    Hit { switch: "sw_1".to_owned(), scope: Scope::Workspace, reason: "incident".to_owned() }
}
