use super::*;
use crate::hash::{empty_root, leaf_hash};

const ORIGIN: &str = "runplane/ws_1";

fn key() -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[7; 32]).unwrap()
}

fn trusted() -> Vec<VerifyingKey> {
    vec![key().verifying().clone()]
}

#[test]
fn the_text_of_a_checkpoint_never_changes() {
    let note = Checkpoint::sign(&key(), 1, leaf_hash(b""), Some(1_767_225_600_000_000)).unwrap();
    let (text, signature) = note.split_once("\n\n").unwrap();
    assert_eq!(
        text,
        "runplane/ws_1\n1\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\nrunplane-time-us 1767225600000000"
    );
    // Computed with another implementation of Ed25519 and SHA-256.
    let expected = "H866sFAjiDgBtvf1B9JdfygD7XivCqvb6IDNVPevLo5NBnbIqaGATTgU95T3jtvbESLILZ2CKeKd75CjlKK3v2T3bgw=";
    assert_eq!(signature, format!("— runplane/ws_1 {expected}\n"));
}

#[test]
fn a_signed_checkpoint_opens_to_what_was_signed() {
    for time_us in [None, Some(0), Some(-1), Some(i64::MAX)] {
        for (size, root) in [(0, empty_root()), (1, leaf_hash(b"x")), (MAX_SIZE, leaf_hash(b"y"))] {
            let note = Checkpoint::sign(&key(), size, root, time_us).unwrap();
            let expected = Checkpoint { origin: ORIGIN.to_owned(), size, root, time_us };
            assert_eq!(Checkpoint::open(&note, &trusted(), ORIGIN), Ok(expected));
        }
    }
    assert!(Checkpoint::sign(&key(), MAX_SIZE + 1, empty_root(), None).is_err());
}

#[test]
fn a_published_checkpoint_body_is_read() {
    let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    let checkpoint = Checkpoint::parse(text).unwrap();
    assert_eq!((checkpoint.origin.as_str(), checkpoint.size), ("example.com/behind-the-sofa", 20_852_163));
    assert_eq!(checkpoint.text(), text);
}

#[test]
fn another_origin_is_refused_even_under_a_trusted_key() {
    let note = Checkpoint::sign(&key(), 0, empty_root(), None).unwrap();
    let refused = Checkpoint::open(&note, &trusted(), "runplane/ws_2").unwrap_err();
    assert_eq!(refused.to_string(), "the checkpoint is of `runplane/ws_1`, not of `runplane/ws_2`");
}

#[test]
fn another_key_of_the_same_name_is_refused() {
    let other = SigningKey::from_seed(ORIGIN, &[8; 32]).unwrap();
    let note = Checkpoint::sign(&other, 0, empty_root(), None).unwrap();
    assert_eq!(Checkpoint::open(&note, &trusted(), ORIGIN), Err(CheckpointError::Note(NoteError::Untrusted)));
}

#[test]
fn unknown_extension_lines_are_accepted_and_bad_ones_are_not() {
    let good = Checkpoint { origin: "o".to_owned(), size: 3, root: leaf_hash(b""), time_us: Some(5) };
    assert_eq!(Checkpoint::parse(&format!("{}new 1\n", good.text())), Ok(good.clone()));
    let bare = Checkpoint { time_us: None, ..good }.text();
    for extension in ["\n", "\nx\n", "runplane-time-us \n", "runplane-time-us +5\n", "runplane-time-us 05\n"] {
        assert!(Checkpoint::parse(&format!("{bare}{extension}")).is_err(), "accepted {extension:?}");
    }
    let twice = "runplane-time-us 1\nother\nrunplane-time-us 2\n";
    assert!(Checkpoint::parse(&format!("{bare}{twice}")).is_err());
}

#[test]
fn bodies_that_could_be_read_in_two_ways_are_refused() {
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    for bad in [
        String::new(),
        "\n".to_owned(),
        "o\n1\n".to_owned(),
        format!("o\n1\n{root}"),
        format!("\n1\n{root}\n"),
        format!("o\n01\n{root}\n"),
        format!("o\n+1\n{root}\n"),
        format!("o\n-1\n{root}\n"),
        format!("o\n 1\n{root}\n"),
        format!("o\n\n{root}\n"),
        format!("o\n99999999999999999999\n{root}\n"),
        format!("o\n9223372036854775807\n{root}\n"),
        format!("o\n1\n{}\n", root.trim_end_matches('=')),
        format!("o\n1\n{}\n", root.replace("2I=", "2J=")),
        "o\n1\nAAAA\n".to_owned(),
    ] {
        assert!(Checkpoint::parse(&bad).is_err(), "accepted {bad:?}");
    }
}
