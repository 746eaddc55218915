//! New counters get their past, at an index of its own. What takes long by the number of keys was done before, or is done
//! after: here nobody waits for more than the last few entries.

use super::turn::Turn;
use super::work::Filled;
use crate::control::change::kind;
use crate::error::Error;
use crate::fill::Fill;
use crate::held::Held;
use crate::record::{CounterName, FilledBody, Kind as EntryKind};
use crate::tasks;
use runplane_core::meter::Charge;
use runplane_store::{Change, MAX_PAGE};
use std::sync::Arc;

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
        let waiting: Vec<Held> = {
            let (from, past) = (fill.job.from, &fill.past);
            self.state.approvals.of_entries(|index| index < from && past.contains_key(&index))
        };
        let counters: Vec<CounterName> = fill.job.counters.iter().map(CounterName::from).collect();
        let indexes: Vec<u64> = waiting.iter().map(|held| held.index).collect();
        let (bytes, state) = fill.finish(&counters, &indexes)?;
        let body = FilledBody { counters: counters.len(), from: fill.job.from, held: indexes.len(), state };
        let index = self.append(EntryKind::Filled, &body)?;
        self.batch.documents.push(Change::Put {
            kind: kind::FILL.to_owned(),
            key: index.to_string(),
            bytes: bytes.into(),
        });
        self.state.end_filling(&fill.job.counters, &fill.meters)?;
        for mut held in waiting {
            for charge in fill.past.get(&held.index).into_iter().flat_map(|past| &past.charges) {
                // A hold from the time of an earlier filling may have a share of its own already; of two it would give
                // back what is another's.
                let is_same = |its: &Charge| (its.key, its.on, its.op) == (charge.key, charge.on, charge.op);
                if !held.charges.iter().any(is_same) {
                    held.charges.push(*charge);
                }
            }
            self.put_held(held)?;
        }
        // What is left of it may be much to let go of.
        tasks::retire(Arc::new(fill));
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
