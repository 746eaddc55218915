//! Decisions: the list with its lag, and one decision with everything that is kept of it.

use super::caller::Caller;
use super::moment::Moment;
use super::problems::problems;
use super::query::Query;
use crate::control::Control;
use crate::decisions::{self, Kept, Listed, Trace};
use crate::error::{Error, Kind as ErrorKind};
use crate::record::Kind;
use crate::search::{self, Wanted, Words};
use axum::Json;
use axum::extract::Path;
use runplane_core::time::Micros;
use runplane_store::{DecisionFilter, DecisionRow};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

const DEFAULT_PAGE: usize = 50;
const MAX_PAGE: usize = 500;

problems! {
    /// A question about decisions.
    Listing: InvalidRequest, InvalidKey, UnknownWorkspace, StoreUnavailable, Internal
}
problems! {
    /// A question about one decision.
    OneDecision: InvalidRequest, InvalidKey, UnknownWorkspace, UnknownRequest, StoreUnavailable, Internal
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// `nextCursor` of the page before.
    cursor: Option<u64>,
    /// `prevCursor` of the page after: the page of newer decisions next to it.
    after: Option<u64>,
    /// At most 500; 50 if absent.
    limit: Option<usize>,
    /// Id of an agent. An agent sees only its own decisions, whatever it asks for.
    agent: Option<String>,
    /// Canonical action type.
    r#type: Option<String>,
    /// Target in any spelling.
    target: Option<String>,
    /// `ALLOW`, `REQUIRE_APPROVAL` or `BLOCK`.
    outcome: Option<String>,
    /// Matched rule, as `policy/rule`.
    rule: Option<String>,
    /// `low`, `medium`, `high` or `critical`.
    severity: Option<String>,
    /// From this risk score on, 0 to 100. Looked for as words are.
    min_risk: Option<u8>,
    /// Up to this risk score.
    max_risk: Option<u8>,
    /// From this time on.
    since: Option<Moment>,
    /// Before this time.
    until: Option<Moment>,
    /// Words that all occur in what the list says of a decision: request id, agent, action, target, environment,
    /// rule, reason, severity, outcome, approval. At most 200 characters; case does not count. One request looks at
    /// 20,000 decisions at most: a page may hold few or none and still have a `nextCursor`.
    q: Option<String>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FindQuery {
    /// Id of the agent, where several use the same request id. An agent means its own, whatever it asks for.
    agent: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct AgentName {
    id: String,
    /// Absent if there is no such agent any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

/// What the action was taken to be.
#[derive(Serialize, ToSchema)]
pub struct ListedAction {
    /// The canonical action type; empty for a request that was no call.
    r#type: String,
    declared: String,
    domain: String,
    effect: String,
}

/// One line of the list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DecisionView {
    request_id: String,
    /// Index of the ledger entry.
    index: u64,
    at: Moment,
    /// `decision`, or `redemption`: decided again because somebody approved it.
    kind: String,
    agent: AgentName,
    action: ListedAction,
    target: String,
    environment: String,
    /// `ALLOW`, `REQUIRE_APPROVAL` or `BLOCK`.
    decision: String,
    reason: String,
    reason_code: String,
    matched_rule: String,
    severity: String,
    risk_score: u8,
    approval_id: Option<String>,
    /// How many requests this entry stands for; more than one only for refusals over a request rate.
    count: u64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DecisionList {
    /// Newest first.
    decisions: Vec<DecisionView>,
    next_cursor: Option<u64>,
    /// To be sent as `after` for newer ones; absent when nothing was found or looked at.
    prev_cursor: Option<u64>,
    /// How far a search for words got: the time of the last decision it looked at, if it did not reach the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    searched_to: Option<Moment>,
    /// Entries the list covers. The list follows the ledger at a small distance.
    projected_to: u64,
    /// Entries of the ledger.
    ledger_size: u64,
}

/// What is left of the payload, and to whom it is shown.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PayloadView {
    /// `notKept`, `erased`, `notShown` or `shown`.
    state: &'static str,
    /// The call as it was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    content: Option<Box<RawValue>>,
}

/// What the program says happened.
#[derive(Serialize, ToSchema)]
pub struct OutcomeView {
    /// `succeeded`, `failed` or `unknown`.
    status: String,
    at: Moment,
    detail: Option<String>,
}

/// One decision with everything that is kept of it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DecisionTrace {
    #[serde(flatten)]
    decision: DecisionView,
    /// Control epoch it was decided under.
    epoch: u64,
    bundle: String,
    /// Leaf hash of the ledger entry, lower-case hex.
    leaf_hash: String,
    /// The record as it is on the ledger: rules, risk, state read, requirements, commitments.
    #[schema(value_type = Object)]
    record: Box<RawValue>,
    payload: PayloadView,
    outcome: Option<OutcomeView>,
    /// Other listed decisions with this request id: its redemption, refused reuses, those of other agents.
    related: Vec<DecisionView>,
}

impl DecisionView {
    /// A row as it was read from the ledger.
    pub fn of_row(row: DecisionRow, control: &Control) -> Result<Self, Error> {
        Ok(Self::listed(Listed::parse(row)?, control))
    }

    fn listed(Listed { row, line }: Listed, control: &Control) -> Self {
        Self {
            request_id: row.request_id,
            index: row.index,
            at: Moment(Micros(row.at_us)),
            kind: kind_name(line.kind),
            agent: AgentName::of(row.agent, control),
            action: ListedAction {
                r#type: row.action_type,
                declared: line.declared,
                domain: line.domain,
                effect: line.effect,
            },
            target: row.target,
            environment: line.environment,
            decision: row.outcome,
            reason: line.reason,
            reason_code: line.reason_code,
            matched_rule: row.rule,
            severity: row.severity,
            risk_score: line.risk_score,
            approval_id: line.approval_id,
            count: line.count,
        }
    }

    fn recorded(trace: &Trace, control: &Control) -> Self {
        let (body, decision) = (&trace.body, &trace.body.decision);
        Self {
            request_id: body.request_id.clone(),
            index: trace.entry.index,
            at: Moment(trace.at),
            kind: kind_name(if body.redemption.is_some() { Kind::Redemption } else { Kind::Decision }),
            agent: AgentName::of(body.agent.clone(), control),
            action: ListedAction {
                r#type: body.action.r#type.clone(),
                declared: body.action.declared.clone(),
                domain: body.action.domain.to_string(),
                effect: body.action.effect.to_string(),
            },
            target: body.target.clone(),
            environment: body.environment.clone(),
            decision: decision.outcome.as_str().to_owned(),
            reason: decision.reason.clone(),
            reason_code: decision.code.clone(),
            matched_rule: decision.matched_rule.to_string(),
            severity: decision.severity.as_str().to_owned(),
            risk_score: decision.risk.score,
            approval_id: body.held_as.as_ref().map(|held| held.id.clone()),
            count: body.count,
        }
    }
}

impl AgentName {
    fn of(id: String, control: &Control) -> Self {
        let name = control.agents.get(&id).map(|agent| agent.name.clone());
        Self { id, name }
    }
}

impl From<Kept> for PayloadView {
    fn from(kept: Kept) -> Self {
        let (state, content) = match kept {
            Kept::Never => ("notKept", None),
            Kept::Erased => ("erased", None),
            Kept::Hidden => ("notShown", None),
            Kept::Shown(content) => ("shown", Some(content)),
        };
        Self { state, content }
    }
}

fn kind_name(kind: Kind) -> String {
    if kind == Kind::Redemption { "redemption" } else { "decision" }.to_owned()
}

/// List decisions.
#[utoipa::path(get, path = "/api/v1/decisions", operation_id = "listDecisions", tag = "decisions",
    params(ListQuery),
    responses((status = 200, description = "A page of the list", body = DecisionList), Listing),
    security(("agentKey" = []), ("adminToken" = [])))]
