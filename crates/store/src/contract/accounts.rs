//! Password hashes, sessions and one-time links.

use super::Place;
use super::samples::{Chain, START_US};
use crate::{Link, Session, Store};

fn session(mark: u8, user: &str, seen_us: i64) -> Session {
    Session {
        hash: [mark; 32],
        workspace: "ws_one".into(),
        user: user.into(),
        created_us: START_US,
        seen_us,
        expires_us: START_US + 1_000,
    }
}

fn link(mark: u8, user: Option<&str>) -> Link {
    Link {
        hash: [mark; 32],
        workspace: "ws_one".into(),
        user: user.map(str::to_owned),
        purpose: "reset".into(),
        expires_us: START_US + 500,
    }
}

pub fn a_password_is_replaced_and_taken_away(place: &dyn Place) {
    let store = place.open();
    Chain::begin(&*store, "one");
    Chain::begin(&*store, "two");
    let of = |store: &dyn Store, workspace| store.load_password(workspace, "usr_1").unwrap();
    assert_eq!(of(&*store, "ws_one"), None);
    store.put_password("ws_one", "usr_1", Some("first")).unwrap();
    store.put_password("ws_one", "usr_1", Some("second")).unwrap();
    assert_eq!(of(&*store, "ws_two"), None);
    drop(store);
    let store = place.open();
    assert_eq!(of(&*store, "ws_one").as_deref(), Some("second"));
    store.put_password("ws_one", "usr_1", None).unwrap();
    assert_eq!(of(&*store, "ws_one"), None);
}

pub fn a_session_lives_until_it_is_ended(place: &dyn Place) {
    let store = place.open();
    Chain::begin(&*store, "one");
    let all = [session(1, "usr_1", START_US), session(2, "usr_1", START_US), session(3, "usr_2", START_US)];
    for session in &all {
        store.insert_session(session).unwrap();
    }
    drop(store);
    let store = place.open();
    assert_eq!(store.load_session(&[1; 32]).unwrap(), Some(all[0].clone()));
    assert_eq!(store.load_session(&[9; 32]).unwrap(), None);
    store.touch_session(&[1; 32], START_US + 7).unwrap();
    store.touch_session(&[1; 32], START_US + 3).unwrap();
    assert_eq!(store.load_session(&[1; 32]).unwrap().unwrap().seen_us, START_US + 7, "never seen less lately");
    assert_eq!(store.delete_sessions("ws_one", "usr_1", Some(&[1; 32])).unwrap(), 1);
    assert!(store.load_session(&[1; 32]).unwrap().is_some());
    assert_eq!(store.delete_sessions("ws_one", "usr_1", None).unwrap(), 1);
    assert!(store.delete_session(&[3; 32]).unwrap(), "somebody else's was left alone");
    assert!(!store.delete_session(&[3; 32]).unwrap());
    assert_eq!(store.load_session(&[3; 32]).unwrap(), None);
}

pub fn a_link_is_taken_once_and_replaced_by_the_next(place: &dyn Place) {
    let store = place.open();
    Chain::begin(&*store, "one");
    store.put_link(&link(1, Some("usr_1"))).unwrap();
    store.put_link(&link(2, None)).unwrap();
    store.put_link(&link(3, Some("usr_1"))).unwrap();
    assert_eq!(store.load_link(&[1; 32]).unwrap(), None, "a newer one took its place");
    assert_eq!(store.load_link(&[2; 32]).unwrap(), Some(link(2, None)));
    assert_eq!(store.take_link(&[3; 32]).unwrap(), Some(link(3, Some("usr_1"))));
    assert_eq!(store.take_link(&[3; 32]).unwrap(), None);
    assert_eq!(store.delete_links("ws_one", None).unwrap(), 1);
    assert_eq!(store.load_link(&[2; 32]).unwrap(), None);
}

pub fn what_has_ended_is_forgotten(place: &dyn Place) {
    let store = place.open();
    Chain::begin(&*store, "one");
    store.insert_session(&session(1, "usr_1", START_US)).unwrap();
    store.insert_session(&session(2, "usr_1", START_US + 300)).unwrap();
    store.put_link(&link(3, None)).unwrap();
    assert_eq!(store.forget_ended(START_US + 10, START_US - 1).unwrap(), 0);
    assert_eq!(store.forget_ended(START_US + 500, START_US).unwrap(), 2, "one idle, one link over");
    assert!(store.load_session(&[2; 32]).unwrap().is_some());
    assert_eq!(store.forget_ended(START_US + 1_000, START_US).unwrap(), 1);
}
