//! One call at its place in the log.

use super::replay::Earlier;
use super::state::State;
use super::turn::Turn;
use super::work::{Caller, Decide, Payload, Sequenced};
use crate::control::AgentStatus;
use crate::error::{Error, Kind};
use crate::fill;
use crate::held::Held;
use crate::id;
use crate::record::{Decided, DecisionBody, HeldAs, LimitRead, RefusedRequest, StateRead};
use crate::refusal::Code;
use runplane_core::approval::{Approval, Asked, Evidence};
use runplane_core::call::Call;
use runplane_core::containment::{Hit, Scope};
use runplane_core::decide::{self, Prepared, Share};
use runplane_core::outcome::Outcome;
use runplane_core::policy::Retention as Keep;
use runplane_core::time::{Micros, Span};
use runplane_store::{NewPayload, Request, Retention};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// How long a payload is kept that nobody asked to keep: as long as a new limit may look back for it, which is the
/// longest window and what windows are rounded up by.
const REPLAY_RETENTION: Span = fill::reach(Span::seconds(31 * 24 * 3600));

/// Most limits shown with one decision.
const MOST_LIMITS: usize = 32;

/// How much longer than its approval the payload of a held action is kept, so that people can still look at it.
const HELD_RETENTION: Span = Span::seconds(3600);

/// What a decision says of its limits, once its charges count.
pub(super) fn limits_read(state: &State, limits: Vec<Share>, at: Micros) -> Vec<LimitRead> {
    let read = |share: Share| LimitRead {
        meter: share.meter.map(|name| name.to_string()),
        of: share.of,
        // Windows that were widened end later by as much.
        resets_at: state.meters.eases_at(&share.key, at).map(|at| at.after(state.skipped)),
        rule: share.rule,
        used: share.used,
        within: share.key.within,
    };
    limits.into_iter().take(MOST_LIMITS).map(read).collect()
}

