//! Lists in blocks: whatever was put in whatever order, a search finds what a look at every line would.

use super::super::blocks::term;
use super::super::testing::Database;
use crate::block::{Column, Probe};
use crate::contract::samples::{self, Chain};
use crate::{DecisionFilter, DecisionRow, PostgresStore, Store};
use std::collections::BTreeMap;

/// Numbers that look like chance and are the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn one_of<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }

    fn line(&mut self, index: u64, at_us: i64) -> DecisionRow {
        let named = if self.below(8) == 0 { self.below(index + 1) } else { index };
        let request_id = match self.below(4) {
            0 => format!("mine {}", self.below(9)),
            1 => format!("req_{index}"),
            _ => format!("req_019000000000700080000000{named:08x}"),
        };
        let long = if self.below(60) == 0 { 90_000 } else { 40 };
        DecisionRow {
            index,
            request_id,
            at_us,
            agent: self.one_of(&["agt_a", "agt_b", "agt_c", "agt_d"]).into(),
            action_type: self.one_of(&["read", "write", "", "nul\0", "漢字"]).into(),
            target: format!("target {}", self.below(1 + index / 10)),
            outcome: self.one_of(&["ALLOW", "ALLOW", "ALLOW", "BLOCK"]).into(),
            rule: if self.below(200) == 0 { "rare".into() } else { format!("rule {}", self.below(5)) },
            severity: self.one_of(&["low", "high"]).into(),
            bytes: (0..long).map(|_| u8::try_from(self.below(256)).unwrap()).collect(),
        }
    }

    fn filter(&mut self, lines: &BTreeMap<u64, DecisionRow>) -> DecisionFilter {
        let end = lines.keys().next_back().map_or(1, |last| last + 2);
        let other = self.below(end);
        let of = lines.range(..=other).next_back().map_or_else(|| samples::decision(0), |(_, line)| line.clone());
        let mut filter =
            DecisionFilter { limit: [1, 7, 50, 4_096][usize::try_from(self.below(4)).unwrap()], ..Default::default() };
        for _ in 0..self.below(4) {
            match self.below(10) {
                0 => filter.agent = Some(of.agent.clone()),
                1 => filter.action_type = Some(of.action_type.clone()),
                2 => filter.target = Some(of.target.clone()),
                3 => filter.outcome = Some(of.outcome.clone()),
                4 => filter.rule = Some(of.rule.clone()),
                5 => filter.severity = Some(self.one_of(&["low", "high", "none"]).into()),
                6 => filter.since_us = Some(of.at_us),
                7 => filter.until_us = Some(of.at_us + i64::try_from(self.below(40)).unwrap()),
                8 => filter.before = Some(self.below(end + 3)),
                _ => filter.after = Some(self.below(end + 3)),
            }
        }
        filter
    }
}

/// By a look at every line.
fn naive(lines: &BTreeMap<u64, DecisionRow>, filter: &DecisionFilter) -> Vec<DecisionRow> {
    let is = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
    let passes = |line: &&DecisionRow| {
        filter.before.is_none_or(|before| line.index < before)
            && filter.after.is_none_or(|after| line.index > after)
            && filter.since_us.is_none_or(|since| line.at_us >= since)
            && filter.until_us.is_none_or(|until| line.at_us < until)
            && is(&filter.agent, &line.agent)
            && is(&filter.action_type, &line.action_type)
            && is(&filter.target, &line.target)
            && is(&filter.outcome, &line.outcome)
            && is(&filter.rule, &line.rule)
            && is(&filter.severity, &line.severity)
    };
    if filter.after.is_some() {
        let mut found: Vec<_> = lines.values().filter(passes).take(filter.limit).cloned().collect();
        found.reverse();
        return found;
    }
    lines.values().rev().filter(passes).take(filter.limit).cloned().collect()
}

