//! Closed-loop load over keep-alive connections, by a client that costs as little as possible.

use anyhow::{Context, Result, bail};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What one run saw.
#[derive(Clone, Debug)]
pub struct Run {
    pub per_second: f64,
    pub p50: Duration,
    pub p99: Duration,
    /// Server CPU per request, where it could be read.
    pub cpu: Option<Duration>,
}

/// Sends `request` over `connections` connections for `length`, after a warm-up, and counts answers.
pub async fn closed_loop(
    address: SocketAddr,
    request: &[u8],
    connections: usize,
    length: Duration,
    pid: Option<u32>,
) -> Result<Run> {
    let warm_up = length / 5;
    let tasks: Vec<_> = (0..connections)
        .map(|_| {
            let request = request.to_vec();
            #[allow(clippy::disallowed_methods)] // joined below
            tokio::task::spawn(one_connection(address, request, warm_up, length))
        })
        .collect();
    tokio::time::sleep(warm_up).await;
    let cpu_before = pid.and_then(cpu_time);
    tokio::time::sleep(length).await;
    let cpu_after = pid.and_then(cpu_time);
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.context("a connection panicked")??);
    }
    latencies.sort_unstable();
    let count = latencies.len();
    if count == 0 {
        bail!("no answer at all");
    }
    let at = |share: f64| latencies.get(((count - 1) as f64 * share) as usize).copied().unwrap_or_default();
    let cpu = cpu_before.zip(cpu_after).map(|(before, after)| (after - before) / u32::try_from(count).unwrap_or(1));
    Ok(Run { per_second: count as f64 / length.as_secs_f64(), p50: at(0.5), p99: at(0.99), cpu })
}

async fn one_connection(
    address: SocketAddr,
    request: Vec<u8>,
    warm_up: Duration,
    length: Duration,
) -> Result<Vec<Duration>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = vec![0u8; 16 * 1024];
    let mut latencies = Vec::with_capacity(4_096);
    let start = now();
    while start.elapsed() < warm_up + length {
        let sent = now();
        stream.write_all(&request).await?;
        read_answer(&mut stream, &mut buffer).await?;
        if start.elapsed() > warm_up {
            latencies.push(sent.elapsed());
        }
    }
    Ok(latencies)
}

#[allow(clippy::disallowed_methods)] // a benchmark measures time
pub fn now() -> Instant {
    Instant::now()
}

async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) -> Result<()> {
    let mut filled = 0;
    loop {
        let free = buffer.get_mut(filled..).context("an answer is too large")?;
        let read = stream.read(free).await?;
        if read == 0 {
            bail!("the server closed the connection");
        }
        filled += read;
        if is_whole(buffer.get(..filled).unwrap_or_default())? {
            return Ok(());
        }
    }
}

/// Whether this is all of an answer with a content length; anything but 200 ends the run.
pub fn is_whole(seen: &[u8]) -> Result<bool> {
    let Some(end) = seen.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(false) };
    let head = std::str::from_utf8(seen.get(..end).unwrap_or_default())?;
    if !head.starts_with("HTTP/1.1 200") {
        bail!("the server answered: {}", String::from_utf8_lossy(seen));
    }
    let length: usize = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .context("an answer has no length")?
        .1
        .trim()
        .parse()?;
    Ok(seen.len() >= end + 4 + length)
}

/// User and system time of a process so far, from `/proc`.
fn cpu_time(pid: u32) -> Option<Duration> {
    const TICKS_PER_SECOND: u64 = 100;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 1000 / TICKS_PER_SECOND))
}