impl Turn<'_> {
    pub(super) fn decide(&mut self, work: Decide) -> Result<(), Error> {
        if work.epoch != self.control.epoch {
            let _ = work.reply.send(Ok(Sequenced::Stale));
            return Ok(());
        }
        if self.control.active_key(&work.caller.key, self.now).is_none() {
            let _ = work.reply.send(Err(Error::plain(Kind::InvalidKey)));
            return Ok(());
        }
        let (call, digest) = (work.prepared.call(), work.digest);
        let state = self.read_state(&work.prepared, &work.caller);
        let stopped = state.containment.is_some();
        let mut may_keep_id = true;
        match self.earlier(&work.caller.agent, work.request_id.as_deref(), &digest)? {
            Earlier::None => {}
            // A stored ALLOW does not outlive containment, nor one that was only observed the end of observing: the
            // call is decided anew.
            Earlier::Same(_, body) if body.is_allowed() && stopped => may_keep_id = false,
            Earlier::Same(_, body) if body.decision.is_only_observed() && !self.is_observing() => may_keep_id = false,
            Earlier::Same(index, body) => {
                self.after_commit(work.reply, move |committed| Sequenced::Replayed(committed.recorded(body, index)));
                return Ok(());
            }
            Earlier::Refuse { code, reason } => {
                let declared = Some((call.action.declared.clone(), call.target.clone()));
                let refused = RefusedRequest { code, reason, declared, count: 1 };
                return self.record_refusal(&work.caller.agent, work.request_id, &refused, &work.nonces, work.reply);
            }
        }
        let decision = self.run_engine(&work.prepared, &state, None);
        let index = self.next_index();
        let request_id =
            work.request_id.clone().unwrap_or_else(|| id::for_request(self.now, index, &work.nonces.request));
        let mut body = self.charged(call, request_id, state, decision);
        let held = self.hold(&mut body, &work, index);
        self.keep_payload(&mut body, index, work.payload, held.as_ref());
        let body = Arc::new(body);
        self.append_decision(&body)?;
        if let Some(held) = held {
            self.put_held(held)?;
        }
        if let Some(request_id) = work.request_id.filter(|_| may_keep_id) {
            let (agent, digest, at_us) = (work.caller.agent, digest.0, self.now.0);
            self.add_request(Request { agent, request_id, index, digest, at_us });
        }
        self.decisions.insert(index, Arc::clone(&body));
        self.after_commit(work.reply, move |committed| Sequenced::Decided(committed.recorded(body, index)));
        Ok(())
    }

    /// The body of a decision whose charges count from now on.
    pub(super) fn charged(
        &mut self,
        call: &Call,
        request_id: String,
        state: StateRead,
        mut decided: Decided,
    ) -> DecisionBody {
        let limits = std::mem::take(&mut decided.limits);
        let mut body = DecisionBody::decided(call, &self.control, request_id, state, decided);
        let at = self.state.meter_time(self.now);
        self.state.charge(&body.charges, at);
        self.state.note(&body);
        body.charged_at = (at != self.now && !body.charges.is_empty()).then_some(at);
        body.limits = limits_read(self.state, limits, at);
        body
    }

    /// The state this decision reads, at this index.
    pub(super) fn read_state(&self, prepared: &Prepared, caller: &Caller) -> StateRead {
        let at = self.state.meter_time(self.now);
        let meters = self.state.meters.read_all(prepared.keys(), at);
        let types = prepared.call().action.own_types.iter().map(|name| &**name);
        StateRead {
            containment: self.containment(prepared, caller),
            meters,
            open_approvals: self.state.approvals.waiting(&caller.agent),
            usual: Some(self.state.profiles.read(&caller.agent, types, prepared.size(), at)),
        }
    }

    fn is_observing(&self) -> bool {
        self.control.settings.observing(self.now).is_some()
    }

    /// The switch that catches the call. A suspended agent is contained by its registration.
    fn containment(&self, prepared: &Prepared, caller: &Caller) -> Option<Hit> {
        let agent = self.control.agents.get(&caller.agent);
        if agent.is_none_or(|agent| agent.status == AgentStatus::Suspended) {
            return Some(Hit {
                switch: "suspended".to_owned(),
                scope: Scope::Agent(caller.agent.clone()),
                reason: "the agent is suspended".to_owned(),
            });
        }
        self.control.containment.hit(prepared.call())
    }

    /// The pure decision. A panic in the engine is a BLOCK of this call, not an outage of everybody's.
    pub(super) fn run_engine(&self, prepared: &Prepared, state: &StateRead, evidence: Option<&Evidence>) -> Decided {
        let Some(bundle) = self.control.bundle.as_ref() else {
            return Decided::refusal(
                Code::PolicyUnavailable,
                "no policy bundle is in force, so nothing can be allowed",
            );
        };
        let facts = state.facts(self.now, evidence.cloned());
        let decided = catch_unwind(AssertUnwindSafe(|| decide::decide(bundle, prepared, &facts)));
        decided.map(Decided::from).unwrap_or_else(|_| {
            tracing::error!("deciding a call panicked");
            Decided::refusal(Code::Internal, "the call could not be decided")
        })
    }

    /// Opens the approval of a held action.
    fn hold(&mut self, body: &mut DecisionBody, work: &Decide, index: u64) -> Option<Held> {
        if body.decision.outcome != Outcome::RequireApproval {
            return None;
        }
        let call = work.prepared.call();
        let limits = &self.control.settings.limits;
        let longest = if work.caller.wire_client {
            limits.approval_seconds.min(limits.legacy_approval_seconds)
        } else {
            limits.approval_seconds
        };
        let asked = Asked {
            id: id::from_random(id::APPROVAL, self.now, &work.nonces.approval),
            request_id: body.request_id.clone(),
            digest: work.digest,
            agent: work.caller.agent.clone(),
            requesters: call.agent.owner.iter().chain(call.subject.iter()).cloned().collect(),
        };
        let longest = Span::seconds(i64::from(longest));
        let approval = Approval::open(asked, body.decision.requirements.clone(), self.now, longest);
        body.held_as = Some(HeldAs { expires_at: approval.expires_at, id: approval.id.clone() });
        Some(Held {
            approval,
            index,
            redeemed_index: None,
            charges: body.charges.clone(),
            charged_at: self.state.meter_time(self.now),
            wire_client: work.caller.wire_client,
        })
    }

    /// Keeps the payload as long as the rules ask for, and at least while its approval is open; commits to it either
    /// way.
    pub(super) fn keep_payload(&mut self, body: &mut DecisionBody, index: u64, payload: Payload, held: Option<&Held>) {
        body.commitment = Some(payload.commitment);
        body.readings = payload.readings;
        let (retention, erase_after) = match (body.decision.audit.payload, held) {
            (Keep::Full, _) => (Retention::Full, None),
            (Keep::Replay, _) => (Retention::Replay, Some(self.now.after(REPLAY_RETENTION))),
            (Keep::None, Some(held)) => (Retention::Replay, Some(held.approval.expires_at.after(HELD_RETENTION))),
            (Keep::None, None) => return,
        };
        let erase_after_us = erase_after.map(|at: Micros| at.0);
        self.batch.payloads.push(NewPayload {
            index,
            salt: payload.salt,
            bytes: payload.bytes,
            retention,
            erase_after_us,
        });
    }
}
