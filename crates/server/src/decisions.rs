//! Decisions for people and programs: the list, and all that is known of one.
//!
//! An agent sees its own and nothing else; what belongs to others answers exactly like what does not exist.

use crate::error::{Error, Kind};
use crate::find;
use crate::id;
use crate::projection::{self, Line};
use crate::record::{DecisionBody, Entry};
use crate::sequencer::StoredReport;
use crate::tasks;
use crate::workspace::Workspace;
use runplane_store::{DecisionFilter, DecisionRow, EntryRow, Payload, Store};
use serde_json::value::RawValue;
use std::sync::Arc;
use std::time::Duration;

/// How long a question about a decision that is not listed yet waits for the list.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// Most other decisions with the same request id that are shown.
const RELATED: usize = 16;

/// A line of the list with the row it stands in.
pub struct Listed {
    pub row: DecisionRow,
    pub line: Line,
}

pub struct Page {
    pub decisions: Vec<Listed>,
    /// How many entries the list covers.
    pub projected_to: u64,
}

/// One decision with everything that is kept of it.
pub struct Trace {
    pub entry: EntryRow,
    pub at: runplane_core::time::Micros,
    pub epoch: u64,
    pub body: DecisionBody,
    pub payload: Kept,
    pub report: Option<StoredReport>,
    /// Other listed decisions with this request id: its redemption, refused reuses, those of other agents.
    pub related: Vec<Listed>,
}

/// What is left of the payload, as far as the reader may see it.
pub enum Kept {
    /// There never was one.
    Never,
    Erased,
    /// Kept for deciding again, not for reading.
    Hidden,
    Shown(Box<RawValue>),
}

/// Newest first.
pub async fn list(workspace: &Arc<Workspace>, filter: DecisionFilter) -> Result<Page, Error> {
    let workspace = Arc::clone(workspace);
    tasks::blocking(move || {
        // Read first: the list may only grow between the two.
        let projected_to = workspace.store.projection_cursor(&workspace.id)?;
        let rows = workspace.store.list_decisions(&workspace.id, &filter)?;
        Ok(Page { decisions: rows.into_iter().map(parse).collect::<Result<_, _>>()?, projected_to })
    })
    .await
}

/// The decision with this request id. A person may say which agent's is meant; an agent means its own.
pub async fn find(
    workspace: &Arc<Workspace>,
    request_id: String,
    agent: Option<String>,
    for_person: bool,
) -> Result<Trace, Error> {
    let size = workspace.published.head.load().size;
    let mut index = locate(workspace, &request_id, agent.as_deref()).await?;
    if index.is_none() && for_person && projection::wait_for(workspace, size, PATIENCE).await {
        index = locate(workspace, &request_id, agent.as_deref()).await?;
    }
    let index = index.ok_or_else(|| Error::plain(Kind::UnknownRequest))?;
    let workspace = Arc::clone(workspace);
    tasks::blocking(move || trace(&*workspace.store, &workspace.id, index, agent.as_deref(), for_person)).await
}

async fn locate(workspace: &Arc<Workspace>, request_id: &str, agent: Option<&str>) -> Result<Option<u64>, Error> {
    let (workspace, request_id) = (Arc::clone(workspace), request_id.to_owned());
    let agent = agent.map(str::to_owned);
    tasks::blocking(move || {
        let (store, id) = (&*workspace.store, workspace.id.as_str());
        if let Some(agent) = agent {
            if let Some((index, _)) = find::decision_of(store, id, &agent, &request_id)? {
                return Ok(Some(index));
            }
            let rows = store.find_decisions(id, &request_id, Some(&agent), 1)?;
            return Ok(rows.first().map(|row| row.index));
        }
        locate_any(store, id, &request_id)
    })
    .await
}

/// Whichever agent's it is: first what the id itself says, then the list.
fn locate_any(store: &dyn Store, workspace: &str, request_id: &str) -> Result<Option<u64>, Error> {
    if let Some(index) = id::index_of_request(request_id)
        && find::decision_at(store, workspace, index)?.is_some_and(|body| body.request_id == request_id)
    {
        return Ok(Some(index));
    }
    let rows = store.find_decisions(workspace, request_id, None, RELATED)?;
    for row in &rows {
        // The one that owns the id, rather than a refusal to use it again.
        if let Some(request) = store.load_request(workspace, &row.agent, request_id)? {
            return Ok(Some(request.index));
        }
    }
    Ok(rows.first().map(|row| row.index))
}

fn trace(
    store: &dyn Store,
    workspace: &str,
    index: u64,
    agent: Option<&str>,
    for_person: bool,
) -> Result<Trace, Error> {
    let rows = store.read_entries(workspace, index, 1)?;
    let row = rows.into_iter().find(|row| row.index == index);
    let row = row.ok_or_else(|| Error::internal("a recorded decision is missing: verify the ledger"))?;
    let entry = Entry::parse(&row.bytes)?;
    let body: DecisionBody = entry.body()?;
    let report = store.load_execution(workspace, index)?.as_ref().map(StoredReport::parse).transpose()?;
    let payload = if for_person { payload(store.load_payload(workspace, index)?)? } else { Kept::Hidden };
    let related = store.find_decisions(workspace, &body.request_id, agent, RELATED)?;
    let related = related.into_iter().filter(|other| other.index != index).map(parse).collect::<Result<_, _>>()?;
    Ok(Trace { at: entry.at, epoch: entry.epoch, entry: row, body, payload, report, related })
}

fn payload(stored: Payload) -> Result<Kept, Error> {
    let stored = match stored {
        Payload::NotKept => return Ok(Kept::Never),
        Payload::Erased => return Ok(Kept::Erased),
        Payload::Present(stored) => stored,
    };
    if stored.retention != runplane_store::Retention::Full {
        return Ok(Kept::Hidden);
    }
    String::from_utf8(stored.bytes)
        .ok()
        .and_then(|text| RawValue::from_string(text).ok())
        .map(Kept::Shown)
        .ok_or_else(|| Error::internal("a stored payload is no JSON text"))
}

impl Listed {
    pub fn parse(row: DecisionRow) -> Result<Self, Error> {
        parse(row)
    }
}

fn parse(row: DecisionRow) -> Result<Listed, Error> {
    let line = serde_json::from_slice(&row.bytes)
        .map_err(|failure| Error::internal("a line of the list could not be read").because(failure))?;
    Ok(Listed { row, line })
}
