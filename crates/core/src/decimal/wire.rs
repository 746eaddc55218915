//! A decimal in records and snapshots is text: JSON readers elsewhere would round it.

use super::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match small_text(*self, &mut [0; SMALL]) {
            Some(text) => serializer.serialize_str(text),
            None => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text)
    }
}

struct Text;

impl serde::de::Visitor<'_> for Text {
    type Value = Decimal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a decimal as text")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Decimal, E> {
        text.parse().map_err(E::custom)
    }
}

/// Room for a coefficient of 64 bits, twenty zeros, a point and a sign.
pub(super) const SMALL: usize = 48;

/// The text of nearly every number there is, without asking for memory: records are full of them.
pub(super) fn small_text(value: Decimal, buffer: &mut [u8; SMALL]) -> Option<&str> {
    let mut digits = u64::try_from(value.coefficient.unsigned_abs()).ok()?;
    let places = usize::try_from(value.exponent.unsigned_abs()).ok().filter(|places| *places <= 20)?;
    let mut begin = buffer.len();
    let mut put = |byte: u8| -> Option<()> {
        begin = begin.checked_sub(1)?;
        *buffer.get_mut(begin)? = byte;
        Some(())
    };
    // From the last digit to the first.
    let mut next = || {
        let digit = u8::try_from(digits % 10).unwrap_or(0);
        digits /= 10;
        (b'0' + digit, digits > 0)
    };
    for _ in 0..places {
        put(if value.exponent > 0 { b'0' } else { next().0 })?;
    }
    if value.exponent < 0 {
        put(b'.')?;
    }
    loop {
        let (digit, is_more) = next();
        put(digit)?;
        if !is_more {
            break;
        }
    }
    if value.coefficient < 0 {
        put(b'-')?;
    }
    std::str::from_utf8(buffer.get(begin..)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_number_is_written_as_any_other() {
        let texts = [
            "0",
            "7",
            "120",
            "-120",
            "0.001",
            "-0.5",
            "12.34",
            "999999999999.74",
            "18446744073709551615",
            "1000000000000",
            "0.00000000000000000001",
            "-1.8446744073709551615",
            "100000000000000000000",
        ];
        for text in texts {
            let value: Decimal = text.parse().unwrap();
            assert_eq!(small_text(value, &mut [0; SMALL]), Some(text));
        }
        for text in ["18446744073709551616", "0.000000000000000000001", "1e21"] {
            assert_eq!(small_text(text.parse().unwrap(), &mut [0; SMALL]), None, "{text}");
        }
    }
}
