//! The event stream: server-sent events, resumable by ledger index.
//!
//! SECURITY: credential and role are asked for again whenever control or anybody's session changed, and every ten
//! seconds in any case, before anything more is told.

use super::caller::{Caller, Credentials};
use super::problems::problems;
use super::query::Query;
use crate::app::App;
use crate::clock::rfc3339;
use crate::error::{Error, Kind};
use crate::events::{self, Event, EventKind, Place, Whose};
use crate::people::Role;
use crate::tasks;
use crate::workspace::Workspace;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, header};
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use runplane_core::time::{Micros, Span};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::watch;
use utoipa::IntoParams;

/// Entries told again to whoever comes back; beyond that lists are the better source.
const LONGEST_REPLAY: u64 = 20_000;
/// Something is written at least this often, and the credential looked at.
const HEARTBEAT: Duration = Duration::from_secs(10);
const RECHECK: Span = Span::seconds(10);
/// Least time between two heads.
const HEAD_PAUSE: Span = Span(250_000);
/// How long the first event of a burst waits for company.
const GATHER: Duration = Duration::from_millis(40);

problems! {
    /// A question for events.
    Listening: InvalidRequest, InvalidKey, Forbidden, UnknownWorkspace, Overloaded, StoreUnavailable, Internal
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// Kinds of events, separated by commas: `decision`, `approval`, `outcome`, `control`, `containment`, `clock`,
    /// `head`. All if absent.
    types: Option<String>,
    /// Resume after the entry with this index; the header `Last-Event-ID` does the same and comes first.
    after: Option<u64>,
}

/// Follow what happens, as server-sent events.
///
/// The id of an event is its index in the ledger. An agent is told of its own decisions, approvals and outcomes only.
#[utoipa::path(get, path = "/api/v1/events", operation_id = "streamEvents", tag = "decisions",
    params(EventsQuery),
    responses(
        (status = 200, description = "Events, until one side ends it", body = String, content_type = "text/event-stream"),
        Listening
    ),
    security(("agentKey" = []), ("adminToken" = [])))]
