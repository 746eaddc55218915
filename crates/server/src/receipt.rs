//! The proof that one entry is on the ledger: what a receipt holds, made in time that hardly grows with the ledger.
//!
//! Hashes of whole runs of 256 entries are kept in memory once they are known (32 bytes for 256 entries), so a proof
//! reads at most two runs; the first one after a start reads the leaf hashes of the whole ledger once.

use crate::error::{Error, Kind};
use crate::workspace::Workspace;
use parking_lot::Mutex;
use runplane_ledger::proof::{self, ProveError};
use runplane_ledger::{Frontier, Hash};
use runplane_store::{EntryRow, MAX_PAGE};
use std::collections::HashMap;

const RUN: u64 = 256;

/// Hashes of the complete runs of a ledger, first to last.
#[derive(Default)]
pub struct Runs(Mutex<Vec<Hash>>);

/// Everything somebody needs to check that an entry is on the ledger, without us.
pub struct Proof {
    pub entry: EntryRow,
    /// From the leaf to the root.
    pub path: Vec<Hash>,
    pub size: u64,
    pub root: [u8; 32],
    /// The signed note over size and root.
    pub checkpoint: String,
}

/// The proof for the entry at `index` in the newest checkpoint, or in the one of `size` entries. Blocks.
pub fn prove(workspace: &Workspace, index: u64, size: Option<u64>) -> Result<Proof, Error> {
    let unknown = || Error::plain(Kind::UnknownEntry);
    let head = workspace.published.head.load_full();
    let (size, checkpoint) = match size.filter(|size| *size != head.size) {
        None => (head.size, head.checkpoint.clone()),
        Some(size) => {
            let notes = workspace.store.read_checkpoints(&workspace.id, size, 1)?;
            let note = notes.into_iter().find(|note| note.size == size && size <= head.size).ok_or_else(unknown)?;
            (size, note.note)
        }
    };
    if index >= size {
        return Err(unknown());
    }
    let mut runs = workspace.runs.0.lock();
    extend(workspace, &mut runs, size)?;
    let known = runs.clone();
    drop(runs);
    let mut leaves: HashMap<u64, Hash> = HashMap::new();
    for start in [index / RUN * RUN, size / RUN * RUN] {
        let most = usize::try_from(RUN).unwrap_or(256);
        for row in workspace.store.read_entries(&workspace.id, start, most)? {
            leaves.insert(row.index, Hash::new(row.leaf_hash));
        }
    }
    let entry = workspace.store.read_entries(&workspace.id, index, 1)?;
    let entry = entry.into_iter().find(|row| row.index == index).ok_or_else(|| missing(index))?;
    let whole = |from: u64, to: u64| {
        let run = usize::try_from(from / RUN).ok()?;
        (from.is_multiple_of(RUN) && to - from == RUN).then(|| known.get(run).copied()).flatten()
    };
    let read = |leaf: u64| leaves.get(&leaf).copied().ok_or_else(|| missing(leaf));
    let path = proof::inclusion_over(index, size, whole, read).map_err(|failure| match failure {
        ProveError::Read(failure) => failure,
        ProveError::Proof(failure) => Error::internal("an entry could not be proven").because(failure),
    })?;
    let root = if size == head.size { head.root } else { root_of(&path, &entry, index, size) };
    Ok(Proof { entry, path, size, root, checkpoint })
}

/// The root the path leads to; whoever holds the checkpoint compares.
fn root_of(path: &[Hash], entry: &EntryRow, index: u64, size: u64) -> [u8; 32] {
    proof::root_from_inclusion(index, Hash::new(entry.leaf_hash), size, path).map_or([0; 32], |root| root.to_bytes())
}

fn missing(index: u64) -> Error {
    Error::internal(format!("entry {index} is missing: verify the ledger"))
}

fn extend(workspace: &Workspace, runs: &mut Vec<Hash>, size: u64) -> Result<(), Error> {
    let mut run = Frontier::new();
    loop {
        let done = u64::try_from(runs.len()).unwrap_or(u64::MAX) * RUN;
        let from = done + run.size();
        if done + RUN > size {
            return Ok(());
        }
        let rows = workspace.store.read_entries(&workspace.id, from, MAX_PAGE)?;
        if rows.is_empty() {
            return Err(missing(from));
        }
        for (row, expected) in rows.iter().zip(from..) {
            if row.index != expected {
                return Err(missing(expected));
            }
            run.append(Hash::new(row.leaf_hash));
            if run.size() == RUN {
                runs.push(std::mem::replace(&mut run, Frontier::new()).root());
            }
        }
    }
}
