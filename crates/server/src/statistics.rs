//! Decisions counted for charts. Counting happens while the list is made, once per batch; reading adds up rows per
//! minute or hour and never looks at decisions, so it costs the same over ten of them and ten million.

use crate::error::Error;
use crate::projection::Read;
use crate::tasks;
use crate::workspace::Workspace;
use runplane_core::policy::RuleId;
use runplane_core::time::{Micros, Span};
use runplane_store::{MAX_PAGE, Tally, TallyFilter};
use std::collections::HashMap;
use std::sync::Arc;

pub const MINUTE: Span = Span::seconds(60);
pub const HOUR: Span = Span::seconds(3_600);
/// Up to this length minutes are counted, beyond it hours.
const SHORT: Span = Span::seconds(26 * 3_600);
const TOP: usize = 10;
const MOST_STRETCHES: usize = 4_000;

const ALL: &str = "all";
const ACTION: &str = "action";
const AGENT: &str = "agent";
const RULE: &str = "rule";
const TARGET: &str = "target";
const RISK: &str = "risk";

/// Counts of one stretch or key: allowed, held, blocked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub allowed: u64,
    pub held: u64,
    pub blocked: u64,
}

impl Counts {
    fn add(&mut self, tally: &Tally) {
        self.allowed += tally.allowed;
        self.held += tally.held;
        self.blocked += tally.blocked;
    }
}

/// What a batch of decisions adds.
#[must_use]
pub fn tallies(batch: &[Read]) -> Vec<Tally> {
    // What counts alike is counted together first: most decisions are like some other of their batch.
    let mut alike: HashMap<Alike<'_>, u64> = HashMap::new();
    for read in batch {
        *alike.entry(Alike::of(read)).or_default() += read.count;
    }
    let mut counted: HashMap<(i64, i64, Dimension<'_>, &str), Counts> = HashMap::new();
    for (Alike { minute, outcome, action, agent, rule, target, risk, rules }, count) in alike {
        let mut add = |span: Span, dimension, key| {
            let start = (minute * MINUTE.0).div_euclid(span.0) * span.0;
            let sum = counted.entry((span.0, start, dimension, key)).or_default();
            match outcome {
                "ALLOW" => sum.allowed += count,
                "REQUIRE_APPROVAL" => sum.held += count,
                _ => sum.blocked += count,
            }
        };
        for span in [MINUTE, HOUR] {
            add(span, Dimension::Named(ALL), "");
            add(span, Dimension::Named(ACTION), action);
            add(span, Dimension::Named(AGENT), agent);
            add(span, Dimension::Named(RULE), rule);
            add(span, Dimension::Named(TARGET), target);
            add(span, Dimension::Named(RISK), risk);
        }
        for rule in rules {
            add(HOUR, Dimension::Policy(&rule.policy), &rule.rule);
        }
    }
    counted
        .into_iter()
        .map(|((span_us, start_us, dimension, key), Counts { allowed, held, blocked })| Tally {
            span_us,
            start_us,
            dimension: dimension.to_text(),
            key: key.to_owned(),
            allowed,
            held,
            blocked,
        })
        .collect()
}

/// Everything by which a decision is counted.
#[derive(PartialEq, Eq, Hash)]
struct Alike<'r> {
    minute: i64,
    outcome: &'r str,
    action: &'r str,
    agent: &'r str,
    rule: &'r str,
    target: &'r str,
    risk: &'static str,
    rules: &'r [RuleId],
}

impl<'r> Alike<'r> {
    fn of(read: &'r Read) -> Self {
        Self {
            minute: read.row.at_us.div_euclid(MINUTE.0),
            outcome: &read.row.outcome,
            action: &read.row.action_type,
            agent: &read.row.agent,
            rule: &read.row.rule,
            target: &read.row.target,
            risk: band(read.risk_score),
            rules: &read.rules,
        }
    }
}

/// What counts are kept apart by: the same for everybody, or by rule within one policy.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Dimension<'a> {
    Named(&'static str),
    Policy(&'a str),
}

impl Dimension<'_> {
    fn to_text(self) -> String {
        match self {
            Self::Named(name) => name.to_owned(),
            Self::Policy(policy) => format!("rules of {policy}"),
        }
    }
}

/// How often each rule of a policy had a say since `from`, by what was decided in the end; and whether all are there.
pub async fn hits(
    workspace: &Arc<Workspace>,
    policy: &str,
    from: Micros,
    until: Micros,
) -> Result<(HashMap<String, Counts>, bool), Error> {
    let (workspace, dimension) = (Arc::clone(workspace), Dimension::Policy(policy).to_text());
    tasks::blocking(move || {
        let filter = TallyFilter {
            span_us: HOUR.0,
            dimension,
            from_us: hour_of(from).0,
            until_us: until.0.saturating_add(1),
            by_key: true,
            limit: MAX_PAGE,
        };
        let tallies = workspace.store.read_tallies(&workspace.id, &filter)?;
        let complete = tallies.len() < MAX_PAGE;
        Ok((tallies.into_iter().map(|tally| (tally.key.clone(), counts(&tally))).collect(), complete))
    })
    .await
}

