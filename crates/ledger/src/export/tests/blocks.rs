//! Examined block by block on several threads, an export gets the very outcome that it gets line by line.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Blocks of `size` bytes and what is left of lines; all are examined, the last one first, before any is taken.
fn read_in_blocks(file: &[u8], size: usize, sparse: bool) -> Result<Outcome, ReadError> {
    let reader = Reader::new(trusted(), Vec::new());
    let mut reader = if sparse { reader.sparse() } else { reader };
    let header = file.iter().position(|byte| *byte == b'\n').map_or(file.len(), |at| at + 1);
    reader.feed(&file[..header])?;
    if let Some(examiner) = reader.examiner() {
        let (mut cutter, mut blocks) = (Cutter::default(), Vec::new());
        let mut pieces = file[header..].chunks(size).peekable();
        while let Some(piece) = pieces.next() {
            let mut block = Vec::new();
            cutter.begin(&mut block);
            assert!(block.len() <= MAX_LINE_BYTES + 1, "what is left of a line has no bound");
            block.extend_from_slice(piece);
            if pieces.peek().is_some() {
                cutter.end(&mut block);
            }
            blocks.push(block);
        }
        let examine = |(number, block): (usize, &Vec<u8>)| (number, examiner.examine(block));
        let examined: BTreeMap<usize, Examined> = std::thread::scope(|scope| {
            let (even, odd): (Vec<_>, Vec<_>) =
                blocks.iter().enumerate().rev().partition(|(number, _)| number % 2 == 0);
            let other = scope.spawn(move || odd.into_iter().map(examine).collect::<Vec<_>>());
            let here: Vec<_> = even.into_iter().map(examine).collect();
            here.into_iter().chain(other.join().unwrap()).collect()
        });
        examined.into_values().for_each(|examined| reader.take(examined));
    }
    reader.finish()
}

#[track_caller]
fn agree(file: &[u8]) -> Outcome {
    let line_by_line = read(file);
    // What is left of a line is copied for each block: tiny blocks are for short files.
    for size in [1, 7, 100, 1_000, file.len().max(1)].into_iter().filter(|size| size * 2_000 > file.len()) {
        assert_eq!(read_in_blocks(file, size, false).as_ref(), Ok(&line_by_line), "blocks of {size}");
    }
    line_by_line
}

#[test]
fn a_whole_export_is_valid_in_blocks_of_any_size() {
    let file = export(&ledger());
    assert!(agree(&file).report.valid);
    assert!(agree(file.strip_suffix(b"\n").unwrap()).report.valid);
    let header_only = &file[..=file.iter().position(|byte| *byte == b'\n').unwrap()];
    assert!(!agree(header_only).report.valid);
}

#[test]
fn every_flipped_byte_is_found_at_the_same_place() {
    let file = export(&ledger());
    let header = file.iter().position(|byte| *byte == b'\n').unwrap();
    for at in header + 1..file.len() {
        for flip in [0x01, 0x80] {
            let mut changed = file.clone();
            changed[at] ^= flip;
            let found = read_in_blocks(&changed, 300, false);
            assert_eq!(found, read_in_pieces(&changed, changed.len()), "byte {at} ^ {flip}");
            assert!(!found.unwrap().report.valid, "byte {at} ^ {flip} was not found");
        }
    }
}

#[test]
fn lines_that_are_no_lines_are_counted_one_by_one() {
    let file = export(&ledger());
    for bad in ["\n\n\n", "x\n\ny\n", &format!("{}\n", "x".repeat(MAX_LINE_BYTES + 1)), &"\n".repeat(5_000)] {
        let outcome = agree(&with_line(&file, 5, |line| format!("{bad}{line}\n")));
        assert_eq!((outcome.report.first_bad.unwrap().index, outcome.line), (2, Some(5)));
    }
    // Also where it begins in one block and ends three blocks later.
    let long = with_line(&file, 5, |_| format!("{}\n", "x".repeat(MAX_LINE_BYTES * 3)));
    let found = read_in_blocks(&long, MAX_LINE_BYTES - 1, false);
    assert_eq!(found.as_ref(), Ok(&read(&long)));
    // An end that is too long.
    let end = [file.as_slice(), &vec![b'x'; MAX_LINE_BYTES * 2]].concat();
    assert_eq!(read_in_blocks(&end, 1_000, false), Ok(read(&end)));
}

