//! What a rule's selector says of the calls that reach its condition.

use super::Options;
use super::cube::{self, Cube, Cubes, Key, Slot, Test, Tested};
use super::domain::EFFECTS;
use super::values::{Values, kinds};
use crate::catalogue::Effect;
use crate::environment::Environment;
use crate::policy::Bundle;
use crate::policy::condition::ast::Fact;
use crate::policy::rule::Rule;
use crate::target::Registration;

/// Facts that hold for every call the rule is about.
#[must_use]
pub fn base(rule: &Rule, bundle: &Bundle, options: &Options) -> Cubes {
    let mut facts: Vec<Option<Cube>> = Vec::new();
    if let Some(names) = rule.targets.names() {
        facts.push(fact(Fact::Target, Values::texts(names), None));
        if options.settings_known {
            let registrations: Vec<Option<&Registration>> =
                names.iter().map(|name| bundle.settings().registration(name)).collect();
            facts.extend(registered(&registrations));
        }
    }
    if let Some(source) = &rule.source {
        let spelling = Test { what: Tested::Source(source.clone()), holds: true };
        facts.push(fact(Fact::ActionSource, Values::any_text().with(kinds::NULL), Some(spelling)));
    }
    facts.extend(actions(rule, bundle));
    let facts: Option<Vec<Cube>> = facts.into_iter().collect();
    let joined = facts.unwrap_or_default().into_iter().try_fold(Cube::default(), |all, fact| all.and(&fact));
    joined.map_or_else(cube::anything, |joined| vec![joined])
}

fn fact(fact: Fact, values: Values, test: Option<Test>) -> Option<Cube> {
    Cube::of(Key { name: fact.name().into(), slot: Slot::Fact(fact), whole: false }, values, test)
}

/// A call of a type is at least as strict as the type, whatever else it is.
fn actions(rule: &Rule, bundle: &Bundle) -> Vec<Option<Cube>> {
    let types = rule.actions.types().filter(|types| !types.is_empty() && !rule.actions.may_be_foreign());
    let Some(types) = types else { return Vec::new() };
    let definitions = || types.iter().filter_map(|name| bundle.catalogue().get(name)).map(|kind| &kind.definition);
    let least = definitions().map(|definition| definition.effect).min().unwrap_or(Effect::Read);
    let effects = EFFECTS.iter().skip_while(|word| **word != least.as_str());
    let mut facts = vec![fact(Fact::ActionEffect, Values::texts(effects), None)];
    if definitions().all(|definition| !definition.reversible) {
        facts.push(fact(Fact::ActionReversible, Values::of_kinds(kinds::NO), None));
    }
    facts
}

/// What is registered about the only targets there are.
fn registered(registrations: &[Option<&Registration>]) -> Vec<Option<Cube>> {
    let mut facts = Vec::new();
    let environments: Option<Vec<&Environment>> =
        registrations.iter().map(|registration| registration.and_then(|known| known.environment.as_ref())).collect();
    if let Some(environments) = environments {
        let names = environments.iter().map(|environment| environment.as_str());
        facts.push(fact(Fact::Environment, Values::texts(names), None));
    }
    let audiences: Option<Vec<&str>> = registrations
        .iter()
        .map(|registration| Some(registration.and_then(|known| known.audience)?.as_str()))
        .collect();
    if let Some(audiences) = audiences {
        facts.push(fact(Fact::RegistrationAudience, Values::texts(audiences), None));
    }
    facts
}
