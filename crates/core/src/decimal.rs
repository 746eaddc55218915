//! The one number type: an exact decimal of at most 34 significant digits.
//!
//! A number read from JSON, a literal in a condition and a meter are all the same type, so
//! `0.2 + 0.1 == 0.3` and a threshold of 500 means 500. Nothing is ever rounded: an operation whose
//! exact result does not fit is an error, never an approximation.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

mod wire;

/// Significant digits a value may have, as in IEEE 754 decimal128.
pub const MAX_DIGITS: u32 = 34;
/// Largest absolute exponent; beyond any JSON number that a double can hold.
const MAX_EXPONENT: i32 = 6_200;
const LIMIT: u128 = 10u128.pow(MAX_DIGITS);

/// `coefficient × 10^exponent`.
///
/// INVARIANT: the coefficient has at most 34 digits and no trailing zero; zero is `0 × 10^0`. So
/// equal values have equal fields, and `Eq` and `Hash` may be derived.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Decimal {
    coefficient: i128,
    exponent: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    #[error("not a number")]
    Malformed,
    #[error("more than 34 digits")]
    TooLong,
    #[error("division by zero")]
    DivisionByZero,
}

impl Decimal {
    pub const ZERO: Self = Self { coefficient: 0, exponent: 0 };

    /// `coefficient × 10^exponent`, refused if it needs more than 34 digits.
    pub fn new(coefficient: i128, exponent: i32) -> Result<Self, DecimalError> {
        Self::from_parts(coefficient < 0, coefficient.unsigned_abs(), i64::from(exponent))
    }

    fn from_parts(negative: bool, mut magnitude: u128, mut exponent: i64) -> Result<Self, DecimalError> {
        if magnitude == 0 {
            return Ok(Self::ZERO);
        }
        // Nearly every magnitude fits 64 bits, where division is ten times cheaper.
        if let Ok(mut small) = u64::try_from(magnitude) {
            while small.is_multiple_of(10) {
                small /= 10;
                exponent += 1;
            }
            magnitude = u128::from(small);
        } else {
            while magnitude.is_multiple_of(10) {
                magnitude /= 10;
                exponent += 1;
            }
            if magnitude >= LIMIT {
                return Err(DecimalError::TooLong);
            }
        }
        let exponent = i32::try_from(exponent).map_err(|_| DecimalError::TooLong)?;
        if exponent.abs() > MAX_EXPONENT {
            return Err(DecimalError::TooLong);
        }
        let coefficient = i128::try_from(magnitude).map_err(|_| DecimalError::TooLong)?;
        Ok(Self { coefficient: if negative { -coefficient } else { coefficient }, exponent })
    }

    /// Coefficient and exponent of `coefficient × 10^exponent`; the coefficient has no trailing zero.
    #[must_use]
    pub fn parts(self) -> (i128, i32) {
        (self.coefficient, self.exponent)
    }

    #[must_use]
    pub fn is_negative(self) -> bool {
        self.coefficient < 0
    }

    #[must_use]
    pub fn is_zero(self) -> bool {
        self.coefficient == 0
    }

    #[must_use]
    pub fn is_integer(self) -> bool {
        self.exponent >= 0
    }

    /// The value as an `i64`, if it is a whole number in range.
    #[must_use]
    pub fn to_i64(self) -> Option<i64> {
        let shift = u32::try_from(self.exponent).ok()?;
        let value = self.coefficient.checked_mul(10i128.checked_pow(shift)?)?;
        i64::try_from(value).ok()
    }

    pub fn checked_add(self, other: Self) -> Result<Self, DecimalError> {
        let (left, right, exponent) = align(self, other)?;
        let sum = left.checked_add(right).ok_or(DecimalError::TooLong)?;
        Self::from_parts(sum < 0, sum.unsigned_abs(), i64::from(exponent))
    }

    pub fn checked_sub(self, other: Self) -> Result<Self, DecimalError> {
        self.checked_add(-other)
    }

    pub fn checked_mul(self, other: Self) -> Result<Self, DecimalError> {
        let negative = self.is_negative() != other.is_negative();
        let exponent = i64::from(self.exponent) + i64::from(other.exponent);
        let (magnitude, shift) = multiply(self.coefficient.unsigned_abs(), other.coefficient.unsigned_abs())?;
        Self::from_parts(negative, magnitude, exponent + i64::from(shift))
    }

