//! A held action is decided again, because somebody approved it.
//!
//! The approval is one more fact; everything else is as for any call, under the bundle and containment of now. So
//! an approval never lets through what a rule of today would block.

use super::turn::Turn;
use super::work::{Redeem, Redeemed};
use crate::error::{Error, Kind};
use crate::held::Held;
use crate::permit;
use crate::record::{Kind as EntryKind, RedemptionFacts};
use runplane_core::approval::{Attempt, Event, Evidence};
use runplane_core::outcome::Outcome;
use runplane_core::time::Span;
use std::sync::Arc;

impl Turn<'_> {
    pub(super) fn redeem(&mut self, work: Redeem) -> Result<(), Error> {
        if work.epoch != self.control.epoch {
            let _ = work.reply.send(Ok(Redeemed::Stale));
            return Ok(());
        }
        if self.control.active_key(&work.caller.key, self.now).is_none() {
            let _ = work.reply.send(Err(Error::plain(Kind::InvalidKey)));
            return Ok(());
        }
        let Some(held) = self.find_held(&work.approval)?.filter(|held| held.approval.agent == work.caller.agent) else {
            let _ = work.reply.send(Err(Error::plain(Kind::UnknownApproval)));
            return Ok(());
        };
        // WIRE: the published client may have lost the answer and has no redemption id; it asks as often as it likes.
        let repeatable = if work.caller.wire_client { Span(i64::MAX) } else { permit::LIFE };
        match held.approval.attempt(&work.redemption, repeatable, self.now) {
            Ok(Attempt::Decide(evidence)) => self.decide_redemption(work, held, evidence),
            Ok(Attempt::Repeat(_)) => {
                let index = held.redeemed_index.ok_or_else(|| Error::internal("a redemption has no entry"))?;
                let decision = self.load_decision(index)?;
                self.after_commit(work.reply, move |committed| Redeemed::Decided {
                    decision: committed.recorded(decision, index),
                    held,
                });
                Ok(())
            }
            Err(_) => {
                let already = held.approval.redemption.is_some();
                let answer = if already { Redeemed::Already(held) } else { Redeemed::NotApproved(held) };
                self.after_commit(work.reply, move |_| answer);
                Ok(())
            }
        }
    }

    fn decide_redemption(&mut self, work: Redeem, mut held: Held, evidence: Evidence) -> Result<(), Error> {
        // Its own reservation must not count against it.
        let returned = self.give_back(&mut held);
        let state = self.read_state(&work.prepared, &work.caller);
        let decided = self.run_engine(&work.prepared, &state, Some(&evidence)).for_redemption();
        let refusal = (decided.verdict.outcome != Outcome::Allow).then(|| decided.verdict.reason.clone());
        let event = Event::Redeem { redemption_id: work.redemption.clone(), refusal };
        let approval = held
            .approval
            .transition(event, self.now)
            .map_err(|refused| Error::internal("a redemption could not be noted").because(refused))?;
        let index = self.next_index();
        let request_id = held.approval.request_id.clone();
        let mut body = self.charged(work.prepared.call(), request_id, state, decided);
        body.redemption = Some(RedemptionFacts { evidence, held: held.index, id: work.redemption, returned });
        self.keep_payload(&mut body, index, work.payload, None);
        let body = Arc::new(body);
        self.append(EntryKind::Redemption, &*body)?;
        let held = Held { approval, redeemed_index: Some(index), ..held };
        self.put_held(held.clone())?;
        self.decisions.insert(index, Arc::clone(&body));
        self.after_commit(work.reply, move |committed| Redeemed::Decided {
            decision: committed.recorded(body, index),
            held,
        });
        Ok(())
    }
}
