//! What can be put into a workspace's queue, and what comes back.
//!
//! INVARIANT: a [`Recorded`] can only be made by the sequencer, after the commit. Whatever leaves the process
//! as a decision takes one, so an unrecorded decision does not compile.

use crate::control::Change;
use crate::error::Error;
use crate::fill::Fill;
use crate::held::Held;
use crate::record::{DecisionBody, Position, Returned};
use crate::refusal::Code;
use runplane_core::approval::{Verdict, Voter};
use runplane_core::catalogue::TypeName;
use runplane_core::decide::Prepared;
use runplane_core::decimal::Decimal;
use runplane_core::digest::{Digest, sha256};
use runplane_core::inspect::Readings;
use runplane_core::json;
use runplane_core::meter::{CounterId, MeterKey, MeterValue, Meters};
use runplane_core::profile::{Observation, Size, Usual};
use runplane_core::time::{Micros, Span};
use serde_json::value::RawValue;
use std::sync::Arc;
use tokio::sync::oneshot;

fn readings_text(readings: &Readings) -> Option<Box<RawValue>> {
    let text = String::from_utf8(json::to_canonical(&readings.to_value())).ok()?;
    if text.len() > MAX_READINGS { None } else { RawValue::from_string(text).ok() }
}

/// Something that is durably on the ledger, and where.
#[derive(Clone, Debug)]
pub struct Recorded<T> {
    value: T,
    position: Position,
}

impl<T> Recorded<T> {
    pub(super) fn new(value: T, position: Position) -> Self {
        Self { value, position }
    }

    pub fn value(&self) -> &T {
        &self.value
    }

    pub fn position(&self) -> &Position {
        &self.position
    }
}

/// Answered once, after the commit; dropped without an answer only if the sequencer dies.
pub type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// What became of a call in the queue.
pub enum Sequenced {
    Decided(Recorded<Arc<DecisionBody>>),
    /// The same request was answered before; this is that answer.
    Replayed(Recorded<Arc<DecisionBody>>),
    /// Control changed since the call was prepared: prepare it again.
    Stale,
}

pub struct Command {
    /// Elapsed time at which it was queued; what waits too long is dropped undecided.
    pub queued: Micros,
    pub work: Work,
}

pub enum Work {
    Decide(Box<Decide>),
    Refuse(Box<Refuse>),
    Redeem(Box<Redeem>),
    Vote(Box<Vote>),
    Cancel(Box<Cancel>),
    Report(Box<Report>),
    Change(Box<ControlChange>),
    /// Only looks.
    Look(Box<Look>),
    /// Only looks, too.
    Stand(Reply<Standing>),
    /// New counters have their past.
    Filled(Box<Filled>),
    /// An operator takes the wall clock as it is: windows are no longer widened by its steps.
    AcceptClock(Reply<AcceptedClock>),
    /// Records what is due by now, such as expired approvals.
    Tick(Reply<()>),
    Follow(Box<Follow>),
    /// Finish what is queued, save a snapshot, end.
    Stop,
}

/// Who is calling, as established by its key.
#[derive(Clone, Debug)]
pub struct Caller {
    pub agent: String,
    pub key: String,
    /// The client does not send `Runplane-Client`: it takes `expired` for a time-out.
    pub wire_client: bool,
}

/// What is kept of a call beside the ledger: canonical bytes with everything needed to decide it again.
pub struct Payload {
    pub bytes: Vec<u8>,
    pub salt: [u8; 16],
    /// SHA-256 over salt and bytes: what the ledger holds of it. Both can be erased without touching the ledger.
    pub commitment: Digest,
    /// What inspectors read, as canonical JSON.
    pub readings: Option<Box<RawValue>>,
}

/// Readings above this are not put on the record; they can be made again from the payload.
const MAX_READINGS: usize = 16 * 1024;

impl Payload {
    #[must_use]
    pub fn new(bytes: Vec<u8>, salt: [u8; 16], readings: &Readings) -> Self {
        let readings = if *readings == Readings::default() { None } else { readings_text(readings) };
        Self { commitment: sha256(&[&salt, &bytes]), bytes, salt, readings }
    }
}

/// Bytes drawn before the queue, so that sequencing cannot fail for want of randomness.
#[derive(Clone, Copy)]
pub struct Nonces {
    pub request: [u8; 10],
    pub approval: [u8; 10],
}

/// A prepared call that waits for its place in the log.
pub struct Decide {
    pub caller: Caller,
    /// Whoever prepared it keeps it, too, and frees it: a hundred small pieces are freed faster where they were made.
    pub prepared: Arc<Prepared>,
    pub digest: Digest,
    pub payload: Payload,
    pub epoch: u64,
    /// Given by the client; absent if the server is to make one.
    pub request_id: Option<String>,
    pub nonces: Nonces,
    pub reply: Reply<Sequenced>,
}

/// A request that is blocked for what it is, without a call that could be decided.
pub struct Refuse {
    pub caller: Caller,
    pub request_id: Option<String>,
    /// Stable reason code.
    pub code: Code,
    pub reason: String,
    /// The declared type and target, where they could be read.
    pub declared: Option<(String, String)>,
    /// Many at once are recorded as one entry with a count.
    pub aggregate: bool,
    pub nonces: Nonces,
    pub reply: Reply<Sequenced>,
}

