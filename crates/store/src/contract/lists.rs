//! The projection: derived, gated by the ledger, filtered, and built again at will.

use super::Place;
use super::samples::{self, Chain, START_US};
use crate::{DecisionFilter, DecisionRow, Store, StoreError, Tally, TallyFilter};

/// A workspace of `size` entries of which all but the first are projected decisions.
fn projected(store: &dyn Store, size: u64) -> Vec<DecisionRow> {
    let mut chain = Chain::begin(store, "one");
    let batch = chain.next(size - 1);
    chain.commit(store, &batch);
    let rows: Vec<_> = (1..size).map(samples::decision).collect();
    store.project_decisions("ws_one", &rows, size).unwrap();
    rows
}

pub fn decisions_are_listed_newest_first_and_every_filter_narrows(place: &dyn Place) {
    let store = place.open();
    let rows = projected(&*store, 100);
    let sample = samples::decision(37);
    let all = DecisionFilter { limit: 1_000, ..Default::default() };
    type Keep = fn(&DecisionRow, &DecisionRow) -> bool;
    let cases: [(DecisionFilter, Keep); 11] = [
        (all.clone(), |_, _| true),
        (DecisionFilter { agent: Some(sample.agent.clone()), ..all.clone() }, |a, b| a.agent == b.agent),
        (DecisionFilter { action_type: Some(sample.action_type.clone()), ..all.clone() }, |a, b| {
            a.action_type == b.action_type
        }),
        (DecisionFilter { target: Some(sample.target.clone()), ..all.clone() }, |a, b| a.target == b.target),
        (DecisionFilter { outcome: Some(sample.outcome.clone()), ..all.clone() }, |a, b| a.outcome == b.outcome),
        (DecisionFilter { rule: Some(sample.rule.clone()), ..all.clone() }, |a, b| a.rule == b.rule),
        (DecisionFilter { severity: Some(sample.severity.clone()), ..all.clone() }, |a, b| a.severity == b.severity),
        (DecisionFilter { since_us: Some(sample.at_us), ..all.clone() }, |a, b| a.at_us >= b.at_us),
        (DecisionFilter { until_us: Some(sample.at_us), ..all.clone() }, |a, b| a.at_us < b.at_us),
        (DecisionFilter { before: Some(sample.index), ..all.clone() }, |a, b| a.index < b.index),
        (
            DecisionFilter {
                agent: Some(sample.agent.clone()),
                severity: Some(sample.severity.clone()),
                outcome: Some(sample.outcome.clone()),
                since_us: Some(START_US + 5),
                until_us: Some(START_US + 45),
                before: Some(80),
                ..all.clone()
            },
            |a, b| {
                let time = START_US + 5..START_US + 45;
                let same = a.agent == b.agent && a.severity == b.severity && a.outcome == b.outcome;
                same && time.contains(&a.at_us) && a.index < 80
            },
        ),
    ];
    for (filter, keep) in cases {
        let expected: Vec<_> = rows.iter().rev().filter(|row| keep(row, &sample)).cloned().collect();
        assert!(!expected.is_empty() && (filter == all || expected.len() < rows.len()), "the case tells nothing");
        assert_eq!(store.list_decisions("ws_one", &filter).unwrap(), expected, "{filter:?}");
    }
}

pub fn pages_of_decisions_join_without_gap_or_overlap(place: &dyn Place) {
    let store = place.open();
    projected(&*store, 50);
    let mut filter = DecisionFilter { agent: Some("agt_b".into()), limit: 7, ..Default::default() };
    let mut seen = Vec::new();
    loop {
        let page = store.list_decisions("ws_one", &filter).unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 7);
        filter.before = Some(last.index);
        seen.extend(page.iter().map(|row| row.index));
    }
    assert_eq!(seen, (1..50).rev().filter(|index| index % 2 == 1).collect::<Vec<_>>());
}

pub fn a_decision_is_found_by_request_id_and_agent(place: &dyn Place) {
    let store = place.open();
    projected(&*store, 10);
    let named =
        |index, agent: &str| DecisionRow { request_id: "mine".into(), agent: agent.into(), ..samples::decision(index) };
    store.project_decisions("ws_one", &[named(3, "agt_a"), named(4, "agt_b"), named(7, "agt_a")], 10).unwrap();
    let find = |id, agent, limit| -> Vec<u64> {
        store.find_decisions("ws_one", id, agent, limit).unwrap().iter().map(|row| row.index).collect()
    };
    assert_eq!(find("mine", None, 10), [3, 4, 7]);
    assert_eq!(find("mine", Some("agt_a"), 10), [3, 7]);
    assert_eq!(find("mine", Some("agt_b"), 1), [4]);
    assert_eq!(find("mine", Some("agt_c"), 10), [] as [u64; 0]);
    assert_eq!(find("req_3", None, 10), [] as [u64; 0], "the row was replaced");
}

pub fn the_projection_neither_goes_back_nor_ahead_of_the_ledger(place: &dyn Place) {
    let store = place.open();
    projected(&*store, 10);
    let refused = |rows: &[DecisionRow], cursor| {
        let outcome = store.project_decisions("ws_one", rows, cursor);
        assert!(matches!(outcome, Err(StoreError::Contradiction(_))), "{outcome:?}");
    };
    refused(&[], 9);
    refused(&[], 11);
    refused(&[samples::decision(10)], 10);
    assert_eq!(store.projection_cursor("ws_one").unwrap(), 10);
    assert_eq!(store.list_decisions("ws_one", &DecisionFilter { limit: 99, ..Default::default() }).unwrap().len(), 9);
}

