//! What a condition sees of a call: facts, context, readings, risk and, once the call is in its place
//! in the log, time and meters.

use super::ast::Fact;
use super::failure::What;
use super::term::Term;
use crate::call::Call;
use crate::decimal::Decimal;
use crate::inspect::{Inspector, Reading, Readings};
use crate::meter::MeterValue;
use crate::risk::Risk;
use crate::settings::Settings;
use crate::time::Micros;
use crate::value::Object;
use std::sync::Arc;

#[derive(Clone, Copy)]
pub struct View<'a> {
    pub call: &'a Call,
    pub readings: &'a Readings,
    pub risk: &'a Risk,
    pub settings: &'a Settings,
    /// `None` until the call is in its place in the log.
    pub state: Option<State<'a>>,
}

#[derive(Clone, Copy)]
pub struct State<'a> {
    pub now: Micros,
    /// Values of meters by their place in the bundle, ascending.
    pub meters: &'a [(u32, MeterValue)],
    /// Names of all meters of the bundle, for messages.
    pub names: &'a [Arc<str>],
}

impl State<'_> {
    /// What the meter at this place of the bundle says, if it was read.
    #[must_use]
    pub fn meter(&self, place: u32) -> Option<MeterValue> {
        value_of(self.meters, place)
    }
}

/// The value at this place, of values that are in the order of their places.
#[must_use]
pub fn value_of(meters: &[(u32, MeterValue)], place: u32) -> Option<MeterValue> {
    let found = meters.binary_search_by_key(&place, |(known, _)| *known).ok()?;
    meters.get(found).map(|(_, value)| *value)
}

impl<'a> View<'a> {
    #[must_use]
    pub fn now(&self) -> Option<Micros> {
        self.state.map(|state| state.now)
    }

    #[must_use]
    pub fn context(&self) -> &'a Object {
        &self.call.context
    }

    #[must_use]
    pub fn reading(&self, inspector: Inspector) -> &'a Reading {
        self.readings.get(inspector)
    }

    pub fn meter(&self, index: u32) -> Result<Decimal, What> {
        let Some(state) = self.state else { return Err(What::NotRead("meters".into())) };
        let known = usize::try_from(index).ok();
        let name = || -> Box<str> { known.and_then(|index| state.names.get(index)).map_or("", |name| name).into() };
        match state.meter(index) {
            Some(MeterValue::Ready(value)) => Ok(value),
            Some(MeterValue::Filling) => Err(What::MeterFilling(name())),
            Some(MeterValue::Doubtful) => Err(What::PastDoubtful(name())),
            None => Err(What::NotRead(name())),
        }
    }

    /// An absent optional fact is null: it compares with nothing but `null`.
    #[must_use]
    pub fn fact(&self, fact: Fact) -> Term<'a> {
        let call = self.call;
        let optional = |text: Option<&'a str>| text.map_or(Term::Null, Term::text);
        let action = &call.action;
        match fact {
            Fact::ActionType => Term::text(&action.canonical),
            Fact::ActionTypes => Term::texts(&action.types),
            Fact::ActionDeclared => Term::text(&action.declared),
            Fact::ActionDomain => Term::text(action.domain.as_str()),
            Fact::ActionEffect => Term::text(action.effect.as_str()),
            Fact::ActionReversible => Term::Bool(action.reversible),
            Fact::ActionSource => optional(call.source.as_deref()),
            Fact::ActionTool => optional(action.tool.as_deref()),
            Fact::ActionInferred => Term::Bool(action.inferred),
            Fact::ActionKnown => Term::Bool(action.known),
            Fact::Target => Term::text(&call.target),
            Fact::Environment => Term::text(call.environment.as_str()),
            Fact::AgentId => Term::text(&call.agent.id),
            Fact::AgentName => Term::text(&call.agent.name),
            Fact::AgentEnvironment => Term::text(call.agent.environment.as_str()),
            Fact::AgentLabels => Term::texts(&call.agent.labels),
            Fact::Subject => optional(call.subject.as_deref()),
            Fact::Session => optional(call.session.as_deref()),
            Fact::RiskScore => Term::Number(Decimal::from(u64::from(self.risk.score))),
            Fact::RiskSeverity => Term::text(self.risk.severity.as_str()),
            Fact::RegistrationEnvironment => {
                optional(call.registration.environment.as_ref().map(crate::environment::Environment::as_str))
            }
            Fact::RegistrationSensitivity => {
                optional(call.registration.sensitivity.map(crate::target::Sensitivity::as_str))
            }
            Fact::RegistrationAudience => optional(call.registration.audience.map(crate::target::Audience::as_str)),
            Fact::RegistrationHosts => Term::texts(&call.registration.hosts),
            Fact::InternalDomains => Term::texts(&self.settings.internal_domains),
            Fact::Now => self.now().map_or(Term::Null, Term::Moment),
        }
    }
}
