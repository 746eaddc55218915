//! Partitions: what a node knows of them, and how they are made ahead of need and dropped.
//!
//! Entries, notes and outcomes are cut by ledger index, lists by time, payloads by the day on which they go. Upkeep makes
//! them ahead. INVARIANT: no commit fails for want of one: before a batch is written that reaches beyond what this node
//! knows to be there, it is made; and a payload whose day has no partition goes where there always is one. Making one may
//! take longer than a turn may be idle, so it is done before the lock is taken wherever that can be known.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use parking_lot::RwLock;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::errors::{Failure, signed, value};
use super::pool::Connections;
use super::terms::Value;
use crate::batch::NewPayload;
use crate::error::StoreError;
use crate::store::Upkeep;

pub(super) const DAY_US: i64 = 24 * 3_600 * 1_000_000;
/// Where payloads lie that are erased one by one.
pub(super) const SHORT: i32 = 0;
/// Where payloads lie that nobody gave a time.
pub(super) const ALWAYS: i32 = 2_147_483_646;
/// What goes sooner than this is erased to the minute, everything else with its day.
const SHORT_LIFE_US: i64 = 7 * DAY_US;
/// How many days are made ahead: more than payloads are kept for replaying.
const DAYS_AHEAD: i32 = 36;
/// Entries that a turn may add; a batch is far smaller.
const TURN: i64 = 16_384;
/// About as many blocks as a partition of the lists should hold, for some fifty million decisions, and its bounds.
const LIST_BLOCKS: i64 = 200_000;
const LIST_WIDTH_US: (i64, i64) = (DAY_US, 28 * DAY_US);

/// A stretch of time: from the first on, and before the second.
pub(super) type Span = (i64, i64);

#[derive(Default)]
pub(super) struct Partitions {
    /// There are partitions for every index below.
    ledger: AtomicI64,
    /// How many indexes a partition of the ledger has.
    width: AtomicI64,
    /// The longest ledger that this node has seen.
    longest: AtomicI64,
    /// And for every time below.
    lists: AtomicI64,
    /// What is or was a partition of the lists, oldest first. Bounds never change.
    spans: RwLock<Arc<[Span]>>,
    days: RwLock<BTreeSet<i32>>,
}

impl Partitions {
    /// Looks at what there is.
    pub(super) fn learn(&self, connections: &Connections) -> Result<(), StoreError> {
        let (families, parts) = connections.run(async |db| {
            let sql = "SELECT family, made, width, (SELECT coalesce(max(size), 0) FROM runplane.heads) FROM runplane.families";
            let families = db.query_typed(sql, &[]).await?;
            let sql = "SELECT family, lower, upper FROM runplane.parts ORDER BY lower";
            Ok((families, db.query_typed(sql, &[]).await?))
        })?;
        let (mut days, mut spans) = (BTreeSet::new(), Vec::new());
        for row in &parts {
            let lower: i64 = value(row, 1)?;
            match value::<&str>(row, 0)? {
                "payloads" => drop(days.insert(i32::try_from(lower).unwrap_or(SHORT))),
                "lists" => spans.push((lower, value(row, 2)?)),
                _ => {}
            }
        }
        // Before what says that they are there, and never back to less.
        let mut known = self.spans.write();
        if known.last() <= spans.last() {
            *known = spans.into();
        }
        drop(known);
        *self.days.write() = days;
        for row in &families {
            let made = value(row, 1)?;
            match value::<&str>(row, 0)? {
                "ledger" => {
                    self.width.store(value(row, 2)?, Ordering::Release);
                    self.longest.fetch_max(value(row, 3)?, Ordering::AcqRel);
                    self.ledger.fetch_max(made, Ordering::AcqRel)
                }
                _ => self.lists.fetch_max(made, Ordering::AcqRel),
            };
        }
        Ok(())
    }

    /// Sees to it that a ledger of `size` entries fits.
    pub(super) async fn reach(&self, connections: &Connections, size: u64) -> Result<(), StoreError> {
        // The note of a size lies one place further than its last entry.
        let wanted = signed(size)?.saturating_add(1);
        if wanted <= self.ledger.load(Ordering::Acquire) {
            return Ok(());
        }
        tracing::warn!(size, "partitions of the ledger were not made in time; they are made now");
        let client = super::pool::take(&connections.readers).await?;
        let made = extend(&client, "SELECT runplane.extend_ledger($1)", wanted).await?;
        self.ledger.fetch_max(made, Ordering::AcqRel);
        Ok(())
    }

    /// Before a turn, whose batch is not known yet: sees to it that what it may add will fit, by the longest ledger that
    /// was seen. Whatever it fails with, the write looks again.
    pub(super) async fn reach_ahead(&self, connections: &Connections) {
        let room = TURN.min(self.width.load(Ordering::Acquire));
        let wanted = self.longest.load(Ordering::Acquire).saturating_add(room);
        let Ok(size) = u64::try_from(wanted) else { return };
        if let Err(failure) = self.reach(connections, size).await {
            tracing::warn!(%failure, "partitions of the ledger could not be made before a turn");
        }
    }

    pub(super) fn saw(&self, size: u64) {
        self.longest.fetch_max(i64::try_from(size).unwrap_or(i64::MAX), Ordering::AcqRel);
    }

