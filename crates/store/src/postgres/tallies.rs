//! Decisions counted: added to while the lists are filled, read for charts.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::errors::{Failure, page, signed, unsigned, value};
use super::terms::Value;
use crate::rows::{Tally, TallyFilter};

/// Counts of short stretches are forgotten when they are this old; the long ones stay.
const KEPT_US: i64 = 8 * 24 * 3_600 * 1_000_000;
const HOUR_US: i64 = 3_600 * 1_000_000;

/// PostgreSQL has no NUL in text. A chart that shows something else in its place is better than one that ends at the first
/// such call; the record itself is kept as bytes.
fn shown(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

const ADD: &str = "INSERT INTO runplane.tallies AS t
         (workspace, span_us, dimension, start_us, key, allowed, held, blocked)
     SELECT $1, u.* FROM unnest($2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::bigint[], $7::bigint[],
         $8::bigint[]) AS u
     ON CONFLICT (workspace, span_us, dimension, start_us, key) DO UPDATE SET
         allowed = t.allowed + excluded.allowed, held = t.held + excluded.held, blocked = t.blocked + excluded.blocked";

const FORGET: &str = "DELETE FROM runplane.tallies t USING unnest($2::bigint[], $3::text[]) AS u (span_us, dimension)
     WHERE t.workspace = $1 AND t.span_us = u.span_us AND t.dimension = u.dimension AND t.start_us < $4";

/// In one round trip.
pub(super) async fn add(db: &Client, number: i64, tallies: &[Tally]) -> Result<(), Failure> {
    // One statement may touch a row once only.
    let mut sums: BTreeMap<(i64, &str, i64, String), [u64; 3]> = BTreeMap::new();
    for tally in tallies {
        let key = (tally.span_us, tally.dimension.as_str(), tally.start_us, shown(&tally.key).into_owned());
        let sum = sums.entry(key).or_default();
        for (sum, count) in sum.iter_mut().zip([tally.allowed, tally.held, tally.blocked]) {
            *sum = sum.saturating_add(count);
        }
    }
    if sums.is_empty() {
        return Ok(());
    }
    let spans: Vec<i64> = sums.keys().map(|key| key.0).collect();
    let dimensions: Vec<&str> = sums.keys().map(|key| key.1).collect();
    let starts: Vec<i64> = sums.keys().map(|key| key.2).collect();
    let keys: Vec<&str> = sums.keys().map(|key| key.3.as_str()).collect();
    let counts = |which: usize| -> Result<Vec<i64>, Failure> {
        sums.values().map(|sum| Ok(signed(sum.get(which).copied().unwrap_or(0))?)).collect()
    };
    let counts: [Vec<i64>; 3] = [counts(0)?, counts(1)?, counts(2)?];
    let [allowed, held, blocked] = &counts;
    let rows: [Value<'_>; 8] = [
        (&number, Type::INT8),
        (&spans, Type::INT8_ARRAY),
        (&dimensions, Type::TEXT_ARRAY),
        (&starts, Type::INT8_ARRAY),
        (&keys, Type::TEXT_ARRAY),
        (allowed, Type::INT8_ARRAY),
        (held, Type::INT8_ARRAY),
        (blocked, Type::INT8_ARRAY),
    ];
    let short: BTreeSet<(i64, &str)> = sums.keys().filter(|key| key.0 < HOUR_US).map(|key| (key.0, key.1)).collect();
    let (short_spans, short_dimensions): (Vec<i64>, Vec<&str>) = short.into_iter().unzip();
    let newest = starts.iter().max().copied().unwrap_or(0).saturating_sub(KEPT_US);
    let old: [Value<'_>; 4] = [
        (&number, Type::INT8),
        (&short_spans, Type::INT8_ARRAY),
        (&short_dimensions, Type::TEXT_ARRAY),
        (&newest, Type::INT8),
    ];
    let (added, forgotten) = join(db.execute_typed(ADD, &rows), db.execute_typed(FORGET, &old)).await;
    added?;
    forgotten?;
    Ok(())
}

pub(super) async fn reset(db: &Client, number: i64) -> Result<(), Failure> {
    db.execute_typed("DELETE FROM runplane.tallies WHERE workspace = $1", &[(&number, Type::INT8)]).await?;
    Ok(())
}

pub(super) fn query(by_key: bool) -> String {
    let (first, rest) = if by_key {
        ("min(start_us), key", "GROUP BY key ORDER BY sum(allowed) + sum(held) + sum(blocked) DESC, key")
    } else {
        ("start_us, ''", "GROUP BY start_us ORDER BY start_us")
    };
    format!(
        "SELECT {first}, sum(allowed)::bigint, sum(held)::bigint, sum(blocked)::bigint FROM runplane.tallies
         WHERE workspace = $1 AND span_us = $2 AND dimension = $3 AND start_us >= $4 AND start_us < $5 {rest} LIMIT $6"
    )
}

pub(super) async fn read(db: &Client, number: i64, filter: &TallyFilter) -> Result<Vec<Tally>, Failure> {
    let rows = db
        .query_typed(
            &query(filter.by_key),
            &[
                (&number, Type::INT8),
                (&filter.span_us, Type::INT8),
                (&filter.dimension, Type::TEXT),
                (&filter.from_us, Type::INT8),
                (&filter.until_us, Type::INT8),
                (&page(filter.limit), Type::INT8),
            ],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Tally {
                span_us: filter.span_us,
                dimension: filter.dimension.clone(),
                start_us: value(row, 0)?,
                key: value(row, 1)?,
                allowed: unsigned(row, 2)?,
                held: unsigned(row, 3)?,
                blocked: unsigned(row, 4)?,
            })
        })
        .collect()
}
