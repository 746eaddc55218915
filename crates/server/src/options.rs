//! What a server is started with. The command line fills it in; nothing here reads the environment.

use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Clone, Debug)]
pub struct Options {
    /// Folder of the embedded database and the signing key.
    pub data: PathBuf,
    pub listen: SocketAddr,
    /// Names under which the server may be reached without a credential, besides loopback and addresses.
    pub allowed_hosts: Vec<String>,
}

impl Options {
    #[must_use]
    pub fn new(data: PathBuf, listen: SocketAddr) -> Self {
        Self { data, listen, allowed_hosts: Vec::new() }
    }

    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.data.join(DATABASE)
    }
}

/// Name of the database file in the data folder.
pub const DATABASE: &str = "runplane.db";
/// Name of the file that holds the seed of the signing key.
pub const LEDGER_KEY: &str = "ledger.key";
/// Name of the file that holds the seed of the key that signs permits.
pub const PERMIT_KEY: &str = "permit.key";
