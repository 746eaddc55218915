//! `policy shadow-report`: what would have been decided otherwise, by rule, from the recorded decisions.

use crate::args::Global;
use crate::exit::Exit;
use crate::output::{Output, Tone};
use crate::remote::Remote;
use crate::times;
use anyhow::Context;
use runplane_core::time::{Micros, Span};
use runplane_server::shadow_report::{ShadowReport, ShadowTally};

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Decisions from then on: a length back from now such as `7d`, or a time [default: all].
    #[arg(long, value_name = "WHEN")]
    from: Option<String>,
    /// Decisions before then.
    #[arg(long, value_name = "WHEN")]
    to: Option<String>,
}

pub fn run(args: &Args, global: &Global, out: &Output) -> anyhow::Result<Exit> {
    let remote = Remote::admin(global)?;
    let moment = |text: &Option<String>| text.as_deref().map(moment).transpose();
    let (from, to) = (moment(&args.from)?.map(|at| at.to_string()), moment(&args.to)?.map(|at| at.to_string()));
    let mut report = page(&remote, from.as_deref(), to.as_deref(), None)?;
    while let Some(next) = report.next {
        report.follow(page(&remote, from.as_deref(), to.as_deref(), Some(next))?);
    }
    report.rules.sort_by(|left, right| (right.different, &left.rule).cmp(&(left.different, &right.rule)));
    out.answer(&serde_json::to_value(&report)?, |out| print(&report, out));
    Ok(Exit::Ok)
}

fn page(remote: &Remote, from: Option<&str>, to: Option<&str>, after: Option<u64>) -> anyhow::Result<ShadowReport> {
    let after = after.map(|after| after.to_string());
    let query: Vec<(&str, &str)> = [("from", from), ("to", to), ("after", after.as_deref())]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
    let answer = remote.get(&["shadow-report"], &query)?;
    serde_json::from_value(answer).context("the server's report could not be read")
}

fn moment(text: &str) -> anyhow::Result<Micros> {
    match text.parse::<Span>() {
        Ok(length) => Ok(times::now().before(length)),
        Err(_) => text.parse().with_context(|| format!("`{text}` is neither a length nor a time")),
    }
}

fn print(report: &ShadowReport, out: &Output) {
    out.line(format_args!("{} decisions", report.decisions));
    if report.rules.is_empty() {
        out.line("no rule was in shadow, and nothing was only observed");
    }
    report.rules.iter().for_each(|tally| print_rule(tally, out));
    if report.omitted > 0 {
        out.remark(format_args!("{} further findings are not counted by rule", report.omitted));
    }
}

fn print_rule(tally: &ShadowTally, out: &Output) {
    let ShadowTally { rule, mode, calls, different, errors, .. } = tally;
    let tone = if *different > 0 { Tone::Waiting } else { Tone::Good };
    out.toned(tone, rule, format_args!("{mode}: {different} of {calls} calls would have been different"));
    for change in &tally.changes {
        out.line(format_args!("  {:>6}  {} would have been {}", change.count, change.from, change.to));
    }
    if *errors > 0 {
        out.line(format_args!("  {errors:>6}  had no answer: the condition could not be evaluated"));
    }
    for one in &tally.examples {
        let (action, target, request) = (&one.action, &one.target, &one.request_id);
        out.line(format_args!(
            "    e.g. {} {action} on {target}: {} for {}  {request}",
            one.at, one.would, one.decided
        ));
    }
}
