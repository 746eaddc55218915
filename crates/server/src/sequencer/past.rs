//! Entries of the ledger, applied one after another as fast as they can be read.
//!
//! Reading and parsing is spread over threads, a page each in turn; applying is in the order of the ledger, on the thread
//! that asked. Of decisions, which nearly all entries are, only what changes state is parsed.

use super::recover::{apply, damaged};
use super::state::State;
use crate::error::Error;
use crate::record::{Entry, Kind, Returned};
use runplane_core::meter::Charge;
use runplane_core::profile::Usual;
use runplane_core::time::Micros;
use runplane_store::{EntryRow, Store};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Entries that are read at once.
const PAGE: u64 = 1_024;
/// Pages of one thread that wait to be applied.
const AHEAD: usize = 2;
const MOST_THREADS: usize = 4;

/// What an entry does to state.
pub(super) enum Past {
    Decided(Box<Decided>),
    Other(Box<Entry>),
}

/// Of a decision or redemption.
pub(super) struct Decided {
    at: Micros,
    agent: String,
    charges: Vec<Charge>,
    returned: Option<Returned>,
    usual: Option<Usual>,
}

#[derive(Deserialize)]
struct Frame<'a> {
    at: Micros,
    kind: Kind,
    #[serde(borrow)]
    body: &'a RawValue,
}

#[derive(Deserialize)]
struct Body {
    agent: String,
    charges: Vec<Charge>,
    redemption: Option<Redemption>,
    state: Read,
}

#[derive(Deserialize)]
struct Redemption {
    returned: Returned,
}

#[derive(Deserialize)]
struct Read {
    #[serde(default)]
    usual: Option<Usual>,
}

impl Past {
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let unreadable =
            |failure: serde_json::Error| Error::internal("a ledger entry could not be read").because(failure);
        let frame: Frame<'_> = serde_json::from_slice(bytes).map_err(unreadable)?;
        if !matches!(frame.kind, Kind::Decision | Kind::Redemption) {
            return Ok(Self::Other(Box::new(Entry::parse(bytes)?)));
        }
        let body: Body = serde_json::from_str(frame.body.get()).map_err(unreadable)?;
        Ok(Self::Decided(Box::new(Decided {
            at: frame.at,
            agent: body.agent,
            charges: body.charges,
            returned: body.redemption.map(|redemption| redemption.returned),
            usual: body.state.usual,
        })))
    }

    pub fn apply(&self, state: &mut State, store: &dyn Store, workspace: &str) -> Result<(), Error> {
        match self {
            Self::Decided(decided) => {
                decided.returned.iter().for_each(|returned| state.give_back(returned));
                state.charge(&decided.charges, state.meter_time(decided.at));
                decided.usual.iter().for_each(|usual| state.note_usual(&decided.agent, usual));
                Ok(())
            }
            Self::Other(entry) => apply(entry, state, store, workspace),
        }
    }
}

/// Applies the entries from `from` up to `to`; `after` is called after every page.
pub(super) fn replay(
    store: &dyn Store,
    workspace: &str,
    from: u64,
    to: u64,
    state: &mut State,
    mut after: impl FnMut(&mut State) -> Result<(), Error>,
) -> Result<(), Error> {
    let pages = to.saturating_sub(from).div_ceil(PAGE);
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    let threads = threads.min(usize::try_from(pages).unwrap_or(threads)).max(1);
    std::thread::scope(|scope| {
        let mut readers: Vec<Receiver<Result<Vec<Past>, Error>>> = Vec::with_capacity(threads);
        for thread in 0..threads {
            let (sender, receiver) = sync_channel(AHEAD);
            readers.push(receiver);
            scope.spawn(move || read_pages(store, workspace, (from, to), (thread, threads), &sender));
        }
        for page in 0..pages {
            let thread = usize::try_from(page).unwrap_or(0) % threads;
            let read = readers.get(thread).and_then(|reader| reader.recv().ok());
            for past in read.ok_or_else(|| Error::internal("a reader of the ledger ended early"))?? {
                past.apply(state, store, workspace)?;
            }
            after(state)?;
        }
        Ok(())
    })
}

/// Every so manyth page. Ends when nobody listens any more.
fn read_pages(
    store: &dyn Store,
    workspace: &str,
    (from, to): (u64, u64),
    (thread, threads): (usize, usize),
    sender: &SyncSender<Result<Vec<Past>, Error>>,
) {
    let (first, step) = (u64::try_from(thread).unwrap_or(0), u64::try_from(threads).unwrap_or(1));
    let mut start = from + first * PAGE;
    while start < to {
        let read = read_page(store, workspace, start, PAGE.min(to - start));
        let failed = read.is_err();
        if sender.send(read).is_err() || failed {
            return;
        }
        start += step * PAGE;
    }
}

fn read_page(store: &dyn Store, workspace: &str, start: u64, count: u64) -> Result<Vec<Past>, Error> {
    let limit = usize::try_from(count).unwrap_or(usize::MAX);
    let rows = store.read_entries(workspace, start, limit)?;
    if rows.len() != limit || !(start..).zip(&rows).all(|(index, row): (u64, &EntryRow)| row.index == index) {
        return Err(damaged("entries are missing"));
    }
    rows.iter().map(|row| Past::parse(&row.bytes)).collect()
}
