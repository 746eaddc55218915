//! What the store keeps, as plain records: ids are text, times are microseconds since 1970, amounts of
//! anything are integers, and everything with a meaning of its own is bytes.

/// The one installation a database belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    pub id: String,
    /// SHA-256 of the admin token; the token itself is never stored.
    pub admin_token_hash: [u8; 32],
    pub created_us: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    pub id: String,
    pub name: String,
    pub created_us: i64,
}

/// Where a workspace's ledger stands, and the fence that keeps two writers apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of entries.
    pub size: u64,
    pub root: [u8; 32],
    /// The compact range that the next append needs, as the ledger writes it.
    pub frontier: Vec<u8>,
    /// Ledger time; never goes back.
    pub time_us: i64,
    /// Control epoch; never goes back.
    pub epoch: u64,
    /// Random per commit: finding it in the head after an ambiguous commit proves that the batch is stored.
    pub nonce: [u8; 16],
    /// The signed note over `size` and `root`.
    pub checkpoint: String,
}

/// One ledger entry as stored. Its hash was computed by the ledger, not by the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryRow {
    pub index: u64,
    pub bytes: Vec<u8>,
    pub leaf_hash: [u8; 32],
}

/// The signed note of one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub size: u64,
    pub note: String,
}

/// How long and for whom a payload is kept. A payload with retention `none` is never handed to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// For windows, redeeming and recomputing; not shown to people.
    Replay,
    /// Shown to people.
    Full,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPayload {
    pub salt: [u8; 16],
    pub bytes: Vec<u8>,
    pub retention: Retention,
    pub erase_after_us: Option<i64>,
}

/// What is left of an entry's payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// There never was one.
    NotKept,
    /// Bytes and salt are gone; that they were there is not.
    Erased,
    Present(StoredPayload),
}

/// A request id given by a client, and the entry that answered it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub agent: String,
    pub request_id: String,
    pub index: u64,
    /// Digest of the action that was asked for.
    pub digest: [u8; 32],
    pub at_us: i64,
}

/// What became of the action decided at `index`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    pub index: u64,
    pub status: String,
    pub bytes: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    pub id: String,
    /// The entry that held the action: at most one approval each. Orders the lists.
    pub index: u64,
    /// Id of the agent that asked.
    pub agent: String,
    pub status: String,
    /// Whether it can still change (pending, or approved and not yet redeemed): the store does not know
    /// which states are final.
    pub open: bool,
    pub expires_us: i64,
    pub bytes: Vec<u8>,
}

/// Newest first; every member narrows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApprovalFilter {
    /// Any of these; empty means any at all.
    pub statuses: Vec<String>,
    pub agent: Option<String>,
    /// Only approvals whose index is below this one: the cursor.
    pub before: Option<u64>,
    /// At most [`crate::MAX_PAGE`].
    pub limit: usize,
}

/// Somebody is signed in: the SHA-256 of what their browser holds, which itself is never stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub hash: [u8; 32],
    pub workspace: String,
    pub user: String,
    pub created_us: i64,
    /// When it was last used, to the minute or so.
    pub seen_us: i64,
    /// When it ends however much it is used.
    pub expires_us: i64,
}

/// A link that works once: the SHA-256 of its token, and what it is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub hash: [u8; 32],
    pub workspace: String,
    /// Whose password it sets; nobody's where it makes the first account.
    pub user: Option<String>,
    pub purpose: String,
    pub expires_us: i64,
}

/// A control document: policy, agent, key, settings, containment, bundle and whatever else is named by
/// kind and key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub kind: String,
    pub key: String,
    pub bytes: Vec<u8>,
}

/// The state after the first `size` entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub size: u64,
    pub bytes: Vec<u8>,
}

/// One line of the decision list: a projection of a ledger entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionRow {
    pub index: u64,
    pub request_id: String,
    /// Ledger time: not smaller than that of any row with a smaller index.
    pub at_us: i64,
    pub agent: String,
    pub action_type: String,
    pub target: String,
    pub outcome: String,
    pub rule: String,
    pub severity: String,
    /// What the list shows, as the server writes it.
    pub bytes: Vec<u8>,
}

/// Decisions counted over one stretch of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Length of the stretch.
    pub span_us: i64,
    pub start_us: i64,
    /// What they are told apart by, such as the action type.
    pub dimension: String,
    pub key: String,
    pub allowed: u64,
    pub held: u64,
    pub blocked: u64,
}

/// Which counts, and how they are added up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TallyFilter {
    pub span_us: i64,
    pub dimension: String,
    /// Stretches that start from here on, and before `until_us`.
    pub from_us: i64,
    pub until_us: i64,
    /// One sum per key, greatest first; otherwise one per stretch, oldest first.
    pub by_key: bool,
    /// At most [`crate::MAX_PAGE`].
    pub limit: usize,
}

/// Newest first; every member narrows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecisionFilter {
    pub agent: Option<String>,
    pub action_type: Option<String>,
    pub target: Option<String>,
    pub outcome: Option<String>,
    pub rule: Option<String>,
    pub severity: Option<String>,
    /// From this time on.
    pub since_us: Option<i64>,
    /// Before this time.
    pub until_us: Option<i64>,
    /// Only decisions whose index is below this one: the cursor.
    pub before: Option<u64>,
    /// Only decisions whose index is above this one; the page is then the oldest of them, newest first as ever.
    pub after: Option<u64>,
    /// At most [`crate::MAX_PAGE`].
    pub limit: usize,
}
