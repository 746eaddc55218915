//! Databases for tests: each test makes one of its own and drops it.
//!
//! The server is the one that `RUNPLANE_TEST_POSTGRES_URL` names, else one that answers on the local socket
//! or 127.0.0.1:5432. `scripts/with-postgres` starts a private one where there is none. Nothing is written
//! before it is known that the server was named for tests or runs on this machine (its process does: at the port may be
//! the near end of a tunnel), that it is new enough and takes writes, and that the role may make databases; and nothing is dropped but what bears the mark of these tests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code that other crates' tests call, so the exemption for tests does not reach it"
)]

mod proxy;

pub use proxy::Proxy;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::pool::Connections;
use super::{Address, Options, PostgresStore};
use tokio_postgres::types::Type;

const VARIABLE: &str = "RUNPLANE_TEST_POSTGRES_URL";
const NEARBY: [&str; 2] = ["postgres://%2Fvar%2Frun%2Fpostgresql/postgres", "postgres://127.0.0.1:5432/postgres"];
const MARK: &str = "runplane_test_";

/// An empty database, dropped in the end.
pub struct Database {
    name: String,
}

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// The URL of the server's own database, from which others are made.
fn server() -> &'static str {
    static SERVER: OnceLock<String> = OnceLock::new();
    SERVER.get_or_init(|| {
        #[allow(clippy::disallowed_methods, reason = "tests have no configuration but this")]
        let named = std::env::var(VARIABLE).ok();
        let found = match named {
            Some(url) => Ok(url),
            None => NEARBY.into_iter().find(|url| looks_right(url, true).is_ok()).map(str::to_owned).ok_or(()),
        };
        let url = found.unwrap_or_else(|()| {
            panic!(
                "tests need a PostgreSQL server (15 or later): name one in {VARIABLE} (a role that may create \
                 databases), or run them through `scripts/with-postgres`, which starts one"
            )
        });
        if let Err(why) = looks_right(&url, false) {
            panic!("the PostgreSQL server for tests is not used: {why}");
        }
        drop_leftovers(&url);
        url
    })
}

/// The same is asked in `scripts/with-postgres`.
const ASK: &str = "SELECT pg_is_in_recovery(), current_setting('server_version_num')::int4, pg_backend_pid(),
                          (SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user)";

fn looks_right(url: &str, must_be_here: bool) -> Result<(), String> {
    let connections = connect(url)?;
    let asked = connections.run(async |db| {
        let row = db.query_typed_one(ASK, &[]).await?;
        // Asked while the process serves this connection.
        let process = format!("/proc/{}/comm", row.get::<_, i32>(2));
        let is_here = std::fs::read_to_string(process).is_ok_and(|name| name.trim_end() == "postgres");
        Ok((row, is_here))
    });
    let (row, is_here) = asked.map_err(|error| error.to_string())?;
    let (is_standby, version, may_create) = (row.get::<_, bool>(0), row.get::<_, i32>(1), row.get::<_, bool>(3));
    let wrong = [
        (is_standby, "it is a standby"),
        (version < 150_000, "it is older than version 15"),
        (!may_create, "the role may not create databases"),
        (must_be_here && !is_here, "it does not run on this machine"),
    ];
    wrong.iter().find(|(is_wrong, _)| *is_wrong).map_or(Ok(()), |(_, why)| Err((*why).to_owned()))
}

fn connect(url: &str) -> Result<Connections, String> {
    let address = Address::parse(url).map_err(|error| error.to_string())?;
    Connections::new(&address, 1, 1).map_err(|error| error.to_string())
}

/// Runs statements on the server's own database, or says why not.
fn on_server(sql: &str) -> Result<(), String> {
    let connections = connect(server())?;
    connections.run(async |db| Ok(db.batch_execute(sql).await?)).map_err(|error| error.to_string())
}

/// What tests that were killed left behind more than an hour ago.
fn drop_leftovers(url: &str) {
    let old = connect(url).and_then(|connections| {
        let names = connections.run(async |db| {
            let rows = db
                .query_typed(
                    "SELECT datname::text FROM pg_database WHERE datname ~ '^runplane_test_[0-9]+_'
                     AND split_part(datname, '_', 3)::bigint < extract(epoch FROM now()) - 3600",
                    &[],
                )
                .await?;
            Ok(rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>())
        });
        let names = names.map_err(|error| error.to_string())?;
        for name in &names {
            let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            let _ = connections.run(async |db| Ok(db.batch_execute(&sql).await?));
        }
        Ok(())
    });
    drop(old);
}

