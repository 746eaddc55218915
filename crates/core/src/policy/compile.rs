//! Documents to rules and counters.
//!
//! What must stay true: every problem of every document is reported at once, and a bundle comes out
//! only if there is none.

use super::condition::names::Names;
use super::condition::past::Counters;
use super::condition::{Batch, Condition, Parsed, Ticket, Wanted};
use super::counter::{Counter, Counts, Identity, Own, Per};
use super::document::{Document, LimitTerms, MeterTerms, Mode, RuleTerms};
use super::finding::Findings;
use super::id::RuleId;
use super::rule::{Limit, Rule};
use super::selector::{self, Actions, Targets};
use super::source::Source;
use crate::catalogue::Catalogue;
use crate::decimal::Decimal;
use crate::meter::{On, Op};
use crate::outcome::Outcome;
use crate::policy::condition::ast::{Expr, Kind, Operator};
use crate::policy::condition::plain;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// What all documents together compile to.
#[derive(Default)]
pub struct Compiled {
    pub rules: Vec<Rule>,
    pub counters: Vec<Counter>,
}

struct MeterTickets {
    when: Option<Ticket>,
    sum: Option<Ticket>,
}

struct RuleTickets {
    when: Option<Ticket>,
    unless: Option<Ticket>,
}

/// The conditions of one document in the batch.
struct Tickets {
    meters: Vec<MeterTickets>,
    rules: Vec<RuleTickets>,
}

pub fn compile(documents: &mut [(Document, Findings)], catalogue: &Catalogue) -> Compiled {
    let mut batch = Batch::default();
    let tickets: Vec<Tickets> = documents.iter().map(|(document, _)| enlist(document, &mut batch)).collect();
    let parsed = batch.parse();
    let types: BTreeSet<&str> = catalogue.types().map(|kind| &*kind.name).collect();
    let mut compiled = Compiled::default();
    let counters = RefCell::new(Counters::default());
    for ((document, findings), tickets) in documents.iter_mut().zip(&tickets) {
        let mut desk = Desk {
            document,
            findings,
            catalogue,
            types: &types,
            parsed: &parsed,
            counters: &counters,
            compiled: &mut compiled,
        };
        desk.document(tickets);
    }
    compiled.counters = counters.into_inner().list;
    compiled.rules.sort_by(|left, right| left.id.cmp(&right.id));
    compiled
}

fn enlist<'a>(document: &'a Document, batch: &mut Batch<'a>) -> Tickets {
    let mut add = |source: &'a Option<Source>| source.as_ref().map(|source| batch.add(source));
    Tickets {
        meters: document
            .meters
            .iter()
            .map(|meter| MeterTickets { when: add(&meter.when), sum: add(&meter.sum) })
            .collect(),
        rules: document
            .rules
            .iter()
            .map(|rule| RuleTickets { when: add(&rule.when), unless: add(&rule.unless) })
            .collect(),
    }
}

/// The work on one document.
struct Desk<'a> {
    document: &'a Document,
    findings: &'a mut Findings,
    catalogue: &'a Catalogue,
    types: &'a BTreeSet<&'a str>,
    parsed: &'a Parsed,
    counters: &'a RefCell<Counters>,
    compiled: &'a mut Compiled,
}

