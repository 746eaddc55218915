//! Limits and how much of them is used.

use super::caller::Caller;
use super::moment::Moment;
use super::policies::FillingView;
use super::problems::problems;
use super::query::Query;
use crate::error::Error;
use crate::guard::LimitView;
use crate::limits::{self, Found, Used};
use axum::Json;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

const DEFAULT_PAGE: usize = 50;
const MAX_PAGE: usize = 500;

problems! {
    /// A question about limits.
    Looking: InvalidRequest, InvalidKey, UnknownWorkspace, AuditUnavailable, Overloaded, StoreUnavailable, Internal
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LimitsQuery {
    /// `nextCursor` of the page before.
    cursor: Option<usize>,
    /// At most 500; 50 if absent.
    limit: Option<usize>,
    /// Id of an agent. An agent sees only its own, whatever it asks for.
    agent: Option<String>,
}

/// A limit as it is written.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WrittenLimit {
    /// `policy/rule`.
    rule: String,
    /// The meter, where the limit is a condition about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    meter: Option<String>,
    /// A decimal as text.
    of: String,
    within_seconds: i64,
    /// What is counted apart.
    per: Vec<String>,
    /// `ready`, or `filling` while the past is still being counted: rules that need it hold.
    state: &'static str,
    /// How many keys have used something of it; not told to agents.
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<usize>,
}

/// What one key has used of a limit.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsedLimit {
    #[serde(flatten)]
    limit: LimitView,
    /// Whose it is, as far as the record says: `agent`, `target`, `action`, `environment`. The other parts of a key
    /// are no more than a digest in the state.
    by: BTreeMap<String, String>,
    /// The newest decision that counted for it, if it is among the last five thousand entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<LastUse>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastUse {
    request_id: String,
    index: u64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LimitList {
    at: Moment,
    limits: Vec<WrittenLimit>,
    /// How far the past has been counted, while it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    filling: Option<FillingView>,
    /// Fullest first, at most a thousand in all.
    used: Vec<UsedLimit>,
    next_cursor: Option<usize>,
}

impl WrittenLimit {
    fn list(found: &Found) -> Vec<Self> {
        let view = |(place, limit): (usize, &limits::Limit)| Self {
            rule: limit.rule.clone(),
            meter: limit.meter.clone(),
            of: limit.of.to_string(),
            within_seconds: limit.within.0 / 1_000_000,
            per: limit.per.clone(),
            state: if limit.is_filling(&found.seen) { "filling" } else { "ready" },
            keys: found.seen.keys.get(place).copied(),
        };
        found.limits.iter().enumerate().map(view).collect()
    }
}

impl UsedLimit {
    fn of(used: &Used, limits: &[limits::Limit]) -> Option<Self> {
        let limit = limits.get(used.limit)?;
        let mut by = BTreeMap::new();
        if let Some(last) = &used.last {
            let known = [
                ("agent", &last.agent),
                ("target", &last.target),
                ("action", &last.action),
                ("environment", &last.environment),
            ];
            for (name, value) in known.into_iter().filter(|(name, _)| limit.per.iter().any(|per| per == name)) {
                by.insert(name.to_owned(), value.clone());
            }
        }
        let view = LimitView::new(limit.rule.clone(), limit.meter.clone(), used.used.used, limit.of, limit.within);
        Some(Self {
            limit: LimitView { resets_at: used.used.resets_at.map(crate::clock::rfc3339), ..view },
            by,
            last: used.last.as_ref().map(|last| LastUse { request_id: last.request_id.clone(), index: last.index }),
        })
    }
}

/// List limits and what is used of them.
///
/// Every limit of the policies in force, and the keys that have used the most of theirs. An agent sees the limits that
/// are kept apart by agent, and its own keys.
#[utoipa::path(get, path = "/api/v1/limits", operation_id = "listLimits", tag = "decisions",
    params(LimitsQuery),
    responses((status = 200, description = "Limits, and a page of keys", body = LimitList), Looking),
    security(("agentKey" = []), ("adminToken" = [])))]
pub async fn list_limits(caller: Caller, Query(query): Query<LimitsQuery>) -> Result<Json<LimitList>, Error> {
    let agent = caller.only_agent().map(str::to_owned).or(query.agent);
    let found = limits::find(caller.workspace(), agent, caller.only_agent().is_some()).await?;
    let (start, limit) = (query.cursor.unwrap_or(0), query.limit.unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE));
    let page = found.used.iter().skip(start).take(limit);
    let end = start.saturating_add(limit);
    Ok(Json(LimitList {
        at: Moment(found.seen.now),
        limits: WrittenLimit::list(&found),
        filling: FillingView::of(caller.workspace()),
        used: page.filter_map(|used| UsedLimit::of(used, &found.limits)).collect(),
        next_cursor: (end < found.used.len()).then_some(end),
    }))
}
