//! How often the rules of a policy had a say: what is used, and what is dead.

use super::caller::Admin;
use super::moment::Moment;
use super::problems::problems;
use super::query::Query;
use crate::app::App;
use crate::error::{Error, Kind};
use crate::manage::policies;
use crate::statistics::{self, Counts};
use axum::Json;
use axum::extract::{Path, State};
use runplane_core::time::Span;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

const DEFAULT_WITHIN: Span = Span::seconds(7 * 24 * 3_600);
const LONGEST_WITHIN: Span = Span::seconds(92 * 24 * 3_600);

problems! {
    /// A question about the use of a policy.
    Counting: InvalidRequest, InvalidKey, Forbidden, UnknownWorkspace, UnknownPolicy, StoreUnavailable, Internal
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HitsQuery {
    /// How far back: `7d` if absent, at most `92d`; whole hours are counted.
    within: Option<String>,
}

/// How often a rule matched, was suspected, or would have had a say if it were not in shadow.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuleHits {
    /// Id of the rule within its policy.
    rule: String,
    hits: u64,
    /// What was decided in the end, whichever rule decided it.
    allow: u64,
    require_approval: u64,
    block: u64,
    /// Not once in this time: dead, or never got there.
    never: bool,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyHits {
    name: String,
    /// Start of the first hour that is counted.
    since: Moment,
    /// Every rule in force that decides or limits something.
    rules: Vec<RuleHits>,
    /// Entries that are counted; the rest follows.
    projected_to: u64,
    ledger_size: u64,
}

/// Count how often each rule of a policy had a say.
#[utoipa::path(get, path = "/api/v1/policies/{name}/hits", operation_id = "policyHits", tag = "policies",
    params(("name" = String, Path, description = "Name of the policy"), HitsQuery),
    responses((status = 200, description = "Counts by rule", body = PolicyHits), Counting),
    security(("adminToken" = [])))]
pub async fn get_hits(
    State(app): State<Arc<App>>,
    admin: Admin,
    Path(name): Path<String>,
    Query(query): Query<HitsQuery>,
) -> Result<Json<PolicyHits>, Error> {
    let within = query.within.as_deref().map(span).transpose()?.unwrap_or(DEFAULT_WITHIN);
    let workspace = &admin.workspace;
    let rules = policies::deciding_rules(&workspace.control(), &name)?;
    let until = app.clock.now();
    let from = until.before(within);
    let projected_to = *workspace.projected.borrow();
    let (counted, complete) = statistics::hits(workspace, &name, from, until).await?;
    let rules = rules
        .into_iter()
        // Of more rules than are read at once the least used are unknown, not unused.
        .filter(|rule| complete || counted.contains_key(rule))
        .map(|rule| {
            let Counts { allowed, held, blocked } = counted.get(&rule).copied().unwrap_or_default();
            let hits = allowed + held + blocked;
            RuleHits { rule, hits, allow: allowed, require_approval: held, block: blocked, never: hits == 0 }
        })
        .collect();
    let ledger_size = workspace.published.head.load().size;
    Ok(Json(PolicyHits { name, since: Moment(statistics::hour_of(from)), rules, projected_to, ledger_size }))
}

fn span(text: &str) -> Result<Span, Error> {
    let refused = |why: &str| Error::new(Kind::InvalidRequest, format!("`within` cannot be `{text}`: {why}"));
    let span: Span = text.parse().map_err(|failure| refused(&format!("{failure}")))?;
    if span.0 <= 0 || span > LONGEST_WITHIN {
        return Err(refused("it is more than nothing and at most 92d"));
    }
    Ok(span)
}
