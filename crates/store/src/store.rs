//! The one border between the server and a database.
//!
//! Every method blocks and is one transaction; callers bring their own threads. Methods that page take a
//! limit and never return more than [`MAX_PAGE`] rows. A workspace is named by its id; one that does not
//! exist is [`StoreError::UnknownWorkspace`], never an empty answer.

use std::time::Duration;

use crate::batch::Batch;
use crate::error::{CommitError, StoreError};
use crate::rows::{
    Approval, ApprovalFilter, Checkpoint, DecisionFilter, DecisionRow, Document, EntryRow, Execution, Head,
    Installation, Link, Payload, Request, Session, Snapshot, Tally, TallyFilter, Workspace,
};

/// The most rows one call returns.
pub const MAX_PAGE: usize = 4_096;

/// How far the write-ahead log has been copied into the database. Both zero where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WalState {
    pub frames: u64,
    pub copied: u64,
}

/// What upkeep goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upkeep {
    pub now_us: i64,
    /// Lists reach back at least this long; without it they are kept for ever.
    pub keep_lists_us: Option<i64>,
}

/// The head as it is while a turn lasts, and the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub size: u64,
    pub nonce: [u8; 16],
    pub epoch: u64,
    /// Ledger time of the last commit.
    pub time_us: i64,
    /// The database's clock, read under the lock; absent if the caller's own is to be used.
    pub now_us: Option<i64>,
}

/// The right to be the next to commit to a workspace. Dropping it gives it back.
pub trait Turn: Send {
    fn seen(&self) -> &Seen;
    /// As [`Store::commit_batch`].
    fn commit(self: Box<Self>, batch: &Batch) -> Result<(), CommitError>;
}

fn no_accounts() -> StoreError {
    StoreError::Unavailable("this store keeps no accounts".into())
}

/// What a store calls when another process said that there is something new.
pub type Wake = Box<dyn Fn() + Send + Sync>;

pub trait Store: Send + Sync {
    // The installation and its workspaces.

    fn insert_installation(&self, installation: &Installation) -> Result<(), StoreError>;
    fn load_installation(&self) -> Result<Option<Installation>, StoreError>;
    /// Creates the workspace together with its first entries: there is no workspace without a ledger.
    fn insert_workspace(&self, workspace: &Workspace, first: &Batch) -> Result<(), CommitError>;
    /// In the order of their creation.
    fn list_workspaces(&self) -> Result<Vec<Workspace>, StoreError>;

    // The commit.