impl Desk<'_> {
    fn document(&mut self, tickets: &Tickets) {
        let mut places = BTreeMap::new();
        for (terms, tickets) in self.document.meters.iter().zip(&tickets.meters) {
            if places.contains_key(&terms.name.value) {
                let message = format!("there already is a meter `{}`", terms.name.value);
                self.findings.error(terms.name.place, message, None);
                continue;
            }
            let place = self.meter(terms, tickets);
            places.insert(terms.name.value.clone(), place);
        }
        let mut used = BTreeSet::new();
        for (terms, tickets) in self.document.rules.iter().zip(&tickets.rules) {
            let rule = self.rule(terms, tickets, &places);
            used.extend(rule.conditions().flat_map(|condition| condition.meters.iter().copied()));
            self.compiled.rules.push(rule);
        }
        for meter in &self.document.meters {
            if places.get(&meter.name.value).is_some_and(|place| !used.contains(place)) {
                let message = format!("no rule reads the meter `{}`", meter.name.value);
                self.findings.warn(meter.name.place, message, None);
            }
        }
    }

    fn meter(&mut self, terms: &MeterTerms, tickets: &MeterTickets) -> u32 {
        let actions = Actions::read(terms.action.as_ref(), self.catalogue, self.findings);
        let targets = Targets::read(terms.target.as_deref(), self.findings);
        let per = Per::read(&terms.per, self.findings);
        let none = BTreeMap::new();
        let names = Names {
            catalogue: self.catalogue,
            actions: &actions,
            types: self.types,
            meters: &none,
            state_allowed: false,
            shadow: self.document.mode == Mode::Shadow,
            counters: self.counters,
        };
        let when = self.condition(tickets.when, terms.when.as_ref(), Wanted::Truth, &names);
        let sum = self.condition(tickets.sum, terms.sum.as_ref(), Wanted::Number, &names);
        let identity = Identity {
            shadow: self.document.mode == Mode::Shadow,
            source: self.document.source.as_deref(),
            action: selector::written(terms.action.as_ref()),
            any_action: terms.action.is_none(),
            target: &targets,
            when: terms.when.as_ref().map(|source| source.text.as_str()),
            unless: None,
            sum: terms.sum.as_ref().map(|source| source.text.as_str()),
            within: terms.within,
            per: terms.per.iter().map(|key| key.value.as_str()).collect(),
        };
        let source = self.document.source.as_deref().map(Into::into);
        self.counter(Counter {
            name: terms.name.value.as_str().into(),
            group: identity.group(),
            identity: identity.digest(),
            shadow: self.document.mode == Mode::Shadow,
            within: terms.within,
            per,
            asks: None,
            counts: Counts::Own(Box::new(Own { source, actions, targets, when, sum })),
            on: [On::Use].into(),
            op: Op::Add,
            is_past: false,
            refund: terms.ways.refund,
            ignores_erased: terms.ways.ignores_erased,
        })
    }

    fn counter(&mut self, counter: Counter) -> u32 {
        self.counters.borrow_mut().push(counter)
    }

    fn rule(&mut self, terms: &RuleTerms, tickets: &RuleTickets, meters: &BTreeMap<String, u32>) -> Rule {
        let actions = Actions::read(terms.action.as_ref(), self.catalogue, self.findings);
        let targets = Targets::read(terms.target.as_deref(), self.findings);
        let names = Names {
            catalogue: self.catalogue,
            actions: &actions,
            types: self.types,
            meters,
            state_allowed: true,
            shadow: self.document.mode == Mode::Shadow,
            counters: self.counters,
        };
        let when = self.condition(tickets.when, terms.when.as_ref(), Wanted::Truth, &names);
        let unless = self.condition(tickets.unless, terms.unless.as_ref(), Wanted::Truth, &names);
        let limit = terms.limit.as_ref().map(|limit| self.limit(terms, limit, &targets));
        let restricts = terms.decision.is_some_and(Outcome::is_restrictive);
        let ceilings = when.iter().filter(|_| restricts).flat_map(|when| ceilings(&when.root)).collect();
        Rule {
            ceilings,
            id: RuleId::new(&self.document.name.value, &terms.id.value),
            shadow: self.document.mode == Mode::Shadow,
            source: self.document.source.as_deref().map(Into::into),
            actions,
            targets,
            when,
            unless,
            decision: terms.decision,
            severity: terms.severity,
            reason: terms.reason.clone(),
            approval: terms.approval.clone().unwrap_or_default(),
            limit,
            audit: terms.audit.clone(),
        }
    }

    fn limit(&mut self, rule: &RuleTerms, limit: &LimitTerms, targets: &Targets) -> Limit {
        let per = Per::read(&limit.per, self.findings);
        let identity = Identity {
            shadow: self.document.mode == Mode::Shadow,
            source: self.document.source.as_deref(),
            action: selector::written(rule.action.as_ref()),
            any_action: rule.action.is_none(),
            target: targets,
            when: rule.when.as_ref().map(|source| source.text.as_str()),
            unless: rule.unless.as_ref().map(|source| source.text.as_str()),
            sum: None,
            within: limit.within,
            per: limit.per.iter().map(|key| key.value.as_str()).collect(),
        };
        let counter = self.counter(Counter {
            name: format!("limit of {}", rule.id.value).into(),
            group: identity.group(),
            identity: identity.digest(),
            shadow: self.document.mode == Mode::Shadow,
            within: limit.within,
            per,
            asks: None,
            counts: Counts::Rule,
            on: [On::Use].into(),
            op: Op::Add,
            is_past: false,
            refund: limit.ways.refund,
            ignores_erased: limit.ways.ignores_erased,
        });
        let says = format!("{} in {}", limit.count, limit.within);
        Limit { count: Decimal::from(limit.count), counter, otherwise: limit.otherwise, says }
    }

    fn condition(
        &mut self,
        ticket: Option<Ticket>,
        source: Option<&Source>,
        wanted: Wanted,
        names: &Names<'_>,
    ) -> Option<Condition> {
        self.parsed.condition(ticket?, source?, wanted, names, self.findings)
    }
}

/// The meters that a restriction compares with a number as its outermost `&&` says: `meters.m > 5`, `meters.m +
/// context.amount > 5`. What they may come to is what is left of them.
fn ceilings(root: &Expr) -> Vec<(u32, Decimal)> {
    let meter = |expr: &Expr| match expr.kind {
        Kind::Meter(meter) => Some(meter),
        _ => None,
    };
    let added = |expr: &Expr| match &expr.kind {
        Kind::Binary(Operator::Add, left, right) => meter(left).or_else(|| meter(right)),
        _ => meter(expr),
    };
    let ceiling = |part: &Expr| match &part.kind {
        Kind::Binary(Operator::Greater | Operator::GreaterOrEqual, left, right) => match right.kind {
            Kind::Number(most) => Some((added(left)?, most)),
            _ => None,
        },
        _ => None,
    };
    plain::parts(root).filter_map(ceiling).collect()
}
