//! Payloads: read, and erased when their time has come.
//!
//! SECURITY: erasing takes the salt along, or a short payload could be guessed from its commitment. What is erased with
//! its day is gone at once, with its file; the old version of a single row is gone with the next vacuum. Backups and
//! archived logs keep both until they go; that is the database's business, as docs/guide/scale.md says.
//!
//! That there was a payload is said by its entry (`payload_day`), which is never erased. Those of before there were
//! partitions lie in a table of their own, where erasing leaves a row without bytes.

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use super::errors::{Failure, bound, fixed, page, signed, unavailable, unsigned, value};
use super::partitions::SHORT;
use super::segments;
use super::terms::Value;
use crate::MAX_PAGE;
use crate::error::StoreError;
use crate::packed::Payloads;
use crate::rows::{Payload, Retention, StoredPayload};

pub(super) const PLACES: &str = "SELECT entry_index, length(leaf_hash), payload_day, payload_days FROM runplane.entries
     WHERE workspace = $1 AND entry_index > $2 - 256 AND entry_index < $3 AND entry_index >= coalesce(
         (SELECT max(entry_index) FROM runplane.entries
          WHERE workspace = $1 AND entry_index > $2 - 256 AND entry_index <= $2), $2)
     ORDER BY entry_index";
pub(super) const KEPT: &str =
    "SELECT salt, bytes, retention, erase_after_us, entry_index, heads, coding FROM runplane.kept
     WHERE workspace = $1 AND entry_index >= $2 AND entry_index < $3 AND day = ANY ($4)";
pub(super) const ERASE: &str = "DELETE FROM runplane.kept WHERE day = $4 AND workspace = $1 AND entry_index IN (
     SELECT entry_index FROM runplane.kept WHERE day = $4 AND workspace = $1 AND erase_after_us <= $2
     ORDER BY erase_after_us, entry_index LIMIT $3)";

pub(super) async fn load(db: &Client, number: i64, index: u64) -> Result<Payload, Failure> {
    let found = read(db, number, index, 1).await?;
    Ok(found.into_iter().find_map(|(at, payload)| (at == index).then_some(payload)).unwrap_or(Payload::NotKept))
}

/// What is or was kept for the entries from `from` on, `count` of them.
pub(super) async fn read(db: &Client, number: i64, from: u64, count: usize) -> Result<Vec<(u64, Payload)>, Failure> {
    let count = u64::try_from(count.min(MAX_PAGE)).unwrap_or(0);
    let (lower, upper) = (bound(from), bound(from.saturating_add(count)));
    let range: [Value<'_>; 3] = [(&number, Type::INT8), (&lower, Type::INT8), (&upper, Type::INT8)];
    let rows = db.query_typed(PLACES, &range).await?;
    // Where the first row starts, there the payloads of its entries may start.
    let start = rows.first().map_or(Ok(lower), |row| unsigned(row, 0).and_then(|first| Ok(signed(first)?)))?;
    let mut days: Vec<i32> = Vec::new();
    let mut found = Vec::new();
    let mut is_without = false;
    for row in &rows {
        for (index, day) in segments::places(row, [0, 1, 2, 3])? {
            if !(from..from.saturating_add(count)).contains(&index) {
                continue;
            }
            match day {
                Some(day) => {
                    found.push((index, Payload::Erased));
                    days.push(day);
                }
                None => is_without = true,
            }
        }
    }
    days.sort_unstable();
    days.dedup();
    if !days.is_empty() {
        let [workspace, _, upper] = range.clone();
        let kept = [workspace, (&start, Type::INT8), upper, (&days, Type::INT4_ARRAY)];
        for row in &db.query_typed(KEPT, &kept).await? {
            for (index, payload) in kept_in(row)? {
                if let Ok(place) = found.binary_search_by_key(&index, |(at, _)| *at)
                    && let Some(slot) = found.get_mut(place)
                {
                    slot.1 = payload;
                }
            }
        }
    }
    if is_without {
        let rows = db
            .query_typed(
                "SELECT salt, bytes, retention, erase_after_us, entry_index, NULL::smallint FROM runplane.payloads
                 WHERE workspace = $1 AND entry_index >= $2 AND entry_index < $3",
                &range,
            )
            .await?;
        for row in &rows {
            found.push((unsigned(row, 4)?, payload(row, 5)?));
        }
        found.sort_unstable_by_key(|(index, _)| *index);
    }
    Ok(found)
}

/// The payloads of a row of [`KEPT`].
fn kept_in(row: &Row) -> Result<Vec<(u64, Payload)>, Failure> {
    let first = unsigned(row, 4)?;
    let Some(heads) = value::<Option<Vec<u8>>>(row, 5)? else { return Ok(vec![(first, payload(row, 6)?)]) };
    let bytes = segments::restore(row, 1, 6)?.ok_or_else(unreadable)?;
    let packed = Payloads { heads, bytes };
    packed.all().map(|(at, payload)| Ok((first.saturating_add(at), payload.ok_or_else(unreadable)?))).collect()
}

fn unreadable() -> StoreError {
    unavailable("a stored payload cannot be read")
}

/// The payload of a row that holds one; `coding` is the column that says how it is stored.
fn payload(row: &Row, coding: usize) -> Result<Payload, Failure> {
    let is_there = value::<Option<&[u8]>>(row, 0)?.is_some() && value::<Option<&[u8]>>(row, 1)?.is_some();
    if !is_there {
        return Ok(Payload::Erased);
    }
    let bytes = segments::restore(row, 1, coding)?.ok_or_else(unreadable)?;
    let retention = match value::<i16>(row, 2)? {
        1 => Retention::Replay,
        2 => Retention::Full,
        other => return Err(unavailable(format_args!("a stored retention is {other}")).into()),
    };
    Ok(Payload::Present(StoredPayload { salt: fixed(row, 0)?, bytes, retention, erase_after_us: value(row, 3)? }))
}

pub(super) fn stored_retention(retention: Retention) -> i16 {
    match retention {
        Retention::Replay => 1,
        Retention::Full => 2,
    }
}

/// Those that do not go with their day.
pub(super) async fn erase(db: &Client, number: i64, now_us: i64, limit: usize) -> Result<usize, Failure> {
    let limit = page(limit);
    let erased = db
        .execute_typed(
            ERASE,
            &[(&number, Type::INT8), (&now_us, Type::INT8), (&limit, Type::INT8), (&SHORT, Type::INT4)],
        )
        .await?;
    let left = limit.saturating_sub(signed(erased)?);
    if left == 0 {
        return Ok(usize::try_from(erased).unwrap_or(usize::MAX));
    }
    let before = db
        .execute_typed(
            "UPDATE runplane.payloads SET salt = NULL, bytes = NULL
             WHERE workspace = $1 AND entry_index IN (
                 SELECT entry_index FROM runplane.payloads
                 WHERE workspace = $1 AND erase_after_us IS NOT NULL AND bytes IS NOT NULL AND erase_after_us <= $2
                 ORDER BY erase_after_us, entry_index LIMIT $3)",
            &[(&number, Type::INT8), (&now_us, Type::INT8), (&left, Type::INT8)],
        )
        .await?;
    Ok(usize::try_from(erased.saturating_add(before)).unwrap_or(usize::MAX))
}
