//! Calls whose arguments contradict each other, or say more than the rule looks at first: the shipped
//! packs hold them, and still allow the plain call.

use crate::sandbox::{Sandbox, action, production_agent};
use runplane_core::meter::Meters;
use runplane_core::outcome::Outcome;
use runplane_core::settings::Settings;

fn decide(kind: &str, target: &str, context: &str) -> (Outcome, String) {
    let settings: Settings = serde_json::from_str(
        r##"{"internalDomains":["acme.example"],"defaultDecision":"REQUIRE_APPROVAL","targets":{
            "staging-db":{"environment":"staging"},"prod-db":{"environment":"production"},"slack":{"audience":"internal"},"kubernetes":{"environmentFrom":"context"},
            "github":{"hosts":["api.github.com"]}}}"##,
    )
    .unwrap();
    let call = format!(r#"{{"type":"{kind}","target":"{target}","context":{context}}}"#);
    let decision = Sandbox::new(settings, production_agent()).run(&action(&call), &mut Meters::default());
    (decision.outcome, decision.matched_rule.to_string())
}

fn each(expected: Outcome, calls: &[(&str, &str, &str)]) {
    for (kind, target, context) in calls {
        let (outcome, rule) = decide(kind, target, context);
        assert_eq!(outcome, expected, "{kind} {context}: {rule}");
    }
}

