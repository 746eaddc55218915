//! What a server is started with. The command line fills it in; nothing here reads the environment.

use crate::place::Place;
use std::net::SocketAddr;

#[derive(Clone, Debug)]
pub struct Options {
    pub place: Place,
    pub listen: SocketAddr,
    /// Names under which the server may be reached without a credential, besides loopback and addresses.
    pub allowed_hosts: Vec<String>,
}

impl Options {
    #[must_use]
    pub fn new(place: Place, listen: SocketAddr) -> Self {
        Self { place, listen, allowed_hosts: Vec::new() }
    }
}

/// Name of the database file in the data folder.
pub const DATABASE: &str = "runplane.db";
/// Name of the file that holds the seed of the signing key.
pub const LEDGER_KEY: &str = "ledger.key";
/// Name of the file that holds the seed of the key that signs permits.
pub const PERMIT_KEY: &str = "permit.key";
