use super::*;
use proptest::prelude::*;

fn environment(name: &str) -> Environment {
    Environment::new(name).unwrap()
}

fn context(members: &[(&str, Value)]) -> Object {
    members.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
}

fn resolved(registration: &Registration, agent: &str, members: &[(&str, Value)]) -> String {
    resolve(registration, &environment(agent), &context(members)).to_string()
}

#[test]
fn every_spelling_of_production_is_production() {
    for name in
        ["production", "prod", "PROD", " Production ", "prod-eu-1", "eu_production", "live", "ｐｒｏｄ", "us.prod"]
    {
        assert_eq!(environment(name), Environment::production(), "{name}");
    }
    for name in ["production", "staging", "development", "test", "sandbox"] {
        assert_eq!(environment(&name.to_uppercase()), environment(name));
    }
    for name in ["non-prod", "preprod", "pre-production", "product", "staging", "reproduction", "not_live"] {
        assert!(!environment(name).is_production(), "{name}");
    }
}

#[test]
fn unknown_names_are_stricter_than_staging() {
    let order = ["development", "staging", "customer-7", "production"];
    for pair in order.windows(2) {
        assert!(environment(pair[0]) < environment(pair[1]), "{pair:?}");
    }
    assert_eq!(environment("dev").strictness(), environment("qa").strictness());
}

#[test]
fn registration_decides_alone() {
    let registered = Registration { environment: Some(environment("staging")), ..Registration::default() };
    assert_eq!(resolved(&registered, "production", &[("environment", "production".into())]), "staging");
}

#[test]
fn context_may_only_tighten_an_unregistered_target() {
    let none = Registration::default();
    assert_eq!(resolved(&none, "production", &[("environment", "staging".into())]), "production");
    assert_eq!(resolved(&none, "development", &[("environment", "Prod".into())]), "production");
    assert_eq!(resolved(&none, "development", &[("env", "staging".into()), ("stage", "dev".into())]), "staging");
    assert_eq!(resolved(&none, "development", &[]), "development");
}

#[test]
fn context_decides_where_registered_so_and_silence_is_production() {
    let told = Registration { environment_from_context: true, ..Registration::default() };
    assert_eq!(resolved(&told, "production", &[("environment", "staging".into())]), "staging");
    assert_eq!(resolved(&told, "development", &[]), "production");
    assert_eq!(resolved(&told, "development", &[("environment", "dev".into()), ("env", "prod".into())]), "production");
}

#[test]
fn an_unreadable_environment_is_production() {
    let told = Registration { environment_from_context: true, ..Registration::default() };
    for value in [Value::Null, Value::from(3), Value::from(""), Value::from("dev\0"), Value::Bool(false)] {
        assert_eq!(resolved(&told, "development", &[("environment", value)]), "production");
    }
}

#[test]
fn another_spelling_only_makes_it_stricter() {
    let told = Registration { environment_from_context: true, ..Registration::default() };
    let said = |name, value: &str| [("environment", "staging".into()), (name, Value::from(value))];
    assert_eq!(resolved(&told, "development", &said("ENV", "prod")), "production");
    assert_eq!(resolved(&told, "development", &said("deployment_environment", "prod")), "production");
    assert_eq!(resolved(&told, "development", &said("Environment", "dev")), "staging");
    assert_eq!(resolved(&told, "development", &[("Environment", "staging".into())]), "production");
    assert_eq!(resolved(&Registration::default(), "staging", &[("Environment", "prod".into())]), "production");
}

proptest! {
    #[test]
    fn the_environment_is_never_laxer_than_the_agents(agent in "[a-z]{1,8}|prod|staging|dev", said in "[a-z]{0,8}|prod|staging|dev") {
        let agent = environment(&agent);
        let call = resolve(&Registration::default(), &agent, &context(&[("environment", Value::from(said.as_str()))]));
        prop_assert!(call >= agent);
    }

    #[test]
    fn names_in_ascii_are_compared_as_all_names_are(name in "[eEnNvVsStT_ .-]{0,6}|[a-zA-Z]{0,4}|(?i)environment|(?i)deployment.?environment") {
        let letters = |text: &str| -> String {
            text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
        };
        for key in CONTEXT_KEYS {
            prop_assert_eq!(is_spelling(&name, key), letters(&name) == letters(key), "{} for {}", name, key);
        }
    }

    #[test]
    fn normalising_is_idempotent(name in "[a-zA-Z _-]{1,12}") {
        if let Ok(once) = Environment::new(&name) {
            prop_assert_eq!(Environment::new(once.as_str()).unwrap(), once);
        }
    }
}
