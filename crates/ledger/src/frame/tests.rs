use super::*;

const PREV: &str = "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125";

fn frame(index: u64) -> Result<Frame, FrameError> {
    Ok(Frame { index, prev: PREV.parse().unwrap() })
}

#[test]
fn the_frame_is_found_wherever_it_stands() {
    for entry in [
        format!(r#"{{"index":7,"prev":"{PREV}"}}"#),
        format!(r#"{{"prev":"{PREV}","index":7}}"#),
        format!(
            r#"{{"a":[1,{{"index":9,"prev":"x"}},"]"],"index":7,"nested":{{"prev":"}}"}},"prev":"{PREV}","z":null}}"#
        ),
        format!(r#"{{"":"","\"index\":1":"\\","index":7,"k":"\\\"index\":3,","prev":"{PREV}","z":-1.5e-7}}"#),
    ] {
        assert_eq!(read(entry.as_bytes()), frame(7), "{entry}");
    }
    assert_eq!(read(format!(r#"{{"index":0,"prev":"{PREV}"}}"#).as_bytes()), frame(0));
}

#[test]
fn a_frame_that_could_be_read_in_two_ways_is_refused() {
    for (entry, error) in [
        (format!(r#"{{"index":7,"index":7,"prev":"{PREV}"}}"#), FrameError::Twice("index")),
        (format!(r#"{{"index":7,"prev":"{PREV}","prev":"{PREV}"}}"#), FrameError::Twice("prev")),
        (format!(r#"{{"x":{{"index":7}},"prev":"{PREV}"}}"#), FrameError::Missing("index")),
        (r#"{"index":7}"#.to_owned(), FrameError::Missing("prev")),
        (format!(r#"{{"index":07,"prev":"{PREV}"}}"#), FrameError::Index),
        (format!(r#"{{"index":-7,"prev":"{PREV}"}}"#), FrameError::Index),
        (format!(r#"{{"index":"7","prev":"{PREV}"}}"#), FrameError::Index),
        (format!(r#"{{"index":{MAX_SIZE},"prev":"{PREV}"}}"#), FrameError::Index),
        (format!(r#"{{"index":7.0,"prev":"{PREV}"}}"#), FrameError::NotAnObject),
        (format!(r#"{{"index":7,"prev":"{}"}}"#, PREV.to_uppercase()), FrameError::Prev),
        (r#"{"index":7,"prev":"00"}"#.to_owned(), FrameError::Prev),
        (r#"{"index":7,"prev":0}"#.to_owned(), FrameError::Prev),
        (format!(r#"{{"index":7,"prev":"{PREV}"}} "#), FrameError::NotAnObject),
        (format!(r#"{{"index":7,"prev":"{PREV}"}}{{}}"#), FrameError::NotAnObject),
        (format!(r#" {{"index":7,"prev":"{PREV}"}}"#), FrameError::NotAnObject),
        (format!(r#"{{"index":7,"prev":"{PREV}","#), FrameError::NotAnObject),
        (format!(r#"{{"index":7,"prev":"{PREV}","x":]}}"#), FrameError::NotAnObject),
        ("{}".to_owned(), FrameError::NotAnObject),
        ("[]".to_owned(), FrameError::NotAnObject),
        (String::new(), FrameError::NotAnObject),
    ] {
        assert_eq!(read(entry.as_bytes()), Err(error), "{entry}");
    }
}

#[test]
fn every_cut_of_an_entry_is_refused() {
    let entry = format!(r#"{{"a":{{"b":["\"",1]}},"index":7,"prev":"{PREV}"}}"#);
    assert_eq!(read(entry.as_bytes()), frame(7));
    for length in 0..entry.len() {
        assert!(read(&entry.as_bytes()[..length]).is_err(), "{length} bytes were accepted");
    }
}

#[test]
fn an_entry_over_the_limit_is_refused() {
    let entry = |pad: usize| format!(r#"{{"index":7,"pad":"{}","prev":"{PREV}"}}"#, "x".repeat(pad));
    let frame_bytes = entry(0).len();
    assert_eq!(read(entry(MAX_ENTRY_BYTES - frame_bytes).as_bytes()), frame(7));
    assert_eq!(read(entry(MAX_ENTRY_BYTES - frame_bytes + 1).as_bytes()), Err(FrameError::TooLong));
}

#[test]
fn the_end_of_a_string_is_found_at_every_distance_and_among_every_byte() {
    for length in 0..90 {
        for around in [0x00, 0x01, 0x21, 0x23, 0x5b, 0x5d, 0x7f, 0x80, 0xa2, 0xdc, 0xff] {
            assert_eq!(quote_or_backslash(&vec![around; length]), None);
            for place in 0..length {
                for wanted in [b'"', b'\\'] {
                    let mut text = vec![around; length];
                    text[place] = wanted;
                    assert_eq!(quote_or_backslash(&text), Some(place), "{around:#x} {length}");
                    text[place..].fill(b'"');
                    assert_eq!(quote_or_backslash(&text), Some(place));
                }
            }
        }
    }
}
