use super::*;
use crate::value::Value;
use proptest::prelude::*;

fn resolved(declared: &str) -> Action {
    resolve(&Catalogue::builtin(), declared, None, &Object::new()).unwrap()
}

fn context(members: &[(&str, Value)]) -> Object {
    members.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
}

fn effect_with(declared: &str, members: &[(&str, Value)]) -> Effect {
    resolve(&Catalogue::builtin(), declared, None, &context(members)).unwrap().effect
}

fn types(action: &Action) -> Vec<&str> {
    action.types.iter().map(|name| &**name).collect()
}

#[test]
fn a_known_action_brings_its_parents() {
    let action = resolved("deleteUser");
    assert_eq!(&*action.canonical, "delete_user");
    assert_eq!(types(&action), ["delete_user", "delete_record", "delete_records"]);
    assert_eq!(action.own_types.len(), 1);
    assert!(action.known && !action.inferred && action.is("delete_record"));
    assert_eq!((action.effect, action.domain), (Effect::Destructive, Domain::Enterprise));
}

#[test]
fn an_unknown_reading_verb_is_an_inferred_read() {
    for name in [
        "get_weather",
        "listIssues",
        "fetch-forecast",
        "charges.list",
        "count_items",
        "get_order",
        "search_web",
        "get_orders_by_date",
        "find_and_count",
        "get_order_status",
        "list_pull_requests",
        "list_open_issues",
        "slack_list_channels",
        "google_calendar_list_events",
        "kubectl_get",
        "web_search",
        "brave_web_search",
        "conversations.history",
        "git_status",
        "whoami",
        "check_order_status",
        "has_order_history",
        "preview_email_template",
        "list_trash",
    ] {
        let action = resolved(name);
        assert_eq!((action.effect, action.inferred, action.known), (Effect::Read, true, false), "{name}");
    }
}

#[test]
fn compound_and_contradictory_names_take_the_strictest() {
    for (name, effect) in [
        ("get_and_delete_user_data", Effect::Destructive),
        ("getOrCreateCart", Effect::Write),
        ("list_then_purge", Effect::Destructive),
        ("read_write_access", Effect::Write),
        ("mark_read", Effect::Write),
        ("delete", Effect::Destructive),
        ("refund_everyone_now", Effect::Write),
        ("get_and_launch", Effect::Unknown),
        ("fetch_or_zap", Effect::Unknown),
        ("launch_rocket", Effect::Write),
        ("zap", Effect::Unknown),
        ("weather", Effect::Unknown),
        ("unread_items", Effect::Unknown),
        ("forget_all", Effect::Unknown),
        ("target_list", Effect::Unknown),
        ("get.and.destroy", Effect::Destructive),
        ("evil.list", Effect::Read),
        // A verb nobody knows may stand where a platform would.
        ("toggle_list", Effect::Unknown),
        ("rebuild_search", Effect::Unknown),
        ("toggle_status", Effect::Unknown),
        ("slack_post_list", Effect::Write),
        ("slack_list_and_leave", Effect::Unknown),
        ("get_order_and_refund_it", Effect::Write),
        ("get_restart_service", Effect::Write),
        ("aws_toggle_list", Effect::Unknown),
        ("delete.list", Effect::Destructive),
        ("check_and_delete_user", Effect::Destructive),
        ("preview_then_drop_table", Effect::Destructive),
        ("lookup_delete", Effect::Destructive),
        ("preview_offboard_employee", Effect::Destructive),
        ("check_trash_message", Effect::Write),
        ("preview_void_invoice", Effect::Write),
        ("check_archive_user", Effect::Write),
        ("lookup_demote_admin", Effect::Write),
    ] {
        assert_eq!(resolved(name).effect, effect, "{name}");
    }
}

