use super::*;
use crate::environment::Environment;

fn parse(text: &str) -> Result<Settings, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn an_empty_document_is_the_default_and_blocks() {
    let settings = parse("{}").unwrap();
    assert_eq!(settings, Settings::default());
    assert_eq!(settings.default_decision, Outcome::Block);
}

#[test]
fn the_settings_of_the_cases_are_read() {
    let header = include_str!("../../../../contracts/cases/use-cases.jsonl").lines().next().unwrap();
    let header: serde_json::Value = serde_json::from_str(header).unwrap();
    let settings: Settings = serde_json::from_value(header["setup"]["settings"].clone()).unwrap();
    assert_eq!(settings.default_decision, Outcome::RequireApproval);
    assert_eq!(settings.registration("prod-db").unwrap().environment, Some(Environment::production()));
    assert!(settings.registration("kubernetes").unwrap().environment_from_context);
    assert!(settings.registration("stripe").is_none());
    let written = serde_json::to_string(&settings).unwrap();
    assert_eq!(parse(&written).unwrap(), settings);
}

#[test]
fn sub_domains_are_internal_only_where_it_is_said_and_look_alikes_never() {
    let settings = parse(r#"{"internalDomains":["@ACME.example","*.Corp.example"]}"#).unwrap();
    assert_eq!(settings.internal_domains, ["acme.example", "*.corp.example"]);
    for ours in ["acme.example", "eu.corp.example", "a.b.corp.example"] {
        assert!(settings.is_internal_domain(ours), "{ours}");
    }
    for foreign in [
        "mail.acme.example",
        "acme.example.evil.test",
        "notacme.example",
        "example",
        "",
        "acme.example.",
        "acme-example",
        "corp.example",
        "evilcorp.example",
        ".corp.example.evil.test",
    ] {
        assert!(!settings.is_internal_domain(foreign), "{foreign}");
    }
}

#[test]
fn errors_name_the_place() {
    for (text, place) in [
        (r#"{"internalDomains":["a.example","com"]}"#, "`internalDomains[1]` (`com`) has no dot"),
        (r#"{"internalDomains":["ä.example"]}"#, "`internalDomains[0]`"),
        (r#"{"targets":{"Prod-DB":{},"prod-db ":{}}}"#, "`targets.prod-db ` is registered twice"),
        (r#"{"targets":{"":{}}}"#, "`targets.` is not a target name: it must not be empty"),
        (
            r#"{"limits":{"legacyApprovalSeconds":300}}"#,
            "`limits.legacyApprovalSeconds` must be from 1 to 295, not 300",
        ),
        (r#"{"limits":{"openApprovalsPerAgent":0}}"#, "`limits.openApprovalsPerAgent`"),
        (r#"{"limits":{"requestsPerSecondPerAgent":0}}"#, "`limits.requestsPerSecondPerAgent`"),
        (r#"{"limits":{"maxDepth":129}}"#, "`limits.maxDepth`"),
        (r#"{"limits":{"maxDeph":3}}"#, "unknown field `maxDeph`"),
        (r#"{"defaultDecison":"ALLOW"}"#, "unknown field `defaultDecison`"),
        (r#"{"defaultDecision":"allow"}"#, "unknown variant `allow`"),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.contains(place), "{text}: {error}");
    }
}

#[test]
fn target_names_are_normalised() {
    let settings = parse(r#"{"targets":{" Finance-System ":{"sensitivity":"high"}}}"#).unwrap();
    assert!(settings.registration("finance-system").is_some());
}

#[test]
fn a_domain_with_an_equals_sign_is_read_as_one_without() {
    let settings: Settings = serde_json::from_str(r#"{"internalDomains":["=Acme.example"]}"#).unwrap();
    assert_eq!(settings.internal_domains, ["acme.example"]);
    assert!(!settings.is_internal_domain("eu.acme.example") && !settings.is_internal_domain("=acme.example"));
    for wrong in [
        "=",
        "==acme.example",
        "=acme",
        "acme.example=",
        "*.com",
        "*",
        "*.*.acme.example",
        "a*.acme.example",
        "*.=acme.example",
    ] {
        assert!(serde_json::from_str::<Settings>(&format!(r#"{{"internalDomains":["{wrong}"]}}"#)).is_err(), "{wrong}");
    }
}
