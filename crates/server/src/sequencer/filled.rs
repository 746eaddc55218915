//! New counters get their past, at an index of its own.

use super::turn::Turn;
use super::work::Filled;
use crate::control::change::kind;
use crate::error::Error;
use crate::fill::{Document, Fill};
use crate::record::{CounterName, FilledBody, Kind as EntryKind};
use runplane_core::digest::sha256;
use runplane_core::meter::Charge;
use runplane_store::{Change, MAX_PAGE};

/// More entries than this are read off this thread.
const MOST_BEHIND: u64 = 512;

impl Turn<'_> {
    pub(super) fn filled(&mut self, work: Filled) -> Result<(), Error> {
        let Filled { mut fill, reply } = work;
        if self.state.fill_from != fill.job.from || self.state.meters.filling().len() == 0 {
            // Somebody else was first, or there is another past to count.
            self.after_commit(reply, |_| None);
            return Ok(());
        }
        if self.batch.expected_size.saturating_sub(fill.next) > MOST_BEHIND {
            self.after_commit(reply, |_| Some(fill));
            return Ok(());
        }
        self.catch_up(&mut fill)?;
        let at = self.state.meter_time(self.now);
        fill.meters.sweep(at);
        let Fill { job, meters, past, .. } = *fill;
        let held = self.state.approvals.of_entries(|index| index < job.from && past.contains_key(&index));
        let document = Document {
            counters: job.counters.iter().map(CounterName::from).collect(),
            held: held.iter().map(|held| held.index).collect(),
            meters,
        };
        let bytes = serde_json::to_vec(&document)
            .map_err(|failure| Error::internal("what new counters came to could not be written").because(failure))?;
        let body = FilledBody {
            counters: document.counters.len(),
            from: job.from,
            held: held.len(),
            state: sha256(&[&bytes]),
        };
        let index = self.append(EntryKind::Filled, &body)?;
        self.batch.documents.push(Change::Put { kind: kind::FILL.to_owned(), key: index.to_string(), bytes });
        self.state.end_filling(document)?;
        for mut held in held {
            for charge in past.get(&held.index).into_iter().flat_map(|past| &past.charges) {
                // A hold from the time of an earlier filling may have a share of its own already; of two it would give
                // back what is another's.
                let is_same = |its: &Charge| (its.key, its.on, its.op) == (charge.key, charge.on, charge.op);
                if !held.charges.iter().any(is_same) {
                    held.charges.push(*charge);
                }
            }
            self.put_held(held)?;
        }
        self.after_commit(reply, |_| None);
        Ok(())
    }

    /// Takes in what was committed since, and what comes before in this batch.
    fn catch_up(&self, fill: &mut Fill) -> Result<(), Error> {
        while fill.next < self.batch.expected_size {
            let rows = self.store.read_entries(self.workspace, fill.next, MAX_PAGE)?;
            if rows.is_empty() {
                return Err(Error::internal("entries of the past are missing"));
            }
            for row in rows {
                fill.take(&row.bytes, self.store, self.workspace)?;
            }
        }
        for entry in &self.batch.entries {
            fill.take(&entry.bytes, self.store, self.workspace)?;
        }
        Ok(())
    }
}