    /// Exact division: a quotient without a finite decimal form of 34 digits is `TooLong`.
    pub fn checked_div(self, other: Self) -> Result<Self, DecimalError> {
        if other.is_zero() {
            return Err(DecimalError::DivisionByZero);
        }
        if self.is_zero() {
            return Ok(Self::ZERO);
        }
        let (left, right) = (self.coefficient.unsigned_abs(), other.coefficient.unsigned_abs());
        let shared = gcd(left, right);
        let (left, mut right) = (left / shared, right / shared);
        // A reduced fraction ends exactly if its denominator is 2^a × 5^b.
        let (twos, fives) = (strip_factor(&mut right, 2), strip_factor(&mut right, 5));
        if right != 1 {
            return Err(DecimalError::TooLong);
        }
        let digits = twos.max(fives);
        let factor = 2u128
            .checked_pow(digits - twos)
            .zip(5u128.checked_pow(digits - fives))
            .and_then(|(a, b)| a.checked_mul(b))
            .ok_or(DecimalError::TooLong)?;
        let (magnitude, shift) = multiply(left, factor)?;
        let exponent = i64::from(self.exponent) - i64::from(other.exponent) - i64::from(digits) + i64::from(shift);
        Self::from_parts(self.is_negative() != other.is_negative(), magnitude, exponent)
    }

    /// Remainder with the sign of the dividend.
    pub fn checked_rem(self, other: Self) -> Result<Self, DecimalError> {
        if other.is_zero() {
            return Err(DecimalError::DivisionByZero);
        }
        let (left, right, exponent) = align(self, other)?;
        let rest = left % right;
        Self::from_parts(rest < 0, rest.unsigned_abs(), i64::from(exponent))
    }
}

/// Both coefficients at the smaller of the two exponents.
fn align(left: Decimal, right: Decimal) -> Result<(i128, i128, i32), DecimalError> {
    let exponent = match (left.is_zero(), right.is_zero()) {
        (true, _) => right.exponent,
        (_, true) => left.exponent,
        _ => left.exponent.min(right.exponent),
    };
    Ok((scale(left, exponent)?, scale(right, exponent)?, exponent))
}

fn scale(value: Decimal, exponent: i32) -> Result<i128, DecimalError> {
    if value.is_zero() {
        return Ok(0);
    }
    let shift = u32::try_from(value.exponent - exponent).map_err(|_| DecimalError::TooLong)?;
    let factor = 10i128.checked_pow(shift).ok_or(DecimalError::TooLong)?;
    value.coefficient.checked_mul(factor).ok_or(DecimalError::TooLong)
}

/// Product of two magnitudes, divided by the largest power of ten that makes it fit: `(product, power)`.
fn multiply(left: u128, right: u128) -> Result<(u128, u32), DecimalError> {
    let (mut left, mut right) = (left, right);
    if let Some(product) = left.checked_mul(right) {
        return Ok((product, 0));
    }
    // Only trailing zeros can bring the product back into range, and they come from pairs of 2 and 5.
    let (two_left, two_right) = (strip_factor(&mut left, 2), strip_factor(&mut right, 2));
    let (five_left, five_right) = (strip_factor(&mut left, 5), strip_factor(&mut right, 5));
    let (twos, fives) = (two_left + two_right, five_left + five_right);
    let tens = twos.min(fives);
    let product = left
        .checked_mul(right)
        .zip(2u128.checked_pow(twos - tens))
        .and_then(|(product, factor)| product.checked_mul(factor))
        .zip(5u128.checked_pow(fives - tens))
        .and_then(|(product, factor)| product.checked_mul(factor));
    product.map(|product| (product, tens)).ok_or(DecimalError::TooLong)
}

fn strip_factor(value: &mut u128, factor: u128) -> u32 {
    let mut count = 0;
    while *value != 0 && value.is_multiple_of(factor) {
        *value /= factor;
        count += 1;
    }
    count
}

fn gcd(mut left: u128, mut right: u128) -> u128 {
    while right != 0 {
        (left, right) = (right, left % right);
    }
    left
}

impl From<i64> for Decimal {
    fn from(value: i64) -> Self {
        // 19 digits always fit.
        Self::from_parts(value < 0, u128::from(value.unsigned_abs()), 0).unwrap_or_default()
    }
}

impl From<u64> for Decimal {
    fn from(value: u64) -> Self {
        Self::from_parts(false, u128::from(value), 0).unwrap_or_default()
    }
}

