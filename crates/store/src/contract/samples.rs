//! Batches made up for the cases: nothing in them means anything but its own place.

use crate::{Approval, Batch, DecisionRow, Entry, Execution, Head, NewPayload, Request, Retention, Store, Workspace};

pub const START_US: i64 = 1_700_000_000_000_000;

/// Makes the batches of one workspace, each on top of the one before.
pub struct Chain {
    pub workspace: String,
    pub head: Head,
}

impl Chain {
    /// Inserts the workspace `ws_<name>` with one entry.
    pub fn begin(store: &dyn Store, name: &str) -> Self {
        let workspace = workspace(name);
        let first = Batch::of_entries(0, [0; 16], head(1), entries(name, 0, 1));
        store.insert_workspace(&workspace, &first).unwrap();
        Self { workspace: workspace.id, head: first.head }
    }

    /// The next batch: `count` entries and nothing else.
    pub fn next(&self, count: u64) -> Batch {
        let from = self.head.size;
        Batch::of_entries(from, self.head.nonce, head(from + count), entries(&self.workspace, from, count))
    }

    /// The next batch with something of everything for each entry.
    pub fn next_full(&self, count: u64) -> Batch {
        let mut batch = self.next(count);
        for index in batch.expected_size..batch.head.size {
            batch.payloads.push(payload(index, None));
            batch.requests.push(request(index));
            batch.executions.push(Execution { index, status: "allowed".into(), bytes: vec![1] });
            batch.approvals.push(approval(index, "pending", true));
        }
        batch
    }

    pub fn commit(&mut self, store: &dyn Store, batch: &Batch) {
        store.commit_batch(&self.workspace, batch).unwrap();
        self.head = batch.head.clone();
    }
}

pub fn workspace(name: &str) -> Workspace {
    Workspace { id: format!("ws_{name}"), name: name.into(), created_us: START_US }
}

/// The head after `size` entries: all of it follows from the size.
pub fn head(size: u64) -> Head {
    Head {
        size,
        root: hash(size, 1),
        frontier: size.to_be_bytes().to_vec(),
        time_us: START_US + i64::try_from(size).unwrap(),
        epoch: 1 + size / 10,
        nonce: hash(size, 2)[..16].try_into().unwrap(),
        checkpoint: format!("runplane/test\n{size}\n"),
    }
}

pub fn entries(salt: &str, from: u64, count: u64) -> Vec<Entry> {
    (from..from + count)
        .map(|index| Entry { bytes: format!("{salt}:{index}").into_bytes(), leaf_hash: hash(index, 3) })
        .collect()
}

/// Not a hash, but as different from its neighbours as one.
pub fn hash(number: u64, kind: u8) -> [u8; 32] {
    let mut bytes = [kind; 32];
    bytes[8..16].copy_from_slice(&number.to_be_bytes());
    bytes
}

pub fn payload(index: u64, erase_after_us: Option<i64>) -> NewPayload {
    NewPayload {
        index,
        salt: [7; 16],
        bytes: format!("payload of {index}").into_bytes(),
        retention: if index.is_multiple_of(2) { Retention::Full } else { Retention::Replay },
        erase_after_us,
    }
}

pub fn request(index: u64) -> Request {
    Request {
        agent: "agt_a".into(),
        request_id: format!("request {index}"),
        index,
        digest: hash(index, 4),
        at_us: START_US,
    }
}

pub fn approval(index: u64, status: &str, open: bool) -> Approval {
    Approval {
        id: format!("apr_{index}"),
        index,
        agent: if index.is_multiple_of(2) { "agt_even" } else { "agt_odd" }.into(),
        status: status.into(),
        open,
        expires_us: START_US + 60_000_000,
        bytes: format!("{{\"of\":{index}}}").into_bytes(),
    }
}

/// A decision whose members take turns, so that every filter finds some and leaves some.
pub fn decision(index: u64) -> DecisionRow {
    let pick = |of: &[&str]| of[usize::try_from(index).unwrap() % of.len()].to_owned();
    DecisionRow {
        index,
        request_id: format!("req_{index}"),
        at_us: START_US + i64::try_from(index / 2).unwrap(),
        agent: pick(&["agt_a", "agt_b"]),
        action_type: pick(&["process_refund", "send_email", "execute_query"]),
        target: pick(&["stripe", "smtp", "orders-db", "billing-db"]),
        outcome: pick(&["ALLOW", "BLOCK", "REQUIRE_APPROVAL"]),
        rule: pick(&["payments/a", "payments/b"]),
        severity: pick(&["low", "medium", "high", "critical"]),
        bytes: format!("decision {index}").into_bytes(),
    }
}
