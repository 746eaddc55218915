//! The shared store: PostgreSQL, used by any number of identical processes at once.
//!
//! Correctness rests on the head row of each workspace alone: whoever commits holds its lock and names the
//! head it built on. Nothing here depends on a session, so a pooler in transaction mode may stand in between.
//!
//! It refuses a server that may lose what it confirmed, a database of another program, and one that is newer
//! than this program.

mod accounts;
mod address;
mod approvals;
mod blocks;
mod control;
mod errors;
mod ledger;
mod lists;
mod nodes;
mod partitions;
mod payloads;
#[cfg(test)]
mod plans;
mod pool;
mod schema;
mod search;
mod segments;
pub mod standing;
mod tallies;
mod terms;
#[cfg(any(test, feature = "contract", feature = "fault"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod turn;
mod upkeep;
mod write;

pub use address::Address;

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::RwLock;
use tokio_postgres::Client;

use crate::batch::Batch;
use crate::error::{CommitError, StoreError};
use crate::rows::{
    Approval, ApprovalFilter, Checkpoint, DecisionFilter, DecisionRow, Document, EntryRow, Execution, Head,
    Installation, Link, Payload, Request, Session, Snapshot, Tally, TallyFilter, Workspace,
};
use crate::store::{Store, Turn, Upkeep, Wake, WalState};
use errors::Failure;
use pool::Connections;

/// How a transaction begins, whatever the database's own defaults are.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = '5s';
     SET LOCAL statement_timeout = '14s'; SET LOCAL idle_in_transaction_session_timeout = '5s'";

/// The same for what is derived. Nobody waits for the disk: what a crash of the server takes is listed again, from where
/// the cursor then stands.
const BEGIN_LISTS: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = '5s';
     SET LOCAL statement_timeout = '14s'; SET LOCAL idle_in_transaction_session_timeout = '5s';
     SET LOCAL synchronous_commit = off";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Connections for turns: as many workspaces can commit at the same moment.
    pub turns: usize,
    /// Connections for everything else.
    pub readers: usize,
    /// After how long the server takes the lock from a node that holds it and does nothing.
    pub idle_in_turn: Duration,
    /// How long a turn may wait for the lock; longer than `idle_in_turn`, or one node that stopped would be
    /// an outage of all.
    pub lock_wait: Duration,
    /// Ledger time is the database's. Off only in tests that move the clock.
    pub database_clock: bool,
    /// How many entries of all ledgers a partition takes; only of use where the database is made.
    pub partition: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            turns: 8,
            readers: 8,
            idle_in_turn: Duration::from_millis(500),
            lock_wait: Duration::from_secs(2),
            database_clock: true,
            partition: 1 << 25,
        }
    }
}

pub struct PostgresStore {
    connections: Connections,
    begin_turn: String,
    database_clock: bool,
    notices: nodes::Notices,
    partitions: partitions::Partitions,
    /// Workspace id → number. A workspace is never removed.
    numbers: RwLock<HashMap<String, i64>>,
}

