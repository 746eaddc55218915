//! Open loop: requests come at a fixed rate, whether the server keeps up or not.
//!
//! Corrected for coordinated omission: a request that had to wait for a free connection is timed from when it was
//! due. A sender that only woke up late is not the server's doing: there the time counts from the sending.

use crate::guard::{RULES, median, micros};
use crate::load::{Request, now};
use crate::rules;
use crate::subject::{self, Folder, Subject, pause};
use anyhow::{Context, Result, bail};
use serde::Serialize;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const RATES: [u64; 2] = [500, 5_000];
/// Requests that can be in flight at once.
const CONNECTIONS: usize = 64;

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    pub subject: String,
    pub durability: &'static str,
    pub per_second: u64,
    pub p50_us: f64,
    pub p50_us_min: f64,
    pub p50_us_max: f64,
    pub p99_us: f64,
    pub p99_us_min: f64,
    pub p99_us_max: f64,
    pub most_us: f64,
    /// Of the durable floor at the same rate.
    pub p50_of_durable: f64,
}

/// Times of one run, ascending.
pub struct Times(Vec<Duration>);

impl Times {
    #[must_use]
    pub fn at(&self, share: f64) -> Duration {
        let last = self.0.len().saturating_sub(1);
        self.0.get((last as f64 * share) as usize).copied().unwrap_or_default()
    }

    #[must_use]
    pub fn most(&self) -> Duration {
        self.at(1.0)
    }
}

pub fn measure(runplane: &Path, folder: &Path, seconds: u64, rounds: usize) -> Result<Vec<Row>> {
    let many = Folder::init(runplane, folder.join("open"))?;
    let subjects =
        [subject::floor(Some(&folder.join("open.log")))?, many.serve(runplane, "runplane, + 1,000 rules, meters")?.0];
    many.publish(subjects.last().context("no subject")?.address, &rules::policy(RULES, 0)?)?;
    let mut rows = Vec::new();
    for rate in RATES {
        rows.extend(at_rate(&subjects, rate, seconds, rounds)?);
    }
    subjects.iter().try_for_each(Subject::expect_allow)?;
    Ok(rows)
}

/// The subjects in turns; the first is the durable floor.
fn at_rate(subjects: &[Subject], rate: u64, seconds: u64, rounds: usize) -> Result<Vec<Row>> {
    let mut seen: Vec<Vec<Times>> = subjects.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds.max(1) {
        for (subject, seen) in subjects.iter().zip(&mut seen) {
            // A warm-up of its own, then what counts.
            run(subject.address, &subject.request, rate, rate / 2)?;
            seen.push(run(subject.address, &subject.request, rate, rate * seconds)?);
        }
    }
    let p50 = |times: &[Times]| median(times.iter().map(|times| micros(times.at(0.5))));
    let floor = seen.first().map_or(f64::NAN, |times| p50(times));
    let rows = subjects.iter().zip(&seen).map(|(subject, seen)| {
        let all = |share: f64| seen.iter().map(move |times| micros(times.at(share)));
        Row {
            subject: subject.name.clone(),
            durability: subject.durability,
            per_second: rate,
            p50_us: p50(seen),
            p50_us_min: all(0.5).fold(f64::INFINITY, f64::min),
            p50_us_max: all(0.5).fold(0.0, f64::max),
            p99_us: median(all(0.99)),
            p99_us_min: all(0.99).fold(f64::INFINITY, f64::min),
            p99_us_max: all(0.99).fold(0.0, f64::max),
            most_us: all(1.0).fold(0.0, f64::max),
            p50_of_durable: p50(seen) / floor,
        }
    });
    Ok(rows.collect())
}

/// Sends `count` requests at `rate` per second and times each.
pub fn run(address: SocketAddr, request: &[u8], rate: u64, count: u64) -> Result<Times> {
    let next = AtomicU64::new(0);
    let step = Duration::from_secs_f64(1.0 / rate as f64);
    let begin = now() + Duration::from_millis(20);
    #[allow(clippy::disallowed_methods)] // joined when the scope ends
    let parts: Vec<Result<Vec<Duration>>> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                scope.spawn(|| -> Result<Vec<Duration>> {
                    let mut stream = TcpStream::connect(address)?;
                    stream.set_nodelay(true)?;
                    let (mut times, mut buffer) = (Vec::new(), vec![0u8; 16 * 1024]);
                    let mut request = Request::new(request);
                    loop {
                        let turn = next.fetch_add(1, Ordering::Relaxed);
                        if turn >= count {
                            return Ok(times);
                        }
                        let due = begin + step * u32::try_from(turn)?;
                        let next = request.next();
                        let early = due.saturating_duration_since(now());
                        let from = if early.is_zero() {
                            due
                        } else {
                            pause(early);
                            now()
                        };
                        stream.write_all(next)?;
                        read_answer(&mut stream, &mut buffer)?;
                        times.push(from.elapsed());
                    }
                })
            })
            .collect();
        senders.into_iter().map(|sender| sender.join().unwrap_or_else(|_| bail!("a sender panicked"))).collect()
    });
    let mut times = Vec::new();
    for part in parts {
        times.extend(part?);
    }
    times.sort_unstable();
    Ok(Times(times))
}

fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) -> Result<()> {
    let mut filled = 0;
    loop {
        let read = stream.read(buffer.get_mut(filled..).context("an answer is too large")?)?;
        if read == 0 {
            bail!("the server closed the connection");
        }
        filled += read;
        if crate::load::is_whole(buffer.get(..filled).unwrap_or_default())? {
            return Ok(());
        }
    }
}
