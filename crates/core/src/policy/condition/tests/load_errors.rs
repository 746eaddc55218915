//! Conditions that do not publish, with line, column and help.

use super::publish;

#[test]
fn mistakes_are_found_at_publish_where_they_stand() {
    for (text, finding) in [
        ("context.amuont > 500", "1:9: unknown name `context.amuont` (did you mean `amount`)"),
        ("contxt.amount > 500", "1:1: unknown name `contxt` (did you mean `context`)"),
        ("context.amount > 1 &&\n  agent.lables == []", "2:9: unknown name `agent.lables` (did you mean `labels`)"),
        ("meters.spend > 1", "1:8: unknown name `meters.spend` (did you mean `spent`)"),
        ("sql.kimd == \"SELECT\"", "1:5: unknown name `sql.kimd` (did you mean `kind`)"),
        ("context[\"amuont\"] > 1", "1:9: unknown name `context.amuont` (did you mean `amount`)"),
        ("context.to.startWith(\"a\")", "1:21: unknown function `startWith` (did you mean `startsWith`)"),
        ("agent == \"x\"", "1:1: `agent` is no value by itself"),
        (
            "action.type == \"process_refun\"",
            "1:16: unknown action type `process_refun` (did you mean `process_refund`)",
        ),
        ("\"procesrefund\" in action.types", "1:1: unknown action type `procesrefund`"),
        (
            "environment == \"prod\"",
            "1:16: `environment` is never `prod`: it is compared in its normal form (write `production`)",
        ),
        ("environment in [\"staging\", \"PROD\"]", "1:28: `environment` is never `PROD`"),
        ("target != \"Stripe\"", "1:11: `target` is never `Stripe`"),
        ("risk.severity == \"severe\"", "1:18: unknown severity `severe`"),
        ("risk.score == \"58\"", "1:12: this can only fail: number with string"),
        ("environment > 5", "1:13: this can only fail: string with number"),
        ("action.known > true", "1:14: this can only fail: bool with bool"),
        ("!5 || true", "1:2: true or false is needed here, this is a number"),
        ("1 + 1", "1:1: the condition is a number, not a bool"),
        ("\"text\"", "1:1: the condition is a string, not a bool"),
        ("context.note.matches(context.name)", "1:22: a pattern is a literal string"),
        ("context.note.matches(\"(\")", "1:22: the pattern cannot be used"),
        ("context.note.matches(\"(a{1000}){1000}\")", "1:22: the pattern cannot be used"),
        ("context.amount > 5u", "1:18: numbers are written without `u`"),
        ("context.note == b\"x\"", "1:17: there are no byte strings here"),
        ("context.amount > 12345678901234567890123456789012345.5", "1:18: a number has at most 34 digits"),
        ("has(context)", "1:4: `has` asks for a member"),
        ("now > timestamp(\"yesterday\")", "1:17: a moment is written as in RFC 3339"),
        ("now > timestamp(context.note)", "1:17: `timestamp` takes a literal string"),
        ("context.ids.exists(1, true)", "the first argument of `exists` is the name of a variable"),
        ("{\"a\": 1, \"a\": 2}.a == 1", "the key `a` is given twice"),
        ("context.amount >", "1:17: not a condition"),
        ("context.amount = 5", "1:16: not a condition"),
        ("(context.amount > 5", "not a condition"),
        ("((((((((((((((1 > 0))))))))))))))", "1:13: nested more than 12 deep"),
        ("x == 'open", "1:6: this string never ends"),
        ("", "1:1: the condition is empty"),
        ("Message{a: 1} == 1", "there are no message types here"),
        ("context.amount > 99999999999999999999", "invalid int literal"),
    ] {
        let findings = publish(text, false).map(|_| ()).expect_err(text);
        assert!(findings.iter().any(|found| found.contains(finding)), "{text}: {findings:#?}");
    }
}

#[test]
fn all_mistakes_of_a_condition_are_reported() {
    let findings = publish("context.amuont > 1 && agent.lables == [] && environment == \"prod\"", false);
    assert_eq!(findings.map(|_| ()).expect_err("three mistakes").len(), 3);
}

#[test]
fn unknown_names_are_let_through_only_where_strict_is_off() {
    for text in ["context.amuont > 500", "agent.lables == []", "somewhere == 1", "action.type == \"mine\""] {
        assert!(publish(text, false).is_err(), "{text}");
        assert!(publish(text, true).is_ok(), "{text}");
    }
    // What can only mislead is refused all the same.
    assert!(publish("environment == \"prod\"", true).is_err());
}

#[test]
fn a_variable_hides_names_only_where_it_is_bound() {
    assert!(publish("context.ids.exists(target, target == \"A\")", false).is_ok());
    assert!(publish("context.ids.exists(x, x == 1) && x == 1", false).is_err());
}
