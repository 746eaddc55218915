use super::super::tests::call;
use super::*;

fn reading(context: &str) -> (Option<String>, Option<String>) {
    let Reading::Object(members) = read(&call("process_refund", context)) else { panic!("{context}") };
    let shown = |value: &Value| match value {
        Value::Number(number) => number.to_string(),
        Value::Text(text) => text.to_string(),
        other => panic!("{other:?}"),
    };
    (members.get("amount").map(shown), members.get("currency").map(shown))
}

#[test]
fn amounts_are_exact() {
    for (context, amount, currency) in [
        (r#"{"amount":500.01,"currency":"usd"}"#, "500.01", Some("USD")),
        (r#"{"amount":-800}"#, "-800", None),
        (r#"{"amount":0.1}"#, "0.1", None),
        (r#"{"amount":{"value":5,"currency":"EUR"}}"#, "5", Some("EUR")),
        (r#"{"amountCents":50001,"currency":"usd"}"#, "500.01", Some("USD")),
        (r#"{"amount_in_cents":500,"currency":"JPY"}"#, "500", Some("JPY")),
        (r#"{"amount":5,"amountCents":500}"#, "5", None),
        (r#"{"total":7,"currencyCode":"CHF"}"#, "7", Some("CHF")),
    ] {
        assert_eq!(reading(context), (Some(amount.into()), currency.map(str::to_owned)), "{context}");
    }
}

#[test]
fn what_is_no_plain_amount_is_unknown() {
    for context in [
        "{}",
        r#"{"amount":null}"#,
        r#"{"amount":"800"}"#,
        r#"{"amount":[800]}"#,
        r#"{"amount":true}"#,
        r#"{"amount":{}}"#,
        r#"{"amount":{"value":"5"}}"#,
        r#"{"amount":5,"total":800}"#,
        r#"{"amount":5,"amountCents":80000}"#,
        r#"{"amount":5,"Amount":800}"#,
        r#"{"amountCents":"500"}"#,
        r#"{"amount":5,"value":"800"}"#,
        r#"{"amount":{"value":5,"amount":6}}"#,
    ] {
        assert_eq!(reading(context).0.as_deref(), Some("UNKNOWN"), "{context}");
    }
    for context in [
        r#"{"amount":5,"currency":"dollars"}"#,
        r#"{"amount":5,"currency":7}"#,
        r#"{"amount":5,"currency":"usd","currencyCode":"eur"}"#,
        r#"{"amount":5,"currency":"uѕd"}"#,
        r#"{"amount":5,"currency":null}"#,
    ] {
        assert_eq!(reading(context).1.as_deref(), Some("UNKNOWN"), "{context}");
    }
}