pub async fn list_decisions(caller: Caller, Query(query): Query<ListQuery>) -> Result<Json<DecisionList>, Error> {
    let limit = query.limit.unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE);
    known("outcome", query.outcome.as_deref(), &["ALLOW", "REQUIRE_APPROVAL", "BLOCK"])?;
    known("severity", query.severity.as_deref(), &["low", "medium", "high", "critical"])?;
    let upwards = query.after.is_some();
    let workspace = caller.workspace();
    let filter = DecisionFilter {
        agent: caller.only_agent().map(str::to_owned).or(query.agent),
        action_type: query.r#type,
        // A target that cannot be one matches nothing, as it is.
        target: query.target.map(|target| runplane_core::text::normal_target(&target).unwrap_or(target)),
        outcome: query.outcome,
        rule: query.rule,
        severity: query.severity,
        since_us: query.since.map(|since| since.0.0),
        until_us: query.until.map(|until| until.0.0),
        before: query.cursor,
        after: query.after,
        limit,
    };
    let control = workspace.control();
    let words = query.q.as_deref().map(Words::of).transpose()?.flatten();
    let risk = query.min_risk.unwrap_or(0)..=query.max_risk.unwrap_or(100);
    if risk.is_empty() {
        return Err(Error::new(ErrorKind::InvalidRequest, "`minRisk` is above `maxRisk`, or no score at all"));
    }
    let wanted = Wanted { words, risk };
    let (page, reached) = if wanted.is_anything() {
        (decisions::list(workspace, filter).await?, None)
    } else {
        search::search(workspace, filter, wanted).await?
    };
    let (first, last) = (page.decisions.first(), page.decisions.last());
    let stopped = reached.as_ref().map(|(index, _)| *index);
    let (next_cursor, prev_cursor) = if upwards {
        (last.map(|last| last.row.index), stopped.or_else(|| first.map(|first| first.row.index)))
    } else {
        let full = (page.decisions.len() == limit).then(|| last.map(|last| last.row.index)).flatten();
        (full.or(stopped), first.map(|first| first.row.index))
    };
    let searched_to = reached.filter(|_| !upwards).map(|(_, at)| Moment(at));
    Ok(Json(DecisionList {
        decisions: page.decisions.into_iter().map(|listed| DecisionView::listed(listed, &control)).collect(),
        next_cursor,
        prev_cursor,
        searched_to,
        projected_to: page.projected_to,
        ledger_size: workspace.published.head.load().size,
    }))
}

