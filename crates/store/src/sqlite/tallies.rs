//! Decisions counted: added to while the lists are filled, read for charts.

use std::collections::BTreeSet;

use rusqlite::{Connection, Row, params};

use super::errors::{page, signed, unsigned};
use crate::rows::{Tally, TallyFilter};

/// Counts of short stretches are forgotten when they are this old; the long ones stay.
const KEPT_US: i64 = 8 * 24 * 3_600 * 1_000_000;
const HOUR_US: i64 = 3_600 * 1_000_000;

pub(super) fn add(tx: &Connection, number: i64, tallies: &[Tally]) -> rusqlite::Result<()> {
    let mut put = tx.prepare_cached(
        "INSERT INTO tallies (workspace, span_us, dimension, start_us, key, allowed, held, blocked)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (workspace, span_us, dimension, start_us, key) DO UPDATE SET allowed = allowed + excluded.allowed,
             held = held + excluded.held, blocked = blocked + excluded.blocked",
    )?;
    for tally in tallies {
        put.execute(params![
            number,
            tally.span_us,
            tally.dimension,
            tally.start_us,
            tally.key,
            signed(tally.allowed)?,
            signed(tally.held)?,
            signed(tally.blocked)?,
        ])?;
    }
    let mut forget = tx.prepare_cached(
        "DELETE FROM tallies WHERE workspace = ?1 AND span_us = ?2 AND dimension = ?3 AND start_us < ?4",
    )?;
    let newest = tallies.iter().map(|tally| tally.start_us).max().unwrap_or(0);
    let short: BTreeSet<(i64, &str)> = tallies
        .iter()
        .filter(|tally| tally.span_us < HOUR_US)
        .map(|tally| (tally.span_us, tally.dimension.as_str()))
        .collect();
    for (span_us, dimension) in short {
        forget.execute(params![number, span_us, dimension, newest.saturating_sub(KEPT_US)])?;
    }
    Ok(())
}

pub(super) fn reset(tx: &Connection, number: i64) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM tallies WHERE workspace = ?1", [number]).map(|_| ())
}

pub(super) fn read(db: &Connection, number: i64, filter: &TallyFilter) -> rusqlite::Result<Vec<Tally>> {
    let tally = |row: &Row<'_>| {
        Ok(Tally {
            span_us: filter.span_us,
            dimension: filter.dimension.clone(),
            start_us: row.get(0)?,
            key: row.get(1)?,
            allowed: unsigned(row, 2)?,
            held: unsigned(row, 3)?,
            blocked: unsigned(row, 4)?,
        })
    };
    let sql = if filter.by_key {
        "SELECT min(start_us), key, sum(allowed), sum(held), sum(blocked) FROM tallies
         WHERE workspace = ?1 AND span_us = ?2 AND dimension = ?3 AND start_us >= ?4 AND start_us < ?5
         GROUP BY key ORDER BY sum(allowed) + sum(held) + sum(blocked) DESC, key LIMIT ?6"
    } else {
        "SELECT start_us, '', sum(allowed), sum(held), sum(blocked) FROM tallies
         WHERE workspace = ?1 AND span_us = ?2 AND dimension = ?3 AND start_us >= ?4 AND start_us < ?5
         GROUP BY start_us ORDER BY start_us LIMIT ?6"
    };
    let values = params![number, filter.span_us, filter.dimension, filter.from_us, filter.until_us, page(filter.limit)];
    db.prepare_cached(sql)?.query_map(values, tally)?.collect()
}
