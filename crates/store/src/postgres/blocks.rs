//! How lines of the list are arranged into blocks, before anything is written.
//!
//! New lines continue the newest block while it is short; a block that is rewritten with every single decision must not
//! be long, and one that many lines fill at once is written once. Lines that are put again go into the block that has or
//! would have them. INVARIANT: no block lies on both sides of a partition's bound, so a line's time says where it is.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::errors::{signed, unavailable};
use super::partitions::Span;
use crate::block::{self, Column, MOST_ROWS, Probe, probes_of};
use crate::coding;
use crate::error::StoreError;
use crate::rows::DecisionRow;

/// A block with fewer lines than this is continued.
pub(super) const SHORT: usize = 64;
/// A block that has so many bytes takes no further line.
const MOST_BYTES: usize = 512 << 10;

/// A block as it is to be.
pub(super) struct Block<'r> {
    span: Span,
    first_us: i64,
    rows: Vec<Cow<'r, DecisionRow>>,
    size: usize,
    /// Terms that stand in the index already, in their order.
    known: Vec<i64>,
    is_changed: bool,
}

/// A block in the form in which it is written.
pub(super) struct Packed {
    pub(super) first_index: i64,
    pub(super) first_us: i64,
    pub(super) last_index: i64,
    pub(super) last_us: i64,
    pub(super) count: i16,
    /// How the lines were shortened, and they themselves.
    pub(super) coding: i16,
    pub(super) stored: Vec<u8>,
    /// What is to be put into the index.
    pub(super) terms: Vec<i64>,
}

/// Every block that a batch touches, by its first index.
#[derive(Default)]
pub(super) struct Arrangement<'r> {
    blocks: BTreeMap<i64, Block<'r>>,
}

/// The partition in which a line of this time lies.
pub(super) fn span_at(spans: &[Span], at_us: i64) -> Result<Span, StoreError> {
    let place = spans.partition_point(|(lower, _)| *lower <= at_us);
    let span = place.checked_sub(1).and_then(|place| spans.get(place)).filter(|(_, upper)| at_us < *upper);
    span.copied().ok_or_else(|| unavailable("there is no partition for what is to be listed"))
}

/// A value in a column as it stands in the index.
pub(super) fn term(Probe(hash): Probe) -> i64 {
    hash.cast_signed()
}

/// The index that an id made by the server names. It needs no term where it is that of its line.
pub(super) fn index_in(request_id: &str) -> Option<u64> {
    let hex = request_id.strip_prefix("req_").filter(|hex| hex.len() == 32)?;
    let is_own = hex.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) && hex.get(12..13) == Some("7");
    is_own.then(|| u64::from_str_radix(hex.get(20..)?, 16).ok()).flatten()
}

/// What lines can be found by, in order and once each.
fn terms_of<'r>(rows: impl Iterator<Item = &'r DecisionRow>) -> Vec<i64> {
    let mut terms: Vec<i64> = probes_of(rows)
        .filter(|(row, column, _)| *column != Column::Request || index_in(&row.request_id) != Some(row.index))
        .map(|(_, _, probe)| term(probe))
        .collect();
    terms.sort_unstable();
    terms.dedup();
    terms
}

impl<'r> Block<'r> {
    fn of(span: Span, row: &'r DecisionRow) -> Self {
        let mut block =
            Self { span, first_us: row.at_us, rows: Vec::new(), size: 0, known: Vec::new(), is_changed: true };
        block.push(row);
        block
    }

    fn push(&mut self, row: &'r DecisionRow) {
        self.size += block::size_of(row);
        self.rows.push(Cow::Borrowed(row));
        self.is_changed = true;
    }

    fn has_room(&self) -> bool {
        self.rows.len() < MOST_ROWS && self.size < MOST_BYTES
    }

    /// Puts a line in the place of the one with its index, or among the others.
    fn put(&mut self, row: &'r DecisionRow) {
        match self.rows.binary_search_by_key(&row.index, |stored| stored.index) {
            Ok(place) => {
                if let Some(stored) = self.rows.get_mut(place) {
                    *stored = Cow::Borrowed(row);
                }
            }
            Err(place) => self.rows.insert(place, Cow::Borrowed(row)),
        }
        self.size = self.rows.iter().map(|row| block::size_of(row)).sum();
        self.is_changed = true;
    }