    /// Sees to it that a decision of this time can be listed; what the partitions of the lists are, oldest first.
    pub(super) fn reach_time(&self, connections: &Connections, at_us: i64) -> Result<Arc<[Span]>, StoreError> {
        if at_us >= self.lists.load(Ordering::Acquire) {
            connections.run(async |db| extend(db, "SELECT runplane.extend_lists($1)", at_us).await)?;
            self.learn(connections)?;
        }
        Ok(Arc::clone(&self.spans.read()))
    }

    /// The partition of a payload that is written at `now_us`.
    pub(super) fn place(&self, payload: &NewPayload, now_us: i64) -> i32 {
        let Some(at) = payload.erase_after_us else { return ALWAYS };
        let day = i32::try_from(at.div_euclid(DAY_US)).unwrap_or(SHORT);
        let lives_long = at.saturating_sub(now_us) >= SHORT_LIFE_US;
        if lives_long && self.days.read().contains(&day) { day } else { SHORT }
    }

    /// After a write that found no partition, whatever the reason: payloads go where there is one until the next look.
    pub(super) fn doubt(&self) {
        self.days.write().clear();
    }

    /// Makes what will be needed, drops what has gone, and looks at what there is. Whatever fails is tried again by the
    /// next upkeep; it stops the rest of this one.
    pub(super) fn tend(&self, connections: &Connections, upkeep: &Upkeep) -> Result<usize, StoreError> {
        let now_us = upkeep.now_us;
        connections.run(async |db| {
            let ahead = "SELECT runplane.extend_ledger((SELECT coalesce(max(size), 0) + f.width FROM runplane.heads
                         RIGHT JOIN runplane.families f ON true WHERE f.family = 'ledger' GROUP BY f.width))";
            db.query_typed(ahead, &[]).await?;
            let ahead = "SELECT runplane.extend_lists($1 + width) FROM runplane.families WHERE family = 'lists'";
            db.query_typed(ahead, &[(&now_us, Type::INT8)]).await?;
            let today = i32::try_from(now_us.div_euclid(DAY_US)).unwrap_or(SHORT);
            let last = today.saturating_add(DAYS_AHEAD);
            let days: [Value<'_>; 2] = [(&today, Type::INT4), (&last, Type::INT4)];
            db.query_typed("SELECT runplane.extend_days($1, $2)", &days).await?;
            fit(db).await
        })?;
        let mut dropped = 0;
        for (family, before) in [
            ("payloads", Some(now_us.div_euclid(DAY_US))),
            ("lists", upkeep.keep_lists_us.map(|keep| now_us.saturating_sub(keep))),
        ] {
            let Some(before) = before else { continue };
            dropped += connections.run(async |db| drop_before(db, family, before).await)?;
        }
        self.learn(connections)?;
        Ok(dropped)
    }
}

async fn extend(db: &Client, sql: &str, reach: i64) -> Result<i64, Failure> {
    value(&db.query_typed_one(sql, &[(&reach, Type::INT8)]).await?, 0)
}

/// How long the next partition of the lists is to be, by how many blocks the last ones have.
async fn fit(db: &Client) -> Result<(), Failure> {
    db.execute_typed(
        "UPDATE runplane.families SET width = least(greatest(($1 / greatest(rate.daily, 1))::bigint * $2, $2), $3)
         FROM (SELECT max(c.reltuples / (least(p.upper, now.us) - p.lower) * $2) AS daily
               FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS us) now, runplane.parts p
               JOIN pg_class c ON c.relname = 'list_blocks_' || p.name AND c.relnamespace = 'runplane'::regnamespace
               WHERE p.family = 'lists' AND p.name <> 'first' AND c.reltuples > 400
                   AND p.lower + $2 < now.us AND p.upper > now.us - 90 * $2) rate
         WHERE family = 'lists' AND rate.daily IS NOT NULL",
        &[(&LIST_BLOCKS, Type::INT8), (&LIST_WIDTH_US.0, Type::INT8), (&LIST_WIDTH_US.1, Type::INT8)],
    )
    .await?;
    Ok(())
}

/// Each in a transaction of its own.
async fn drop_before(db: &Client, family: &str, upper: i64) -> Result<usize, Failure> {
    let sql = "SELECT lower FROM runplane.parts WHERE family = $1 AND upper <= $2 ORDER BY lower LIMIT 64";
    let due = db.query_typed(sql, &[(&family, Type::TEXT), (&upper, Type::INT8)]).await?;
    for row in &due {
        let lower: i64 = value(row, 0)?;
        let sql = "SELECT runplane.drop_part($1, $2)";
        db.query_typed(sql, &[(&family, Type::TEXT), (&lower, Type::INT8)]).await?;
    }
    Ok(due.len())
}

/// The bounds of the partitions of the lists, newest first.
pub(super) async fn lists(db: &Client) -> Result<Vec<Span>, Failure> {
    let sql = "SELECT lower, upper FROM runplane.parts WHERE family = 'lists' ORDER BY lower DESC";
    let rows = db.query_typed(sql, &[]).await?;
    rows.iter().map(|row| Ok((value(row, 0)?, value(row, 1)?))).collect()
}
