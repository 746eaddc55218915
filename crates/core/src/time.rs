//! Instants and lengths of time as types: whole microseconds, UTC, no time zone, no leap seconds.
//!
//! Refuses to read a clock: time always comes in as a parameter. `Micros` and `Span` are different
//! types so that a moment can never be taken for a length.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A moment: microseconds since 1970-01-01T00:00:00Z. Negative before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Micros(pub i64);

/// A length of time in microseconds; as text a whole number and a unit: `90s`, `30m`, `24h`, `7d`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub i64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    #[error("a length of time is a whole number and a unit, such as `90s`, `30m`, `24h` or `7d`")]
    Span,
    #[error("a moment is written as in RFC 3339, such as `2026-01-31T09:30:00Z`")]
    Moment,
}

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
const UNITS: [(&str, i64); 5] = [("ms", 1_000), ("s", SECOND), ("m", 60 * SECOND), ("h", 3_600 * SECOND), ("d", DAY)];

impl Micros {
    /// Later by `span`, held at the ends of what can be written.
    #[must_use]
    pub fn after(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// Earlier by `span`, held at the ends of what can be written.
    #[must_use]
    pub fn before(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }

    /// From `earlier` to this moment; negative if this one is the earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// The UTC calendar fields of this moment.
    #[must_use]
    pub fn calendar(self) -> Calendar {
        let (days, rest) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY));
        let (year, month, day) = date_of(days);
        Calendar {
            year,
            month,
            day,
            weekday: (days + 4).rem_euclid(7),
            hour: rest / (3_600 * SECOND),
            minute: rest / (60 * SECOND) % 60,
            second: rest / SECOND % 60,
            microsecond: rest % SECOND,
        }
    }
}

/// A moment taken apart. `month` and `day` start at 1, `weekday` is 0 on a Sunday.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    pub year: i64,
    pub month: i64,
    pub day: i64,
    pub weekday: i64,
    pub hour: i64,
    pub minute: i64,
    pub second: i64,
    pub microsecond: i64,
}

/// Year, month and day of a day number; the method is `civil_from_days` of
/// <https://howardhinnant.github.io/date_algorithms.html>.
fn date_of(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The inverse of `date_of`.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_index = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month_index + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// RFC 3339 in UTC, with as many fraction digits as needed (none, 3 or 6).
impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.calendar();
        write!(f, "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", at.year, at.month, at.day, at.hour, at.minute, at.second)?;
        match at.microsecond {
            0 => {}
            micros if micros % 1_000 == 0 => write!(f, ".{:03}", micros / 1_000)?,
            micros => write!(f, ".{micros:06}")?,
        }
        f.write_str("Z")
    }
}

/// Reads RFC 3339 in UTC (`Z`) or with an offset; years 0001 to 9999, at most six fraction digits.
impl FromStr for Micros {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let (date, clock) = text.split_once(['T', 't']).ok_or(TimeError::Moment)?;
        let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
        let zone_at = clock.find(['Z', 'z', '+', '-']).ok_or(TimeError::Moment)?;
        let (clock, zone) = clock.split_at_checked(zone_at).ok_or(TimeError::Moment)?;
        let (clock, fraction) = clock.split_once('.').map_or((clock, None), |(c, f)| (c, Some(f)));
        let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
        let days = days_of(year, month, day);
        let in_range = year >= 1 && hour <= 23 && minute <= 59 && second <= 59;
        if !in_range || date_of(days) != (year, month, day) {
            return Err(TimeError::Moment);
        }
        let micros = fraction.map_or(Ok(0), fraction_micros)?;
        let seconds = (hour * 60 + minute) * 60 + second - zone_seconds(zone)?;
        Ok(Self(days * DAY + seconds * SECOND + micros))
    }
}

