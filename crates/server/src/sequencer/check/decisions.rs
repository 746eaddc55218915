//! What a decision read, charged and said of limits.

use super::super::decide::limits_read;
use super::Check;
use super::events::Hold;
use crate::error::Error;
use crate::recompute::Remade;
use crate::record::{DecisionBody, Entry, Kind};
use runplane_core::approval::State as ApprovalState;
use runplane_core::decide::{Prepared, Share};
use runplane_core::meter::MeterValue;
use runplane_core::outcome::Outcome;
use runplane_core::policy::Bundle;

impl Check<'_> {
    pub(super) fn take_decision(&mut self, entry: &Entry) -> Result<(), Error> {
        let body: DecisionBody = entry.body()?;
        let at = self.state.meter_time(entry.at);
        if entry.kind == Kind::Redemption {
            self.take_redemption(entry.index, &body);
        }
        let charged_at = (at != entry.at && !body.charges.is_empty()).then_some(at);
        if body.charged_at != charged_at {
            self.differ(entry.index, "its charges are of another time than the clock's steps add up to");
        }
        let mut said = None;
        if body.commitment.is_some() {
            self.compare_reads(entry, &body);
            match self.recomputer.remake(entry, &body)? {
                Remade::NotApplicable => {}
                Remade::Erased => self.report.erased += 1,
                Remade::OtherCall => self.differ(entry.index, "the payload is not the one of the decision"),
                Remade::Call { bundle, prepared, limits, is_equal } => {
                    self.report.decisions += 1;
                    self.learn_names(&bundle);
                    self.compare_meters(entry, &body, &prepared);
                    if !is_equal {
                        self.differ(
                            entry.index,
                            "made again from what it read, the decision or its charges are others",
                        );
                    }
                    said = Some(limits);
                }
            }
        }
        self.seen.extend(body.charges.iter().map(|charge| charge.key.counter()));
        self.state.charge(&body.charges, at);
        self.state.note(&body);
        if let Some(limits) = said {
            self.compare_limits(entry, &body, limits);
        }
        self.open_hold(entry, &body);
        Ok(())
    }

    fn open_hold(&mut self, entry: &Entry, body: &DecisionBody) {
        let Some(held) = &body.held_as else { return };
        if body.decision.outcome != Outcome::RequireApproval {
            self.differ(entry.index, "an approval was opened for an action that is not held");
        }
        let hold = Hold {
            id: held.id.clone(),
            agent: body.agent.clone(),
            state: ApprovalState::Pending,
            charges: body.charges.clone(),
            at: self.state.meter_time(entry.at),
        };
        *self.waiting.entry(hold.agent.clone()).or_default() += 1;
        self.open.insert(entry.index, hold);
    }

    /// What can be compared without the call.
    fn compare_reads(&mut self, entry: &Entry, body: &DecisionBody) {
        let waiting = self.waiting.get(&body.agent).copied().unwrap_or(0);
        if body.state.open_approvals != waiting {
            let read = body.state.open_approvals;
            let text = format_args!("it read {read} open approvals of {}, the ledger says {waiting}", body.agent);
            self.differ(entry.index, text);
        }
        if let Some(usual) = &body.state.usual {
            let at = self.state.meter_time(entry.at);
            let types = usual.types.iter().map(|kind| kind.r#type.as_str());
            let added = self.state.profiles.read(&body.agent, types, usual.size, at);
            if added != *usual {
                let what = added.types.iter().zip(&usual.types).find(|(added, read)| added != read);
                let of = what.map_or_else(String::new, |(added, _)| format!(" and {}", added.r#type));
                let text =
                    format_args!("it read another profile of {}{of} than the entries before add up to", body.agent);
                self.differ(entry.index, text);
            }
        }
    }

    fn compare_meters(&mut self, entry: &Entry, body: &DecisionBody, prepared: &Prepared) {
        let at = self.state.meter_time(entry.at);
        if prepared.meter_keys().len() != body.state.meters.len() {
            return self.differ(entry.index, "it read other counters than its rules ask");
        }
        for (key, read) in prepared.meter_keys().zip(&body.state.meters) {
            let added = self.state.meters.read(key, at);
            if added != *read {
                let (name, read, added) = (self.name(key.counter()), said(read), said(&added));
                self.differ(
                    entry.index,
                    format_args!("it read {read} of {name}, the entries before add up to {added}"),
                );
            }
        }
    }

    fn compare_limits(&mut self, entry: &Entry, body: &DecisionBody, limits: Vec<Share>) {
        let added = limits_read(&self.state, limits, self.state.meter_time(entry.at));
        let other = body.limits.iter().zip(&added).find(|(says, added)| says != added);
        if let Some((says, added)) = other {
            let text =
                format_args!("limit {} is {} of {}, the ledger says {}", says.rule, says.used, says.of, added.used);
            self.differ(entry.index, text);
        } else if body.limits.len() != added.len() {
            self.differ(entry.index, "it names other limits than its rules have");
        }
    }

    pub(super) fn learn_names(&mut self, bundle: &Bundle) {
        for counter in bundle.counters() {
            self.names.entry(counter.id()).or_insert_with(|| counter.name.to_string());
        }
    }
}

fn said(value: &MeterValue) -> String {
    match value {
        MeterValue::Ready(value) => value.to_string(),
        MeterValue::Filling => "a past that is still being counted".to_owned(),
        MeterValue::Doubtful => "what nobody knows".to_owned(),
    }
}
