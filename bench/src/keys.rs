//! Many keys beside the decisions: a copy for a snapshot, its image, reading that back; and more keys than memory is
//! given for.

use crate::memory::resident;
use anyhow::{Context, Result, anyhow};
use runplane_core::digest::sha256;
use runplane_core::meter::{Charge, CounterId, GroupId, MeterKey, Meters, Reader, ValuesDigest};
use runplane_core::time::{Micros, Span};
use runplane_server::{Bound, Tier};
use serde::Serialize;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

const KEYS: u64 = 1_000_000;
const MORE_KEYS: u64 = 4_000_000;
const MIB: usize = 1024 * 1024;
/// Memory that the many keys are given.
const BOUND: usize = 64 * MIB;
const COUNTERS: u64 = 100;
/// Puts while somebody has the copy; reads of keys on disk.
const SAMPLES: u64 = 50_000;
const START: Micros = Micros(1_790_000_000_000_000);
const DAY: Span = Span::seconds(86_400);

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// Of a million keys.
    pub copy_us: f64,
    /// The longest of many changes while a copy is held.
    pub longest_put_us: f64,
    pub image_ms: f64,
    pub image_mib: f64,
    pub read_back_ms: f64,
    pub many_keys: u64,
    pub bound_mib: usize,
    pub resident_mib: f64,
    /// Reading a key, wherever it is.
    pub read_us: f64,
    /// Asking for a key that was never there.
    pub strange_us: f64,
}

fn key(number: u64) -> MeterKey {
    let counter = CounterId::new(&sha256(&[&(number % COUNTERS).to_be_bytes()]), DAY);
    counter.key(GroupId::new(&sha256(&[b"bench"])), ValuesDigest::new(&sha256(&[&number.to_be_bytes()])))
}

fn put(meters: &mut Meters, number: u64) {
    meters.put(&Charge::of_use(key(number), 1u64.into()), START);
}

/// Any key of so many.
fn any(sample: u64, of: u64) -> u64 {
    sample.wrapping_mul(0x9e37_79b9_7f4a_7c15) % of
}

#[allow(clippy::disallowed_methods, reason = "this is what is measured")]
pub fn measure(folder: &Path) -> Result<Figures> {
    let mut meters = Meters::default();
    (0..KEYS).for_each(|number| put(&mut meters, number));
    let began = Instant::now();
    let copy = meters.clone();
    let copy_us = began.elapsed().as_secs_f64() * 1e6;
    let mut longest_put_us = 0f64;
    for sample in 0..SAMPLES {
        let charge = Charge::of_use(key(any(sample, KEYS)), 1u64.into());
        let began = Instant::now();
        meters.put(&charge, START);
        longest_put_us = longest_put_us.max(began.elapsed().as_secs_f64() * 1e6);
    }
    drop(meters);
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    let began = Instant::now();
    let take = |piece| {
        pieces.push(piece);
        true
    };
    copy.image(START, take).map_err(|failure| anyhow!(failure.to_string()))?;
    let image_ms = began.elapsed().as_secs_f64() * 1e3;
    drop(copy);
    let image_mib = pieces.iter().map(Vec::len).sum::<usize>() as f64 / MIB as f64;
    let began = Instant::now();
    let mut reader = Reader::default();
    pieces.iter().try_for_each(|piece| reader.take(piece))?;
    drop(black_box(reader.finish()?));
    let read_back_ms = began.elapsed().as_secs_f64() * 1e3;
    drop(pieces);
    let (resident_mib, read_us, strange_us) = bounded(folder)?;
    let (many_keys, bound_mib) = (MORE_KEYS, BOUND / MIB);
    Ok(Figures {
        copy_us,
        longest_put_us,
        image_ms,
        image_mib,
        read_back_ms,
        many_keys,
        bound_mib,
        resident_mib,
        read_us,
        strange_us,
    })
}

#[allow(clippy::disallowed_methods, reason = "this is what is measured")]
fn bounded(folder: &Path) -> Result<(f64, f64, f64)> {
    let before = resident()?;
    let bound = Bound::new(BOUND, folder.to_owned());
    let (mut tier, mut meters) = (Tier::new(bound.clone()), Meters::default());
    bound.begin(&mut meters);
    for number in 0..MORE_KEYS {
        put(&mut meters, number);
        if number.is_multiple_of(64) {
            tier.tend(&mut meters, number, START);
        }
    }
    let resident_mib = (resident()? - before) / MIB as f64;
    let micros = |from: u64, of: u64| {
        let began = Instant::now();
        for sample in 0..SAMPLES {
            black_box(meters.read(&key(from + any(sample, of)), START));
        }
        began.elapsed().as_secs_f64() * 1e6 / SAMPLES as f64
    };
    let (read_us, strange_us) = (micros(0, MORE_KEYS), micros(MORE_KEYS, MORE_KEYS));
    (!meters.has_failed()).then_some((resident_mib, read_us, strange_us)).context("keys on disk could not be read")
}