/// When the hour began that this moment is in.
#[must_use]
pub fn hour_of(at: Micros) -> Micros {
    Micros(at.0.div_euclid(HOUR.0) * HOUR.0)
}

fn band(score: u8) -> &'static str {
    const BANDS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    BANDS.get(usize::from(score / 10)).copied().unwrap_or("9")
}

/// A question for counts.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    pub from: Micros,
    pub until: Micros,
    pub buckets: usize,
}

pub struct Statistics {
    pub from: Micros,
    pub until: Micros,
    pub granularity: Span,
    /// Start of each bucket, and what was decided in it.
    pub series: Vec<(Micros, Counts)>,
    pub actions: Vec<(String, Counts)>,
    pub agents: Vec<(String, Counts)>,
    pub rules: Vec<(String, Counts)>,
    pub targets: Vec<(String, Counts)>,
    /// Ten bands of ten points.
    pub risk: [Counts; 10],
    pub waiting: u64,
    pub oldest: Option<Micros>,
    pub soonest_expiry: Option<Micros>,
    pub projected_to: u64,
}

pub async fn read(workspace: &Arc<Workspace>, range: Range) -> Result<Statistics, Error> {
    let workspace = Arc::clone(workspace);
    tasks::blocking(move || collect(&workspace, range)).await
}

fn collect(workspace: &Workspace, range: Range) -> Result<Statistics, Error> {
    let long = range.until.since(range.from) > SHORT;
    let granularity = if long { HOUR } else { MINUTE };
    let from = range.from.0.div_euclid(granularity.0) * granularity.0;
    let until = (range.until.0 + granularity.0 - 1).div_euclid(granularity.0) * granularity.0;
    let (store, id) = (&*workspace.store, workspace.id.as_str());
    let ask = |dimension: &str, by_key: bool, limit: usize| {
        let dimension = dimension.to_owned();
        let filter = TallyFilter { span_us: granularity.0, dimension, from_us: from, until_us: until, by_key, limit };
        store.read_tallies(id, &filter)
    };
    let top = |dimension: &str| -> Result<Vec<(String, Counts)>, Error> {
        let tallies = ask(dimension, true, TOP)?;
        Ok(tallies.into_iter().map(|tally| (tally.key.clone(), counts(&tally))).collect())
    };
    // A bucket is a whole number of stretches, so that nothing is counted in parts.
    let stretches = usize::try_from((until - from) / granularity.0).unwrap_or(1).max(1);
    let per_bucket = i64::try_from(stretches.div_ceil(range.buckets.max(1))).unwrap_or(1);
    let width = granularity.0 * per_bucket;
    let bucket_count = usize::try_from((until - from + width - 1) / width).unwrap_or(1);
    let mut series: Vec<(Micros, Counts)> = (0..bucket_count)
        .zip((from..).step_by(usize::try_from(width).unwrap_or(1)))
        .map(|(_, at)| (Micros(at), Counts::default()))
        .collect();
    for tally in ask(ALL, false, MOST_STRETCHES)? {
        let place = usize::try_from((tally.start_us - from) / width).unwrap_or(usize::MAX);
        if let Some((_, sum)) = series.get_mut(place) {
            sum.add(&tally);
        }
    }
    let mut risk = [Counts::default(); 10];
    for tally in ask(RISK, true, TOP)? {
        if let Some(sum) = tally.key.parse::<usize>().ok().and_then(|band| risk.get_mut(band)) {
            sum.add(&tally);
        }
    }
    let pending: Vec<(i64, i64)> = store
        .list_open_approvals(id)?
        .iter()
        .filter(|row| row.status == "pending")
        .map(|row| crate::held::Held::parse(&row.bytes).map(|held| (held.approval.created_at.0, row.expires_us)))
        .collect::<Result<_, Error>>()?;
    Ok(Statistics {
        from: Micros(from),
        until: Micros(until),
        granularity,
        series,
        actions: top(ACTION)?,
        agents: top(AGENT)?,
        rules: top(RULE)?,
        targets: top(TARGET)?,
        risk,
        waiting: u64::try_from(pending.len()).unwrap_or(u64::MAX),
        oldest: pending.iter().map(|(at, _)| *at).min().map(Micros),
        soonest_expiry: pending.iter().map(|(_, at)| *at).min().map(Micros),
        projected_to: store.projection_cursor(id)?,
    })
}

fn counts(tally: &Tally) -> Counts {
    Counts { allowed: tally.allowed, held: tally.held, blocked: tally.blocked }
}
