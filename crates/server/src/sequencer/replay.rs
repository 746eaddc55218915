//! The same request again: a client that lost the answer must get it, and must not be counted twice.

use super::Sequencer;
use super::turn::Turn;
use super::work::{Command, Work};
use crate::error::Error;
use crate::record::{DecisionBody, Entry};
use crate::refusal::Code;
use runplane_core::approval::State;
use runplane_core::digest::Digest;
use runplane_core::time::Span;
use runplane_store::Request;
use std::collections::HashMap;
use std::sync::Arc;

/// How long the same request gets the same answer.
const REPLAY_WINDOW: Span = Span::seconds(600);

/// What is known of a client-given request id.
pub(super) enum Earlier {
    None,
    /// Answer with what was decided at this index.
    Same(u64, Arc<DecisionBody>),
    /// Block: the id was used for something else, or is used up.
    Refuse {
        code: Code,
        reason: &'static str,
    },
}

impl Sequencer {
    /// What the store holds for the client-given ids of these commands, in one read.
    pub(super) fn find_requests(&self, commands: &[Command]) -> Result<HashMap<(String, String), Request>, Error> {
        let wanted: Vec<(&str, &str)> = commands
            .iter()
            .filter_map(|command| match &command.work {
                Work::Decide(work) => Some((work.caller.agent.as_str(), work.request_id.as_deref()?)),
                _ => None,
            })
            .collect();
        if wanted.is_empty() {
            return Ok(HashMap::new());
        }
        let found = self.store.find_requests(&self.workspace, &wanted)?;
        let pairs = wanted.iter().zip(found);
        Ok(pairs
            .filter_map(|((agent, id), request)| Some((((*agent).to_owned(), (*id).to_owned()), request?)))
            .collect())
    }
}

impl Turn<'_> {
    pub(super) fn earlier(&self, agent: &str, request_id: Option<&str>, digest: &Digest) -> Result<Earlier, Error> {
        let Some(request_id) = request_id else { return Ok(Earlier::None) };
        let key = (agent.to_owned(), request_id.to_owned());
        let Some(request) = self.requests.get(&key) else { return Ok(Earlier::None) };
        if request.digest != digest.0 {
            return Ok(Earlier::Refuse {
                code: Code::RequestIdConflict,
                reason: "this request id was used for another action",
            });
        }
        let reused = Earlier::Refuse { code: Code::RequestIdReused, reason: "this request id is used up" };
        let age = Span(self.now.0.saturating_sub(request.at_us));
        if age > REPLAY_WINDOW || self.find_execution(request.index)?.is_some() {
            return Ok(reused);
        }
        let body = self.load_decision(request.index)?;
        if let Some(held) = body.held_as.as_ref().map(|held| self.find_held(&held.id)).transpose()?.flatten()
            && matches!(held.approval.state, State::Redeemed | State::Refused)
        {
            return Ok(reused);
        }
        Ok(Earlier::Same(request.index, body))
    }

    /// The decision recorded at `index`, in this batch or before it.
    pub(super) fn load_decision(&self, index: u64) -> Result<Arc<DecisionBody>, Error> {
        if let Some(body) = self.decisions.get(&index) {
            return Ok(Arc::clone(body));
        }
        let row = self.store.read_entries(self.workspace, index, 1)?.into_iter().next();
        let row = row.ok_or_else(|| Error::internal("a recorded decision is missing"))?;
        Ok(Arc::new(Entry::parse(&row.bytes)?.body()?))
    }
}
