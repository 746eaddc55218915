//! The embedded store: SQLite in a data folder of its own.
//!
//! `runplane.db` holds everything that must not be lost (WAL, `synchronous=FULL`). `lists.db` holds the
//! projection, apart from it so that building lists never holds the lock that commits need, nor costs
//! them an fsync; it is made again whenever it is missing, damaged or of another history.
//!
//! It refuses to open a folder that another process uses, and a database newer than this program.

mod accounts;
mod approvals;
mod calls;
mod commit;
mod control;
mod database;
mod errors;
mod folder;
mod ledger;
mod lists;
mod parts;
mod payloads;
mod schema;
pub(crate) mod segment;
mod summary;
mod tallies;
#[cfg(test)]
mod tests;
mod upkeep;

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use parking_lot::{Mutex, RwLock};
use rusqlite::{Connection, OptionalExtension as _};

use crate::batch::Batch;
use crate::error::{CommitError, StoreError};
use crate::rows::{
    Approval, ApprovalFilter, Checkpoint, DecisionFilter, DecisionRow, Document, EntryRow, Execution, Head,
    Installation, Link, Payload, Request, Session, Snapshot, Tally, TallyFilter, Workspace,
};
use crate::store::{Store, WalState};
use database::{Database, Durability};
use errors::unavailable;

pub(crate) const LEDGER_FILE: &str = "runplane.db";
const LISTS_FILE: &str = "lists.db";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Read connections per file; more concurrent reads than that wait.
    pub readers: usize,
    /// Upper bound of the database in pages of 4 KiB; commits beyond it fail as on a full disk.
    pub max_pages: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self { readers: 8, max_pages: None }
    }
}

pub struct SqliteStore {
    ledger: Database,
    lists: Database,
    /// Copies the log back while others read and commit. Held through one copy.
    copier: Mutex<Connection>,
    /// Erased content may still stand in the log, so the next copy must empty it.
    must_empty_log: AtomicBool,
    /// Workspace id → number. A workspace is never removed.
    numbers: RwLock<HashMap<String, i64>>,
    /// Last, so that it is let go after the connections.
    _claim: folder::Claim,
}

impl SqliteStore {
    /// Opens the store in `folder`, making both if they are not there.
    pub fn open(folder: &Path, options: &Options) -> Result<Self, StoreError> {
        let claim = folder::claim(folder)?;
        let path = folder.join(LEDGER_FILE);
        folder::prepare(&path)?;
        let ledger = Database::new(path.clone(), Durability::Full, options.max_pages, options.readers);
        schema::LEDGER.migrate(&mut *ledger.writer()?, &path.display().to_string())?;
        let lists = lists::open(&folder.join(LISTS_FILE), &ledger, options.readers)?;
        folder::sync(folder)?;
        let copier = Mutex::new(ledger.open_copier().map_err(unavailable)?);
        Ok(Self {
            ledger,
            lists,
            copier,
            must_empty_log: AtomicBool::new(false),
            numbers: RwLock::default(),
            _claim: claim,
        })
    }

    /// The number that stands for the workspace in every table.
    fn number(&self, workspace: &str) -> Result<i64, StoreError> {
        if let Some(number) = self.numbers.read().get(workspace) {
            return Ok(*number);
        }
        let found = self.ledger.reader()?.read(|db| {
            db.query_row("SELECT number FROM workspaces WHERE id = ?1", [workspace], |row| row.get(0)).optional()
        })?;
        let number = found.ok_or_else(|| StoreError::UnknownWorkspace(workspace.into()))?;
        self.numbers.write().insert(workspace.into(), number);
        Ok(number)
    }

    /// Reads of the ledger file that concern one workspace, all from the same commit.
    fn read<T>(
        &self,
        workspace: &str,
        read: impl FnOnce(&Connection, i64) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let number = self.number(workspace)?;
        self.ledger.reader()?.read(|db| read(db, number))
    }
}

impl Store for SqliteStore {
    fn insert_installation(&self, installation: &Installation) -> Result<(), StoreError> {
        control::insert_installation(&*self.ledger.writer()?, installation)
    }

    fn load_installation(&self) -> Result<Option<Installation>, StoreError> {
        self.ledger.reader()?.read(control::load_installation)
    }

    fn insert_workspace(&self, workspace: &Workspace, first: &Batch) -> Result<(), CommitError> {
        commit::insert_workspace(&self.ledger, workspace, first)
    }

    fn list_workspaces(&self) -> Result<Vec<Workspace>, StoreError> {
        self.ledger.reader()?.read(control::list_workspaces)
    }

    fn load_head(&self, workspace: &str) -> Result<Head, StoreError> {
        self.read(workspace, ledger::load_head)
    }

    fn commit_batch(&self, workspace: &str, batch: &Batch) -> Result<(), CommitError> {
        let number = self.number(workspace).map_err(|error| CommitError::NotCommitted(error.to_string()))?;
        commit::commit_batch(&self.ledger, number, batch)
    }

