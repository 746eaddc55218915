//! A change of control takes its place in the log like everything else; the next batch is decided under it.

use super::turn::Turn;
use super::work::{Changed, ControlChange};
use crate::control::change::kind;
use crate::error::Error;
use crate::record::{CounterName, Kind as EntryKind};
use runplane_core::digest::sha256;
use runplane_store::Change;

/// More new counters than this are kept beside the entry, which has no room for them.
const MOST_NAMED: usize = 64;

impl Turn<'_> {
    /// INVARIANT: the last command of its batch, so that no call is decided under a control that is not published.
    pub(super) fn change(&mut self, work: ControlChange) -> Result<(), Error> {
        let (mut change, mut filling) = (work.change, Vec::new());
        if change.based_on != self.control.epoch {
            let _ = work.reply.send(Ok(Changed::Stale));
            return Ok(());
        }
        if let Some(bundle) = change.next.bundle.as_ref().filter(|_| self.state.decided) {
            let counters = bundle.counters_beyond(self.control.bundle.as_deref());
            filling = counters.iter().map(CounterName::from).collect();
        }
        if filling.len() > MOST_NAMED {
            let bytes = serde_json::to_vec(&filling)
                .map_err(|failure| Error::internal("new counters could not be written").because(failure))?;
            change.body.filling_list = Some(sha256(&[&bytes]));
            let key = self.next_index().to_string();
            self.batch.documents.push(Change::Put { kind: kind::FILL.to_owned(), key, bytes: bytes.into() });
        } else {
            change.body.filling.clone_from(&filling);
        }
        let index = self.append_at_epoch(EntryKind::Control, &change.body, change.next.epoch)?;
        self.state.begin_filling(&filling, index)?;
        self.batch.documents.extend(change.documents);
        self.next_control = Some(change.next);
        self.after_commit(work.reply, move |committed| Changed::Applied(committed.position(index)));
        Ok(())
    }
}
