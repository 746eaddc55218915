//! What a server is started with. The command line fills it in; nothing here reads the environment.

use crate::place::Place;
pub use ipnet::IpNet;
use runplane_core::time::Span;
use std::net::{IpAddr, SocketAddr};

#[derive(Clone, Debug)]
pub struct Options {
    pub place: Place,
    pub listen: SocketAddr,
    /// Names under which the server may be reached without a credential, besides loopback and addresses.
    pub allowed_hosts: Vec<String>,
    /// Proxies whose word on where a request comes from is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// Bytes of memory, roughly, that the keys of meters and limits may take up; beyond them they go to disk.
    pub state_memory: usize,
    /// How long decisions are listed on a shared database; without it for ever. The ledger keeps all of them.
    pub keep_lists: Option<Span>,
}

/// Room for about two million keys.
pub const STATE_MEMORY: usize = 256 * 1024 * 1024;

impl Options {
    #[must_use]
    pub fn new(place: Place, listen: SocketAddr) -> Self {
        let (allowed_hosts, trusted_proxies) = (Vec::new(), Vec::new());
        Self { place, listen, allowed_hosts, trusted_proxies, state_memory: STATE_MEMORY, keep_lists: None }
    }
}

/// An address, or a network such as `10.0.0.0/8`.
///
/// # Errors
///
/// What it should have been.
pub fn network(text: &str) -> Result<IpNet, String> {
    let single = text.parse::<IpAddr>().map(IpNet::from);
    single.or_else(|_| text.parse()).map_err(|_| "neither an address nor a network such as 10.0.0.0/8".to_owned())
}

/// Name of the database file in the data folder.
pub const DATABASE: &str = "runplane.db";
/// Name of the file that holds the seed of the signing key.
pub const LEDGER_KEY: &str = "ledger.key";
/// Name of the file that holds the seed of the key that signs permits.
pub const PERMIT_KEY: &str = "permit.key";
