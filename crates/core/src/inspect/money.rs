//! How much money a call moves, and in what currency.
//!
//! Exact: the number that was sent, never a converted text. An amount that is missing, is no number, or
//! is given twice with different values is `UNKNOWN`; so is one that is charged several times, or that
//! anything inside the call reaches beyond: a fee, a tip, the sum of the items. Refuses to convert between
//! currencies.

use super::Reading;
use super::arguments::{Marks, flat, has_word, object, unknown};
use crate::call::Call;
use crate::decimal::Decimal;
use crate::value::{Object, Text, Value};
use std::sync::LazyLock;

const NAMES_AMOUNT: &[&str] = &[
    "amount",
    "total",
    "totalamount",
    "amounttotal",
    "totalprice",
    "amountdue",
    "grandtotal",
    "refundamount",
    "chargeamount",
    "transferamount",
    "paymentamount",
    "price",
    "sum",
    "value",
];
/// Amounts in the smallest unit of the currency.
const NAMES_MINOR: &[&str] =
    &["amountcents", "amountincents", "cents", "amountminor", "minorunits", "amountinminorunits", "amountpence"];
const NAMES_CURRENCY: &[&str] =
    &["currency", "currencycode", "amountcurrency", "asset", "coin", "unit", "denomination"];
/// Words of names under which more money may be asked for.
const WORDS_MONEY: &[&str] = &[
    "amount",
    "total",
    "price",
    "cost",
    "fee",
    "fees",
    "tip",
    "tax",
    "surcharge",
    "shipping",
    "gratuity",
    "charge",
    "sum",
    "cents",
    "payment",
];
/// Words with which such a name speaks of something else.
const WORDS_OTHER: &[&str] = &[
    "original",
    "previous",
    "old",
    "max",
    "min",
    "maximum",
    "minimum",
    "limit",
    "balance",
    "before",
    "remaining",
    "available",
    "id",
    "ids",
    "count",
    "date",
    "type",
    "method",
    "status",
    "number",
];
/// How many times something is charged.
const NAMES_TIMES: &[&str] = &[
    "quantity",
    "qty",
    "count",
    "times",
    "repeat",
    "repetitions",
    "multiplier",
    "units",
    "installments",
    "occurrences",
    "seats",
    "iterations",
];
/// Members that say nothing about this payment.
const NAMES_OPAQUE: &[&str] = &["metadata", "tags", "description", "note", "reason", "customer", "account", "user"];
/// Currencies without a smaller unit, in which the smallest unit is the unit.
const WITHOUT_CENTS: &[&str] =
    &["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"];

const AMOUNT: u32 = 1;
const MINOR: u32 = 2;
const CURRENCY: u32 = 4;
const TIMES: u32 = 8;
const OPAQUE: u32 = 16;

static MARKS: LazyLock<Marks> = LazyLock::new(|| {
    Marks::of(&[
        (AMOUNT, NAMES_AMOUNT),
        (MINOR, NAMES_MINOR),
        (CURRENCY, NAMES_CURRENCY),
        (TIMES, NAMES_TIMES),
        (OPAQUE, NAMES_OPAQUE),
    ])
});

/// A member of an object and what the tables say of its name.
struct Member<'a> {
    name: &'a str,
    marks: u32,
    value: &'a Value,
}

impl<'a> Member<'a> {
    fn all_of(object: &'a Object) -> Vec<Self> {
        object.iter().map(|(name, value)| Self { name, marks: marks(name), value }).collect()
    }

    fn is(&self, mark: u32) -> bool {
        self.marks & mark != 0
    }
}

fn marks(name: &str) -> u32 {
    let flat = flat(name);
    let currency = if flat.as_bytes().windows(8).any(|part| part == b"currency") { CURRENCY } else { 0 };
    MARKS.get(&flat) | currency
}

/// The one value that all name; none if they differ, if one cannot be read, or if there is none.
struct Agreed<T> {
    first: Option<Option<T>>,
    differs: bool,
}

impl<T: PartialEq> Agreed<T> {
    const fn new() -> Self {
        Self { first: None, differs: false }
    }

    fn add(&mut self, value: Option<T>) {
        match &self.first {
            None => self.first = Some(value),
            Some(first) => self.differs |= *first != value,
        }
    }

    fn is_named(&self) -> bool {
        self.first.is_some()
    }

    fn value(self) -> Option<T> {
        self.first.flatten().filter(|_| !self.differs)
    }
}

struct Seen {
    count: usize,
    amounts: Agreed<Decimal>,
    minor: Vec<Option<Decimal>>,
}

pub(super) fn read(call: &Call) -> Reading {
    let all = Member::all_of(&call.context);
    let mut seen = Seen { count: 0, amounts: Agreed::new(), minor: Vec::new() };
    seen.members(&all, 0);
    let mut currencies = Agreed::new();
    each(&all, &mut |member| {
        if member.is(CURRENCY) {
            currencies.add(currency(member.value));
        }
    });
    let is_named = currencies.is_named();
    let currency = currencies.value();
    let whole = currency.as_ref().is_some_and(|code| WITHOUT_CENTS.contains(&code.as_str()));
    let scale = Decimal::from(if whole { 1u64 } else { 100 });
    let Seen { mut amounts, minor, .. } = seen;
    for amount in minor {
        amounts.add(amount.and_then(|amount| amount.checked_div(scale).ok()));
    }
    let amount = amounts.value().filter(|amount| !reaches_beyond(&all, *amount));
    let mut members = object([("amount", amount.map_or_else(unknown, Value::Number))]);
    if is_named {
        members.insert("currency", currency.map_or_else(unknown, Value::Text));
    }
    Reading::Object(members)
}

