//! The projection: how it is filled.
//!
//! Lines lie in blocks of neighbours (`blocks.rs`), and an index says which blocks have which values (`search.rs` reads
//! it). A batch is written in two round trips, however many blocks it touches: one asks where the lists stand, one writes.

use std::collections::BTreeMap;

use futures_util::future::{join, join4};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use super::blocks::{Arrangement, Packed, SHORT, span_at};
use super::errors::{Failure, signed, unavailable, unsigned, value};
use super::partitions::Span;
use super::tallies;
use super::terms::Value;
use crate::block::Rows;
use crate::coding;
use crate::error::StoreError;
use crate::rows::{DecisionRow, Tally};

pub(super) async fn cursor(db: &Client, number: i64) -> Result<u64, Failure> {
    let sql = "SELECT listed FROM runplane.cursors WHERE workspace = $1";
    let row = db.query_typed_opt(sql, &[(&number, Type::INT8)]).await?;
    row.map_or(Ok(0), |row| unsigned(&row, 0))
}

const BEGIN: &str =
    "INSERT INTO runplane.cursors (workspace, listed) VALUES ($1, 0) ON CONFLICT (workspace) DO NOTHING";

const STANDING: &str =
    "SELECT c.listed, h.size, f.lowest FROM runplane.cursors c JOIN runplane.heads h USING (workspace)
     JOIN runplane.families f ON f.family = 'lists' WHERE workspace = $1 FOR UPDATE OF c";

/// The newest block of a partition, with its lines only where they may have company.
pub(super) const NEWEST: &str = "SELECT first_index, first_us, count, coding, CASE WHEN count < $4 THEN rows END
     FROM runplane.list_blocks WHERE workspace = $1 AND first_us >= $2 AND first_us < $3
     ORDER BY first_index DESC LIMIT 1";

/// The blocks of a partition that have these lines, or would have them.
pub(super) const HOLDING: &str = "SELECT first_index, first_us, count, coding, rows FROM runplane.list_blocks
     WHERE workspace = $1 AND first_us >= $2 AND first_us < $3 AND first_index IN (
         SELECT (SELECT first_index FROM runplane.list_blocks WHERE workspace = $1 AND first_us >= $2 AND first_us < $3
                     AND first_index <= wanted ORDER BY first_index DESC LIMIT 1)
         FROM unnest($4::bigint[]) wanted)";

