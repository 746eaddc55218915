//! The figures as people read them.

use crate::decide;
use crate::guard;
use comfy_table::{CellAlignment, Table, presets::UTF8_BORDERS_ONLY};

fn table(head: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_BORDERS_ONLY).set_header(head);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

pub fn guard(rows: &[guard::Row]) -> String {
    let mut table =
        table(&["durable guard", "conns", "req/s", "min–max", "p50 µs", "p99 µs", "CPU µs", "× durable", "× bare"]);
    for row in rows {
        table.add_row([
            row.subject.clone(),
            row.connections.to_string(),
            format!("{:.0}", row.per_second),
            format!("{:.0}–{:.0}", row.per_second_min, row.per_second_max),
            format!("{:.0}", row.p50_us),
            format!("{:.0}", row.p99_us),
            row.cpu_us.map_or_else(|| "–".to_owned(), |cpu| format!("{cpu:.1}")),
            format!("{:.2}", row.of_durable),
            format!("{:.2}", row.of_bare),
        ]);
    }
    table.to_string()
}

pub fn decide(rows: &[decide::Row]) -> String {
    let mut table = table(&["one decision in process", "rules", "prepare ns", "decide ns", "bytes → decision ns"]);
    for row in rows {
        table.add_row([
            "reference evaluator, indexed by action".to_owned(),
            row.rules.to_string(),
            format!("{:.0}", row.prepare_ns),
            format!("{:.0}", row.decide_ns),
            format!("{:.0}", row.bytes_ns),
        ]);
    }
    table.to_string()
}