pub async fn get_events(
    State(app): State<Arc<App>>,
    caller: Caller,
    credentials: Credentials,
    Query(query): Query<EventsQuery>,
    headers: HeaderMap,
) -> Result<Response<Body>, Error> {
    let kinds = kinds(query.types.as_deref())?;
    let after = match headers.get("last-event-id") {
        Some(id) => Some(
            id.to_str()
                .ok()
                .and_then(|id| id.trim().parse().ok())
                .ok_or_else(|| Error::new(Kind::InvalidRequest, "`Last-Event-ID` is not the index of an entry"))?,
        ),
        None => query.after,
    };
    let place = app
        .streams
        .take(whose(&caller))
        .ok_or_else(|| Error::new(Kind::Overloaded, "too many event streams are open"))?;
    let workspace = Arc::clone(caller.workspace());
    let head = workspace.published.head.load_full();
    let listener = Listener {
        next: after.map_or(head.size, |after| after.saturating_add(1).min(head.size)),
        commits: app.commits.subscribe(),
        sight: Sight::of(&caller),
        epoch: head.epoch,
        sign_outs: app.sign_outs.load(Ordering::Acquire),
        checked: app.clock.read().elapsed,
        told_head: None,
        greeted: false,
        app,
        workspace,
        credentials,
        kinds,
        _place: place,
    };
    let body = Body::from_stream(stream::unfold(listener, |mut listener| async move {
        match listener.piece().await {
            Ok(Some(piece)) => Some((Ok::<Bytes, Error>(piece), listener)),
            Ok(None) => None,
            Err(failure) => {
                tracing::warn!(%failure, "an event stream was cut off");
                None
            }
        }
    }));
    let mut response = Response::new(body);
    let set = response.headers_mut();
    set.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    set.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that gather answers would keep events back.
    set.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

fn whose(caller: &Caller) -> Whose {
    match caller {
        Caller::Person(person) => Whose::Person(format!("{} {}", person.workspace.id, person.id())),
        Caller::Agent(agent) => Whose::Agent(agent.identity.agent.id.clone()),
    }
}

fn kinds(types: Option<&str>) -> Result<Vec<EventKind>, Error> {
    let Some(types) = types else { return Ok(EventKind::ALL.to_vec()) };
    types
        .split(',')
        .map(|name| {
            let found = EventKind::ALL.into_iter().find(|kind| kind.as_str() == name.trim());
            found.ok_or_else(|| Error::new(Kind::InvalidRequest, format!("`types` cannot contain `{name}`")))
        })
        .collect()
}

/// What a listener may be told.
#[derive(Clone, PartialEq, Eq)]
enum Sight {
    Person { sees_accounts: bool },
    Agent(String),
}

impl Sight {
    fn of(caller: &Caller) -> Self {
        match caller {
            Caller::Person(person) => Self::Person { sees_accounts: person.role().covers(Role::Admin) },
            Caller::Agent(agent) => Self::Agent(agent.identity.agent.id.clone()),
        }
    }

    fn covers(&self, event: &Event) -> bool {
        match self {
            Self::Person { sees_accounts } => *sees_accounts || !event.is_about_accounts,
            Self::Agent(id) => event.agent.as_ref() == Some(id),
        }
    }
}

struct Listener {
    app: Arc<App>,
    workspace: Arc<Workspace>,
    credentials: Credentials,
    kinds: Vec<EventKind>,
    sight: Sight,
    /// Index of the entry that is told next.
    next: u64,
    commits: watch::Receiver<u64>,
    /// Control epoch and sign-outs when the credential was last looked at, and when that was.
    epoch: u64,
    sign_outs: u64,
    checked: Micros,
    told_head: Option<(u64, Micros)>,
    greeted: bool,
    _place: Place,
}

impl Listener {
    /// What is written next; `None` when the stream is over.
    async fn piece(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if self.app.tasks.is_stopping() || !self.is_still_allowed().await {
                return Ok(None);
            }
            self.commits.mark_unchanged();
            let size = self.workspace.published.head.load().size;
            if !self.greeted {
                self.greeted = true;
                return self.greeting(size).map(Some);
            }
            if size.saturating_sub(self.next) > LONGEST_REPLAY {
                return self.gap(size).map(Some);
            }
            let piece = if self.next < size { self.news().await? } else { self.head()? };
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
            if self.next < size {
                continue;
            }
            if let Some(written) = self.wait().await {
                return Ok(written);
            }
        }
    }

    /// Waits for a commit. What it returns is to be written, or ends the stream.
    async fn wait(&mut self) -> Option<Option<Bytes>> {
        let patience = if self.owes_head() { Duration::from_millis(250) } else { HEARTBEAT };
        tokio::select! {
            () = self.app.tasks.stopping() => Some(None),
            changed = self.commits.changed() => {
                if changed.is_err() {
                    return Some(None);
                }
                tokio::time::sleep(GATHER).await;
                None
            }
            () = tokio::time::sleep(patience) => {
                if patience < HEARTBEAT { None } else { Some(Some(Bytes::from_static(b": still here\n\n"))) }
            }
        }
    }

    async fn is_still_allowed(&mut self) -> bool {
        let now = self.app.clock.read().elapsed;
        let epoch = self.workspace.control().epoch;
        let sign_outs = self.app.sign_outs.load(Ordering::Acquire);
        let is_fresh = now.since(self.checked) < RECHECK && self.epoch == epoch && self.sign_outs == sign_outs;
        if is_fresh && self.greeted {
            return true;
        }
        let Ok(caller) = self.credentials.resolve(&self.app).await else { return false };
        if !Arc::ptr_eq(caller.workspace(), &self.workspace) {
            return false;
        }
        (self.sight, self.epoch, self.sign_outs, self.checked) = (Sight::of(&caller), epoch, sign_outs, now);
        true
    }

    fn greeting(&self, size: u64) -> Result<Bytes, Error> {
        let at = rfc3339(self.app.clock.now());
        let hello = events::text("hello", &json!({ "from": self.next, "size": size, "at": at }))?;
        Ok([b"retry: 2000\n".as_slice(), &hello, b"\n"].concat().into())
    }

    /// Skips what is too much to tell, and says so.
    fn gap(&mut self, size: u64) -> Result<Bytes, Error> {
        let (from, to) = (self.next, size);
        self.next = to;
        let gap = events::text("gap", &json!({ "from": from, "to": to }))?;
        let id = to.saturating_sub(1).to_string();
        Ok([gap.as_ref(), b"id: ", id.as_bytes(), b"\n\n"].concat().into())
    }

    /// The events of the next entries, as far as this listener may and wants to hear them.
    async fn news(&mut self) -> Result<Bytes, Error> {
        let (workspace, from) = (Arc::clone(&self.workspace), self.next);
        let page = tasks::blocking(move || events::page(&workspace, from)).await?;
        let mut piece = BytesMut::new();
        for (entry, index) in page.entries.iter().zip(from..) {
            let id = format!("id: {index}\n\n");
            let told: Vec<&Event> =
                entry.iter().filter(|event| self.kinds.contains(&event.kind) && self.sight.covers(event)).collect();
            for (place, event) in told.iter().enumerate() {
                piece.extend_from_slice(&event.text);
                // The id comes with the last event of its entry: a resume repeats rather than leaves out.
                let end = if place + 1 == told.len() { id.as_bytes() } else { b"\n" };
                piece.extend_from_slice(end);
            }
        }
        self.next = page.next;
        piece.extend_from_slice(&self.head()?);
        Ok(piece.freeze())
    }

    fn owes_head(&self) -> bool {
        let size = self.workspace.published.head.load().size;
        self.wants_head() && self.told_head.is_none_or(|(told, _)| told != size)
    }

    fn wants_head(&self) -> bool {
        self.kinds.contains(&EventKind::Head) && matches!(self.sight, Sight::Person { .. })
    }

    /// Where the ledger stands, a few times a second at most.
    fn head(&mut self) -> Result<Bytes, Error> {
        let head = self.workspace.published.head.load_full();
        let now = self.app.clock.read().elapsed;
        let recent = self.told_head.is_some_and(|(told, at)| told == head.size || now.since(at) < HEAD_PAUSE);
        if !self.wants_head() || recent {
            return Ok(Bytes::new());
        }
        self.told_head = Some((head.size, now));
        let at = rfc3339(Micros(head.time_us));
        let head = events::text("head", &json!({ "size": head.size, "root": hex::encode(head.root), "at": at }))?;
        Ok([head.as_ref(), b"\n"].concat().into())
    }
}
