//! Observing decides everything as enforcement does, and stops nothing but what is contained.

use super::generate::{any_ask, any_rules, publish};
use super::support::{World, everything_contained, refund};
use crate::decide::{Facts, ReasonCode, decide, prepare};
use crate::outcome::Outcome::{self, Allow, Block, RequireApproval};
use crate::policy::{Bundle, BundleInputs};
use crate::settings::{Observe, Settings};
use crate::time::Micros;
use proptest::prelude::*;

const UNTIL: Micros = Micros(1_900_000_000_000_000);

fn observing(inputs: &BundleInputs) -> Bundle {
    let settings = Settings { observe: Some(Observe { until: UNTIL }), ..inputs.settings.clone() };
    Bundle::publish(&BundleInputs { settings, ..inputs.clone() }).unwrap().0
}

fn at(now: Micros) -> Facts {
    Facts { now, ..Facts::default() }
}

#[test]
fn nothing_is_stopped_until_the_moment_it_ends() {
    let world = World::policy("  - { id: big, action: process_refund, when: context.amount > 5, decision: BLOCK }");
    let bundle = observing(&world.inputs);
    let decided = |now| decide(&bundle, &prepare(&bundle, refund("9"), Default::default()), &at(now));
    let observed = decided(Micros(UNTIL.0 - 1));
    assert_eq!((observed.outcome, observed.code), (Allow, ReasonCode::Observed));
    assert_eq!(observed.matched_rule.to_string(), "p/big");
    let told = observed.observed.unwrap();
    assert_eq!((told.outcome, told.code, told.until), (Block, ReasonCode::Policy, UNTIL));
    let enforced = decided(UNTIL);
    assert_eq!((enforced.outcome, enforced.observed), (Block, None));
}

#[test]
fn containment_stops_what_is_observed() {
    let world = World::policy("  - { id: fine, action: process_refund, decision: ALLOW }");
    let bundle = observing(&world.inputs);
    let facts = Facts { containment: Some(everything_contained()), ..at(Micros(5)) };
    let decision = decide(&bundle, &prepare(&bundle, refund("9"), Default::default()), &facts);
    assert_eq!((decision.outcome, decision.code, decision.observed), (Block, ReasonCode::Containment, None));
}

proptest! {
    #![proptest_config(super::generate::config())]

    #[test]
    fn what_is_observed_is_what_enforcement_decides(
        rules in any_rules(), ask in any_ask(), default in prop_oneof![Just(Block), Just(RequireApproval), Just(Allow)],
    ) {
        let enforcing = publish(&rules, default);
        let stored: serde_json::Value = serde_json::from_slice(enforcing.canonical()).unwrap();
        let policies = serde_json::from_value::<std::collections::BTreeMap<String, String>>(stored["policies"].clone());
        let inputs = BundleInputs {
            catalogue: enforcing.catalogue().clone(),
            settings: enforcing.settings().clone(),
            weights: enforcing.weights().clone(),
            policies: policies.unwrap().into_iter().collect(),
        };
        let observing = observing(&inputs);
        let decided = |bundle: &Bundle| {
            let prepared = prepare(bundle, ask.call(), ask.readings());
            let meters = prepared.meter_keys().map(|_| ask.meter).collect();
            decide(bundle, &prepared, &Facts { meters, ..at(Micros(1_800_000_000_000_000)) })
        };
        let (enforced, observed) = (decided(&enforcing), decided(&observing));
        let told = observed.observed.clone().unwrap();
        prop_assert_eq!(observed.outcome, Outcome::Allow);
        prop_assert_eq!((told.outcome, told.code, &told.reason), (enforced.outcome, enforced.code, &enforced.reason));
        prop_assert_eq!((&observed.matched, &observed.suspected, &observed.matched_rule), (&enforced.matched, &enforced.suspected, &enforced.matched_rule));
        prop_assert!(observed.requirements.is_empty());
    }
}
