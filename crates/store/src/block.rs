//! Lines of the decision list as they lie in a block, and the hashes by which blocks are found.
//!
//! Both stores pack rows alike and find blocks by the same hashes: one in a summary of each block, the other in an index
//! of its own. A hash says only where to look: what is found there is compared row by row.
//! INVARIANT: `Rows` of what `write` wrote gives back the same row. Bytes that are cut off give fewer rows, no failure.

use crate::rows::{DecisionFilter, DecisionRow};

/// Most rows of a block.
pub(crate) const MOST_ROWS: usize = 256;

/// What can be asked for, as it is told apart in the hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Request,
    Agent,
    Type,
    Target,
    Outcome,
    Rule,
    Severity,
}

/// A value in a column, as one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Probe(pub u64);

impl Probe {
    /// FNV-1a with the finalizer of MurmurHash3. Stored, so it must stay what it is.
    pub(crate) fn new(column: Column, value: &str) -> Self {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in std::iter::once(column as u8).chain(value.bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        Self(hash ^ (hash >> 33))
    }

    pub(crate) fn request(id: &str) -> Self {
        Self::new(Column::Request, id)
    }

    pub(crate) fn agent(id: &str) -> Self {
        Self::new(Column::Agent, id)
    }

    /// One per member of the filter that names a value.
    pub(crate) fn of_filter(filter: &DecisionFilter) -> Vec<Self> {
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
}

/// Everything a row can be asked for.
pub(crate) fn values_of(row: &DecisionRow) -> [(Column, &str); 7] {
    [
        (Column::Request, &row.request_id),
        (Column::Agent, &row.agent),
        (Column::Type, &row.action_type),
        (Column::Target, &row.target),
        (Column::Outcome, &row.outcome),
        (Column::Rule, &row.rule),
        (Column::Severity, &row.severity),
    ]
}

/// What each row can be asked for that was not said by the row before it, too.
pub(crate) fn probes_of<'r>(
    rows: impl Iterator<Item = &'r DecisionRow>,
) -> impl Iterator<Item = (&'r DecisionRow, Column, Probe)> {
    let mut known: Option<[(Column, &'r str); 7]> = None;
    rows.flat_map(move |row| {
        let values = values_of(row);
        let before = known.replace(values);
        let new = values.into_iter().enumerate();
        new.filter(move |(place, value)| before.is_none_or(|before| before.get(*place) != Some(value)))
            .map(move |(_, (column, value))| (row, column, Probe::new(column, value)))
    })
}

fn texts_of(row: &DecisionRow) -> [&[u8]; 8] {
    [
        row.request_id.as_bytes(),
        row.agent.as_bytes(),
        row.action_type.as_bytes(),
        row.target.as_bytes(),
        row.outcome.as_bytes(),
        row.rule.as_bytes(),
        row.severity.as_bytes(),
        &row.bytes,
    ]
}

/// How many bytes a row takes.
pub(crate) fn size_of(row: &DecisionRow) -> usize {
    20 + texts_of(row).iter().map(|text| 4 + text.len()).sum::<usize>()
}

/// Appends a row: its length, index and time, then each text with its length.
pub(crate) fn write(row: &DecisionRow, out: &mut Vec<u8>) {
    let whole = size_of(row);
    out.reserve(whole);
    out.extend_from_slice(&size(whole - 4));
    out.extend_from_slice(&row.index.to_be_bytes());
    out.extend_from_slice(&row.at_us.to_be_bytes());
    for text in texts_of(row) {
        out.extend_from_slice(&size(text.len()));
        out.extend_from_slice(text);
    }
}

fn size(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}

/// The rows of a block, oldest first.
pub(crate) struct Rows<'b>(pub &'b [u8]);

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
pub(crate) struct Row<'b> {
    pub index: u64,
    pub at_us: i64,
    texts: [&'b [u8]; 8],
}

impl Row<'_> {
    pub(crate) fn is_of(&self, request_id: &str, agent: Option<&str>) -> bool {
        let [request, by, ..] = &self.texts;
        *request == request_id.as_bytes() && agent.is_none_or(|agent| *by == agent.as_bytes())
    }

    pub(crate) fn passes(&self, filter: &DecisionFilter) -> bool {
        let [_, agent, action_type, target, outcome, rule, severity, _] = &self.texts;
        let equal = |wanted: &Option<String>, found: &[u8]| wanted.as_ref().is_none_or(|text| text.as_bytes() == found);
        filter.before.is_none_or(|before| self.index < before)
            && filter.after.is_none_or(|after| self.index > after)
            && filter.since_us.is_none_or(|since| self.at_us >= since)
            && filter.until_us.is_none_or(|until| self.at_us < until)
            && equal(&filter.target, target)
            && equal(&filter.agent, agent)
            && equal(&filter.rule, rule)
            && equal(&filter.action_type, action_type)
            && equal(&filter.severity, severity)
            && equal(&filter.outcome, outcome)
    }

    pub(crate) fn to_row(&self) -> DecisionRow {
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
