use super::*;
use crate::decimal::Decimal;
use proptest::prelude::*;

const AGENT: &str = "agt_1";
const REFUND: &str = "process_refund";

fn size(number: i64) -> Option<Size> {
    Some(Size::of(Decimal::from(number)))
}

fn hour(hour: i64) -> Micros {
    Micros(hour * HOUR)
}

/// A call that is decided, allowed and reported to have succeeded at once.
fn succeed(profiles: &mut Profiles, name: &str, amount: i64, at: Micros) {
    let read = profiles.read(AGENT, [name].into_iter(), size(amount), at);
    profiles.note(AGENT, &read);
    profiles.learn(AGENT, &read.observation(), at);
}

fn read(profiles: &Profiles, name: &str, at: Micros) -> UsualType {
    profiles.read(AGENT, [name].into_iter(), None, at).types.remove(0)
}

#[test]
fn sizes_are_steps_of_1_2_and_5() {
    let shown = |number: &str| Size::of(number.parse().unwrap()).to_string();
    for (number, least) in [
        ("0", "0"),
        ("0.99", "0"),
        ("1", "1"),
        ("1.9", "1"),
        ("4", "2"),
        ("5", "5"),
        ("10", "10"),
        ("-12000", "10000"),
        ("999", "500"),
    ] {
        assert_eq!(shown(number), least, "{number}");
    }
    assert_eq!(size(499).unwrap().end().to_string(), "500");
    assert!(Size::of("1e300".parse().unwrap()) < UNREAD);
}

#[test]
fn nothing_is_usual_below_thirty_observations() {
    let mut profiles = Profiles::default();
    for number in 0..29 {
        succeed(&mut profiles, REFUND, 100, hour(number));
    }
    let seen = read(&profiles, REFUND, hour(29));
    assert_eq!((seen.observations, seen.usual_size, seen.usual_pace), (29, None, None));
    succeed(&mut profiles, REFUND, 100, hour(29));
    let seen = read(&profiles, REFUND, hour(30));
    assert_eq!((seen.observations, seen.usual_size, seen.usual_pace), (30, size(100), Some(0)));
}

#[test]
fn the_usual_size_covers_nearly_all_and_not_the_rare_giant() {
    let mut profiles = Profiles::default();
    for number in 0..100 {
        succeed(&mut profiles, REFUND, if number % 25 == 24 { 1_000_000 } else { 100 }, hour(number));
    }
    assert_eq!(read(&profiles, REFUND, hour(100)).usual_size, size(100));
}

/// However much an attacker lets succeed, what is usual rises one step a day.
#[test]
fn slow_poisoning_moves_what_is_usual_one_step_a_day() {
    let mut profiles = Profiles::default();
    for number in 0..40 {
        succeed(&mut profiles, REFUND, 100, hour(number));
    }
    let before = read(&profiles, REFUND, hour(40)).usual_size.unwrap();
    for day in 1..=5 {
        for call in 0..2_000 {
            succeed(&mut profiles, REFUND, 1_000_000_000, Micros(hour(40 + day * 24).0 + call));
        }
        let after = read(&profiles, REFUND, hour(41 + day * 24));
        assert_eq!(after.usual_size.unwrap().above(before), u32::try_from(day).unwrap(), "day {day}");
        assert!(after.usual_pace.unwrap() <= u8::try_from(day).unwrap(), "day {day}: {after:?}");
    }
}

#[test]
fn late_reports_do_not_teach_a_faster_pace() {
    let mut profiles = Profiles::default();
    let old: Vec<Observation> = (0..60)
        .map(|number| {
            let read = profiles.read(AGENT, [REFUND].into_iter(), size(5), hour(number));
            profiles.note(AGENT, &read);
            read.observation()
        })
        .collect();
    for observation in &old {
        profiles.learn(AGENT, observation, hour(100));
    }
    assert_eq!(read(&profiles, REFUND, hour(101)).usual_pace, Some(0));
    // Reports out of order teach nothing about pace.
    for observation in old.iter().rev().cycle().take(5_000) {
        profiles.learn(AGENT, observation, hour(300));
    }
    assert!(read(&profiles, REFUND, hour(301)).usual_pace.unwrap() <= 1);
}

