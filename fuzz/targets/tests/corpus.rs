//! Every committed corpus file goes through its target, so that what was found once stays found without
//! a fuzzer. A file that makes a target panic is named.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "tests stop where they fail")]

use runplane_fuzz_targets::TARGETS;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus")
}

#[test]
fn every_committed_input_runs_through_its_target() {
    for (name, target) in TARGETS {
        let mut files = 0;
        for entry in std::fs::read_dir(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}")) {
            let path = entry.expect("an entry").path();
            let data = std::fs::read(&path).expect("a readable file");
            let outcome = std::panic::catch_unwind(|| target(&data));
            assert!(outcome.is_ok(), "{} makes its target panic", path.display());
            files += 1;
        }
        assert!(files >= 5, "{name} has only {files} inputs");
    }
}

#[test]
fn every_folder_belongs_to_a_target() {
    for entry in std::fs::read_dir(folder()).expect("the corpus") {
        let name = entry.expect("an entry").file_name();
        assert!(TARGETS.iter().any(|(target, _)| name == *target), "{} has no target", name.display());
    }
}
