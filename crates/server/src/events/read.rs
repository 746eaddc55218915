//! One ledger entry → what listeners are told of it.

use crate::clock::rfc3339;
use crate::control::Control;
use crate::error::Error;
use crate::find;
use crate::http::DecisionView;
use crate::projection;
use crate::record::{ClockBody, ClosedBody, ControlBody, DecisionBody, Entry, Kind, OutcomeBody, VoteBody};
use crate::workspace::Workspace;
use bytes::Bytes;
use runplane_core::approval::State;
use runplane_core::outcome::Outcome;
use runplane_store::EntryRow;
use serde::Serialize;
use serde_json::{Value, json};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    Decision,
    Approval,
    Outcome,
    Control,
    Containment,
    Clock,
    Head,
}

impl EventKind {
    pub const ALL: [Self; 7] =
        [Self::Decision, Self::Approval, Self::Outcome, Self::Control, Self::Containment, Self::Clock, Self::Head];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Approval => "approval",
            Self::Outcome => "outcome",
            Self::Control => "control",
            Self::Containment => "containment",
            Self::Clock => "clock",
            Self::Head => "head",
        }
    }
}

/// Something that happened, written out once for all who listen.
pub struct Event {
    pub kind: EventKind,
    /// Whose it is; an agent is told only of its own.
    pub agent: Option<String>,
    /// For those only who may see accounts.
    pub is_about_accounts: bool,
    /// As server-sent events have it: name and data, without an id.
    pub text: Bytes,
}

/// What the entry says, if it can be read; what cannot is for the verifier to find.
pub fn events(workspace: &Workspace, row: &EntryRow) -> Vec<Event> {
    match read(workspace, row) {
        Ok(events) => events,
        Err(failure) => {
            tracing::error!(workspace = %workspace.name, index = row.index, %failure, "an entry could not be told");
            Vec::new()
        }
    }
}

/// `event:` and `data:` lines.
pub fn text(name: &str, data: &impl Serialize) -> Result<Bytes, Error> {
    let data = serde_json::to_string(data)
        .map_err(|failure| Error::internal("an event could not be written").because(failure))?;
    Ok(Bytes::from(format!("event: {name}\ndata: {data}\n")))
}

fn event(kind: EventKind, agent: Option<&str>, data: &impl Serialize) -> Result<Event, Error> {
    let text = text(kind.as_str(), data)?;
    Ok(Event { kind, agent: agent.map(str::to_owned), is_about_accounts: false, text })
}

fn read(workspace: &Workspace, row: &EntryRow) -> Result<Vec<Event>, Error> {
    let entry = Entry::parse(&row.bytes)?;
    let control = workspace.control();
    match entry.kind {
        Kind::Decision | Kind::Redemption => decision(row, &entry, &control),
        Kind::Vote => {
            let body: VoteBody = entry.body()?;
            let change = if body.state == State::Pending { "voted" } else { body.state.as_str() };
            approval(workspace, &entry, body.held, &body.approval, change, Some(&body.by), body.state)
        }
        Kind::Closed => {
            let body: ClosedBody = entry.body()?;
            approval(workspace, &entry, body.held, &body.approval, body.state.as_str(), body.by.as_deref(), body.state)
        }
        Kind::Outcome => {
            let body: OutcomeBody = entry.body()?;
            let data = json!({
                "index": entry.index, "at": rfc3339(entry.at), "requestId": body.request_id,
                "decisionIndex": body.decision, "agent": agent(&control, &body.agent), "status": body.status,
            });
            Ok(vec![event(EventKind::Outcome, Some(&body.agent), &data)?])
        }
        Kind::Control => {
            let body: ControlBody = entry.body()?;
            let is_switch = body.change.starts_with("switch_");
            let kind = if is_switch { EventKind::Containment } else { EventKind::Control };
            let data = json!({
                "index": entry.index, "at": rfc3339(entry.at), "change": body.change, "by": body.by,
                "detail": body.detail, "epoch": entry.epoch,
            });
            let is_about_accounts = body.change.starts_with("user_");
            Ok(vec![Event { is_about_accounts, ..event(kind, None, &data)? }])
        }
        Kind::Clock => {
            let body: ClockBody = entry.body()?;
            let data = json!({ "index": entry.index, "at": rfc3339(entry.at), "stepMicros": body.step.0 });
            Ok(vec![event(EventKind::Clock, None, &data)?])
        }
        Kind::Genesis => Ok(Vec::new()),
        #[allow(unreachable_patterns, reason = "a kind that is added says nothing until it is named here")]
        _ => Ok(Vec::new()),
    }
}

fn decision(row: &EntryRow, entry: &Entry, control: &Control) -> Result<Vec<Event>, Error> {
    let body: DecisionBody = entry.body()?;
    let Some(listed) = projection::read_line(row)? else { return Ok(Vec::new()) };
    let view = DecisionView::of_row(listed, control)?;
    let mut events = vec![event(EventKind::Decision, Some(&body.agent), &view)?];
    if let Some(held) = &body.held_as {
        let data = facts(entry, control, &body, &held.id, "opened", None, State::Pending);
        events.push(event(EventKind::Approval, Some(&body.agent), &data)?);
    }
    if let Some(redemption) = &body.redemption {
        let state = if body.decision.outcome == Outcome::Allow { State::Redeemed } else { State::Refused };
        let id = &redemption.evidence.id;
        let data = facts(entry, control, &body, id, state.as_str(), None, state);
        events.push(event(EventKind::Approval, Some(&body.agent), &data)?);
    }
    Ok(events)
}

fn approval(
    workspace: &Workspace,
    entry: &Entry,
    held: u64,
    id: &str,
    change: &str,
    by: Option<&str>,
    state: State,
) -> Result<Vec<Event>, Error> {
    let body = find::decision_at(&*workspace.store, &workspace.id, held)?
        .ok_or_else(|| Error::internal("the decision behind an approval is missing"))?;
    let data = facts(entry, &workspace.control(), &body, id, change, by, state);
    Ok(vec![event(EventKind::Approval, Some(&body.agent), &data)?])
}

fn facts(
    entry: &Entry,
    control: &Control,
    body: &DecisionBody,
    id: &str,
    change: &str,
    by: Option<&str>,
    state: State,
) -> Value {
    json!({
        "index": entry.index, "at": rfc3339(entry.at), "change": change, "approvalId": id,
        "requestId": body.request_id, "agent": agent(control, &body.agent), "by": by, "state": state.as_str(),
    })
}

fn agent(control: &Control, id: &str) -> Value {
    json!({ "id": id, "name": control.agents.get(id).map(|agent| agent.name.clone()) })
}