impl std::ops::Neg for Decimal {
    type Output = Self;
    fn neg(self) -> Self {
        Self { coefficient: -self.coefficient, exponent: self.exponent }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        if let Some((left, right)) = small_at_one_exponent(*self, *other) {
            return left.cmp(&right);
        }
        self.compare(other)
    }
}

/// Both coefficients at one exponent, where that takes no more than a product of 128 bits: nearly always.
fn small_at_one_exponent(left: Decimal, right: Decimal) -> Option<(i128, i128)> {
    let shift = left.exponent.checked_sub(right.exponent)?;
    if shift == 0 {
        return Some((left.coefficient, right.coefficient));
    }
    let raised = |value: Decimal| {
        let small = i64::try_from(value.coefficient).ok()?;
        Some(i128::from(small) * i128::from(10i64.checked_pow(shift.unsigned_abs())?))
    };
    if shift > 0 { Some((raised(left)?, right.coefficient)) } else { Some((left.coefficient, raised(right)?)) }
}

impl Decimal {
    fn compare(&self, other: &Self) -> Ordering {
        let by_sign = self.coefficient.signum().cmp(&other.coefficient.signum());
        if by_sign != Ordering::Equal || self.is_zero() {
            return by_sign;
        }
        let magnitude = |value: &Self| i64::from(value.coefficient.unsigned_abs().ilog10()) + i64::from(value.exponent);
        let by_size = match magnitude(self).cmp(&magnitude(other)) {
            // Same leading position: aligned, both have at most 34 digits, so this cannot fail.
            Ordering::Equal => match align(*self, *other) {
                Ok((left, right, _)) => return left.cmp(&right),
                Err(_) => Ordering::Equal,
            },
            unequal => unequal,
        };
        if self.is_negative() { by_size.reverse() } else { by_size }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Reads the JSON number grammar (RFC 8259 §6); a leading `+`, a bare dot and leading zeros are malformed.
impl FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, power) = match text.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, parse_exponent(power)?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
        let all_digits = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        if !all_digits(whole) || leading_zero || !fraction.is_none_or(all_digits) {
            return Err(DecimalError::Malformed);
        }
        let fraction = fraction.unwrap_or("").trim_end_matches('0');
        let digits = whole.bytes().chain(fraction.bytes()).skip_while(|b| *b == b'0');
        let (mut magnitude, mut zeros) = (0u128, 0i64);
        for digit in digits {
            if digit == b'0' {
                zeros += 1;
                continue;
            }
            let shift = u32::try_from(zeros + 1).map_err(|_| DecimalError::TooLong)?;
            magnitude = 10u128
                .checked_pow(shift)
                .and_then(|factor| magnitude.checked_mul(factor))
                .and_then(|value| value.checked_add(u128::from(digit - b'0')))
                .filter(|value| *value < LIMIT)
                .ok_or(DecimalError::TooLong)?;
            zeros = 0;
        }
        let fraction_digits = i64::try_from(fraction.len()).map_err(|_| DecimalError::TooLong)?;
        Self::from_parts(negative, magnitude, power + zeros - fraction_digits)
    }
}

fn parse_exponent(text: &str) -> Result<i64, DecimalError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(DecimalError::Malformed);
    }
    let value: i64 = digits.parse().map_err(|_| DecimalError::TooLong)?;
    if value > i64::from(MAX_EXPONENT) {
        return Err(DecimalError::TooLong);
    }
    Ok(if text.starts_with('-') { -value } else { value })
}

/// Plain digits up to 40 places, else `12e99`; always a JSON number that reads back to the same value.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = wire::small_text(*self, &mut [0; wire::SMALL]) {
            return f.write_str(text);
        }
        let sign = if self.is_negative() { "-" } else { "" };
        let digits = self.coefficient.unsigned_abs().to_string();
        let places = usize::try_from(self.exponent.unsigned_abs()).unwrap_or(usize::MAX);
        if places > 40 {
            return write!(f, "{sign}{digits}e{}", self.exponent);
        }
        if self.exponent == 0
            && let Ok(whole) = i64::try_from(self.coefficient)
        {
            return write!(f, "{whole}");
        }
        if self.exponent >= 0 {
            return write!(f, "{sign}{digits}{:0<places$}", "");
        }
        let padded = format!("{digits:0>width$}", width = places + 1);
        let (whole, fraction) = padded.split_at(padded.len() - places);
        write!(f, "{sign}{whole}.{fraction}")
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests;
