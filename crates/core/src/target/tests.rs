use super::*;

fn parse(text: &str) -> Result<Registration, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn wire_form_survives_a_round_trip() {
    let text = r#"{"environment":"prod","sensitivity":"high","audience":"internal","hosts":["API.github.com","*.acme.example"]}"#;
    let registration = parse(text).unwrap();
    assert_eq!(registration.environment, Some(Environment::production()));
    assert_eq!(registration.hosts, ["api.github.com", "*.acme.example"]);
    let written = serde_json::to_string(&registration).unwrap();
    assert_eq!(parse(&written).unwrap(), registration);

    let told = parse(r#"{"environmentFrom":"context"}"#).unwrap();
    assert!(told.environment_from_context);
    assert_eq!(serde_json::to_string(&told).unwrap(), r#"{"environmentFrom":"context"}"#);
    assert_eq!(parse("{}").unwrap(), Registration::default());
}

#[test]
fn a_misspelt_restriction_is_refused() {
    assert!(parse(r#"{"enviroment":"production"}"#).unwrap_err().contains("unknown field `enviroment`"));
    assert!(parse(r#"{"sensitivity":"secret"}"#).unwrap_err().contains("unknown variant `secret`"));
    assert!(parse(r#"{"environmentFrom":"agent"}"#).unwrap_err().contains("unknown variant `agent`"));
    assert!(parse(r#"{"environment":""}"#).unwrap_err().contains("environment `` must not be empty"));
    assert!(
        parse(r#"{"environment":"staging","environmentFrom":"context"}"#).unwrap_err().contains("exclude each other")
    );
}

#[test]
fn hosts_are_names_and_nothing_else() {
    for host in [
        "https://a.example",
        "a.example:443",
        "a.example/x",
        "",
        "*",
        "*.com",
        "a..b",
        "-a.example",
        "ä.example",
        "a b",
    ] {
        let error = parse(&serde_json::json!({ "hosts": [host] }).to_string()).unwrap_err();
        assert!(error.contains("is not a host name"), "{host}: {error}");
    }
    assert!(parse(r#"{"hosts":["localhost","xn--4ca.example","10.0.0.1"]}"#).is_ok());
}
