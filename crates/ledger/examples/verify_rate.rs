//! How fast an export verifies, line by line and on every core: `cargo run --release -p runplane-ledger --example
//! verify_rate [entries] [entries of one commit]`.

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a measurement prints, and reads the clock")]

use runplane_ledger::export::{Cutter, Header, Outcome, Reader, write_checkpoint, write_entry};
use runplane_ledger::{Checkpoint, Frontier, Hash, SigningKey, leaf_hash};
use std::time::Instant;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut numbers = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let entries = numbers.next().transpose()?.unwrap_or(200_000);
    let at_once = numbers.next().transpose()?.unwrap_or(1_024);
    let file = export(entries, at_once)?;
    println!("{entries} entries, {} bytes each, {at_once} in a commit", file.len() as u64 / entries);
    type Way = fn(&[u8]) -> Result<Outcome, Failure>;
    for (name, read) in [("line by line", by_line as Way), ("in blocks", in_blocks as Way)] {
        let begin = Instant::now();
        let outcome = read(&file)?;
        let rate = entries as f64 / begin.elapsed().as_secs_f64();
        println!("{name}: {rate:.0} entries/s, valid: {}", outcome.report.valid);
    }
    Ok(())
}

/// Entries as large as a recorded decision, with as many members.
fn export(entries: u64, at_once: u64) -> Result<Vec<u8>, Failure> {
    let key = SigningKey::from_seed("runplane/ws_1", &[7; 32])?;
    let mut file = Vec::new();
    Header::new("runplane/ws_1", &key.verifying().to_string(), entries).write(&mut file)?;
    let (mut tree, mut prev) = (Frontier::new(), Hash::ZERO);
    for index in 0..entries {
        let members: Vec<String> = (0..40).map(|at| format!(r#""member{at}":"value {at} of {index}""#)).collect();
        let entry = format!(
            r#"{{"at":1795348800000000,"body":{{"list":[1,2,{{"a":null}}],{}}},"epoch":3,"index":{index},"kind":"decision","prev":"{prev}","v":1}}"#,
            members.join(",")
        );
        prev = leaf_hash(entry.as_bytes());
        tree.append(prev);
        write_entry(&mut file, index, &prev, entry.as_bytes())?;
        if (index + 1) % at_once == 0 || index + 1 == entries {
            write_checkpoint(&mut file, &Checkpoint::sign(&key, index + 1, tree.root(), Some(5))?)?;
        }
    }
    Ok(file)
}

fn by_line(file: &[u8]) -> Result<Outcome, Failure> {
    let mut reader = Reader::new(Vec::new(), Vec::new());
    reader.feed(file)?;
    Ok(reader.finish()?)
}

/// Two threads, each with every other block.
fn in_blocks(file: &[u8]) -> Result<Outcome, Failure> {
    const BLOCK: usize = 512 * 1024;
    let mut reader = Reader::new(Vec::new(), Vec::new());
    let header = file.iter().position(|byte| *byte == b'\n').map_or(file.len(), |at| at + 1);
    let (header, lines) = file.split_at_checked(header).unwrap_or_default();
    reader.feed(header)?;
    let examiner = reader.examiner().ok_or("no header")?;
    let (mut cutter, mut blocks) = (Cutter::default(), Vec::new());
    for piece in lines.chunks(BLOCK) {
        let mut block = Vec::with_capacity(BLOCK * 2);
        cutter.begin(&mut block);
        block.extend_from_slice(piece);
        cutter.end(&mut block);
        blocks.push(block);
    }
    std::thread::scope(|scope| {
        for pair in blocks.chunks(2) {
            let mut pair = pair.iter();
            let (Some(one), other) = (pair.next(), pair.next()) else { break };
            let here = other.map(|other| scope.spawn(|| examiner.examine(other)));
            reader.take(examiner.examine(one));
            if let Some(Ok(examined)) = here.map(std::thread::ScopedJoinHandle::join) {
                reader.take(examined);
            }
        }
    });
    Ok(reader.finish()?)
}
