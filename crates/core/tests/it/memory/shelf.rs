//! Where keys go beside memory, and what a snapshot says of them.

use runplane_core::meter::{Cold, ColdEntries, ColdFailure, Meters, Thinner};
use runplane_core::time::Micros;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Keys on disk, here in a map.
#[derive(Clone, Default)]
pub struct Shelf(BTreeMap<[u8; 24], Vec<u8>>);

impl Cold for Shelf {
    fn find(&self, tail: &[u8; 24]) -> Result<Option<Vec<u8>>, ColdFailure> {
        Ok(self.0.get(tail).cloned())
    }

    fn scan(&self, from: u16) -> ColdEntries<'_> {
        let mut first = [0; 24];
        first[..2].copy_from_slice(&from.to_be_bytes());
        Box::new(self.0.range(first..).map(|(tail, bytes)| Ok((*tail, bytes.clone()))))
    }

    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn with(&self, entries: Vec<([u8; 24], Vec<u8>)>, thinner: &Thinner) -> Result<Arc<dyn Cold>, ColdFailure> {
        let mut shelf = self.clone();
        shelf.0.extend(entries);
        shelf.0 = shelf.0.into_iter().filter_map(|(tail, bytes)| Some((tail, thinner.thin(&bytes)?))).collect();
        Ok(Arc::new(shelf))
    }
}

/// The bytes of a snapshot.
pub fn image(meters: &Meters, at: Micros) -> Vec<u8> {
    let mut bytes = Vec::new();
    let take = |piece: Vec<u8>| {
        bytes.extend(piece);
        true
    };
    meters.image(at, take).unwrap();
    bytes
}
