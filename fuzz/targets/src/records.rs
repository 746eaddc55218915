//! Files and notes that come from elsewhere, read by the ledger.

use runplane_ledger::export::Reader;
use runplane_ledger::{Checkpoint, VerifyingKey, note};

/// An export says the same however it arrives, in one piece or many.
pub fn export(data: &[u8]) {
    let read = |size: usize| {
        let mut reader = Reader::new(Vec::new(), Vec::new());
        for piece in data.chunks(size) {
            reader.feed(piece)?;
        }
        reader.finish()
    };
    assert_eq!(read(usize::MAX), read(7));
}

/// A checkpoint that is read, written and read again is the same, and no note opens without a trusted key. Lines
/// that are not known are passed over, as the format asks, and so are not written.
pub fn note(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(checkpoint) = Checkpoint::parse(text) {
        let written = checkpoint.text();
        assert_eq!(Checkpoint::parse(&written).as_ref(), Ok(&checkpoint));
        assert!(written.lines().all(|line| text.lines().any(|read| read == line)), "{written} is not in {text}");
    }
    assert!(note::open(text, &[]).is_err());
    if let Ok(key) = VerifyingKey::parse(text.trim()) {
        let _ = note::open(text, std::slice::from_ref(&key));
        assert_eq!(VerifyingKey::parse(&key.to_string()).as_ref(), Ok(&key));
    }
}
