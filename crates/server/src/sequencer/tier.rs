//! A bound on the memory that meters take up: what nobody asked for lately goes to files and comes back when it is
//! asked for.
//!
//! The files are of this process alone. They are made again from snapshot and ledger at every start, so they need
//! neither survive nor be trusted later. A key that cannot be read back spoils the state, which is then loaded again,
//! and nothing is decided meanwhile. INVARIANT: what a decision reads does not depend on what is in memory.

use crate::error::{Error, Kind};
use crate::tasks;
use runplane_core::meter::{Cold, Leaving, Meters, Parted, TABLES, layer};
use runplane_core::time::Micros;
use runplane_store::cold::Pile;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// Entries of the ledger after which the next table of keys is looked through.
const EVERY: u64 = 64;
/// Most tables that are looked through after one batch.
const MOST_TABLES: usize = 4;
/// Keys of counters that are new which are put in their places after one batch.
const AT_ONCE: usize = 512;
/// Tables that are looked through at a time where nobody waits.
const STRIDE: usize = TABLES / 16;
/// How long one batch waits for keys to be written, at most.
const PATIENCE: Duration = Duration::from_millis(5);
/// The bound is only aimed at. At that many times of it, new calls are turned away until the disk takes keys again.
const LAST_RESORT: usize = 4;
/// After a file could not be written.
const PAUSE: Duration = Duration::from_secs(1);

/// From how much memory on keys leave it, and where they go.
#[derive(Clone, Debug)]
pub struct Bound {
    most: usize,
    folder: PathBuf,
    /// Workspaces that share it.
    sharers: Arc<AtomicUsize>,
}

impl Bound {
    /// `most` bytes, roughly, for all workspaces together; files go to `folder`.
    #[must_use]
    pub fn new(most: usize, folder: PathBuf) -> Self {
        Self { most, folder, sharers: Arc::default() }
    }

    /// One more workspace shares it.
    pub fn share(&self) {
        self.sharers.fetch_add(1, Ordering::Relaxed);
    }

    /// One less.
    pub fn leave(&self) {
        self.sharers.fetch_sub(1, Ordering::Relaxed);
    }

    fn most(&self) -> usize {
        self.most / self.sharers.load(Ordering::Relaxed).max(1)
    }

    /// Lets keys of these meters go there.
    pub fn begin(&self, meters: &mut Meters) {
        meters.put_cold(Arc::new(Pile::new(&self.folder)));
    }

    /// Lets keys go at once, as many as need be: for when there is nobody to keep waiting.
    pub fn relieve(&self, meters: &mut Meters) -> Result<(), Error> {
        while meters.take_in(usize::MAX) > 0 {}
        // The second round takes what the first one spared.
        let (goal, mut left) = (self.most() / 2, 2 * TABLES);
        while meters.bytes() > self.most() && left > 0 {
            left = left.saturating_sub(STRIDE);
            // Nothing has stopped counting at the beginning of time.
            meters.look_through(STRIDE, goal, Micros(0));
            while let Some(parted) = meters.part(if left == 0 { 1 } else { layer(goal) }, Micros(0)) {
                let cold = parted.put_down().map_err(not_put_down)?;
                meters.settle(&parted.layer, cold);
                left = 2 * TABLES;
            }
        }
        Ok(())
    }
}

fn not_put_down(failure: impl std::fmt::Display + Send + Sync + 'static) -> Error {
    Error::new(Kind::AuditUnavailable, format!("keys that memory has no room for could not be written: {failure}"))
}

/// Keeps one workspace within its bound beside the decisions.
pub struct Tier {
    bound: Bound,
    writer: Option<Sender<Parted>>,
    written: Option<Receiver<(Leaving, Arc<dyn Cold>)>>,
    is_writing: bool,
    /// Entries up to which keys were looked through.
    looked_at: u64,
}

impl Tier {
    #[must_use]
    pub fn new(bound: Bound) -> Self {
        Self { bound, writer: None, written: None, is_writing: false, looked_at: 0 }
    }

    #[must_use]
    pub fn bound(&self) -> &Bound {
        &self.bound
    }

    /// Whether there is no room for what a new call would bring.
    #[must_use]
    pub fn is_full(&self, meters: &Meters) -> bool {
        meters.bytes() / LAST_RESORT > self.bound.most()
    }

    /// Looks through a few keys. To be called after every batch, when nobody waits for it any more.
    pub fn tend(&mut self, meters: &mut Meters, size: u64, now: Micros) {
        let most = self.bound.most();
        // Far beyond the bound whoever brings more keys waits for the disk a little.
        let patience = if self.is_writing && meters.bytes() > most + most / 4 { PATIENCE } else { Duration::ZERO };
        if let Some(Ok((layer, cold))) = self.written.as_ref().map(|written| written.recv_timeout(patience)) {
            meters.settle(&layer, cold);
            self.is_writing = false;
        }
        meters.take_in(AT_ONCE);
        let is_over = meters.bytes() > most;
        let due = usize::try_from(size.saturating_sub(self.looked_at) / EVERY).unwrap_or(MOST_TABLES);
        if due > 0 || is_over {
            self.looked_at = size;
            let tables = if is_over { MOST_TABLES } else { due.min(MOST_TABLES) };
            meters.look_through(tables, most, now);
        }
        // A few keys may have much: where they are far beyond the bound, nobody waits for more of them.
        let least = if meters.bytes() / 2 > most { 1 } else { layer(most) };
        if !self.is_writing
            && let Some(parted) = meters.part(least, now)
        {
            metrics::counter!("runplane_state_keys_put_down_total")
                .increment(u64::try_from(parted.layer.len()).unwrap_or(0));
            self.is_writing = self.write(parted);
        }
    }

    fn write(&mut self, parted: Parted) -> bool {
        if self.writer.is_none() {
            let (sender, jobs) = channel::<Parted>();
            let (done, written) = channel();
            let started = tasks::thread("keys", move || write_all(&jobs, &done));
            if let Err(failure) = started {
                tracing::error!(%failure, "no thread to write keys with");
                return false;
            }
            (self.writer, self.written) = (Some(sender), Some(written));
        }
        // What cannot be sent stays in memory.
        self.writer.as_ref().is_some_and(|writer| writer.send(parted).is_ok())
    }
}

fn write_all(jobs: &Receiver<Parted>, done: &Sender<(Leaving, Arc<dyn Cold>)>) {
    for parted in jobs {
        loop {
            match parted.put_down() {
                Ok(cold) => {
                    // Nobody listening any more is fine: the state is gone, too.
                    let _ = done.send((Arc::clone(&parted.layer), cold));
                    break;
                }
                Err(failure) => {
                    tracing::error!(%failure, "keys could not be written and stay in memory");
                    match jobs.recv_timeout(PAUSE) {
                        Err(RecvTimeoutError::Disconnected) => return,
                        Ok(_) | Err(RecvTimeoutError::Timeout) => {}
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