    fn load_head(&self, workspace: &str) -> Result<Head, StoreError>;
    /// Waits until nobody else can commit to the workspace. `None` where nobody else ever does: then the
    /// head is that of the caller's own last commit, and [`Store::commit_batch`] needs no turn.
    ///
    /// Short work only: the store takes the turn away from a caller that stops.
    fn begin_turn(&self, _workspace: &str) -> Result<Option<Box<dyn Turn + '_>>, StoreError> {
        Ok(None)
    }
    /// Writes the batch durably, whole or not at all, if the head is still the expected one.
    fn commit_batch(&self, workspace: &str, batch: &Batch) -> Result<(), CommitError>;
    /// What is stored for each (agent, request id), as the next commit will see it.
    fn find_requests(&self, workspace: &str, wanted: &[(&str, &str)]) -> Result<Vec<Option<Request>>, StoreError>;

    // What was committed.

    fn read_entries(&self, workspace: &str, from: u64, limit: usize) -> Result<Vec<EntryRow>, StoreError>;
    /// The notes of all commits that ended at `from_size` entries or more, in order.
    fn read_checkpoints(&self, workspace: &str, from_size: u64, limit: usize) -> Result<Vec<Checkpoint>, StoreError>;
    /// All documents of these kinds; of every kind if none is named. Ordered by kind and key.
    fn load_documents(&self, workspace: &str, kinds: &[&str]) -> Result<Vec<Document>, StoreError>;
    fn load_document(&self, workspace: &str, kind: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError>;
    fn load_request(&self, workspace: &str, agent: &str, request_id: &str) -> Result<Option<Request>, StoreError>;
    fn load_execution(&self, workspace: &str, index: u64) -> Result<Option<Execution>, StoreError>;
    fn load_approval(&self, workspace: &str, id: &str) -> Result<Option<Approval>, StoreError>;
    fn list_approvals(&self, workspace: &str, filter: &ApprovalFilter) -> Result<Vec<Approval>, StoreError>;
    /// Everything that can still change, oldest first, without a limit: what a start-up must know.
    fn list_open_approvals(&self, workspace: &str) -> Result<Vec<Approval>, StoreError>;
    /// The approvals of the actions that were held by these entries, in the order of the entries.
    fn approvals_of(&self, workspace: &str, indexes: &[u64]) -> Result<Vec<Approval>, StoreError>;
    /// How many the filter matches; its cursor and limit are not read.
    fn count_approvals(&self, workspace: &str, filter: &ApprovalFilter) -> Result<u64, StoreError>;

    // Payloads, which unlike entries may go.

    fn load_payload(&self, workspace: &str, index: u64) -> Result<Payload, StoreError>;
    /// What is or was kept for the `count` entries from `from` on, in order; nothing for those that never had one.
    fn read_payloads(&self, workspace: &str, from: u64, count: usize) -> Result<Vec<(u64, Payload)>, StoreError> {
        let mut found = Vec::new();
        for index in (from..).take(count.min(MAX_PAGE)) {
            match self.load_payload(workspace, index)? {
                Payload::NotKept => {}
                payload => found.push((index, payload)),
            }
        }
        Ok(found)
    }
    /// Erases at most `limit` payloads whose time has come at `now_us`, oldest duty first; says how many. What is kept
    /// for long may stay for up to a day more, until [`Store::tend`] takes it away with everything of that day. What is
    /// due and cannot be read stays as it is; once nothing else is due, it is a failure.
    fn erase_payloads(&self, workspace: &str, now_us: i64, limit: usize) -> Result<usize, StoreError>;

    // Snapshots of the state, so that a start need not read the whole ledger.

    /// Keeps a piece of a snapshot that is being made, in place of one that is there.
    fn put_snapshot_part(&self, workspace: &str, size: u64, part: u32, bytes: &[u8]) -> Result<(), StoreError>;
    fn load_snapshot_part(&self, workspace: &str, size: u64, part: u32) -> Result<Option<Vec<u8>>, StoreError>;
    /// Keeps this snapshot and the one before, with their pieces. Refused for a size the ledger has not reached.
    fn save_snapshot(&self, workspace: &str, snapshot: &Snapshot) -> Result<(), StoreError>;
    /// The kept ones, newest first: who cannot use the first tries the second, then the whole ledger.
    fn load_snapshots(&self, workspace: &str) -> Result<Vec<Snapshot>, StoreError>;

    /// Keeps a document beside the commits, or takes it away: only for what can be made again, never for control. It is
    /// read with [`Store::load_document`].
    fn keep_document(&self, workspace: &str, kind: &str, key: &str, bytes: Option<&[u8]>) -> Result<(), StoreError>;

    // The projection: lists, derived from the ledger and behind it.

    /// Inserts or replaces these rows and notes that the entries below `cursor` are projected.
    /// Refused if the cursor would go back or beyond the ledger.
    fn project_decisions(&self, workspace: &str, rows: &[DecisionRow], cursor: u64) -> Result<(), StoreError>;
    /// The same, and adds to the counts. A store that keeps no counts leaves them out.
    fn project(
        &self,
        rows: &[DecisionRow],
        _tallies: &[Tally],
        workspace: &str,
        cursor: u64,
    ) -> Result<(), StoreError> {
        self.project_decisions(workspace, rows, cursor)
    }
    fn read_tallies(&self, _workspace: &str, _filter: &TallyFilter) -> Result<Vec<Tally>, StoreError> {
        Err(StoreError::Unavailable("this store keeps no counts".into()))
    }
    /// How many entries are projected.
    fn projection_cursor(&self, workspace: &str) -> Result<u64, StoreError>;
    /// Empties the projection of the workspace; its cursor is 0 again.
    fn reset_projection(&self, workspace: &str) -> Result<(), StoreError>;
    fn list_decisions(&self, workspace: &str, filter: &DecisionFilter) -> Result<Vec<DecisionRow>, StoreError>;
    /// All decisions with this request id, oldest first. There may be several: request ids are unique per
    /// agent only, and a refused reuse is a decision too.
    fn find_decisions(
        &self,
        workspace: &str,
        request_id: &str,
        agent: Option<&str>,
        limit: usize,
    ) -> Result<Vec<DecisionRow>, StoreError>;

    // What people sign in with: apart from the control documents, and never on the ledger. A store that keeps none
    // says so, and everybody uses the admin token.

    /// The password hash of a user (PHC text); `None` takes it away.
    fn put_password(&self, _workspace: &str, _user: &str, _phc: Option<&str>) -> Result<(), StoreError> {
        Err(no_accounts())
    }
    fn load_password(&self, _workspace: &str, _user: &str) -> Result<Option<String>, StoreError> {
        Err(no_accounts())
    }
    fn insert_session(&self, _session: &Session) -> Result<(), StoreError> {
        Err(no_accounts())
    }
    fn load_session(&self, _hash: &[u8; 32]) -> Result<Option<Session>, StoreError> {
        Err(no_accounts())
    }
    fn touch_session(&self, _hash: &[u8; 32], _seen_us: i64) -> Result<(), StoreError> {
        Err(no_accounts())
    }
    /// Ends one session; whether there was one.
    fn delete_session(&self, _hash: &[u8; 32]) -> Result<bool, StoreError> {
        Err(no_accounts())
    }
    /// Ends the sessions of a user, all or all but one; says how many.
    fn delete_sessions(&self, _workspace: &str, _user: &str, _except: Option<&[u8; 32]>) -> Result<usize, StoreError> {
        Err(no_accounts())
    }
    /// Keeps a link in the place of those of the same user.
    fn put_link(&self, _link: &Link) -> Result<(), StoreError> {
        Err(no_accounts())
    }
    fn load_link(&self, _hash: &[u8; 32]) -> Result<Option<Link>, StoreError> {
        Err(no_accounts())
    }
    /// Removes the link and hands it out: of two at once, one gets it.
    fn take_link(&self, _hash: &[u8; 32]) -> Result<Option<Link>, StoreError> {
        Err(no_accounts())
    }
    fn delete_links(&self, _workspace: &str, _user: Option<&str>) -> Result<usize, StoreError> {
        Err(no_accounts())
    }
    /// Forgets sessions that are over or were not used after `seen_before_us`, and links that are over; says how many.
    fn forget_ended(&self, _now_us: i64, _seen_before_us: i64) -> Result<usize, StoreError> {
        Err(no_accounts())
    }

    // Several processes on one database. Where there is only one, nothing of this does anything.

    /// Whether other processes may use the same database.
    fn is_shared(&self) -> bool {
        false
    }
    /// Id of every workspace and nonce of its head: what tells at a glance where others have been.
    fn list_nonces(&self) -> Result<Vec<(String, [u8; 16])>, StoreError> {
        Ok(Vec::new())
    }
    /// Tells every process that listens, this one included, to look for what is new. It may get lost.
    fn announce(&self) {}
    /// Calls `wake` after announcements, until the store is dropped.
    fn on_announcement(&self, _wake: Wake) {}
    /// Whether `holder` may do `task` for this long: nobody else may meanwhile. Asking again prolongs it.
    fn hold_lease(&self, _task: &str, _holder: &str, _life: Duration) -> Result<bool, StoreError> {
        Ok(true)
    }
    /// Keeps what all processes must have in common; one that has something else is refused.
    fn agree(&self, _name: &'static str, _value: &[u8]) -> Result<(), StoreError> {
        Ok(())
    }

    // Upkeep.

    /// Makes room ahead of need, and drops as a whole what has no use any more; says how many pieces. Call it every
    /// minute or so, on every node.
    fn tend(&self, _upkeep: &Upkeep) -> Result<usize, StoreError> {
        Ok(0)
    }
    /// Writes and reads back durably, without growing the database.
    fn health(&self) -> Result<(), StoreError>;
    /// Copies the write-ahead log into the database; call it every second or so. Must not stall commits.
    fn checkpoint_wal(&self) -> Result<WalState, StoreError>;
}
