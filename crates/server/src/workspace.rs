//! One workspace in this process: its control, its queue, and what was last committed.

use crate::clock::SharedClock;
use crate::control::Control;
use crate::error::{Error, Kind};
use crate::events::Feed;
use crate::fill::Job;
use crate::fresh::Fresh;
use crate::receipt::Runs;
use crate::sequencer::{Command, Work};
use crate::sparing::Sparing;
use crate::verification::Verification;
use arc_swap::ArcSwap;
use parking_lot::Mutex;
use runplane_core::meter::Meters;
use runplane_core::time::Micros;
use runplane_ledger::{SigningKey, VerifyingKey};
use runplane_store::{Head, Store};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use tokio::sync::{broadcast, oneshot, watch};

/// Calls that may wait for their place in the log. Beyond it the honest answer is "overloaded".
pub const QUEUE_LENGTH: usize = 8_192;
/// Approvals whose change a slow listener may miss before it has to look for itself.
const APPROVAL_EVENTS: usize = 1_024;

pub struct Workspace {
    pub id: String,
    pub name: String,
    pub store: Arc<dyn Store>,
    pub clock: SharedClock,
    pub key: Arc<SigningKey>,
    pub published: Arc<Published>,
    /// How many entries the list of decisions covers.
    pub projected: watch::Sender<u64>,
    pub verification: Verification,
    pub runs: Runs,
    pub feed: Feed,
    /// Questions about limits, by agents and by people: the ones cannot crowd out the others.
    pub agents_asking_limits: Sparing,
    pub people_asking_limits: Sparing,
    /// The epoch of the control whose keys can all be found.
    pub keys_known_at: Mutex<u64>,
    queue: SyncSender<Command>,
}

/// What the sequencer makes visible after each commit.
pub struct Published {
    pub control: ArcSwap<Control>,
    pub head: ArcSwap<Head>,
    /// What the newest commits decided.
    pub fresh: Fresh,
    /// Ids of approvals that changed.
    pub approvals: broadcast::Sender<Arc<str>>,
    /// How much is queued and not yet taken by the sequencer.
    pub waiting: AtomicUsize,
    /// Counters that wait for their past.
    pub filling: watch::Sender<Option<Arc<Job>>>,
    /// Changes with every commit of any workspace of this server.
    pub commits: Arc<watch::Sender<u64>>,
}

impl Published {
    #[must_use]
    pub fn new(control: Control, head: Head, commits: Arc<watch::Sender<u64>>) -> Self {
        Self {
            control: ArcSwap::from_pointee(control),
            head: ArcSwap::from_pointee(head),
            fresh: Fresh::default(),
            approvals: broadcast::channel(APPROVAL_EVENTS).0,
            waiting: AtomicUsize::new(0),
            filling: watch::channel(None).0,
            commits,
        }
    }
}

impl Published {
    /// Says which counters wait for their past, if that is not known yet.
    pub fn note_filling(&self, meters: &Meters, from: u64, at: Micros) {
        let next = (from > 0 && meters.filling().len() > 0).then_some(from);
        let changed = self.filling.send_if_modified(|job| {
            let is_new = job.as_ref().map(|job| job.from) != next;
            if is_new {
                let counters = || meters.filling().copied().collect();
                let (read, of) = (AtomicU64::new(0), AtomicU64::new(0));
                *job = next.map(|from| Arc::new(Job { from, counters: counters(), at, read, of }));
            }
            is_new
        });
        if changed {
            self.commits.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    /// Makes a new head visible and wakes whoever follows the ledger.
    pub fn advance(&self, head: Head) {
        self.head.store(Arc::new(head));
        self.wake_followers();
    }

    pub fn wake_followers(&self) {
        self.commits.send_modify(|count| *count = count.wrapping_add(1));
    }
}

impl Workspace {
    #[must_use]
    pub fn new(
        control: &Control,
        store: Arc<dyn Store>,
        clock: SharedClock,
        key: Arc<SigningKey>,
        published: Arc<Published>,
        queue: SyncSender<Command>,
    ) -> Self {
        Self {
            id: control.workspace_id.clone(),
            name: control.workspace_name.clone(),
            store,
            clock,
            key,
            published,
            projected: watch::channel(0).0,
            verification: Verification::default(),
            runs: Runs::default(),
            feed: Feed::default(),
            agents_asking_limits: Sparing::default(),
            people_asking_limits: Sparing::default(),
            keys_known_at: Mutex::new(control.epoch),
            queue,
        }
    }

    #[must_use]
    pub fn control(&self) -> Arc<Control> {
        self.published.control.load_full()
    }

    /// The key that verifies this workspace's checkpoints.
    #[must_use]
    pub fn verifying_key(&self) -> &VerifyingKey {
        self.key.verifying()
    }

    /// Queues work and waits for what the sequencer makes of it.
    pub async fn submit<T>(&self, work: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Work) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.queue(work(reply))?;
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// The same for a caller that is a thread.
    pub fn submit_blocking<T>(&self, work: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Work) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.queue(work(reply))?;
        answer.blocking_recv().unwrap_or_else(|_| Err(stopped()))
    }

    /// How much waits for its place in the log.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.published.waiting.load(Ordering::Relaxed)
    }

    /// Asks the sequencer to end; it finishes what is queued first.
    pub fn stop(&self) {
        // A full queue is worth waiting for here; a closed one has stopped already.
        self.published.waiting.fetch_add(1, Ordering::Relaxed);
        let _ = self.queue.send(Command { queued: self.clock.read().elapsed, work: Work::Stop });
    }

    fn queue(&self, work: Work) -> Result<(), Error> {
        let command = Command { queued: self.clock.read().elapsed, work };
        self.published.waiting.fetch_add(1, Ordering::Relaxed);
        self.queue.try_send(command).map_err(|failure| {
            self.published.waiting.fetch_sub(1, Ordering::Relaxed);
            match failure {
                TrySendError::Full(_) => Error::new(Kind::Overloaded, "too many calls are waiting"),
                TrySendError::Disconnected(_) => stopped(),
            }
        })
    }
}

fn stopped() -> Error {
    Error::new(Kind::AuditUnavailable, "the server is stopping")
}
