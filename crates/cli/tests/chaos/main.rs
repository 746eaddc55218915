//! Nodes are killed, the database crashes, connections are cut, and clients go on asking. Afterwards what they were
//! told is held against the ledger, and the ledger against what one thread would have said.
//!
//! Three nodes behind a proxy, on a PostgreSQL server of the test's own behind another. `RUNPLANE_CHAOS_SECONDS` says
//! for how long (40 unless set, which with start and check makes about a minute), `RUNPLANE_CHAOS_CLIENTS` how many ask.

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
mod filling;
mod frozen;
mod history;
mod model;
mod nodes;
mod policy;
mod wire;

use clients::Clients;
use cluster::Cluster;
use history::Availability;
use nodes::Nodes;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use wire::Wire;

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().expect("a whole number"))
}

/// A whole number below `bound`.
pub fn random(bound: u64) -> u64 {
    RandomState::new().hash_one(0) % bound.max(1)
}

/// What was done to the cluster.
#[derive(Default)]
struct Harm {
    kills: u32,
    crashes: u32,
    cuts: usize,
    database_cuts: usize,
}

#[test]
fn nothing_that_was_acknowledged_is_lost_or_laxer() {
    let lasts =
        Duration::from_secs(setting("RUNPLANE_CHAOS_SECONDS", if setting("RUNPLANE_FULL", 0) == 1 { 60 } else { 20 }));
    let count = usize::try_from(setting("RUNPLANE_CHAOS_CLIENTS", 24)).unwrap();
    let cluster = Cluster::start();
    let database = Wire::before(vec![cluster.port()]);
    let nodes = Nodes::start(&Cluster::url_at(database.port()), 3);
    let wire = Wire::before(nodes.ports());
    let mut clients = Clients::of(wire.port(), &nodes);
    clients.set_up(&nodes.ports());
    let stop = AtomicBool::new(false);
    let began = Instant::now();
    let (histories, harm) = thread::scope(|scope| {
        let (clients, stop) = (&clients, &stop);
        let asking: Vec<_> = (0..count).map(|client| scope.spawn(move || clients.ask(client, stop))).collect();
        let switching = scope.spawn(|| clients.switch(stop));
        let harm = do_harm(lasts, &cluster, &nodes, &wire, &database);
        stop.store(true, Ordering::SeqCst);
        let ending = Instant::now();
        while asking.iter().any(|client| !client.is_finished()) && ending.elapsed() < Duration::from_secs(120) {
            nodes.revive();
            thread::sleep(Duration::from_millis(50));
        }
        let histories: Vec<_> = asking.into_iter().map(|client| client.join().unwrap()).collect();
        switching.join().unwrap();
        (histories, harm)
    });
    let Harm { kills, crashes, cuts, database_cuts } = harm;
    assert!(kills >= 3 && crashes == 3, "{kills} kills, {crashes} crashes: too short to say anything");
    nodes.stop();
    nodes.verify();
    let seconds = lasts.as_secs();
    println!(
        "{seconds} s, {count} clients, 3 nodes: {kills} kills, {crashes} crashes of the database, {cuts} connections \
         to nodes and {database_cuts} to the database cut"
    );
    let availability = Availability::of(&histories, began, began + lasts);
    println!("{availability}");
    println!("{}", checker::check(&cluster, &histories));
    assert!(availability.is_tolerable(), "nobody was answered for more than half of the time");
}

/// A kill every tenth of the time or every ten seconds, three crashes of the database, cuts all the while.
fn do_harm(lasts: Duration, cluster: &Cluster, nodes: &Nodes, wire: &Wire, database: &Wire) -> Harm {
    let (began, mut harm) = (Instant::now(), Harm::default());
    let between = (lasts / 10).min(Duration::from_secs(10));
    while began.elapsed() < lasts {
        thread::sleep(Duration::from_millis(100));
        harm.cuts += wire.cut_one();
        if random(10) == 0 {
            harm.database_cuts += database.cut_one();
        }
        if began.elapsed() > between * (harm.kills + 1) {
            nodes.kill(usize::try_from(random(3)).unwrap());
            harm.kills += 1;
        }
        if began.elapsed() > lasts * (harm.crashes + 1) / 4 && harm.crashes < 3 {
            cluster.crash();
            harm.crashes += 1;
        }
        nodes.revive();
    }
    harm
}
