//! What the program says happened after it was allowed to run. A report can only be made once.

use super::turn::Turn;
use super::work::{Report, Reported};
use crate::error::Error;
use crate::record::{Kind as EntryKind, OutcomeBody, Returned};
use runplane_core::digest::sha256;
use runplane_core::meter::{Charge, On};
use runplane_core::time::Micros;
use runplane_store::Execution;
use serde::{Deserialize, Serialize};

/// The stored form of a report.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredReport {
    /// The entry of the report.
    pub index: u64,
    pub at: Micros,
    pub status: String,
    pub detail: Option<String>,
}

impl StoredReport {
    pub fn parse(execution: &Execution) -> Result<Self, Error> {
        serde_json::from_slice(&execution.bytes)
            .map_err(|failure| Error::internal("a stored outcome could not be read").because(failure))
    }
}

impl Turn<'_> {
    pub(super) fn report(&mut self, work: Report) -> Result<(), Error> {
        if let Some(earlier) = self.find_execution(work.index)? {
            let earlier = StoredReport::parse(&earlier)?;
            let same = earlier.status == work.status;
            self.after_commit(work.reply, move |committed| {
                if same {
                    let position = committed.position(earlier.index);
                    Reported::Recorded { status: earlier.status, at: earlier.at, position }
                } else {
                    Reported::Conflict { status: earlier.status }
                }
            });
            return Ok(());
        }
        let charges = On::named(work.status).map(|on| self.charge_late(&work.charged.charges, on)).unwrap_or_default();
        let body = OutcomeBody {
            agent: work.caller.agent,
            charges,
            decision: work.index,
            detail: work.detail.as_ref().map(|detail| sha256(&[detail.as_bytes()]).to_string()),
            learned: work.learned,
            request_id: work.request_id,
            returned: self.refund(work.status, &work.charged),
            status: work.status.to_owned(),
        };
        let index = self.append(EntryKind::Outcome, &body)?;
        self.state.learn(&body, self.now);
        let report = StoredReport { index, at: self.now, status: work.status.to_owned(), detail: work.detail };
        let bytes = serde_json::to_vec(&report)
            .map_err(|failure| Error::internal("an outcome could not be written").because(failure))?;
        self.put_execution(Execution { index: work.index, status: work.status.to_owned(), bytes });
        self.after_commit(work.reply, move |committed| Reported::Recorded {
            status: report.status,
            at: report.at,
            position: committed.position(index),
        });
        Ok(())
    }

    /// What a reported failure gives back of the limits that opted in.
    fn refund(&mut self, status: &str, charged: &Returned) -> Option<Returned> {
        let refunds = |charge: &&Charge| charge.refund && charge.on == On::Use;
        let charges: Vec<Charge> = charged.charges.iter().filter(refunds).copied().collect();
        if On::named(status) != Some(On::Failed) || charges.is_empty() {
            return None;
        }
        let returned = Returned { at: charged.at, charges };
        self.state.give_back(&returned);
        Some(returned)
    }

    pub(super) fn find_execution(&self, index: u64) -> Result<Option<Execution>, Error> {
        match self.executions.get(&index) {
            Some(execution) => Ok(Some(execution.clone())),
            None => Ok(self.store.load_execution(self.workspace, index)?),
        }
    }
}