    /// The second half of a block that became too long, with a name of its own.
    fn split(&mut self) -> Option<(i64, Self)> {
        if self.rows.len() <= MOST_ROWS {
            return None;
        }
        let rows = self.rows.split_off(self.rows.len() / 2);
        let size = |rows: &[Cow<'_, DecisionRow>]| rows.iter().map(|row| block::size_of(row)).sum();
        let first = rows.first()?;
        let (index, first_us) = (signed(first.index).ok()?, first.at_us);
        self.size = size(&self.rows);
        let (size, known) = (size(&rows), Vec::new());
        Some((index, Self { span: self.span, first_us, rows, size, known, is_changed: true }))
    }

    fn pack(&self, first_index: i64) -> Result<Packed, StoreError> {
        let mut bytes = Vec::with_capacity(self.size);
        self.rows.iter().for_each(|row| block::write(row, &mut bytes));
        let (coding, stored) = coding::shorten(bytes);
        let mut terms = terms_of(self.rows.iter().map(|row| &**row));
        terms.retain(|term| self.known.binary_search(term).is_err());
        Ok(Packed {
            first_index,
            first_us: self.first_us,
            last_index: self.rows.last().map_or(Ok(first_index), |row| signed(row.index))?,
            last_us: self.rows.iter().map(|row| row.at_us).max().unwrap_or(self.first_us),
            count: i16::try_from(self.rows.len()).unwrap_or(i16::MAX),
            coding: i16::try_from(coding).map_err(unavailable)?,
            stored,
            terms,
        })
    }
}

impl<'r> Arrangement<'r> {
    /// Takes in a block that is there.
    pub(super) fn know(&mut self, span: Span, first_index: i64, first_us: i64, rows: Vec<DecisionRow>) {
        let (known, size) = (terms_of(rows.iter()), rows.iter().map(block::size_of).sum());
        let rows = rows.into_iter().map(Cow::Owned).collect();
        self.blocks.insert(first_index, Block { span, first_us, rows, size, known, is_changed: false });
    }

    pub(super) fn has(&self, first_index: i64) -> bool {
        self.blocks.contains_key(&first_index)
    }

    /// Puts a line that may be there already. Whatever block has or would have it is known.
    pub(super) fn put(&mut self, span: Span, row: &'r DecisionRow) -> Result<(), StoreError> {
        let index = signed(row.index)?;
        match self.blocks.range_mut(..=index).next_back().filter(|(_, block)| block.span == span) {
            Some((_, block)) => {
                block.put(row);
                if let Some((index, second)) = block.split() {
                    self.blocks.insert(index, second);
                }
            }
            None => drop(self.blocks.insert(index, Block::of(span, row))),
        }
        Ok(())
    }

    /// Appends lines above all that are there, in their order. `newest` is the newest block of their partition, where it
    /// is known and may be continued.
    pub(super) fn append(
        &mut self,
        spans: &[Span],
        rows: impl Iterator<Item = &'r DecisionRow>,
        newest: Option<i64>,
    ) -> Result<(), StoreError> {
        let mut open = newest.filter(|newest| self.blocks.get(newest).is_some_and(|block| block.rows.len() < SHORT));
        for row in rows {
            let span = span_at(spans, row.at_us)?;
            let block = open.and_then(|open| self.blocks.get_mut(&open));
            match block.filter(|block| block.span == span && block.has_room()) {
                Some(block) => block.push(row),
                None => {
                    let index = signed(row.index)?;
                    self.blocks.insert(index, Block::of(span, row));
                    open = Some(index);
                }
            }
        }
        Ok(())
    }

