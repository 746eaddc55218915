//! Closed-loop load over keep-alive connections, by a client that costs as little as possible.

use anyhow::{Context, Result, bail};
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
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

/// The part of the measured call that is another one each time: what was refunded once waits for a person the second
/// time, and a call that is held or blocked is not what is to be measured.
pub const SERIAL: &str = "0snN0B15";
static SENT: AtomicU32 = AtomicU32::new(0);

/// A request to be sent again and again.
#[derive(Clone)]
pub struct Request {
    bytes: Vec<u8>,
    serial: Option<Range<usize>>,
}

impl Request {
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        let begin = bytes.windows(SERIAL.len()).position(|window| window == SERIAL.as_bytes());
        Self { bytes: bytes.to_vec(), serial: begin.map(|begin| begin..begin + SERIAL.len()) }
    }

    /// The next one, unlike all before.
    pub fn next(&mut self) -> &[u8] {
        let serial = SENT.fetch_add(1, Ordering::Relaxed);
        let place = self.serial.clone().and_then(|place| self.bytes.get_mut(place));
        for (digit, byte) in place.into_iter().flatten().rev().enumerate() {
            *byte = b"0123456789abcdef".get((serial >> (4 * digit)) as usize & 15).copied().unwrap_or(b'0');
        }
        &self.bytes
    }
}

/// Sends `request` over `connections` connections for `length`, after a warm-up, and counts answers.
pub async fn closed_loop(
    address: SocketAddr,
    request: &[u8],
    connections: usize,
    length: Duration,
    pid: Option<u32>,
) -> Result<Run> {
    let target = Target { address, request: request.to_vec() };
    let (run, [cpu]) = spread_loop(&[target], connections, length, [&|| pid.and_then(cpu_time)]).await?;
    Ok(Run { cpu, ..run })
}

/// Where one connection sends what.
#[derive(Clone, Debug)]
pub struct Target {
    pub address: SocketAddr,
    pub request: Vec<u8>,
}

/// The same over several servers or callers, each with as many connections as any other, and what each of `clocks` says
/// that an answer cost.
pub async fn spread_loop<const N: usize>(
    targets: &[Target],
    connections: usize,
    length: Duration,
    clocks: [&dyn Fn() -> Option<Duration>; N],
) -> Result<(Run, [Option<Duration>; N])> {
    let warm_up = length / 5;
    let tasks: Vec<_> = targets
        .iter()
        .cycle()
        .take(connections)
        .map(|target| {
            let request = Request::new(&target.request);
            #[allow(clippy::disallowed_methods)] // joined below
            tokio::task::spawn(one_connection(target.address, request, warm_up, length))
        })
        .collect();
    timed(tasks, warm_up, length, clocks).await
}

/// Times of whatever runs in `tasks`, after a warm-up.
pub async fn timed<const N: usize>(
    tasks: Vec<tokio::task::JoinHandle<Result<Vec<Duration>>>>,
    warm_up: Duration,
    length: Duration,
    clocks: [&dyn Fn() -> Option<Duration>; N],
) -> Result<(Run, [Option<Duration>; N])> {
    tokio::time::sleep(warm_up).await;
    let before = clocks.map(|clock| clock());
    tokio::time::sleep(length).await;
    let after = clocks.map(|clock| clock());
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
    let mut spent = before.into_iter().zip(after).map(|(before, after)| {
        before.zip(after).map(|(before, after)| after.saturating_sub(before) / u32::try_from(count).unwrap_or(1))
    });
    let run = Run { per_second: count as f64 / length.as_secs_f64(), p50: at(0.5), p99: at(0.99), cpu: None };
    Ok((run, [(); N].map(|()| spent.next().flatten())))
}

async fn one_connection(
    address: SocketAddr,
    mut request: Request,
    warm_up: Duration,
    length: Duration,
) -> Result<Vec<Duration>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = vec![0u8; 16 * 1024];
    let mut latencies = Vec::with_capacity(4_096);
    let start = now();
    while start.elapsed() < warm_up + length {
        let next = request.next();
        let sent = now();
        stream.write_all(next).await?;
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
pub fn cpu_time(pid: u32) -> Option<Duration> {
    ticks(pid, 2)
}

/// The same with that of its children that ended.
pub fn cpu_time_with_ended(pid: u32) -> Option<Duration> {
    ticks(pid, 4)
}

/// The first of: user, system, the same two of children.
fn ticks(pid: u32, fields: usize) -> Option<Duration> {
    const TICKS_PER_SECOND: u64 = 100;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let ticks = rest.split_whitespace().skip(11).take(fields).map(|field| field.parse::<u64>().ok());
    Some(Duration::from_millis(ticks.sum::<Option<u64>>()? * 1000 / TICKS_PER_SECOND))
}
