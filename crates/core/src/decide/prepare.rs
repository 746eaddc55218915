//! Everything about a decision that needs only the call: risk, candidate rules, conditions without
//! state, keys of meters, amounts of charges.

use super::facts::Facts;
use super::pending::Pending;
use crate::call::Call;
use crate::decimal::Decimal;
use crate::digest::Digest;
use crate::inspect::{self, Readings};
use crate::meter::{MeterKey, MeterValue, Op, largest};
use crate::policy::Bundle;
use crate::policy::condition::evaluate;
use crate::policy::condition::{Budget, Failure, Known, STEPS, View};
use crate::policy::counter::{Counter, Counts};
use crate::policy::program::Asking;
use crate::policy::rule::Rule;
use crate::profile::Size;
use crate::risk::{self, Risk};
use std::borrow::Cow;
use std::collections::HashMap;

/// A call ready to be decided under the bundle it was prepared with.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub(super) bundle: Digest,
    pub(super) call: Call,
    pub(super) readings: Readings,
    /// An argument that the call has under two spellings.
    pub(super) named_twice: Option<String>,
    /// What the call alone gives.
    pub(super) risk: Risk,
    size: Option<Size>,
    pub(super) candidates: Vec<Pending>,
    /// Meters to read, each once; `Facts::meters` is in this order.
    keys: Vec<MeterKey>,
    /// Which counter of the bundle is read at which of the keys; ascending.
    pub(super) reads: Vec<Read>,
    pub(super) dues: Vec<Due>,
    /// Steps left for conditions that need state.
    pub(super) budget: Budget,
    /// Those of shadow rules, which take no step from the others.
    pub(super) shadow_budget: Budget,
}

/// A counter that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Read {
    /// Its place in the bundle.
    pub counter: u32,
    /// The place of its key.
    pub key: usize,
    /// The place of the key that tells whether anything could not be judged.
    pub doubts: Option<usize>,
    /// The call lacks something by which past calls would belong to it.
    pub lacks: bool,
}

/// What a named meter, or a condition about the past, keeps of this call.
#[derive(Clone, Debug)]
pub(super) struct Due {
    pub key: MeterKey,
    /// The counter's place in the bundle.
    pub counter: u32,
    pub shadow: bool,
    pub op: Op,
    pub amount: Result<Decimal, Why>,
}

/// Why a meter cannot tell how much a call adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    Failed(Failure),
    Negative,
}

/// Prepares a call whose payload has been read (`inspect::read_all`). Pure and total.
#[must_use]
pub fn prepare(bundle: &Bundle, call: Call, readings: Readings) -> Prepared {
    prepare_within(bundle, call, readings, Budget(STEPS))
}

/// Prepares with another budget than every request has.
pub(super) fn prepare_within(bundle: &Bundle, call: Call, readings: Readings, budget: Budget) -> Prepared {
    let risk = risk::score(&call, bundle.catalogue(), bundle.weights());
    let size = risk::measure(&call, &readings, bundle.catalogue());
    let view = View { call: &call, readings: &readings, risk: &risk, settings: bundle.settings(), state: None };
    let mut asking = Asking::new(bundle.program(), &view, budget);
    let places = bundle.program().rules(&mut asking);
    let counters = bundle.program().counters(&mut asking);
    let is_shadow = |place: &u32| rule_at(bundle, *place).is_some_and(|rule| rule.shadow);
    let (shadow, enforcing): (Vec<u32>, Vec<u32>) = places.into_iter().partition(is_shadow);
    // What is enforced comes first: whatever is in shadow can neither use up its steps nor pay for them.
    let mut candidates = pending(bundle, enforcing, &mut asking);
    let mut dues = dues_of(bundle, &view, &mut asking, &counters, false);
    let left = std::mem::replace(&mut asking.budget, budget);
    candidates.extend(pending(bundle, shadow, &mut asking));
    dues.extend(dues_of(bundle, &view, &mut asking, &counters, true));
    let (budget, shadow_budget) = (left, asking.budget);
    let (keys, reads) = reads(bundle, &candidates, &call);
    let named_twice = inspect::named_twice(&call.context).map(str::to_owned);
    let bundle = bundle.digest();
    Prepared { bundle, call, readings, named_twice, risk, size, candidates, keys, reads, dues, budget, shadow_budget }
}

fn pending<'a>(bundle: &'a Bundle, places: Vec<u32>, asking: &mut Asking<'a, '_>) -> Vec<Pending> {
    places.into_iter().filter_map(|place| Pending::new(bundle, place, asking)).collect()
}

/// The counters that the candidates need, and their keys for this call.
fn reads(bundle: &Bundle, candidates: &[Pending], call: &Call) -> (Vec<MeterKey>, Vec<Read>) {
    let mut counters: Vec<u32> = Vec::new();
    for rule in candidates.iter().filter_map(|candidate| rule_at(bundle, candidate.rule)) {
        counters.extend(rule.conditions().flat_map(|condition| condition.meters.iter().copied()));
        counters.extend(rule.limit.as_ref().map(|limit| limit.counter));
    }
    counters.sort_unstable();
    counters.dedup();
    let mut keys: Vec<MeterKey> = Vec::with_capacity(counters.len());
    let mut reads = Vec::with_capacity(counters.len());
    let mut places: HashMap<MeterKey, usize> = HashMap::new();
    for counter in counters {
        let Some(known) = counter_at(bundle, counter) else { continue };
        let mut position = |key: MeterKey| {
            let position = places.get(&key).copied().unwrap_or(keys.len());
            if position == keys.len() {
                keys.push(key);
                places.insert(key, position);
            }
            position
        };
        let read = known.key_read(call);
        let key = position(read);
        let doubts = (known.is_past && known.op == Op::Add).then(|| position(read.of_doubts()));
        reads.push(Read { counter, key, doubts, lacks: known.lacks(call, true) });
    }
    (keys, reads)
}

