//! What remembering costs: one decision in process, with nothing remembered beside what every policy of the bench
//! has, and with a thousand more meters and a million live keys.

use crate::rules;
use anyhow::{Context, Result, anyhow};
use runplane_core::call::{Agent, Asked, Call, Established};
use runplane_core::catalogue::Catalogue;
use runplane_core::decide::{Facts, decide, prepare};
use runplane_core::digest::sha256;
use runplane_core::environment::Environment;
use runplane_core::inspect::Readings;
use runplane_core::json;
use runplane_core::meter::{Charge, Meters};
use runplane_core::policy::{Bundle, BundleInputs};
use runplane_core::risk::Weights;
use runplane_core::settings::Settings;
use runplane_core::time::{Micros, Span};
use runplane_core::value::Value;
use serde::Serialize;
use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;

const METERS: usize = 1_000;
const KEYS: usize = 1_000_000;
const RULES: usize = 1_000;
/// Decisions of one measurement.
const DECISIONS: i64 = 20_000;
const START: Micros = Micros(1_790_000_000_000_000);

#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub subject: String,
    pub meters: usize,
    pub keys: usize,
    /// Prepare, read, decide, charge; the median of the rounds.
    pub nanoseconds: f64,
    /// Of what it costs with nothing more to remember.
    pub ratio: f64,
    /// Memory that the live keys take up.
    pub bytes_per_key: f64,
}

/// The policy of the bench with that many more meters, each read by a rule of its own; about forty of them are about the
/// measured action.
fn policy(meters: usize) -> Result<String> {
    let rules = rules::policy(RULES, 0)?;
    let types: Vec<String> =
        Catalogue::builtin().types().map(|kind| kind.name.to_string()).take(rules::TYPES).collect();
    let kind = |meter: usize| match types.get(meter % rules::TYPES) {
        Some(name) if !meter.is_multiple_of(rules::TYPES) => name.as_str(),
        _ => "process_refund",
    };
    let (mut defined, mut read) = (String::new(), String::new());
    for meter in 0..meters {
        let action = kind(meter);
        writeln!(
            defined,
            "  m{meter}: {{ count: true, action: {action}, within: {}h, per: [target] }}",
            1 + meter % 48
        )?;
        writeln!(read, "- id: m{meter}\n  action: {action}\n  when: meters.m{meter} > 1000000000\n  decision: BLOCK")?;
    }
    Ok(rules.replacen("rules:\n", &format!("{defined}rules:\n{read}"), 1))
}

struct World {
    bundle: Bundle,
    meters: Meters,
    now: Micros,
}

impl World {
    fn new(meters: usize) -> Result<Self> {
        let inputs = BundleInputs {
            catalogue: Catalogue::builtin(),
            settings: Settings::default(),
            weights: Weights::default(),
            policies: vec![("bench.yaml".to_owned(), policy(meters)?)],
        };
        let published = Bundle::publish(&inputs).map_err(|errors| anyhow!("{:?}", errors.first()))?;
        Ok(Self { bundle: published.0, meters: Meters::default(), now: START })
    }

    /// Makes that many keys live, spread over the counters.
    fn fill(&mut self, keys: usize) {
        let counters = self.bundle.counters();
        for number in 0..keys {
            let Some(counter) = counters.get(number % counters.len().max(1)) else { return };
            let key = counter.id().key(&sha256(&[&number.to_be_bytes()]));
            self.meters.put(&Charge::of_use(key, 1u64.into()), START);
        }
    }

    fn decide(&mut self, number: i64) -> Result<()> {
        let context = match json::read(br#"{"amount":12.5,"currency":"USD"}"#, &json::Limits::default()) {
            Ok(Value::Object(context)) => context,
            _ => return Err(anyhow!("the context of the bench is no object")),
        };
        let asked = Asked {
            action: "process_refund".to_owned(),
            target: format!("target-{}", number % 1_000),
            context,
            ..Asked::default()
        };
        let agent = Agent {
            id: "agt_bench".to_owned(),
            name: "bench".to_owned(),
            environment: Environment::production(),
            labels: Vec::new(),
            owner: None,
        };
        let established = Established { workspace: "ws_1".to_owned(), agent, source: None, asserts_subject: false };
        let call = Call::new(asked, established, self.bundle.catalogue(), self.bundle.settings())
            .map_err(|failure| anyhow!(failure.to_string()))?;
        self.now = self.now.after(Span(1_000));
        let now = self.now;
        let prepared = prepare(&self.bundle, call, Readings::default());
        let meters = prepared.meter_keys().map(|key| self.meters.read(key, now)).collect();
        let decision = decide(&self.bundle, &prepared, &Facts { now, meters, ..Facts::default() });
        for charge in decision.charges.iter().filter(|charge| charge.on.is_immediate()) {
            self.meters.put(charge, now);
        }
        black_box(decision);
        Ok(())
    }

    #[allow(clippy::disallowed_methods, reason = "this is what is measured")]
    fn nanoseconds(&mut self) -> Result<f64> {
        let began = Instant::now();
        for number in 0..DECISIONS {
            self.decide(number)?;
        }
        Ok(began.elapsed().as_secs_f64() * 1e9 / DECISIONS as f64)
    }
}

/// Resident memory of this process.
fn resident() -> Result<f64> {
    let text = std::fs::read_to_string("/proc/self/statm").context("the memory of the process")?;
    let pages: f64 = text.split_whitespace().nth(1).context("no resident pages")?.parse()?;
    Ok(pages * 4_096.0)
}

pub fn measure(rounds: usize) -> Result<Vec<Row>> {
    let mut plain = World::new(0)?;
    let mut more = World::new(METERS)?;
    let mut full = World::new(METERS)?;
    let before = resident()?;
    full.fill(KEYS);
    let bytes_per_key = (resident()? - before) / KEYS as f64;
    let mut worlds =
        [("nothing more", 0, 0, &mut plain), ("meters", METERS, 0, &mut more), ("keys", METERS, KEYS, &mut full)];
    let mut samples: Vec<Vec<f64>> = vec![Vec::new(); worlds.len()];
    for _ in 0..rounds.max(1) {
        // They take turns, so that a noisy neighbour hits all of them.
        for ((.., world), samples) in worlds.iter_mut().zip(&mut samples) {
            samples.push(world.nanoseconds()?);
        }
    }
    let medians: Vec<f64> = samples
        .iter_mut()
        .map(|samples| {
            samples.sort_by(f64::total_cmp);
            samples.get(samples.len() / 2).copied().unwrap_or_default()
        })
        .collect();
    let base = medians.first().copied().unwrap_or(1.0);
    let row = |((subject, meters, keys, _), nanoseconds): (&(&str, usize, usize, &mut World), &f64)| Row {
        subject: (*subject).to_owned(),
        meters: *meters,
        keys: *keys,
        nanoseconds: *nanoseconds,
        ratio: nanoseconds / base,
        bytes_per_key: if *keys > 0 { bytes_per_key } else { 0.0 },
    };
    Ok(worlds.iter().zip(&medians).map(row).collect())
}