/// A held action that is decided again, with its approval among the facts.
pub struct Redeem {
    pub caller: Caller,
    pub approval: String,
    pub redemption: String,
    pub prepared: Prepared,
    pub payload: Payload,
    pub epoch: u64,
    pub reply: Reply<Redeemed>,
}

pub enum Redeemed {
    /// The decision made when it was redeemed; the same for every repeat.
    Decided {
        decision: Recorded<Arc<DecisionBody>>,
        held: Held,
    },
    /// Not approved (yet, or never); the approval as it is.
    NotApproved(Held),
    /// Redeemed before under another id, or too long ago.
    Already(Held),
    Stale,
}

pub struct Vote {
    pub approval: String,
    pub voter: Voter,
    pub verdict: Verdict,
    pub comment: Option<String>,
    /// SHA-256 of the text that was shown to the person, lower-case hex.
    pub shown: String,
    pub reply: Reply<Voted>,
}

/// A person withdraws a held action.
pub struct Cancel {
    pub approval: String,
    pub by: String,
    pub comment: Option<String>,
    pub reply: Reply<Voted>,
}

pub enum Voted {
    Counted(Recorded<Held>),
    NotPending(Held),
    /// This person may not decide it, or has done so already.
    NotAllowed(String),
}

/// What the program says happened after an ALLOW.
pub struct Report {
    pub caller: Caller,
    pub index: u64,
    pub request_id: String,
    pub status: &'static str,
    pub detail: Option<String>,
    /// What the decision that let it run charged, and when.
    pub charged: Returned,
    /// What a success teaches about the agent.
    pub learned: Option<Observation>,
    pub reply: Reply<Reported>,
}

pub enum Reported {
    Recorded { status: String, at: Micros, position: Position },
    Conflict { status: String },
}

/// What had been added to every window, and where its end is recorded; nothing is recorded if it was nothing.
pub struct AcceptedClock {
    pub widened: Span,
    pub position: Option<Position>,
}

/// A question about the state of this moment.
pub struct Look {
    pub keys: Vec<MeterKey>,
    /// Whose open approvals to count, and whose usual behaviour to tell.
    pub agent: Option<String>,
    /// What the call is, in its own right; without it, everything that is known of the agent.
    pub types: Option<Vec<TypeName>>,
    pub size: Option<Size>,
    pub reply: Reply<Seen>,
}

/// What a decision at this moment would read.
pub struct Seen {
    pub now: Micros,
    /// In the order of the keys.
    pub meters: Vec<MeterValue>,
    pub open_approvals: u32,
    pub usual: Usual,
}

/// The meters of a moment, for whoever looks through all of them. Deciding goes on beside it.
pub struct Standing {
    pub now: Micros,
    pub skipped: Span,
    /// The time by which windows move.
    pub at: Micros,
    pub meters: Meters,
}

pub struct LimitsSeen {
    pub now: Micros,
    /// How many keys each counter has, in the order of the question.
    pub keys: Vec<usize>,
    pub filling: Vec<CounterId>,
    /// Keys, the fullest first.
    pub fullest: Vec<Use>,
}

/// What a key has used.
pub struct Use {
    /// The counter, by its place in the question.
    pub place: usize,
    pub key: MeterKey,
    pub used: Decimal,
    pub resets_at: Option<Micros>,
}

/// Another node committed; answered when that is taken over.
pub struct Follow {
    /// The nonce of the head there was.
    pub nonce: [u8; 16],
    pub reply: Reply<()>,
}

/// A past that was counted; given back if more has come meanwhile than can be counted here, or
/// if nothing could be recorded.
pub struct Filled {
    pub fill: Box<Fill>,
    pub reply: Reply<Option<Box<Fill>>>,
}

pub struct ControlChange {
    pub change: Change,
    pub reply: Reply<Changed>,
}

pub enum Changed {
    Applied(Position),
    /// Another change came first; make it again from the control of now.
    Stale,
}

impl Work {
    /// Answers with an error; nothing was done.
    pub fn fail(self, error: &dyn Fn() -> Error) {
        // Nobody listening any more is fine: there is nothing to tell.
        match self {
            Self::Decide(work) => drop(work.reply.send(Err(error()))),
            Self::Refuse(work) => drop(work.reply.send(Err(error()))),
            Self::Redeem(work) => drop(work.reply.send(Err(error()))),
            Self::Vote(work) => drop(work.reply.send(Err(error()))),
            Self::Cancel(work) => drop(work.reply.send(Err(error()))),
            Self::Report(work) => drop(work.reply.send(Err(error()))),
            Self::Change(work) => drop(work.reply.send(Err(error()))),
            Self::Look(work) => drop(work.reply.send(Err(error()))),
            Self::Stand(reply) => drop(reply.send(Err(error()))),
            Self::Filled(work) => {
                // What was read of the past need not be read again.
                let Filled { fill, reply } = *work;
                drop(reply.send(Ok(Some(fill))));
            }
            Self::AcceptClock(reply) => drop(reply.send(Err(error()))),
            Self::Tick(reply) => drop(reply.send(Err(error()))),
            Self::Follow(work) => drop(work.reply.send(Err(error()))),
            Self::Stop => {}
        }
    }
}
