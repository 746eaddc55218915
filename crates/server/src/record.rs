//! What the ledger says of each event, as canonical JSON.
//!
//! A record holds facts about a decision and commitments to its content, never raw arguments: those are
//! payloads, which can be erased.

mod decision;
mod verdict;

pub use decision::{ActionFacts, Decided, DecisionBody, HeldAs, LimitRead, RedemptionFacts, RefusedRequest, StateRead};
pub use verdict::{Listed, Verdict};

use crate::error::Error;
use crate::write;
use runplane_core::digest::Digest;
use runplane_core::json::{self, Limits};
use runplane_core::meter::{Charge, CounterId};
use runplane_core::profile::Observation;
use runplane_core::time::{Micros, Span};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Version of the record format.
const VERSION: u8 = 1;
/// What a record may be made of: deeper than any of ours.
const LIMITS: Limits = Limits { max_depth: 64, max_values: 100_000 };
/// A record is never larger than this.
pub const MAX_BYTES: usize = 64 * 1024;
/// Few are longer.
const USUAL_BYTES: usize = 2 * 1024;

/// Where an entry stands: its index, and the signed tree it was committed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub index: u64,
    pub tree_size: u64,
    pub root: [u8; 32],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The first entry of a workspace.
    Genesis,
    /// A call was decided.
    Decision,
    /// A held action was decided again because somebody approved it.
    Redemption,
    /// A person voted on a held action.
    Vote,
    /// A held action ended without a vote: expired or cancelled.
    Closed,
    /// What the program says happened.
    Outcome,
    /// Policies, settings, agents, keys or containment changed.
    Control,
    /// The wall clock stepped.
    Clock,
    /// Counters that were new have their past.
    Filled,
}

/// The frame every entry has. The ledger reads `index` and `prev`; the rest is ours.
#[derive(Serialize)]
pub struct Frame<'a, B> {
    at: Micros,
    body: &'a B,
    epoch: u64,
    index: u64,
    kind: Kind,
    prev: String,
    v: u8,
}

impl<'a, B: Serialize> Frame<'a, B> {
    pub fn new(at: Micros, body: &'a B, epoch: u64, index: u64, kind: Kind, prev: &[u8; 32]) -> Self {
        Self { at, body, epoch, index, kind, prev: hex::encode(prev), v: VERSION }
    }

    /// Canonical bytes. `sorted` says that the body's members are declared in canonical order, which saves sorting
    /// them; a test compares every entry it sees with the canonical writer.
    pub fn to_bytes(&self, sorted: bool) -> Result<Vec<u8>, Error> {
        let mut bytes = write::json(self, USUAL_BYTES)
            .map_err(|failure| Error::internal("a record could not be written").because(failure))?;
        if !sorted {
            let read = json::read(&bytes, &LIMITS)
                .map_err(|failure| Error::internal("a record cannot be made canonical").because(failure))?;
            bytes = json::to_canonical(&read);
        }
        if bytes.len() > MAX_BYTES {
            return Err(Error::internal(format!("a record of {} bytes is over the limit of {MAX_BYTES}", bytes.len())));
        }
        Ok(bytes)
    }
}

/// An entry read back.
#[derive(Deserialize)]
pub struct Entry {
    pub at: Micros,
    pub epoch: u64,
    pub index: u64,
    pub kind: Kind,
    body: Box<RawValue>,
}

impl Entry {
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(bytes)
            .map_err(|failure| Error::internal("a ledger entry could not be read").because(failure))
    }

    pub fn body<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Error> {
        serde_json::from_str(self.body.get())
            .map_err(|failure| Error::internal("the body of a ledger entry could not be read").because(failure))
    }
}

/// Policies, settings, agents, keys or containment changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ControlBody {
    /// The bundle in force after the change.
    pub bundle: String,
    pub by: String,
    pub change: String,
    pub detail: serde_json::Value,
    /// Counters that are new and have no past yet, if they are not many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filling: Vec<CounterName>,
    /// If they are: SHA-256 of their list, which is the document `fill` of this index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filling_list: Option<Digest>,
}

/// A counter by its id and window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CounterName {
    pub id: String,
    pub within: Span,
}

impl From<&CounterId> for CounterName {
    fn from(counter: &CounterId) -> Self {
        Self { id: counter.to_hex(), within: counter.within }
    }
}

impl CounterName {
    pub fn read(&self) -> Result<CounterId, Error> {
        CounterId::from_hex(&self.id, self.within)
            .ok_or_else(|| Error::internal("the id of a counter could not be read"))
    }
}

/// The past was counted into counters that were new. What they are and came to is the document `fill` of this index.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FilledBody {
    /// How many counters.
    pub counters: usize,
    /// The entry that put them in force.
    pub from: u64,
    /// How many holds from before take their part in the counters from now on.
    pub held: usize,
    /// SHA-256 of the document.
    pub state: Digest,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GenesisBody {
    pub installation: String,
    pub key: String,
    /// How the keys of counters on this ledger are made; absent where that was before the first release.
    #[serde(default)]
    pub key_form: u8,
    pub workspace: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VoteBody {
    pub approval: String,
    pub by: String,
    /// What waited for the action to be approved or denied, and counts from now on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<Charge>,
    /// SHA-256 of the comment; the text itself is kept with the approval.
    pub comment: Option<String>,
    /// The entry that held the action.
    pub held: u64,
    /// What a denial gave back.
    pub returned: Returned,
    /// SHA-256 of the text the person was shown.
    pub shown: String,
    pub state: runplane_core::approval::State,
    pub verdict: runplane_core::approval::Verdict,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClosedBody {
    pub approval: String,
    /// Who withdrew it; nobody where time did.
    #[serde(default)]
    pub by: Option<String>,
    /// What waited for the action to end so, and counts from now on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<Charge>,
    /// SHA-256 of what they said.
    #[serde(default)]
    pub comment: Option<String>,
    pub held: u64,
    pub returned: Returned,
    pub state: runplane_core::approval::State,
}

/// Shares of limits given back, and the meter time at which they had been taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Returned {
    pub at: Micros,
    pub charges: Vec<Charge>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutcomeBody {
    pub agent: String,
    /// What waited for this report, and counts from now on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<Charge>,
    /// The decision it is about.
    pub decision: u64,
    /// SHA-256 of the detail, which is content and not kept on the ledger.
    pub detail: Option<String>,
    /// What the success of the action teaches about its agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learned: Option<Observation>,
    pub request_id: String,
    /// What a reported failure gives back of the limits that ask for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned: Option<Returned>,
    pub status: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClockBody {
    /// How far ledger time went beyond the time that had passed, or, negative, how far the wall clock went back.
    pub step: Span,
    /// All forward steps that nobody has accepted yet.
    pub unaccepted: Span,
}
