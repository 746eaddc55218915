//! Lines of the decision list as they lie in a block, and what a block's summary says of it.
//!
//! Rows are appended, so the newest block grows without being read apart. A summary never says of a value that is in
//! its block that it is not: what it lets through is looked at row by row.
//! INVARIANT: `Rows` of what `write` wrote gives back the same row. Bytes that are cut off give fewer rows, no failure.

use crate::rows::{DecisionFilter, DecisionRow};

/// Most rows of a block.
pub(super) const MOST_ROWS: usize = 256;
/// 16 bits for each of the two values per row that may be different in every row: one block in a thousand is read
/// for nothing.
const FILTER: usize = 2 * MOST_ROWS * 2;
const PROBES: u32 = 6;
/// Count (4), last index (8), first and last time (8 each), then the filter.
const SUMMARY: usize = 28 + FILTER;

/// What can be asked for, as it is told apart in the filter.
#[derive(Clone, Copy)]
enum Column {
    Request,
    Agent,
    Type,
    Target,
    Outcome,
    Rule,
    Severity,
}

/// A value in a column, as the places of its bits.
#[derive(Clone, Copy)]
pub(super) struct Probe(u64);

impl Probe {
    /// FNV-1a with the finalizer of MurmurHash3. Stored, so it must stay what it is.
    fn new(column: Column, value: &str) -> Self {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in std::iter::once(column as u8).chain(value.bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        Self(hash ^ (hash >> 33))
    }

    pub(super) fn request(id: &str) -> Self {
        Self::new(Column::Request, id)
    }

    pub(super) fn agent(id: &str) -> Self {
        Self::new(Column::Agent, id)
    }

    /// One per member of the filter that names a value.
    pub(super) fn of_filter(filter: &DecisionFilter) -> Vec<Self> {
        let wanted = [
            (Column::Target, &filter.target),
            (Column::Agent, &filter.agent),
            (Column::Rule, &filter.rule),
            (Column::Type, &filter.action_type),
            (Column::Severity, &filter.severity),
            (Column::Outcome, &filter.outcome),
        ];
        wanted.iter().filter_map(|(column, value)| Some(Self::new(*column, value.as_deref()?))).collect()
    }

    fn of_row(row: &DecisionRow) -> [Self; 7] {
        [
            Self::request(&row.request_id),
            Self::agent(&row.agent),
            Self::new(Column::Type, &row.action_type),
            Self::new(Column::Target, &row.target),
            Self::new(Column::Outcome, &row.outcome),
            Self::new(Column::Rule, &row.rule),
            Self::new(Column::Severity, &row.severity),
        ]
    }

    /// Byte and mask of each of its bits.
    fn bits(self) -> impl Iterator<Item = (usize, u8)> {
        let (step, bits) = ((self.0 >> 32) | 1, FILTER as u64 * 8);
        (0..PROBES).map(move |probe| {
            let bit = self.0.wrapping_add(u64::from(probe).wrapping_mul(step)) % bits;
            (usize::try_from(bit / 8).unwrap_or(0), 1 << (bit % 8))
        })
    }
}

/// What may be in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Summary {
    pub count: usize,
    pub last_index: u64,
    pub first_at_us: i64,
    pub last_at_us: i64,
    filter: Vec<u8>,
}

impl Summary {
    pub(super) fn new() -> Self {
        Self { count: 0, last_index: 0, first_at_us: i64::MAX, last_at_us: i64::MIN, filter: vec![0; FILTER] }
    }

    pub(super) fn add(&mut self, row: &DecisionRow) {
        self.count += 1;
        self.last_index = self.last_index.max(row.index);
        self.first_at_us = self.first_at_us.min(row.at_us);
        self.last_at_us = self.last_at_us.max(row.at_us);
        for (byte, mask) in Probe::of_row(row).into_iter().flat_map(Probe::bits) {
            if let Some(byte) = self.filter.get_mut(byte) {
                *byte |= mask;
            }
        }
    }

