//! The rows that a batch puts into `entries` and `kept`, and what is in such a row.
//!
//! A row holds one entry, as rows of older versions do, or the entries of one commit packed (`packed.rs`), under the index
//! of the first: what a commit costs is rows, and the bytes that the database logs. Payloads that go on the same day
//! are packed in the same way; those that are erased one by one have a row each.

use tokio_postgres::Row;

use super::errors::{Failure, fixed, signed, unavailable, unsigned, value};
use super::partitions::{Partitions, SHORT};
use super::payloads::stored_retention;
use crate::batch::{Batch, NewPayload};
use crate::coding;
use crate::error::StoreError;
use crate::packed::{self, Payloads, Segment};
use crate::rows::EntryRow;

/// Stands for an entry without a payload among those that have one.
const NONE: i32 = i32::MIN;
const HASH: usize = 32;

/// Rows of `entries`, by columns.
#[derive(Default)]
pub(super) struct Entries {
    pub firsts: Vec<i64>,
    pub hashes: Vec<Vec<u8>>,
    pub bytes: Vec<Vec<u8>>,
    /// The partition of the payloads, where it is the same for all of them.
    pub days: Vec<Option<i32>>,
    pub ends: Vec<Option<Vec<u8>>>,
    pub codings: Vec<i16>,
    pub each_day: Vec<Option<Vec<u8>>>,
}

/// Rows of `kept`, by columns.
#[derive(Default)]
pub(super) struct Kept {
    pub firsts: Vec<i64>,
    pub days: Vec<i32>,
    pub retentions: Vec<i16>,
    pub times: Vec<Option<i64>>,
    pub salts: Vec<Vec<u8>>,
    pub bytes: Vec<Vec<u8>>,
    pub heads: Vec<Option<Vec<u8>>>,
    pub codings: Vec<i16>,
}

pub(super) fn of(batch: &Batch, partitions: &Partitions) -> Result<(Entries, Kept), StoreError> {
    let (mut entries, mut kept) = (Entries::default(), Kept::default());
    for segment in packed::segments(batch) {
        let days: Vec<i32> =
            segment.payloads.iter().map(|payload| partitions.place(payload, batch.head.time_us)).collect();
        entries.add(&segment, &days)?;
        kept.add(segment.payloads, &days)?;
    }
    Ok((entries, kept))
}

impl Entries {
    /// `days` are the partitions of the segment's payloads, in their order.
    fn add(&mut self, segment: &Segment<'_>, days: &[i32]) -> Result<(), StoreError> {
        let mut placed = segment.payloads.iter().zip(days).peekable();
        let indexes = (segment.first..).take(segment.entries.len());
        let each: Vec<Option<i32>> =
            indexes.map(|index| placed.next_if(|(payload, _)| payload.index == index).map(|(_, day)| *day)).collect();
        let first = each.first().copied().flatten();
        let is_same = each.iter().all(|day| *day == first);
        let packed = packed::pack(segment.entries);
        let (coding, bytes) = shorten(packed.entries);
        self.firsts.push(signed(segment.first)?);
        self.hashes.push(packed.leaf_hashes);
        self.bytes.push(bytes);
        self.days.push(first.filter(|_| is_same));
        self.ends.push((segment.entries.len() > 1).then_some(packed.ends));
        self.codings.push(coding);
        let to_bytes = |day: &Option<i32>| day.unwrap_or(NONE).to_be_bytes();
        self.each_day.push((!is_same).then(|| each.iter().flat_map(to_bytes).collect()));
        Ok(())
    }
}

impl Kept {
    fn add(&mut self, payloads: &[NewPayload], days: &[i32]) -> Result<(), StoreError> {
        let mut wanted: Vec<i32> = days.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        for day in wanted {
            let own: Vec<&NewPayload> =
                payloads.iter().zip(days).filter_map(|(payload, at)| (*at == day).then_some(payload)).collect();
            match own.as_slice() {
                [first, _, ..] if day != SHORT => self.add_packed(first.index, &own, day)?,
                single => single.iter().try_for_each(|payload| self.add_one(payload, day))?,
            }
        }
        Ok(())
    }

