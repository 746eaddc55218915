//! The canonical writer: RFC 8785 (JCS).
//!
//! Object keys in UTF-16 order, ECMAScript numbers, the shortest legal string escapes, no white space.
//! A number that came from the reader is written as every JCS writer would write it. A number that no
//! double holds (a long sum) is written in the same form with all its digits, never rounded; such
//! values belong on the record as text.

use crate::decimal::Decimal;
use crate::value::{Object, Text, Value};

/// Appends the canonical bytes of `value` to `out`.
pub fn write_canonical(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => write_number(*number, out),
        Value::Text(text) => write_text(text, out),
        Value::List(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_canonical(item, out);
            }
            out.push(b']');
        }
        Value::Object(members) => write_object(members, out),
    }
}

pub(super) fn write_object(members: &Object, out: &mut Vec<u8>) {
    out.push(b'{');
    // The map is in code point order. UTF-16 order differs only where a character from U+E000 up meets
    // one beyond U+FFFF; both have a first byte from 0xEE up.
    if members.keys().all(|key| key.bytes().all(|byte| byte < 0xEE)) {
        write_members(members.iter(), out);
    } else {
        let mut sorted: Vec<_> = members.iter().collect();
        sorted.sort_by(|(left, _), (right, _)| left.encode_utf16().cmp(right.encode_utf16()));
        write_members(sorted.into_iter(), out);
    }
    out.push(b'}');
}

fn write_members<'a>(members: impl Iterator<Item = (&'a Text, &'a Value)>, out: &mut Vec<u8>) {
    for (index, (key, value)) in members.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_text(key, out);
        out.push(b':');
        write_canonical(value, out);
    }
}

/// A quoted string.
pub fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some((plain, tail)) = rest.split_at_checked(super::plain_length(rest)) {
        out.extend_from_slice(plain);
        let Some((special, tail)) = tail.split_first() else { break };
        match special {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x09 => out.extend_from_slice(b"\\t"),
            0x0a => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            0x0d => out.extend_from_slice(b"\\r"),
            other => {
                out.extend_from_slice(b"\\u00");
                out.extend([other >> 4, other & 15].map(|half| if half < 10 { b'0' + half } else { b'a' + half - 10 }));
            }
        }
        rest = tail;
    }
    out.push(b'"');
}

/// A number by the rules of ECMAScript `Number::toString` (ECMA-262 §6.1.6.1.20).
pub fn write_number(number: Decimal, out: &mut Vec<u8>) {
    let (coefficient, exponent) = number.parts();
    if coefficient < 0 {
        out.push(b'-');
    }
    let mut buffer = [0; 40];
    let digits = decimal_digits(coefficient.unsigned_abs(), &mut buffer);
    let count = digits.len();
    let point = i64::try_from(count).unwrap_or(0) + i64::from(exponent);
    match point {
        _ if exponent >= 0 && point <= 21 => {
            out.extend_from_slice(digits);
            zeros(point.unsigned_abs().saturating_sub(count as u64), out);
        }
        1..=21 => {
            let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or(0).min(count));
            out.extend_from_slice(whole);
            out.push(b'.');
            out.extend_from_slice(fraction);
        }
        -5..=0 => {
            out.extend_from_slice(b"0.");
            zeros(point.unsigned_abs(), out);
            out.extend_from_slice(digits);
        }
        _ => {
            let (first, rest) = digits.split_at(1.min(count));
            out.extend_from_slice(first);
            if !rest.is_empty() {
                out.push(b'.');
                out.extend_from_slice(rest);
            }
            out.extend_from_slice(if point > 0 { b"e+" } else { b"e-" });
            let mut buffer = [0; 40];
            out.extend_from_slice(decimal_digits(u128::from((point - 1).unsigned_abs()), &mut buffer));
        }
    }
}

fn zeros(count: u64, out: &mut Vec<u8>) {
    for _ in 0..count {
        out.push(b'0');
    }
}

/// Digits of `value` without leading zeros, written at the end of `buffer`.
fn decimal_digits(value: u128, buffer: &mut [u8; 40]) -> &[u8] {
    let mut start = buffer.len();
    let mut rest = value;
    for slot in buffer.iter_mut().rev() {
        // Nearly all numbers fit 64 bits, where division is cheap.
        let (quotient, digit) = match u64::try_from(rest) {
            Ok(small) => (u128::from(small / 10), small % 10),
            Err(_) => (rest / 10, u64::try_from(rest % 10).unwrap_or(0)),
        };
        *slot = b'0' + u8::try_from(digit).unwrap_or(0);
        start -= 1;
        rest = quotient;
        if rest == 0 {
            break;
        }
    }
    buffer.get(start..).unwrap_or_default()
}
