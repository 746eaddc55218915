use super::*;
use crate::inspect::Inspector;

fn builtin() -> Arc<Catalogue> {
    Catalogue::builtin()
}

fn named(declared: &str) -> Option<String> {
    builtin().find(declared).map(|kind| kind.name.to_string())
}

#[test]
fn the_shipped_catalogue_is_consistent_and_complete() {
    let catalogue = Catalogue::from_yaml(BUILTIN).unwrap();
    let documented = "create_charge process_refund update_subscription read_balance transfer_funds execute_query \
        modify_schema delete_records delete_record bulk_update terminate_instance modify_security deploy_service \
        scale_resources deploy_infrastructure send_email send_sms post_message broadcast_notification call_api \
        modify_webhook sync_data update_integration execute_mcp_tool generate_document export_data modify_record \
        approve_request delete_user inspect_resource manage_oauth_token deactivate_user";
    for name in documented.split_whitespace() {
        assert!(catalogue.get(name).is_some(), "{name}");
    }
    assert_eq!(catalogue.types().count(), documented.split_whitespace().count());
    assert_eq!(catalogue, *builtin());
}

#[test]
fn deleting_a_user_is_deleting_a_record_is_deleting_records() {
    let catalogue = builtin();
    let lineage: Vec<_> = catalogue.get("delete_user").unwrap().lineage.iter().map(ToString::to_string).collect();
    assert_eq!(lineage, ["delete_user", "delete_record", "delete_records"]);
    // A child has its parents' fields and the common ones.
    for field in ["username", "recordId", "count", "where", "environment"] {
        assert!(catalogue.field("delete_user", field).is_some(), "{field}");
    }
    assert!(catalogue.field("delete_user", "amount").is_none());
}

#[test]
fn documented_spellings_map_to_their_types() {
    for (declared, canonical) in [
        ("sendEmail", "send_email"),
        ("deleteUser", "delete_user"),
        ("deleteUser()", "delete_user"),
        ("delete_user", "delete_user"),
        ("stripe.charges.create", "create_charge"),
        ("processRefund", "process_refund"),
        ("process-refund", "process_refund"),
        ("Process Refund", "process_refund"),
        ("PROCESS_REFUND", "process_refund"),
        ("describe_instances", "inspect_resource"),
        ("describeInstances", "inspect_resource"),
        ("slack.chat.postMessage", "post_message"),
        ("tools/call", "execute_mcp_tool"),
        ("prisma.$queryRaw", ""),
        ("read_balаnce", ""),
        ("get_weather", ""),
        ("", ""),
        ("_", ""),
    ] {
        assert_eq!(named(declared).unwrap_or_default(), canonical, "{declared}");
    }
}

#[test]
fn words_follow_every_spelling() {
    for (name, expected) in [
        ("getHTTPPage.v2", "get http page v2"),
        ("delete-user_account", "delete user account"),
        ("ListAPIKeys", "list api keys"),
        ("SCREAMING_CASE", "screaming case"),
        ("s3.getObject", "s3 get object"),
        ("a__b", "a b"),
    ] {
        assert_eq!(words(name).join(" "), expected, "{name}");
    }
}

#[test]
fn a_catalogue_survives_the_way_through_json() {
    let catalogue = builtin();
    let again = Catalogue::from_json(&catalogue.to_json()).unwrap();
    assert_eq!(again, *catalogue);
    assert_eq!(again.digest(), catalogue.digest());
}

fn load(types: &str) -> Result<Catalogue, CatalogueError> {
    let base = "domain: database, effect: write, reversible: true, risk: 10, about: x";
    Catalogue::from_yaml(&format!("types:\n  {}", types.replace("BASE", base).replace('\n', "\n  ")))
}

#[test]
fn inconsistent_catalogues_are_refused() {
    let error = |types: &str| load(types).unwrap_err();
    assert!(load("a: { BASE, says: x }").is_ok());
    assert_eq!(error("Bad_Name: { BASE, says: x }"), CatalogueError::Name("Bad_Name".into()));
    assert!(matches!(
        error("a: { BASE, says: x, aliases: [make_it] }\nb: { BASE, says: x, aliases: [MakeIt] }"),
        CatalogueError::Ambiguous { .. }
    ));
    assert!(matches!(error("a: { BASE, says: x, parent: b }"), CatalogueError::Parent { .. }));
    assert!(matches!(
        error("a: { BASE, says: x, parent: b }\nb: { BASE, says: x, parent: a }"),
        CatalogueError::Parent { .. }
    ));
    assert!(matches!(
        error(
            "a: { BASE, says: x, parent: b }\nb: { domain: database, effect: destructive, reversible: true, risk: 1, about: x, says: x }"
        ),
        CatalogueError::Laxer { .. }
    ));
    assert!(matches!(error("a: { BASE, says: 'do {this}' }"), CatalogueError::UnknownField { .. }));
    assert!(matches!(error("a: { BASE, says: x, colour: red }"), CatalogueError::Unreadable(_)));
    assert!(matches!(
        error("a: { BASE, says: x, fields: [{name: f, kind: text}, {name: f, kind: any}] }"),
        CatalogueError::DuplicateField { .. }
    ));
}

#[test]
fn a_workspace_adds_types_but_takes_none_over() {
    let catalogue = builtin();
    let own: Definition = serde_saphyr::from_str(
        "{ domain: enterprise, effect: write, reversible: false, risk: 70, about: x, says: x, aliases: [lift_off] }",
    )
    .unwrap();
    let wider = catalogue.with_workspace(BTreeMap::from([("launch_rocket".to_owned(), own.clone())])).unwrap();
    assert_eq!(&*wider.find("liftOff").unwrap().name, "launch_rocket");
    for taken in ["send_email", "sendemail", "deploy"] {
        let result = catalogue.with_workspace(BTreeMap::from([(taken.to_owned(), own.clone())]));
        assert!(matches!(result, Err(CatalogueError::Ambiguous { .. })), "{taken}");
    }
    let stealing = Definition { aliases: vec!["refund".into()], ..own };
    assert!(catalogue.with_workspace(BTreeMap::from([("my_refund".to_owned(), stealing)])).is_err());
}

#[test]
fn payload_types_are_inspected() {
    for (name, inspector) in [
        ("execute_query", Inspector::Sql),
        ("send_email", Inspector::Recipients),
        ("send_sms", Inspector::Recipients),
        ("call_api", Inspector::Url),
        ("modify_webhook", Inspector::Url),
    ] {
        assert!(builtin().get(name).unwrap().definition.inspectors.contains(&inspector), "{name}");
    }
}
