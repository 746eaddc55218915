//! The projection: how it is searched.
//!
//! The partitions are asked one after the other, from where the page begins, and in each the blocks that may have what is
//! wanted, some at a time, until the page is full. The index of terms says which blocks those are; every line of them is
//! compared with what was asked for.

use std::collections::BTreeMap;

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use super::blocks::{index_in, term};
use super::errors::{Failure, bound, signed, value};
use super::lists::read;
use super::partitions::{self, Span};
use super::terms::{Terms, Value};
use crate::block::{MOST_ROWS, Probe};
use crate::rows::{DecisionFilter, DecisionRow};

/// How many partitions the first question goes to; each further one goes to twice as many, up to the most.
const FIRST: usize = 1;
const MOST: usize = 16;
/// How many blocks the first question asks for where terms say which; each further one asks for twice as many.
const FIRST_BLOCKS: usize = 4;
const MOST_BLOCKS: usize = 32;

const COLUMNS: &str = "b.first_index, b.first_us, b.count, b.coding, b.rows";

/// Which blocks are wanted.
#[derive(Clone, Default)]
pub(super) struct Wanted {
    /// All of these.
    pub(super) terms: Vec<i64>,
    /// Oldest first, rather than newest first.
    pub(super) up: bool,
    /// With lines below or above an index.
    pub(super) before: Option<i64>,
    pub(super) after: Option<i64>,
    pub(super) since_us: Option<i64>,
    pub(super) until_us: Option<i64>,
    /// Beyond this block, in the direction of the search.
    pub(super) beyond: Option<i64>,
    /// At most so many.
    pub(super) blocks: usize,
}

impl Wanted {
    pub(super) fn of_filter(filter: &DecisionFilter) -> Self {
        Self {
            terms: Probe::of_filter(filter).into_iter().map(term).collect(),
            up: filter.after.is_some(),
            before: filter.before.map(bound),
            after: filter.after.map(bound),
            since_us: filter.since_us,
            until_us: filter.until_us,
            beyond: None,
            blocks: 0,
        }
    }

    /// For the first question about a page of so many lines.
    fn for_page(&self, limit: usize) -> Self {
        let few = if self.terms.is_empty() { 1 } else { FIRST_BLOCKS };
        Self { blocks: (limit / MOST_ROWS + 1).max(few).min(MOST_BLOCKS), ..self.clone() }
    }
}

/// Newest first.
pub(super) async fn list(db: &Client, number: i64, filter: &DecisionFilter) -> Result<Vec<DecisionRow>, Failure> {
    let limit = filter.limit.min(crate::MAX_PAGE);
    let wanted = Wanted::of_filter(filter);
    let since = filter.since_us.unwrap_or(i64::MIN);
    let until = filter.until_us.unwrap_or(i64::MAX);
    let mut parts = partitions::lists(db).await?;
    parts.retain(|(lower, upper)| *upper > since && *lower < until);
    if let Some(after) = wanted.after {
        drop_before(db, number, &mut parts, after).await?;
        parts.reverse();
    }
    let mut found: Vec<DecisionRow> = Vec::new();
    for span in spans(&parts) {
        if found.len() >= limit {
            break;
        }
        look(db, number, span, wanted.for_page(limit - found.len()), |block| {
            let mut lines = Vec::new();
            read(block, |line| {
                if line.passes(filter) {
                    lines.push(line.to_row());
                }
            })?;
            if !wanted.up {
                lines.reverse();
            }
            found.extend(lines.into_iter().take(limit - found.len()));
            Ok(found.len() < limit)
        })
        .await?;
    }
    if wanted.up {
        found.reverse();
    }
    Ok(found)
}

/// Shows the blocks of a stretch of time that may have what is wanted, in the order of the search, while it is told to go
/// on.
async fn look(
    db: &Client,
    number: i64,
    span: Span,
    mut wanted: Wanted,
    mut show: impl FnMut(&Row) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    loop {
        let (sql, terms) = query(number, &wanted, span);
        let blocks = db.query_typed(&sql, &terms.values()).await?;
        for block in &blocks {
            let first_index: i64 = value(block, 0)?;
            // A term may stand there twice.
            if wanted.beyond.replace(first_index) != Some(first_index) && !show(block)? {
                return Ok(());
            }
        }
        if blocks.len() < wanted.blocks {
            return Ok(());
        }
        wanted.blocks = (wanted.blocks * 2).min(MOST_BLOCKS);
    }
}

/// Neighbouring partitions taken together, few at first, in their order.
fn spans(parts: &[Span]) -> impl Iterator<Item = Span> {
    let mut left = parts;
    let mut count = FIRST;
    std::iter::from_fn(move || {
        let (now, rest) = left.split_at_checked(count).unwrap_or((left, &[]));
        (left, count) = (rest, (count * 2).min(MOST));
        let lower = now.iter().map(|(lower, _)| *lower).min()?;
        let upper = now.iter().map(|(_, upper)| *upper).max()?;
        Some((lower, upper))
    })
}

/// Leaves out the partitions, given newest first, that end before the index: those below one that has an earlier one.
async fn drop_before(db: &Client, number: i64, parts: &mut Vec<Span>, after: i64) -> Result<(), Failure> {
    for (place, (lower, upper)) in parts.iter().enumerate() {
        let row = db.query_typed_opt(REACHES, &reaches(&number, &after, lower, upper)).await?;
        if row.is_some() {
            parts.truncate(place + 1);
            return Ok(());
        }
    }
    Ok(())
}

