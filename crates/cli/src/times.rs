//! Times as people write them.

use anyhow::{Context, bail};
use runplane_core::time::{Micros, Span};
use runplane_server::clock::SystemClock;
use std::time::Duration;

/// The time of now, from the one place that reads it.
pub fn now() -> Micros {
    SystemClock::shared().now()
}

/// `90s`, `30m`, `24h`, `7d`.
pub fn length(text: &str) -> anyhow::Result<Duration> {
    let span: Span = text.parse().with_context(|| format!("`{text}` is none"))?;
    let micros = u64::try_from(span.0).ok().filter(|micros| *micros > 0);
    micros.map(Duration::from_micros).with_context(|| format!("`{text}` is no length of time to wait"))
}

/// A moment in RFC 3339, or a length of time from now, as RFC 3339.
pub fn moment(text: &str) -> anyhow::Result<String> {
    if let Ok(moment) = text.parse::<Micros>() {
        return Ok(moment.to_string());
    }
    match text.parse::<Span>() {
        Ok(span) if span.0 > 0 => Ok(now().after(span).to_string()),
        _ => bail!("`{text}` is neither a time such as `2027-01-31T00:00:00Z` nor a length of time such as `30d`"),
    }
}
