//! A change of control takes its place in the log like everything else; the next batch is decided under it.

use super::turn::Turn;
use super::work::{Changed, ControlChange};
use crate::error::Error;
use crate::record::{CounterName, Kind as EntryKind};

impl Turn<'_> {
    /// INVARIANT: the last command of its batch, so that no call is decided under a control that is not published.
    pub(super) fn change(&mut self, work: ControlChange) -> Result<(), Error> {
        let mut change = work.change;
        if change.based_on != self.control.epoch {
            let _ = work.reply.send(Ok(Changed::Stale));
            return Ok(());
        }
        if let Some(bundle) = change.next.bundle.as_ref().filter(|_| self.state.decided) {
            let counters = bundle.counters_beyond(self.control.bundle.as_deref());
            change.body.filling = counters.iter().map(CounterName::from).collect();
        }
        let index = self.append_at_epoch(EntryKind::Control, &change.body, change.next.epoch)?;
        self.state.begin_filling(&change.body.filling, index)?;
        self.batch.documents.extend(change.documents);
        self.next_control = Some(change.next);
        self.after_commit(work.reply, move |committed| Changed::Applied(committed.position(index)));
        Ok(())
    }
}
