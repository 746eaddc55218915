//! A store that fails on command, for tests of what must hold when the real one does.
//!
//! It wraps any other store and adds no success of its own: what it lets through, the wrapped store
//! does. Faults queued with [`FaultStore::inject`] hit one commit each, in order; a condition lasts until
//! it is lifted.

pub mod tamper;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::batch::Batch;
use crate::error::{CommitError, StoreError};
use crate::rows::{
    Approval, ApprovalFilter, Checkpoint, DecisionFilter, DecisionRow, Document, EntryRow, Execution, Head,
    Installation, Link, Payload, Request, Session, Snapshot, Tally, TallyFilter, Workspace,
};
use crate::store::{Seen, Store, Turn, Upkeep, Wake, WalState};

/// What happens to one commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Refused before anything is written.
    BeforeCommit,
    /// Written in full, but its writer is not told so.
    AfterCommit,
    /// Not written, and its writer cannot know.
    LostCommit,
    /// As if another writer had been here first.
    HeadMoved,
}

/// What is wrong until it is lifted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    #[default]
    Sound,
    /// Nothing can be written; reads go on.
    DiskFull,
    /// Nothing works.
    Gone,
}

pub struct FaultStore<S: ?Sized> {
    state: Mutex<State>,
    changed: Condvar,
    /// Last, so that it may be any store.
    inner: S,
}

#[derive(Default)]
struct State {
    faults: VecDeque<Fault>,
    condition: Condition,
    commits_held: bool,
    commits_waiting: usize,
}

impl<S: Store> FaultStore<S> {
    pub fn new(inner: S) -> Self {
        Self { inner, state: Mutex::default(), changed: Condvar::new() }
    }
}

impl<S: Store + ?Sized> FaultStore<S> {
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// Queues a fault: the next commit that has none before it in the queue meets it.
    pub fn inject(&self, fault: Fault) {
        self.state.lock().faults.push_back(fault);
    }

    /// Faults that have not met a commit yet.
    pub fn pending(&self) -> usize {
        self.state.lock().faults.len()
    }

    pub fn set(&self, condition: Condition) {
        self.state.lock().condition = condition;
    }

    /// From now on commits wait before they do anything, until they are released.
    pub fn hold_commits(&self) {
        self.state.lock().commits_held = true;
    }

    pub fn release_commits(&self) {
        self.state.lock().commits_held = false;
        self.changed.notify_all();
    }

    /// Returns once this many commits wait.
    ///
    /// # Panics
    ///
    /// If for half a minute nothing happens.
    pub fn wait_for_held_commits(&self, count: usize) {
        let mut state = self.state.lock();
        while state.commits_waiting < count {
            let waited = self.changed.wait_for(&mut state, Duration::from_secs(30));
            assert!(!waited.timed_out(), "{} commits wait, not {count}", state.commits_waiting);
        }
    }

    fn readable(&self) -> Result<&S, StoreError> {
        match self.state.lock().condition {
            Condition::Sound | Condition::DiskFull => Ok(&self.inner),
            Condition::Gone => Err(StoreError::Unavailable("injected: the database is gone".into())),
        }
    }

    fn writable(&self) -> Result<&S, StoreError> {
        match self.state.lock().condition {
            Condition::Sound => Ok(&self.inner),
            Condition::DiskFull => Err(StoreError::Unavailable("injected: database or disk is full".into())),
            Condition::Gone => Err(StoreError::Unavailable("injected: the database is gone".into())),
        }
    }

    fn commit(&self, write: impl FnOnce(&S) -> Result<(), CommitError>) -> Result<(), CommitError> {
        let fault = {
            let mut state = self.state.lock();
            state.commits_waiting += 1;
            self.changed.notify_all();
            // Not for ever: a test that fails meanwhile has to end.
            while state.commits_held && !self.changed.wait_for(&mut state, Duration::from_secs(60)).timed_out() {}
            state.commits_waiting -= 1;
            state.faults.pop_front()
        };
        let inner = self.writable().map_err(|error| CommitError::NotCommitted(error.to_string()))?;
        match fault {
            None => write(inner),
            Some(Fault::BeforeCommit) => Err(CommitError::NotCommitted("injected: before the commit".into())),
            Some(Fault::LostCommit) => Err(CommitError::Ambiguous("injected: the commit was lost".into())),
            Some(Fault::HeadMoved) => Err(CommitError::HeadMoved),
            Some(Fault::AfterCommit) => {
                write(inner)?;
                Err(CommitError::Ambiguous("injected: after the commit".into()))
            }
        }
    }
}

/// A turn whose commit meets the faults of its store.
struct FaultTurn<'a, S: ?Sized> {
    store: &'a FaultStore<S>,
    turn: Box<dyn Turn + 'a>,
}