#[test]
fn reading_a_secret_is_no_read() {
    for name in [
        "get_api_key",
        "listSecrets",
        "fetch_password",
        "read_credentials",
        "getAccessToken2",
        "show_pass_words",
        "get_ssh_key",
        "read_env",
        "view_pin",
        "get_apikeys",
        "find_private_data",
    ] {
        assert_ne!(resolved(name).effect, Effect::Read, "{name}");
    }
    assert_eq!(effect_with("get_thing", &[("resource", "secrets".into())]), Effect::Unknown);
    assert_eq!(effect_with("get_thing", &[("apiToken", "x".into())]), Effect::Unknown);
}

#[test]
fn a_context_that_acts_makes_no_read() {
    let texts = [
        "https://evil.test",
        "http:evil.test",
        "//evil.test/x",
        "www.evil.test",
        "mailto:x@evil.test",
        "data:text/html,x",
        "169.254.169.254",
        "localhost:80",
        "/etc/passwd",
        "../x",
        "C:\\Windows",
        "~root",
        "rm -rf x",
        "curl evil.test",
        "a && b",
        "a | b",
        "$(id)",
        "`id`",
        "a; b",
        "x > y",
        "SELECT 1",
        "select * from users",
        "DELETE FROM users",
        "drop table users",
        "1 union select x from y",
        "x -- y",
        "/* x */",
        "update users set x = 1",
        "INSERT INTO t",
        "ftp:x",
    ];
    for text in texts {
        assert_eq!(effect_with("get_weather", &[("city", text.into())]), Effect::Unknown, "{text}");
        let nested = Value::List(vec![Value::Object(context(&[("x", text.into())]))]);
        assert_eq!(effect_with("get_weather", &[("deep", nested)]), Effect::Unknown, "{text} nested");
        assert_eq!(effect_with("get_weather", &[(text, Value::Null)]), Effect::Unknown, "{text} as a key");
    }
    for key in ["url", "callbackUrl", "sql", "command", "filePath", "headers"] {
        assert_eq!(effect_with("get_weather", &[(key, "x".into())]), Effect::Unknown, "{key}");
    }
    assert_eq!(effect_with("get_weather", &[("method", "DELETE".into())]), Effect::Unknown);
    assert_eq!(effect_with("get_weather", &[("method", Value::Null)]), Effect::Unknown);
    assert_eq!(
        effect_with("get_weather", &[("city", "Oslo".into()), ("days", 3.into()), ("method", "GET".into())]),
        Effect::Read
    );
    assert_eq!(effect_with("search_notes", &[("query", "who wrote the update, and when?".into())]), Effect::Read);
}

#[test]
fn names_that_are_not_plain_are_unknown() {
    for name in ["read_balаnce", "get weather now", "get_weather!", "get_wéather", "ｇｅｔ_weather", "get(weather)"]
    {
        let action = resolved(name);
        assert_eq!((action.effect, action.inferred, action.known), (Effect::Unknown, false, false), "{name}");
    }
    assert_ne!(&*resolved("read_balаnce").canonical, "read_balance");
}

#[test]
fn names_nobody_can_read_are_refused() {
    let refused = |name: &str| resolve(&Catalogue::builtin(), name, None, &Object::new()).unwrap_err();
    assert_eq!(refused(""), TextError::Empty);
    assert!(matches!(refused("send\u{200b}email"), TextError::Unprintable { .. }));
    assert!(matches!(refused("send\0email"), TextError::Unprintable { .. }));
    assert_eq!(refused(&"a".repeat(257)), TextError::TooLong { limit: 256 });
    assert!(resolve(&Catalogue::builtin(), "send_email", Some("a\nb"), &Object::new()).is_err());
}

#[test]
fn the_tool_adds_what_it_is_known_to_do() {
    let action = resolve(&Catalogue::builtin(), "read_balance", Some("delete_user"), &Object::new()).unwrap();
    assert_eq!(&*action.canonical, "read_balance");
    assert!(action.is("delete_records"));
    assert_eq!(action.effect, Effect::Destructive);
    let action =
        resolve(&Catalogue::builtin(), "execute_mcp_tool", None, &context(&[("tool", "sendEmail".into())])).unwrap();
    assert!(action.is("send_email") && action.is("execute_mcp_tool"));
    assert!(action.inspectors.contains(Inspector::Recipients));
    assert_eq!(
        resolve(&Catalogue::builtin(), "read_balance", Some("my_tool"), &Object::new()).unwrap().own_types.len(),
        1
    );
}

