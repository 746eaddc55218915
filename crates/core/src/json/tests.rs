use super::*;
use crate::decimal::Decimal;
use proptest::prelude::*;

fn parse(text: &str) -> Result<Value, ReadError> {
    read(text.as_bytes(), &Limits::default())
}

fn canonical(text: &str) -> String {
    String::from_utf8(to_canonical(&parse(text).unwrap())).unwrap()
}

fn refused(text: &str) -> (Code, usize, String) {
    let error = parse(text).expect_err(text);
    (error.code, error.at, error.path)
}

#[test]
fn the_example_of_rfc_8785_comes_out_as_printed() {
    let text = r#"{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}"#;
    // The first number of the RFC's example is not its own shortest form, so here it is refused.
    assert_eq!(refused(text), (Code::AmbiguousNumber, 13, "numbers[0]".into()));
    let text = text.replace("333333333.33333329", "333333333.3333333");
    let expected = "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],\
        \"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}";
    assert_eq!(canonical(&text), expected);
}

#[test]
fn keys_sort_by_utf_16() {
    assert_eq!(
        canonical("{\"\u{fb33}\":1,\"\u{1f600}\":2,\"é\":3,\"a\":4}"),
        "{\"a\":4,\"é\":3,\"\u{1f600}\":2,\"\u{fb33}\":1}"
    );
}

