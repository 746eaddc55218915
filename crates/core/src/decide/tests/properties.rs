//! Every property sentence of the policy semantics, over generated rules and calls.

use super::generate::{Ask, RuleSketch, any_ask, any_rule, any_rules, publish};
use crate::approval::{Evidence, Groups, Verdict, Vote};
use crate::decide::{Candidate, Decision, Facts, decide, prepare};
use crate::meter::MeterValue;
use crate::outcome::Outcome::{self, Allow, Block, RequireApproval};
use crate::policy::Bundle;
use crate::policy::condition::{Budget, STEPS, View};
use crate::recompute::{Recorded, differences, recompute};
use crate::time::Micros;
use proptest::prelude::*;

fn facts(ask: &Ask, bundle: &Bundle) -> (crate::decide::Prepared, Facts) {
    let prepared = prepare(bundle, ask.call(), ask.readings());
    let meters = prepared.meter_keys().map(|_| ask.meter).collect();
    (prepared, Facts { now: Micros(1_800_000_000_000_000), meters, ..Facts::default() })
}

fn outcome(rules: &[RuleSketch], default: Outcome, ask: &Ask) -> Decision {
    let bundle = publish(rules, default);
    let (prepared, facts) = facts(ask, &bundle);
    decide(&bundle, &prepared, &facts)
}

fn with(rules: &[RuleSketch], rule: RuleSketch) -> Vec<RuleSketch> {
    rules.iter().cloned().chain([rule]).collect()
}

/// Some rule matched, so that the default was not asked.
fn was_matched(decision: &Decision) -> bool {
    let restricted = decision.matched.iter().any(|rule| rule.outcome.is_restrictive());
    restricted || (!decision.matched.is_empty() && decision.uncovered.is_empty())
}

fn any_default() -> impl Strategy<Value = Outcome> {
    prop_oneof![Just(Block), Just(RequireApproval), Just(Allow)]
}

