//! The list of decisions, made from the ledger behind the scenes.
//!
//! Deciding writes no list: a background task takes what was just committed, or reads what it missed, in batches, and
//! writes one row per decision. The list lags, says by how much, and is made again from nothing when its file is gone.
//! While much is being decided it takes only a part of the time, so that lists never slow decisions.

use crate::app::App;
use crate::error::Error;
use crate::fresh::Stretch;
use crate::nodes::{self, Lease};
use crate::record::{DecisionBody, HeldAs, Kind};
use crate::statistics;
use crate::tasks;
use crate::workspace::Workspace;
use crate::write;
use runplane_core::outcome::Outcome;
use runplane_core::policy::RuleId;
use runplane_core::risk::Severity;
use runplane_core::time::Micros;
use runplane_store::{DecisionRow, EntryRow};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;
use std::time::Duration;

/// Entries projected in one transaction.
const BATCH: usize = 1_024;
/// The same where nothing has to be read.
const FRESH: u64 = 4_096;
/// How long the first commit of a burst waits for company.
const LINGER: Duration = Duration::from_millis(20);
/// The same on a database that nodes share, where a transaction costs as much as hundreds of lines.
const LINGER_SHARED: Duration = Duration::from_millis(100);
/// While there is more to do, the task rests this many times as long as it worked.
const REST_FACTOR: u32 = 2;
const LONGEST_REST: Duration = Duration::from_millis(500);
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// One line of the list, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line<T = String> {
    pub kind: Kind,
    pub declared: T,
    pub domain: T,
    pub effect: T,
    pub environment: T,
    pub reason: T,
    pub reason_code: T,
    pub risk_score: u8,
    pub approval_id: Option<T>,
    pub count: u64,
}

/// A decision as it is listed and counted.
#[derive(Debug, PartialEq, Eq)]
pub struct Read {
    pub row: DecisionRow,
    /// How many requests it stands for.
    pub count: u64,
    pub risk_score: u8,
    /// Every rule that is named on the record as one that had a say: matched, suspected, or in shadow.
    pub rules: Vec<RuleId>,
}

impl<T: Serialize> Line<T> {
    fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        write::json(self, 512)
            .map_err(|failure| Error::internal("a line of the list could not be written").because(failure))
    }
}

/// Keeps the lists of all workspaces up to date until the server stops.
pub async fn run(app: Arc<App>) {
    let mut commits = app.commits.subscribe();
    let mut lease = Lease::on(nodes::LISTS);
    loop {
        commits.mark_unchanged();
        let began = app.clock.read().elapsed;
        let mut pause = if app.store.is_shared() { LINGER_SHARED } else { LINGER };
        let mut is_behind = false;
        let is_ours = lease.is_held(&app).await;
        for workspace in app.workspaces() {
            if app.tasks.is_stopping() {
                return;
            }
            let reader = Arc::clone(&workspace);
            match tasks::blocking(move || if is_ours { project_batch(&reader) } else { look(&reader) }).await {
                Ok(more) => is_behind |= more,
                Err(failure) => {
                    tracing::warn!(workspace = %workspace.name, %failure, "the list of decisions could not be written");
                    (pause, is_behind) = (AFTER_FAILURE, true);
                }
            }
        }
        let worked = app.clock.read().elapsed.since(began);
        let worked = Duration::from_micros(u64::try_from(worked.0).unwrap_or(0));
        let pause = pause.max((worked * REST_FACTOR).min(LONGEST_REST));
        tokio::select! {
            () = app.tasks.stopping() => return,
            () = async {
                if !is_behind {
                    // A closed channel means that the server is stopping.
                    let _ = commits.changed().await;
                }
                tokio::time::sleep(pause).await;
            } => {}
        }
    }
}

/// How far the node has come whose task the lists are; whether there is more to come.
fn look(workspace: &Workspace) -> Result<bool, Error> {
    let cursor = workspace.store.projection_cursor(&workspace.id)?;
    workspace.projected.send_replace(cursor);
    Ok(cursor < workspace.published.head.load().size)
}

