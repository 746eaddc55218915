//! Identifiers: a prefix that says what it names, then a UUIDv7, so ids sort by time of creation.
//!
//! A request id made by the server carries the ledger index of its decision in the random part, so the
//! decision behind it is found without an index that every commit would have to maintain.

use crate::error::Error;
use crate::random;
use runplane_core::time::Micros;
use uuid::{Builder, Uuid};

pub const WORKSPACE: &str = "ws_";
pub const AGENT: &str = "agt_";
pub const KEY: &str = "key_";
pub const APPROVAL: &str = "apr_";
pub const REQUEST: &str = "req_";
pub const SWITCH: &str = "sw_";
pub const USER: &str = "usr_";
pub const INSTALLATION: &str = "ins_";
pub const NODE: &str = "node_";

const INDEX_BITS: u32 = 48;

pub fn generate(prefix: &str, now: Micros) -> Result<String, Error> {
    Ok(from_random(prefix, now, &random::bytes()?))
}

/// An id from ten random bytes drawn beforehand; used where the caller must not fail.
#[must_use]
pub fn from_random(prefix: &str, now: Micros, random: &[u8; 10]) -> String {
    let uuid = Builder::from_unix_timestamp_millis(millis(now), random).into_uuid();
    format!("{prefix}{}", uuid.simple())
}

/// A request id that names the decision at `index`.
#[must_use]
pub fn for_request(now: Micros, index: u64, random: &[u8; 10]) -> String {
    let mut random = *random;
    let index = index.to_be_bytes();
    // The last six bytes of a UUIDv7 are random in full: 48 bits hold the index.
    for (slot, byte) in random.iter_mut().skip(4).zip(index.iter().skip(2)) {
        *slot = *byte;
    }
    from_random(REQUEST, now, &random)
}

/// The index a server-made request id claims; the caller checks it against the entry itself.
#[must_use]
pub fn index_of_request(request_id: &str) -> Option<u64> {
    let uuid = Uuid::try_parse(request_id.strip_prefix(REQUEST)?).ok()?;
    (uuid.get_version_num() == 7).then(|| {
        let low = u64::try_from(uuid.as_u128() & u128::from(u64::MAX)).unwrap_or(0);
        low & ((1 << INDEX_BITS) - 1)
    })
}

fn millis(now: Micros) -> u64 {
    u64::try_from(now.0 / 1000).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_names_its_index() {
        for index in [0, 1, 77, (1 << 48) - 1] {
            let id = for_request(Micros(1_790_000_000_000_000), index, &[0xAB; 10]);
            assert_eq!(index_of_request(&id), Some(index));
            assert_eq!(id.len(), 36);
        }
        assert_eq!(index_of_request("req_nonsense"), None);
        assert_eq!(index_of_request("order-17"), None);
    }
}
