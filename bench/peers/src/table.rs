//! The figures as people read them.

use crate::ours::Worst;
use crate::{Row, SIZES};
use comfy_table::{CellAlignment, Table, presets::UTF8_BORDERS_ONLY};

fn table(head: Vec<String>) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_BORDERS_ONLY).set_header(head);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

pub fn sizes(title: &str, rows: &[Row]) -> String {
    let head = std::iter::once(title.to_owned()).chain(SIZES.iter().map(|size| format!("{size} rules")));
    let mut table = table(head.collect());
    for row in rows {
        let cells = row.ns.iter().map(|ns| ns.map_or_else(|| "over its limit".to_owned(), |ns| format!("{ns:.0}")));
        table.add_row(std::iter::once(row.engine.to_owned()).chain(cells));
    }
    table.to_string()
}

pub fn worst(rows: &[Worst]) -> String {
    let mut table = table(vec!["worst cases".to_owned(), "ms".to_owned(), "outcome".to_owned()]);
    for row in rows {
        table.add_row([row.what.clone(), format!("{:.2}", row.ms), row.outcome.clone()]);
    }
    table.to_string()
}

/// The only way this program prints.
pub fn say(text: &str) {
    println!("{text}");
}