/// Every member, and those inside of what is not opaque.
fn each<'a>(members: &[Member<'a>], visit: &mut dyn FnMut(&Member<'a>)) {
    for member in members {
        visit(member);
        if !member.is(OPAQUE) {
            each_inside(member.value, visit);
        }
    }
}

fn each_inside<'a>(value: &'a Value, visit: &mut dyn FnMut(&Member<'a>)) {
    match value {
        Value::Object(inner) => each(&Member::all_of(inner), visit),
        Value::List(items) => items.iter().for_each(|item| each_inside(item, visit)),
        _ => {}
    }
}

/// Whether anything in the call asks for more than the amount says.
fn reaches_beyond(all: &[Member<'_>], amount: Decimal) -> bool {
    let mut beyond = false;
    each(all, &mut |member| {
        if let (Value::List(items), false) = (member.value, member.is(OPAQUE)) {
            beyond |= sum(items).is_none_or(|sum| sum > amount);
        }
    });
    beyond || more(all, amount, false)
}

/// Amounts under other names, and multipliers, outside of lists of items.
fn more(members: &[Member<'_>], amount: Decimal, inside: bool) -> bool {
    members.iter().filter(|member| !member.is(OPAQUE)).any(|member| {
        let times = member.is(TIMES);
        let money = || is_money(member.name) || (inside && member.is(AMOUNT));
        match member.value {
            Value::Null => false,
            Value::Number(number) if times => *number != Decimal::from(1u64),
            Value::Number(number) if member.is(MINOR) && !inside => number.is_negative(),
            Value::Number(number) => *number > amount && money(),
            Value::Object(inner) => more(&Member::all_of(inner), amount, true),
            Value::List(items) => {
                let exceeds = |item: &Value| item.as_number().is_some_and(|number| number > amount);
                times || items.iter().any(exceeds) && money()
            }
            _ => times,
        }
    })
}

fn is_money(name: &str) -> bool {
    let word = |table: &[&str]| has_word(name, table) || has_word(name.trim_end_matches(char::is_numeric), table);
    word(WORDS_MONEY) && !word(WORDS_OTHER)
}

/// What the items of a list come to, each as often as it says; `None` if one cannot be told.
fn sum(items: &[Value]) -> Option<Decimal> {
    let zero = Decimal::from(0u64);
    items.iter().try_fold(zero, |sum, item| {
        let worth = match item {
            Value::Object(members) => worth(members)?,
            Value::List(inner) => self::sum(inner)?,
            _ => zero,
        };
        sum.checked_add(worth).ok()
    })
}

fn worth(object: &Object) -> Option<Decimal> {
    let zero = Decimal::from(0u64);
    let (mut single, mut whole, mut times, mut inside) = (zero, zero, Decimal::from(1u64), zero);
    for member in Member::all_of(object) {
        if member.is(OPAQUE) {
            continue;
        }
        let unit = || matches!(&*flat(member.name), "price" | "unitamount" | "unitprice" | "unitcost");
        let amount = || member.is(AMOUNT) || is_money(member.name);
        match member.value {
            Value::Number(number) if member.is(TIMES) => times = times.max(*number),
            Value::Number(number) if unit() => single = single.max(*number),
            Value::Number(number) if amount() => whole = whole.max(*number),
            Value::Object(inner) => inside = inside.checked_add(worth(inner)?).ok()?,
            Value::List(items) => inside = inside.checked_add(sum(items)?).ok()?,
            Value::Text(_) | Value::Bool(_) if member.is(TIMES) || amount() => return None,
            _ => {}
        }
    }
    // A line that gives its price for one and its whole is worth the larger of both.
    let whole = if single > zero { whole } else { whole.checked_mul(times).ok()? };
    let single = single.checked_mul(times).ok()?;
    let inside = inside.checked_mul(times).ok()?;
    single.max(whole).checked_add(inside).ok()
}

impl Seen {
    fn members(&mut self, members: &[Member<'_>], depth: usize) {
        for member in members {
            if member.is(MINOR) {
                self.count += 1;
                self.minor.push(member.value.as_number());
            } else if member.is(AMOUNT) {
                self.amount(member.value, depth);
            }
        }
    }

    /// A number, or `{"value": 5, "currency": "EUR"}`.
    fn amount(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Object(inner) if depth < 2 => {
                let before = self.count;
                self.members(&Member::all_of(inner), depth + 1);
                if self.count == before {
                    self.one(None);
                }
            }
            other => self.one(other.as_number()),
        }
    }

    fn one(&mut self, amount: Option<Decimal>) {
        self.count += 1;
        self.amounts.add(amount);
    }
}

/// A code of three letters, upper case.
fn currency(value: &Value) -> Option<Text> {
    let code = value.as_text()?.trim();
    (code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_alphabetic()))
        .then(|| code.chars().map(|letter| letter.to_ascii_uppercase()).collect())
}

#[cfg(test)]
mod tests;
