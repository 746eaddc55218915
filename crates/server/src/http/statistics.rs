//! Decisions in figures, for charts.

use super::caller::Admin;
use super::moment::Moment;
use super::problems::Reading;
use super::query::Query;
use crate::app::App;
use crate::error::{Error, Kind};
use crate::statistics::{self, Counts, HOUR, Range};
use crate::verification::{self, Standing};
use axum::Json;
use axum::extract::State;
use runplane_core::time::Span;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

const DEFAULT_RANGE: Span = Span::seconds(24 * 3_600);
const LONGEST_RANGE: Span = Span::seconds(166 * 24 * 3_600);
const DEFAULT_BUCKETS: usize = 60;
const MOST_BUCKETS: usize = 400;

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StatisticsQuery {
    /// 24 hours before `to` if absent; at most 166 days before it.
    from: Option<Moment>,
    /// Now if absent.
    to: Option<Moment>,
    /// At most 400; 60 if absent. There may be fewer, because each holds whole minutes or hours.
    buckets: Option<usize>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CountsView {
    allow: u64,
    require_approval: u64,
    block: u64,
}

#[derive(Serialize, ToSchema)]
pub struct BucketView {
    /// Where it starts.
    at: Moment,
    #[serde(flatten)]
    counts: CountsView,
}

#[derive(Serialize, ToSchema)]
pub struct TopView {
    key: String,
    /// What people call it, where that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(flatten)]
    counts: CountsView,
}

#[derive(Serialize, ToSchema)]
pub struct RiskBand {
    from: u8,
    to: u8,
    #[serde(flatten)]
    counts: CountsView,
}

/// How long guard requests took in this process, at most an eighth too large.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LatencyView {
    p50_ms: f64,
    p99_ms: f64,
    count: u64,
    since: Moment,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WaitingView {
    waiting: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest_at: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    soonest_expiry: Option<Moment>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LedgerHead {
    size: u64,
    root: String,
    /// Entries that were verified since the server started.
    checked_to: u64,
    /// Absent until all of them were read once since the server started.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid: Option<bool>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatisticsView {
    /// The range as it was counted: whole minutes or hours.
    from: Moment,
    to: Moment,
    /// `1m` or `1h`.
    granularity: &'static str,
    /// Entries that are counted; the rest follows.
    projected_to: u64,
    ledger_size: u64,
    totals: CountsView,
    /// Oldest first, empty ones too.
    decisions: Vec<BucketView>,
    /// At most ten each, most first.
    actions: Vec<TopView>,
    agents: Vec<TopView>,
    rules: Vec<TopView>,
    targets: Vec<TopView>,
    /// Ten bands.
    risk: Vec<RiskBand>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency: Option<LatencyView>,
    approvals: WaitingView,
    ledger: LedgerHead,
}

impl From<Counts> for CountsView {
    fn from(Counts { allowed, held, blocked }: Counts) -> Self {
        Self { allow: allowed, require_approval: held, block: blocked }
    }
}

/// Decisions in figures.
#[utoipa::path(get, path = "/api/v1/statistics", operation_id = "getStatistics", tag = "decisions",
    params(StatisticsQuery),
    responses((status = 200, description = "Counts over the range", body = StatisticsView), Reading),
    security(("adminToken" = [])))]
pub async fn get_statistics(
    State(app): State<Arc<App>>,
    admin: Admin,
    Query(query): Query<StatisticsQuery>,
) -> Result<Json<StatisticsView>, Error> {
    let until = query.to.map_or_else(|| app.clock.now(), |to| to.0);
    let from = query.from.map_or_else(|| until.before(DEFAULT_RANGE), |from| from.0);
    let length = until.since(from);
    if length.0 <= 0 || length > LONGEST_RANGE {
        return Err(Error::new(Kind::InvalidRequest, "`from` is before `to`, and at most 166 days"));
    }
    let buckets = query.buckets.unwrap_or(DEFAULT_BUCKETS).clamp(1, MOST_BUCKETS);
    let read = statistics::read(&admin.workspace, Range { from, until, buckets }).await?;
    let control = admin.workspace.control();
    let head = admin.workspace.published.head.load();
    let totals = read.series.iter().fold(Counts::default(), |sum, (_, counts)| Counts {
        allowed: sum.allowed + counts.allowed,
        held: sum.held + counts.held,
        blocked: sum.blocked + counts.blocked,
    });
    let top = |list: Vec<(String, Counts)>| -> Vec<TopView> {
        list.into_iter().map(|(key, counts)| TopView { key, name: None, counts: counts.into() }).collect()
    };
    let mut agents = top(read.agents);
    for agent in &mut agents {
        agent.name = control.agents.get(&agent.key).map(|agent| agent.name.clone());
    }
    let bands = (0u8..10).zip(read.risk).map(|(band, counts)| RiskBand {
        from: band * 10,
        to: if band == 9 { 100 } else { band * 10 + 9 },
        counts: counts.into(),
    });
    let Standing { checked_to, valid } = verification::standing(&admin.workspace);
    Ok(Json(StatisticsView {
        from: Moment(read.from),
        to: Moment(read.until),
        granularity: if read.granularity == HOUR { "1h" } else { "1m" },
        projected_to: read.projected_to,
        ledger_size: head.size,
        totals: totals.into(),
        decisions: read
            .series
            .into_iter()
            .map(|(at, counts)| BucketView { at: Moment(at), counts: counts.into() })
            .collect(),
        actions: top(read.actions),
        agents,
        rules: top(read.rules),
        targets: top(read.targets),
        risk: bands.collect(),
        latency: app.latencies.percentiles().map(|read| LatencyView {
            p50_ms: millis(read.p50),
            p99_ms: millis(read.p99),
            count: read.count,
            since: Moment(app.latencies.since),
        }),
        approvals: WaitingView {
            waiting: read.waiting,
            oldest_at: read.oldest.map(Moment),
            soonest_expiry: read.soonest_expiry.map(Moment),
        },
        ledger: LedgerHead { size: head.size, root: hex::encode(head.root), checked_to, valid },
    }))
}

#[allow(clippy::cast_precision_loss, reason = "a latency is far below 2^53 microseconds")]
fn millis(span: Span) -> f64 {
    span.0 as f64 / 1_000.0
}
