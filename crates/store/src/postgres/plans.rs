//! What the dashboard asks is answered from an index of the partitions it is about, however long the ledger is: the plans
//! say so.

use super::blocks::term;
use super::search::Wanted;
use super::terms::Value;
use super::testing::Database;
use super::{PostgresStore, approvals, ledger, lists, payloads, search, tallies};
use crate::block::{Column, Probe};
use crate::contract::samples::Chain;
use crate::{ApprovalFilter, DecisionFilter};
use std::collections::BTreeSet;
use tokio_postgres::types::Type;

/// Large enough that reading all of it is not a plan.
const ROWS: u32 = 60_000;
/// Of each partition: there are six of everything.
const CUT: u64 = 10_000;

/// What the lines can be asked for, and how many different values there are of each: a block for each line.
const TERMS: [(Column, &str, u32); 6] = [
    (Column::Agent, "agt_", 50),
    (Column::Type, "type_", 40),
    (Column::Target, "target_", 100),
    (Column::Outcome, "outcome_", 3),
    (Column::Rule, "rule_", 60),
    (Column::Severity, "severity_", 4),
];

struct Filled {
    _database: Database,
    store: PostgresStore,
    number: i64,
    /// When the first decision was.
    from: i64,
}

fn filled() -> Filled {
    let database = Database::create();
    let store = database.open_cut(CUT);
    let chain = Chain::begin(&store, "one");
    let number = store.number(&chain.workspace).unwrap();
    let width = CUT * 1_000;
    database.execute(&format!("UPDATE runplane.families SET width = {width} WHERE family = 'lists'"));
    let made = "SELECT made FROM runplane.families WHERE family = 'lists'";
    let from = database.execute(made).unwrap().parse::<i64>().unwrap() - i64::try_from(width).unwrap();
    let terms: Vec<String> = TERMS
        .iter()
        .map(|(column, prefix, count)| {
            let hashes = (0..*count).map(|at| term(Probe::new(*column, &format!("{prefix}{at}"))).to_string());
            format!(
                "INSERT INTO runplane.list_terms SELECT {number}, (ARRAY[{}]::bigint[])[i % {count} + 1], i, {from} + i * 1000
                 FROM generate_series(1, {ROWS} - 1) i",
                hashes.collect::<Vec<_>>().join(", ")
            )
        })
        .collect();
    let terms = terms.join(";\n");
    database.execute(&format!(
        "SELECT runplane.extend_ledger({ROWS} + 1), runplane.extend_lists({from} + {ROWS} * 1000);
         SELECT runplane.extend_days(100, 110);
         INSERT INTO runplane.list_blocks
         SELECT {number}, i, {from} + i * 1000, i, {from} + i * 1000, 1, 0, '\\x00' FROM generate_series(1, {ROWS} - 1) i;
         {terms};
         INSERT INTO runplane.entries
         SELECT {number}, i, '\\x00', '\\x00', 100 + i / 6000 FROM generate_series(1, {ROWS} - 1) i;
         INSERT INTO runplane.kept
         SELECT {number}, i, 100 + i / 6000, 1, 1, '\\x00', '\\x00' FROM generate_series(1, {ROWS} - 1) i;
         INSERT INTO runplane.kept
         SELECT {number}, i, 0, 1, i, '\\x00', '\\x00' FROM generate_series(1, {ROWS} - 1) i;
         INSERT INTO runplane.executions SELECT {number}, i, 'allowed', '\\x00' FROM generate_series(1, {ROWS} - 1) i;
         INSERT INTO runplane.checkpoints SELECT {number}, i, 'note' FROM generate_series(2, {ROWS} - 1) i;
         INSERT INTO runplane.approvals
         SELECT {number}, 'apr_' || i, i, 'agt_' || i % 50, (ARRAY['approved', 'denied', 'expired'])[i % 3 + 1], i > {ROWS} - 20,
             i * 1000, '\\x00'
         FROM generate_series(1, {ROWS}) i;
         INSERT INTO runplane.requests
         SELECT {number}, convert_to('agt_' || i % 50, 'UTF8'), convert_to('req_' || i, 'UTF8'), i, '\\x00', 0
         FROM generate_series(1, {ROWS}) i;
         INSERT INTO runplane.tallies
         SELECT {number}, 60000000, (ARRAY['all', 'agent', 'rule', 'target'])[i % 4 + 1], i::bigint / 4 * 60000000, 'k' || i % 4, 1, 1, 1
         FROM generate_series(1, {ROWS}) i"
    ));
    for table in [
        "list_blocks",
        "list_terms",
        "entries",
        "kept",
        "executions",
        "checkpoints",
        "approvals",
        "requests",
        "tallies",
    ] {
        database.execute(&format!("ANALYZE runplane.{table}"));
    }
    Filled { _database: database, store, number, from }
}

