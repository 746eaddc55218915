//! The short ways against the long ones.

use super::*;
use proptest::prelude::*;

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9_. -]{0,30}",
        "([a-z]{1,4}|[A-Z]{1,4}|[0-9]{1,2}|[_.$-]){0,8}",
        "[a-zA-Z_\u{e9}\u{130}\u{17f}\u{212a}\u{4e00}]{0,9}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn one_word_of_a_short_name_is_that_of_a_long_one(name in name()) {
        prop_assert_eq!(flat(&name), long_flat(&name));
    }

    #[test]
    fn words_in_ascii_are_the_words_of_any_name(name in "[ -~\t]{0,30}|([a-z]{1,4}|[A-Z]{1,4}|[0-9]{1,2}|[_.$-]){0,8}") {
        let short: Vec<String> =
            ascii_words(name.as_bytes()).map(|word| String::from_utf8_lossy(word).to_ascii_lowercase()).collect();
        prop_assert_eq!(&short, &words(&name));
        for word in &short {
            prop_assert!(has_word(&name, &["no such", word]), "{} in {}", word, name);
        }
        prop_assert!(!has_word(&name, &["no such"]));
    }
}

/// Words are compared without case, so no table may have an upper-case letter.
#[test]
fn marks_are_those_of_all_tables_of_a_name() {
    let marks = Marks::of(&[(1, &["a", "b"]), (2, &["b", "c"])]);
    assert_eq!(["a", "b", "c", "d"].map(|name| marks.get(name)), [1, 3, 2, 0]);
}