fn compare(store: &PostgresStore, chance: &mut Chance, lines: &BTreeMap<u64, DecisionRow>) {
    for _ in 0..25 {
        let filter = chance.filter(lines);
        let (found, wanted) = (store.list_decisions("ws_one", &filter).unwrap(), naive(lines, &filter));
        let indexes = |rows: &[DecisionRow]| rows.iter().map(|row| row.index).collect::<Vec<_>>();
        assert!(found == wanted, "{filter:?}: {:?} and not {:?}", indexes(&found), indexes(&wanted));
    }
    for _ in 0..8 {
        let at = chance.below(lines.keys().next_back().unwrap() + 1);
        let Some((_, line)) = lines.range(at..).next() else { continue };
        let agent = (chance.below(2) == 0).then_some(line.agent.as_str());
        let limit = [1, 3, 99][usize::try_from(chance.below(3)).unwrap()];
        let is_of = |other: &&DecisionRow| {
            other.request_id == line.request_id && agent.is_none_or(|agent| agent == other.agent)
        };
        let wanted: Vec<_> = lines.values().filter(is_of).take(limit).cloned().collect();
        let found = store.find_decisions("ws_one", &line.request_id, agent, limit).unwrap();
        assert!(found == wanted, "{} of {agent:?}: {} and not {}", line.request_id, found.len(), wanted.len());
    }
}

#[test]
fn a_search_finds_what_a_look_at_every_line_would() {
    for seed in 1..4 {
        let mut chance = Chance(seed);
        let database = Database::create();
        let store = database.open();
        let mut chain = Chain::begin(&store, "one");
        let batch = chain.next(3_000);
        chain.commit(&store, &batch);
        // Partitions of some two hundred lines, and some blocks.
        database.execute("UPDATE runplane.families SET width = 300 WHERE family = 'lists'");
        let made = database.execute("SELECT made FROM runplane.families WHERE family = 'lists'").unwrap();
        let mut at_us = made.parse::<i64>().unwrap() - 500;
        let (mut index, mut lines, mut left_out) = (1, BTreeMap::new(), Vec::new());
        while index < 2_000 {
            let count = [1, 1, 1, 2, 40, 300][usize::try_from(chance.below(6)).unwrap()];
            let mut batch = Vec::new();
            // Some of what is there comes again, changed or not, and some of what was left out comes now.
            for _ in 0..chance.below(4) {
                match lines.range(chance.below(index)..).next() {
                    Some((index, line)) if chance.below(2) == 0 => {
                        let DecisionRow { at_us, .. } = *line;
                        batch.push(chance.line(*index, at_us));
                    }
                    Some((_, line)) => batch.push(DecisionRow::clone(line)),
                    None => {}
                }
                if !left_out.is_empty() && chance.below(3) == 0 {
                    batch.push(left_out.swap_remove(usize::try_from(chance.below(left_out.len() as u64)).unwrap()));
                }
            }
            for _ in 0..count {
                let line = chance.line(index, at_us);
                if chance.below(20) == 0 {
                    left_out.push(line)
                } else {
                    batch.push(line)
                }
                index += 1 + chance.below(2);
                at_us += i64::try_from(chance.below(4)).unwrap();
            }
            store.project_decisions("ws_one", &batch, index).unwrap();
            lines.extend(batch.into_iter().map(|line| (line.index, line)));
            if chance.below(6) == 0 && !lines.is_empty() {
                compare(&store, &mut chance, &lines);
            }
        }
        for _ in 0..10 {
            compare(&store, &mut chance, &lines);
        }
        let parts = database.execute("SELECT count(*) FROM runplane.parts WHERE family = 'lists'").unwrap();
        assert!(parts.parse::<u32>().unwrap() > 5, "{parts} partitions");
        let spread = "SELECT count(*) FROM runplane.list_blocks b JOIN runplane.parts p ON p.family = 'lists'
                      AND b.first_us >= p.lower AND b.first_us < p.upper WHERE b.last_us >= p.upper";
        assert_eq!(database.execute(spread), Some("0".into()), "no block lies in two");
    }
}

/// A list of so many lines, put at once.
fn listed(store: &PostgresStore, count: u64) -> Vec<DecisionRow> {
    let mut chain = Chain::begin(store, "one");
    let batch = chain.next(count + 100);
    chain.commit(store, &batch);
    let rows: Vec<_> = (1..=count).map(samples::decision).collect();
    store.project_decisions("ws_one", &rows, count + 1).unwrap();
    rows
}