#[test]
fn numbers_are_written_as_ecmascript_does() {
    for (input, output) in [
        ("0", "0"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("0e5", "0"),
        ("1.50", "1.5"),
        ("1e21", "1e+21"),
        ("1e20", "100000000000000000000"),
        ("123456789012345680000", "123456789012345680000"),
        ("0.000001", "0.000001"),
        ("0.0000001", "1e-7"),
        ("-1.5e-9", "-1.5e-9"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ("5e-324", "5e-324"),
        ("9007199254740993e0", "!"),
        ("100e-2", "1"),
    ] {
        if output == "!" {
            assert_eq!(refused(input).0, Code::AmbiguousNumber, "{input}");
        } else {
            assert_eq!(canonical(input), output, "{input}");
        }
    }
}

#[test]
fn numbers_two_readers_would_read_differently_are_refused() {
    for text in [
        "9007199254740993",
        "0.10000000000000000001",
        "1e400",
        "-1e309",
        "1e-400",
        "1e999999999999",
        "123456789012345678901234567890123456789",
        "500.00000000000001",
        "4.35e-350",
    ] {
        assert_eq!(refused(text).0, Code::AmbiguousNumber, "{text}");
    }
}

#[test]
fn malformed_texts_are_refused() {
    let texts = [
        "",
        " ",
        "{",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "\"",
        "\"\\",
        "\"\\u12\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "nul",
        "tru",
        "True",
        "NaN",
        "Infinity",
        "-Infinity",
        "-",
        "+1",
        "01",
        "-01",
        "1.",
        ".5",
        "1.e5",
        "1e",
        "1e+",
        "1.2.3",
        "1e5.5",
        "1-2",
        "0x10",
        "1 2",
        "{} {}",
        "[]]",
        "// x",
        "1,",
        "\u{feff}1",
        "\"a\nb\"",
        "\"a\tb\"",
        "\"\0\"",
        "{\"a\":1 \"b\":2}",
        "[1 2]",
        "{1:2}",
        "{null:1}",
        "--1",
        "00",
    ];
    for text in texts {
        assert_eq!(refused(text).0, Code::MalformedJson, "{text:?}");
    }
}

#[test]
fn lone_surrogates_are_refused() {
    for text in
        ["\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\ud800\"", "\"\\ud800x\"", "\"\\ud800\\n\"", "\"\\udfff\\ud800\""]
    {
        assert_eq!(refused(text).0, Code::MalformedJson, "{text}");
    }
    assert_eq!(parse("\"\\ud83d\\ude00\\u0000\"").unwrap(), Value::from("😀\0"));
}

#[test]
fn invalid_utf8_names_its_place() {
    let error = read(b"{\"a\":\"\xff\"}", &Limits::default()).unwrap_err();
    assert_eq!((error.code, error.at), (Code::InvalidUtf8, 6));
    // An encoded surrogate and an overlong form are no UTF-8 either.
    for bytes in [b"\"\xed\xa0\x80\"".as_slice(), b"\"\xc0\xaf\""] {
        assert_eq!(read(bytes, &Limits::default()).unwrap_err().code, Code::InvalidUtf8);
    }
}

#[test]
fn duplicate_keys_are_refused_after_unescaping() {
    assert_eq!(refused(r#"{"a":1,"b":2,"a":3}"#), (Code::DuplicateKey, 13, "a".into()));
    assert_eq!(refused(r#"{"x":{"a":1,"\u0061":1}}"#), (Code::DuplicateKey, 12, "x.a".into()));
    // Not equal: composed and decomposed, different case, a trailing NUL.
    assert!(parse("{\"é\":1,\"e\u{301}\":2,\"E\":3,\"e\":4,\"e\\u0000\":5}").is_ok());
}

#[test]
fn depth_and_size_are_bounded() {
    let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(parse(&deep(32)).is_ok());
    assert_eq!(refused(&deep(33)).0, Code::TooDeep);
    assert_eq!(refused(&"[".repeat(1_000_000)).0, Code::TooDeep);
    assert_eq!(refused(&"{\"a\":".repeat(100_000)).0, Code::TooDeep);
    // Siblings do not add up.
    assert!(parse(&format!("[{0},{0},{0}]", deep(31))).is_ok());
    let generous = Limits { max_depth: usize::MAX, max_values: 10 };
    assert_eq!(read(deep(200).as_bytes(), &generous).unwrap_err().code, Code::TooManyValues);
    let generous = Limits { max_depth: usize::MAX, max_values: usize::MAX };
    assert_eq!(read("[".repeat(1_000_000).as_bytes(), &generous).unwrap_err().code, Code::TooDeep);
    let few = Limits { max_depth: 32, max_values: 3 };
    assert!(read(b"[1,2]", &few).is_ok());
    assert_eq!(read(b"[1,2,3]", &few).unwrap_err().code, Code::TooManyValues);
}

#[test]
fn errors_name_the_place() {
    let error = parse(r#"{"context":{"items":[1,{"amount":01}]}}"#).unwrap_err();
    assert_eq!(error.to_string(), "not valid JSON at byte 33 in `context.items[1].amount`");
    assert_eq!(parse("{\"a\\n\":x}").unwrap_err().path, "a\\n");
    assert_eq!(parse("?").unwrap_err().to_string(), "not valid JSON at byte 0");
}

fn numbers() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>().prop_filter("finite", |number| number.is_finite()),
        (-1_000_000_000i64..1_000_000_000, 0i32..6).prop_map(|(whole, places)| whole as f64 / 10f64.powi(places)),
    ]
}

fn values() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        numbers().prop_map(Into::into),
        any::<i32>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn canonical_form_agrees_with_an_independent_writer(value in values()) {
        let expected = serde_json_canonicalizer::to_string(&value).unwrap();
        let ours = read(&serde_json::to_vec_pretty(&value).unwrap(), &Limits::default()).unwrap();
        let bytes = to_canonical(&ours);
        prop_assert_eq!(std::str::from_utf8(&bytes).unwrap(), expected.as_str());
        prop_assert_eq!(read(&bytes, &Limits::default()).unwrap(), ours);
    }

    #[test]
    fn every_double_is_read_as_its_shortest_form(number in numbers()) {
        let text = ryu_js::Buffer::new().format_finite(number).to_owned();
        let value = parse(&text).unwrap();
        prop_assert_eq!(String::from_utf8(to_canonical(&value)).unwrap(), text);
    }

    #[test]
    fn reading_agrees_with_serde_on_what_is_json(text in "[ \\[\\]{}:,\"\\\\0-9.eE+a-u-]{0,24}") {
        let theirs = serde_json::from_str::<serde_json::Value>(&text).is_ok();
        match parse(&text) {
            Ok(_) => prop_assert!(theirs, "we accept {:?}", text),
            Err(error) if error.code == Code::MalformedJson => prop_assert!(!theirs, "we refuse {:?}", text),
            Err(_) => {}
        }
    }

    #[test]
    fn short_and_long_ways_read_the_same_number(whole in 0u64..1_000_000_000_000_000, places in 0i32..20) {
        let exact = Decimal::new(i128::from(whole), -places).unwrap();
        let plain = parse(&exact.to_string()).unwrap();
        let with_exponent = parse(&format!("{whole}e-{places}")).unwrap();
        prop_assert_eq!(&plain, &Value::Number(exact));
        prop_assert_eq!(plain, with_exponent);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(value) = read(&bytes, &Limits::default()) {
            prop_assert_eq!(read(&to_canonical(&value), &Limits::default()).unwrap(), value);
        }
    }
}

proptest! {
    #[test]
    fn the_plain_part_of_a_text_is_found_by_words_as_by_bytes(bytes in prop::collection::vec(prop_oneof![
        8 => 0x20u8..=0xff, 1 => Just(b'"'), 1 => Just(b'\\'), 1 => 0u8..0x22], 0..40)) {
        let ends = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
        prop_assert_eq!(plain_length(&bytes), bytes.iter().position(ends).unwrap_or(bytes.len()));
    }
}

/// Objects in objects, with names that may come twice.
#[derive(Clone, Debug)]
enum Tree {
    Leaf,
    Members(Vec<(u8, Tree)>),
}

fn trees() -> impl Strategy<Value = Tree> {
    Just(Tree::Leaf)
        .prop_recursive(4, 40, 12, |inner| prop::collection::vec((0u8..14, inner), 0..12).prop_map(Tree::Members))
}

/// Writes a tree, and notes where the first name stands that was given before, and where its colon ends.
fn write_tree(tree: &Tree, out: &mut String, first: &mut Option<(usize, usize)>) {
    let Tree::Members(members) = tree else { return out.push('7') };
    let mut seen = Vec::new();
    out.push('{');
    for (place, (name, inner)) in members.iter().enumerate() {
        out.push_str(if place > 0 { ", " } else { "" });
        let at = out.len();
        // The same name in two ways of writing it.
        out.push_str(&if place % 2 == 0 { format!("\"k{name:02}\":") } else { format!("\"\\u006b{name:02}\" :") });
        if seen.contains(name) {
            first.get_or_insert((at, out.len()));
        }
        seen.push(*name);
        write_tree(inner, out, first);
    }
    out.push('}');
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_024))]

    /// However late names are compared, what is reported is what stands first.
    #[test]
    fn the_first_of_all_faults_is_reported(tree in trees(), cut in any::<prop::sample::Index>(), whole in any::<bool>()) {
        let (mut text, mut first) = (String::new(), None);
        write_tree(&tree, &mut text, &mut first);
        if !whole {
            text.truncate(cut.index(text.len()));
        }
        let read = parse(&text).map_err(|error| (error.code, error.at));
        match first.filter(|(_, end)| *end <= text.len()) {
            Some((at, _)) => prop_assert_eq!(read, Err((Code::DuplicateKey, at)), "{}", text),
            None if whole => prop_assert!(read.is_ok(), "{}", text),
            None => prop_assert_eq!(read, Err((Code::MalformedJson, text.len())), "{}", text),
        }
    }
}
