//! The durable write: exactly the batch, in one statement, if the head is the expected one.
//!
//! INVARIANT: the head is moved by an update that names the size and nonce it expects, and every other part
//! of the statement takes its rows from that update: if it moved nothing, nothing is written.
//!
//! The statement names only the parts that the batch has, so the most frequent batches are the cheapest to
//! plan. Whatever comes twice in one batch is written as it stands at the end of it.

use std::collections::BTreeMap;

use tokio_postgres::types::{ToSql, Type};

use super::errors::signed;
use super::payloads::stored_retention;
use crate::batch::{Batch, Change};
use crate::error::StoreError;
use crate::rows::{Approval, Execution};

const MOVE_HEAD: &str = "UPDATE runplane.heads
     SET size = $2, root = $3, frontier = $4, time_us = $5, epoch = $6, nonce = $7, checkpoint = $8
     WHERE workspace = $1 AND size = $9 AND nonce = $10 AND time_us <= $5 AND epoch <= $6 RETURNING 1";

const INSERT_HEAD: &str =
    "INSERT INTO runplane.heads (workspace, size, root, frontier, time_us, epoch, nonce, checkpoint)
     SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE $9 = 0 AND $10::bytea IS NOT NULL RETURNING 1";

/// One statement with its values.
pub(super) struct Write<'a> {
    text: String,
    values: Vec<(Box<dyn ToSql + Sync + Send + 'a>, Type)>,
}

impl<'a> Write<'a> {
    /// Its result is one row with the number of heads it moved: 0 or 1.
    pub(super) fn of(number: i64, batch: &'a Batch) -> Result<Self, StoreError> {
        let head = &batch.head;
        let first = batch.expected_size == 0;
        let mut write = Self { text: String::new(), values: Vec::new() };
        write.place(number, Type::INT8);
        write.place(signed(head.size)?, Type::INT8);
        write.place(head.root.as_slice(), Type::BYTEA);
        write.place(head.frontier.as_slice(), Type::BYTEA);
        write.place(head.time_us, Type::INT8);
        write.place(signed(head.epoch)?, Type::INT8);
        write.place(head.nonce.as_slice(), Type::BYTEA);
        write.place(head.checkpoint.as_str(), Type::TEXT);
        write.place(signed(batch.expected_size)?, Type::INT8);
        write.place(batch.expected_nonce.as_slice(), Type::BYTEA);
        write.text = format!("WITH moved AS ({})", if first { INSERT_HEAD } else { MOVE_HEAD });
        write
            .text
            .push_str(", c AS (INSERT INTO runplane.checkpoints (workspace, size, note) SELECT $1, $2, $8 FROM moved)");
        write.entries(batch);
        write.payloads(batch)?;
        write.requests(batch)?;
        write.executions(batch)?;
        write.approvals(batch)?;
        write.documents(batch);
        write.text.push_str(" SELECT count(*) FROM moved");
        Ok(write)
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn values(&self) -> Vec<(&(dyn ToSql + Sync), Type)> {
        self.values.iter().map(|(value, kind)| (&**value as &(dyn ToSql + Sync), kind.clone())).collect()
    }

    fn place(&mut self, value: impl ToSql + Sync + Send + 'a, kind: Type) -> usize {
        self.values.push((Box::new(value), kind));
        self.values.len()
    }

    fn entries(&mut self, batch: &'a Batch) {
        let hashes: Vec<&[u8]> = batch.entries.iter().map(|entry| entry.leaf_hash.as_slice()).collect();
        let bytes: Vec<&[u8]> = batch.entries.iter().map(|entry| entry.bytes.as_slice()).collect();
        let hashes = self.place(hashes, Type::BYTEA_ARRAY);
        let bytes = self.place(bytes, Type::BYTEA_ARRAY);
        self.text.push_str(&format!(
            ", e AS (INSERT INTO runplane.entries (workspace, entry_index, leaf_hash, bytes)
             SELECT $1, $9 + u.n - 1, u.h, u.b FROM moved, unnest(${hashes}::bytea[], ${bytes}::bytea[])
                 WITH ORDINALITY AS u (h, b, n))"
        ));
    }