    fn add_packed(&mut self, first: u64, payloads: &[&NewPayload], day: i32) -> Result<(), StoreError> {
        let Payloads { heads, bytes } = Payloads::pack(first, payloads.iter().copied());
        let (coding, bytes) = shorten(bytes);
        self.push(first, day, (0, None, Vec::new()), bytes, (Some(heads), coding))
    }

    fn add_one(&mut self, payload: &NewPayload, day: i32) -> Result<(), StoreError> {
        let (coding, bytes) = shorten(payload.bytes.clone());
        let frame = (stored_retention(payload.retention), payload.erase_after_us, payload.salt.to_vec());
        self.push(payload.index, day, frame, bytes, (None, coding))
    }

    fn push(
        &mut self,
        first: u64,
        day: i32,
        (retention, time, salt): (i16, Option<i64>, Vec<u8>),
        bytes: Vec<u8>,
        (heads, coding): (Option<Vec<u8>>, i16),
    ) -> Result<(), StoreError> {
        self.firsts.push(signed(first)?);
        self.days.push(day);
        self.retentions.push(retention);
        self.times.push(time);
        self.salts.push(salt);
        self.bytes.push(bytes);
        self.heads.push(heads);
        self.codings.push(coding);
        Ok(())
    }
}

fn shorten(bytes: Vec<u8>) -> (i16, Vec<u8>) {
    let (coding, bytes) = coding::shorten(bytes);
    (i16::try_from(coding).unwrap_or(i16::MAX), bytes)
}

/// The bytes of a row as they were; `None` where that cannot be told. Rows of older versions have no coding.
pub(super) fn restore(row: &Row, bytes: usize, coding: usize) -> Result<Option<Vec<u8>>, Failure> {
    let coding: Option<i16> = value(row, coding)?;
    Ok(coding::restore(coding.unwrap_or(0).into(), value(row, bytes)?).map(std::borrow::Cow::into_owned))
}

/// The entries of a row of [`super::ledger::ENTRIES`]. What is not where it should be is left out, as a row would be
/// that somebody deleted.
pub(super) fn entries(row: &Row) -> Result<Vec<EntryRow>, Failure> {
    let first = unsigned(row, 0)?;
    let bytes = restore(row, 1, 4)?;
    let Some(ends) = value::<Option<&[u8]>>(row, 3)? else {
        let bytes = bytes.unwrap_or_default();
        return Ok(vec![EntryRow { index: first, bytes, leaf_hash: fixed(row, 2)? }]);
    };
    Ok(packed::unpack(first, value(row, 2)?, ends, &bytes.unwrap_or_default()).map(packed::row).collect())
}

/// In which partition the payload of each entry is or was. Columns: the first index, the length of the hashes, the day of
/// all, the day of each.
pub(super) fn places(row: &Row, [first, hashes, day, days]: [usize; 4]) -> Result<Vec<(u64, Option<i32>)>, Failure> {
    let first = unsigned(row, first)?;
    let count = usize::try_from(value::<i32>(row, hashes)?).unwrap_or(0) / HASH;
    let same: Option<i32> = value(row, day)?;
    let days: Vec<Option<i32>> = match value::<Option<&[u8]>>(row, days)? {
        None => vec![same; count.max(1)],
        Some(each) => {
            let (days, rest) = each.as_chunks::<4>();
            if days.len() != count || !rest.is_empty() {
                return Err(unavailable("where payloads are stored cannot be told").into());
            }
            days.iter().map(|day| Some(i32::from_be_bytes(*day)).filter(|day| *day != NONE)).collect()
        }
    };
    Ok((first..).zip(days).collect())
}