impl PostgresStore {
    /// Connects, and brings the database to this program's version of the schema.
    pub fn open(address: &Address, options: &Options) -> Result<Self, StoreError> {
        let connections = Connections::new(address, options.turns, options.readers)?;
        let server = schema::migrate(&connections, &address.to_string(), options.partition)?;
        let (idle, wait) = (options.idle_in_turn.as_millis(), options.lock_wait.as_millis());
        let mut begin_turn = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = {wait};
             SET LOCAL statement_timeout = '14s'; SET LOCAL idle_in_transaction_session_timeout = {idle}"
        );
        if server.confirms_early {
            begin_turn.push_str("; SET LOCAL synchronous_commit = on");
        }
        let database_clock = options.database_clock;
        let notices = nodes::Notices::new(address)?;
        let partitions = partitions::Partitions::default();
        partitions.learn(&connections)?;
        Ok(Self { connections, begin_turn, database_clock, notices, partitions, numbers: RwLock::default() })
    }

    /// The number that stands for the workspace in every table.
    fn number(&self, workspace: &str) -> Result<i64, StoreError> {
        if let Some(number) = self.numbers.read().get(workspace) {
            return Ok(*number);
        }
        let found = self.connections.run(async |db| control::find_workspace(db, workspace).await)?;
        let number = found.ok_or_else(|| StoreError::UnknownWorkspace(workspace.into()))?;
        self.numbers.write().insert(workspace.into(), number);
        Ok(number)
    }

    /// A read that concerns one workspace.
    fn read<T>(
        &self,
        workspace: &str,
        read: impl AsyncFn(&Client, i64) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let number = self.number(workspace)?;
        self.connections.run(async |db| read(db, number).await)
    }

    /// A change that concerns one workspace, in a transaction.
    fn change<T>(
        &self,
        workspace: &str,
        change: impl AsyncFn(&Client, i64) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let number = self.number(workspace)?;
        self.connections.transact(BEGIN, async |db| change(db, number).await)
    }
}

impl Store for PostgresStore {
    fn insert_installation(&self, installation: &Installation) -> Result<(), StoreError> {
        self.connections.run(async |db| control::insert_installation(db, installation).await)
    }

    fn load_installation(&self) -> Result<Option<Installation>, StoreError> {
        self.connections.run(control::load_installation)
    }

    fn insert_workspace(&self, workspace: &Workspace, first: &Batch) -> Result<(), CommitError> {
        turn::insert_workspace(self, workspace, first)
    }

    fn list_workspaces(&self) -> Result<Vec<Workspace>, StoreError> {
        self.connections.run(control::list_workspaces)
    }

    fn load_head(&self, workspace: &str) -> Result<Head, StoreError> {
        self.read(workspace, ledger::load_head)
    }