impl<S: Store + ?Sized> Turn for FaultTurn<'_, S> {
    fn seen(&self) -> &Seen {
        self.turn.seen()
    }

    fn commit(self: Box<Self>, batch: &Batch) -> Result<(), CommitError> {
        let Self { store, turn } = *self;
        store.commit(|_| turn.commit(batch))
    }
}

impl<S: Store + ?Sized> Store for FaultStore<S> {
    fn insert_installation(&self, installation: &Installation) -> Result<(), StoreError> {
        self.writable()?.insert_installation(installation)
    }

    fn load_installation(&self) -> Result<Option<Installation>, StoreError> {
        self.readable()?.load_installation()
    }

    fn insert_workspace(&self, workspace: &Workspace, first: &Batch) -> Result<(), CommitError> {
        self.commit(|inner| inner.insert_workspace(workspace, first))
    }

    fn list_workspaces(&self) -> Result<Vec<Workspace>, StoreError> {
        self.readable()?.list_workspaces()
    }

    fn load_head(&self, workspace: &str) -> Result<Head, StoreError> {
        self.readable()?.load_head(workspace)
    }

    fn begin_turn(&self, workspace: &str) -> Result<Option<Box<dyn Turn + '_>>, StoreError> {
        let turn = self.readable()?.begin_turn(workspace)?;
        Ok(turn.map(|turn| Box::new(FaultTurn { store: self, turn }) as Box<dyn Turn + '_>))
    }

    fn commit_batch(&self, workspace: &str, batch: &Batch) -> Result<(), CommitError> {
        self.commit(|inner| inner.commit_batch(workspace, batch))
    }

    fn find_requests(&self, workspace: &str, wanted: &[(&str, &str)]) -> Result<Vec<Option<Request>>, StoreError> {
        self.readable()?.find_requests(workspace, wanted)
    }

    fn read_entries(&self, workspace: &str, from: u64, limit: usize) -> Result<Vec<EntryRow>, StoreError> {
        self.readable()?.read_entries(workspace, from, limit)
    }

    fn read_checkpoints(&self, workspace: &str, from_size: u64, limit: usize) -> Result<Vec<Checkpoint>, StoreError> {
        self.readable()?.read_checkpoints(workspace, from_size, limit)
    }

    fn load_documents(&self, workspace: &str, kinds: &[&str]) -> Result<Vec<Document>, StoreError> {
        self.readable()?.load_documents(workspace, kinds)
    }

    fn load_document(&self, workspace: &str, kind: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.readable()?.load_document(workspace, kind, key)
    }

    fn load_request(&self, workspace: &str, agent: &str, request_id: &str) -> Result<Option<Request>, StoreError> {
        self.readable()?.load_request(workspace, agent, request_id)
    }

    fn load_execution(&self, workspace: &str, index: u64) -> Result<Option<Execution>, StoreError> {
        self.readable()?.load_execution(workspace, index)
    }

    fn load_approval(&self, workspace: &str, id: &str) -> Result<Option<Approval>, StoreError> {
        self.readable()?.load_approval(workspace, id)
    }

    fn list_approvals(&self, workspace: &str, filter: &ApprovalFilter) -> Result<Vec<Approval>, StoreError> {
        self.readable()?.list_approvals(workspace, filter)
    }

    fn list_open_approvals(&self, workspace: &str) -> Result<Vec<Approval>, StoreError> {
        self.readable()?.list_open_approvals(workspace)
    }

    fn approvals_of(&self, workspace: &str, indexes: &[u64]) -> Result<Vec<Approval>, StoreError> {
        self.readable()?.approvals_of(workspace, indexes)
    }

    fn count_approvals(&self, workspace: &str, filter: &ApprovalFilter) -> Result<u64, StoreError> {
        self.readable()?.count_approvals(workspace, filter)
    }

    fn load_payload(&self, workspace: &str, index: u64) -> Result<Payload, StoreError> {
        self.readable()?.load_payload(workspace, index)
    }

    fn read_payloads(&self, workspace: &str, from: u64, count: usize) -> Result<Vec<(u64, Payload)>, StoreError> {
        self.readable()?.read_payloads(workspace, from, count)
    }

    fn erase_payloads(&self, workspace: &str, now_us: i64, limit: usize) -> Result<usize, StoreError> {
        self.writable()?.erase_payloads(workspace, now_us, limit)
    }

    fn save_snapshot(&self, workspace: &str, snapshot: &Snapshot) -> Result<(), StoreError> {
        self.writable()?.save_snapshot(workspace, snapshot)
    }

    fn put_snapshot_part(&self, workspace: &str, size: u64, part: u32, bytes: &[u8]) -> Result<(), StoreError> {
        self.writable()?.put_snapshot_part(workspace, size, part, bytes)
    }

    fn load_snapshot_part(&self, workspace: &str, size: u64, part: u32) -> Result<Option<Vec<u8>>, StoreError> {
        self.readable()?.load_snapshot_part(workspace, size, part)
    }

    fn load_snapshots(&self, workspace: &str) -> Result<Vec<Snapshot>, StoreError> {
        self.readable()?.load_snapshots(workspace)
    }

    fn keep_document(&self, workspace: &str, kind: &str, key: &str, bytes: Option<&[u8]>) -> Result<(), StoreError> {
        self.writable()?.keep_document(workspace, kind, key, bytes)
    }

    fn project_decisions(&self, workspace: &str, rows: &[DecisionRow], cursor: u64) -> Result<(), StoreError> {
        self.writable()?.project_decisions(workspace, rows, cursor)
    }

    fn project(&self, rows: &[DecisionRow], tallies: &[Tally], workspace: &str, cursor: u64) -> Result<(), StoreError> {
        self.writable()?.project(rows, tallies, workspace, cursor)
    }

    fn read_tallies(&self, workspace: &str, filter: &TallyFilter) -> Result<Vec<Tally>, StoreError> {
        self.readable()?.read_tallies(workspace, filter)
    }

    fn projection_cursor(&self, workspace: &str) -> Result<u64, StoreError> {
        self.readable()?.projection_cursor(workspace)
    }

    fn reset_projection(&self, workspace: &str) -> Result<(), StoreError> {
        self.writable()?.reset_projection(workspace)
    }

    fn list_decisions(&self, workspace: &str, filter: &DecisionFilter) -> Result<Vec<DecisionRow>, StoreError> {
        self.readable()?.list_decisions(workspace, filter)
    }

    fn find_decisions(
        &self,
        workspace: &str,
        request_id: &str,
        agent: Option<&str>,
        limit: usize,
    ) -> Result<Vec<DecisionRow>, StoreError> {
        self.readable()?.find_decisions(workspace, request_id, agent, limit)
    }

    fn put_password(&self, workspace: &str, user: &str, phc: Option<&str>) -> Result<(), StoreError> {
        self.writable()?.put_password(workspace, user, phc)
    }

    fn load_password(&self, workspace: &str, user: &str) -> Result<Option<String>, StoreError> {
        self.readable()?.load_password(workspace, user)
    }

    fn insert_session(&self, session: &Session) -> Result<(), StoreError> {
        self.writable()?.insert_session(session)
    }

    fn load_session(&self, hash: &[u8; 32]) -> Result<Option<Session>, StoreError> {
        self.readable()?.load_session(hash)
    }

    fn touch_session(&self, hash: &[u8; 32], seen_us: i64) -> Result<(), StoreError> {
        self.writable()?.touch_session(hash, seen_us)
    }

    fn delete_session(&self, hash: &[u8; 32]) -> Result<bool, StoreError> {
        self.writable()?.delete_session(hash)
    }

    fn delete_sessions(&self, workspace: &str, user: &str, except: Option<&[u8; 32]>) -> Result<usize, StoreError> {
        self.writable()?.delete_sessions(workspace, user, except)
    }

    fn put_link(&self, link: &Link) -> Result<(), StoreError> {
        self.writable()?.put_link(link)
    }

    fn load_link(&self, hash: &[u8; 32]) -> Result<Option<Link>, StoreError> {
        self.readable()?.load_link(hash)
    }

    fn take_link(&self, hash: &[u8; 32]) -> Result<Option<Link>, StoreError> {
        self.writable()?.take_link(hash)
    }

    fn delete_links(&self, workspace: &str, user: Option<&str>) -> Result<usize, StoreError> {
        self.writable()?.delete_links(workspace, user)
    }

    fn forget_ended(&self, now_us: i64, seen_before_us: i64) -> Result<usize, StoreError> {
        self.writable()?.forget_ended(now_us, seen_before_us)
    }

    fn is_shared(&self) -> bool {
        self.inner.is_shared()
    }

    fn list_nonces(&self) -> Result<Vec<(String, [u8; 16])>, StoreError> {
        self.readable()?.list_nonces()
    }

    fn announce(&self) {
        self.inner.announce();
    }

    fn on_announcement(&self, wake: Wake) {
        self.inner.on_announcement(wake);
    }

    fn hold_lease(&self, task: &str, holder: &str, life: Duration) -> Result<bool, StoreError> {
        self.writable()?.hold_lease(task, holder, life)
    }

    fn agree(&self, name: &'static str, value: &[u8]) -> Result<(), StoreError> {
        self.writable()?.agree(name, value)
    }

    fn tend(&self, upkeep: &Upkeep) -> Result<usize, StoreError> {
        self.writable()?.tend(upkeep)
    }

    fn health(&self) -> Result<(), StoreError> {
        self.writable()?.health()
    }

    fn checkpoint_wal(&self) -> Result<WalState, StoreError> {
        self.writable()?.checkpoint_wal()
    }
}
