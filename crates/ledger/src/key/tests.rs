use super::*;

/// Published with Go's implementation of signed notes.
const VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const SEED: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";

fn seed() -> [u8; 32] {
    STANDARD.decode(SEED).unwrap()[1..].try_into().unwrap()
}

#[test]
fn the_published_seed_gives_the_published_verifier_key() {
    let key = SigningKey::from_seed("PeterNeumann", &seed()).unwrap();
    assert_eq!(key.verifying().to_string(), VKEY);
    assert_eq!(VerifyingKey::parse(VKEY).as_ref(), Ok(key.verifying()));
}

#[test]
fn another_published_verifier_key_keeps_its_text() {
    let text = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
    assert_eq!(VerifyingKey::parse(text).unwrap().to_string(), text);
}

#[test]
fn no_piece_and_no_mutation_of_a_verifier_key_is_accepted() {
    for from in 0..VKEY.len() {
        for to in from..=VKEY.len() {
            let piece = VKEY.get(from..to).unwrap();
            assert!(piece == VKEY || VerifyingKey::parse(piece).is_err(), "`{piece}` was accepted");
        }
    }
    for at in 0..VKEY.len() {
        let mut bytes = VKEY.as_bytes().to_vec();
        bytes[at] += 1;
        let text = String::from_utf8(bytes).unwrap();
        assert!(VerifyingKey::parse(&text).is_err(), "`{text}` was accepted");
    }
    // A key of the wrong length and an unknown algorithm, each with the id that would fit.
    let long = "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==";
    assert!(VerifyingKey::parse(long).is_err());
    let unknown = "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    assert_eq!(VerifyingKey::parse(unknown).unwrap_err(), KeyError::Algorithm);
}

#[test]
fn names_that_would_break_the_note_format_are_refused() {
    for name in ["", "a b", "a+b", "a\nb", "a\u{2003}b", "a\u{0}b", &"x".repeat(256)] {
        assert!(matches!(SigningKey::from_seed(name, &[7; 32]), Err(KeyError::Name(_))), "`{name}` was accepted");
    }
}

#[test]
fn the_same_seed_under_another_name_is_another_key() {
    let (one, two) = (SigningKey::from_seed("a", &[7; 32]).unwrap(), SigningKey::from_seed("b", &[7; 32]).unwrap());
    assert_ne!(one.verifying().id(), two.verifying().id());
    assert_ne!(one.verifying(), two.verifying());
}

#[test]
fn a_signature_covers_every_byte_and_only_its_own_key_verifies_it() {
    let key = SigningKey::from_seed("a", &[7; 32]).unwrap();
    let signature: [u8; 64] = key.sign(b"message").try_into().unwrap();
    assert!(key.verifying().verify(b"message", &signature));
    assert!(!key.verifying().verify(b"messagf", &signature));
    assert!(!SigningKey::from_seed("a", &[8; 32]).unwrap().verifying().verify(b"message", &signature));
    for at in 0..64 {
        let mut other = signature;
        other[at] ^= 1;
        assert!(!key.verifying().verify(b"message", &other));
    }
}

#[test]
fn a_debug_print_does_not_show_the_seed() {
    let text = format!("{:?}", SigningKey::from_seed("a", &[0xab; 32]).unwrap());
    assert!(!text.contains("abab") && !text.contains("171") && !text.contains(&STANDARD.encode([0xab; 32])));
}