#[test]
fn a_sparse_reading_in_blocks_leaves_out_the_same_checkpoints() {
    let file = export(&Ledger::of(&[1; 3_000]));
    let sparse = read_sparsely(&file);
    assert_eq!((sparse.report.valid, sparse.report.checkpoints), (true, 3));
    assert_eq!(read_in_blocks(&file, 10_000, true), Ok(sparse));
}

/// What somebody may do to a ledger before it is exported, or to the export.
#[derive(Clone, Debug)]
enum Tampering {
    Text(usize),
    TextAndHash(usize),
    Chain(usize),
    Stored(usize),
    Swap(usize, usize),
    Remove(usize),
    Again(usize),
    Number,
    SignAgain(u64, u8),
    DropLine(usize),
    CopyLine(usize, usize),
    Cut(usize),
}

fn tampering() -> impl Strategy<Value = Tampering> {
    let row = 0usize..40;
    prop_oneof![
        row.clone().prop_map(Tampering::Text),
        row.clone().prop_map(Tampering::TextAndHash),
        row.clone().prop_map(Tampering::Chain),
        row.clone().prop_map(Tampering::Stored),
        (row.clone(), row.clone()).prop_map(|(one, other)| Tampering::Swap(one, other)),
        row.clone().prop_map(Tampering::Remove),
        row.clone().prop_map(Tampering::Again),
        Just(Tampering::Number),
        (0u64..40, 7u8..9).prop_map(|(from, seed)| Tampering::SignAgain(from, seed)),
        (1usize..80).prop_map(Tampering::DropLine),
        (1usize..80, 1usize..80).prop_map(|(from, to)| Tampering::CopyLine(from, to)),
        (100usize..9_000).prop_map(Tampering::Cut),
    ]
}

fn tamper(ledger: &mut Ledger, how: &Tampering) {
    let rows = ledger.rows.len();
    match *how {
        Tampering::Text(at) | Tampering::TextAndHash(at) if at < rows => {
            let bytes = &mut ledger.rows[at].bytes;
            let place = bytes.len() - 3;
            bytes[place] ^= 1;
            if matches!(how, Tampering::TextAndHash(_)) {
                ledger.rehash(at);
            }
        }
        Tampering::Chain(from) if from < rows => ledger.chain(from),
        Tampering::Stored(at) if at < rows => ledger.rows[at].stored = leaf_hash(b"other"),
        Tampering::Swap(one, other) if one < rows && other < rows => ledger.rows.swap(one, other),
        Tampering::Remove(at) if at < rows => drop(ledger.rows.remove(at)),
        Tampering::Again(at) if at < rows => ledger.rows.insert(at, ledger.rows[at].clone()),
        Tampering::Number => ledger.number(),
        Tampering::SignAgain(from, seed) => ledger.sign(from, &key(seed)),
        _ => {}
    }
}

fn tamper_with_lines(file: &[u8], how: &Tampering) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = file.split_inclusive(|byte| *byte == b'\n').collect();
    match *how {
        Tampering::DropLine(at) if at < lines.len() => {
            lines.remove(at);
        }
        Tampering::CopyLine(from, to) if from < lines.len() && to < lines.len() => lines.insert(to, lines[from]),
        Tampering::Cut(at) => return file[..at.min(file.len())].to_vec(),
        _ => {}
    }
    lines.concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn a_tampered_export_gets_the_same_outcome_in_blocks(
        commits in prop::collection::vec(1usize..6, 1..10),
        done in prop::collection::vec(tampering(), 0..4),
        size in 1usize..2_000,
    ) {
        let mut ledger = Ledger::of(&commits);
        done.iter().for_each(|how| tamper(&mut ledger, how));
        let file = done.iter().fold(export(&ledger), |file, how| tamper_with_lines(&file, how));
        prop_assert_eq!(read_in_blocks(&file, size, false), read_in_pieces(&file, file.len().max(1)));
        let mut sparse = Reader::new(trusted(), Vec::new()).sparse();
        let fed = sparse.feed(&file).and_then(|()| sparse.finish());
        prop_assert_eq!(read_in_blocks(&file, size, true), fed);
    }
}