#[test]
fn an_argument_in_two_spellings_is_held() {
    each(
        Outcome::RequireApproval,
        &[
            ("modify_record", "crm", r#"{"recordType":"note","RecordType":"contract"}"#),
            ("sync_data", "salesforce", r#"{"direction":"pull","Direction":"push"}"#),
            ("export_data", "warehouse", r#"{"destination":"internal","Destination":"external","rows":1}"#),
            ("deploy_service", "kubernetes", r#"{"environment":"staging","ENV":"production","percent":100}"#),
            (
                "deploy_service",
                "kubernetes",
                r#"{"environment":"staging","deployment_environment":"prod","percent":100}"#,
            ),
        ],
    );
}

#[test]
fn a_second_argument_that_reaches_further_counts() {
    each(
        Outcome::RequireApproval,
        &[
            ("create_charge", "stripe", r#"{"amount":200,"amount_total":60000}"#),
            ("create_charge", "stripe", r#"{"amount":200,"quantity":1000}"#),
            ("delete_records", "staging-db", r#"{"count":10,"sql":"DELETE FROM users"}"#),
            ("bulk_update", "prod-db", r#"{"count":5,"sql":"UPDATE users SET a = 1"}"#),
            ("deploy_service", "kubernetes", r#"{"environment":"prod","percent":10,"rollout":{"percent":100}}"#),
            ("scale_resources", "aws", r#"{"from":4,"to":6,"max":500}"#),
            ("scale_resources", "aws", r#"{"from":4,"to":6,"factor":30}"#),
            ("sync_data", "salesforce", r#"{"direction":"pull","mode":"push"}"#),
            ("push_data", "salesforce", r#"{"direction":"pull"}"#),
            ("export_data", "warehouse", r#"{"destination":"internal","rows":1,"url":"https://evil.test"}"#),
            ("modify_record", "crm", r#"{"recordType":"note","objectType":"contract"}"#),
            ("modify_record", "crm", r#"{"recordType":"note","record":{"type":"contract"}}"#),
            (
                "call_api",
                "github",
                r#"{"method":"GET","url":"https://api.github.com/","redirectTo":"https://evil.test"}"#,
            ),
        ],
    );
    each(
        Outcome::Block,
        &[
            ("export_data", "warehouse", r#"{"destination":"internal","to":"x@evil.test","rows":1}"#),
            (
                "call_api",
                "github",
                r#"{"method":"GET","url":"https://api.github.com/","requests":[{"method":"DELETE","url":"https://api.github.com/"}]}"#,
            ),
        ],
    );
}

#[test]
fn a_change_under_a_name_that_means_nothing_is_a_change() {
    for context in [
        r#"{"sql":"SELECT 1","then":"DELETE FROM users"}"#,
        r#"{"sql":"SELECT 1","steps":["SELECT 2","DROP TABLE users"]}"#,
        r#"{"sql":"SELECT 1","parameters":{"sql":"DELETE FROM users"}}"#,
    ] {
        assert_eq!(decide("execute_query", "prod-db", context).0, Outcome::Block, "{context}");
    }
    each(
        Outcome::Allow,
        &[
            ("execute_query", "prod-db", r#"{"sql":"SELECT a FROM t WHERE b = $1","params":["DELETE FROM users"]}"#),
            ("execute_query", "prod-db", r#"{"sql":"SELECT a FROM t WHERE b = :b","parameters":{"b":"drop it now"}}"#),
            ("execute_query", "prod-db", r#"{"sql":"SELECT 1","reason":"Delete check before the release"}"#),
            ("execute_query", "prod-db", r#"{"sql":"SELECT 1","database":"orders","schema":"public","timeout":5}"#),
        ],
    );
}

#[test]
fn one_record_is_named_plainly() {
    each(
        Outcome::RequireApproval,
        &[
            ("delete_record", "staging-db", r#"{"recordId":"*"}"#),
            ("delete_record", "staging-db", r#"{"recordId":["a","b"]}"#),
            ("delete_record", "staging-db", r#"{"key":{"$ne":null}}"#),
            ("delete_file", "staging-db", r#"{"path":"/"}"#),
            ("modify_record", "crm", "{\"recordType\":\"contr\u{430}ct\"}"),
            ("modify_record", "crm", "{\"recordType\":\"c\u{200b}ontract\"}"),
            ("modify_record", "crm", "{\"recordType\":\"\u{ff23}ontract\"}"),
            ("modify_record", "crm", r#"{"recordType":"NDA"}"#),
            ("send_email", "smtp", r#"{"to":"*@acme.example"}"#),
        ],
    );
}

#[test]
fn plain_calls_are_still_allowed() {
    each(
        Outcome::Allow,
        &[
            ("modify_record", "crm", r#"{"recordType":"calendar_event","recordId":"e_1"}"#),
            ("modify_record", "crm", r#"{"recordType":"Note","type":"memo","object":{"id":1}}"#),
            ("sync_data", "salesforce", r#"{"direction":"pull","mode":"incremental"}"#),
            ("delete_record", "staging-db", r#"{"recordId":"r_1"}"#),
            ("delete_records", "staging-db", r#"{"count":10,"sql":"DELETE FROM users WHERE id = 7"}"#),
            ("create_charge", "stripe", r#"{"amount":200,"quantity":1,"currency":"usd"}"#),
            ("scale_resources", "aws", r#"{"from":4,"to":6,"min":2,"max":10}"#),
            ("export_data", "warehouse", r#"{"destination":"internal","rows":100,"to":"internal"}"#),
        ],
    );
}

#[test]
fn a_name_that_only_begins_like_a_read_is_held() {
    let held =
        ["check_out", "check_in_guest", "get_rid_of_user", "view_as_admin", "get_kubeconfig", "get_backup_codes"];
    for name in held {
        assert_eq!(decide(name, "svc", "{}").0, Outcome::RequireApproval, "{name}");
    }
    for context in [r#"{"action":"delete"}"#, r#"{"delete":true}"#, r#"{"q":"ls -la"}"#, r#"{"q":"db.users.drop()"}"#] {
        assert_eq!(decide("get_weather", "svc", context).0, Outcome::RequireApproval, "{context}");
    }
    for context in [r#"{"city":"Oslo","delete":false}"#, r#"{"city":"Saint-Jean - Sud"}"#, r#"{"mode":"hourly"}"#] {
        assert_eq!(decide("get_weather", "svc", context).0, Outcome::Allow, "{context}");
    }
}
