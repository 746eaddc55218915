//! The servers that are measured: the two floors, Runplane, the peer. Each is a process of its own.

use crate::http;
use crate::load::{Request, is_whole, now};
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// So small that no limit of the shipped packs is reached while it is measured.
pub const BODY: &str = r#"{"action":{"type":"process_refund","target":"stripe","context":{"amount":0.0001,"currency":"usd","customer":"cus_9s6XKzkNRiz8i3","chargeId":"ch_3MmlLrLkdIwHu7ix0snN0B15","reason":"requested_by_customer","note":"customer returned the item within the return window of thirty days"}}}"#;

const POSTGRES: &str = "PostgreSQL, synchronous_commit=on";

pub struct Subject {
    pub name: String,
    pub address: SocketAddr,
    /// What is sent again and again.
    pub request: Vec<u8>,
    /// What makes an answer durable, in a few words.
    pub durability: &'static str,
    child: Child,
}

impl Subject {
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Memory held now, in MiB.
    pub fn resident_mib(&self) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
        Some(kib / 1024.0)
    }

    /// Whether the measured call is allowed: what is measured is that, not a refusal.
    pub fn expect_allow(&self) -> Result<()> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        stream.write_all(Request::new(&self.request).next())?;
        let (mut answer, mut buffer) = (Vec::new(), [0; 4_096]);
        while !is_whole(&answer)? {
            let read = stream.read(&mut buffer)?;
            answer.extend_from_slice(buffer.get(..read).unwrap_or_default());
            if read == 0 {
                bail!("{} closed the connection", self.name);
            }
        }
        let answer = String::from_utf8_lossy(&answer);
        if !answer.contains(r#""decision":"ALLOW""#) {
            bail!("{} does not allow the measured call: {answer}", self.name);
        }
        Ok(())
    }

    /// Asks it to end, as an operator would, and waits.
    pub fn stop(mut self) -> Result<()> {
        let ended = Command::new("kill").arg(self.pid().to_string()).status()?;
        if !ended.success() {
            bail!("{} could not be told to stop", self.name);
        }
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        // Already gone is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A floor: this program again. With a log it makes every answer durable.
pub fn floor(log: Option<&Path>) -> Result<Subject> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("floor");
    if let Some(log) = log {
        command.arg("--log").arg(log);
    }
    let (name, durability) = match log {
        None => ("bare axum", "none"),
        Some(_) => ("durable floor", "fdatasync per group"),
    };
    floor_of(command, name, durability)
}

/// The durable floor over PostgreSQL.
pub fn floor_on(database: &str) -> Result<Subject> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("floor").arg("--database").arg(database);
    floor_of(command, "durable floor", POSTGRES)
}

fn floor_of(mut command: Command, name: &str, durability: &'static str) -> Result<Subject> {
    let mut child = command.stdout(Stdio::piped()).spawn().context("starting a floor")?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
    let port: u16 = line.trim().parse().context("a floor did not print its port")?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    Ok(Subject { name: name.to_owned(), address, request: guard_request("none", BODY), durability, child })
}

/// Beside the data of a folder that is kept.
const SECRETS: &str = "bench-secrets.json";

/// A data folder of Runplane and the secrets that `init` printed.
pub struct Folder {
    pub path: PathBuf,
    /// The PostgreSQL database that this is a node of; absent for the embedded one.
    pub database: Option<String>,
    pub agent_key: String,
    pub admin_token: String,
}

impl Folder {
    pub fn init(binary: &Path, path: PathBuf) -> Result<Self> {
        Self::init_on(binary, path, None)
    }

    pub fn init_on(binary: &Path, path: PathBuf, database: Option<String>) -> Result<Self> {
        let mut command = runplane(binary, database.as_deref());
        let made = command.args(["init", "--json", "--data"]).arg(&path).output().context("running init")?;
        if !made.status.success() {
            bail!("init failed: {}", String::from_utf8_lossy(&made.stderr));
        }
        let made = Self::of(path, &serde_json::from_slice(&made.stdout).context("reading what init printed")?)?;
        Ok(Self { database, ..made })
    }

