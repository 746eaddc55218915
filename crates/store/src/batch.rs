//! Everything one turn of the sequencer writes, and the checks on it that need no database.
//!
//! It refuses a batch without an entry (state never changes off the record) and one whose parts point at
//! entries that it does not bring or that do not exist yet.

use crate::coding::Stored;
use crate::rows::{Approval, Execution, Head, Request, Retention};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Size of the head this batch was built on. 0 only for the first batch of a workspace.
    pub expected_size: u64,
    /// Nonce of the head this batch was built on; not read for the first batch of a workspace.
    pub expected_nonce: [u8; 16],
    /// The head after this batch.
    pub head: Head,
    /// In order, from index `expected_size` on; at least one.
    pub entries: Vec<Entry>,
    /// At most one per entry, in the order of the entries.
    pub payloads: Vec<NewPayload>,
    /// Inserted; an (agent, request id) that is there already fails the batch.
    pub requests: Vec<Request>,
    /// Inserted or replaced, by index.
    pub executions: Vec<Execution>,
    /// Inserted or replaced, by id.
    pub approvals: Vec<Approval>,
    /// Applied in order.
    pub documents: Vec<Change>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    pub bytes: Vec<u8>,
    pub leaf_hash: [u8; 32],
}

/// The payload of one of the batch's own entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPayload {
    pub index: u64,
    pub salt: [u8; 16],
    pub bytes: Vec<u8>,
    pub retention: Retention,
    /// Absent: kept until somebody asks for its erasure.
    pub erase_after_us: Option<i64>,
}

/// A change of one control document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Put { kind: String, key: String, bytes: Stored },
    Delete { kind: String, key: String },
}

impl Batch {
    /// A batch of entries on top of `head_before`, with nothing else in it yet.
    pub fn of_entries(expected_size: u64, expected_nonce: [u8; 16], head: Head, entries: Vec<Entry>) -> Self {
        Self {
            expected_size,
            expected_nonce,
            head,
            entries,
            payloads: Vec::new(),
            requests: Vec::new(),
            executions: Vec::new(),
            approvals: Vec::new(),
            documents: Vec::new(),
        }
    }

    /// What is wrong with the batch in itself, if anything. Every implementation calls this first.
    pub fn check(&self) -> Result<(), String> {
        if self.entries.is_empty() {
            return Err("a batch must bring at least one entry".into());
        }
        let brought = u64::try_from(self.entries.len()).unwrap_or(u64::MAX);
        if self.expected_size.checked_add(brought) != Some(self.head.size) {
            let (from, to) = (self.expected_size, self.head.size);
            return Err(format!("{brought} entries do not lead from size {from} to size {to}"));
        }
        if self.expected_size > 0 && self.head.nonce == self.expected_nonce {
            return Err("the nonce is that of the head before".into());
        }
        let own = self.expected_size..self.head.size;
        if let Some(payload) = self.payloads.iter().find(|p| !own.contains(&p.index)) {
            return Err(format!("a payload for entry {}, which is not of this batch", payload.index));
        }
        if !self.payloads.is_sorted_by(|one, next| one.index < next.index) {
            return Err("payloads are not in the order of their entries, one each".into());
        }
        if let Some(request) = self.requests.iter().find(|r| !own.contains(&r.index)) {
            return Err(format!("a request id for entry {}, which is not of this batch", request.index));
        }
        if let Some(execution) = self.executions.iter().find(|e| e.index >= own.end) {
            return Err(format!("an execution of entry {}, which does not exist", execution.index));
        }
        if let Some(approval) = self.approvals.iter().find(|a| a.index >= own.end) {
            return Err(format!("an approval of entry {}, which does not exist", approval.index));
        }
        Ok(())
    }
}
