//! Generators of rules and calls, shared by all properties. Small vocabularies, so that rules and
//! calls meet; every kind of doubt occurs.

use super::support::{agent, object};
use crate::call::{Asked, Call, Established};
use crate::catalogue::Catalogue;
use crate::digest::sha256;
use crate::inspect::{Reading, Readings};
use crate::meter::MeterValue;
use crate::outcome::Outcome;
use crate::policy::{Bundle, BundleInputs};
use crate::risk::Weights;
use crate::settings::Settings;
use proptest::prelude::*;
use std::fmt::Write;

/// An eighth of proptest's own number (`PROPTEST_CASES`): each case publishes several bundles.
pub fn config() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: (usual.cases / 8).max(1), ..usual }
}

/// A rule as it will be written.
#[derive(Clone, Debug)]
pub struct RuleSketch {
    pub policy: &'static str,
    pub id: u16,
    pub source: Option<&'static str>,
    pub shadow: bool,
    pub action: &'static str,
    pub target: &'static str,
    pub when: String,
    pub unless: String,
    pub decision: Option<Outcome>,
    pub limit: Option<u8>,
    pub duty: bool,
}

/// A call and what is read for it.
#[derive(Clone, Debug)]
pub struct Ask {
    pub action: &'static str,
    pub target: &'static str,
    pub source: Option<&'static str>,
    pub context: &'static str,
    pub unread: bool,
    pub found: Option<&'static str>,
    pub meter: MeterValue,
}

const CONDITIONS: [&str; 15] = [
    "500 >= context.amount",
    "environment == 'production' && context.amount != 5",
    "context.amount > 100 && context.customer == 'x'",
    "",
    "",
    "context.amount > 500",
    "context.amount <= 500",
    "context.amount == 500",
    "has(context.amount)",
    "type(context.amount) == number && context.amount > 100",
    "environment == 'production'",
    "sql.kind == 'SELECT'",
    "risk.score > 40",
    "now.getHours() < 12",
    "agent.labels.exists(l, l == 'refund-desk')",
];

fn condition() -> impl Strategy<Value = String> {
    prop::sample::select(&CONDITIONS[..]).prop_map(str::to_owned)
}

pub fn any_rule() -> impl Strategy<Value = RuleSketch> {
    let decision = prop_oneof![
        3 => Just(Some(Outcome::Allow)),
        2 => Just(Some(Outcome::RequireApproval)),
        1 => Just(Some(Outcome::Block)),
        1 => Just(None),
    ];
    let scope = (
        prop_oneof![Just("a"), Just("b")],
        any::<u16>(),
        prop_oneof![4 => Just(None), 1 => Just(Some("stripe")), 1 => Just(Some("aws"))],
    );
    let actions = [
        "",
        "process_refund",
        "[process_refund, execute_query]",
        "delete_record",
        "delete_records",
        "{ domain: payments }",
        "'*'",
    ];
    let selector =
        (prop::sample::select(actions.to_vec()), prop_oneof![3 => Just(""), 1 => Just("stripe"), 1 => Just("'s*'")]);
    let duty = prop::bool::weighted(0.3);
    let limit = prop_oneof![5 => Just(None), 1 => (0u8..6).prop_map(Some)];
    (scope, selector, condition(), prop_oneof![2 => Just(String::new()), 1 => condition()], decision, limit, duty)
        .prop_map(|((policy, id, source), (action, target), when, unless, decision, limit, duty)| RuleSketch {
            policy,
            id,
            source,
            shadow: false,
            action,
            target,
            when,
            unless,
            decision,
            limit,
            duty: duty || (decision.is_none() && limit.is_none()),
        })
}

pub fn any_rules() -> impl Strategy<Value = Vec<RuleSketch>> {
    prop::collection::vec(any_rule(), 0..6)
}