/// The named meters that count this call. A condition that has no value counts the call.
fn dues_of<'a>(
    bundle: &'a Bundle,
    view: &View<'a>,
    asking: &mut Asking<'a, '_>,
    counters: &[u32],
    shadow: bool,
) -> Vec<Due> {
    let mut dues = Vec::new();
    for place in counters.iter().copied() {
        let Some(counter) = counter_at(bundle, place).filter(|counter| counter.shadow == shadow) else { continue };
        let Counts::Own(own) = &counter.counts else { continue };
        if !own.takes_in(view.call) || counter.lacks(view.call, false) {
            continue;
        }
        let when = bundle.program().counter(place).zip(own.when.as_ref());
        let known = when.map_or(Known::True, |(clause, when)| asking.first(clause, &when.root));
        let mut due = |key: MeterKey, op: Op, amount: Result<Decimal, Why>| {
            dues.push(Due { key, counter: place, shadow: counter.shadow, op, amount });
        };
        let is_mark = counter.op != Op::Add;
        match known {
            Known::False if counter.op == Op::Last => {
                due(counter.key(view.call), Op::Last, Ok(Decimal::ZERO));
                continue;
            }
            Known::False => continue,
            Known::True => {}
            _ if is_mark => {
                due(counter.key(view.call), counter.op, Ok(Decimal::from(2u64)));
                continue;
            }
            _ if counter.is_past => {
                due(counter.key(view.call).of_doubts(), Op::Add, Ok(Decimal::from(1u64)));
                continue;
            }
            _ => {}
        }
        let amount = match &own.sum {
            None => Ok(Decimal::from(1u64)),
            Some(sum) => match evaluate::number(&sum.root, view, &mut asking.budget) {
                Ok(amount) if amount.is_negative() => Err(Why::Negative),
                Ok(amount) => Ok(amount),
                Err(failure) => Err(Why::Failed(failure)),
            },
        };
        due(counter.key(view.call), counter.op, amount);
    }
    dues
}

pub(super) fn rule_at(bundle: &Bundle, place: u32) -> Option<&Rule> {
    bundle.rules().get(usize::try_from(place).ok()?)
}

pub(super) fn counter_at(bundle: &Bundle, place: u32) -> Option<&Counter> {
    bundle.counters().get(usize::try_from(place).ok()?)
}

impl Read {
    /// `None` if it was not read.
    fn value(&self, bundle: &Bundle, facts: &Facts) -> Option<MeterValue> {
        let value = *facts.meters.get(self.key)?;
        let MeterValue::Ready(amount) = value else { return Some(value) };
        if !counter_at(bundle, self.counter)?.is_past {
            return Some(value);
        }
        let doubts = match self.doubts {
            Some(place) => *facts.meters.get(place)?,
            // A mark is 0 or 1.
            None => MeterValue::Ready(if amount > Decimal::from(1u64) { amount } else { Decimal::ZERO }),
        };
        Some(match doubts {
            MeterValue::Ready(none) if none.is_zero() && amount < largest() && !self.lacks => value,
            MeterValue::Filling => MeterValue::Filling,
            _ => MeterValue::Doubtful,
        })
    }
}

impl Prepared {
    /// The meters to read for `Facts::meters`, in this order.
    pub fn meter_keys(&self) -> impl ExactSizeIterator<Item = &MeterKey> {
        self.keys.iter()
    }

    /// The key at which this counter of the bundle is read, if it is read.
    pub(super) fn key_of(&self, counter: u32) -> Option<MeterKey> {
        let position = self.reads.binary_search_by_key(&counter, |read| read.counter).ok()?;
        self.keys.get(self.reads.get(position)?.key).copied()
    }

    /// What the counters that are read say, by their place in the bundle.
    pub(super) fn values(&self, bundle: &Bundle, facts: &Facts) -> Vec<(u32, MeterValue)> {
        self.reads.iter().filter_map(|read| Some((read.counter, read.value(bundle, facts)?))).collect()
    }

    #[must_use]
    pub fn call(&self) -> &Call {
        &self.call
    }

    #[must_use]
    pub fn readings(&self) -> &Readings {
        &self.readings
    }

    /// The risk of the call alone.
    #[must_use]
    pub fn risk(&self) -> &Risk {
        &self.risk
    }

    /// The risk of the call where these are the facts.
    #[must_use]
    pub fn risk_with(&self, bundle: &Bundle, facts: &Facts) -> Cow<'_, Risk> {
        match &facts.usual {
            None => Cow::Borrowed(&self.risk),
            Some(usual) => Cow::Owned(risk::with_profile(&self.risk, usual, bundle.weights())),
        }
    }

    /// How large the call is, for the profile of its agent.
    #[must_use]
    pub fn size(&self) -> Option<Size> {
        self.size
    }

    /// The bundle the call was prepared under.
    #[must_use]
    pub fn bundle(&self) -> Digest {
        self.bundle
    }

    /// Whether any rule about the call waits for time or meters.
    #[must_use]
    pub fn needs_state(&self) -> bool {
        !self.keys.is_empty() || self.candidates.iter().any(Pending::waits)
    }
}
