//! What a load would need, from what was measured: arithmetic over the JSON of an earlier run, nothing else.
//!
//! It extends figures of one small machine in proportion, and says which they are. What it cannot know is whether a
//! larger PostgreSQL server uses its cores as well as this one; so it states what it takes for granted.

use anyhow::{Context, Result, bail};
use clap::Args;
use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};
use serde_json::Value;
use std::path::PathBuf;

#[derive(Args)]
pub struct Options {
    /// What `runplane-bench --json` wrote for `postgres`.
    from: PathBuf,
    /// Decisions per second to plan for.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000, 100_000, 1_000_000])]
    rates: Vec<u64>,
    /// How much of a core, and of what one workspace can take, is planned to be used.
    #[arg(long, default_value_t = 0.5)]
    used: f64,
    /// Cores of one database server.
    #[arg(long, default_value_t = 32)]
    database_cores: u64,
    /// What the log of one database server takes, in MB per second, flushed.
    #[arg(long, default_value_t = 500)]
    database_log: u64,
    /// How long entries are kept, in days.
    #[arg(long, default_value_t = 90)]
    days: u64,
}

/// What was measured, per decision or per second.
struct Measured {
    per_workspace: f64,
    node_us: f64,
    database_us: f64,
    log_bytes: f64,
    disk_bytes: f64,
}

impl Measured {
    fn read(figures: &Value) -> Result<Self> {
        let row = figures
            .pointer("/postgres/guard")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .find(|row| row["subject"] == "runplane, nodes: 1" && row["inFlight"] == 256)
            .context("there is no row of one node with 256 in flight: run `runplane-bench postgres --json` first")?;
        let of = |name: &str| row[name].as_f64().with_context(|| format!("the row has no {name}"));
        let footprint = |name: &str| {
            let value = figures.pointer("/postgres/footprint").and_then(|all| all[name].as_f64());
            value.with_context(|| format!("the footprint has no {name}"))
        };
        Ok(Self {
            per_workspace: of("perSecond")?,
            node_us: of("cpuUs")?,
            database_us: of("databaseCpuUs")?,
            log_bytes: footprint("logBytes")?,
            disk_bytes: footprint("diskBytes")?,
        })
    }
}

/// Numbers of one rate.
struct Need {
    workspaces: f64,
    node_cores: f64,
    database_cores: f64,
    log_mb: f64,
    disk_tb: f64,
    databases: f64,
}

impl Need {
    fn of(rate: f64, measured: &Measured, options: &Options) -> Self {
        let database_cores = rate * measured.database_us / 1e6 / options.used;
        let log_mb = rate * measured.log_bytes / 1e6;
        let by_cores = database_cores / options.database_cores as f64;
        let by_log = log_mb / options.database_log as f64;
        Self {
            workspaces: (rate / measured.per_workspace / options.used).ceil(),
            node_cores: rate * measured.node_us / 1e6 / options.used,
            database_cores,
            log_mb,
            disk_tb: rate * measured.disk_bytes * 86_400.0 * options.days as f64 / 1e12,
            databases: by_cores.max(by_log).ceil(),
        }
    }
}

pub fn table(options: &Options) -> Result<String> {
    if !(0.01..=1.0).contains(&options.used) {
        bail!("`--used` is a share between 0.01 and 1");
    }
    let figures: Value = serde_json::from_slice(&std::fs::read(&options.from).context("reading the figures")?)?;
    let measured = Measured::read(&figures)?;
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header([
        "decisions/s",
        "workspaces, at least",
        "cores of nodes",
        "cores of databases",
        "log, MB/s",
        "disk, TB",
        "database servers",
    ]);
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for rate in &options.rates {
        let need = Need::of(*rate as f64, &measured, options);
        table.add_row([
            rate.to_string(),
            format!("{:.0}", need.workspaces),
            format!("{:.1}", need.node_cores),
            format!("{:.1}", need.database_cores),
            format!("{:.1}", need.log_mb),
            format!("{:.1}", need.disk_tb),
            format!("{:.0}", need.databases),
        ]);
    }
    let Measured { per_workspace, node_us, database_us, log_bytes, disk_bytes } = measured;
    let Options { used, database_cores, database_log, days, .. } = options;
    Ok(format!(
        "{table}\n\nmeasured: {per_workspace:.0} decisions/s on one workspace (one node, 256 in flight), {node_us:.1} µs of a \
         node's CPU and {database_us:.1} µs of PostgreSQL's for each, {log_bytes:.0} bytes of log, {disk_bytes:.0} bytes on \
         disk\ntaken for granted: {used} of a core and of a workspace used, {database_cores} cores and {database_log} MB/s of \
         log per database server, {days} days kept"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_are_in_proportion_to_what_was_measured() {
        let measured = Measured {
            per_workspace: 10_000.0,
            node_us: 50.0,
            database_us: 25.0,
            log_bytes: 2_000.0,
            disk_bytes: 1_000.0,
        };
        let options = Options {
            from: PathBuf::new(),
            rates: Vec::new(),
            used: 0.5,
            database_cores: 32,
            database_log: 500,
            days: 10,
        };
        let need = Need::of(1_000_000.0, &measured, &options);
        assert_eq!((need.workspaces, need.node_cores, need.database_cores), (200.0, 100.0, 50.0));
        assert_eq!((need.log_mb, need.disk_tb), (2_000.0, 864.0));
        assert_eq!(need.databases, 4.0, "the log decides, not the cores");
    }
}
