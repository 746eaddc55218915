use super::*;
use crate::decide::testing::{call, refund};

fn switch(id: &str, scope: Scope) -> Switch {
    Switch { id: id.to_owned(), scope, reason: format!("because of {id}"), by: "admin".to_owned(), at: Micros(0) }
}

fn thrown(scope: Scope) -> Switches {
    let mut switches = Switches::default();
    switches.throw(switch("s", scope)).unwrap();
    switches
}

#[test]
fn a_switch_stops_what_it_covers_and_nothing_else() {
    let refund = refund("1");
    for (scope, stops) in [
        (Scope::Workspace, true),
        (Scope::Agent("agt_1".to_owned()), true),
        (Scope::Agent("agt_2".to_owned()), false),
        (Scope::ActionType("process_refund".to_owned()), true),
        (Scope::ActionType("create_charge".to_owned()), false),
    ] {
        assert_eq!(thrown(scope.clone()).hit(&refund).is_some(), stops, "{scope:?}");
    }
}

#[test]
fn a_switch_on_a_parent_type_stops_its_children() {
    let switches = thrown(Scope::ActionType("delete_records".to_owned()));
    assert!(switches.hit(&call("deleteUser", "crm", "{}")).is_some());
}

#[test]
fn an_unknown_source_is_stopped_by_every_source_switch() {
    let switches = thrown(Scope::Source("Stripe".to_owned()));
    for (source, stops) in [(None, true), (Some("stripe"), true), (Some("STRIPE "), true), (Some("aws"), false)] {
        let mut call = refund("1");
        call.source = source.map(str::to_owned);
        assert_eq!(switches.hit(&call).is_some(), stops, "{source:?}");
    }
}

#[test]
fn the_widest_switch_is_named_and_releasing_ends_it() {
    let mut switches = thrown(Scope::Agent("agt_1".to_owned()));
    switches.throw(switch("w", Scope::Workspace)).unwrap();
    assert_eq!(switches.throw(switch("w", Scope::Workspace)), Err(SwitchError::Duplicate("w".to_owned())));
    assert_eq!(switches.hit(&refund("1")).unwrap().switch, "w");
    assert_eq!(switches.release("w").unwrap().id, "w");
    assert_eq!(switches.hit(&refund("1")).unwrap().reason, "because of s");
    switches.release("s").unwrap();
    assert_eq!(switches.hit(&refund("1")), None);
    assert_eq!(switches.release("s"), Err(SwitchError::Unknown("s".to_owned())));
}

#[test]
fn stored_form_reads_back() {
    for scope in [Scope::Workspace, Scope::Source("aws".to_owned()), Scope::ActionType("read_balance".to_owned())] {
        let switches = thrown(scope);
        let text = serde_json::to_string(&switches).unwrap();
        assert_eq!(serde_json::from_str::<Switches>(&text).unwrap(), switches, "{text}");
        let hit = switches.hit(&call("read_balance", "stripe", "{}")).unwrap();
        let text = serde_json::to_string(&hit).unwrap();
        assert_eq!(serde_json::from_str::<Hit>(&text).unwrap(), hit, "{text}");
    }
}
