use super::*;
use proptest::prelude::*;

#[test]
fn targets_that_read_the_same_are_the_same() {
    for (left, right) in [
        ("Stripe", " stripe\t"),
        ("ＳＴＲＩＰＥ", "stripe"),
        ("STRASSE", "straße"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("café", "cafe\u{301}"),
        ("prod\u{a0}db", "PROD DB"),
        ("ﬁnance", "FINANCE"),
    ] {
        assert_eq!(normal_target(left).unwrap(), normal_target(right).unwrap(), "{left} and {right}");
    }
}

#[test]
fn letters_of_other_scripts_stay_different() {
    assert_ne!(normal_target("stripe").unwrap(), normal_target("ѕtripe").unwrap());
    assert_ne!(normal_target("stripe").unwrap(), normal_target("strıpe").unwrap());
}

#[test]
fn invisible_names_are_refused() {
    assert_eq!(normal_target("  "), Err(TextError::Empty));
    assert_eq!(normal_target("a\u{200b}b"), Err(TextError::Unprintable { code: 0x200b, at: 1 }));
    for hidden in ["a\0b", "a\u{202e}b", "a\u{2028}b", "a\u{e0041}b", "a\u{fe0f}b", "a\nb", "a\u{3164}b"] {
        assert!(matches!(normal_target(hidden), Err(TextError::Unprintable { .. })), "{hidden:?}");
    }
    assert!(normal_target("pay (eu) №7 ✓ 東京").is_ok());
}

#[test]
fn names_are_bounded_before_and_after_folding() {
    assert!(normal_target(&"a".repeat(256)).is_ok());
    assert_eq!(normal_target(&"a".repeat(257)), Err(TextError::TooLong { limit: 256 }));
    // One character that NFKC expands to eighteen.
    assert_eq!(normal_target(&"\u{fdfa}".repeat(80)), Err(TextError::TooLong { limit: 256 }));
}

#[test]
fn ids_are_visible_ascii() {
    assert!(visible_id("req_1/…".trim_end_matches('…')).is_ok());
    assert!(visible_id(&"x".repeat(128)).is_ok());
    assert_eq!(visible_id(&"x".repeat(129)), Err(TextError::TooLong { limit: 128 }));
    assert_eq!(visible_id(""), Err(TextError::Empty));
    assert_eq!(visible_id("a b"), Err(TextError::NotVisibleAscii { character: ' ', at: 1 }));
    assert_eq!(visible_id("é"), Err(TextError::NotVisibleAscii { character: 'é', at: 0 }));
    assert_eq!(visible_id("a\n"), Err(TextError::Unprintable { code: 10, at: 1 }));
}

#[test]
fn folding_is_idempotent_for_every_character() {
    for character in (0..=0x10_ffff).filter_map(char::from_u32) {
        let once = fold(character.encode_utf8(&mut [0; 4]));
        assert_eq!(fold(&once), once, "U+{:04X}", u32::from(character));
    }
}

proptest! {
    #[test]
    fn normalising_is_idempotent(text in "\\PC{0,40}") {
        if let Ok(once) = normal_target(&text) {
            prop_assert_eq!(normal_target(&once), Ok(once.clone()));
        }
    }
}