pub fn the_projection_can_be_built_again(place: &dyn Place) {
    let store = place.open();
    let rows = projected(&*store, 30);
    let all = DecisionFilter { limit: 1_000, ..Default::default() };
    let before = store.list_decisions("ws_one", &all).unwrap();
    store.reset_projection("ws_one").unwrap();
    assert_eq!(store.projection_cursor("ws_one").unwrap(), 0);
    assert_eq!(store.list_decisions("ws_one", &all).unwrap(), []);
    for part in rows.chunks(7) {
        store.project_decisions("ws_one", part, part.last().unwrap().index + 1).unwrap();
    }
    assert_eq!(store.list_decisions("ws_one", &all).unwrap(), before);
    drop(store);
    let store = place.open();
    assert_eq!(store.projection_cursor("ws_one").unwrap(), 30);
    assert_eq!(store.list_decisions("ws_one", &all).unwrap(), before);
}

pub fn a_line_is_listed_as_it_was_given_whatever_it_says(place: &dyn Place) {
    let store = place.open();
    projected(&*store, 10);
    let odd = |index| DecisionRow {
        request_id: "a\0b".into(),
        agent: "ÅÄÖ 漢字".into(),
        action_type: String::new(),
        target: "\0".into(),
        rule: "x".repeat(100_000),
        bytes: vec![0, 255, 0],
        ..samples::decision(index)
    };
    store.project_decisions("ws_one", &[odd(4), odd(6)], 10).unwrap();
    let filter = DecisionFilter { limit: 9, ..Default::default() };
    for filter in [
        DecisionFilter { target: Some("\0".into()), ..filter.clone() },
        DecisionFilter { agent: Some("ÅÄÖ 漢字".into()), ..filter.clone() },
        DecisionFilter { action_type: Some(String::new()), rule: Some("x".repeat(100_000)), ..filter.clone() },
    ] {
        assert_eq!(store.list_decisions("ws_one", &filter).unwrap(), [odd(6), odd(4)]);
    }
    assert_eq!(store.find_decisions("ws_one", "a\0b", None, 9).unwrap(), [odd(4), odd(6)]);
    for other in ["a", "a\u{fffd}b", "a\0b "] {
        assert_eq!(store.find_decisions("ws_one", other, None, 9).unwrap(), []);
    }
    assert_eq!(store.list_decisions("ws_one", &filter).unwrap().len(), 9);
}

fn tally(span_us: i64, start_us: i64, key: &str, counts: [u64; 3]) -> Tally {
    let [allowed, held, blocked] = counts;
    Tally { span_us, start_us, dimension: "action".into(), key: key.into(), allowed, held, blocked }
}

pub fn tallies_add_up_by_stretch_and_by_key(place: &dyn Place) {
    let store = place.open();
    projected(&*store, 10);
    let minute = 60_000_000;
    let batch = [
        tally(minute, 0, "a", [1, 0, 0]),
        tally(minute, 0, "b", [0, 2, 0]),
        tally(minute, minute, "a", [0, 0, 4]),
        tally(60 * minute, 0, "a", [1, 0, 4]),
    ];
    store.project(&[], &batch, "ws_one", 10).unwrap();
    store.project(&[], &batch, "ws_one", 10).unwrap();
    let filter = TallyFilter {
        span_us: minute,
        dimension: "action".into(),
        from_us: 0,
        until_us: 2 * minute,
        by_key: true,
        limit: 9,
    };
    let counts = |filter: &TallyFilter| -> Vec<(String, i64, [u64; 3])> {
        let tallies = store.read_tallies("ws_one", filter).unwrap();
        tallies.into_iter().map(|t| (t.key, t.start_us, [t.allowed, t.held, t.blocked])).collect()
    };
    assert_eq!(counts(&filter), [("a".into(), 0, [2, 0, 8]), ("b".into(), 0, [0, 4, 0])]);
    let series = TallyFilter { by_key: false, ..filter.clone() };
    assert_eq!(counts(&series), [(String::new(), 0, [2, 4, 0]), (String::new(), minute, [0, 0, 8])]);
    assert_eq!(counts(&TallyFilter { until_us: minute, limit: 1, ..filter.clone() }), [("b".into(), 0, [0, 4, 0])]);
    store.project(&[], &[tally(minute, 9 * 24 * 60 * minute, "c", [1, 0, 0])], "ws_one", 10).unwrap();
    assert_eq!(counts(&filter), [], "short stretches are forgotten");
    assert_eq!(counts(&TallyFilter { span_us: 60 * minute, ..filter.clone() }).len(), 1, "long ones stay");
    store.reset_projection("ws_one").unwrap();
    assert_eq!(counts(&TallyFilter { span_us: 60 * minute, ..filter }), []);
}

pub fn a_page_reaches_up_as_well_as_down(place: &dyn Place) {
    let store = place.open();
    projected(&*store, 700);
    let page = |filter: DecisionFilter| -> Vec<u64> {
        store.list_decisions("ws_one", &filter).unwrap().iter().map(|row| row.index).collect()
    };
    let up = DecisionFilter { after: Some(250), limit: 10, ..Default::default() };
    assert_eq!(page(up.clone()), (251..=260).rev().collect::<Vec<_>>(), "the page next to it, newest first");
    assert_eq!(page(DecisionFilter { after: Some(694), limit: 10, ..Default::default() }), [699, 698, 697, 696, 695]);
    assert_eq!(page(DecisionFilter { after: Some(699), limit: 10, ..Default::default() }), [] as [u64; 0]);
    assert_eq!(page(DecisionFilter { before: Some(255), ..up.clone() }), [254, 253, 252, 251]);
    let agent = DecisionFilter { agent: Some("agt_b".into()), after: Some(254), limit: 3, ..Default::default() };
    assert_eq!(page(agent), [259, 257, 255]);
}