#[test]
fn a_foreign_namespace_keeps_its_name_and_gains_the_restrictions() {
    let action = resolved("acme.delete_records");
    assert_eq!(&*action.canonical, "acme_delete_records");
    assert_eq!(types(&action), ["acme_delete_records", "delete_records"]);
    assert!(!action.known);
    assert_eq!(resolved("evil.create_charge").own_types.len(), 2);
}

#[test]
fn what_is_looked_for_and_names_of_parts_are_no_addresses() {
    let reads = [
        ("query", "from:ana is:unread label:work"),
        ("q", "read/write locks"),
        ("repo", "acme/web"),
        ("timezone", "America/Argentina/Buenos_Aires"),
        ("resource", "pod/web-1"),
        ("key", "A-17"),
        ("issueKey", "A-17"),
    ];
    for (key, text) in reads {
        assert_eq!(effect_with("search_things", &[(key, text.into())]), Effect::Read, "{key}: {text}");
    }
    let acts = [
        ("query", "mailto:x@evil.test"),
        ("query", "https://evil.test"),
        ("q", "/etc/passwd"),
        ("q", "a/../../b"),
        ("q", "data:text"),
        ("q", "delete:from"),
        ("repo", "../web"),
        ("repo", "acme/web;id"),
        ("repo", "/acme/web"),
        ("timezone", "a/b/c/d"),
        ("resource", "secret/db"),
        ("key", "api_key"),
        ("apiKey", "A-17"),
        ("city", "from:ana"),
        ("city", "acme/web"),
    ];
    for (key, text) in acts {
        assert_eq!(effect_with("search_things", &[(key, text.into())]), Effect::Unknown, "{key}: {text}");
    }
}

#[test]
fn a_verb_behind_or_further_in_brings_its_restrictions() {
    assert!(resolved("acme.charges.create").is("create_charge"));
    assert!(resolved("acme.payment_intents.create").is("create_charge"));
    assert!(resolved("crm.customers.delete").is("delete_records"));
    let hidden = resolved("check_charge_card");
    assert!(hidden.is("create_charge") && hidden.effect == Effect::Write && hidden.own_types.len() == 2);
    assert!(!resolved("get_bank_transfer").is("transfer_funds"));
}

#[test]
fn dropping_by_name_deletes_what_holds_rows() {
    for (name, deletes) in [("drop_table", true), ("dropColumn", true), ("drop_index", false), ("add_column", false)] {
        let action = resolved(name);
        assert_eq!((&*action.canonical, action.is("delete_records")), ("modify_schema", deletes), "{name}");
    }
}

proptest! {
    #[test]
    fn the_canonical_type_is_always_a_member(name in "[a-zA-Z_.-]{1,24}") {
        if let Ok(action) = resolve(&Catalogue::builtin(), &name, None, &Object::new()) {
            prop_assert!(action.is(&action.canonical));
            prop_assert_eq!(&action.own_types[0], &action.canonical);
            prop_assert!(action.own_types.iter().all(|own| action.types.contains(own)));
        }
    }

    #[test]
    fn more_context_never_relaxes_the_effect(
        name in "(get|list|send|zap|delete)_[a-z]{1,6}",
        key in "[a-z]{1,8}",
        text in "\\PC{0,16}",
    ) {
        let bare = resolved(&name).effect;
        prop_assert!(effect_with(&name, &[(&key, Value::from(text))]) >= bare);
    }

    #[test]
    fn adding_a_type_only_tightens(name in "[a-z]{3,8}_[a-z]{3,8}", index in 0usize..32) {
        let catalogue = Catalogue::builtin();
        let before = resolved(&name);
        let mut after = before.clone();
        after.add(&catalogue, &catalogue.types().nth(index).unwrap().name);
        prop_assert!(after.effect >= before.effect && after.base_risk >= before.base_risk);
        prop_assert!(before.types.iter().all(|name| after.types.contains(name)));
    }
}
