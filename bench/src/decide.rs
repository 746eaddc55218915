//! One decision in process, with 10 to 10,000 rules spread over 50 action types.

use crate::load::now;
use anyhow::{Context, Result, anyhow};
use runplane_core::call::{Agent, Asked, Call, Established};
use runplane_core::catalogue::Catalogue;
use runplane_core::decide::{Facts, decide, prepare};
use runplane_core::environment::Environment;
use runplane_core::inspect;
use runplane_core::json::{self, Limits};
use runplane_core::policy::{Bundle, BundleInputs};
use runplane_core::risk::Weights;
use runplane_core::settings::Settings;
use runplane_core::value::Value;
use serde::Serialize;
use std::fmt::Write;
use std::hint::black_box;

const RULES: [usize; 4] = [10, 100, 1_000, 10_000];
const ROUNDS: usize = 7;

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    pub rules: usize,
    pub prepare_ns: f64,
    pub decide_ns: f64,
    /// JSON text to decision, digest and risk included.
    pub bytes_ns: f64,
}

const CONTEXT: &str = r#"{"amount":120,"currency":"usd","customer":"cus_1","chargeId":"ch_1","reason":"requested","note":"returned within thirty days"}"#;

pub fn measure() -> Result<Vec<Row>> {
    RULES.iter().map(|rules| measure_with(*rules)).collect()
}

fn measure_with(rules: usize) -> Result<Row> {
    let bundle = bundle(rules)?;
    let iterations = (2_000_000 / rules.max(10)).clamp(200, 100_000);
    let mut ready = call(&bundle)?;
    let readings = inspect::read_all(&mut ready, bundle.catalogue(), bundle.settings());
    let prepared = prepare(&bundle, ready.clone(), readings.clone());
    let facts = Facts::default();
    let prepare_ns = median(iterations, || {
        black_box(prepare(&bundle, black_box(ready.clone()), readings.clone()));
    });
    let decide_ns = median(iterations, || {
        black_box(decide(&bundle, black_box(&prepared), &facts));
    });
    let bytes_ns = median(iterations, || {
        if let Ok(mut call) = call(&bundle) {
            black_box(call.digest());
            let readings = inspect::read_all(&mut call, bundle.catalogue(), bundle.settings());
            black_box(decide(&bundle, &prepare(&bundle, call, readings), &facts));
        }
    });
    Ok(Row { rules, prepare_ns, decide_ns, bytes_ns })
}

fn median(iterations: usize, mut work: impl FnMut()) -> f64 {
    let mut seen: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = now();
            for _ in 0..iterations {
                work();
            }
            start.elapsed().as_nanos() as f64 / iterations as f64
        })
        .collect();
    seen.sort_by(f64::total_cmp);
    seen.get(ROUNDS / 2).copied().unwrap_or(f64::NAN)
}

/// Rules with an action, a target and an amount, spread over the catalogue's types.
fn bundle(rules: usize) -> Result<Bundle> {
    let catalogue = Catalogue::builtin();
    let types: Vec<&str> = catalogue
        .types()
        .map(|action| &*action.name)
        .filter(|name| catalogue.field(name, "amount").is_some())
        .collect();
    let others: Vec<&str> = catalogue.types().map(|action| &*action.name).collect();
    let mut yaml = String::from("policy: bench\nrules:\n");
    for rule in 0..rules {
        // A fiftieth of the rules is about the measured action, as with 50 action types in use.
        let action =
            if rule % 50 == 0 { "process_refund" } else { others.get(rule % others.len()).copied().unwrap_or("") };
        let condition = if types.contains(&action) { "\n    when: context.amount > 1000" } else { "" };
        writeln!(
            yaml,
            "  - id: r{rule}\n    action: {action}\n    target: target-{rule}{condition}\n    decision: REQUIRE_APPROVAL"
        )?;
    }
    yaml.push_str("  - { id: ok, action: process_refund, decision: ALLOW }\n");
    let inputs = BundleInputs {
        catalogue,
        settings: Settings::default(),
        weights: Weights::default(),
        policies: vec![("bench.yaml".to_owned(), yaml)],
    };
    let (bundle, _) = Bundle::publish(&inputs).map_err(|errors| anyhow!("{:?}", errors.into_iter().next()))?;
    Ok(bundle)
}

fn call(bundle: &Bundle) -> Result<Call> {
    let context = match json::read(CONTEXT.as_bytes(), &Limits::default())? {
        Value::Object(context) => context,
        other => return Err(anyhow!("the context is a {}", other.kind())),
    };
    let asked = Asked { action: "process_refund".to_owned(), target: "stripe".to_owned(), context, ..Asked::default() };
    let agent = Agent {
        id: "agt_1".to_owned(),
        name: "bench".to_owned(),
        environment: Environment::new("production").ok().context("no environment")?,
        labels: Vec::new(),
        owner: None,
    };
    let established = Established { workspace: "ws_1".to_owned(), agent, source: None, asserts_subject: false };
    Ok(Call::new(asked, established, bundle.catalogue(), bundle.settings())?)
}
