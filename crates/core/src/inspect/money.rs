//! How much money a call moves, and in what currency.
//!
//! Exact: the number that was sent, never a converted text. An amount that is missing, is no number, or
//! is given twice with different values is `UNKNOWN`. Refuses to convert between currencies.

use super::Reading;
use super::arguments::{flat, object, unknown};
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
const NAMES_CURRENCY: &[&str] = &["currency", "currencycode", "amountcurrency"];
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
    let currency = agreed(&seen.currencies);
    let whole = currency.as_ref().is_some_and(|code| WITHOUT_CENTS.contains(&code.as_str()));
    let scale = Decimal::from(if whole { 1u64 } else { 100 });
    let minor = seen.minor.iter().map(|amount| amount.and_then(|amount| amount.checked_div(scale).ok()));
    let amounts: Vec<Option<Decimal>> = seen.amounts.iter().copied().chain(minor).collect();
    let mut members = object([("amount", agreed(&amounts).map_or_else(unknown, Value::Number))]);
    if !seen.currencies.is_empty() {
        members.insert("currency".to_owned(), currency.map_or_else(unknown, Value::Text));
    }
    Reading::Object(members)
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
            if NAMES_CURRENCY.contains(&&*name) {
                self.currencies.push(currency(value));
            } else if NAMES_MINOR.contains(&&*name) {
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