    fn find_requests(&self, workspace: &str, wanted: &[(&str, &str)]) -> Result<Vec<Option<Request>>, StoreError> {
        let number = self.number(workspace)?;
        let writer = self.ledger.writer()?;
        wanted.iter().map(|(agent, id)| calls::load_request(&writer, number, agent, id).map_err(unavailable)).collect()
    }

    fn read_entries(&self, workspace: &str, from: u64, limit: usize) -> Result<Vec<EntryRow>, StoreError> {
        self.read(workspace, |db, number| ledger::read_entries(db, number, from, limit))
    }

    fn read_checkpoints(&self, workspace: &str, from_size: u64, limit: usize) -> Result<Vec<Checkpoint>, StoreError> {
        self.read(workspace, |db, number| ledger::read_checkpoints(db, number, from_size, limit))
    }

    fn load_documents(&self, workspace: &str, kinds: &[&str]) -> Result<Vec<Document>, StoreError> {
        self.read(workspace, |db, number| control::load_documents(db, number, kinds))
    }

    fn load_document(&self, workspace: &str, kind: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(workspace, |db, number| control::load_document(db, number, kind, key))
    }

    fn load_request(&self, workspace: &str, agent: &str, request_id: &str) -> Result<Option<Request>, StoreError> {
        self.read(workspace, |db, number| calls::load_request(db, number, agent, request_id))
    }

    fn load_execution(&self, workspace: &str, index: u64) -> Result<Option<Execution>, StoreError> {
        self.read(workspace, |db, number| calls::load_execution(db, number, index))
    }

    fn load_approval(&self, workspace: &str, id: &str) -> Result<Option<Approval>, StoreError> {
        self.read(workspace, |db, number| approvals::load(db, number, id))
    }

    fn list_approvals(&self, workspace: &str, filter: &ApprovalFilter) -> Result<Vec<Approval>, StoreError> {
        self.read(workspace, |db, number| approvals::list(db, number, filter))
    }

    fn list_open_approvals(&self, workspace: &str) -> Result<Vec<Approval>, StoreError> {
        self.read(workspace, approvals::list_open)
    }

    fn approvals_of(&self, workspace: &str, indexes: &[u64]) -> Result<Vec<Approval>, StoreError> {
        self.read(workspace, |db, number| approvals::of_entries(db, number, indexes))
    }

    fn count_approvals(&self, workspace: &str, filter: &ApprovalFilter) -> Result<u64, StoreError> {
        self.read(workspace, |db, number| approvals::count(db, number, filter))
    }

    fn load_payload(&self, workspace: &str, index: u64) -> Result<Payload, StoreError> {
        self.read(workspace, |db, number| payloads::load(db, number, index))
    }

    fn read_payloads(&self, workspace: &str, from: u64, count: usize) -> Result<Vec<(u64, Payload)>, StoreError> {
        self.read(workspace, |db, number| payloads::read(db, number, from, count))
    }

    fn erase_payloads(&self, workspace: &str, now_us: i64, limit: usize) -> Result<usize, StoreError> {
        let number = self.number(workspace)?;
        let erased = payloads::erase(&mut *self.ledger.writer()?, number, now_us, limit).map_err(unavailable)?;
        if erased.count > 0 {
            self.must_empty_log.store(true, std::sync::atomic::Ordering::Release);
        }
        match erased.unread.first() {
            // Whoever is told that all of a page is erased comes again.
            Some(first) if erased.count < limit.min(crate::MAX_PAGE) => Err(unavailable(format_args!(
                "payloads of {} commits are due and cannot be read, so they are not erased; the first is that of entry {first}",
                erased.unread.len()
            ))),
            _ => Ok(erased.count),
        }
    }

    fn save_snapshot(&self, workspace: &str, snapshot: &Snapshot) -> Result<(), StoreError> {
        let number = self.number(workspace)?;
        control::save_snapshot(&mut *self.ledger.writer()?, number, snapshot)?;
        let kept = self.read(workspace, control::load_snapshots)?;
        parts::keep_only(&*self.lists.writer()?, number, &kept).map_err(unavailable)
    }

    fn put_snapshot_part(&self, workspace: &str, size: u64, part: u32, bytes: &[u8]) -> Result<(), StoreError> {
        let number = self.number(workspace)?;
        parts::put(&*self.lists.writer()?, number, size, part, bytes).map_err(unavailable)
    }

    fn load_snapshot_part(&self, workspace: &str, size: u64, part: u32) -> Result<Option<Vec<u8>>, StoreError> {
        let number = self.number(workspace)?;
        self.lists.reader()?.read(|db| parts::load(db, number, size, part))
    }

    fn load_snapshots(&self, workspace: &str) -> Result<Vec<Snapshot>, StoreError> {
        self.read(workspace, control::load_snapshots)
    }

    fn keep_document(&self, workspace: &str, kind: &str, key: &str, bytes: Option<&[u8]>) -> Result<(), StoreError> {
        let number = self.number(workspace)?;
        control::keep_document(&*self.ledger.writer()?, number, kind, key, bytes).map_err(unavailable)
    }