    /// What is to be written, in the order of the list.
    pub(super) fn packed(&self) -> Result<Vec<Packed>, StoreError> {
        let changed = self.blocks.iter().filter(|(_, block)| block.is_changed);
        changed.map(|(first_index, block)| block.pack(*first_index)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::samples::{self, START_US};

    const ALL: Span = (i64::MIN, i64::MAX);

    fn counts(packed: &[Packed]) -> Vec<(i64, i16)> {
        packed.iter().map(|block| (block.first_index, block.count)).collect()
    }

    #[test]
    fn many_lines_fill_blocks_and_a_short_one_is_continued() {
        let rows: Vec<_> = (0..600).map(samples::decision).collect();
        let append = |known: usize| {
            let mut arrangement = Arrangement::default();
            if known > 0 {
                arrangement.know(ALL, 0, START_US, rows[..known].to_vec());
            }
            arrangement.append(&[ALL], rows[known..].iter(), Some(0)).unwrap();
            arrangement.packed().unwrap()
        };
        assert_eq!(counts(&append(0)), [(0, 256), (256, 256), (512, 88)]);
        assert_eq!(counts(&append(SHORT - 1)), [(0, 256), (256, 256), (512, 88)]);
        assert_eq!(counts(&append(SHORT)), [(64, 256), (320, 256), (576, 24)]);
        let again = append(SHORT - 1);
        let of = |rows: &[DecisionRow]| terms_of(rows.iter());
        let new: Vec<_> = of(&rows[..256]).into_iter().filter(|term| !of(&rows[..SHORT - 1]).contains(term)).collect();
        assert_eq!(again[0].terms, new, "only what is not there yet");
    }

    #[test]
    fn a_block_ends_at_a_partitions_bound_and_when_it_is_large() {
        let spans = [(i64::MIN, START_US + 50), (START_US + 50, i64::MAX)];
        let mut rows: Vec<_> = (0..200).map(samples::decision).collect();
        rows[150].bytes = vec![7; MOST_BYTES];
        let mut arrangement = Arrangement::default();
        arrangement.append(&spans, rows.iter(), None).unwrap();
        assert_eq!(counts(&arrangement.packed().unwrap()), [(0, 100), (100, 51), (151, 49)]);
        assert!(span_at(&spans[1..], START_US).is_err());
        assert_eq!(span_at(&spans, START_US + 50).unwrap(), spans[1]);
    }

    #[test]
    fn lines_that_are_put_again_are_replaced_and_a_block_that_becomes_too_long_falls_in_two() {
        let rows: Vec<_> = (0..600).map(samples::decision).collect();
        let even = |range: std::ops::Range<usize>| rows[range].iter().step_by(2).cloned().collect::<Vec<_>>();
        let mut arrangement = Arrangement::default();
        arrangement.know(ALL, 0, START_US, even(0..512));
        arrangement.know(ALL, 512, rows[512].at_us, even(512..600));
        let changed = DecisionRow { rule: "another".into(), ..rows[8].clone() };
        arrangement.put(ALL, &changed).unwrap();
        let [block] = &arrangement.packed().unwrap()[..] else { panic!("one block was touched") };
        assert_eq!((block.count, &block.terms[..]), (256, &[term(Probe::new(Column::Rule, "another"))][..]));
        arrangement.put(ALL, &rows[9]).unwrap();
        arrangement.put(ALL, &rows[301]).unwrap();
        let packed = arrangement.packed().unwrap();
        assert_eq!(counts(&packed), [(0, 128), (254, 130)]);
        assert_eq!(packed[1].first_us, rows[254].at_us);
        let bytes = coding::restore(packed[1].coding.into(), &packed[1].stored).unwrap();
        let second: Vec<_> = block::Rows(&bytes).map(|row| row.to_row()).collect();
        assert_eq!(packed[1].terms, terms_of(second.iter()), "the second one is found by all it has");
        assert_eq!((packed[1].last_index, packed[1].last_us), (510, rows[510].at_us));
    }

    #[test]
    fn an_id_made_by_the_server_names_its_line() {
        assert_eq!(index_in("req_0190000000007000800000000000ffff"), Some(0xffff));
        for other in
            ["req_0190000000004000800000000000ffff", "req_0190000000007000800000000000FFFF", "req_5", "order-17"]
        {
            assert_eq!(index_in(other), None, "{other}");
        }
        let id = "req_01900000000070008000000000000005";
        let with = |index| terms_of([DecisionRow { request_id: id.into(), ..samples::decision(index) }].iter()).len();
        assert_eq!((with(5), with(7)), (6, 7), "one that names another line is looked for");
    }
}