pub fn any_ask() -> impl Strategy<Value = Ask> {
    let actions = ["process_refund", "execute_query", "delete_user", "delete_record", "launch_rocket", "get_weather"];
    let contexts = [
        "{}",
        r#"{"amount": 500}"#,
        r#"{"amount": 500.01}"#,
        r#"{"amount": 5}"#,
        r#"{"amount": -5}"#,
        r#"{"amount": "500"}"#,
        r#"{"amount": null}"#,
        r#"{"amount": [1, {"x": "y"}]}"#,
    ];
    let meter =
        prop_oneof![6 => (0i64..8).prop_map(|value| MeterValue::Ready(value.into())), 1 => Just(MeterValue::Filling)];
    (
        prop::sample::select(actions.to_vec()),
        prop_oneof![Just("stripe"), Just("Other")],
        prop_oneof![Just(None), Just(Some("stripe")), Just(Some("aws"))],
        prop::sample::select(contexts.to_vec()),
        prop::bool::weighted(0.2),
        prop_oneof![4 => Just(None), 1 => Just(Some("delete_record"))],
        meter,
    )
        .prop_map(|(action, target, source, context, unread, found, meter)| Ask {
            action,
            target,
            source,
            context,
            unread,
            found,
            meter,
        })
}

impl Ask {
    pub fn call(&self) -> Call {
        let asked = Asked {
            action: self.action.to_owned(),
            target: self.target.to_owned(),
            context: object(self.context),
            ..Asked::default()
        };
        let source = self.source.map(str::to_owned);
        let established = Established { workspace: "ws_1".to_owned(), agent: agent(), source, asserts_subject: false };
        let mut call = Call::new(asked, established, &Catalogue::builtin(), &Settings::default()).unwrap();
        if let Some(found) = self.found {
            call.action.add(&Catalogue::builtin(), found);
        }
        call
    }

    pub fn readings(&self) -> Readings {
        Readings {
            sql: if self.unread { Reading::Unknown } else { Reading::NotApplicable },
            found: self.found.into_iter().map(Into::into).collect(),
            ..Readings::default()
        }
    }
}

impl RuleSketch {
    pub fn deciding(self, outcome: Outcome) -> Self {
        Self { decision: Some(outcome), limit: None, duty: false, ..self }
    }

    pub fn when(self, condition: &str) -> Self {
        Self { when: condition.to_owned(), ..self }
    }

    pub fn unless(self, condition: &str) -> Self {
        Self { unless: condition.to_owned(), ..self }
    }

    pub fn in_shadow(self) -> Self {
        Self { shadow: true, ..self }
    }

    pub fn only_a_duty(self) -> Self {
        Self { decision: None, limit: None, duty: true, ..self }
    }

    /// A policy of its own, named by what it says, so that a rule has the same id among any others.
    fn write(&self) -> String {
        let digest = sha256(&[format!("{self:?}").as_bytes()]).to_string();
        let mut text = format!("policy: {}-{}-{digest:.8}\nstrict: false\n", self.policy, self.id);
        if let Some(source) = self.source {
            let _ = writeln!(text, "source: {source}");
        }
        if self.shadow {
            text.push_str("mode: shadow\n");
        }
        text.push_str("rules:\n- id: r\n");
        for (member, value) in [("action", self.action), ("target", self.target)] {
            if !value.is_empty() {
                let _ = writeln!(text, "  {member}: {value}");
            }
        }
        for (member, value) in [("when", &self.when), ("unless", &self.unless)] {
            if !value.is_empty() {
                let _ = writeln!(text, "  {member}: \"{value}\"");
            }
        }
        if let Some(decision) = self.decision {
            let _ = writeln!(text, "  decision: {decision}");
        }
        if let Some(count) = self.limit {
            let _ = writeln!(text, "  limit: {{ count: {count}, within: 1h, per: [agent] }}");
        }
        if self.duty {
            text.push_str("  audit: { payload: full, tags: [t] }\n");
        }
        text
    }
}

/// The order of the rules gives the order of the files; rules that say the same are one.
pub fn publish(rules: &[RuleSketch], default: Outcome) -> Bundle {
    let mut policies: Vec<(String, String)> = Vec::new();
    for (file, text) in rules.iter().map(RuleSketch::write).enumerate() {
        if policies.iter().all(|(_, known)| *known != text) {
            policies.push((format!("{file}.yaml"), text));
        }
    }
    let inputs = BundleInputs {
        catalogue: Catalogue::builtin(),
        settings: Settings { default_decision: default, ..Settings::default() },
        weights: Weights::default(),
        policies,
    };
    match Bundle::publish(&inputs) {
        Ok((bundle, _)) => bundle,
        Err(errors) => panic!("{errors:#?}\n{rules:#?}"),
    }
}
