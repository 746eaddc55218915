//! Shadow rules: what they would have changed, and that they change nothing.

use super::generate::{any_ask, any_rule, any_rules, publish};
use super::support::{World, call};
use crate::decide::{Decision, Facts, decide, prepare};
use crate::outcome::Outcome::{self, Allow, Block, RequireApproval};
use crate::policy::Bundle;
use crate::time::Micros;
use proptest::prelude::*;

fn decided(bundle: &Bundle, ask: &super::generate::Ask) -> Decision {
    let prepared = prepare(bundle, ask.call(), ask.readings());
    let meters = prepared.meter_keys().map(|_| ask.meter).collect();
    decide(bundle, &prepared, &Facts { now: Micros(1_800_000_000_000_000), meters, ..Facts::default() })
}

fn any_default() -> impl Strategy<Value = Outcome> {
    prop_oneof![Just(Block), Just(RequireApproval), Just(Allow)]
}

proptest! {
    #![proptest_config(super::generate::config())]

    /// A rule with a decision and no limit says of itself in shadow what it does once it is enforced.
    #[test]
    fn what_a_shadow_rule_would_do_is_what_it_does_when_enforced(
        rules in any_rules(), rule in any_rule(), default in any_default(), ask in any_ask(),
    ) {
        let with = |rule| publish(&rules.iter().cloned().chain([rule]).collect::<Vec<_>>(), default);
        let shadow = decided(&with(rule.clone().in_shadow()), &ask);
        let enforced = decided(&with(rule), &ask);
        prop_assume!(shadow.shadow.len() == 1);
        prop_assert_eq!(shadow.shadow[0].would, Some(enforced.outcome), "{:?}\n{:?}", shadow, enforced);
    }
}

#[test]
fn a_shadow_rule_takes_no_step_from_what_is_enforced() {
    let enforced = "policy: p\nrules:\n  - { id: fine, action: process_refund, decision: ALLOW }\n  \
                    - { id: odd, action: process_refund, when: 'context.items.exists(i, i == 3)', decision: BLOCK }\n";
    let costly = "context.items.all(i, context.items.all(j, context.items.all(k, i + j + k < 0 || true)))";
    let shadow = format!(
        "policy: a\nmode: shadow\nstrict: false\nmeters: {{ m: {{ sum: context.amount, within: 1h, when: '{costly}' }} }}\nrules:\n  \
         - {{ id: costly, action: process_refund, when: '{costly} && meters.m >= 0', decision: BLOCK }}\n"
    );
    let enforced = enforced.replace("policy: p\n", "policy: p\nstrict: false\n");
    let items: Vec<String> = (10..90).map(|number| number.to_string()).collect();
    let call = call("process_refund", "stripe", &format!("{{\"amount\": 5, \"items\": [{}]}}", items.join(",")));
    let alone = World::new(&[&enforced]).decide(&call);
    let mut beside = World::new(&[&enforced, &shadow]).decide(&call);
    assert_eq!(beside.shadow.len(), 1, "{beside:?}");
    assert!(beside.shadow[0].error.is_some(), "the shadow rule must run out of steps: {beside:?}");
    assert_eq!(alone.outcome, Allow, "{alone:?}");
    beside.shadow.clear();
    beside.charges.retain(|charge| alone.charges.contains(charge));
    assert_eq!(beside, alone);
}
