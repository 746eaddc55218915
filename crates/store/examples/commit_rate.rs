//! How fast a batch becomes durable, next to what the disk itself allows.
//!
//! `cargo run --release -p runplane-store --example commit_rate -- [FOLDER] [SECONDS] [ENTRIES]`
//!
//! One writer, one batch after the other. Each row of the table is measured in rounds that alternate with
//! a floor of the same run: the same bytes appended to a file with one fdatasync per batch. The log is
//! copied back by another thread meanwhile, as a server does. FOLDER must be on a real disk. ENTRIES are put
//! into each ledger before it is measured, so that runs with few and with many show what growth costs.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a measurement prints and reads the clock")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement may stop where it cannot go on")]

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use runplane_store::contract::samples::{self, Chain};
use runplane_store::{Batch, DecisionRow, Options, SqliteStore, Store};

const ENTRY_BYTES: usize = 600;
const PAYLOAD_BYTES: usize = 300;
const ROUNDS: u32 = 5;

#[derive(Clone, Copy)]
enum Load {
    Entries,
    Payloads,
    OrderedRequests,
    ScatteredRequests,
}

/// Times of single batches, in one round.
#[derive(Default)]
struct Round(Vec<Duration>);

fn main() {
    let mut arguments = std::env::args().skip(1);
    let parent = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let seconds: f64 = arguments.next().map_or(5.0, |seconds| seconds.parse().unwrap());
    let entries: u64 = arguments.next().map_or(0, |entries| entries.parse().unwrap());
    let folder = tempfile::tempdir_in(parent).unwrap();
    let round = Duration::from_secs_f64(seconds / f64::from(ROUNDS));
    println!(
        "entries of {ENTRY_BYTES} bytes, payloads of {PAYLOAD_BYTES}; median (min-max) of {ROUNDS} rounds, on {entries} entries"
    );
    println!("| batch | with | entries/s | p50 ms | p99 ms | floor entries/s | of the floor |");
    println!("|---|---|---|---|---|---|---|");
    let loads = [
        ("entries", Load::Entries),
        ("+ payloads", Load::Payloads),
        ("+ payloads, rising request ids", Load::OrderedRequests),
        ("+ payloads, scattered request ids", Load::ScatteredRequests),
    ];
    for size in [1, 64, 256] {
        for (name, load) in loads {
            measure_row(folder.path(), entries, (size, name, load), round);
        }
    }
    measure_projection(folder.path(), round * ROUNDS);
}

fn measure_row(folder: &Path, entries: u64, (size, name, load): (u64, &str, Load), round: Duration) {
    let row = folder.join("row");
    let store = SqliteStore::open(&row, &Options::default()).unwrap();
    let mut chain = Chain::begin(&store, "one");
    while chain.head.size < entries {
        let batch = batch(&chain, 4_096, load).0;
        chain.commit(&store, &batch);
        store.checkpoint_wal().unwrap();
    }
    let mut file = File::create(folder.join("floor")).unwrap();
    let bytes = vec![7_u8; batch(&chain, size, load).1];
    let mut ours = Vec::new();
    let mut floors = Vec::new();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                store.checkpoint_wal().unwrap();
                std::thread::park_timeout(Duration::from_millis(500));
            }
        });
        for _ in 0..ROUNDS {
            floors.push(repeat(
                round,
                &mut chain,
                |_| (),
                |_, ()| {
                    file.write_all(&bytes).unwrap();
                    file.sync_data().unwrap();
                },
            ));
            // Making the batch is not part of the commit.
            ours.push(repeat(
                round,
                &mut chain,
                |chain| batch(chain, size, load).0,
                |chain, batch| {
                    store.commit_batch("ws_one", &batch).unwrap();
                    chain.head = batch.head;
                },
            ));
        }
        done.store(true, Ordering::Release);
    });
    let rate = rates(&ours, size);
    let floor = rates(&floors, size);
    let mut times: Vec<_> = ours.into_iter().flat_map(|round| round.0).collect();
    times.sort_unstable();
    println!(
        "| {size} | {name} | {:.0} ({:.0}-{:.0}) | {:.2} | {:.2} | {:.0} ({:.0}-{:.0}) | {:.2} |",
        rate[1],
        rate[0],
        rate[2],
        times[times.len() / 2].as_secs_f64() * 1e3,
        times[times.len() * 99 / 100].as_secs_f64() * 1e3,
        floor[1],
        floor[0],
        floor[2],
        rate[1] / floor[1],
    );
    drop(store);
    std::fs::remove_dir_all(row).unwrap();
}