#[test]
fn the_pace_counts_every_decision_of_the_last_hour() {
    let mut profiles = Profiles::default();
    succeed(&mut profiles, REFUND, 5, hour(10));
    for _ in 0..9 {
        let seen = profiles.read(AGENT, [REFUND].into_iter(), None, hour(10));
        profiles.note(AGENT, &seen);
    }
    assert_eq!(read(&profiles, REFUND, hour(10)).pace, 10);
    assert_eq!(read(&profiles, REFUND, hour(11)).pace, 10);
    assert_eq!(read(&profiles, REFUND, Micros(hour(11).0 + 45 * MINUTE)).pace, 1 + 3);
    assert_eq!(read(&profiles, REFUND, hour(12)).pace, 1);
}

#[test]
fn a_flood_of_names_pushes_out_other_names_and_not_what_is_often_done() {
    let mut profiles = Profiles::default();
    for number in 0..100 {
        succeed(&mut profiles, REFUND, 100, hour(number));
    }
    for number in 0..5_000 {
        succeed(&mut profiles, &format!("get_thing_{number}"), 1, hour(100));
    }
    assert_eq!(profiles.len(), MAX_TYPES);
    assert_eq!(read(&profiles, REFUND, hour(101)).observations, 100);
    // What was pushed out counts as never done.
    assert_eq!(read(&profiles, "get_thing_0", hour(101)).observations, 0);
}

#[test]
fn memory_is_bounded_by_the_agents_that_taught_last() {
    let mut profiles = Profiles::default();
    let agents = MAX_PAIRS / 8 + 100;
    for agent in 0..agents {
        let types = (0..8).map(|kind| format!("type_{kind}")).collect();
        profiles.learn(&format!("agt_{agent}"), &Observation { hour: 1, size: None, types }, hour(1));
    }
    assert!(profiles.len() <= MAX_PAIRS);
    assert_eq!(profiles.agents.len(), profiles.by_age.len());
    assert!(!profiles.agents.contains_key("agt_0"));
    assert!(profiles.agents.contains_key(format!("agt_{}", agents - 1).as_str()));
}

#[test]
fn agents_do_not_teach_each_other() {
    let mut profiles = Profiles::default();
    for number in 0..50 {
        succeed(&mut profiles, REFUND, 100, hour(number));
    }
    let other = profiles.read("agt_2", [REFUND].into_iter(), None, hour(50));
    assert_eq!((other.agent, other.types[0].observations), (0, 0));
}

/// One thing that happens: an agent, a type, an amount, hours passed, and whether it succeeded.
fn events() -> impl Strategy<Value = Vec<(u8, u8, i64, i64, bool)>> {
    prop::collection::vec((0u8..4, 0u8..6, 0i64..100_000, 0i64..30, any::<bool>()), 0..200)
}

proptest! {
    #[test]
    fn a_snapshot_is_the_same_state_and_goes_on_the_same(events in events(), split in 0usize..200) {
        let apply = |profiles: &mut Profiles, events: &[(u8, u8, i64, i64, bool)], from: i64| {
            events.iter().fold(from, |now, (agent, kind, amount, passed, succeeded)| {
                let (agent, kind, now) = (format!("agt_{agent}"), format!("type_{kind}"), now + passed);
                let read = profiles.read(&agent, [kind.as_str()].into_iter(), size(*amount), hour(now));
                profiles.note(&agent, &read);
                if *succeeded {
                    profiles.learn(&agent, &read.observation(), hour(now));
                }
                now
            })
        };
        let (first, rest) = events.split_at(split.min(events.len()));
        let mut whole = Profiles::default();
        let now = apply(&mut whole, first, 0);
        let bytes = serde_json::to_vec(&whole).unwrap();
        let mut restored: Profiles = serde_json::from_slice(&bytes).unwrap();
        prop_assert_eq!(&restored, &whole);
        prop_assert_eq!(serde_json::to_vec(&restored).unwrap(), bytes);
        apply(&mut whole, rest, now);
        apply(&mut restored, rest, now);
        prop_assert_eq!(restored, whole);
    }
}
