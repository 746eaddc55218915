//! Proofs that one entry is in a ledger, and that one ledger continues another (RFC 6962 §2.1.1 and
//! §2.1.2; verified as in RFC 9162 §2.1.3.2 and §2.1.4.2).
//!
//! Making a proof reads leaf hashes through the caller's function, each of those outside the proven
//! path once; checking one needs the proof and the roots only. Refuses to keep inner nodes: that is
//! for whoever stores the ledger. A proof is worth what its roots are worth: take them from a
//! checkpoint that was opened.

use crate::hash::{Hash, empty_root, node_hash};
use crate::tree::{Frontier, MAX_SIZE};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    #[error("entry {index} is not in a ledger of {size} entries")]
    Index { index: u64, size: u64 },
    #[error("a ledger of {new} entries does not continue one of {old}")]
    Shrinks { old: u64, new: u64 },
    #[error("a ledger of {0} entries is larger than any ledger can be")]
    TooLarge(u64),
    #[error("the proof has the wrong length")]
    Length,
    #[error("the proof does not lead to the root")]
    Root,
    #[error("the proof does not lead to the root of the older ledger")]
    OldRoot,
}

/// Why a proof could not be made: it cannot exist, or a leaf hash could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProveError<E> {
    #[error(transparent)]
    Proof(#[from] ProofError),
    #[error("a leaf hash could not be read: {0}")]
    Read(E),
}

/// The hashes that lead from the entry at `index` to the root of the first `size` entries.
pub fn inclusion<E>(
    index: u64,
    size: u64,
    leaf_hash: impl FnMut(u64) -> Result<Hash, E>,
) -> Result<Vec<Hash>, ProveError<E>> {
    inclusion_over(index, size, |_, _| None, leaf_hash)
}

/// The same where the hashes of whole ranges are known: `known` is asked for each range `from..to` that a tree of this
/// size has as a subtree, before its leaves are read.
pub fn inclusion_over<E>(
    index: u64,
    size: u64,
    known: impl Fn(u64, u64) -> Option<Hash>,
    mut leaf_hash: impl FnMut(u64) -> Result<Hash, E>,
) -> Result<Vec<Hash>, ProveError<E>> {
    check_index(index, size)?;
    let (mut from, mut to) = (0, size);
    let mut from_the_root = Vec::new();
    while to - from > 1 {
        let middle = from + left_size(to - from);
        if index < middle {
            from_the_root.push(known_root(middle, to, &known, &mut leaf_hash)?);
            to = middle;
        } else {
            from_the_root.push(known_root(from, middle, &known, &mut leaf_hash)?);
            from = middle;
        }
    }
    from_the_root.reverse();
    Ok(from_the_root)
}

fn known_root<E>(
    from: u64,
    to: u64,
    known: &impl Fn(u64, u64) -> Option<Hash>,
    leaf_hash: &mut impl FnMut(u64) -> Result<Hash, E>,
) -> Result<Hash, ProveError<E>> {
    if let Some(hash) = known(from, to) {
        return Ok(hash);
    }
    if to - from == 1 {
        return leaf_hash(from).map_err(ProveError::Read);
    }
    let middle = from + left_size(to - from);
    let left = known_root(from, middle, known, leaf_hash)?;
    let right = known_root(middle, to, known, leaf_hash)?;
    Ok(node_hash(&left, &right))
}

