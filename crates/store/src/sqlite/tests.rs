//! SQLite under the contract, and what is SQLite's own: files, locks, versions, a full disk.

use crate::contract::Place;
use crate::{SqliteStore, Store};

use super::Options;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl Place for Folder {
    fn open(&self) -> Box<dyn Store> {
        Box::new(SqliteStore::open(self.0.path(), &Options::default()).unwrap())
    }
}

mod contract {
    crate::contract_tests!(super::Folder::new());
}
