//! REMEMBER: what must outlive the process, behind one trait.
//!
//! A workspace's ledger entries, the payloads beside them, the state that decisions left behind and the
//! control documents are written together, in one durable transaction per batch ([`Store::commit_batch`]).
//! The lists that people page through are a projection that can be dropped and built again.
//!
//! The store knows bytes, ids and integers. It decides nothing, reads no clock, makes no ids, and never
//! parses a record. SQL lives in this crate and nowhere else.
//!
//! INVARIANT: no state changes without a ledger entry in the same transaction, and no transaction
//! changes a ledger whose head is not the one its writer had read.

pub mod batch;
mod block;
pub mod coding;
pub mod cold;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod error;
#[cfg(any(test, feature = "fault"))]
pub mod fault;
mod packed;
pub mod postgres;
pub mod rows;
pub mod sqlite;
mod store;

pub use batch::{Batch, Change, Entry, NewPayload};
pub use error::{CommitError, StoreError};
pub use postgres::{Address, PostgresStore};
pub use rows::{
    Approval, ApprovalFilter, Checkpoint, DecisionFilter, DecisionRow, Document, EntryRow, Execution, Head,
    Installation, Link, Payload, Request, Retention, Session, Snapshot, StoredPayload, Tally, TallyFilter, Workspace,
};
pub use sqlite::{Options, SqliteStore};
pub use store::{MAX_PAGE, Seen, Store, Turn, Upkeep, Wake, WalState};
