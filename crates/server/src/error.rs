//! What the server answers when it cannot do what was asked.
//!
//! A decision is never an error: BLOCK and REQUIRE_APPROVAL are answers. One table maps each kind to its
//! HTTP status and stable code; `docs/errors/<code>.md` describes each and a test compares the two.

use std::error::Error as StdError;
use std::fmt;

/// Every way a request can fail. The code is part of the API and never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    InvalidKey,
    Forbidden,
    InvalidRequest,
    NotFound,
    MethodNotAllowed,
    UnsupportedMediaType,
    PayloadTooLarge,
    HostNotAllowed,
    UnknownApproval,
    UnknownRequest,
    UnknownPolicy,
    UnknownAgent,
    UnknownKey,
    UnknownWorkspace,
    UnknownSwitch,
    KeyNotActive,
    InvalidPolicy,
    InvalidSettings,
    ApprovalNotPending,
    ApprovalNotApproved,
    AlreadyRedeemed,
    OutcomeConflict,
    SignInFailed,
    TooManyAttempts,
    CsrfRefused,
    WeakPassword,
    LinkEnded,
    UnknownUser,
    UnknownEntry,
    LastOwner,
    NotExecutable,
    AlreadyExists,
    AuditUnavailable,
    StoreUnavailable,
    Overloaded,
    Internal,
}

impl Kind {
    pub const ALL: [Self; 36] = [
        Self::InvalidKey,
        Self::Forbidden,
        Self::InvalidRequest,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::UnsupportedMediaType,
        Self::PayloadTooLarge,
        Self::HostNotAllowed,
        Self::UnknownApproval,
        Self::UnknownRequest,
        Self::UnknownPolicy,
        Self::UnknownAgent,
        Self::UnknownKey,
        Self::UnknownWorkspace,
        Self::UnknownSwitch,
        Self::KeyNotActive,
        Self::InvalidPolicy,
        Self::InvalidSettings,
        Self::ApprovalNotPending,
        Self::ApprovalNotApproved,
        Self::AlreadyRedeemed,
        Self::OutcomeConflict,
        Self::SignInFailed,
        Self::TooManyAttempts,
        Self::CsrfRefused,
        Self::WeakPassword,
        Self::LinkEnded,
        Self::UnknownUser,
        Self::UnknownEntry,
        Self::LastOwner,
        Self::NotExecutable,
        Self::AlreadyExists,
        Self::AuditUnavailable,
        Self::StoreUnavailable,
        Self::Overloaded,
        Self::Internal,
    ];

    /// HTTP status, stable code, short title.
    #[must_use]
    pub fn row(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::InvalidKey => (401, "invalid_key", "the key is missing, malformed, expired or revoked"),
            Self::Forbidden => (403, "forbidden", "this credential may not do that"),
            Self::InvalidRequest => (400, "invalid_request", "the request could not be understood"),
            Self::NotFound => (404, "not_found", "there is nothing at this path"),
            Self::MethodNotAllowed => (405, "method_not_allowed", "this path does not answer that method"),
            Self::UnsupportedMediaType => (415, "unsupported_media_type", "this content type is not read here"),
            Self::PayloadTooLarge => (413, "payload_too_large", "the request body is too large"),
            Self::HostNotAllowed => (421, "host_not_allowed", "the Host header is not on the allow-list"),
            Self::UnknownApproval => (404, "unknown_approval", "there is no such approval"),
            Self::UnknownRequest => (404, "unknown_request", "there is no decision with this request id"),
            Self::UnknownPolicy => (404, "unknown_policy", "there is no such policy"),
            Self::UnknownAgent => (404, "unknown_agent", "there is no such agent"),
            Self::UnknownKey => (404, "unknown_key", "there is no such key"),
            Self::UnknownWorkspace => (404, "unknown_workspace", "there is no such workspace"),
            Self::UnknownSwitch => (404, "unknown_switch", "there is no such containment switch"),
            Self::KeyNotActive => (409, "key_not_active", "the key has ended already"),
            Self::InvalidPolicy => (422, "invalid_policy", "the policy was not published"),
            Self::InvalidSettings => (422, "invalid_settings", "the settings were not changed"),
            Self::ApprovalNotPending => (409, "approval_not_pending", "the approval is already decided"),
            Self::ApprovalNotApproved => (409, "approval_not_approved", "the approval is not approved"),
            Self::AlreadyRedeemed => (409, "already_redeemed", "the approval was redeemed before"),
            Self::OutcomeConflict => (409, "outcome_conflict", "another outcome was reported before"),
            Self::SignInFailed => (401, "sign_in_failed", "username and password do not fit together"),
            Self::TooManyAttempts => (429, "too_many_attempts", "too many attempts failed; wait before the next"),
            Self::CsrfRefused => (403, "csrf_refused", "the request does not come from this server's own page"),
            Self::WeakPassword => (400, "weak_password", "the password is too easy to guess"),
            Self::LinkEnded => (410, "link_ended", "the link was used before, has expired or never was"),
            Self::UnknownUser => (404, "unknown_user", "there is no such user"),
            Self::UnknownEntry => (404, "unknown_entry", "the ledger has no such entry"),
            Self::LastOwner => (409, "last_owner", "the last active owner stays one"),
            Self::NotExecutable => (409, "not_executable", "the action was not allowed to run"),
            Self::AlreadyExists => (409, "already_exists", "the name is taken"),
            Self::AuditUnavailable => (503, "audit_unavailable", "the ledger cannot be written"),
            Self::StoreUnavailable => (503, "store_unavailable", "the database cannot be read"),
            Self::Overloaded => (503, "overloaded", "more work is waiting than can be done in time"),
            Self::Internal => (500, "internal", "something failed inside the server"),
        }
    }

    #[must_use]
    pub fn status(self) -> u16 {
        self.row().0
    }

    #[must_use]
    pub fn code(self) -> &'static str {
        self.row().1
    }
}

/// One failure: what the caller is told, and what only the log may know.
#[derive(Debug)]
pub struct Error {
    pub kind: Kind,
    /// Safe to show to the caller.
    pub detail: String,
    /// Extra members of the problem document, for example the list of a policy's errors.
    pub members: serde_json::Map<String, serde_json::Value>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), members: serde_json::Map::new(), source: None }
    }

    /// The kind's own title says all there is to say.
    #[must_use]
    pub fn plain(kind: Kind) -> Self {
        Self::new(kind, kind.row().2)
    }

    pub fn internal(detail: impl Into<String>) -> Self {
        Self::new(Kind::Internal, detail)
    }

    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<serde_json::Value>) -> Self {
        self.members.insert(member.to_owned(), value.into());
        self
    }
}

/// Reading failed: nothing was decided, nothing was changed.
impl From<runplane_store::StoreError> for Error {
    fn from(failure: runplane_store::StoreError) -> Self {
        Self::plain(Kind::StoreUnavailable).because(failure)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.code(), self.detail)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