    fn payloads(&mut self, batch: &'a Batch) -> Result<(), StoreError> {
        if batch.payloads.is_empty() {
            return Ok(());
        }
        let payloads = &batch.payloads;
        let indexes = payloads.iter().map(|payload| signed(payload.index)).collect::<Result<Vec<_>, _>>()?;
        let retentions: Vec<i16> = payloads.iter().map(|payload| stored_retention(payload.retention)).collect();
        let times: Vec<Option<i64>> = payloads.iter().map(|payload| payload.erase_after_us).collect();
        let salts: Vec<&[u8]> = payloads.iter().map(|payload| payload.salt.as_slice()).collect();
        let bytes: Vec<&[u8]> = payloads.iter().map(|payload| payload.bytes.as_slice()).collect();
        let places = [
            self.place(indexes, Type::INT8_ARRAY),
            self.place(retentions, Type::INT2_ARRAY),
            self.place(times, Type::INT8_ARRAY),
            self.place(salts, Type::BYTEA_ARRAY),
            self.place(bytes, Type::BYTEA_ARRAY),
        ];
        self.insert("p", "payloads (workspace, entry_index, retention, erase_after_us, salt, bytes)", &places, "");
        Ok(())
    }

    fn requests(&mut self, batch: &'a Batch) -> Result<(), StoreError> {
        if batch.requests.is_empty() {
            return Ok(());
        }
        let requests = &batch.requests;
        let agents: Vec<&[u8]> = requests.iter().map(|request| request.agent.as_bytes()).collect();
        let ids: Vec<&[u8]> = requests.iter().map(|request| request.request_id.as_bytes()).collect();
        let indexes = requests.iter().map(|request| signed(request.index)).collect::<Result<Vec<_>, _>>()?;
        let digests: Vec<&[u8]> = requests.iter().map(|request| request.digest.as_slice()).collect();
        let times: Vec<i64> = requests.iter().map(|request| request.at_us).collect();
        let places = [
            self.place(agents, Type::BYTEA_ARRAY),
            self.place(ids, Type::BYTEA_ARRAY),
            self.place(indexes, Type::INT8_ARRAY),
            self.place(digests, Type::BYTEA_ARRAY),
            self.place(times, Type::INT8_ARRAY),
        ];
        self.insert("r", "requests (workspace, agent, request_id, entry_index, digest, at_us)", &places, "");
        Ok(())
    }

    fn executions(&mut self, batch: &'a Batch) -> Result<(), StoreError> {
        let last: BTreeMap<u64, &Execution> = batch.executions.iter().map(|one| (one.index, one)).collect();
        if last.is_empty() {
            return Ok(());
        }
        let indexes = last.keys().map(|index| signed(*index)).collect::<Result<Vec<_>, _>>()?;
        let statuses: Vec<&str> = last.values().map(|execution| execution.status.as_str()).collect();
        let bytes: Vec<&[u8]> = last.values().map(|execution| execution.bytes.as_slice()).collect();
        let places = [
            self.place(indexes, Type::INT8_ARRAY),
            self.place(statuses, Type::TEXT_ARRAY),
            self.place(bytes, Type::BYTEA_ARRAY),
        ];
        let replace =
            "ON CONFLICT (workspace, entry_index) DO UPDATE SET status = excluded.status, bytes = excluded.bytes";
        self.insert("x", "executions (workspace, entry_index, status, bytes)", &places, replace);
        Ok(())
    }

