//! A database of the benchmark's own, what its server is set to, and what its server costs.

use crate::load::cpu_time_with_ended;
use anyhow::{Context, Result};
use serde::Serialize;
use std::time::Duration;
use tokio_postgres::{Client, NoTls};

/// What decides how much a commit costs.
const SETTINGS: [&str; 9] = [
    "server_version",
    "fsync",
    "full_page_writes",
    "synchronous_commit",
    "wal_sync_method",
    "commit_delay",
    "shared_buffers",
    "max_wal_size",
    "wal_compression",
];

#[derive(Clone, Debug, Serialize)]
pub struct Setting {
    pub name: &'static str,
    pub value: String,
}

/// What a database holds and what its server has written so far.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    entries: i64,
    log: i64,
    disk: i64,
}

/// Bytes of one decision.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Footprint {
    pub entries: i64,
    /// Of the write-ahead log: what a standby or an archive has to take.
    pub log_bytes: f64,
    /// Of tables and indexes, lists included.
    pub disk_bytes: f64,
}

impl Written {
    pub async fn read(url: &str) -> Result<Self> {
        let client = connect(url).await?;
        let row = client
            .query_one(
                "SELECT (SELECT sum(size) FROM runplane.heads)::bigint, (pg_current_wal_lsn() - '0/0')::bigint,
                 pg_database_size(current_database())",
                &[],
            )
            .await?;
        Ok(Self { entries: row.try_get(0)?, log: row.try_get(1)?, disk: row.try_get(2)? })
    }

    pub fn until(self, later: Self) -> Footprint {
        let entries = later.entries - self.entries;
        let per_entry = |bytes: i64| bytes as f64 / entries.max(1) as f64;
        Footprint { entries, log_bytes: per_entry(later.log - self.log), disk_bytes: per_entry(later.disk - self.disk) }
    }
}

/// A database made for one measurement.
pub struct Database {
    server: String,
    name: String,
}

impl Database {
    pub async fn create(server: &str, name: &str) -> Result<Self> {
        let name = format!("runplane_bench_{}_{name}", std::process::id());
        let client = connect(server).await?;
        client.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")).await?;
        Ok(Self { server: server.to_owned(), name })
    }

    pub fn url(&self) -> Result<String> {
        let (before, query) = self.server.split_once('?').unwrap_or((&self.server, ""));
        let (base, _) = before.rsplit_once('/').context("the server's URL names no database")?;
        let separator = if query.is_empty() { "" } else { "?" };
        Ok(format!("{base}/{}{separator}{query}", self.name))
    }

    pub async fn remove(self) -> Result<()> {
        let client = connect(&self.server).await?;
        client.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await?;
        Ok(())
    }
}

pub async fn connect(url: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.context("connecting to PostgreSQL")?;
    #[allow(clippy::disallowed_methods)] // ends with its client
    tokio::task::spawn(async move {
        if let Err(failure) = connection.await {
            crate::say(&format!("a connection to PostgreSQL ended: {failure}"));
        }
    });
    Ok(client)
}

pub async fn settings(url: &str) -> Result<Vec<Setting>> {
    let client = connect(url).await?;
    let mut settings = Vec::new();
    for name in SETTINGS {
        let value = client.query_one("SELECT current_setting($1)", &[&name]).await?.try_get(0)?;
        settings.push(Setting { name, value });
    }
    Ok(settings)
}

/// CPU that PostgreSQL's processes on this machine have used so far, those that ended included.
pub fn server_cpu() -> Option<Duration> {
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    let ours = processes
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "postgres"));
    Some(ours.filter_map(cpu_time_with_ended).sum())
}
