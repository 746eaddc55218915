use std::convert::Infallible;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proptest::prelude::*;
use sha2::Sha256;

use super::*;
use crate::hash::leaf_hash;
use crate::tree::tests::{ENTRIES, ROOTS};

fn leaf(index: u64) -> Result<Hash, Infallible> {
    Ok(leaf_hash(&index.to_be_bytes()))
}

fn published(index: u64) -> Result<Hash, Infallible> {
    Ok(leaf_hash(ENTRIES[index as usize]))
}

fn root(size: u64) -> Hash {
    let mut tree = Frontier::new();
    for index in 0..size {
        tree.append(leaf(index).unwrap());
    }
    tree.root()
}

fn hashes(texts: &[&str]) -> Vec<Hash> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn bytes(proof: &[Hash]) -> Vec<u8> {
    proof.iter().flat_map(|hash| hash.to_bytes()).collect()
}

const A: &str = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
const B: &str = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
const C: &str = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";

#[test]
fn the_proofs_match_the_published_vectors() {
    for (index, size, expected) in [
        (0, 1, vec![]),
        (
            0,
            8,
            vec![
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                A,
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (5, 8, vec![B, C, ROOTS[3]]),
        (2, 3, vec![ROOTS[1]]),
    ] {
        let proof = inclusion(index, size, published).unwrap();
        assert_eq!(proof, hashes(&expected), "{index} in {size}");
        let root = ROOTS[size as usize - 1].parse().unwrap();
        assert_eq!(verify_inclusion(index, published(index).unwrap(), size, &root, &proof), Ok(()));
    }
    for (old, new, expected) in [
        (1, 1, vec![]),
        (6, 8, vec!["0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a", C, ROOTS[3]]),
        (2, 5, vec![A, B]),
    ] {
        let proof = consistency(old, new, published).unwrap();
        assert_eq!(proof, hashes(&expected), "{old} to {new}");
        let root = |size: u64| ROOTS[size as usize - 1].parse().unwrap();
        assert_eq!(verify_consistency(old, &root(old), new, &root(new), &proof), Ok(()));
    }
}

#[test]
fn every_proof_up_to_size_40_is_that_of_an_independent_tree() {
    let mut other = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for size in 1..=40u64 {
        other.push((size - 1).to_be_bytes().to_vec());
        let (root_here, root_there) = (root(size), other.root());
        for index in 0..size {
            let proof = inclusion(index, size, leaf).unwrap();
            let there = other.prove_inclusion(index as usize);
            assert_eq!(bytes(&proof), there.as_bytes(), "{index} in {size}");
            assert_eq!(verify_inclusion(index, leaf(index).unwrap(), size, &root_here, &proof), Ok(()));
            assert!(root_there.verify_inclusion(&index.to_be_bytes().to_vec(), index, &there).is_ok());
        }
        for old in 1..=size {
            let proof = consistency(old, size, leaf).unwrap();
            let there = other.prove_consistency((size - old) as usize);
            assert_eq!(bytes(&proof), there.as_bytes(), "{old} to {size}");
            assert_eq!(verify_consistency(old, &root(old), size, &root_here, &proof), Ok(()));
        }
    }
}

#[test]
fn every_small_tree_is_consistent_with_the_empty_one_and_no_smaller_one() {
    for size in 0..5 {
        let proof = consistency(0, size, leaf).unwrap();
        assert_eq!(verify_consistency(0, &empty_root(), size, &root(size), &proof), Ok(()));
        assert_eq!(verify_consistency(0, &root(1), size, &root(size), &proof), Err(ProofError::OldRoot));
        assert_eq!(
            consistency(size + 1, size, leaf),
            Err(ProveError::Proof(ProofError::Shrinks { old: size + 1, new: size }))
        );
    }
}

#[test]
fn what_cannot_be_proven_is_refused() {
    let none = ProveError::Proof(ProofError::Index { index: 3, size: 3 });
    assert_eq!(inclusion(3, 3, leaf), Err(none));
    assert_eq!(inclusion(0, MAX_SIZE + 1, leaf), Err(ProveError::Proof(ProofError::TooLarge(MAX_SIZE + 1))));
    assert_eq!(inclusion(0, 3, |_| Err::<Hash, _>("gone")), Err(ProveError::Read("gone")));
    assert_eq!(verify_inclusion(u64::MAX, root(1), u64::MAX, &root(1), &[]), Err(ProofError::TooLarge(u64::MAX)));
    assert!(verify_consistency(3, &root(3), u64::MAX, &root(1), &[]).is_err());
    assert!(verify_consistency(3, &root(3), 5, &root(5), &[]).is_err());
}

proptest! {
    #[test]
    fn a_proof_fits_only_what_it_proves(
        size in 2u64..70, pick in any::<prop::sample::Index>(), old in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(), bit in 0usize..256,
    ) {
        let index = pick.index(size as usize) as u64;
        let old = 1 + old.index(size as usize - 1) as u64;
        let (leaf_here, root_here, old_root) = (leaf(index).unwrap(), root(size), root(old));
        let flip = |hash: Hash| {
            let mut bytes = hash.to_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            Hash::new(bytes)
        };

        let proof = inclusion(index, size, leaf).unwrap();
        let check = |index, leaf, size, root: Hash, proof: &[Hash]| verify_inclusion(index, leaf, size, &root, proof);
        prop_assert_eq!(check(index, leaf_here, size, root_here, &proof), Ok(()));
        prop_assert!(check(index, flip(leaf_here), size, root_here, &proof).is_err());
        prop_assert!(check(index, leaf_here, size, flip(root_here), &proof).is_err());
        prop_assert!(check((index + 1) % size, leaf_here, size, root_here, &proof).is_err());
        let mut changed = proof.clone();
        let at_inclusion = at.index(proof.len());
        changed[at_inclusion] = flip(changed[at_inclusion]);
        prop_assert!(check(index, leaf_here, size, root_here, &changed).is_err());
        prop_assert!(check(index, leaf_here, size, root_here, &proof[1..]).is_err());
        prop_assert!(check(index, leaf_here, size, root_here, &[proof, vec![leaf_here]].concat()).is_err());

        let proof = consistency(old, size, leaf).unwrap();
        let check = |old_root: Hash, root: Hash, proof: &[Hash]| verify_consistency(old, &old_root, size, &root, proof);
        prop_assert_eq!(check(old_root, root_here, &proof), Ok(()));
        prop_assert!(check(flip(old_root), root_here, &proof).is_err());
        prop_assert!(check(old_root, flip(root_here), &proof).is_err());
        let mut changed = proof.clone();
        let at_consistency = at.index(proof.len());
        changed[at_consistency] = flip(changed[at_consistency]);
        prop_assert!(check(old_root, root_here, &changed).is_err());
        prop_assert!(check(old_root, root_here, &proof[1..]).is_err());
        prop_assert!(check(old_root, root_here, &[proof, vec![root_here]].concat()).is_err());
    }
}
