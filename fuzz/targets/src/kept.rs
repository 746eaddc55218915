//! Bytes that a server reads and keeps: requests, the counters of a snapshot, what a commit says.

use runplane_core::call::{Call, Established};
use runplane_core::json::Limits;
use runplane_core::meter::{Meters, Reader};
use runplane_core::time::Micros;
use runplane_server::guard::{Shape, read};
use runplane_store::coding::{restore, shorten};

use crate::payloads::{CATALOGUE, SETTINGS, agent};

/// A request that is a call comes back from what is kept of it as the same call, and the older forms do not read a
/// request of today otherwise.
pub fn request(data: &[u8]) {
    let limits = Limits::default();
    let guard = read(data, Shape::Guard, &limits);
    let legacy = read(data, Shape::Legacy, &limits);
    if guard.is_ok() {
        assert_eq!(format!("{guard:?}"), format!("{legacy:?}"));
    }
    let Ok((asked, _)) = legacy else { return };
    let established = Established { workspace: "ws_1".to_owned(), agent: agent(), source: None, asserts_subject: true };
    let Ok(call) = Call::new(asked, established, &CATALOGUE, &SETTINGS) else { return };
    let (payload, digest) = call.payload_and_digest();
    let again = Call::from_payload(&payload).and_then(|stored| stored.as_recorded(&CATALOGUE));
    assert_eq!(again.map(|again| again.payload_and_digest()).ok(), Some((payload, digest)));
}

fn image(meters: &Meters) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Nothing has stopped counting at the beginning of time.
    let written = meters.image(Micros(0), |piece| {
        bytes.extend(piece);
        true
    });
    assert!(written.is_ok());
    bytes
}

fn meters(bytes: &[u8]) -> Option<Meters> {
    let mut reader = Reader::default();
    reader.take(bytes).ok()?;
    reader.finish().ok()
}

/// What is read of a snapshot is written, and that is read again as the same.
pub fn snapshot(data: &[u8]) {
    let Some(read) = meters(data) else { return };
    let written = image(&read);
    let again = meters(&written).map(|again| image(&again));
    assert!(again.as_ref() == Some(&written), "{data:?}");
}

/// Whatever is shortened comes back, and what is restored is no longer than a commit may be. The first byte is the
/// coding.
pub fn commit(data: &[u8]) {
    let Some((coding, stored)) = data.split_first() else { return };
    if let Some(restored) = restore(i64::from(*coding), stored) {
        assert!(restored.len() <= stored.len().max(2 << 20));
        let (coding, again) = shorten(restored.to_vec());
        assert!(restore(coding, &again) == Some(restored));
    }
    // Often enough to be worth shortening.
    let long: Vec<u8> = stored.iter().copied().cycle().take(stored.len() * 40).collect();
    let (coding, short) = shorten(long.clone());
    assert!(restore(coding, &short).as_deref() == Some(&long[..]));
}
