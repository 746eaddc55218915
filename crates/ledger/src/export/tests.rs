mod blocks;

use proptest::prelude::*;

use super::*;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::hash::{empty_root, leaf_hash};
use crate::note::NoteError;
use crate::verify::tests::ledger::{Ledger, ORIGIN, key, trusted};
use crate::verify::{Fault, Rollback, What};

fn export(ledger: &Ledger) -> Vec<u8> {
    let mut out = Vec::new();
    let size = ledger.rows.len() as u64;
    Header::new(ORIGIN, &key(7).verifying().to_string(), size).write(&mut out).unwrap();
    let mut checkpoints = ledger.checkpoints.iter().peekable();
    for row in &ledger.rows {
        write_entry(&mut out, row.index, &row.stored, &row.bytes).unwrap();
        while let Some((_, note)) = checkpoints.next_if(|(size, _)| *size <= row.index + 1) {
            write_checkpoint(&mut out, note).unwrap();
        }
    }
    out
}

fn ledger() -> Ledger {
    Ledger::of(&[1, 3, 2])
}

fn read_in_pieces(file: &[u8], piece: usize) -> Result<Outcome, ReadError> {
    let mut reader = Reader::new(trusted(), Vec::new());
    for bytes in file.chunks(piece) {
        reader.feed(bytes)?;
    }
    reader.finish()
}

fn read(file: &[u8]) -> Outcome {
    read_in_pieces(file, file.len()).unwrap()
}

fn fault(file: &[u8]) -> (Fault, Option<u64>) {
    let outcome = read(file);
    (outcome.report.first_bad.expect("a changed export is called valid"), outcome.line)
}

/// The file with one line replaced, counted from 1.
fn with_line(file: &[u8], number: usize, change: impl Fn(&str) -> String) -> Vec<u8> {
    let text = std::str::from_utf8(file).unwrap();
    let change = |(at, line): (usize, &str)| if at + 1 == number { change(line) } else { format!("{line}\n") };
    text.lines().enumerate().map(change).collect::<String>().into_bytes()
}

