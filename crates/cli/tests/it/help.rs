//! What `--help` says is kept in files: a change of the command line is a change somebody looked at.
//! `make bless` writes them anew.

use crate::binary::{asked_for, code, runplane, stdout};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The help of a command and of all below it.
fn walk(path: &[String], found: &mut Vec<(String, String)>) {
    let mut args: Vec<&str> = path.iter().map(String::as_str).collect();
    args.push("--help");
    let output = runplane(&args).output().unwrap();
    assert_eq!(code(&output), 0, "{path:?}");
    let help = stdout(&output);
    let commands = help.split_once("\nCommands:\n").map_or("", |(_, rest)| rest);
    for line in commands.lines().take_while(|line| line.starts_with("  ")) {
        // A further line of a description is indented deeper.
        let Some(name) = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')) else { continue };
        let name = name.split_whitespace().next().unwrap();
        if name != "help" {
            walk(&[path, &[name.to_owned()]].concat(), found);
        }
    }
    let name = if path.is_empty() { "runplane".to_owned() } else { path.join("-") };
    found.push((format!("{name}.txt"), help));
}

#[test]
fn golden_help_is_what_is_printed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/help");
    let mut found = Vec::new();
    walk(&[], &mut found);
    assert!(found.len() > 25, "only {} commands were found", found.len());
    if asked_for("RUNPLANE_BLESS") {
        fs::remove_dir_all(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
        for (file, help) in &found {
            fs::write(folder.join(file), help).unwrap();
        }
    }
    let kept: BTreeSet<String> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(kept, found.iter().map(|(file, _)| file.clone()).collect());
    for (file, help) in found {
        let expected = fs::read_to_string(folder.join(&file)).unwrap();
        assert_eq!(help, expected, "{file} differs: `RUNPLANE_BLESS=1 cargo test -p runplane golden` writes it anew");
    }
}
