//! The policy guide is true: every example in it publishes, and its first one decides as its table says.

use crate::sandbox::{Sandbox, action, production_agent, settings_with_default};
use runplane_core::catalogue::Catalogue;
use runplane_core::meter::Meters;
use runplane_core::outcome::Outcome::{self, Allow, Block, RequireApproval};
use runplane_core::policy::{Bundle, BundleInputs};
use runplane_core::risk::Weights;
use runplane_core::settings::Settings;

const GUIDE: &str = include_str!("../../../../docs/guide/policies.md");
const METERS: &str = "meters:\n  refunded_today: { sum: context.amount, action: process_refund, within: 24h }\n";

fn examples() -> Vec<&'static str> {
    let blocks = GUIDE.split("```yaml\n").skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap_or_default()).collect()
}

fn publish(policy: &str, settings: Settings) -> Bundle {
    let inputs = BundleInputs {
        catalogue: Catalogue::builtin(),
        settings,
        weights: Weights::default(),
        policies: vec![("guide.yaml".to_owned(), policy.to_owned())],
    };
    match Bundle::publish(&inputs) {
        Ok((bundle, _)) => bundle,
        Err(errors) => panic!("{policy}\n{}", errors.iter().map(|error| format!("{error}\n")).collect::<String>()),
    }
}

#[test]
fn every_example_of_the_guide_publishes() {
    let examples = examples();
    assert!(examples.len() >= 6, "the guide has lost its examples");
    for example in examples {
        if example.starts_with("policy:") {
            publish(example, Settings::default());
        } else if example.starts_with("meters:") {
            publish(&format!("policy: guide\n{example}rules: []\n"), Settings::default());
        } else if example.starts_with("action:") {
            for line in example.lines() {
                publish(&format!("policy: guide\nrules:\n- id: r\n  decision: BLOCK\n  {line}\n"), Settings::default());
            }
        } else {
            publish(&format!("policy: guide\n{METERS}rules:\n{example}"), Settings::default());
        }
    }
}

#[test]
fn the_first_example_decides_as_its_table_says() {
    let agent = production_agent();
    let decide = |default: Outcome, amounts: &[&str]| {
        let bundle = publish(examples()[0], settings_with_default(default));
        let (sandbox, mut meters) = (Sandbox { bundle, agent: agent.clone() }, Meters::default());
        let calls = amounts.iter().map(|amount| {
            let call = format!(r#"{{"type":"process_refund","target":"stripe","context":{{"amount":{amount}}}}}"#);
            sandbox.run(&action(&call), &mut meters).outcome
        });
        calls.last().expect("a call")
    };
    assert_eq!(decide(Block, &["100"]), Allow);
    assert_eq!(decide(Block, &["800"]), RequireApproval);
    assert_eq!(decide(Block, &["\"800\""]), Block);
    assert_eq!(decide(Allow, &["\"800\""]), RequireApproval);
    assert_eq!(decide(Block, &["500", "500", "500", "450", "100"]), Block);
    for default in Outcome::ALL {
        assert_eq!(decide(default, &["0"]), default);
    }
}
