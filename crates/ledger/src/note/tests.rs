use super::*;

/// Published with Go's implementation of signed notes.
const VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const SEED: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const TEXT: &str =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const SIGNATURE: &str =
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn trusted() -> Vec<VerifyingKey> {
    vec![VerifyingKey::parse(VKEY).unwrap()]
}

fn published() -> String {
    format!("{TEXT}\n{SIGNATURE}")
}

#[test]
fn the_published_note_is_reproduced_to_the_byte_and_opened() {
    let seed = STANDARD.decode(SEED).unwrap()[1..].try_into().unwrap();
    let key = SigningKey::from_seed("PeterNeumann", &seed).unwrap();
    assert_eq!(sign(TEXT, &key), Ok(published()));
    assert_eq!(open(&published(), &trusted()), Ok(TEXT));
}

#[test]
fn a_note_with_any_byte_changed_does_not_open() {
    let note = published();
    for at in 0..note.len() {
        for flip in [1, 2, 0x20, 0x80] {
            let mut bytes = note.as_bytes().to_vec();
            bytes[at] ^= flip;
            if let Ok(changed) = String::from_utf8(bytes) {
                assert!(open(&changed, &trusted()).is_err(), "byte {at} ^ {flip} opened");
            }
        }
    }
    for length in 0..note.len() {
        if let Some(cut) = note.get(..length) {
            assert!(open(cut, &trusted()).is_err(), "{length} bytes opened");
        }
    }
}

#[test]
fn signatures_of_others_are_ignored_but_never_enough() {
    let other = SigningKey::from_seed("witness", &[1; 32]).unwrap();
    let only_other = sign(TEXT, &other).unwrap();
    assert_eq!(open(&only_other, &trusted()), Err(NoteError::Untrusted));
    let other_line = only_other.strip_prefix(TEXT).unwrap().trim_start_matches('\n');
    assert_eq!(open(&format!("{TEXT}\n{other_line}{SIGNATURE}"), &trusted()), Ok(TEXT));
    assert_eq!(open(&format!("{TEXT}\n{SIGNATURE}{other_line}"), &trusted()), Ok(TEXT));
    assert_eq!(open(&published(), &[]), Err(NoteError::Untrusted));
}

#[test]
fn one_wrong_signature_of_a_trusted_key_spoils_the_note() {
    let wrong = SIGNATURE.replace("x08go/ZJ", "x08go/ZK");
    let note = format!("{TEXT}\n{SIGNATURE}{wrong}");
    assert_eq!(open(&note, &trusted()), Err(NoteError::BadSignature("PeterNeumann".to_owned())));
}

#[test]
fn malformed_notes_are_refused() {
    let note = published();
    let many = format!("{TEXT}\n{}", SIGNATURE.repeat(101));
    for bad in [
        String::new(),
        "\n\n".to_owned(),
        TEXT.to_owned(),
        format!("{TEXT}\n"),
        format!("{TEXT}{SIGNATURE}"),
        format!("{note}\n"),
        note.trim_end().to_owned(),
        note.replace('—', "-"),
        note.replace("— PeterNeumann", "—  PeterNeumann"),
        note.replace("— PeterNeumann", "— Peter+Neumann"),
        note.replace("problem is.", "problem\tis."),
        note.replace("AM=\n", "AM\n"),
        note.replace("AM=\n", "AM=\r\n"),
        note.replace("x08go/ZJ", "x08"),
        many,
        format!("{}\n{note}", "x".repeat(MAX_BYTES)),
    ] {
        assert!(open(&bad, &trusted()).is_err(), "opened: {bad:?}");
    }
}

#[test]
fn a_text_that_is_no_text_is_not_signed() {
    let key = SigningKey::from_seed("a", &[1; 32]).unwrap();
    assert!(sign("no newline", &key).is_err());
    assert!(sign("bell\u{7}\n", &key).is_err());
}
