//! Nodes are killed, the database crashes, connections are cut, and clients go on asking. Afterwards what they were
//! told is held against the ledger.
//!
//! Three nodes behind a proxy, on a PostgreSQL server of the test's own. `RUNPLANE_CHAOS_SECONDS` says for how long
//! (25 unless set), `RUNPLANE_CHAOS_CLIENTS` how many ask.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests stop where they fail, and have no config.rs, clock.rs or tasks.rs"
)]

mod checker;
mod clients;
mod cluster;
mod nodes;
mod wire;

use clients::Clients;
use cluster::Cluster;
use nodes::Nodes;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use wire::Wire;

/// Calls of `read_balance` that policy lets through, however many nodes there are.
pub const LIMIT: usize = 150;

pub const POLICY: &str = "
policy: chaos
rules:
  - { id: limited, action: read_balance, limit: { count: 150, within: 24h, per: [agent], otherwise: BLOCK }, decision: ALLOW }
  - { id: held, action: process_refund, decision: REQUIRE_APPROVAL }
  - { id: never, action: send_email, decision: BLOCK }
  - { id: free, action: create_charge, decision: ALLOW }
";

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().expect("a whole number"))
}

/// A whole number below `bound`.
pub fn random(bound: u64) -> u64 {
    RandomState::new().hash_one(0) % bound.max(1)
}

#[test]
fn nothing_that_was_acknowledged_is_lost_or_laxer() {
    let lasts = Duration::from_secs(setting("RUNPLANE_CHAOS_SECONDS", 25));
    let count = usize::try_from(setting("RUNPLANE_CHAOS_CLIENTS", 24)).unwrap();
    let cluster = Cluster::start();
    let nodes = Nodes::start(&cluster, 3);
    let wire = Wire::before(nodes.ports());
    let clients = Clients::of(wire.port(), &nodes);
    clients.set_up();
    let stop = AtomicBool::new(false);
    let (histories, kills, crashes, cuts) = thread::scope(|scope| {
        let asking: Vec<_> = (0..count)
            .map(|client| {
                scope.spawn({
                    let (clients, stop) = (&clients, &stop);
                    move || clients.ask(client, stop)
                })
            })
            .collect();
        let switching = scope.spawn(|| clients.switch(&stop));
        let began = Instant::now();
        let (mut kills, mut crashes, mut cuts) = (0, 0, 0);
        // A kill every tenth of the time or every ten seconds, three crashes of the database, cuts all the while.
        let between = (lasts / 10).min(Duration::from_secs(10));
        while began.elapsed() < lasts {
            thread::sleep(Duration::from_millis(100));
            cuts += wire.cut_one();
            if began.elapsed() > between * (kills + 1) {
                nodes.kill(usize::try_from(random(3)).unwrap());
                kills += 1;
            }
            if began.elapsed() > lasts * (crashes + 1) / 4 && crashes < 3 {
                cluster.crash();
                crashes += 1;
            }
            nodes.revive();
        }
        stop.store(true, Ordering::SeqCst);
        let ending = Instant::now();
        while asking.iter().any(|client| !client.is_finished()) && ending.elapsed() < Duration::from_secs(120) {
            nodes.revive();
            thread::sleep(Duration::from_millis(50));
        }
        let histories: Vec<_> = asking.into_iter().map(|client| client.join().unwrap()).collect();
        switching.join().unwrap();
        (histories, kills, crashes, cuts)
    });
    assert!(kills >= 3 && crashes >= 3, "{kills} kills, {crashes} crashes: too short to say anything");
    nodes.stop();
    nodes.verify();
    let told = checker::check(&cluster, &histories);
    println!("{kills} kills, {crashes} crashes of the database, {cuts} cut connections; {told}");
}
