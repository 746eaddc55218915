//! Runs the binary: once to its end, or as a server that is stopped with the value.

use runplane_store::postgres::testing::Database;
use runplane_store::{Options, SqliteStore, Store};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A variable of the test run itself.
#[allow(clippy::disallowed_methods)] // tests have no config.rs
pub fn asked_for(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| value == "1")
}

/// The binary, with nothing of the caller's environment that it would listen to.
pub fn runplane(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runplane"));
    for name in ["URL", "DATA", "WORKSPACE", "API_KEY", "ADMIN_TOKEN", "DATABASE_URL", "LOG"] {
        command.env_remove(format!("RUNPLANE_{name}"));
    }
    for name in ["COLUMNS", "CLICOLOR_FORCE", "FORCE_COLOR"] {
        command.env_remove(name);
    }
    command.args(args).stdin(Stdio::null());
    command
}

pub fn code(output: &Output) -> i32 {
    output.status.code().expect("it was killed")
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: `{}` `{}`", stdout(output), stderr(output)))
}

/// A folder as `init` made it, with its keys; and the database, if it is not in there.
pub struct Installation {
    pub folder: TempDir,
    pub data: PathBuf,
    pub keys: Value,
    pub database: Option<Arc<Database>>,
}

impl Installation {
    /// On the database that `RUNPLANE_TEST_STORE` names: `sqlite` (also if it is not set) or `postgres`.
    #[allow(clippy::disallowed_methods)] // tests have no config.rs
    pub fn new() -> Self {
        match std::env::var("RUNPLANE_TEST_STORE").unwrap_or_default().as_str() {
            "" | "sqlite" => Self::embedded(),
            "postgres" => Self::shared(),
            other => panic!("RUNPLANE_TEST_STORE is `{other}`; it may be `sqlite` or `postgres`"),
        }
    }

    /// On the embedded database, whichever the other tests run on.
    pub fn embedded() -> Self {
        Self::on(None)
    }

    /// On PostgreSQL, whichever the other tests run on.
    pub fn shared() -> Self {
        Self::on(Some(Arc::new(Database::create())))
    }

    fn on(database: Option<Arc<Database>>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let mut installation = Self { folder, data, keys: Value::Null, database };
        let made = installation.command(&["init", "--json"]).output().unwrap();
        assert_eq!(code(&made), 0, "{}", stderr(&made));
        installation.keys = json(&made);
        installation
    }

    /// The place of another node on the same database: a folder of its own with the same keys.
    pub fn beside(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        for key in ["ledger.key", "permit.key"] {
            std::fs::copy(self.data.join(key), data.join(key)).unwrap();
        }
        Self { folder, data, keys: self.keys.clone(), database: self.database.clone() }
    }

    /// What the binary keeps, while none runs that has it for itself.
    pub fn store(&self) -> Box<dyn Store> {
        match &self.database {
            Some(database) => Box::new(database.open()),
            None => Box::new(SqliteStore::open(&self.data, &Options::default()).unwrap()),
        }
    }

    /// The binary on this installation's folder and database.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = runplane(args);
        command.args(["--data", self.data()]);
        if let Some(database) = &self.database {
            command.env("RUNPLANE_DATABASE_URL", database.url());
        }
        command
    }

    /// Runs it to its end, which has to be a good one.
    pub fn done(&self, args: &[&str]) -> Output {
        let output = self.command(args).output().unwrap();
        assert_eq!(code(&output), 0, "{args:?}: {}{}", stdout(&output), stderr(&output));
        output
    }

    pub fn data(&self) -> &str {
        self.data.to_str().unwrap()
    }

    pub fn key(&self, name: &str) -> &str {
        self.keys[name].as_str().unwrap()
    }

    pub fn serve(&self) -> Server<'_> {
        let mut child = self
            .command(&["serve", "--listen", "127.0.0.1:0", "--log", "error"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let url = line.split_whitespace().last().unwrap_or_else(|| panic!("the server did not start")).to_owned();
        assert!(url.starts_with("http://127.0.0.1:"), "{line}");
        Server { installation: self, child, _said: said, url }
    }
}

/// A running server; killed when it goes out of scope.
pub struct Server<'a> {
    pub installation: &'a Installation,
    pub url: String,
    child: Child,
    /// Kept open, so that the server never writes into a closed pipe.
    _said: BufReader<ChildStdout>,
}

impl Server<'_> {
    /// The binary as a client of this server, with both keys.
    pub fn client(&self, args: &[&str]) -> Command {
        let mut command = runplane(args);
        command
            .env("RUNPLANE_URL", &self.url)
            .env("RUNPLANE_API_KEY", self.installation.key("agentKey"))
            .env("RUNPLANE_ADMIN_TOKEN", self.installation.key("adminToken"));
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.client(args).output().unwrap()
    }

    /// SIGKILL: no destructor runs, nothing is flushed.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and the exit code.
    pub fn stop(mut self) -> i32 {
        terminate(&self.child);
        self.child.wait().unwrap().code().expect("it did not end by itself")
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        // Gone already if the test stopped or killed it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn terminate(child: &Child) {
    let sent = Command::new("sh").args(["-c", &format!("kill -TERM {}", child.id())]).status().unwrap();
    assert!(sent.success());
}