pub(super) const REACHES: &str = "SELECT 1 FROM runplane.list_blocks WHERE workspace = $1 AND first_index <= $2
     AND first_us >= $3 AND first_us < $4 ORDER BY first_index LIMIT 1";

pub(super) fn reaches<'v>(number: &'v i64, after: &'v i64, lower: &'v i64, upper: &'v i64) -> [Value<'v>; 4] {
    [(number, Type::INT8), (after, Type::INT8), (lower, Type::INT8), (upper, Type::INT8)]
}

/// The blocks that are wanted of this stretch of time.
pub(super) fn query(number: i64, wanted: &Wanted, (lower, upper): Span) -> (String, Terms) {
    let mut terms = Terms::of(number);
    let (from, to) = (terms.place(lower), terms.place(upper));
    let within = format!("workspace = $1 AND first_us >= {from} AND first_us < {to}");
    terms.and_text(format!("first_us >= {from} AND first_us < {to}"));
    if let Some(before) = wanted.before {
        terms.and("first_index <", before);
    }
    if let Some(beyond) = wanted.beyond {
        terms.and(if wanted.up { "first_index >" } else { "first_index <" }, beyond);
    }
    // Ledger time never goes back, so a time is an index, and the blocks that are wanted lie side by side. The first of
    // them begins before what is asked for, unless that is where it begins.
    let block = format!("SELECT first_index FROM runplane.list_blocks WHERE {within} AND");
    if let Some(after) = wanted.after {
        let at = terms.place(after);
        terms.and_text(format!(
            "first_index >= coalesce(({block} first_index <= {at} ORDER BY first_index DESC LIMIT 1), 0)"
        ));
    }
    if let Some(since) = wanted.since_us.filter(|since| *since > lower && *since < upper) {
        let at = terms.place(since);
        terms.and_text(format!(
            "first_index >= coalesce(({block} first_us < {at} ORDER BY first_us DESC, first_index DESC LIMIT 1), 0)"
        ));
    }
    if let Some(until) = wanted.until_us.filter(|until| *until > lower && *until < upper) {
        let (at, all) = (terms.place(until), i64::MAX);
        terms.and_text(format!(
            "first_index < coalesce(({block} first_us >= {at} ORDER BY first_us, first_index LIMIT 1), {all})"
        ));
    }
    let places: Vec<String> = wanted.terms.iter().map(|term| terms.place(*term)).collect();
    let limit = terms.place(i64::try_from(wanted.blocks).unwrap_or(i64::MAX));
    let (text, order) = (terms.text(), if wanted.up { "ASC" } else { "DESC" });
    let Some((first, others)) = places.split_first() else {
        let sql = format!(
            "SELECT {COLUMNS} FROM runplane.list_blocks b WHERE {text} ORDER BY first_index {order} LIMIT {limit}"
        );
        return (sql, terms);
    };
    let also: String = others
        .iter()
        .map(|other| {
            format!(
                " AND EXISTS (SELECT 1 FROM runplane.list_terms o WHERE o.workspace = $1 AND o.term = {other}
                  AND o.first_index = t.first_index AND o.first_us >= {from} AND o.first_us < {to})"
            )
        })
        .collect();
    let sql = format!(
        "SELECT {COLUMNS} FROM (SELECT first_index FROM runplane.list_terms t WHERE term = {first} AND {text}{also}
             ORDER BY first_index {order} LIMIT {limit}) f
         JOIN runplane.list_blocks b USING (first_index) WHERE {within} ORDER BY first_index {order}"
    );
    (sql, terms)
}

/// Oldest first.
pub(super) async fn find(
    db: &Client,
    number: i64,
    request_id: &str,
    agent: Option<&str>,
    limit: usize,
) -> Result<Vec<DecisionRow>, Failure> {
    let limit = limit.min(crate::MAX_PAGE);
    let named = index_in(request_id).map(signed).transpose()?;
    let wanted = Wanted { terms: vec![term(Probe::request(request_id))], up: true, ..Wanted::default() };
    let mut parts = partitions::lists(db).await?;
    parts.reverse();
    let mut found: BTreeMap<u64, DecisionRow> = BTreeMap::new();
    for span in spans(&parts) {
        if found.len() >= limit {
            break;
        }
        if let Some(named) = named {
            let values: [Value<'_>; 4] =
                [(&number, Type::INT8), (&span.0, Type::INT8), (&span.1, Type::INT8), (&named, Type::INT8)];
            if let Some(block) = db.query_typed_opt(NAMED, &values).await? {
                read(&block, |line| {
                    if line.is_of(request_id, agent) {
                        found.insert(line.index, line.to_row());
                    }
                })?;
            }
        }
        // What the id names may lie behind others, so it does not count here.
        let mut left = limit;
        look(db, number, span, wanted.for_page(limit), |block| {
            read(block, |line| {
                if line.is_of(request_id, agent) {
                    left = left.saturating_sub(1);
                    found.insert(line.index, line.to_row());
                }
            })?;
            Ok(left > 0)
        })
        .await?;
    }
    Ok(found.into_values().take(limit).collect())
}

/// The block of a stretch of time that has the line of an index.
pub(super) const NAMED: &str = "SELECT b.first_index, b.first_us, b.count, b.coding, b.rows
     FROM (SELECT first_index FROM runplane.list_blocks WHERE workspace = $1 AND first_us >= $2 AND first_us < $3
               AND first_index <= $4 ORDER BY first_index DESC LIMIT 1) f
     JOIN runplane.list_blocks b USING (first_index)
     WHERE workspace = $1 AND first_us >= $2 AND first_us < $3 AND last_index >= $4";