    fn begin_turn(&self, workspace: &str) -> Result<Option<Box<dyn Turn + '_>>, StoreError> {
        let number = self.number(workspace)?;
        Ok(Some(Box::new(turn::begin(self, number)?)))
    }

    fn commit_batch(&self, workspace: &str, batch: &Batch) -> Result<(), CommitError> {
        let number = self.number(workspace).map_err(|error| CommitError::NotCommitted(error.to_string()))?;
        turn::commit_at_once(self, number, batch)
    }

    fn find_requests(&self, workspace: &str, wanted: &[(&str, &str)]) -> Result<Vec<Option<Request>>, StoreError> {
        self.read(workspace, async |db, number| ledger::find_requests(db, number, wanted).await)
    }

    fn read_entries(&self, workspace: &str, from: u64, limit: usize) -> Result<Vec<EntryRow>, StoreError> {
        self.read(workspace, async |db, number| ledger::read_entries(db, number, from, limit).await)
    }

    fn read_checkpoints(&self, workspace: &str, from_size: u64, limit: usize) -> Result<Vec<Checkpoint>, StoreError> {
        self.read(workspace, async |db, number| ledger::read_checkpoints(db, number, from_size, limit).await)
    }

    fn load_documents(&self, workspace: &str, kinds: &[&str]) -> Result<Vec<Document>, StoreError> {
        self.read(workspace, async |db, number| control::load_documents(db, number, kinds).await)
    }

    fn load_document(&self, workspace: &str, kind: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(workspace, async |db, number| control::load_document(db, number, kind, key).await)
    }

    fn load_request(&self, workspace: &str, agent: &str, request_id: &str) -> Result<Option<Request>, StoreError> {
        let found = self.find_requests(workspace, &[(agent, request_id)])?;
        Ok(found.into_iter().next().flatten())
    }

    fn load_execution(&self, workspace: &str, index: u64) -> Result<Option<Execution>, StoreError> {
        self.read(workspace, async |db, number| ledger::load_execution(db, number, index).await)
    }

    fn load_approval(&self, workspace: &str, id: &str) -> Result<Option<Approval>, StoreError> {
        self.read(workspace, async |db, number| approvals::load(db, number, id).await)
    }

    fn list_approvals(&self, workspace: &str, filter: &ApprovalFilter) -> Result<Vec<Approval>, StoreError> {
        self.read(workspace, async |db, number| approvals::list(db, number, filter).await)
    }

    fn list_open_approvals(&self, workspace: &str) -> Result<Vec<Approval>, StoreError> {
        self.read(workspace, approvals::list_open)
    }

    fn approvals_of(&self, workspace: &str, indexes: &[u64]) -> Result<Vec<Approval>, StoreError> {
        self.read(workspace, async |db, number| approvals::of_entries(db, number, indexes).await)
    }

    fn count_approvals(&self, workspace: &str, filter: &ApprovalFilter) -> Result<u64, StoreError> {
        self.read(workspace, async |db, number| approvals::count(db, number, filter).await)
    }

    fn load_payload(&self, workspace: &str, index: u64) -> Result<Payload, StoreError> {
        self.read(workspace, async |db, number| payloads::load(db, number, index).await)
    }

    fn read_payloads(&self, workspace: &str, from: u64, count: usize) -> Result<Vec<(u64, Payload)>, StoreError> {
        self.read(workspace, async |db, number| payloads::read(db, number, from, count).await)
    }

    fn erase_payloads(&self, workspace: &str, now_us: i64, limit: usize) -> Result<usize, StoreError> {
        self.read(workspace, async |db, number| payloads::erase(db, number, now_us, limit).await)
    }

    fn save_snapshot(&self, workspace: &str, snapshot: &Snapshot) -> Result<(), StoreError> {
        self.change(workspace, async |db, number| control::save_snapshot(db, number, snapshot).await)
    }

    fn put_snapshot_part(&self, workspace: &str, size: u64, part: u32, bytes: &[u8]) -> Result<(), StoreError> {
        self.change(workspace, async |db, number| control::put_snapshot_part(db, number, size, part, bytes).await)
    }

    fn load_snapshot_part(&self, workspace: &str, size: u64, part: u32) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(workspace, async |db, number| control::load_snapshot_part(db, number, size, part).await)
    }

    fn load_snapshots(&self, workspace: &str) -> Result<Vec<Snapshot>, StoreError> {
        self.read(workspace, control::load_snapshots)
    }

    fn keep_document(&self, workspace: &str, kind: &str, key: &str, bytes: Option<&[u8]>) -> Result<(), StoreError> {
        self.change(workspace, async |db, number| control::keep_document(db, number, kind, key, bytes).await)
    }

    fn project_decisions(&self, workspace: &str, rows: &[DecisionRow], cursor: u64) -> Result<(), StoreError> {
        self.project(rows, &[], workspace, cursor)
    }

    fn project(&self, rows: &[DecisionRow], tallies: &[Tally], workspace: &str, cursor: u64) -> Result<(), StoreError> {
        let latest = rows.iter().map(|row| row.at_us).max().unwrap_or(i64::MIN);
        let spans = self.partitions.reach_time(&self.connections, latest)?;
        let number = self.number(workspace)?;
        let project = async |db: &Client| lists::project(db, number, &spans, rows, tallies, cursor).await;
        self.connections.transact(BEGIN_LISTS, project)
    }

    fn read_tallies(&self, workspace: &str, filter: &TallyFilter) -> Result<Vec<Tally>, StoreError> {
        self.read(workspace, async |db, number| tallies::read(db, number, filter).await)
    }

    fn projection_cursor(&self, workspace: &str) -> Result<u64, StoreError> {
        self.read(workspace, lists::cursor)
    }

    fn reset_projection(&self, workspace: &str) -> Result<(), StoreError> {
        self.change(workspace, lists::reset)
    }

    fn list_decisions(&self, workspace: &str, filter: &DecisionFilter) -> Result<Vec<DecisionRow>, StoreError> {
        self.read(workspace, async |db, number| search::list(db, number, filter).await)
    }

    fn find_decisions(
        &self,
        workspace: &str,
        request_id: &str,
        agent: Option<&str>,
        limit: usize,
    ) -> Result<Vec<DecisionRow>, StoreError> {
        self.read(workspace, async |db, number| search::find(db, number, request_id, agent, limit).await)
    }

    fn put_password(&self, workspace: &str, user: &str, phc: Option<&str>) -> Result<(), StoreError> {
        self.read(workspace, async |db, number| accounts::put_password(db, number, user, phc).await)
    }

    fn load_password(&self, workspace: &str, user: &str) -> Result<Option<String>, StoreError> {
        self.read(workspace, async |db, number| accounts::load_password(db, number, user).await)
    }

    fn insert_session(&self, session: &Session) -> Result<(), StoreError> {
        self.read(&session.workspace, async |db, number| accounts::insert_session(db, number, session).await)
    }

    fn load_session(&self, hash: &[u8; 32]) -> Result<Option<Session>, StoreError> {
        self.connections.run(async |db| accounts::load_session(db, hash).await)
    }

    fn touch_session(&self, hash: &[u8; 32], seen_us: i64) -> Result<(), StoreError> {
        self.connections.run(async |db| accounts::touch_session(db, hash, seen_us).await)
    }

    fn delete_session(&self, hash: &[u8; 32]) -> Result<bool, StoreError> {
        self.connections.run(async |db| accounts::delete_session(db, hash).await)
    }

    fn delete_sessions(&self, workspace: &str, user: &str, except: Option<&[u8; 32]>) -> Result<usize, StoreError> {
        self.read(workspace, async |db, number| accounts::delete_sessions(db, number, user, except).await)
    }

    fn put_link(&self, link: &Link) -> Result<(), StoreError> {
        self.change(&link.workspace, async |db, number| accounts::put_link(db, number, link).await)
    }

    fn load_link(&self, hash: &[u8; 32]) -> Result<Option<Link>, StoreError> {
        self.connections.run(async |db| accounts::load_link(db, hash).await)
    }

    fn take_link(&self, hash: &[u8; 32]) -> Result<Option<Link>, StoreError> {
        self.connections.run(async |db| accounts::take_link(db, hash).await)
    }

    fn delete_links(&self, workspace: &str, user: Option<&str>) -> Result<usize, StoreError> {
        self.read(workspace, async |db, number| accounts::delete_links(db, number, user).await)
    }

    fn forget_ended(&self, now_us: i64, seen_before_us: i64) -> Result<usize, StoreError> {
        self.connections.run(async |db| accounts::forget_ended(db, now_us, seen_before_us).await)
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn list_nonces(&self) -> Result<Vec<(String, [u8; 16])>, StoreError> {
        self.connections.run(nodes::list_nonces)
    }

    fn announce(&self) {
        self.notices.announce(&self.connections);
    }

    fn on_announcement(&self, wake: Wake) {
        self.notices.listen(&self.connections, wake);
    }

    fn hold_lease(&self, task: &str, holder: &str, life: Duration) -> Result<bool, StoreError> {
        self.connections.run(async |db| nodes::hold_lease(db, task, holder, life).await)
    }

    fn agree(&self, name: &'static str, value: &[u8]) -> Result<(), StoreError> {
        self.connections.run(async |db| nodes::agree(db, name, value).await)
    }

    fn tend(&self, upkeep: &Upkeep) -> Result<usize, StoreError> {
        let mut upkeep = *upkeep;
        if self.database_clock {
            upkeep.now_us = self.connections.run(upkeep::now)?;
        }
        self.partitions.tend(&self.connections, &upkeep)
    }

    fn health(&self) -> Result<(), StoreError> {
        self.connections.transact(BEGIN, upkeep::probe)
    }

    /// PostgreSQL looks after its own log.
    fn checkpoint_wal(&self) -> Result<WalState, StoreError> {
        Ok(WalState::default())
    }
}