    /// Notes the secrets beside it, so that it can be used again.
    pub fn keep(&self) -> Result<()> {
        let secrets = serde_json::json!({ "agentKey": self.agent_key, "adminToken": self.admin_token });
        Ok(std::fs::write(self.path.join(SECRETS), serde_json::to_vec(&secrets)?)?)
    }

    /// A folder that was kept.
    pub fn kept(path: &Path) -> Result<Option<Self>> {
        let Ok(secrets) = std::fs::read(path.join(SECRETS)) else { return Ok(None) };
        Self::of(path.to_owned(), &serde_json::from_slice(&secrets)?).map(Some)
    }

    fn of(path: PathBuf, secrets: &serde_json::Value) -> Result<Self> {
        let text = |member: &str| {
            let text = secrets.get(member).and_then(|text| text.as_str());
            text.map(str::to_owned).with_context(|| format!("there is no `{member}`"))
        };
        Ok(Self { agent_key: text("agentKey")?, admin_token: text("adminToken")?, path, database: None })
    }

    /// Another node of the same installation.
    pub fn another(&self, path: PathBuf) -> Result<Self> {
        std::fs::create_dir(&path)?;
        for key in ["ledger.key", "permit.key"] {
            std::fs::copy(self.path.join(key), path.join(key))?;
        }
        let (agent_key, admin_token) = (self.agent_key.clone(), self.admin_token.clone());
        Ok(Self { path, database: self.database.clone(), agent_key, admin_token })
    }

    /// Starts a server on it; returns when it answers, with the time that took.
    pub fn serve(&self, binary: &Path, name: &str) -> Result<(Subject, Duration)> {
        let address = free_address()?;
        let begin = now();
        let child = runplane(binary, self.database.as_deref())
            .args(["serve", "--listen", &address.to_string(), "--data"])
            .arg(&self.path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("starting runplane")?;
        let request = guard_request(&self.agent_key, BODY);
        let durability = if self.database.is_some() { POSTGRES } else { "SQLite WAL, synchronous=FULL" };
        let subject = Subject { name: name.to_owned(), address, request, durability, child };
        wait_for(address, "/healthz")?;
        Ok((subject, begin.elapsed()))
    }

    pub fn publish(&self, address: SocketAddr, policy: &str) -> Result<()> {
        http::send(address, "PUT", "/api/v1/policies/bench", &self.admin_token, "application/yaml", policy).map(drop)
    }
}

/// A start may have to read a large ledger whole.
const START_WITHIN: Duration = Duration::from_secs(600);

fn runplane(binary: &Path, database: Option<&str>) -> Command {
    let mut command = Command::new(binary);
    command.env_remove("RUNPLANE_DATABASE_URL");
    if let Some(database) = database {
        command.env("RUNPLANE_DATABASE_URL", database);
    }
    command
}

/// Waits until the server answers, looking every few milliseconds.
pub fn wait_for(address: SocketAddr, path: &str) -> Result<()> {
    let begin = now();
    while begin.elapsed() < START_WITHIN {
        if TcpStream::connect(address).is_ok() && http::answers(address, path) {
            return Ok(());
        }
        pause(Duration::from_millis(2));
    }
    bail!("a server did not answer in time")
}

#[allow(clippy::disallowed_methods)] // waiting for another process
pub fn pause(length: Duration) {
    std::thread::sleep(length);
}

pub fn free_address() -> Result<SocketAddr> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}

pub fn guard_request(key: &str, body: &str) -> Vec<u8> {
    format!(
        "POST /api/v1/guard HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json\r\nRunplane-Client: bench/1\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Any other server, once it listens on the address its arguments name.
pub fn other(name: &str, mut command: Command, address: SocketAddr, ready: &str, request: Vec<u8>) -> Result<Subject> {
    let child =
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().with_context(|| format!("starting {name}"))?;
    let subject = Subject { name: name.to_owned(), address, request, durability: "none", child };
    wait_for(address, ready)?;
    Ok(subject)
}
