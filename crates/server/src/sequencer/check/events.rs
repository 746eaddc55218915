//! What happened to decisions later: what it gave back, what it counted, what it taught.

use super::Check;
use crate::error::Error;
use crate::held::Held;
use crate::record::{ClosedBody, DecisionBody, Entry, Kind, OutcomeBody, Returned, VoteBody};
use runplane_core::approval::State as ApprovalState;
use runplane_core::meter::{Charge, On};
use runplane_core::outcome::Outcome;
use runplane_core::time::Micros;

/// A held action that can still change.
pub(super) struct Hold {
    pub id: String,
    pub agent: String,
    pub state: ApprovalState,
    /// As its entry has them. Counters that were new later may have given it more.
    pub charges: Vec<Charge>,
    pub at: Micros,
}

impl Check<'_> {
    pub(super) fn take_redemption(&mut self, index: u64, body: &DecisionBody) {
        let Some(redemption) = &body.redemption else {
            return self.differ(index, "a redemption that does not say of what");
        };
        self.compare_returned(index, redemption.held, &redemption.returned);
        self.state.give_back(&redemption.returned);
        let is_redeemed = body.decision.outcome == Outcome::Allow;
        self.move_hold(
            index,
            redemption.held,
            if is_redeemed { ApprovalState::Redeemed } else { ApprovalState::Refused },
        );
    }

    pub(super) fn take_vote(&mut self, entry: &Entry) -> Result<(), Error> {
        let body: VoteBody = entry.body()?;
        let on = match body.state {
            ApprovalState::Approved => Some(On::Approved),
            ApprovalState::Denied => Some(On::Denied),
            _ => None,
        };
        if body.state == ApprovalState::Denied {
            self.compare_returned(entry.index, body.held, &body.returned);
        } else if !body.returned.charges.is_empty() {
            self.differ(entry.index, "a share was given back that is still in use");
        }
        self.compare_late(entry.index, body.held, on, &body.charges);
        self.move_hold(entry.index, body.held, body.state);
        self.apply(entry)
    }

    pub(super) fn take_closed(&mut self, entry: &Entry) -> Result<(), Error> {
        let body: ClosedBody = entry.body()?;
        self.compare_returned(entry.index, body.held, &body.returned);
        let on = if body.state == ApprovalState::Cancelled { On::Cancelled } else { On::Expired };
        self.compare_late(entry.index, body.held, Some(on), &body.charges);
        self.move_hold(entry.index, body.held, body.state);
        self.apply(entry)
    }

    pub(super) fn take_outcome(&mut self, entry: &Entry) -> Result<(), Error> {
        let body: OutcomeBody = entry.body()?;
        let Some((_, decision)) = self.load_decision(body.decision)? else {
            self.differ(entry.index, "a report of a decision that is not there");
            return self.apply(entry);
        };
        let on = On::named(&body.status);
        let expected = decision.observation().filter(|_| on == Some(On::Succeeded));
        if body.learned != expected {
            let text = format_args!("the profile of {} was taught something else than what succeeded", body.agent);
            self.differ(entry.index, text);
        }
        // What ran is the decision, or the redemption of what it held.
        let ran = match decision.held_as {
            None => Some(body.decision),
            Some(_) => self
                .store
                .approvals_of(self.workspace, &[body.decision])?
                .first()
                .and_then(|row| Held::parse(&row.bytes).ok()?.redeemed_index),
        };
        let ran = match ran {
            Some(index) => self.load_decision(index)?,
            None => None,
        };
        match ran {
            None => self.differ(entry.index, "a report of an action that did not run"),
            Some((at, ran)) => {
                let refunds = ran.charges.iter().filter(|charge| charge.refund && charge.on == On::Use).copied();
                let refunds: Vec<Charge> = refunds.filter(|_| on == Some(On::Failed)).collect();
                let returned = body.returned.clone().unwrap_or_default();
                self.compare_shares(entry.index, body.decision, &refunds, &returned.charges, "given back");
                if !returned.charges.is_empty() && returned.at != ran.charged_at.unwrap_or(at) {
                    self.differ(entry.index, "shares were given back at another time than they were taken");
                }
                let late: Vec<Charge> = ran.charges.iter().filter(|charge| Some(charge.on) == on).copied().collect();
                self.compare_shares(entry.index, body.decision, &late, &body.charges, "counted");
            }
        }
        self.apply(entry)
    }

    /// A decision or redemption, and the time of its entry.
    fn load_decision(&self, index: u64) -> Result<Option<(Micros, DecisionBody)>, Error> {
        let rows = self.store.read_entries(self.workspace, index, 1)?;
        let Some(row) = rows.first().filter(|row| row.index == index) else { return Ok(None) };
        let entry = Entry::parse(&row.bytes)?;
        if !matches!(entry.kind, Kind::Decision | Kind::Redemption) {
            return Ok(None);
        }
        Ok(Some((entry.at, entry.body()?)))
    }

    fn compare_returned(&mut self, index: u64, held: u64, returned: &Returned) {
        let Some(hold) = self.open.get(&held) else { return };
        let is_same_time = returned.charges.is_empty() || returned.at == hold.at;
        let used: Vec<Charge> = hold.charges.iter().filter(|charge| charge.on == On::Use).copied().collect();
        if !is_same_time {
            self.differ(index, "shares were given back at another time than they were taken");
        }
        self.compare_shares(index, held, &used, &returned.charges, "given back");
    }

    fn compare_late(&mut self, index: u64, held: u64, on: Option<On>, charges: &[Charge]) {
        let Some(hold) = self.open.get(&held) else { return };
        let due: Vec<Charge> = hold.charges.iter().filter(|charge| Some(charge.on) == on).copied().collect();
        self.compare_shares(index, held, &due, charges, "counted");
    }

    /// Each share that is due, once; beyond them only shares of counters that are younger than the decision.
    fn compare_shares(&mut self, index: u64, decision: u64, due: &[Charge], says: &[Charge], verb: &str) {
        let mut left: Vec<&Charge> = says.iter().collect();
        for charge in due {
            match left.iter().position(|found| *found == charge) {
                Some(place) => {
                    left.swap_remove(place);
                }
                None => {
                    let name = self.name(charge.key.counter());
                    let amount = charge.amount;
                    let text = format_args!("the share of {amount} that entry {decision} has of {name} was not {verb}");
                    self.differ(index, text);
                }
            }
        }
        let older = |charge: &&Charge| self.began.get(&charge.key.counter()).is_none_or(|began| *began <= decision);
        let unknown: Vec<Charge> = left.into_iter().filter(older).copied().collect();
        for charge in unknown {
            let (name, amount) = (self.name(charge.key.counter()), charge.amount);
            self.differ(index, format_args!("{amount} of {name} was {verb}, which entry {decision} does not have"));
        }
    }

    fn move_hold(&mut self, index: u64, held: u64, state: ApprovalState) {
        let Some(mut hold) = self.open.remove(&held) else {
            return self.differ(index, format_args!("it ends the hold of entry {held}, which is not open"));
        };
        if hold.state == ApprovalState::Pending
            && state != ApprovalState::Pending
            && let Some(waiting) = self.waiting.get_mut(&hold.agent)
        {
            *waiting = waiting.saturating_sub(1);
        }
        hold.state = state;
        if !state.is_final() {
            self.open.insert(held, hold);
        }
    }
}
