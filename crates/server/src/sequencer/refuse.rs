//! Requests that are blocked for what they are: unreadable, too large, too many.
//!
//! WIRE: such an answer is a recorded BLOCK, because a client in fail-open mode runs the action on anything else.

use super::turn::Turn;
use super::work::{Nonces, Refuse, Reply, Sequenced};
use crate::error::Error;
use crate::id;
use crate::record::{DecisionBody, RefusedRequest};
use std::sync::Arc;

/// One of many refusals that share an entry.
pub struct Aggregated {
    reply: Reply<Sequenced>,
    request_id: Option<String>,
    nonces: Nonces,
    reason: String,
}

impl Turn<'_> {
    pub(super) fn refuse(&mut self, work: Refuse) -> Result<(), Error> {
        let Refuse { caller, request_id, code, reason, declared, aggregate, nonces, reply } = work;
        if aggregate {
            let one = Aggregated { reply, request_id, nonces, reason };
            self.aggregates.entry((caller.agent, code)).or_default().push(one);
            return Ok(());
        }
        let refused = RefusedRequest { code, reason: &reason, declared, count: 1 };
        self.record_refusal(&caller.agent, request_id, &refused, &nonces, reply)
    }

    /// Records each aggregate as one entry with a count; everybody in it waits for that entry.
    pub fn finish_aggregates(&mut self) -> Result<(), Error> {
        for ((agent, code), refused) in std::mem::take(&mut self.aggregates) {
            let count = u64::try_from(refused.len()).unwrap_or(u64::MAX);
            let mut index = None;
            for one in refused {
                let at = index.unwrap_or(self.next_index());
                let request = RefusedRequest { code, reason: &one.reason, declared: None, count };
                let request_id = one.request_id.unwrap_or_else(|| id::for_request(self.now, at, &one.nonces.request));
                let body = Arc::new(DecisionBody::refused(&agent, &self.control, request_id, &request));
                if index.is_none() {
                    index = Some(self.append_decision(&body)?);
                }
                self.after_commit(one.reply, move |committed| Sequenced::Decided(committed.recorded(body, at)));
            }
        }
        Ok(())
    }

    /// Records one refusal. It never takes a request id: a corrected request may use the same one.
    pub(super) fn record_refusal(
        &mut self,
        agent: &str,
        request_id: Option<String>,
        refused: &RefusedRequest<'_>,
        nonces: &Nonces,
        reply: Reply<Sequenced>,
    ) -> Result<(), Error> {
        let index = self.next_index();
        let request_id = request_id.unwrap_or_else(|| id::for_request(self.now, index, &nonces.request));
        let body = Arc::new(DecisionBody::refused(agent, &self.control, request_id, refused));
        self.append_decision(&body)?;
        self.decisions.insert(index, Arc::clone(&body));
        self.after_commit(reply, move |committed| Sequenced::Decided(committed.recorded(body, index)));
        Ok(())
    }
}
