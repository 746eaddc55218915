//! Currency codes: ISO 4217 as of 2025, and the tokens that payment systems name likewise.

use super::super::logic::Literal;
use crate::policy::finding::nearest;

const CODES: &[&str] = &[
    "AED", "AFN", "ALL", "AMD", "ANG", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN", "BHD", "BIF",
    "BMD", "BND", "BOB", "BOV", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHE", "CHF", "CHW", "CLF",
    "CLP", "CNH", "CNY", "COP", "COU", "CRC", "CUC", "CUP", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD", "EGP", "ERN",
    "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HRK", "HTG",
    "HUF", "IDR", "ILS", "INR", "IQD", "IRR", "ISK", "JMD", "JOD", "JPY", "KES", "KGS", "KHR", "KMF", "KPW", "KRW",
    "KWD", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD", "LSL", "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP",
    "MRU", "MUR", "MVR", "MWK", "MXN", "MXV", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB",
    "PEN", "PGK", "PHP", "PKR", "PLN", "PYG", "QAR", "RON", "RSD", "RUB", "RWF", "SAR", "SBD", "SCR", "SDG", "SEK",
    "SGD", "SHP", "SLE", "SLL", "SOS", "SRD", "SSP", "STN", "SVC", "SYP", "SZL", "THB", "TJS", "TMT", "TND", "TOP",
    "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "USN", "UYI", "UYU", "UYW", "UZS", "VED", "VES", "VND", "VUV",
    "WST", "XAF", "XAG", "XAU", "XBA", "XBB", "XBC", "XBD", "XCD", "XCG", "XDR", "XOF", "XPD", "XPF", "XPT", "XSU",
    "XTS", "XUA", "XXX", "YER", "ZAR", "ZMW", "ZWG", "ZWL", "BTC", "ETH", "SOL", "XRP", "USDC", "USDT", "DAI", "EURC",
    "PYUSD",
];

/// Why a literal is no currency, as advice. A reading has three letters in upper case; what callers send may be in
/// any case.
#[must_use]
pub fn doubt(literal: Literal<'_>, is_read: bool) -> Option<String> {
    let Literal::Text(text) = literal else { return None };
    let upper = text.to_ascii_uppercase();
    if is_read && (text.len() != 3 || text != upper) {
        let help = CODES.contains(&upper.as_str()).then(|| format!("write `{upper}`"));
        return help.or_else(|| Some("it is read as three letters in upper case".to_owned()));
    }
    if CODES.contains(&upper.as_str()) {
        return None;
    }
    let near = nearest(&upper, CODES.iter().copied());
    near.or_else(|| Some("write the three letters of ISO 4217".to_owned()))
}
