//! Where an installation keeps what it knows: in the database of its data folder, or in a PostgreSQL database that
//! several nodes share.
//!
//! The keys that sign are files in either case, and the same ones on every node. The database remembers their public
//! halves, and a node with others is refused: half of a ledger signed by a key nobody else knows is worth nothing.

use crate::error::{Error, Kind};
use crate::keyfile;
use crate::options::{DATABASE, LEDGER_KEY, PERMIT_KEY};
use runplane_ledger::SigningKey;
use runplane_store::postgres::Options as Shared;
use runplane_store::{Address, Options, PostgresStore, SqliteStore, Store, StoreError};
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct Place {
    /// The folder of the keys, and of the embedded database.
    pub data: PathBuf,
    /// The shared database; absent for the embedded one.
    pub database: Option<Address>,
}

impl Place {
    #[must_use]
    pub fn embedded(data: PathBuf) -> Self {
        Self { data, database: None }
    }

    /// Opens the database, and brings it to this program's version.
    pub fn open(&self) -> Result<Arc<dyn Store>, StoreError> {
        match &self.database {
            Some(address) => Ok(Arc::new(PostgresStore::open(address, &Shared::default())?)),
            None => Ok(Arc::new(SqliteStore::open(&self.data, &Options::default())?)),
        }
    }

    /// Whether there is an installation.
    pub fn is_initialised(&self) -> Result<bool, StoreError> {
        match &self.database {
            Some(_) => Ok(self.open()?.load_installation()?.is_some()),
            None => Ok(self.data.join(DATABASE).exists()),
        }
    }

    /// What the database is called; without anything secret.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.database {
            Some(address) => address.to_string(),
            None => self.data.display().to_string(),
        }
    }

    /// The key files of the data folder.
    pub fn seeds(&self) -> Result<Seeds, Error> {
        let seed = |name: &str| {
            let path = self.data.join(name);
            if self.database.is_some() && !path.exists() {
                let text = format!(
                    "`{}` is missing: every node signs with the same keys, so copy {LEDGER_KEY} and {PERMIT_KEY} from the \
                     node that ran `runplane init`",
                    path.display()
                );
                return Err(Error::new(Kind::Internal, text));
            }
            keyfile::load(&path)
        };
        Ok(Seeds { ledger: seed(LEDGER_KEY)?, permit: seed(PERMIT_KEY)? })
    }
}

/// Seeds of the keys a server signs with.
pub struct Seeds {
    pub ledger: [u8; 32],
    pub permit: [u8; 32],
}

impl Seeds {
    /// Makes these the keys of the installation, or refuses them because others are.
    pub fn agree(&self, store: &dyn Store) -> Result<(), Error> {
        for (name, seed) in [("ledger key", &self.ledger), ("permit key", &self.permit)] {
            let key = SigningKey::from_seed("runplane", seed)
                .map_err(|failure| Error::internal(format!("the {name} cannot be used")).because(failure))?;
            store.agree(name, &key.verifying().public_bytes()[..]).map_err(|failure| match failure {
                StoreError::Contradiction(text) => {
                    Error::internal(format!("{text}: copy {LEDGER_KEY} and {PERMIT_KEY} from one of them"))
                }
                other => other.into(),
            })?;
        }
        Ok(())
    }
}