/// Projects the next batch; whether there is more.
fn project_batch(workspace: &Workspace) -> Result<bool, Error> {
    let (store, id) = (&*workspace.store, workspace.id.as_str());
    let size = workspace.published.head.load().size;
    let cursor = store.projection_cursor(id)?;
    workspace.projected.send_replace(cursor);
    if cursor >= size {
        return Ok(false);
    }
    let fresh = workspace.published.fresh.take(cursor, FRESH);
    let (read, cursor): (Vec<Read>, u64) = match fresh.last() {
        Some(last) => (fresh_lines(&fresh)?, last.to),
        None => {
            let left = usize::try_from(size - cursor).unwrap_or(usize::MAX);
            let entries = store.read_entries(id, cursor, left.min(BATCH))?;
            let Some(last) = entries.last() else { return Ok(false) };
            (entries.iter().filter_map(|entry| line_of(id, entry)).collect(), last.index + 1)
        }
    };
    let tallies = statistics::tallies(&read);
    let rows: Vec<DecisionRow> = read.into_iter().map(|read| read.row).collect();
    store.project(&rows, &tallies, id, cursor)?;
    workspace.projected.send_replace(cursor);
    Ok(cursor < size)
}

/// An entry that cannot be read is left out, loudly: finding out what happened to it is the verifier's task, and it
/// must not keep everything after it out of the list.
fn line_of(workspace: &str, row: &EntryRow) -> Option<Read> {
    match read(row) {
        Ok(line) => line,
        Err(failure) => {
            tracing::error!(workspace, index = row.index, %failure, "an entry could not be listed");
            metrics::counter!("runplane_unlisted_entries_total").increment(1);
            None
        }
    }
}

/// What a line needs of an entry. The rest of it, most of its bytes, is passed over.
#[derive(Deserialize)]
struct Frame<'e> {
    at: Micros,
    #[serde(borrow)]
    body: &'e RawValue,
    kind: Kind,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    action: Action,
    agent: String,
    count: u64,
    decision: Decision,
    environment: String,
    held_as: Option<HeldAs>,
    request_id: String,
    target: String,
}

#[derive(Deserialize)]
struct Action {
    declared: String,
    domain: String,
    effect: String,
    r#type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Decision {
    code: String,
    matched_rule: String,
    outcome: Outcome,
    matched: Rules,
    reason: String,
    risk: Risk,
    severity: Severity,
    shadow: Rules,
    suspected: Rules,
}

#[derive(Deserialize)]
struct Rules {
    first: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    rule: RuleId,
}

#[derive(Deserialize)]
struct Risk {
    score: u8,
}

/// The line of an entry; `None` for entries that are no decisions.
pub fn read_line(row: &EntryRow) -> Result<Option<DecisionRow>, Error> {
    Ok(read(row)?.map(|read| read.row))
}

fn read(row: &EntryRow) -> Result<Option<Read>, Error> {
    let unread = |failure| Error::internal("a ledger entry could not be read").because(failure);
    let entry: Frame<'_> = serde_json::from_slice(&row.bytes).map_err(unread)?;
    if !matches!(entry.kind, Kind::Decision | Kind::Redemption) {
        return Ok(None);
    }
    let Body { action, agent, count, decision, environment, held_as, request_id, target } =
        serde_json::from_str(entry.body.get()).map_err(unread)?;
    let mut rules: Vec<RuleId> = [decision.matched, decision.suspected, decision.shadow]
        .into_iter()
        .flat_map(|rules| rules.first)
        .map(|rule| rule.rule)
        .collect();
    rules.sort_unstable();
    rules.dedup();
    let line = Line {
        kind: entry.kind,
        declared: action.declared,
        domain: action.domain,
        effect: action.effect,
        environment,
        reason: decision.reason,
        reason_code: decision.code,
        risk_score: decision.risk.score,
        approval_id: held_as.map(|held| held.id),
        count,
    };
    let (risk_score, bytes) = (line.risk_score, line.to_bytes()?);
    let row = DecisionRow {
        index: row.index,
        request_id,
        at_us: entry.at.0,
        agent,
        action_type: action.r#type,
        target,
        outcome: decision.outcome.as_str().to_owned(),
        rule: decision.matched_rule,
        severity: decision.severity.as_str().to_owned(),
        bytes,
    };
    Ok(Some(Read { row, count, risk_score, rules }))
}

fn fresh_lines(stretches: &[Stretch]) -> Result<Vec<Read>, Error> {
    let decisions = stretches.iter().flat_map(|stretch| stretch.decisions.iter().map(|decided| (stretch.at, decided)));
    decisions.map(|(at, (index, body))| fresh_line(at, *index, body)).collect()
}