/// In a transaction: of two nodes that project, the second waits for the first and finds the cursor moved.
///
/// INVARIANT: nothing is counted twice. A node that was away for a while and still believes that the lists are its task
/// brings counts of rows that another one has put meanwhile, and is refused.
pub(super) async fn project(
    db: &Client,
    number: i64,
    spans: &[Span],
    rows: &[DecisionRow],
    counts: &[Tally],
    new_cursor: u64,
) -> Result<(), Failure> {
    // Of rows with the same index the last one stands, as if they had been put one after the other.
    let rows: BTreeMap<u64, &DecisionRow> = rows.iter().map(|row| (row.index, row)).collect();
    let last_us = rows.values().next_back().map(|row| row.at_us);
    let last_span = last_us.and_then(|at_us| span_at(spans, at_us).ok()).unwrap_or_default();
    let short = i16::try_from(SHORT).unwrap_or(i16::MAX);
    let own: [Value<'_>; 1] = [(&number, Type::INT8)];
    let newest: [Value<'_>; 4] =
        [(&number, Type::INT8), (&last_span.0, Type::INT8), (&last_span.1, Type::INT8), (&short, Type::INT2)];
    let (standing, newest) = join(db.query_typed_opt(STANDING, &own), db.query_typed_opt(NEWEST, &newest)).await;
    let standing = match standing? {
        Some(standing) => standing,
        None => begin(db, &own).await?,
    };
    let (old, size, lowest): (u64, u64, i64) = (unsigned(&standing, 0)?, unsigned(&standing, 1)?, value(&standing, 2)?);
    if let Some(text) = contradiction(&rows, !counts.is_empty(), (old, new_cursor, size)) {
        return Err(StoreError::Contradiction(text).into());
    }
    // What is older than the lists are kept would have no partition.
    let is_kept = |row: &&&DecisionRow| row.at_us >= lowest;
    let mut arrangement = Arrangement::default();
    let again: Vec<&DecisionRow> = rows.range(..old).map(|(_, row)| row).filter(is_kept).copied().collect();
    put_again(db, number, spans, &again, &mut arrangement).await?;
    let newest = newest?.map(|row| know(&row, last_span, &mut arrangement)).transpose()?.flatten();
    let new = rows.range(old..).map(|(_, row)| row).filter(is_kept).copied();
    arrangement.append(spans, new, newest)?;
    let packed = arrangement.packed()?;
    let moved = [(&number, Type::INT8), (&signed(new_cursor)?, Type::INT8)] as [Value<'_>; 2];
    let (blocks, terms, counted, moved) = join4(
        write_blocks(db, number, &packed),
        write_terms(db, number, &packed),
        tallies::add(db, number, counts),
        db.execute_typed("UPDATE runplane.cursors SET listed = $2 WHERE workspace = $1", &moved),
    )
    .await;
    // The first that fails is why the others do.
    blocks?;
    terms?;
    counted?;
    moved?;
    Ok(())
}

/// Where the lists stand that nobody has begun yet.
async fn begin(db: &Client, own: &[Value<'_>]) -> Result<Row, Failure> {
    db.execute_typed(BEGIN, own).await?;
    let standing = db.query_typed_opt(STANDING, own).await?;
    Ok(standing.ok_or_else(|| unavailable("the workspace has no head"))?)
}

fn contradiction(
    rows: &BTreeMap<u64, &DecisionRow>,
    is_counted: bool,
    (old, new, size): (u64, u64, u64),
) -> Option<String> {
    if new < old {
        Some(format!("the projection would go back from {old} to {new}"))
    } else if is_counted && rows.range(..old).next().is_some() {
        Some(format!("what is below {old} has been counted"))
    } else if new > size {
        Some(format!("the ledger has fewer than {new} entries"))
    } else {
        let ahead = rows.range(new..).next();
        ahead.map(|(index, _)| format!("a decision at {index} is not below the cursor {new}"))
    }
}

/// Rows below the cursor may be there already: they go into the blocks that have them.
async fn put_again<'r>(
    db: &Client,
    number: i64,
    spans: &[Span],
    rows: &[&'r DecisionRow],
    arrangement: &mut Arrangement<'r>,
) -> Result<(), Failure> {
    let mut by_span: BTreeMap<Span, Vec<&'r DecisionRow>> = BTreeMap::new();
    for row in rows {
        by_span.entry(span_at(spans, row.at_us)?).or_default().push(row);
    }
    for (span, rows) in by_span {
        let indexes = rows.iter().map(|row| signed(row.index)).collect::<Result<Vec<_>, _>>()?;
        let values: [Value<'_>; 4] =
            [(&number, Type::INT8), (&span.0, Type::INT8), (&span.1, Type::INT8), (&indexes, Type::INT8_ARRAY)];
        for row in db.query_typed(HOLDING, &values).await? {
            know(&row, span, arrangement)?;
        }
        for row in rows {
            arrangement.put(span, row)?;
        }
    }
    Ok(())
}

/// Takes a stored block into the arrangement; its first index if it came with its lines, all of them.
fn know(row: &Row, span: Span, arrangement: &mut Arrangement<'_>) -> Result<Option<i64>, Failure> {
    let first_index: i64 = value(row, 0)?;
    if value::<Option<&[u8]>>(row, 4)?.is_none() {
        return Ok(None);
    }
    if arrangement.has(first_index) {
        return Ok(Some(first_index));
    }
    let mut rows = Vec::new();
    let is_whole = read(row, |line| rows.push(line.to_row()))?;
    if !is_whole && rows.is_empty() {
        return Ok(None);
    }
    arrangement.know(span, first_index, value(row, 1)?, rows);
    Ok(is_whole.then_some(first_index))
}

/// Shows the lines of a block, oldest first, as far as they can be read; whether those are all it has. Its row says its
/// first index, its first time, how many lines it has, how they were shortened, and the lines.
pub(super) fn read(row: &Row, mut show: impl FnMut(crate::block::Row<'_>)) -> Result<bool, Failure> {
    let (count, mut left): (i16, i16) = (value(row, 2)?, value(row, 2)?);
    let bytes = coding::restore(value::<i16>(row, 3)?.into(), value(row, 4)?).unwrap_or_default();
    for line in Rows(&bytes) {
        left = left.saturating_sub(1);
        show(line);
    }
    if left != 0 {
        let from: i64 = value(row, 0)?;
        tracing::error!(from, count, "a block of the list of decisions cannot be read as a whole");
    }
    Ok(left == 0)
}

/// A block that is there is written anew.
async fn write_blocks(db: &Client, number: i64, blocks: &[Packed]) -> Result<(), Failure> {
    if blocks.is_empty() {
        return Ok(());
    }
    let each = |pick: fn(&Packed) -> i64| blocks.iter().map(pick).collect::<Vec<_>>();
    let small = |pick: fn(&Packed) -> i16| blocks.iter().map(pick).collect::<Vec<_>>();
    let rows: Vec<&[u8]> = blocks.iter().map(|block| &*block.stored).collect();
    db.execute_typed(
        "INSERT INTO runplane.list_blocks AS b
             (workspace, first_index, first_us, last_index, last_us, count, coding, rows)
         SELECT $1, u.* FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::smallint[],
             $7::smallint[], $8::bytea[]) AS u
         ON CONFLICT (workspace, first_index, first_us) DO UPDATE SET last_index = excluded.last_index,
             last_us = excluded.last_us, count = excluded.count, coding = excluded.coding, rows = excluded.rows",
        &[
            (&number, Type::INT8),
            (&each(|block| block.first_index), Type::INT8_ARRAY),
            (&each(|block| block.first_us), Type::INT8_ARRAY),
            (&each(|block| block.last_index), Type::INT8_ARRAY),
            (&each(|block| block.last_us), Type::INT8_ARRAY),
            (&small(|block| block.count), Type::INT2_ARRAY),
            (&small(|block| block.coding), Type::INT2_ARRAY),
            (&rows, Type::BYTEA_ARRAY),
        ],
    )
    .await?;
    Ok(())
}

/// In the order of the index, so that neighbours are put beside each other.
async fn write_terms(db: &Client, number: i64, blocks: &[Packed]) -> Result<(), Failure> {
    let of = |block: &Packed| -> Vec<(i64, i64, i64)> {
        block.terms.iter().map(|term| (*term, block.first_index, block.first_us)).collect()
    };
    let mut rows: Vec<(i64, i64, i64)> = blocks.iter().flat_map(of).collect();
    if rows.is_empty() {
        return Ok(());
    }
    rows.sort_unstable();
    let each = |pick: fn(&(i64, i64, i64)) -> i64| rows.iter().map(pick).collect::<Vec<_>>();
    db.execute_typed(
        "INSERT INTO runplane.list_terms (workspace, term, first_index, first_us)
         SELECT $1, u.* FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS u",
        &[
            (&number, Type::INT8),
            (&each(|row| row.0), Type::INT8_ARRAY),
            (&each(|row| row.1), Type::INT8_ARRAY),
            (&each(|row| row.2), Type::INT8_ARRAY),
        ],
    )
    .await?;
    Ok(())
}

pub(super) async fn reset(db: &Client, number: i64) -> Result<(), Failure> {
    // The cursor first: it is what two nodes would wait for each other at.
    for table in ["cursors", "list_blocks", "list_terms"] {
        let sql = format!("DELETE FROM runplane.{table} WHERE workspace = $1");
        db.execute_typed(&sql, &[(&number, Type::INT8)]).await?;
    }
    tallies::reset(db, number).await
}
