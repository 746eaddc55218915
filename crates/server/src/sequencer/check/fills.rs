//! What the past of new counters came to, counted once more.

use super::{Check, kept};
use crate::error::Error;
use crate::fill::{self, Document, Fill, Job};
use crate::record::{CounterName, Entry, FilledBody};
use crate::sequencer::recover::load_filled;
use runplane_core::meter::CounterId;
use runplane_core::policy::Bundle;
use runplane_store::MAX_PAGE;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

impl Check<'_> {
    pub(super) fn take_filled(&mut self, entry: &Entry) -> Result<(), Error> {
        let body: FilledBody = entry.body()?;
        let mut document = load_filled(entry, self.store, self.workspace)?;
        // When it was swept says nothing about what it came to.
        document.meters.sweep(self.state.meter_time(entry.at));
        if body.from == self.state.fill_from {
            self.compare_fill(entry, &document)?;
        } else {
            self.differ(entry.index, format_args!("no counters wait for their past since entry {}", body.from));
        }
        for held in &document.held {
            if !self.open.contains_key(held) {
                self.differ(entry.index, format_args!("the hold of entry {held} got shares and is not open"));
            }
        }
        self.apply(entry)
    }

    fn compare_fill(&mut self, entry: &Entry, document: &Document) -> Result<(), Error> {
        let counters: Vec<CounterId> = document.counters.iter().map(CounterName::read).collect::<Result<_, _>>()?;
        self.report.fills += 1;
        let mut closest: Option<(BTreeSet<CounterId>, Fill)> = None;
        for digest in self.fill_bundles.clone() {
            let bundle = self.recomputer.bundle(&digest)?;
            self.learn_names(&bundle);
            let fill = self.count_again(entry, &counters, bundle)?;
            let other = kept::differing(&document.meters, &fill.meters, &counters, self.state.meter_time(entry.at));
            let is_closer = closest.as_ref().is_none_or(|(others, _)| other.len() < others.len());
            if is_closer {
                closest = Some((other, fill));
            }
        }
        let Some((other, fill)) = closest else {
            self.differ(entry.index, "no bundle is known under which this past could be counted");
            return Ok(());
        };
        for counter in other {
            let name = self.name(counter);
            if fill.lost.contains(&counter) {
                let text = format!("entry {}: what the past of {name} came to: calls of it are erased", entry.index);
                self.report.unknown.push(text);
            } else {
                self.differ(entry.index, format_args!("the past of {name} comes to something else"));
            }
        }
        Ok(())
    }

    fn count_again(&self, entry: &Entry, counters: &[CounterId], bundle: Arc<Bundle>) -> Result<Fill, Error> {
        let job = Arc::new(Job {
            from: self.state.fill_from,
            counters: counters.to_vec(),
            at: self.fill_at,
            read: AtomicU64::new(0),
            of: AtomicU64::new(0),
        });
        // Holds of then are not kept; they are found again where they began.
        let mut fill = Fill::new(Arc::clone(&job), bundle, 0);
        if !fill.needs_holds() {
            fill.next = fill::first_that_counts(self.store, self.workspace, &job)?;
        }
        while fill.next < entry.index {
            let left = usize::try_from(entry.index - fill.next).unwrap_or(usize::MAX);
            let rows = self.store.read_entries(self.workspace, fill.next, left.min(MAX_PAGE))?;
            if rows.is_empty() {
                return Err(Error::internal("entries are missing"));
            }
            for row in rows {
                fill.take(&row.bytes, self.store, self.workspace)?;
            }
        }
        fill.meters.sweep(self.state.meter_time(entry.at));
        Ok(fill)
    }
}