proptest! {
    #![proptest_config(super::generate::config())]

    #[test]
    fn adding_a_block_rule_never_relaxes_any_call(
        rules in any_rules(), added in any_rule(), default in any_default(), ask in any_ask(),
    ) {
        let before = outcome(&rules, default, &ask);
        let after = outcome(&with(&rules, added.deciding(Block)), default, &ask);
        prop_assert!(after.outcome >= before.outcome, "{before:?}\n{after:?}");
    }

    #[test]
    fn adding_a_require_approval_rule_never_relaxes_a_matched_call(
        rules in any_rules(), added in any_rule(), default in any_default(), ask in any_ask(),
    ) {
        let before = outcome(&rules, default, &ask);
        prop_assume!(was_matched(&before));
        let after = outcome(&with(&rules, added.deciding(RequireApproval)), default, &ask);
        prop_assert!(after.outcome >= before.outcome, "{before:?}\n{after:?}");
    }

    #[test]
    fn an_evaluation_error_never_relaxes_any_call(
        rules in any_rules(), doubted in any_rule(), in_unless in any::<bool>(), default in any_default(), ask in any_ask(),
    ) {
        let answer = |condition: &str| {
            let rule = if in_unless { doubted.clone().unless(condition) } else { doubted.clone().when(condition) };
            outcome(&with(&rules, rule), default, &ask).outcome
        };
        let doubtful = answer("context.nowhere > 1");
        prop_assert!(doubtful >= answer("1 > 0"));
        prop_assert!(doubtful >= answer("0 > 1"));
    }

    #[test]
    fn an_empty_bundle_gives_the_default(default in any_default(), ask in any_ask()) {
        let decision = outcome(&[], default, &ask);
        let expected = if ask.unread { default.max(RequireApproval) } else { default };
        prop_assert_eq!(decision.outcome, expected);
    }

    #[test]
    fn the_order_of_rules_and_files_never_matters(
        rules in any_rules(), default in any_default(), ask in any_ask(), turn in 0usize..8,
    ) {
        let mut turned = rules.clone();
        turned.rotate_left(turn % rules.len().max(1));
        turned.reverse();
        let (one, two) = (publish(&rules, default), publish(&turned, default));
        let (first, second) = (facts(&ask, &one), facts(&ask, &two));
        prop_assert_eq!(decide(&one, &first.0, &first.1), decide(&two, &second.0, &second.1));
    }

    #[test]
    fn shadow_rules_change_nothing_but_the_shadow_trace(
        rules in any_rules(), shadow in any_rules(), default in any_default(), ask in any_ask(),
    ) {
        let before = outcome(&rules, default, &ask);
        let shadowed = shadow.into_iter().map(RuleSketch::in_shadow);
        let mut after = outcome(&rules.iter().cloned().chain(shadowed).collect::<Vec<_>>(), default, &ask);
        // Shadow limits have counters of their own; those of enforced rules are charged as before.
        prop_assert!(before.charges.iter().all(|charge| after.charges.contains(charge)));
        after.shadow.clear();
        after.charges.clone_from(&before.charges);
        prop_assert_eq!(before, after);
    }

    #[test]
    fn duties_never_decide(rules in any_rules(), duty in any_rule(), default in any_default(), ask in any_ask()) {
        let before = outcome(&rules, default, &ask);
        let mut after = outcome(&with(&rules, duty.only_a_duty()), default, &ask);
        after.audit = before.audit.clone();
        prop_assert_eq!(before, after);
    }

    #[test]
    fn an_unknown_source_is_treated_as_strictly_as_any(rules in any_rules(), default in any_default(), ask in any_ask()) {
        let unknown = outcome(&rules, default, &Ask { source: None, ..ask.clone() });
        for source in ["stripe", "aws", "other"] {
            let known = outcome(&rules, default, &Ask { source: Some(source), ..ask.clone() });
            // A restriction of another source may also be what keeps the default from being asked.
            prop_assert!(unknown.outcome >= known.outcome || was_matched(&unknown), "{unknown:?}\n{known:?}");
        }
    }

    #[test]
    fn a_limit_in_use_is_never_laxer_than_one_unused(
        rules in any_rules(), default in any_default(), ask in any_ask(), used in 0i64..10,
    ) {
        let at = |value: i64| {
            outcome(&rules, default, &Ask { meter: MeterValue::Ready(value.into()), ..ask.clone() })
        };
        let (unused, used) = (at(0), at(used));
        prop_assert!(used.outcome >= unused.outcome || was_matched(&used), "{unused:?}\n{used:?}");
    }

    #[test]
    fn an_approval_takes_away_holds_and_nothing_else(rules in any_rules(), default in any_default(), ask in any_ask()) {
        let bundle = publish(&rules, default);
        let (prepared, mut facts) = facts(&ask, &bundle);
        let asked = decide(&bundle, &prepared, &facts);
        let vote = Vote { by: "ana".to_owned(), groups: Groups::All, at: facts.now, verdict: Verdict::Approve, comment: None };
        let digest = prepared.call().digest();
        facts.approval = Some(Evidence { id: "apr".to_owned(), digest, created_at: facts.now, votes: vec![vote] });
        let redeemed = decide(&bundle, &prepared, &facts);
        let expected = if asked.outcome == Block { Block } else { Allow };
        prop_assert_eq!(redeemed.outcome, expected, "{:?}", asked);
    }

    #[test]
    fn the_same_inputs_give_the_same_decision_from_the_record(
        rules in any_rules(), default in any_default(), ask in any_ask(),
    ) {
        let bundle = publish(&rules, default);
        let (prepared, facts) = facts(&ask, &bundle);
        let record = serde_json::to_vec(&decide(&bundle, &prepared, &facts)).unwrap();
        let kept: Facts = serde_json::from_slice(&serde_json::to_vec(&facts).unwrap()).unwrap();
        let stored = Bundle::from_canonical(bundle.canonical()).unwrap();
        let (payload, readings) = (prepared.call().to_payload(), prepared.readings().to_value());
        let recorded = Recorded { payload: &payload, readings: &readings, facts: &kept };
        prop_assert_eq!(differences(&record, &recompute(&stored, &recorded).unwrap()), Ok(vec![]));
    }

    /// What `prepare` leaves out by index and gates is what the reference says is not about the call
    /// or false, and nothing else.
    #[test]
    fn nothing_is_left_out_that_the_reference_would_keep(
        rules in any_rules(), default in any_default(), ask in any_ask(),
    ) {
        let bundle = publish(&rules, default);
        let (prepared, _) = facts(&ask, &bundle);
        let (call, readings) = (prepared.call(), prepared.readings());
        let view = View { call, readings, risk: prepared.risk(), settings: bundle.settings(), state: None };
        let mut budget = Budget(STEPS);
        let kept: Vec<u32> = (0u32..)
            .zip(bundle.rules())
            .filter(|(_, rule)| rule.touches(call))
            .filter_map(|(place, rule)| Candidate::new(place, rule, &view, &mut budget))
            .map(|candidate| candidate.rule)
            .collect();
        prop_assert_eq!(prepared.candidates.iter().map(|candidate| candidate.rule).collect::<Vec<_>>(), kept);
    }

    #[test]
    fn requirements_come_with_holds_and_charges_with_everything_but_blocks(
        rules in any_rules(), default in any_default(), ask in any_ask(),
    ) {
        let decision = outcome(&rules, default, &ask);
        prop_assert_eq!(decision.outcome == RequireApproval, !decision.requirements.is_empty());
        prop_assert!(decision.outcome != Block || decision.charges.is_empty());
        prop_assert!(decision.severity >= decision.risk.severity);
    }
}

#[test]
fn the_generator_reaches_every_outcome_by_every_way() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..400 {
        let rules = any_rules().new_tree(&mut runner).unwrap().current();
        let ask = any_ask().new_tree(&mut runner).unwrap().current();
        let decision = outcome(&rules, Block, &ask);
        seen.insert((decision.outcome.as_str(), decision.code.as_str()));
    }
    for way in [
        ("ALLOW", "policy"),
        ("BLOCK", "policy"),
        ("BLOCK", "default"),
        ("BLOCK", "limit"),
        ("BLOCK", "evaluation_error"),
        ("REQUIRE_APPROVAL", "policy"),
        ("REQUIRE_APPROVAL", "unreadable"),
        ("REQUIRE_APPROVAL", "evaluation_error"),
    ] {
        assert!(seen.contains(&way), "{way:?} not in {seen:?}");
    }
}
