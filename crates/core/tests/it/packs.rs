use crate::sandbox::{Sandbox, action, production_agent, settings_with_default, shipped};
use runplane_core::meter::Meters;
use runplane_core::outcome::Outcome;
use runplane_core::policy::{Bundle, BundleInputs};
use runplane_core::settings::Settings;

#[test]
fn every_pack_publishes_without_error_or_warning() {
    let inputs = shipped(Settings::default());
    assert!(inputs.policies.len() >= 7);
    for policy in &inputs.policies {
        let alone = BundleInputs { policies: vec![policy.clone()], ..inputs.clone() };
        match Bundle::publish(&alone) {
            Ok((_, warnings)) => assert_eq!(warnings, [], "{}", policy.0),
            Err(errors) => panic!("{}", errors.iter().map(|error| format!("{error}\n")).collect::<String>()),
        }
    }
    let (_, warnings) = Bundle::publish(&inputs).expect("the packs publish together");
    assert_eq!(warnings, []);
}

#[test]
fn the_packs_come_back_from_their_stored_form() {
    let (bundle, _) = Bundle::publish(&shipped(Settings::default())).unwrap();
    let again = Bundle::from_canonical(bundle.canonical()).unwrap();
    assert_eq!(again.digest(), bundle.digest());
    assert_eq!(again.policies(), bundle.policies());
}

#[test]
fn an_amount_that_cannot_be_read_is_held_and_not_blocked() {
    let sandbox = Sandbox::new(settings_with_default(Outcome::RequireApproval), production_agent());
    for amount in ["\"60000\"", "null", "true", "[60000]", "{}"] {
        let context = format!(r#"{{"type":"create_charge","target":"stripe","context":{{"amount":{amount}}}}}"#);
        let decision = sandbox.run(&action(&context), &mut Meters::default());
        assert_eq!(decision.outcome, Outcome::RequireApproval, "{amount}: {}", decision.matched_rule);
    }
    let missing = sandbox.run(&action(r#"{"type":"create_charge","target":"stripe"}"#), &mut Meters::default());
    assert_eq!(missing.outcome, Outcome::RequireApproval, "{}", missing.matched_rule);
}

#[test]
fn every_restriction_and_permission_of_a_pack_says_why() {
    let (bundle, _) = Bundle::publish(&shipped(Settings::default())).unwrap();
    for rule in bundle.rules() {
        assert!(rule.decision.is_none() || rule.reason.is_some(), "{} has no reason", rule.id);
        assert!(rule.decision != Some(Outcome::Block) || rule.severity.is_some(), "{} has no severity", rule.id);
    }
}