    fn project_decisions(&self, workspace: &str, rows: &[DecisionRow], cursor: u64) -> Result<(), StoreError> {
        let number = self.number(workspace)?;
        let last = self.ledger.reader()?.read(|db| ledger::leaf_hash_before(db, number, cursor))?;
        lists::project(&mut *self.lists.writer()?, number, rows, &[], cursor, last)
    }

    fn project(&self, rows: &[DecisionRow], tallies: &[Tally], workspace: &str, cursor: u64) -> Result<(), StoreError> {
        let number = self.number(workspace)?;
        let last = self.ledger.reader()?.read(|db| ledger::leaf_hash_before(db, number, cursor))?;
        lists::project(&mut *self.lists.writer()?, number, rows, tallies, cursor, last)
    }

    fn read_tallies(&self, workspace: &str, filter: &TallyFilter) -> Result<Vec<Tally>, StoreError> {
        let number = self.number(workspace)?;
        self.lists.reader()?.read(|db| tallies::read(db, number, filter))
    }

    fn projection_cursor(&self, workspace: &str) -> Result<u64, StoreError> {
        let number = self.number(workspace)?;
        self.lists.reader()?.read(|db| lists::cursor(db, number))
    }

    fn reset_projection(&self, workspace: &str) -> Result<(), StoreError> {
        let number = self.number(workspace)?;
        lists::reset(&mut *self.lists.writer()?, number).map_err(unavailable)
    }

    fn list_decisions(&self, workspace: &str, filter: &DecisionFilter) -> Result<Vec<DecisionRow>, StoreError> {
        let number = self.number(workspace)?;
        self.lists.reader()?.read(|db| lists::list(db, number, filter))
    }

    fn find_decisions(
        &self,
        workspace: &str,
        request_id: &str,
        agent: Option<&str>,
        limit: usize,
    ) -> Result<Vec<DecisionRow>, StoreError> {
        let number = self.number(workspace)?;
        self.lists.reader()?.read(|db| lists::find(db, number, request_id, agent, limit))
    }

    fn put_password(&self, workspace: &str, user: &str, phc: Option<&str>) -> Result<(), StoreError> {
        let number = self.number(workspace)?;
        accounts::put_password(&*self.ledger.writer()?, number, user, phc).map_err(unavailable)
    }

    fn load_password(&self, workspace: &str, user: &str) -> Result<Option<String>, StoreError> {
        self.read(workspace, |db, number| accounts::load_password(db, number, user))
    }

    fn insert_session(&self, session: &Session) -> Result<(), StoreError> {
        let number = self.number(&session.workspace)?;
        accounts::insert_session(&*self.ledger.writer()?, number, session).map_err(unavailable)
    }

    fn load_session(&self, hash: &[u8; 32]) -> Result<Option<Session>, StoreError> {
        self.ledger.reader()?.read(|db| accounts::load_session(db, hash))
    }

    fn touch_session(&self, hash: &[u8; 32], seen_us: i64) -> Result<(), StoreError> {
        accounts::touch_session(&*self.ledger.writer()?, hash, seen_us).map_err(unavailable)
    }

    fn delete_session(&self, hash: &[u8; 32]) -> Result<bool, StoreError> {
        accounts::delete_session(&*self.ledger.writer()?, hash).map_err(unavailable)
    }

    fn delete_sessions(&self, workspace: &str, user: &str, except: Option<&[u8; 32]>) -> Result<usize, StoreError> {
        let number = self.number(workspace)?;
        accounts::delete_sessions(&*self.ledger.writer()?, number, user, except).map_err(unavailable)
    }

    fn put_link(&self, link: &Link) -> Result<(), StoreError> {
        let number = self.number(&link.workspace)?;
        accounts::put_link(&mut *self.ledger.writer()?, number, link)
    }

    fn load_link(&self, hash: &[u8; 32]) -> Result<Option<Link>, StoreError> {
        self.ledger.reader()?.read(|db| accounts::load_link(db, hash))
    }

    fn take_link(&self, hash: &[u8; 32]) -> Result<Option<Link>, StoreError> {
        accounts::take_link(&*self.ledger.writer()?, hash).map_err(unavailable)
    }

    fn delete_links(&self, workspace: &str, user: Option<&str>) -> Result<usize, StoreError> {
        let number = self.number(workspace)?;
        accounts::delete_links(&*self.ledger.writer()?, number, user).map_err(unavailable)
    }

    fn forget_ended(&self, now_us: i64, seen_before_us: i64) -> Result<usize, StoreError> {
        accounts::forget_ended(&*self.ledger.writer()?, now_us, seen_before_us).map_err(unavailable)
    }

    fn health(&self) -> Result<(), StoreError> {
        upkeep::probe(&self.ledger)
    }

    fn checkpoint_wal(&self) -> Result<WalState, StoreError> {
        upkeep::copy_log(&self.ledger, &self.copier, &self.must_empty_log)
    }
}