/// The root that a proof leads to.
pub fn root_from_inclusion(index: u64, leaf: Hash, size: u64, proof: &[Hash]) -> Result<Hash, ProofError> {
    check_index(index, size)?;
    let (mut place, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if place & 1 == 1 || place == last {
            hash = node_hash(sibling, &hash);
            skip_lonely(&mut place, &mut last);
        } else {
            hash = node_hash(&hash, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    if last == 0 { Ok(hash) } else { Err(ProofError::Length) }
}

/// Whether `leaf` is the entry at `index` of the ledger with this size and root.
pub fn verify_inclusion(index: u64, leaf: Hash, size: u64, root: &Hash, proof: &[Hash]) -> Result<(), ProofError> {
    if root_from_inclusion(index, leaf, size, proof)? == *root { Ok(()) } else { Err(ProofError::Root) }
}

/// The hashes that show that the first `new` entries begin with the first `old`.
pub fn consistency<E>(
    old: u64,
    new: u64,
    mut leaf_hash: impl FnMut(u64) -> Result<Hash, E>,
) -> Result<Vec<Hash>, ProveError<E>> {
    check_sizes(old, new)?;
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let (mut from, mut to) = (0, new);
    let mut from_the_root = Vec::new();
    // Down to the subtree at whose end the older ledger ends.
    while to != old {
        let middle = from + left_size(to - from);
        if old <= middle {
            from_the_root.push(range_root(middle, to, &mut leaf_hash)?);
            to = middle;
        } else {
            from_the_root.push(range_root(from, middle, &mut leaf_hash)?);
            from = middle;
        }
    }
    // If it begins at the start it is the whole older ledger, whose root the verifier has.
    if from != 0 {
        from_the_root.push(range_root(from, to, &mut leaf_hash)?);
    }
    from_the_root.reverse();
    Ok(from_the_root)
}

/// Whether the ledger with size `new` and `new_root` begins with the one with `old` and `old_root`.
pub fn verify_consistency(
    old: u64,
    old_root: &Hash,
    new: u64,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    check_sizes(old, new)?;
    if old == 0 || old == new {
        let known = if old == 0 { empty_root() } else { *new_root };
        return match proof {
            [] if *old_root == known => Ok(()),
            [] => Err(ProofError::OldRoot),
            _ => Err(ProofError::Length),
        };
    }
    let (mut place, mut last) = (old - 1, new - 1);
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    // An older ledger of a power of two is one subtree, and its root is not repeated in the proof.
    let (start, rest) = match proof.split_first() {
        _ if old.is_power_of_two() => (old_root, proof),
        Some(split) => split,
        None => return Err(ProofError::Length),
    };
    let (mut older, mut newer) = (*start, *start);
    for sibling in rest {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if place & 1 == 1 || place == last {
            older = node_hash(sibling, &older);
            newer = node_hash(sibling, &newer);
            skip_lonely(&mut place, &mut last);
        } else {
            newer = node_hash(&newer, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    match last {
        0 if older != *old_root => Err(ProofError::OldRoot),
        0 if newer != *new_root => Err(ProofError::Root),
        0 => Ok(()),
        _ => Err(ProofError::Length),
    }
}

/// Climbs past the levels at which the rightmost node has no sibling.
fn skip_lonely(place: &mut u64, last: &mut u64) {
    while *place & 1 == 0 && *place != 0 {
        *place >>= 1;
        *last >>= 1;
    }
}

/// Size of the left subtree of a tree of `size` > 1 entries: the largest power of two below it.
const fn left_size(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

fn range_root<E>(
    from: u64,
    to: u64,
    leaf_hash: &mut impl FnMut(u64) -> Result<Hash, E>,
) -> Result<Hash, ProveError<E>> {
    let mut tree = Frontier::new();
    for index in from..to {
        tree.append(leaf_hash(index).map_err(ProveError::Read)?);
    }
    Ok(tree.root())
}

const fn check_index(index: u64, size: u64) -> Result<(), ProofError> {
    if size > MAX_SIZE {
        return Err(ProofError::TooLarge(size));
    }
    if index < size { Ok(()) } else { Err(ProofError::Index { index, size }) }
}

const fn check_sizes(old: u64, new: u64) -> Result<(), ProofError> {
    if new > MAX_SIZE {
        return Err(ProofError::TooLarge(new));
    }
    if old <= new { Ok(()) } else { Err(ProofError::Shrinks { old, new }) }
}

#[cfg(test)]
mod tests;
