//! One decision in process: Runplane's engine beside `cel`, Cedar and regorus, with the same rules and the same call.
//!
//! Each rule names an action, a target and an amount; a fiftieth of them is about the measured action, and one allows
//! it. An engine that has no index of its own is given one by action where its interface lets a caller do that.

mod cedar;
mod cel_crate;
mod ours;
mod rego;
mod rules;
mod table;

use anyhow::{Context, Result};
use clap::Parser;
use serde::Serialize;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];
const ROUNDS: usize = 5;
/// Least time of one round.
const LENGTH: Duration = Duration::from_millis(30);

#[derive(Parser)]
struct Arguments {
    /// Leave the other engines out.
    #[arg(long)]
    alone: bool,
    /// Only decide so many calls from their bytes, for a profiler.
    #[arg(long)]
    profile: Option<u32>,
    /// Only publish a bundle of 10,000 rules so many times.
    #[arg(long)]
    publish: Option<u32>,
    /// Only the hostile rules and payloads.
    #[arg(long)]
    worst: bool,
    /// Where to write the figures as JSON; members that are in the file already are kept.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// What one engine took, in nanoseconds, at each number of rules; absent where it cannot hold that many.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    pub engine: &'static str,
    pub ns: Vec<Option<f64>>,
}

/// An engine with its rules loaded: decides a call that is in its own form already, and one that is JSON text. Both
/// say whether the call is allowed.
pub trait Engine {
    fn decide(&mut self) -> Result<bool>;
    fn decide_bytes(&mut self) -> Result<bool>;
}

type Load = fn(usize) -> Result<Box<dyn Engine>>;

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(calls) = arguments.profile {
        return ours::profile(calls);
    }
    if let Some(times) = arguments.publish {
        return ours::publish(times);
    }
    if arguments.worst {
        let worst = ours::worst()?;
        table::say(&table::worst(&worst));
        return ours::check(&worst);
    }
    let others: &[(&'static str, Load)] = &[
        ("cel 0.15, indexed by action", cel_crate::load),
        ("Cedar 4.14, one set", cedar::load),
        ("regorus 0.14, Rego VM", rego::load),
    ];
    let others = if arguments.alone { &[] } else { others };
    let (mut decide, mut bytes) = (ours::decided()?, ours::from_bytes()?);
    for (engine, load) in others {
        let mut rows = (Vec::new(), Vec::new());
        for size in SIZES {
            let loaded = load(size).ok();
            let (prepared, whole) = match loaded {
                None => (None, None),
                Some(mut engine) => (timed(|| engine.decide()).ok(), timed(|| engine.decide_bytes()).ok()),
            };
            rows.0.push(prepared);
            rows.1.push(whole);
        }
        decide.push(Row { engine, ns: rows.0 });
        bytes.push(Row { engine, ns: rows.1 });
    }
    let worst = ours::worst()?;
    table::say(&table::sizes("one decision in process, prepared call, ns", &decide));
    table::say(&table::sizes("bytes → decision, ns", &bytes));
    table::say(&table::worst(&worst));
    if let Some(path) = arguments.json {
        let mut figures: serde_json::Map<String, serde_json::Value> = match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).context("reading the figures that are there")?,
            Err(_) => serde_json::Map::new(),
        };
        figures.insert("decide".to_owned(), serde_json::to_value(&decide)?);
        figures.insert("bytes".to_owned(), serde_json::to_value(&bytes)?);
        figures.insert("worst".to_owned(), serde_json::to_value(&worst)?);
        std::fs::write(path, serde_json::to_vec_pretty(&figures)?)?;
    }
    ours::check(&worst)
}

/// The median over rounds of what one call takes, in nanoseconds. The engine must allow the call, else it is not asked
/// the same.
pub fn timed(mut work: impl FnMut() -> Result<bool>) -> Result<f64> {
    anyhow::ensure!(work()?, "the call was not allowed");
    let mut iterations = 1u32;
    let mut round = |iterations: u32| -> Result<Duration> {
        let begin = Instant::now();
        for _ in 0..iterations {
            black_box(work()?);
        }
        Ok(begin.elapsed())
    };
    while round(iterations)? < LENGTH && iterations < 1 << 24 {
        iterations *= 2;
    }
    let mut seen: Vec<f64> = Vec::new();
    for _ in 0..ROUNDS {
        seen.push(round(iterations)?.as_nanos() as f64 / f64::from(iterations));
    }
    seen.sort_by(f64::total_cmp);
    Ok(seen[ROUNDS / 2])
}
