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
use crate::policy::condition::{Budget, Failure, Known, STEPS, View};
use crate::policy::counter::{Counter, Counts};
use crate::policy::program::Asking;
use crate::policy::rule::Rule;
use crate::policy::shape::{Keyed, Keys};
use crate::profile::Size;
use crate::risk::{self, Risk};
use std::borrow::Cow;

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
    let mut keys = Keys::new(bundle.shapes(), &call);
    let mut dues = dues_of(bundle, &mut keys, &mut asking, &counters, false);
    let left = std::mem::replace(&mut asking.budget, budget);
    candidates.extend(pending(bundle, shadow, &mut asking));
    dues.extend(dues_of(bundle, &mut keys, &mut asking, &counters, true));
    // Charges of what lies together follow one another.
    dues.sort_by_key(|due| bundle.shapes().get(due.counter).map(|shape| shape.rank));
    let (budget, shadow_budget) = (left, asking.budget);
    let (keys, reads) = reads(bundle, &candidates, &mut keys);
    let named_twice = inspect::named_twice(&call.context).map(str::to_owned);
    let bundle = bundle.digest();
    Prepared { bundle, call, readings, named_twice, risk, size, candidates, keys, reads, dues, budget, shadow_budget }
}

fn pending<'a>(bundle: &'a Bundle, places: Vec<u32>, asking: &mut Asking<'a, '_>) -> Vec<Pending> {
    places.into_iter().filter_map(|place| Pending::new(bundle, place, asking)).collect()
}

/// The counters that the candidates need, and their keys for this call: those that lie together follow one another.
fn reads(bundle: &Bundle, candidates: &[Pending], keyed: &mut Keys<'_>) -> (Vec<MeterKey>, Vec<Read>) {
    let shapes = bundle.shapes();
    let mut counters: Vec<(u32, u32)> = Vec::new();
    let mut add = |counter: u32| counters.extend(shapes.get(counter).map(|shape| (shape.rank, counter)));
    for rule in candidates.iter().filter_map(|candidate| rule_at(bundle, candidate.rule)) {
        rule.conditions().flat_map(|condition| &condition.meters).for_each(|counter| add(*counter));
        rule.limit.iter().for_each(|limit| add(limit.counter));
    }
    counters.sort_unstable();
    counters.dedup();
    let mut keys: Vec<MeterKey> = Vec::with_capacity(counters.len());
    let mut reads = Vec::with_capacity(counters.len());
    for (_, counter) in counters {
        let (Some(known), Some(shape)) = (counter_at(bundle, counter), shapes.get(counter)) else { continue };
        let Some(Keyed { key, lacks }) = keyed.asked(counter) else { continue };
        let mut position = |key: MeterKey| {
            let known = if shape.is_shared { keys.iter().position(|known| *known == key) } else { None };
            known.unwrap_or_else(|| {
                keys.push(key);
                keys.len() - 1
            })
        };
        let place = position(key);
        let doubts = (known.is_past && known.op == Op::Add).then(|| position(key.of_doubts()));
        reads.push(Read { counter, key: place, doubts, lacks });
    }
    reads.sort_unstable_by_key(|read| read.counter);
    (keys, reads)
}

/// The named meters that count this call. A condition that has no value counts the call.
fn dues_of<'a>(
    bundle: &'a Bundle,
    keys: &mut Keys<'_>,
    asking: &mut Asking<'a, '_>,
    counters: &[u32],
    shadow: bool,
) -> Vec<Due> {
    let mut dues = Vec::new();
    for place in counters.iter().copied() {
        let Some(counter) = counter_at(bundle, place).filter(|counter| counter.shadow == shadow) else { continue };
        let Counts::Own(own) = &counter.counts else { continue };
        if !own.takes_in_found(asking.call()) {
            continue;
        }
        let Some(Keyed { key, lacks: false }) = keys.counted(place) else { continue };
        let when = bundle.program().counter(place).zip(own.when.as_ref());
        let known = when.map_or(Known::True, |(clause, when)| asking.first(clause, &when.root));
        let mut due = |key: MeterKey, op: Op, amount: Result<Decimal, Why>| {
            dues.push(Due { key, counter: place, shadow: counter.shadow, op, amount });
        };
        let is_mark = counter.op != Op::Add;
        match known {
            Known::False if counter.op == Op::Last => {
                due(key, Op::Last, Ok(Decimal::ZERO));
                continue;
            }
            Known::False => continue,
            Known::True => {}
            _ if is_mark => {
                due(key, counter.op, Ok(Decimal::from(2u64)));
                continue;
            }
            _ if counter.is_past => {
                due(key.of_doubts(), Op::Add, Ok(Decimal::from(1u64)));
                continue;
            }
            _ => {}
        }
        let amount = match &own.sum {
            None => Ok(Decimal::from(1u64)),
            Some(sum) => match asking.number(&sum.root) {
                Ok(amount) if amount.is_negative() => Err(Why::Negative),
                Ok(amount) => Ok(amount),
                Err(failure) => Err(Why::Failed(failure)),
            },
        };
        due(key, counter.op, amount);
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

    /// The same; keys that lie together follow one another.
    #[must_use]
    pub fn keys(&self) -> &[MeterKey] {
        &self.keys
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