/// A filter that no decision could match is a mistake, not an empty list.
fn known(name: &str, value: Option<&str>, words: &[&str]) -> Result<(), Error> {
    match value.filter(|value| !words.contains(value)) {
        Some(value) => Err(Error::new(
            ErrorKind::InvalidRequest,
            format!("`{name}` cannot be `{value}`: it is one of {}", words.join(", ")),
        )),
        None => Ok(()),
    }
}

/// Read one decision: its record, and what is kept beside it.
///
/// The payload is shown to people only, and only where a rule asked to keep it in full.
#[utoipa::path(get, path = "/api/v1/decisions/{requestId}", operation_id = "getDecision", tag = "decisions",
    params(("requestId" = String, Path, description = "Request id of the decision"), FindQuery),
    responses((status = 200, description = "The decision", body = DecisionTrace), OneDecision),
    security(("agentKey" = []), ("adminToken" = [])))]
pub async fn get_decision(
    caller: Caller,
    Path(request_id): Path<String>,
    Query(query): Query<FindQuery>,
) -> Result<Json<DecisionTrace>, Error> {
    let for_person = matches!(caller, Caller::Person(_));
    let agent = caller.only_agent().map(str::to_owned).or(query.agent);
    let workspace = caller.workspace();
    let trace = decisions::find(workspace, request_id, agent, for_person).await?;
    let control = workspace.control();
    let decision = DecisionView::recorded(&trace, &control);
    let Trace { entry, epoch, body, payload, report, related, .. } = trace;
    let record = String::from_utf8(entry.bytes)
        .ok()
        .and_then(|text| RawValue::from_string(text).ok())
        .ok_or_else(|| Error::internal("a record is no JSON text: verify the ledger"))?;
    Ok(Json(DecisionTrace {
        decision,
        epoch,
        bundle: body.bundle,
        leaf_hash: hex::encode(entry.leaf_hash),
        record,
        payload: payload.into(),
        outcome: report.map(|report| OutcomeView {
            status: report.status,
            at: Moment(report.at),
            detail: report.detail,
        }),
        related: related.into_iter().map(|listed| DecisionView::listed(listed, &control)).collect(),
    }))
}