/// The line of a decision that is at hand. Says what [`read`] says of its entry.
fn fresh_line(at: Micros, index: u64, body: &DecisionBody) -> Result<Read, Error> {
    let (action, decision) = (&body.action, &body.decision);
    let line = Line {
        kind: if body.redemption.is_some() { Kind::Redemption } else { Kind::Decision },
        declared: action.declared.as_str(),
        domain: &action.domain,
        effect: &action.effect,
        environment: &body.environment,
        reason: &decision.reason,
        reason_code: &decision.code,
        risk_score: decision.risk.score,
        approval_id: body.held_as.as_ref().map(|held| held.id.as_str()),
        count: body.count,
    };
    let row = DecisionRow {
        index,
        request_id: body.request_id.clone(),
        at_us: at.0,
        agent: body.agent.clone(),
        action_type: action.r#type.clone(),
        target: body.target.clone(),
        outcome: decision.outcome.as_str().to_owned(),
        rule: decision.matched_rule.to_string(),
        severity: decision.severity.as_str().to_owned(),
        bytes: line.to_bytes()?,
    };
    let matched = decision.matched.first.iter().map(|rule| &rule.rule);
    let suspected = decision.suspected.first.iter().map(|rule| &rule.rule);
    let shadow = decision.shadow.first.iter().map(|rule| &rule.rule);
    let mut rules: Vec<RuleId> = matched.chain(suspected).chain(shadow).cloned().collect();
    rules.sort_unstable();
    rules.dedup();
    Ok(Read { row, count: body.count, risk_score: decision.risk.score, rules })
}

/// Waits until the first `size` entries are listed, at most for `patience`; whether they are.
pub async fn wait_for(workspace: &Workspace, size: u64, patience: Duration) -> bool {
    let mut projected = workspace.projected.subscribe();
    let reached = projected.wait_for(|cursor| *cursor >= size);
    matches!(tokio::time::timeout(patience, reached).await, Ok(Ok(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Frame;
    use runplane_core::approval::Evidence;
    use runplane_core::digest::Digest;

    const BODY: &str = r#"{
        "action": {"declared": "processRefund", "domain": "payments", "effect": "write", "type": "process_refund", "types": []},
        "agent": "agt_1", "bundle": "b", "charges": [], "commitment": null, "count": 3, "engine": "e",
        "environment": "production", "heldAs": null, "readings": null, "redemption": null, "requestId": "req_1",
        "state": {"containment": null, "meters": [], "openApprovals": 0}, "target": "stripe",
        "decision": {
            "audit": {"payload": "replay", "tags": []}, "code": "policy",
            "matched": {"count": 1, "digest": null, "first": [{"outcome": "BLOCK", "rule": "p/r", "satisfied": false}]},
            "matchedRule": "p/r", "outcome": "BLOCK", "reason": "because", "requirements": [],
            "risk": {"factors": [], "score": 44, "severity": "medium"}, "severity": "high",
            "shadow": {"count": 0, "digest": null, "first": []}, "suspected": {"count": 0, "digest": null, "first": []},
            "uncovered": []
        }
    }"#;

    #[test]
    fn a_line_says_the_same_whether_its_decision_is_at_hand_or_read() {
        let mut body: DecisionBody = serde_json::from_str(BODY).unwrap();
        let mut compare = |change: fn(&mut DecisionBody), kind: Kind| {
            change(&mut body);
            let bytes = Frame::new(Micros(17), &body, 3, 5, kind, &[0; 32]).to_bytes(false).unwrap();
            let read = read(&EntryRow { index: 5, bytes, leaf_hash: [0; 32] }).unwrap().unwrap();
            assert_eq!(fresh_line(Micros(17), 5, &body).unwrap(), read);
        };
        compare(|_| (), Kind::Decision);
        compare(|body| body.held_as = Some(HeldAs { expires_at: Micros(99), id: "apr_1".into() }), Kind::Decision);
        compare(
            |body| {
                body.redemption = Some(crate::record::RedemptionFacts {
                    evidence: Evidence {
                        id: "apr_1".into(),
                        digest: Digest([7; 32]),
                        created_at: Micros(1),
                        votes: Vec::new(),
                    },
                    held: 1,
                    id: "r".into(),
                    returned: crate::record::Returned::default(),
                });
            },
            Kind::Redemption,
        );
    }
}