fn numbers<const N: usize>(text: &str, separator: char, widths: [usize; N]) -> Result<[i64; N], TimeError> {
    let mut parts = text.split(separator);
    let mut out = [0; N];
    for (slot, width) in out.iter_mut().zip(widths) {
        let part = parts.next().ok_or(TimeError::Moment)?;
        if part.len() != width || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(TimeError::Moment);
        }
        *slot = part.parse().map_err(|_| TimeError::Moment)?;
    }
    if parts.next().is_some() { Err(TimeError::Moment) } else { Ok(out) }
}

fn fraction_micros(digits: &str) -> Result<i64, TimeError> {
    if digits.is_empty() || digits.len() > 6 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(TimeError::Moment);
    }
    format!("{digits:0<6}").parse().map_err(|_| TimeError::Moment)
}

fn zone_seconds(zone: &str) -> Result<i64, TimeError> {
    if zone.eq_ignore_ascii_case("z") {
        return Ok(0);
    }
    let (sign, digits) = match zone.strip_prefix('+') {
        Some(digits) => (1, digits),
        None => (-1, zone.strip_prefix('-').ok_or(TimeError::Moment)?),
    };
    let [hours, minutes] = numbers(digits, ':', [2, 2])?;
    if hours > 23 || minutes > 59 { Err(TimeError::Moment) } else { Ok(sign * (hours * 60 + minutes) * 60) }
}

impl Span {
    pub const ZERO: Self = Self(0);

    #[must_use]
    pub const fn seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(SECOND))
    }
}

impl FromStr for Span {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at_checked(digits).ok_or(TimeError::Span)?;
        let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor).ok_or(TimeError::Span)?;
        let number: i64 = number.parse().map_err(|_| TimeError::Span)?;
        number.checked_mul(factor).map(Self).ok_or(TimeError::Span)
    }
}

/// The largest unit that divides it: `24h`, never `86400s`; one day and more is written in days.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |factor: i64| self.0 != 0 && self.0 % factor == 0;
        match UNITS.iter().rev().find(|(_, factor)| fits(*factor)) {
            Some((unit, factor)) => write!(f, "{}{unit}", self.0 / factor),
            None if self.0 == 0 => f.write_str("0s"),
            None => write!(f, "{}µs", self.0),
        }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spans_have_one_number_and_one_unit() {
        assert_eq!("30m".parse(), Ok(Span::seconds(1_800)));
        assert_eq!("24h".parse(), "1d".parse::<Span>());
        for text in ["", "m", "30", "-1h", "1.5h", "1h30m", "30 m", "30M", "99999999999999d"] {
            assert_eq!(text.parse::<Span>(), Err(TimeError::Span), "{text}");
        }
        assert_eq!(Span::seconds(90).to_string(), "90s");
        assert_eq!(Span::seconds(86_400).to_string(), "1d");
    }

    #[test]
    fn moments_follow_the_calendar() {
        let moment: Micros = "2026-03-01T09:30:00.25+02:00".parse().unwrap();
        assert_eq!(moment.to_string(), "2026-03-01T07:30:00.250Z");
        assert_eq!(moment.calendar().weekday, 0);
        assert_eq!("1970-01-01T00:00:00Z".parse(), Ok(Micros(0)));
        assert_eq!("1969-12-31T23:59:59Z".parse(), Ok(Micros(-1_000_000)));
        for text in ["2026-02-29T00:00:00Z", "2026-01-01", "2026-1-1T00:00:00Z", "2026-01-01T24:00:00Z"] {
            assert_eq!(text.parse::<Micros>(), Err(TimeError::Moment), "{text}");
        }
    }

    proptest! {
        #[test]
        fn moments_read_back(micros in -62_135_596_800_000_000i64..253_402_300_799_999_999) {
            prop_assert_eq!(Micros(micros).to_string().parse(), Ok(Micros(micros)));
        }

        #[test]
        fn spans_read_back(millis in 0i64..1_000_000_000_000) {
            let span = Span(millis * 1_000);
            prop_assert_eq!(span.to_string().parse(), Ok(span));
        }
    }
}
