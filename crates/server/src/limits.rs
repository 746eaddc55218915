//! The limits of a workspace and how much of them is used.
//!
//! State holds digests of keys and nothing personal; whose a key is comes from the newest decisions that counted
//! for it. What must stay true: an agent is told of keys that are its own, and of nothing else.

use crate::error::Error;
use crate::record::{DecisionBody, Entry, Kind};
use crate::sequencer::{LimitsSeen, Use, Work};
use crate::tasks;
use crate::workspace::Workspace;
use runplane_core::decimal::Decimal;
use runplane_core::meter::{CounterId, MeterKey};
use runplane_core::policy::Bundle;
use runplane_core::policy::counter::Per;
use runplane_core::time::Span;
use runplane_store::MAX_PAGE;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// How many of the newest entries are looked through for whose a key is.
const LOOKED_THROUGH: u64 = 5_000;

/// A limit as it is written.
#[derive(Clone, Debug)]
pub struct Limit {
    pub rule: String,
    pub meter: Option<String>,
    pub of: Decimal,
    pub within: Span,
    pub per: Vec<String>,
    counter: CounterId,
}

/// What a key of a limit has used.
pub struct Used {
    /// The limit, by place.
    pub limit: usize,
    pub used: Use,
    /// Whose it is, if one of the newest decisions counted for it.
    pub last: Option<Last>,
}

/// The newest decision that counted for a key.
#[derive(Clone, Debug)]
pub struct Last {
    pub index: u64,
    pub request_id: String,
    pub agent: String,
    pub target: String,
    pub action: String,
    pub environment: String,
}

pub struct Found {
    pub limits: Vec<Limit>,
    pub seen: LimitsSeen,
    pub used: Vec<Used>,
}

impl Limit {
    #[must_use]
    pub fn is_filling(&self, seen: &LimitsSeen) -> bool {
        seen.filling.contains(&self.counter)
    }
}

/// Every limit of the bundle's enforcing policies, and conditions that compare a meter with a number.
#[must_use]
pub fn of_bundle(bundle: &Bundle) -> Vec<Limit> {
    let mut limits = Vec::new();
    for rule in bundle.rules().iter().filter(|rule| !rule.shadow) {
        let own = rule.limit.iter().map(|limit| (limit.counter, limit.count, false));
        for (place, of, is_meter) in own.chain(rule.ceilings.iter().map(|(counter, of)| (*counter, *of, true))) {
            let Some(counter) = usize::try_from(place).ok().and_then(|place| bundle.counters().get(place)) else {
                continue;
            };
            limits.push(Limit {
                rule: rule.id.to_string(),
                meter: is_meter.then(|| counter.name.to_string()),
                of,
                within: counter.within,
                per: counter.per.iter().map(Per::name).collect(),
                counter: counter.id(),
            });
        }
    }
    limits
}

/// How much is used, fullest first; of an agent only what is its own.
pub async fn find(workspace: &Arc<Workspace>, agent: Option<String>, by_agent: bool) -> Result<Found, Error> {
    let control = workspace.control();
    let mut limits = control.bundle.as_ref().map(|bundle| of_bundle(bundle)).unwrap_or_default();
    if agent.is_some() {
        limits.retain(|limit| limit.per.iter().any(|per| per == "agent"));
    }
    let counters: Vec<_> = limits.iter().map(|limit| (limit.counter, limit.of)).collect();
    let question = async {
        let standing = workspace.submit(Work::Stand).await?;
        tasks::blocking(move || standing.limits(&counters)).await
    };
    let asking = if by_agent { &workspace.agents_asking_limits } else { &workspace.people_asking_limits };
    let mut seen = asking.ask(&workspace.clock, question).await?;
    let fullest = std::mem::take(&mut seen.fullest);
    let keys: HashSet<MeterKey> = fullest.iter().map(|used| used.key).collect();
    let place = Arc::clone(workspace);
    let last = tasks::blocking(move || last_of(&place, &keys)).await?;
    let used = fullest.into_iter().map(|used| Used { limit: used.place, last: last.get(&used.key).cloned(), used });
    let own =
        |used: &Used| agent.is_none() || used.last.as_ref().is_some_and(|last| Some(&last.agent) == agent.as_ref());
    let used = used.filter(own).collect();
    if agent.is_some() {
        // How many others there are is not for an agent to know.
        seen.keys.clear();
    }
    Ok(Found { limits, seen, used })
}

/// Looks through the newest entries, back from the last one.
fn last_of(workspace: &Workspace, keys: &HashSet<MeterKey>) -> Result<HashMap<MeterKey, Last>, Error> {
    let mut found = HashMap::new();
    let size = workspace.published.head.load().size;
    let mut end = size;
    let page = u64::try_from(MAX_PAGE).unwrap_or(1_000).min(1_000);
    while found.len() < keys.len() && end > 0 && size - end < LOOKED_THROUGH {
        let start = end.saturating_sub(page);
        let limit = usize::try_from(end - start).unwrap_or(MAX_PAGE);
        for row in workspace.store.read_entries(&workspace.id, start, limit)?.iter().rev() {
            let entry = Entry::parse(&row.bytes)?;
            if !matches!(entry.kind, Kind::Decision | Kind::Redemption) {
                continue;
            }
            let body: DecisionBody = entry.body()?;
            for charge in body.charges.iter().filter(|charge| keys.contains(&charge.key)) {
                found.entry(charge.key).or_insert_with(|| Last {
                    index: row.index,
                    request_id: body.request_id.clone(),
                    agent: body.agent.clone(),
                    target: body.target.clone(),
                    action: body.action.r#type.clone(),
                    environment: body.environment.clone(),
                });
            }
        }
        end = start;
    }
    Ok(found)
}
