//! What the dashboard asks is answered from an index, however long the ledger is: the plans say so.

use super::testing::Database;
use super::{PostgresStore, approvals, lists};
use crate::contract::samples::Chain;
use crate::{ApprovalFilter, DecisionFilter};
use tokio_postgres::types::{ToSql, Type};

/// Large enough that reading all of it is not a plan.
const ROWS: u32 = 60_000;

fn filled() -> (Database, PostgresStore, i64) {
    let database = Database::create();
    let store = database.open();
    let chain = Chain::begin(&store, "one");
    let number = store.number(&chain.workspace).unwrap();
    database.execute(&format!(
        "INSERT INTO runplane.decisions
         SELECT {number}, i, 'req_' || i, i * 1000, 'agt_' || i % 50, 'type_' || i % 40, 'target_' || i % 100,
             (ARRAY['ALLOW', 'BLOCK', 'REQUIRE_APPROVAL'])[i % 3 + 1], 'rule_' || i % 60,
             (ARRAY['low', 'medium', 'high', 'critical'])[i % 4 + 1], '\\x00'
         FROM generate_series(1, {ROWS}) i;
         INSERT INTO runplane.approvals
         SELECT {number}, 'apr_' || i, i, 'agt_' || i % 50, (ARRAY['approved', 'denied', 'expired'])[i % 3 + 1], i > {ROWS} - 20,
             i * 1000, '\\x00'
         FROM generate_series(1, {ROWS}) i;
         INSERT INTO runplane.tallies
         SELECT {number}, 60000000, (ARRAY['all', 'agent', 'rule', 'target'])[i % 4 + 1], i::bigint / 4 * 60000000, 'k' || i % 4, 1, 1, 1
         FROM generate_series(1, {ROWS}) i;
         ANALYZE runplane.decisions; ANALYZE runplane.approvals; ANALYZE runplane.tallies"
    ));
    (database, store, number)
}

fn plan(store: &PostgresStore, sql: &str, values: &[(&(dyn ToSql + Sync), Type)]) -> String {
    let rows = store.connections.run(async |db| Ok(db.query_typed(&format!("EXPLAIN {sql}"), values).await?)).unwrap();
    rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join("\n")
}

fn uses_an_index(what: &str, plan: &str) {
    assert!(plan.contains("Index") && !plan.contains("Seq Scan"), "{what} reads a whole table:\n{plan}");
}

#[test]
fn every_filter_of_the_dashboard_uses_an_index() {
    let (_database, store, number) = filled();
    let text = |value: &str| Some(value.to_owned());
    let filters = [
        ("the newest", DecisionFilter::default()),
        ("a page", DecisionFilter { before: Some(30_000), ..Default::default() }),
        ("a page upwards", DecisionFilter { after: Some(30_000), ..Default::default() }),
        ("an agent", DecisionFilter { agent: text("agt_7"), ..Default::default() }),
        ("an action", DecisionFilter { action_type: text("type_3"), ..Default::default() }),
        ("a target", DecisionFilter { target: text("target_9"), ..Default::default() }),
        ("an outcome", DecisionFilter { outcome: text("BLOCK"), ..Default::default() }),
        ("a rule", DecisionFilter { rule: text("rule_5"), ..Default::default() }),
        ("a severity", DecisionFilter { severity: text("high"), ..Default::default() }),
        ("a time", DecisionFilter { since_us: Some(20_000_000), until_us: Some(21_000_000), ..Default::default() }),
        ("two at once", DecisionFilter { agent: text("agt_7"), outcome: text("ALLOW"), ..Default::default() }),
        ("nothing that is there", DecisionFilter { target: text("nowhere"), ..Default::default() }),
    ];
    for (what, mut filter) in filters {
        filter.limit = 50;
        let (sql, terms) = lists::query(number, &filter);
        let plan = plan(&store, &sql, &terms.values());
        uses_an_index(what, &plan);
        assert!(what == "two at once" || !plan.contains("Sort"), "{what} is sorted as a whole:\n{plan}");
    }
    for (what, filter) in [
        ("approvals", ApprovalFilter { limit: 50, ..Default::default() }),
        ("approved ones", ApprovalFilter { statuses: vec!["approved".into()], limit: 50, ..Default::default() }),
        ("approvals of an agent", ApprovalFilter { agent: text("agt_3"), limit: 50, ..Default::default() }),
    ] {
        let (sql, terms) = approvals::query(number, &filter);
        uses_an_index(what, &plan(&store, &sql, &terms.values()));
    }
    let one: &[(&(dyn ToSql + Sync), Type)] = &[(&number, Type::INT8)];
    for (what, sql) in [
        ("open approvals", "SELECT id FROM runplane.approvals WHERE workspace = $1 AND open ORDER BY entry_index"),
        (
            "a request",
            "SELECT 1 FROM runplane.decisions WHERE workspace = $1 AND request_id = 'req_9' ORDER BY entry_index",
        ),
        (
            "a chart",
            "SELECT start_us, sum(allowed) FROM runplane.tallies WHERE workspace = $1 AND span_us = 60000000
             AND dimension = 'all' AND start_us >= 60000000 AND start_us < 1200000000 GROUP BY start_us",
        ),
    ] {
        uses_an_index(what, &plan(&store, sql, one));
    }
}