#[test]
fn the_lines_of_an_export_never_change() {
    let mut out = Vec::new();
    Header::new("runplane/ws_1", "runplane/ws_1+00+AQ==", 1).write(&mut out).unwrap();
    write_entry(&mut out, 0, &leaf_hash(b""), br#"{"index":0}"#).unwrap();
    write_checkpoint(&mut out, "a\n\n— \"b\"\n").unwrap();
    let expected = concat!(
        r#"{"runplane":"ledger-export","version":1,"origin":"runplane/ws_1","key":"runplane/ws_1+00+AQ==","size":1}"#,
        "\n",
        r#"{"index":0,"leafHash":"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d","entry":{"index":0}}"#,
        "\n",
        r#"{"checkpoint":"a\n\n— \"b\"\n"}"#,
        "\n"
    );
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn an_export_verifies_in_pieces_of_any_size() {
    let file = export(&ledger());
    let whole = read(&file);
    assert!(whole.report.valid && whole.key_pinned && whole.line.is_none(), "{whole:?}");
    assert_eq!((whole.report.entries, whole.report.checkpoints, whole.header.size), (6, 3, 6));
    for piece in [1, 2, 3, 7, 64, 1000] {
        assert_eq!(read_in_pieces(&file, piece).as_ref(), Ok(&whole));
    }
    assert_eq!(read(file.strip_suffix(b"\n").unwrap()), whole);
}

#[test]
fn an_export_without_a_pinned_key_agrees_only_with_itself() {
    let mut reader = Reader::new(Vec::new(), Vec::new());
    reader.feed(&export(&ledger())).unwrap();
    assert_eq!((reader.entries(), reader.header().map(|header| header.size)), (6, Some(6)));
    let outcome = reader.finish().unwrap();
    assert!(outcome.report.valid && !outcome.key_pinned);
}

#[test]
fn another_pinned_key_refuses_the_whole_export() {
    let mut reader = Reader::new(vec![key(8).verifying().clone()], Vec::new());
    reader.feed(&export(&ledger())).unwrap();
    let report = reader.finish().unwrap().report;
    let error = CheckpointError::Note(NoteError::Untrusted);
    assert_eq!(report.first_bad, Some(Fault { index: 0, what: What::Checkpoint { size: 1, error } }));
}

#[test]
fn every_changed_byte_of_an_export_is_found() {
    let file = export(&ledger());
    let header_end = file.iter().position(|byte| *byte == b'\n').unwrap();
    for at in header_end..file.len() {
        for flip in [0x01, 0x80] {
            let mut changed = file.clone();
            changed[at] ^= flip;
            let outcome = read_in_pieces(&changed, changed.len());
            let found = outcome.as_ref().map_or(true, |outcome| !outcome.report.valid);
            assert!(found, "byte {at} ^ {flip} was not found");
        }
    }
}

#[test]
fn every_changed_byte_of_the_header_is_found() {
    let file = export(&ledger());
    let header_end = file.iter().position(|byte| *byte == b'\n').unwrap();
    for at in 0..=header_end {
        let mut changed = file.clone();
        changed[at] ^= 0x01;
        if let Ok(outcome) = read_in_pieces(&changed, changed.len()) {
            assert!(!outcome.report.valid, "byte {at} of the header was not found");
        }
    }
}

fn read_sparsely(file: &[u8]) -> Outcome {
    let mut reader = Reader::new(trusted(), Vec::new()).sparse();
    reader.feed(file).unwrap();
    reader.finish().unwrap()
}

#[test]
fn a_sparse_reading_finds_every_changed_byte_of_an_entry() {
    let file = export(&ledger());
    let text = String::from_utf8(file.clone()).unwrap();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        for at in start..start + line.len() - 1 {
            let mut changed = file.clone();
            changed[at] ^= 0x01;
            let found = !line.starts_with("{\"index\"") || !read_sparsely(&changed).report.valid;
            assert!(found, "byte {at} was not found");
        }
        start += line.len();
    }
    let dishonest = text.replacen("\"size\":6", "\"size\":4", 1);
    assert!(!read_sparsely(dishonest.as_bytes()).report.valid);
}

#[test]
fn a_sparse_reading_leaves_out_checkpoints_and_says_so() {
    let file = export(&Ledger::of(&[1; 3_000]));
    let (all, some) = (read(&file), read_sparsely(&file));
    assert!(all.report.valid && !all.sparse && all.report.checkpoints == 3_000);
    assert!(some.report.valid && some.sparse && some.report.checkpoints == 3);
    assert_eq!((some.report.proven, some.report.root), (3_000, all.report.root));

    let damaged = with_line(&file, 3, |line| format!("{}\n", line.replace("runplane-time", "runplane-Time")));
    assert!(!read(&damaged).report.valid);
    assert!(read_sparsely(&damaged).report.valid);
    let last = with_line(&file, 6_001, |line| format!("{}\n", line.replace("runplane-time", "runplane-Time")));
    assert!(!read_sparsely(&last).report.valid);
}

#[test]
fn a_fault_is_named_with_its_line() {
    let file = export(&ledger());
    // Line 1 header, 2 entry 0, 3 checkpoint, 4 to 6 entries 1 to 3, 7 checkpoint.
    let changed = with_line(&file, 5, |line| format!("{}\n", line.replace("happened", "Happened")));
    assert_eq!(fault(&changed), (Fault { index: 2, what: What::Altered }, Some(5)));
    let gap = with_line(&file, 5, |_| String::new());
    assert_eq!(fault(&gap), (Fault { index: 2, what: What::Gap { next: 3 } }, Some(5)));
    let twice = with_line(&file, 5, |line| format!("{line}\n{line}\n"));
    assert_eq!(fault(&twice), (Fault { index: 3, what: What::RowAgain { found: 2 } }, Some(6)));
    let unreadable = What::Unreadable("not a line of a ledger export");
    for bad in [
        "\n",
        "x\n",
        "{}\n",
        "{\"index\":2}\n",
        "{\"checkpoint\":5}\n",
        "\u{feff}\n",
        &format!("{}\n", "x".repeat(MAX_LINE_BYTES + 1)),
    ] {
        let changed = with_line(&file, 5, |_| bad.to_owned());
        assert_eq!(fault(&changed), (Fault { index: 2, what: unreadable.clone() }, Some(5)));
        assert_eq!(read_in_pieces(&changed, 10), Ok(read(&changed)));
    }
}

#[test]
fn other_spellings_of_a_line_are_refused() {
    let file = export(&ledger());
    for (from, to) in [
        ("{\"index\":2", "{ \"index\":2"),
        ("{\"index\":2", "{\"index\":02"),
        ("{\"index\":2", "{\"index\":+2"),
        (",\"entry\":{", ",\"entry\": {"),
        ("}}", "} }"),
        ("}}", "},\"x\":1}"),
        ("}}", "}}\r"),
        ("\"leafHash\"", "\"leafhash\""),
    ] {
        let changed = with_line(&file, 5, |line| format!("{}\n", line.replacen(from, to, 1)));
        assert_ne!(changed, file);
        assert_eq!(fault(&changed).0.index, 2, "`{from}` as `{to}`");
    }
}

#[test]
fn a_cut_export_is_found_by_its_header() {
    let file = export(&ledger());
    let lines = file.split_inclusive(|byte| *byte == b'\n').count();
    for keep in 1..lines {
        let cut: Vec<u8> = file.split_inclusive(|byte| *byte == b'\n').take(keep).flatten().copied().collect();
        assert!(!read(&cut).report.valid, "{keep} lines of {lines} are called valid");
    }
    assert_eq!(read_in_pieces(b"", 1), Err(ReadError::Header));
}

#[test]
fn a_checkpoint_held_elsewhere_counts_for_an_export() {
    let ledger = ledger();
    let run = |note: &str| {
        let mut reader = Reader::new(trusted(), vec![note.to_owned()]);
        reader.feed(&export(&ledger))?;
        reader.finish()
    };
    assert_eq!(run(ledger.last_note()).unwrap().report.rollback, Rollback::ExcludedUpTo(6));
    let ahead = Checkpoint::sign(&key(7), 9, empty_root(), None).unwrap();
    let fault = run(&ahead).unwrap().report.first_bad;
    assert_eq!(fault, Some(Fault { index: 6, what: What::RolledBack { size: 9 } }));
    assert!(matches!(run("no note"), Err(ReadError::Outside(_))));
}

#[test]
fn a_file_that_is_no_export_is_refused() {
    let good = String::from_utf8(export(&ledger())).unwrap();
    for (from, to) in [
        ("ledger-export", "other"),
        ("\"version\":1", "\"version\":2"),
        ("\"version\":1", "\"version\":1,\"version\":1"),
        ("\"version\":1", "\"version\":1,\"more\":1"),
        ("{\"runplane\"", "[\"runplane\""),
        ("\"key\":\"runplane/ws_1+", "\"key\":\"runplane/ws_1+0"),
    ] {
        let changed = good.replacen(from, to, 1);
        assert!(read_in_pieces(changed.as_bytes(), 50).is_err(), "`{from}` as `{to}`");
    }
}

#[test]
fn bytes_with_a_newline_are_not_exported() {
    let refused = write_entry(&mut Vec::new(), 4, &leaf_hash(b""), b"{\n}").unwrap_err();
    assert!(refused.to_string().starts_with("entry 4 cannot be exported"));
}

proptest! {
    #[test]
    fn lines_put_together_at_random_are_valid_only_as_they_were_written(
        picks in prop::collection::vec(0usize..12, 0..12), cut in 0usize..400, piece in 1usize..300,
    ) {
        let file = export(&ledger());
        let lines: Vec<&[u8]> = file.split_inclusive(|byte| *byte == b'\n').collect();
        let mut mixed = lines[0].to_vec();
        for pick in picks {
            // Beyond the last line: a piece of one.
            let line = lines.get(pick).copied().unwrap_or_else(|| &lines[2][..cut.min(lines[2].len())]);
            mixed.extend_from_slice(line);
        }
        if let Ok(outcome) = read_in_pieces(&mixed, piece) {
            prop_assert_eq!(outcome.report.valid, mixed == file);
        }
    }

    #[test]
    fn no_bytes_make_a_reader_fail_otherwise_than_by_a_refusal(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let file = export(&ledger());
        prop_assert!(read_in_pieces(&bytes, 7).is_err());
        let header = file.split_inclusive(|byte| *byte == b'\n').next().unwrap();
        prop_assert!(!read(&[header, bytes.as_slice()].concat()).report.valid);
        prop_assert!(crate::frame::read(&bytes).is_err());
        if let Ok(text) = std::str::from_utf8(&bytes) {
            prop_assert!(Checkpoint::open(text, &trusted(), ORIGIN).is_err());
        }
    }
}
