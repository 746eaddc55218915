//! The durable guard over HTTP, beside the two floors, in turns.

use crate::load::{Run, closed_loop};
use anyhow::{Context, Result, bail};
use serde::Serialize;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const CONNECTIONS: [usize; 3] = [1, 64, 256];
const BODY: &str = r#"{"action":{"type":"process_refund","target":"stripe","context":{"amount":120,"currency":"usd","customer":"cus_9s6XKzkNRiz8i3","chargeId":"ch_3MmlLrLkdIwHu7ix0snN0B15","reason":"requested_by_customer","note":"customer returned the item within the return window of thirty days"}}}"#;

/// Medians of one subject at one number of connections.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    pub subject: String,
    pub connections: usize,
    pub per_second: f64,
    pub per_second_min: f64,
    pub per_second_max: f64,
    pub p50_us: f64,
    pub p99_us: f64,
    pub cpu_us: Option<f64>,
    /// Of the durable floor at the same number of connections.
    pub of_durable: f64,
    pub of_bare: f64,
}

struct Subject {
    name: &'static str,
    child: Child,
    address: SocketAddr,
    request: Vec<u8>,
}

impl Drop for Subject {
    fn drop(&mut self) {
        // Already gone is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub async fn measure(runplane: Option<&Path>, seconds: u64, rounds: usize) -> Result<Vec<Row>> {
    let runplane = runplane.context("`--runplane` must name the release binary")?;
    let folder = tempfile::Builder::new().prefix("runplane-bench").tempdir_in(".")?;
    let own = std::env::current_exe()?;
    let mut durable = Command::new(&own);
    durable.arg("floor").arg("--log").arg(folder.path().join("floor.log"));
    let mut bare = Command::new(&own);
    bare.arg("floor");
    let subjects = [
        start_floor("bare axum", bare)?,
        start_floor("durable floor", durable)?,
        start_runplane(runplane, &folder.path().join("data"))?,
    ];
    let mut runs: Vec<(usize, usize, Vec<Run>)> = Vec::new();
    for connections in CONNECTIONS {
        for place in 0..subjects.len() {
            runs.push((place, connections, Vec::new()));
        }
    }
    for _ in 0..rounds.max(1) {
        for (place, connections, seen) in &mut runs {
            let subject = subjects.get(*place).context("a subject is missing")?;
            let length = Duration::from_secs(seconds);
            let run = closed_loop(subject.address, &subject.request, *connections, length, Some(subject.child.id()))
                .await
                .with_context(|| format!("{} at {connections} connections", subject.name))?;
            seen.push(run);
        }
    }
    let mut rows = Vec::new();
    for (place, connections, seen) in &runs {
        let of = |place: usize| {
            let found = runs.iter().find(|(other, at, _)| *other == place && at == connections);
            found.map_or(f64::NAN, |(_, _, seen)| median(seen.iter().map(|run| run.per_second)))
        };
        let per_second = median(seen.iter().map(|run| run.per_second));
        let micros = |value: Duration| value.as_secs_f64() * 1e6;
        let cpu: Option<Vec<f64>> = seen.iter().map(|run| run.cpu.map(micros)).collect();
        rows.push(Row {
            subject: subjects.get(*place).map(|subject| subject.name.to_owned()).unwrap_or_default(),
            connections: *connections,
            per_second,
            per_second_min: seen.iter().map(|run| run.per_second).fold(f64::INFINITY, f64::min),
            per_second_max: seen.iter().map(|run| run.per_second).fold(0.0, f64::max),
            p50_us: median(seen.iter().map(|run| micros(run.p50))),
            p99_us: median(seen.iter().map(|run| micros(run.p99))),
            cpu_us: cpu.map(|cpu| median(cpu.into_iter())),
            of_durable: per_second / of(1),
            of_bare: per_second / of(0),
        });
    }
    Ok(rows)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn start_floor(name: &'static str, mut command: Command) -> Result<Subject> {
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("starting {name}"))?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
    let port: u16 = line.trim().parse().with_context(|| format!("{name} did not print its port"))?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    Ok(Subject { name, child, address, request: request("none") })
}

fn start_runplane(binary: &Path, data: &Path) -> Result<Subject> {
    let made = Command::new(binary).args(["init", "--json", "--data"]).arg(data).output().context("running init")?;
    if !made.status.success() {
        bail!("init failed: {}", String::from_utf8_lossy(&made.stderr));
    }
    let made: serde_json::Value = serde_json::from_slice(&made.stdout).context("reading what init printed")?;
    let key = made.get("agentKey").and_then(|key| key.as_str()).context("init printed no key")?.to_owned();
    let port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let child = Command::new(binary)
        .arg("serve")
        .arg("--data")
        .arg(data)
        .arg("--listen")
        .arg(address.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("starting runplane")?;
    let subject = Subject { name: "runplane", child, address, request: request(&key) };
    for _ in 0..200 {
        if std::net::TcpStream::connect(address).is_ok() {
            return Ok(subject);
        }
        #[allow(clippy::disallowed_methods)] // waiting for another process to listen
        std::thread::sleep(Duration::from_millis(50));
    }
    bail!("runplane did not start to listen")
}

fn request(key: &str) -> Vec<u8> {
    format!(
        "POST /api/v1/guard HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json\r\nRunplane-Client: bench/1\r\nContent-Length: {}\r\n\r\n{BODY}",
        BODY.len()
    )
    .into_bytes()
}
