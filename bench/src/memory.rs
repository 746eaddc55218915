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
use runplane_core::meter::{Charge, Meters, ValuesDigest};
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

/// How the meters lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    None,
    /// About other types of action: the measured call has nothing to do with them.
    Elsewhere,
    /// Over the types of action, as many to each, as an installation has them: five windows, four ways to keep apart.
    Spread,
    /// Forty of them count the measured call, each over a window of its own.
    Crowded,
}

const WINDOWS: [&str; 5] = ["1m", "1h", "24h", "168h", "744h"];
const PER: [&str; 4] = ["agent", "target", "agent, target", "session"];
const MEASURED: &str = "process_refund";

/// The policy of the bench with a thousand more meters, each read by a rule of its own.
pub fn policy(shape: Shape) -> Result<String> {
    let rules = rules::policy(RULES, 0)?;
    let catalogue = Catalogue::builtin();
    let others = catalogue.types().map(|kind| kind.name.to_string()).filter(|name| name != MEASURED);
    let types: Vec<String> = std::iter::once(MEASURED.to_owned()).chain(others).take(rules::TYPES).collect();
    let name = |place: usize| types.get(place % types.len().max(1)).map_or(MEASURED, String::as_str);
    let (mut defined, mut read) = (String::new(), String::new());
    let meters = if shape == Shape::None { 0 } else { METERS };
    for meter in 0..meters {
        let round = meter / rules::TYPES;
        // The first of them is the measured one.
        let (window, other) = (format!("{}h", 1 + meter / 25), name(1 + meter % (types.len().max(2) - 1)));
        let (action, within, per) = match shape {
            Shape::Spread => {
                let window = WINDOWS.get(round % WINDOWS.len()).copied().unwrap_or("1h");
                let per = PER.get(round / WINDOWS.len()).copied().unwrap_or("agent");
                (name(meter), window.to_owned(), per)
            }
            // A twenty-fifth of them.
            Shape::Crowded if meter.is_multiple_of(25) => (MEASURED, window, "target"),
            Shape::None | Shape::Elsewhere | Shape::Crowded => (other, window, "target"),
        };
        writeln!(defined, "  m{meter}: {{ count: true, action: {action}, within: {within}, per: [{per}] }}")?;
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
    fn new(shape: Shape) -> Result<Self> {
        let inputs = BundleInputs {
            catalogue: Catalogue::builtin(),
            settings: Settings::default(),
            weights: Weights::default(),
            policies: vec![("bench.yaml".to_owned(), policy(shape)?)],
        };
        let published = Bundle::publish(&inputs).map_err(|errors| anyhow!("{:?}", errors.first()))?;
        Ok(Self { bundle: published.0, meters: Meters::default(), now: START })
    }

    /// Makes that many keys live, spread over the counters.
    fn fill(&mut self, keys: usize) {
        let counters = self.bundle.counters();
        for number in 0..keys {
            let Some(counter) = counters.get(number % counters.len().max(1)) else { return };
            let key = counter.id().key(counter.group, ValuesDigest::new(&sha256(&[&number.to_be_bytes()])));
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
        let meters = self.meters.read_all(prepared.keys(), now);
        let decision = decide(&self.bundle, &prepared, &Facts { now, meters, ..Facts::default() });
        self.meters.put_all(&decision.charges, now, |charge| charge.on.is_immediate());
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
pub fn resident() -> Result<f64> {
    let text = std::fs::read_to_string("/proc/self/statm").context("the memory of the process")?;
    let pages: f64 = text.split_whitespace().nth(1).context("no resident pages")?.parse()?;
    Ok(pages * 4_096.0)
}

pub fn measure(rounds: usize) -> Result<Vec<Row>> {
    let mut plain = World::new(Shape::None)?;
    let mut elsewhere = World::new(Shape::Elsewhere)?;
    let mut spread = World::new(Shape::Spread)?;
    let mut crowded = World::new(Shape::Crowded)?;
    let mut full_elsewhere = World::new(Shape::Elsewhere)?;
    let mut full = World::new(Shape::Spread)?;
    let mut full_and_crowded = World::new(Shape::Crowded)?;
    let before = resident()?;
    full.fill(KEYS);
    let bytes_per_key = (resident()? - before) / KEYS as f64;
    full_and_crowded.fill(KEYS);
    full_elsewhere.fill(KEYS);
    let mut worlds = [
        ("nothing more", 0, 0, &mut plain),
        ("about other actions", METERS, 0, &mut elsewhere),
        ("about other actions", METERS, KEYS, &mut full_elsewhere),
        ("31 for each action", METERS, 0, &mut spread),
        ("31 for each action", METERS, KEYS, &mut full),
        ("40 count the call", METERS, 0, &mut crowded),
        ("40 count the call", METERS, KEYS, &mut full_and_crowded),
    ];
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
