//! What a line of the decision list costs on PostgreSQL, and how long it takes to find one.
//!
//! `cargo run --release -p runplane-store --example list_rate -- [LINES] [FILLED]`
//!
//! LINES lines are listed with each size of batch, on a list that has FILLED lines already; the CPU is that of the
//! server's own processes for these connections, as /proc has it, so the server must run on this machine.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a measurement prints and reads the clock")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement may stop where it cannot go on")]

use std::time::Instant;

use runplane_store::contract::samples::{self, Chain};
use runplane_store::postgres::testing::Database;
use runplane_store::{DecisionFilter, DecisionRow, MAX_PAGE, PostgresStore, Store};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut next = |otherwise: u64| arguments.next().map_or(otherwise, |given| given.parse().unwrap());
    let (lines, filled) = (next(65_536), next(200_000));
    let database = Database::create();
    let store = database.open();
    let mut chain = Chain::begin(&store, "one");
    while chain.head.size < filled + 5 * lines {
        let batch = chain.next(20_000);
        chain.commit(&store, &batch);
    }
    let mut cursor = 1;
    list(&store, &mut cursor, filled, MAX_PAGE);
    println!("| batch | µs of PostgreSQL per line | µs in all per line | log, bytes per line |\n|---|---|---|---|");
    for size in [1, 16, 64, 512, MAX_PAGE] {
        let few = lines.min(u64::try_from(size).unwrap() * 2_000);
        let (cpu, written, began) = (cpu(&database), written(&database), Instant::now());
        list(&store, &mut cursor, few, size);
        let each = |amount: f64| amount / few as f64;
        let all = each(began.elapsed().as_secs_f64() * 1e6);
        let (cpu, written) = (self::cpu(&database) - cpu, self::written(&database) - written);
        println!("| {size} | {:.2} | {all:.2} | {:.0} |", each(cpu * 1e6), each(written));
    }
    let size = "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class
                WHERE relkind = 'r' AND relname ~ '^(decisions|list_blocks|list_terms)_'";
    let size: f64 = database.execute(size).unwrap().parse().unwrap();
    println!("{:.0} bytes of disk per line\n", size / cursor as f64);
    database.execute("ANALYZE");
    for (what, filter) in searches(cursor) {
        let began = Instant::now();
        let found = (0..100).map(|_| store.list_decisions("ws_one", &filter).unwrap().len()).max().unwrap();
        println!("{what}: {found} lines, {:.2} ms", began.elapsed().as_secs_f64() * 10.0);
    }
    let began = Instant::now();
    let found = (0..100)
        .filter(|at| store.find_decisions("ws_one", &line(7 + at * 99).request_id, None, 9).unwrap().len() == 1);
    println!("a request id: found {} of 100, {:.2} ms", found.count(), began.elapsed().as_secs_f64() * 10.0);
}

fn searches(cursor: u64) -> Vec<(&'static str, DecisionFilter)> {
    let all = DecisionFilter { limit: 50, ..Default::default() };
    let text = |text: &str| Some(text.to_owned());
    vec![
        ("the newest", all.clone()),
        ("a page in the middle", DecisionFilter { before: Some(cursor / 2), ..all.clone() }),
        ("an agent", DecisionFilter { agent: text("agt_0190000000007000800000000000000b"), ..all.clone() }),
        ("a rare target", DecisionFilter { target: text("target_77"), ..all.clone() }),
        (
            "a rare target of an agent",
            DecisionFilter {
                target: text("target_77"),
                agent: text("agt_01900000000070008000000000000007"),
                ..all.clone()
            },
        ),
        ("nothing that is there", DecisionFilter { target: text("nowhere"), ..all.clone() }),
        ("what never comes together", DecisionFilter { outcome: text("BLOCK"), rule: text("payments/none"), ..all }),
    ]
}

fn list(store: &PostgresStore, cursor: &mut u64, lines: u64, size: usize) {
    let rows: Vec<DecisionRow> = (*cursor..*cursor + lines).map(line).collect();
    for part in rows.chunks(size) {
        *cursor = part.last().unwrap().index + 1;
        store.project_decisions("ws_one", part, *cursor).unwrap();
    }
}

/// As the server makes them: twenty agents, thirty actions, a hundred targets, twelve rules.
fn line(index: u64) -> DecisionRow {
    let scattered = index.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
    let at_us = samples::START_US + i64::try_from(index).unwrap() * 50;
    DecisionRow {
        index,
        request_id: format!("req_{:012x}7{:03x}8{:03x}{index:012x}", at_us / 1000, scattered % 4096, scattered / 4096 % 4096),
        at_us,
        agent: format!("agt_019000000000700080000000000000{:02x}", scattered % 20),
        action_type: format!("action_type_{}", scattered / 20 % 30),
        target: format!("target_{}", scattered / 600 % 100),
        outcome: ["ALLOW", "ALLOW", "ALLOW", "BLOCK", "REQUIRE_APPROVAL"][usize::try_from(scattered % 5).unwrap()].into(),
        rule: format!("payments/rule-{}", scattered / 7 % 12),
        severity: ["low", "medium", "high", "critical"][usize::try_from(scattered % 4).unwrap()].into(),
        bytes: format!(
            "{{\"kind\":\"decision\",\"declared\":\"actionType{}\",\"domain\":\"payments\",\"effect\":\"write\",\"environment\":\
             \"production\",\"reason\":\"refunds over the limit need a person\",\"reasonCode\":\"policy\",\"riskScore\":{},\
             \"approvalId\":null,\"count\":1}}",
            scattered / 20 % 30,
            scattered % 100
        )
        .into_bytes(),
    }
}

/// Seconds that the processes of the store's connections have used.
fn cpu(database: &Database) -> f64 {
    let pids = "SELECT string_agg(pid::text, ' ') FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let pids = database.execute(pids).unwrap();
    let used = pids.split(' ').filter_map(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).ok()?;
        stat.split(' ').next()?.parse::<f64>().ok()
    });
    used.sum::<f64>() / 1e9
}

fn written(database: &Database) -> f64 {
    database.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn").unwrap().parse().unwrap()
}
