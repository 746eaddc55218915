//! The durable write: exactly the batch, in one statement, if the head is the expected one.
//!
//! INVARIANT: the head is moved by an update that names the size and nonce it expects, before anything else: if it moved
//! nothing, nothing is written.
//!
//! The statement is a function of the database (`0006_2_segments.sql`), so that it is parsed and planned once for each of the
//! server's processes and not for each commit; parts that the batch does not have are absent. Whatever comes twice in
//! one batch is written as it stands at the end of it.

use std::collections::BTreeMap;

use tokio_postgres::types::{ToSql, Type};

use super::errors::signed;
use super::partitions::Partitions;
use super::segments::{self, Entries, Kept};
use crate::batch::{Batch, Change};
use crate::error::StoreError;
use crate::rows::{Approval, Execution};

/// Its result is the number of heads it moved: 0 or 1.
pub(super) const WRITE: &str = "SELECT runplane.write_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, \
     $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, \
     $43, $44, $45)";

/// The values of [`WRITE`], in its order.
#[derive(Default)]
pub(super) struct Write<'a>(Vec<(Box<dyn ToSql + Sync + Send + 'a>, Type)>);

impl<'a> Write<'a> {
    pub(super) fn of(number: i64, batch: &'a Batch, partitions: &Partitions) -> Result<Self, StoreError> {
        let head = &batch.head;
        let mut write = Self::default();
        write.put(number, Type::INT8);
        write.put(signed(head.size)?, Type::INT8);
        write.put(head.root.as_slice(), Type::BYTEA);
        write.put(head.frontier.as_slice(), Type::BYTEA);
        write.put(head.time_us, Type::INT8);
        write.put(signed(head.epoch)?, Type::INT8);
        write.put(head.nonce.as_slice(), Type::BYTEA);
        write.put(head.checkpoint.as_str(), Type::TEXT);
        write.put(signed(batch.expected_size)?, Type::INT8);
        write.put(batch.expected_nonce.as_slice(), Type::BYTEA);
        let (entries, kept) = segments::of(batch, partitions)?;
        write.entries(entries);
        write.payloads(kept);
        write.requests(batch)?;
        write.executions(batch)?;
        write.approvals(batch)?;
        write.documents(batch);
        Ok(write)
    }

    pub(super) fn values(&self) -> Vec<(&(dyn ToSql + Sync), Type)> {
        self.0.iter().map(|(value, kind)| (&**value as &(dyn ToSql + Sync), kind.clone())).collect()
    }

    fn put(&mut self, value: impl ToSql + Sync + Send + 'a, kind: Type) {
        self.0.push((Box::new(value), kind));
    }

    /// A column of a part: absent where it has no rows.
    fn column<T: ToSql + Sync + Send + 'a>(&mut self, values: Vec<T>, kind: Type) {
        self.put((!values.is_empty()).then_some(values), kind);
    }

    fn entries(&mut self, entries: Entries) {
        self.column(entries.firsts, Type::INT8_ARRAY);
        self.column(entries.hashes, Type::BYTEA_ARRAY);
        self.column(entries.bytes, Type::BYTEA_ARRAY);
        self.column(entries.days, Type::INT4_ARRAY);
        self.column(entries.ends, Type::BYTEA_ARRAY);
        self.column(entries.codings, Type::INT2_ARRAY);
        self.column(entries.each_day, Type::BYTEA_ARRAY);
    }

    fn payloads(&mut self, kept: Kept) {
        self.column(kept.firsts, Type::INT8_ARRAY);
        self.column(kept.days, Type::INT4_ARRAY);
        self.column(kept.retentions, Type::INT2_ARRAY);
        self.column(kept.times, Type::INT8_ARRAY);
        self.column(kept.salts, Type::BYTEA_ARRAY);
        self.column(kept.bytes, Type::BYTEA_ARRAY);
        self.column(kept.heads, Type::BYTEA_ARRAY);
        self.column(kept.codings, Type::INT2_ARRAY);
    }

    fn requests(&mut self, batch: &'a Batch) -> Result<(), StoreError> {
        let requests = &batch.requests;
        let indexes = requests.iter().map(|request| signed(request.index)).collect::<Result<Vec<_>, _>>()?;
        self.column(requests.iter().map(|request| request.agent.as_bytes()).collect(), Type::BYTEA_ARRAY);
        self.column(requests.iter().map(|request| request.request_id.as_bytes()).collect(), Type::BYTEA_ARRAY);
        self.column(indexes, Type::INT8_ARRAY);
        self.column(requests.iter().map(|request| request.digest.as_slice()).collect(), Type::BYTEA_ARRAY);
        self.column(requests.iter().map(|request| request.at_us).collect(), Type::INT8_ARRAY);
        Ok(())
    }

    fn executions(&mut self, batch: &'a Batch) -> Result<(), StoreError> {
        let last: BTreeMap<u64, &Execution> = batch.executions.iter().map(|one| (one.index, one)).collect();
        let indexes = last.keys().map(|index| signed(*index)).collect::<Result<Vec<_>, _>>()?;
        self.column(indexes, Type::INT8_ARRAY);
        self.column(last.values().map(|execution| execution.status.as_str()).collect(), Type::TEXT_ARRAY);
        self.column(last.values().map(|execution| execution.bytes.as_slice()).collect(), Type::BYTEA_ARRAY);
        Ok(())
    }

    fn approvals(&mut self, batch: &'a Batch) -> Result<(), StoreError> {
        let last: BTreeMap<&str, &Approval> = batch.approvals.iter().map(|one| (one.id.as_str(), one)).collect();
        let indexes = last.values().map(|approval| signed(approval.index)).collect::<Result<Vec<_>, _>>()?;
        self.column(last.keys().copied().collect(), Type::TEXT_ARRAY);
        self.column(indexes, Type::INT8_ARRAY);
        self.column(last.values().map(|approval| approval.agent.as_str()).collect(), Type::TEXT_ARRAY);
        self.column(last.values().map(|approval| approval.status.as_str()).collect(), Type::TEXT_ARRAY);
        self.column(last.values().map(|approval| approval.open).collect(), Type::BOOL_ARRAY);
        self.column(last.values().map(|approval| approval.expires_us).collect(), Type::INT8_ARRAY);
        self.column(last.values().map(|approval| approval.bytes.as_slice()).collect(), Type::BYTEA_ARRAY);
        Ok(())
    }

    fn documents(&mut self, batch: &'a Batch) {
        let mut last: BTreeMap<(&str, &str), Option<Vec<u8>>> = BTreeMap::new();
        for change in &batch.documents {
            match change {
                Change::Put { kind, key, bytes } => last.insert((kind, key), Some(bytes.restored().into_owned())),
                Change::Delete { kind, key } => last.insert((kind, key), None),
            };
        }
        let gone: Vec<_> = last.iter().filter(|(_, bytes)| bytes.is_none()).map(|(name, _)| *name).collect();
        let puts: Vec<_> = last.into_iter().filter_map(|(name, bytes)| Some((name, bytes?))).collect();
        self.column(puts.iter().map(|((kind, _), _)| *kind).collect(), Type::TEXT_ARRAY);
        self.column(puts.iter().map(|((_, key), _)| *key).collect(), Type::TEXT_ARRAY);
        self.column(puts.into_iter().map(|(_, bytes)| bytes).collect(), Type::BYTEA_ARRAY);
        self.column(gone.iter().map(|(kind, _)| *kind).collect(), Type::TEXT_ARRAY);
        self.column(gone.iter().map(|(_, key)| *key).collect(), Type::TEXT_ARRAY);
    }
}
