//! How much money a call moves, and in what currency.
//!
//! Exact: the number that was sent, never a converted text. An amount that is missing, is no number, or
//! is given twice with different values is `UNKNOWN`; so is one that is charged several times, or that
//! anything inside the call reaches beyond: a fee, a tip, the sum of the items. Refuses to convert between
//! currencies.

use super::Reading;
use super::arguments::{each_member, flat, has_word, object, unknown};
use crate::call::Call;
use crate::decimal::Decimal;
use crate::value::{Object, Value};

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

#[derive(Default)]
struct Seen {
    amounts: Vec<Option<Decimal>>,
    minor: Vec<Option<Decimal>>,
    currencies: Vec<Option<String>>,
}

pub(super) fn read(call: &Call) -> Reading {
    let mut seen = Seen::default();
    seen.members(&call.context, 0);
    each_member(&call.context, &is_opaque, &mut |name, value| {
        if NAMES_CURRENCY.contains(&name) || name.contains("currency") {
            seen.currencies.push(currency(value));
        }
    });
    let currency = agreed(&seen.currencies);
    let whole = currency.as_ref().is_some_and(|code| WITHOUT_CENTS.contains(&code.as_str()));
    let scale = Decimal::from(if whole { 1u64 } else { 100 });
    let minor = seen.minor.iter().map(|amount| amount.and_then(|amount| amount.checked_div(scale).ok()));
    let amounts: Vec<Option<Decimal>> = seen.amounts.iter().copied().chain(minor).collect();
    let amount = agreed(&amounts).filter(|amount| !reaches_beyond(&call.context, *amount));
    let mut members = object([("amount", amount.map_or_else(unknown, Value::Number))]);
    if !seen.currencies.is_empty() {
        members.insert("currency".to_owned(), currency.map_or_else(unknown, Value::Text));
    }
    Reading::Object(members)
}

/// Whether anything in the call asks for more than the amount says.
fn reaches_beyond(context: &Object, amount: Decimal) -> bool {
    let mut beyond = false;
    each_member(context, &is_opaque, &mut |name, value| {
        if let (Value::List(items), false) = (value, is_opaque(name)) {
            beyond |= sum(items).is_none_or(|sum| sum > amount);
        }
    });
    beyond || more(context, amount, false)
}

fn is_opaque(name: &str) -> bool {
    NAMES_OPAQUE.contains(&name)
}

/// Amounts under other names, and multipliers, outside of lists of items.
fn more(members: &Object, amount: Decimal, inside: bool) -> bool {
    members.iter().any(|(name, value)| {
        let flat = flat(name);
        if is_opaque(&flat) {
            return false;
        }
        let times = NAMES_TIMES.contains(&&*flat);
        let money = is_money(name) || (inside && NAMES_AMOUNT.contains(&&*flat));
        let minor = NAMES_MINOR.contains(&&*flat);
        match value {
            Value::Null => false,
            Value::Number(number) if times => *number != Decimal::from(1u64),
            Value::Number(number) if minor && !inside => number.is_negative(),
            Value::Number(number) => money && *number > amount,
            Value::Object(inner) => more(inner, amount, true),
            Value::List(items) => {
                times || items.iter().any(|item| money && item.as_number().is_some_and(|number| number > amount))
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

fn worth(members: &Object) -> Option<Decimal> {
    let zero = Decimal::from(0u64);
    let (mut single, mut whole, mut times, mut inside) = (zero, zero, Decimal::from(1u64), zero);
    for (name, value) in members {
        let flat = flat(name);
        if is_opaque(&flat) {
            continue;
        }
        let unit = matches!(&*flat, "price" | "unitamount" | "unitprice" | "unitcost");
        let amount = NAMES_AMOUNT.contains(&&*flat) || is_money(name);
        match value {
            Value::Number(number) if NAMES_TIMES.contains(&&*flat) => times = times.max(*number),
            Value::Number(number) if unit => single = single.max(*number),
            Value::Number(number) if amount => whole = whole.max(*number),
            Value::Object(inner) => inside = inside.checked_add(worth(inner)?).ok()?,
            Value::List(items) => inside = inside.checked_add(sum(items)?).ok()?,
            Value::Text(_) | Value::Bool(_) if amount || NAMES_TIMES.contains(&&*flat) => return None,
            _ => {}
        }
    }
    // A line that gives its price for one and its whole is worth the larger of both.
    let whole = if single > zero { whole } else { whole.checked_mul(times).ok()? };
    let single = single.checked_mul(times).ok()?;
    let inside = inside.checked_mul(times).ok()?;
    single.max(whole).checked_add(inside).ok()
}

/// The one value that all name; none if they differ, if one cannot be read, or if there is none.
fn agreed<T: Clone + PartialEq>(values: &[Option<T>]) -> Option<T> {
    let first = values.first()?.as_ref()?;
    values.iter().all(|value| value.as_ref() == Some(first)).then(|| first.clone())
}

impl Seen {
    fn members(&mut self, members: &Object, depth: usize) {
        for (name, value) in members {
            let name = flat(name);
            if NAMES_MINOR.contains(&&*name) {
                self.minor.push(value.as_number());
            } else if NAMES_AMOUNT.contains(&&*name) {
                self.amount(value, depth);
            }
        }
    }

    /// A number, or `{"value": 5, "currency": "EUR"}`.
    fn amount(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Object(inner) if depth < 2 => {
                let before = self.amounts.len() + self.minor.len();
                self.members(inner, depth + 1);
                if self.amounts.len() + self.minor.len() == before {
                    self.amounts.push(None);
                }
            }
            other => self.amounts.push(other.as_number()),
        }
    }
}

/// A code of three letters, upper case.
fn currency(value: &Value) -> Option<String> {
    let code = value.as_text()?.trim();
    (code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_alphabetic())).then(|| code.to_ascii_uppercase())
}

#[cfg(test)]
mod tests;
