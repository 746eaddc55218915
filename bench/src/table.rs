//! The figures as people read them.

use crate::growth;
use crate::guard;
use crate::keys;
use crate::memory;
use crate::open;
use crate::postgres::{Postgres, Row};
use crate::upkeep;
use comfy_table::{CellAlignment, Table, presets::UTF8_BORDERS_ONLY};

fn table(head: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_BORDERS_ONLY).set_header(head);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

pub fn guard(title: &str, rows: &[guard::Row]) -> String {
    let mut table =
        table(&[title, "in flight", "req/s", "min–max", "p50 µs", "p99 µs", "CPU µs", "× durable", "× bare"]);
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

pub fn memory(rows: &[memory::Row]) -> String {
    let mut table =
        table(&["decide with memory, in process", "meters", "live keys", "ns", "× without", "bytes per key"]);
    for row in rows {
        table.add_row([
            row.subject.clone(),
            row.meters.to_string(),
            row.keys.to_string(),
            format!("{:.0}", row.nanoseconds),
            format!("{:.2}", row.ratio),
            if row.keys > 0 { format!("{:.0}", row.bytes_per_key) } else { "–".to_owned() },
        ]);
    }
    table.to_string()
}

pub fn keys(figures: &keys::Figures) -> String {
    let mut table = table(&["many keys", ""]);
    let mut row = |what: String, figure: String| {
        table.add_row([what, figure]);
    };
    row("copy of a million keys for a snapshot".to_owned(), format!("{:.0} µs", figures.copy_us));
    row("longest change while the copy is held".to_owned(), format!("{:.0} µs", figures.longest_put_us));
    row("writing its image".to_owned(), format!("{:.0} ms, {:.1} MiB", figures.image_ms, figures.image_mib));
    row("reading it back".to_owned(), format!("{:.0} ms", figures.read_back_ms));
    let many = format!("{} million keys within {} MiB", figures.many_keys / 1_000_000, figures.bound_mib);
    row(many, format!("{:.0} MiB resident", figures.resident_mib));
    row("reading any of them".to_owned(), format!("{:.1} µs", figures.read_us));
    row("asking for one that never was".to_owned(), format!("{:.1} µs", figures.strange_us));
    table.to_string()
}

pub fn open(rows: &[open::Row]) -> String {
    let mut table = table(&[
        "durable guard, open loop",
        "req/s",
        "p50 µs",
        "min–max",
        "p99 µs",
        "min–max",
        "most µs",
        "p50 × durable",
    ]);
    for row in rows {
        table.add_row([
            row.subject.clone(),
            row.per_second.to_string(),
            format!("{:.0}", row.p50_us),
            format!("{:.0}–{:.0}", row.p50_us_min, row.p50_us_max),
            format!("{:.0}", row.p99_us),
            format!("{:.0}–{:.0}", row.p99_us_min, row.p99_us_max),
            format!("{:.0}", row.most_us),
            format!("{:.2}", row.p50_of_durable),
        ]);
    }
    table.to_string()
}

pub fn upkeep(row: &upkeep::Upkeep) -> String {
    let mut table = table(&["upkeep", ""]);
    let lines = [
        ("publish 10,000 rules under 500 req/s, ms", format!("{:.0}", row.publish_ms)),
        ("longest request meanwhile, ms", format!("{:.1}", row.stall_ms)),
        ("longest request without a publish, ms", format!("{:.1}", row.stall_without_ms)),
        ("resident when idle, MiB", format!("{:.1}", row.idle_mib)),
        ("from command to first answer, ms", format!("{:.0}", row.start_ms)),
        ("verify an export, entries/s", format!("{:.0}", row.verify_per_second)),
    ];
    for (what, value) in lines {
        table.add_row([what.to_owned(), value]);
    }
    table.to_string()
}

pub fn growth(grown: &growth::Growth) -> String {
    let mut table = table(&["growth", "empty", "large", "large / empty", "min–max"]);
    for row in &grown.rows {
        table.add_row([
            format!("guard p50 µs, {} in flight", row.connections),
            format!("{:.0}", row.empty_p50_us),
            format!("{:.0}", row.large_p50_us),
            format!("{:.2}", row.ratio),
            format!("{:.2}–{:.2}", row.ratio_min, row.ratio_max),
        ]);
    }
    let only = |what: &str, empty: String, large: String| [what.to_owned(), empty, large, String::new(), String::new()];
    table.add_row(only("entries", "1".to_owned(), grown.entries.to_string()));
    table.add_row(only("start, ms", format!("{:.0}", grown.empty_start_ms), format!("{:.0}", grown.start_ms)));
    table.add_row(only("resident, MiB", String::new(), format!("{:.0}", grown.resident_mib)));
    table.add_row(only("disk, MiB", String::new(), format!("{:.0}", grown.disk_mib)));
    table.to_string()
}

pub fn postgres(found: &Postgres) -> String {
    let settings = found.settings.iter().map(|setting| format!("{} {}", setting.name, setting.value));
    let mut text = format!("PostgreSQL: {}", settings.collect::<Vec<_>>().join(", "));
    for (title, floor, rows) in [
        ("group commit on PostgreSQL", "× floor", &found.floor),
        ("sequencing on PostgreSQL, in process", "× floor", &found.sequencing),
        ("durable guard on PostgreSQL, closed loop", "× floor", &found.guard),
        ("workspaces in parallel", "× one workspace", &found.workspaces),
    ] {
        if !rows.is_empty() {
            text = format!("{text}\n{}", on_postgres(title, floor, rows));
        }
    }
    if let Some(footprint) = &found.footprint {
        let (log, disk) = (footprint.log_bytes, footprint.disk_bytes);
        text = format!("{text}\none decision: {log:.0} bytes of log, {disk:.0} bytes on disk, lists included");
    }
    text
}

fn on_postgres(title: &str, floor: &str, rows: &[Row]) -> String {
    let mut table =
        table(&[title, "in flight", "per second", "min–max", "p50 µs", "p99 µs", "CPU µs", "PostgreSQL's", floor]);
    let cpu = |cpu: Option<f64>| cpu.map_or_else(|| "–".to_owned(), |cpu| format!("{cpu:.1}"));
    for row in rows {
        table.add_row([
            row.subject.clone(),
            row.in_flight.to_string(),
            format!("{:.0}", row.per_second),
            format!("{:.0}–{:.0}", row.per_second_min, row.per_second_max),
            format!("{:.0}", row.p50_us),
            format!("{:.0}", row.p99_us),
            cpu(row.cpu_us),
            cpu(row.database_cpu_us),
            format!("{:.2}", row.of_floor),
        ]);
    }
    table.to_string()
}
