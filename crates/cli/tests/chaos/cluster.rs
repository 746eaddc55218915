//! A PostgreSQL server of the test's own, which it may crash.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use tempfile::TempDir;

pub struct Cluster {
    folder: TempDir,
    bin: PathBuf,
    port: u16,
}

impl Cluster {
    pub fn start() -> Self {
        let cluster = Self { folder: tempfile::tempdir().unwrap(), bin: installed(), port: free_port() };
        if is_root() {
            // PostgreSQL refuses to run as root.
            let owner = Command::new("chown").arg(user()).arg(cluster.folder.path()).status().unwrap();
            assert!(owner.success());
        }
        let data = cluster.data();
        cluster.run(
            "initdb",
            &["--pgdata", &data, "--username", "runplane", "--auth", "trust", "--encoding", "UTF8", "--locale", "C"],
        );
        cluster.run_up();
        cluster
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    fn run_up(&self) {
        let (folder, port) = (self.folder.path().display(), self.port);
        let options = format!(
            "-c listen_addresses=127.0.0.1 -p {port} -c unix_socket_directories='{folder}' -c max_connections=200"
        );
        let log = format!("{folder}/server.log");
        self.run("pg_ctl", &["--pgdata", &self.data(), "--log", &log, "--wait", "--options", &options, "start"]);
    }

    /// As if the power had failed, and come back.
    pub fn crash(&self) {
        self.run("pg_ctl", &["--pgdata", &self.data(), "--mode", "immediate", "stop"]);
        self.run_up();
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        Self::url_at(self.port)
    }

    /// The same behind a port of somebody else.
    pub fn url_at(port: u16) -> String {
        format!("postgres://runplane@127.0.0.1:{port}/postgres?sslmode=disable")
    }

    pub fn session(&self) -> Session {
        let mut asked = Command::new(self.bin.join("psql"))
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--dbname", &self.url()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (questions, answers) = (asked.stdin.take().unwrap(), asked.stdout.take().unwrap());
        Session { asked, questions, answers: BufReader::new(answers) }
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = Command::new("setpriv");
        if is_root() {
            command.args(["--reuid", &user(), "--regid", &group(), "--clear-groups"]).arg(self.bin.join(program));
        } else {
            command = Command::new(self.bin.join(program));
        }
        let ran = command
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        let log = || std::fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default();
        assert!(ran.success(), "{program} {arguments:?}: {}", log());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.run("pg_ctl", &["--pgdata", &self.data(), "--mode", "immediate", "stop"]);
            return;
        }
        // Whatever went wrong, no server may be left behind.
        let stop = Command::new(self.bin.join("pg_ctl"))
            .args(["--pgdata", &self.data(), "--mode", "immediate", "stop"])
            .status();
        if !stop.is_ok_and(|stop| stop.success()) && is_root() {
            self.run("pg_ctl", &["--pgdata", &self.data(), "--mode", "immediate", "stop"]);
        }
    }
}

/// A `psql` that goes on.
pub struct Session {
    asked: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Session {
    /// What a query of one row and one column says, in one line.
    pub fn ask(&mut self, sql: &str) -> String {
        writeln!(self.questions, "{sql};").unwrap();
        self.questions.flush().unwrap();
        let mut answer = String::new();
        assert!(self.answers.read_line(&mut answer).unwrap() > 0, "psql has stopped");
        answer.trim().to_owned()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.asked.kill();
        let _ = self.asked.wait();
    }
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn output(program: &str, arguments: &[&str]) -> String {
    let ran = Command::new(program).args(arguments).output().unwrap();
    String::from_utf8(ran.stdout).unwrap().trim().to_owned()
}

fn is_root() -> bool {
    output("id", &["-u"]) == "0"
}

/// Somebody who is not root.
fn user() -> String {
    let known = output("getent", &["passwd", "postgres", "nobody"]);
    known.split(':').next().unwrap().to_owned()
}

fn group() -> String {
    output("id", &["-g", &user()])
}

/// Where the server's programs are: as `scripts/with-postgres` looks for them.
fn installed() -> PathBuf {
    let named = std::env::var("PG_BIN").ok().map(PathBuf::from);
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|folder| folder.flatten().map(|version| version.path().join("bin")).collect())
        .unwrap_or_default();
    found.sort();
    let on_path = PathBuf::from(output("sh", &["-c", "dirname \"$(command -v initdb)\""]));
    let mut places = named.into_iter().chain(found.into_iter().rev()).chain([on_path]);
    let holds = |place: &PathBuf| Path::new(place).join("initdb").exists();
    places.find(holds).expect("no PostgreSQL server is installed: apt-get install postgresql, or set PG_BIN")
}