fn repeat<T>(
    round: Duration,
    chain: &mut Chain,
    prepare: impl Fn(&Chain) -> T,
    mut act: impl FnMut(&mut Chain, T),
) -> Round {
    let begin = Instant::now();
    let mut times = Round::default();
    while begin.elapsed() < round {
        let prepared = prepare(chain);
        let start = Instant::now();
        act(chain, prepared);
        times.0.push(start.elapsed());
    }
    times
}

/// Least, median and greatest rate of the rounds, counting the time inside the measured calls only.
fn rates(rounds: &[Round], size: u64) -> [f64; 3] {
    let mut rates: Vec<f64> = rounds
        .iter()
        .map(|round| {
            let entries = u64::try_from(round.0.len()).unwrap() * size;
            f64::from(u32::try_from(entries).unwrap()) / round.0.iter().sum::<Duration>().as_secs_f64()
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    [rates[0], rates[rates.len() / 2], rates[rates.len() - 1]]
}

/// The next batch and how many bytes of it a bare file would have to take.
fn batch(chain: &Chain, size: u64, load: Load) -> (Batch, usize) {
    let mut batch = match load {
        Load::Entries => chain.next(size),
        _ => chain.next_full(size),
    };
    batch.executions.clear();
    batch.approvals.clear();
    if matches!(load, Load::Payloads) {
        batch.requests.clear();
    }
    batch.head.frontier = vec![7; 20 * 32];
    batch.head.checkpoint = "x".repeat(250);
    for entry in &mut batch.entries {
        entry.bytes = vec![b'x'; ENTRY_BYTES];
    }
    for payload in &mut batch.payloads {
        payload.bytes = vec![b'x'; PAYLOAD_BYTES];
        payload.erase_after_us = Some(samples::START_US + i64::try_from(payload.index).unwrap());
    }
    for request in &mut batch.requests {
        // Version 7 ids rise with time, version 4 ids have no order.
        let scattered = request.index.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        request.request_id = match load {
            Load::ScatteredRequests => format!("req_{scattered:016x}{:016x}", request.index),
            _ => format!("req_{:016x}{scattered:016x}", request.index),
        };
    }
    let bytes = batch.entries.len() * (ENTRY_BYTES + 32) + batch.payloads.len() * (PAYLOAD_BYTES + 16);
    (batch, bytes)
}

/// How fast decisions become lines of the list, in parts of 500.
fn measure_projection(folder: &Path, time: Duration) {
    let store = SqliteStore::open(&folder.join("projection"), &Options::default()).unwrap();
    let mut chain = Chain::begin(&store, "one");
    let mut written = 0_u32;
    let mut spent = Duration::ZERO;
    while spent < time {
        let batch = chain.next(500);
        chain.commit(&store, &batch);
        let rows: Vec<DecisionRow> = (batch.expected_size..batch.head.size).map(samples::decision).collect();
        let start = Instant::now();
        store.project_decisions("ws_one", &rows, batch.head.size).unwrap();
        spent += start.elapsed();
        written += 500;
        if written.is_multiple_of(50_000) {
            store.checkpoint_wal().unwrap();
        }
    }
    println!("projection: {:.0} decisions/s over {written}", f64::from(written) / spent.as_secs_f64());
}