impl Database {
    pub fn create() -> Self {
        let connections = connect(server()).unwrap();
        let row = connections
            .run(async |db| Ok(db.query_typed_one("SELECT extract(epoch FROM now())::bigint", &[]).await?))
            .unwrap();
        let (seconds, process) = (row.get::<_, i64>(0), std::process::id());
        let name = format!("{MARK}{seconds}_{process}_{}", COUNTER.fetch_add(1, Ordering::Relaxed));
        let sql = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'");
        connections.run(async |db| Ok(db.batch_execute(&sql).await?)).unwrap();
        Self { name }
    }

    pub fn url(&self) -> String {
        let (before, query) = server().split_once('?').map_or((server(), None), |(url, query)| (url, Some(query)));
        let (base, _) = before.rsplit_once('/').expect("a URL with a database");
        query.map_or_else(|| format!("{base}/{}", self.name), |query| format!("{base}/{}?{query}", self.name))
    }

    pub fn address(&self) -> Address {
        Address::parse(&self.url()).unwrap()
    }

    /// Patient with a busy machine, and with a clock that only moves when a test moves it.
    pub fn open(&self) -> PostgresStore {
        PostgresStore::open(&self.address(), &patient()).unwrap()
    }

    /// The same with partitions of the ledger that are soon full, if this is the first to open it.
    pub fn open_cut(&self, partition: u64) -> PostgresStore {
        PostgresStore::open(&self.address(), &Options { partition, ..patient() }).unwrap()
    }

    /// As programs up to this version of the schema left it.
    pub fn raise_to(&self, version: usize) {
        let connections = connect(&self.url()).unwrap();
        let known = super::schema::MIGRATIONS.get(..version).unwrap();
        connections.wait(super::schema::raise(&connections, &self.name, known, 1 << 25)).unwrap();
    }

    /// As a program does that knows one more version of the schema, which this one may use or may not.
    pub fn raise_beyond(&self, for_us: bool, steps: &'static [&'static str]) {
        let connections = connect(&self.url()).unwrap();
        let needs = super::schema::newest() + i64::from(!for_us);
        let known = super::schema::MIGRATIONS.iter().copied().chain([super::schema::Migration { needs, steps }]);
        let known: Vec<_> = known.collect();
        connections.wait(super::schema::raise(&connections, &self.name, &known, 1 << 25)).unwrap();
    }

    /// Whether tests may do here what only a superuser may, as on the server that they start for themselves.
    pub fn is_ours(&self) -> bool {
        self.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == Some("t".into())
    }

    /// Gives each entry a row of its own, as older versions wrote them: for strangers, who change one.
    pub fn unpack_entries(&self) {
        let connections = connect(&self.url()).unwrap();
        let unpacked = connections.run(async |db| {
            let packed = "DELETE FROM runplane.entries WHERE ends IS NOT NULL
                RETURNING entry_index, bytes, leaf_hash, ends, coding, workspace, length(leaf_hash), payload_day, payload_days";
            for row in db.query_typed(packed, &[]).await? {
                let places = super::segments::places(&row, [0, 6, 7, 8])?;
                for (entry, (_, day)) in super::segments::entries(&row)?.iter().zip(places) {
                    let index = super::errors::signed(entry.index)?;
                    db.execute_typed(
                        "INSERT INTO runplane.entries (workspace, entry_index, leaf_hash, bytes, payload_day)
                         VALUES ($1, $2, $3, $4, $5)",
                        &[
                            (&row.get::<_, i64>(5), Type::INT8),
                            (&index, Type::INT8),
                            (&entry.leaf_hash.as_slice(), Type::BYTEA),
                            (&entry.bytes, Type::BYTEA),
                            (&day, Type::INT4),
                        ],
                    )
                    .await?;
                }
            }
            Ok(())
        });
        unpacked.unwrap();
    }

    /// Asks until the answer is as wanted, for some ten seconds at least: asking connects anew.
    pub fn until(&self, sql: &str, is_wanted: impl Fn(Option<&str>) -> bool) {
        let is_so = (0..5_000).any(|_| is_wanted(self.execute(sql).as_deref()));
        assert!(is_so, "not so: {sql}");
    }

    /// Statements of a stranger; the first column of the first row as text, if there is one.
    pub fn execute(&self, sql: &str) -> Option<String> {
        let connections = connect(&self.url()).unwrap();
        // However long it takes.
        let asked = connections.wait(async {
            super::pool::take(&connections.readers)
                .await?
                .simple_query(sql)
                .await
                .map_err(|error| super::errors::unavailable(super::errors::describe(&error)))
        });
        asked.unwrap().iter().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        })
    }
}

/// The store's options in tests that are not about its time-outs.
pub fn patient() -> Options {
    let long = std::time::Duration::from_secs(10);
    Options { turns: 3, readers: 4, idle_in_turn: long, lock_wait: long * 2, database_clock: false, partition: 1 << 25 }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Err(error) = on_server(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)) {
            tracing::warn!(name = self.name, error, "a test's database could not be dropped");
        }
    }
}