    /// Whether all of these values may be in the block.
    pub(super) fn may_have(&self, probes: &[Probe]) -> bool {
        let is_set = |(byte, mask): (usize, u8)| self.filter.get(byte).is_some_and(|byte| byte & mask != 0);
        probes.iter().all(|probe| probe.bits().all(is_set))
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(SUMMARY);
        out.extend_from_slice(&u32::try_from(self.count).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(&self.last_index.to_be_bytes());
        out.extend_from_slice(&self.first_at_us.to_be_bytes());
        out.extend_from_slice(&self.last_at_us.to_be_bytes());
        out.extend_from_slice(&self.filter);
        out
    }

    /// `None` for what is no summary.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (count, rest) = bytes.split_first_chunk::<4>()?;
        let (last_index, rest) = rest.split_first_chunk::<8>()?;
        let (first_at, rest) = rest.split_first_chunk::<8>()?;
        let (last_at, filter) = rest.split_first_chunk::<8>()?;
        (filter.len() == FILTER).then(|| Self {
            count: usize::try_from(u32::from_be_bytes(*count)).unwrap_or(usize::MAX),
            last_index: u64::from_be_bytes(*last_index),
            first_at_us: i64::from_be_bytes(*first_at),
            last_at_us: i64::from_be_bytes(*last_at),
            filter: filter.to_vec(),
        })
    }
}

/// Appends a row: its length, index and time, then each text with its length.
pub(super) fn write(row: &DecisionRow, out: &mut Vec<u8>) {
    let texts = [
        row.request_id.as_bytes(),
        row.agent.as_bytes(),
        row.action_type.as_bytes(),
        row.target.as_bytes(),
        row.outcome.as_bytes(),
        row.rule.as_bytes(),
        row.severity.as_bytes(),
        &row.bytes,
    ];
    let length = 16 + texts.iter().map(|text| 4 + text.len()).sum::<usize>();
    out.reserve(4 + length);
    out.extend_from_slice(&size(length));
    out.extend_from_slice(&row.index.to_be_bytes());
    out.extend_from_slice(&row.at_us.to_be_bytes());
    for text in texts {
        out.extend_from_slice(&size(text.len()));
        out.extend_from_slice(text);
    }
}

fn size(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}

/// The rows of a block, oldest first.
pub(super) struct Rows<'b>(pub &'b [u8]);

impl<'b> Iterator for Rows<'b> {
    type Item = Row<'b>;

    fn next(&mut self) -> Option<Row<'b>> {
        let whole = take(&mut self.0)?;
        let (index, rest) = whole.split_first_chunk::<8>()?;
        let (at_us, mut rest) = rest.split_first_chunk::<8>()?;
        let mut texts = [&[][..]; 8];
        for text in &mut texts {
            *text = take(&mut rest)?;
        }
        Some(Row { index: u64::from_be_bytes(*index), at_us: i64::from_be_bytes(*at_us), texts })
    }
}

fn take<'b>(from: &mut &'b [u8]) -> Option<&'b [u8]> {
    let (length, rest) = from.split_first_chunk::<4>()?;
    let (taken, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    *from = rest;
    Some(taken)
}

/// One row as it lies in its block.
pub(super) struct Row<'b> {
    pub index: u64,
    pub at_us: i64,
    texts: [&'b [u8]; 8],
}

impl Row<'_> {
    pub(super) fn is_of(&self, request_id: &str, agent: Option<&str>) -> bool {
        let [request, by, ..] = &self.texts;
        *request == request_id.as_bytes() && agent.is_none_or(|agent| *by == agent.as_bytes())
    }

    pub(super) fn passes(&self, filter: &DecisionFilter) -> bool {
        let [_, agent, action_type, target, outcome, rule, severity, _] = &self.texts;
        let equal = |wanted: &Option<String>, found: &[u8]| wanted.as_ref().is_none_or(|text| text.as_bytes() == found);
        filter.before.is_none_or(|before| self.index < before)
            && filter.since_us.is_none_or(|since| self.at_us >= since)
            && filter.until_us.is_none_or(|until| self.at_us < until)
            && equal(&filter.target, target)
            && equal(&filter.agent, agent)
            && equal(&filter.rule, rule)
            && equal(&filter.action_type, action_type)
            && equal(&filter.severity, severity)
            && equal(&filter.outcome, outcome)
    }

    pub(super) fn to_row(&self) -> DecisionRow {
        let [request_id, agent, action_type, target, outcome, rule, severity, bytes] = self.texts;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        DecisionRow {
            index: self.index,
            request_id: text(request_id),
            at_us: self.at_us,
            agent: text(agent),
            action_type: text(action_type),
            target: text(target),
            outcome: text(outcome),
            rule: text(rule),
            severity: text(severity),
            bytes: bytes.to_vec(),
        }
    }
}

#[cfg(test)]
mod tests;