impl Filled {
    fn plan(&self, sql: &str, values: &[Value<'_>]) -> String {
        let explain = format!("EXPLAIN {sql}");
        let rows = self.store.connections.run(async |db| Ok(db.query_typed(&explain, values).await?)).unwrap();
        rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join("\n")
    }

    /// From an index, of no more partitions than these.
    fn uses_an_index(&self, what: &str, most: usize, sql: &str, values: &[Value<'_>]) -> String {
        let plan = self.plan(sql, values);
        assert!(plan.contains("Index") && !plan.contains("Seq Scan"), "{what} reads a whole table:\n{plan}");
        let words = || plan.split_whitespace();
        let after_on = words().zip(words().skip(1)).filter(|(on, _)| *on == "on").map(|(_, name)| name);
        let touched: BTreeSet<&str> = after_on
            .filter(|name| !name.ends_with("_idx") && !name.contains("_pkey") && !name.starts_with('"'))
            .collect();
        assert!(touched.len() <= most, "{what} goes through {touched:?}:\n{plan}");
        plan
    }

    fn span(&self, partition: i64) -> (i64, i64) {
        let width = i64::try_from(CUT).unwrap() * 1_000;
        (self.from + partition * width, self.from + (partition + 1) * width)
    }
}

#[test]
fn every_filter_of_the_dashboard_uses_an_index_of_one_partition() {
    let filled = filled();
    let text = |value: &str| Some(value.to_owned());
    let at = |place: i64| Some(filled.from + place * 1_000);
    let filters = [
        ("the newest", DecisionFilter::default()),
        ("a page", DecisionFilter { before: Some(35_000), ..Default::default() }),
        ("a page upwards", DecisionFilter { after: Some(35_000), ..Default::default() }),
        ("an agent", DecisionFilter { agent: text("agt_7"), ..Default::default() }),
        ("an action", DecisionFilter { action_type: text("type_3"), ..Default::default() }),
        ("a target", DecisionFilter { target: text("target_9"), ..Default::default() }),
        ("an outcome", DecisionFilter { outcome: text("outcome_1"), ..Default::default() }),
        ("a rule", DecisionFilter { rule: text("rule_5"), ..Default::default() }),
        ("a severity", DecisionFilter { severity: text("severity_2"), ..Default::default() }),
        ("a time", DecisionFilter { since_us: at(33_000), until_us: at(34_000), ..Default::default() }),
        ("two at once", DecisionFilter { agent: text("agt_7"), outcome: text("outcome_0"), ..Default::default() }),
        ("nothing that is there", DecisionFilter { target: text("nowhere"), ..Default::default() }),
    ];
    let (first, last) = (filled.span(3), filled.span(4));
    for (what, filter) in filters {
        for beyond in [None, Some(34_000)] {
            let wanted = Wanted { blocks: 4, beyond, ..Wanted::of_filter(&filter) };
            for (span, most) in [(first, 1), ((first.0, last.1), 2)] {
                let (sql, terms) = search::query(filled.number, &wanted, span);
                // Of the blocks and of the terms.
                let most = if wanted.terms.is_empty() { most } else { 2 * most };
                let plan = filled.uses_an_index(what, most, &sql, &terms.values());
                assert!(
                    what == "two at once" || !plan.contains("Sort Key: t."),
                    "{what} is sorted as a whole:\n{plan}"
                );
            }
        }
    }
    filled.uses_an_index(
        "whether a partition reaches",
        1,
        search::REACHES,
        &search::reaches(&filled.number, &35_000, &first.0, &first.1),
    );
}

fn and<'v>(values: &[Value<'v>], last: Value<'v>) -> Vec<Value<'v>> {
    [values, &[last]].concat()
}

#[test]
fn lines_that_are_named_or_put_again_are_found_by_an_index_of_one_partition() {
    let filled = filled();
    let span = filled.span(3);
    let within: [Value<'_>; 3] = [(&filled.number, Type::INT8), (&span.0, Type::INT8), (&span.1, Type::INT8)];
    let (index, indexes) = (35_000_i64, vec![34_000_i64, 34_001]);
    filled.uses_an_index("what an id names", 1, search::NAMED, &and(&within, (&index, Type::INT8)));
    // Of the blocks, and of the indexes themselves.
    filled.uses_an_index("what is put again", 2, lists::HOLDING, &and(&within, (&indexes, Type::INT8_ARRAY)));
    filled.uses_an_index("the newest block", 1, lists::NEWEST, &and(&within, (&64_i16, Type::INT2)));
}

#[test]
fn what_is_read_by_index_comes_out_of_the_partitions_it_is_in() {
    let filled = filled();
    let number: Value<'_> = (&filled.number, Type::INT8);
    let (from, until) = (34_000_i64, 34_500_i64);
    let range: [Value<'_>; 3] = [number.clone(), (&from, Type::INT8), (&until, Type::INT8)];
    let limit = 500_i64;
    let page: [Value<'_>; 4] = [number.clone(), (&from, Type::INT8), (&until, Type::INT8), (&limit, Type::INT8)];
    filled.uses_an_index("a page of entries", 1, ledger::ENTRIES, &page);
    filled.uses_an_index("a page of notes", 1, ledger::NOTES, &page);
    filled.uses_an_index("where payloads are", 1, payloads::PLACES, &range);
    let days: Vec<i32> = vec![105];
    let kept: [Value<'_>; 4] = [number.clone(), (&from, Type::INT8), (&until, Type::INT8), (&days, Type::INT4_ARRAY)];
    filled.uses_an_index("payloads", 1, payloads::KEPT, &kept);
    let one: [Value<'_>; 2] = [number.clone(), (&from, Type::INT8)];
    filled.uses_an_index("an outcome", 1, ledger::EXECUTION, &one);
    let to_erase: [Value<'_>; 4] = [number, (&from, Type::INT8), (&limit, Type::INT8), (&0_i32, Type::INT4)];
    let plan = filled.uses_an_index("erasing", 2, payloads::ERASE, &to_erase);
    assert!(plan.contains("kept_short") && !plan.contains("kept_10"), "erasing looks through every day:\n{plan}");
}

#[test]
fn approvals_and_charts_use_an_index() {
    let filled = filled();
    let text = |value: &str| Some(value.to_owned());
    for (what, filter) in [
        ("approvals", ApprovalFilter { limit: 50, ..Default::default() }),
        ("approved ones", ApprovalFilter { statuses: vec!["approved".into()], limit: 50, ..Default::default() }),
        ("approvals of an agent", ApprovalFilter { agent: text("agt_3"), limit: 50, ..Default::default() }),
    ] {
        let (sql, terms) = approvals::query(filled.number, &filter);
        filled.uses_an_index(what, 1, &sql, &terms.values());
    }
    let (sql, terms) =
        approvals::count_query(filled.number, &ApprovalFilter { agent: text("agt_3"), ..Default::default() });
    // Of the table, and its index, where that is read first.
    filled.uses_an_index("how many approvals", 2, &sql, &terms.values());
    let number: Value<'_> = (&filled.number, Type::INT8);
    filled.uses_an_index("open approvals", 1, &approvals::open_query(), std::slice::from_ref(&number));
    let indexes: Vec<i64> = vec![7, 9];
    let named = [number.clone(), (&indexes, Type::INT8_ARRAY)];
    filled.uses_an_index("approvals of entries", 1, &approvals::entries_query(), &named);
    let (span, from, until, limit) = (60_000_000_i64, 60_000_000_i64, 1_200_000_000_i64, 50_i64);
    let stretch: [Value<'_>; 6] = [
        number.clone(),
        (&span, Type::INT8),
        (&"all", Type::TEXT),
        (&from, Type::INT8),
        (&until, Type::INT8),
        (&limit, Type::INT8),
    ];
    filled.uses_an_index("a chart", 1, &tallies::query(false), &stretch);
    filled.uses_an_index("what was most frequent", 1, &tallies::query(true), &stretch);
    let (agents, ids): (Vec<&[u8]>, Vec<&[u8]>) = (vec![b"agt_1", b"agt_2"], vec![b"req_1001", b"req_2002"]);
    let repeated = [number, (&agents, Type::BYTEA_ARRAY), (&ids, Type::BYTEA_ARRAY)];
    // Of the requests, and of the asked ones beside them.
    filled.uses_an_index("requests made again", 2, ledger::REQUESTS, &repeated);
}
