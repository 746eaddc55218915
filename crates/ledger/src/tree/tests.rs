use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proptest::prelude::*;
use sha2::Sha256;

use super::*;
use crate::hash::leaf_hash;

/// The entries and roots published with the first Certificate Transparency implementation.
pub(crate) const ENTRIES: [&[u8]; 8] = [
    b"",
    &[0x00],
    &[0x10],
    &[0x20, 0x21],
    &[0x30, 0x31],
    &[0x40, 0x41, 0x42, 0x43],
    &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
    &[0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f],
];
pub(crate) const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

#[test]
fn the_roots_match_the_published_vectors() {
    let mut frontier = Frontier::new();
    assert_eq!(frontier.root(), empty_root());
    for (index, (entry, root)) in ENTRIES.iter().zip(ROOTS).enumerate() {
        assert_eq!(frontier.append(leaf_hash(entry)), index as u64);
        assert_eq!(frontier.root().to_string(), root);
    }
}

#[test]
fn every_size_up_to_300_agrees_with_an_independent_tree() {
    let (mut frontier, mut other) = (Frontier::new(), MemoryBackedTree::<Sha256, Vec<u8>>::new());
    for index in 0..300u32 {
        let entry = index.to_le_bytes().to_vec();
        frontier.append(leaf_hash(&entry));
        other.push(entry);
        assert_eq!(frontier.root().as_bytes().as_slice(), other.root().as_bytes().as_slice());
        assert_eq!(frontier.size(), other.len());
    }
}

#[test]
fn a_stored_frontier_of_the_wrong_length_is_refused() {
    let mut frontier = Frontier::new();
    for entry in ENTRIES.iter().take(7) {
        frontier.append(leaf_hash(entry));
    }
    let bytes = frontier.to_bytes();
    assert_eq!(bytes.len(), 8 + 3 * 32);
    for length in 0..bytes.len() {
        assert!(Frontier::from_bytes(&bytes[..length]).is_err(), "{length} bytes were accepted");
    }
    assert!(Frontier::from_bytes(&[bytes, vec![0]].concat()).is_err());
    assert!(matches!(Frontier::from_bytes(&[0xff; 8]), Err(FrontierError::TooLarge { .. })));
    assert_eq!(Frontier::from_bytes(&[0; 8]), Ok(Frontier::new()));
}

proptest! {
    #[test]
    fn a_restored_frontier_continues_the_same_tree(before in 0u64..200, after in 0u64..50) {
        let leaf = |index: u64| leaf_hash(&index.to_be_bytes());
        let mut frontier = Frontier::new();
        for index in 0..before {
            frontier.append(leaf(index));
        }
        let mut restored = Frontier::from_bytes(&frontier.to_bytes()).unwrap();
        prop_assert_eq!(&restored, &frontier);
        for index in before..before + after {
            frontier.append(leaf(index));
            restored.append(leaf(index));
        }
        prop_assert_eq!(restored.root(), frontier.root());
    }
}