#[test]
fn what_the_index_says_too_much_is_looked_at_for_nothing() {
    let database = Database::create();
    let store = database.open();
    let rows = listed(&store, 1_000);
    let put = |column, value: &str| {
        let term = term(Probe::new(column, value));
        database.execute(&format!(
            "INSERT INTO runplane.list_terms SELECT workspace, {term}, first_index, first_us FROM runplane.list_blocks"
        ));
    };
    // As if two values had one hash; and what is there already stands there twice.
    put(Column::Agent, "nobody");
    put(Column::Request, "no request");
    put(Column::Target, "stripe");
    put(Column::Request, "req_7");
    let page = |agent: Option<&str>, target: Option<&str>| {
        let filter = DecisionFilter {
            agent: agent.map(str::to_owned),
            target: target.map(str::to_owned),
            limit: 4_096,
            ..Default::default()
        };
        store.list_decisions("ws_one", &filter).unwrap()
    };
    assert_eq!(page(Some("nobody"), None), []);
    let stripe: Vec<_> = rows.iter().rev().filter(|row| row.target == "stripe").cloned().collect();
    assert_eq!(page(None, Some("stripe")), stripe);
    assert_eq!(page(Some("agt_a"), Some("stripe")), stripe, "every fourth is of the even agent");
    assert_eq!(store.find_decisions("ws_one", "no request", None, 9).unwrap(), []);
    assert_eq!(store.find_decisions("ws_one", "req_7", None, 9).unwrap(), [rows[6].clone()]);
}

#[test]
fn a_block_that_was_spoiled_takes_nothing_else_with_it() {
    let database = Database::create();
    let store = database.open();
    let rows = listed(&store, 280);
    let all = |after: u64| DecisionFilter { after: Some(after), limit: 4_096, ..Default::default() };
    let page = |after: u64| -> Vec<u64> {
        let page = store.list_decisions("ws_one", &all(after)).unwrap();
        page.iter().rev().map(|row| row.index).collect()
    };
    // The newest, which has 24 lines and would be continued.
    database.execute("UPDATE runplane.list_blocks SET rows = substr(rows, 1, 2000) WHERE first_index > 1");
    let some = page(256);
    assert!(!some.is_empty() && some.len() < 24, "{} lines can be read", some.len());
    store.project_decisions("ws_one", &[samples::decision(281)], 282).unwrap();
    assert_eq!(page(280), [281], "what comes after has a block of its own");
    assert_eq!(page(256).len(), some.len() + 1);
    // A line of it that comes again is there again.
    store.project_decisions("ws_one", &rows[278..280], 282).unwrap();
    assert_eq!(page(278), [279, 280, 281]);
    database.execute("UPDATE runplane.list_blocks SET rows = '\\xffff', coding = 7 WHERE first_index = 1");
    assert_eq!(page(0).len(), some.len() + 3);
    store.reset_projection("ws_one").unwrap();
    store.project_decisions("ws_one", &rows, 281).unwrap();
    assert_eq!(page(0), (1..=280).collect::<Vec<_>>());
    assert_eq!(
        database.execute("SELECT count(*) FROM runplane.list_terms WHERE first_index = 281"),
        Some("0".into()),
        "nothing is left of what was before"
    );
}

#[test]
fn single_lines_make_blocks_that_are_not_long_and_terms_that_stand_there_once() {
    let database = Database::create();
    let store = database.open();
    let rows = listed(&store, 1);
    for index in 2..=90 {
        store.project_decisions("ws_one", &[samples::decision(index)], index + 1).unwrap();
    }
    assert_eq!(rows.len(), 1);
    let counts = "SELECT string_agg(count::text, ' ' ORDER BY first_index) FROM runplane.list_blocks";
    assert_eq!(database.execute(counts), Some("64 26".into()));
    let twice = "SELECT count(*) - count(DISTINCT (term, first_index)) FROM runplane.list_terms";
    assert_eq!(database.execute(twice), Some("0".into()));
}