    fn approvals(&mut self, batch: &'a Batch) -> Result<(), StoreError> {
        let last: BTreeMap<&str, &Approval> = batch.approvals.iter().map(|one| (one.id.as_str(), one)).collect();
        if last.is_empty() {
            return Ok(());
        }
        let ids: Vec<&str> = last.keys().copied().collect();
        let indexes = last.values().map(|approval| signed(approval.index)).collect::<Result<Vec<_>, _>>()?;
        let agents: Vec<&str> = last.values().map(|approval| approval.agent.as_str()).collect();
        let statuses: Vec<&str> = last.values().map(|approval| approval.status.as_str()).collect();
        let open: Vec<bool> = last.values().map(|approval| approval.open).collect();
        let times: Vec<i64> = last.values().map(|approval| approval.expires_us).collect();
        let bytes: Vec<&[u8]> = last.values().map(|approval| approval.bytes.as_slice()).collect();
        let places = [
            self.place(ids, Type::TEXT_ARRAY),
            self.place(indexes, Type::INT8_ARRAY),
            self.place(agents, Type::TEXT_ARRAY),
            self.place(statuses, Type::TEXT_ARRAY),
            self.place(open, Type::BOOL_ARRAY),
            self.place(times, Type::INT8_ARRAY),
            self.place(bytes, Type::BYTEA_ARRAY),
        ];
        let replace = "ON CONFLICT (workspace, id) DO UPDATE SET entry_index = excluded.entry_index,
             agent = excluded.agent, status = excluded.status, open = excluded.open,
             expires_us = excluded.expires_us, bytes = excluded.bytes";
        let columns = "approvals (workspace, id, entry_index, agent, status, open, expires_us, bytes)";
        self.insert("a", columns, &places, replace);
        Ok(())
    }

    fn documents(&mut self, batch: &'a Batch) {
        let mut last: BTreeMap<(&str, &str), Option<&[u8]>> = BTreeMap::new();
        for change in &batch.documents {
            match change {
                Change::Put { kind, key, bytes } => last.insert((kind, key), Some(bytes)),
                Change::Delete { kind, key } => last.insert((kind, key), None),
            };
        }
        let puts: Vec<_> = last.iter().filter_map(|(name, bytes)| Some((*name, (*bytes)?))).collect();
        let deletes: Vec<_> = last.iter().filter(|(_, bytes)| bytes.is_none()).map(|(name, _)| *name).collect();
        if !puts.is_empty() {
            let places = [
                self.place(puts.iter().map(|((kind, _), _)| *kind).collect::<Vec<_>>(), Type::TEXT_ARRAY),
                self.place(puts.iter().map(|((_, key), _)| *key).collect::<Vec<_>>(), Type::TEXT_ARRAY),
                self.place(puts.iter().map(|(_, bytes)| *bytes).collect::<Vec<_>>(), Type::BYTEA_ARRAY),
            ];
            let replace = "ON CONFLICT (workspace, kind, key) DO UPDATE SET bytes = excluded.bytes";
            self.insert("d", "documents (workspace, kind, key, bytes)", &places, replace);
        }
        if !deletes.is_empty() {
            let kinds = self.place(deletes.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), Type::TEXT_ARRAY);
            let keys = self.place(deletes.iter().map(|(_, key)| *key).collect::<Vec<_>>(), Type::TEXT_ARRAY);
            self.text.push_str(&format!(
                ", g AS (DELETE FROM runplane.documents d USING moved, unnest(${kinds}::text[], ${keys}::text[]) AS u (k, n)
                 WHERE d.workspace = $1 AND d.kind = u.k AND d.key = u.n)"
            ));
        }
    }

    /// One more table: a row for each place of the arrays, if the head moved.
    fn insert(&mut self, name: &str, into: &str, places: &[usize], conflict: &str) {
        let arrays = places.iter().map(|place| format!("${place}")).collect::<Vec<_>>().join(", ");
        self.text.push_str(&format!(
            ", {name} AS (INSERT INTO runplane.{into} SELECT $1, u.* FROM moved, unnest({arrays}) AS u {conflict})"
        ));
    }
}
