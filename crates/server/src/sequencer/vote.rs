//! A person decides on a held action, or time does.

use super::turn::Turn;
use super::work::{Cancel, Vote, Voted};
use crate::error::{Error, Kind};
use crate::held::Held;
use crate::record::{ClosedBody, Kind as EntryKind, VoteBody};
use runplane_core::approval::{Event, State, TransitionError};
use runplane_core::digest::sha256;
use runplane_core::meter::On;

impl Turn<'_> {
    pub(super) fn vote(&mut self, work: Vote) -> Result<(), Error> {
        let Some(held) = self.find_held(&work.approval)? else {
            let _ = work.reply.send(Err(Error::plain(Kind::UnknownApproval)));
            return Ok(());
        };
        let by = work.voter.id.clone();
        let event = Event::Vote { voter: work.voter, verdict: work.verdict, comment: work.comment.clone() };
        let mut next = match held.approval.transition(event, self.now) {
            Ok(approval) => Held { approval, ..held },
            Err(TransitionError::NotPending(_) | TransitionError::Expired) => {
                self.after_commit(work.reply, move |_| Voted::NotPending(held));
                return Ok(());
            }
            Err(refused) => {
                let _ = work.reply.send(Ok(Voted::NotAllowed(refused.to_string())));
                return Ok(());
            }
        };
        let returned =
            if next.approval.state == State::Denied { self.give_back(&mut next) } else { Default::default() };
        let charges = match next.approval.state {
            State::Approved => self.charge_late(&next.charges, On::Approved),
            State::Denied => self.charge_late(&next.charges, On::Denied),
            _ => Vec::new(),
        };
        let body = VoteBody {
            approval: work.approval,
            by,
            charges,
            comment: work.comment.map(|comment| sha256(&[comment.as_bytes()]).to_string()),
            held: next.index,
            returned,
            shown: work.shown,
            state: next.approval.state,
            verdict: work.verdict,
        };
        let index = self.append(EntryKind::Vote, &body)?;
        self.put_held(next.clone())?;
        self.after_commit(work.reply, move |committed| Voted::Counted(committed.recorded(next, index)));
        Ok(())
    }

    /// A person withdraws a held action, whatever was voted so far.
    pub(super) fn cancel(&mut self, work: Cancel) -> Result<(), Error> {
        let Some(held) = self.find_held(&work.approval)? else {
            let _ = work.reply.send(Err(Error::plain(Kind::UnknownApproval)));
            return Ok(());
        };
        let event = Event::Cancel { by: work.by.clone(), comment: work.comment.clone() };
        let Ok(approval) = held.approval.transition(event, self.now) else {
            self.after_commit(work.reply, move |_| Voted::NotPending(held));
            return Ok(());
        };
        let mut next = Held { approval, ..held };
        let returned = self.give_back(&mut next);
        let body = ClosedBody {
            approval: work.approval,
            by: Some(work.by),
            charges: self.charge_late(&next.charges, On::Cancelled),
            comment: work.comment.map(|comment| sha256(&[comment.as_bytes()]).to_string()),
            held: next.index,
            returned,
            state: next.approval.state,
        };
        let index = self.append(EntryKind::Closed, &body)?;
        self.put_held(next.clone())?;
        self.after_commit(work.reply, move |committed| Voted::Counted(committed.recorded(next, index)));
        Ok(())
    }

    /// Closes every approval whose time is up, so that whatever follows in this batch sees it closed.
    pub fn close_due(&mut self) -> Result<(), Error> {
        while let Some(held) = self.state.approvals.first_due(self.now) {
            let approval = held
                .approval
                .transition(Event::Expire, self.now)
                .map_err(|refused| Error::internal("an approval could not expire").because(refused))?;
            let mut next = Held { approval, ..held };
            let returned = self.give_back(&mut next);
            let body = ClosedBody {
                approval: next.id().to_owned(),
                by: None,
                charges: self.charge_late(&next.charges, On::Expired),
                comment: None,
                held: next.index,
                returned,
                state: next.approval.state,
            };
            self.append(EntryKind::Closed, &body)?;
            self.put_held(next)?;
        }
        Ok(())
    }

    /// The held action as of now: open ones are in memory, closed ones in the store.
    pub(super) fn find_held(&self, id: &str) -> Result<Option<Held>, Error> {
        if let Some(held) = self.state.approvals.get(id) {
            return Ok(Some(held.clone()));
        }
        if let Some(row) = self.batch.approvals.iter().rev().find(|row| row.id == id) {
            return Held::parse(&row.bytes).map(Some);
        }
        let row = self.store.load_approval(self.workspace, id)?;
        row.map(|row| Held::parse(&row.bytes)).transpose()
    }
}
