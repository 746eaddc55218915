//! The only place that reads clocks.
//!
//! Everything else takes the time as a parameter, so a test moves a [`ManualClock`] instead of sleeping.

use jiff::fmt::temporal::DateTimePrinter;
use runplane_core::time::Micros;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Wall-clock and elapsed time, read together so that a stepped wall clock can be noticed.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    pub wall: Micros,
    /// Time since some fixed instant that never steps.
    pub elapsed: Micros,
}

pub trait Clock: Send + Sync + 'static {
    fn read(&self) -> Reading;

    fn now(&self) -> Micros {
        self.read().wall
    }
}

pub type SharedClock = Arc<dyn Clock>;

/// The machine's clocks.
pub struct SystemClock {
    start: std::time::Instant,
}

impl SystemClock {
    #[must_use]
    #[allow(clippy::disallowed_methods)] // this is the place the ban points to
    pub fn shared() -> SharedClock {
        Arc::new(Self { start: std::time::Instant::now() })
    }
}

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods)] // this is the place the ban points to
    fn read(&self) -> Reading {
        let wall = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Reading { wall: micros(wall), elapsed: micros(self.start.elapsed()) }
    }
}

fn micros(duration: std::time::Duration) -> Micros {
    Micros(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX))
}

/// A clock that stands still until it is moved.
pub struct ManualClock {
    wall: AtomicI64,
    elapsed: AtomicI64,
}

impl ManualClock {
    #[must_use]
    pub fn at(wall: Micros) -> Arc<Self> {
        Arc::new(Self { wall: AtomicI64::new(wall.0), elapsed: AtomicI64::new(0) })
    }

    /// Time passes: both clocks move.
    pub fn advance(&self, by: std::time::Duration) {
        let by = micros(by).0;
        self.wall.fetch_add(by, Ordering::SeqCst);
        self.elapsed.fetch_add(by, Ordering::SeqCst);
    }

    /// Somebody sets the wall clock; no time passes.
    pub fn step_wall(&self, by: i64) {
        self.wall.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn read(&self) -> Reading {
        Reading { wall: Micros(self.wall.load(Ordering::SeqCst)), elapsed: Micros(self.elapsed.load(Ordering::SeqCst)) }
    }
}

/// RFC 3339 with microseconds, UTC.
#[must_use]
pub fn rfc3339(at: Micros) -> String {
    /// Several times as fast as formatting, and an answer has many of them.
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(6));
    match jiff::Timestamp::from_microsecond(at.0) {
        Ok(time) => PRINTER.timestamp_to_string(&time),
        Err(_) => jiff::Timestamp::MAX.to_string(),
    }
}

/// Reads an RFC 3339 time.
pub fn parse_rfc3339(text: &str) -> Option<Micros> {
    text.parse::<jiff::Timestamp>().ok().map(|time| Micros(time.as_microsecond()))
}
