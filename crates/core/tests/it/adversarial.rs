//! Calls written by somebody who controls the arguments and wants to slip past an inspector, and beside
//! them ordinary calls that must get through. `contracts/adversarial/README.md` says what the lines mean.
//!
//! Attacks run in a workspace that allows whatever no rule restricts, ordinary calls in one that blocks
//! whatever no rule allows: nothing passes here by way of the default.

use crate::sandbox::{Sandbox, action};
use runplane_core::call::{Agent, Call};
use runplane_core::environment::Environment;
use runplane_core::inspect::{Inspector, Reading, Readings, UNKNOWN};
use runplane_core::meter::Meters;
use runplane_core::outcome::Outcome;
use runplane_core::settings::Settings;
use runplane_core::value::{Object, Value};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Family, and the least number of attacks and of ordinary calls.
const FAMILIES: [(&str, usize, usize); 8] = [
    ("sql", 150, 30),
    ("recipients", 150, 30),
    ("url", 150, 30),
    ("shell", 150, 30),
    ("file", 150, 30),
    ("money", 60, 30),
    ("blast", 60, 30),
    ("names", 60, 30),
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../contracts/adversarial")
}

fn lines(name: &str) -> Vec<Object> {
    let path = folder().join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(action).collect()
}

fn sandbox(default_decision: Outcome) -> Sandbox {
    let text = std::fs::read_to_string(folder().join("setup.json")).expect("the setup");
    let setup: serde_json::Value = serde_json::from_str(&text).expect("the setup is JSON");
    let settings: Settings = serde_json::from_value(setup["settings"].clone()).expect("usable settings");
    let agent = Agent {
        id: "agt_adversary".to_owned(),
        name: setup["agent"]["name"].as_str().expect("a name").to_owned(),
        environment: Environment::new(setup["agent"]["environment"].as_str().expect("a place")).expect("usable"),
        labels: Vec::new(),
        owner: None,
    };
    Sandbox::new(Settings { default_decision, ..settings }, agent)
}

fn text<'a>(row: &'a Object, name: &str) -> Option<&'a str> {
    row.get(name).and_then(Value::as_text)
}

fn outcome(row: &Object, name: &str) -> Option<Outcome> {
    let wanted = text(row, name)?;
    Some(*Outcome::ALL.iter().find(|outcome| outcome.as_str() == wanted).expect("an outcome"))
}

fn inspector(name: &str) -> Inspector {
    *Inspector::ALL.iter().find(|inspector| inspector.as_str() == name).expect("an inspector")
}

/// Whether a reading says what it must. Doubt is strict enough for an attack, and a fault of an ordinary call.
fn says(readings: &Readings, path: &str, wanted: &Value, doubt: bool) -> Result<(), String> {
    let Some((family, member)) = path.split_once('.') else {
        let unread = readings.get(inspector(path)).is_unreadable();
        return if unread { Ok(()) } else { Err(format!("{path} was read: {:?}", readings.get(inspector(path)))) };
    };
    let seen = match readings.get(inspector(family)) {
        Reading::Unknown => return if doubt { Ok(()) } else { Err(format!("{family} is UNKNOWN")) },
        Reading::NotApplicable => return Err(format!("{family} does not apply")),
        Reading::Object(members) => members.get(member).ok_or_else(|| format!("{path} is missing"))?,
    };
    if seen.as_text() == Some(UNKNOWN) {
        return if doubt { Ok(()) } else { Err(format!("{path} is UNKNOWN")) };
    }
    let holds = match wanted {
        Value::Object(test) => test.iter().all(|(word, operand)| match word.as_str() {
            "not" => operand.as_list().expect("a list").iter().all(|other| other != seen),
            "min" => seen.as_number() >= operand.as_number(),
            "has" => seen.as_list().unwrap_or_default().contains(operand),
            other => panic!("`{other}` is no test of a reading"),
        }),
        value => value == seen,
    };
    if holds { Ok(()) } else { Err(format!("{path} is {seen:?}")) }
}

fn faults(row: &Object, call: &Call, readings: &Readings, doubt: bool) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, wanted) in row.get("read").and_then(Value::as_object).into_iter().flatten() {
        faults.extend(says(readings, path, wanted, doubt).err());
    }
    for wanted in row.get("types").and_then(Value::as_list).unwrap_or_default() {
        if !call.action.types.iter().any(|name| Some(&**name) == wanted.as_text()) {
            faults.push(format!("is no {wanted:?}: {:?}", call.action.types));
        }
    }
    faults
}

fn attacks(family: &str, least: usize) {
    let sandbox = sandbox(Outcome::Allow);
    let rows = lines(&format!("{family}.jsonl"));
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for row in &rows {
        let asked = row.get("action").and_then(Value::as_object).expect("an action");
        assert!(seen.insert(format!("{asked:?}")), "{:?} stands twice", text(row, "id"));
        assert!(text(row, "why").is_some_and(|why| !why.is_empty()), "{row:?} does not say why");
        let (call, readings) = sandbox.read(asked);
        let mut faults = faults(row, &call, &readings, true);
        let decision = sandbox.run(asked, &mut Meters::default());
        let least = outcome(row, "atLeast").expect("a least decision");
        if decision.outcome < least {
            faults.push(format!("{} by `{}`", decision.outcome, decision.matched_rule));
        }
        if !faults.is_empty() {
            wrong.push(format!("{}: {}", text(row, "id").expect("an id"), faults.join("; ")));
        }
    }
    assert!(rows.len() >= least, "{family} has only {} attacks", rows.len());
    assert!(wrong.is_empty(), "{} of {} read laxer than they are:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

fn ordinary(family: &str, least: usize) {
    let sandbox = sandbox(Outcome::Block);
    let rows = lines(&format!("{family}.benign.jsonl"));
    let mut wrong = Vec::new();
    for row in &rows {
        let asked = row.get("action").and_then(Value::as_object).expect("an action");
        let (call, readings) = sandbox.read(asked);
        let mut faults = faults(row, &call, &readings, false);
        // No inspector reads names.
        if family != "names" && readings.get(inspector(family)).is_unreadable() {
            faults.push(format!("unreadable: {:?}", readings.get(inspector(family))));
        }
        let decision = sandbox.run(asked, &mut Meters::default());
        if outcome(row, "expect").is_some_and(|expected| expected != decision.outcome) {
            faults.push(format!("{} by `{}`: {}", decision.outcome, decision.matched_rule, decision.reason));
        }
        if !faults.is_empty() {
            wrong.push(format!("{}: {}", text(row, "id").expect("an id"), faults.join("; ")));
        }
    }
    assert!(rows.len() >= least, "{family} has only {} ordinary calls", rows.len());
    assert!(wrong.is_empty(), "{} of {} held needlessly:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

fn family(name: &str) {
    let (_, least, ordinary_least) = *FAMILIES.iter().find(|(family, ..)| *family == name).expect("a family");
    attacks(name, least);
    ordinary(name, ordinary_least);
}

#[test]
fn no_statement_is_read_laxer_than_it_is() {
    family("sql");
}

#[test]
fn no_recipient_is_read_laxer_than_it_is() {
    family("recipients");
}

#[test]
fn no_address_is_read_laxer_than_it_is() {
    family("url");
}

#[test]
fn no_command_is_read_laxer_than_it_is() {
    family("shell");
}

#[test]
fn no_path_is_read_laxer_than_it_is() {
    family("file");
}

#[test]
fn no_amount_is_read_laxer_than_it_is() {
    family("money");
}

#[test]
fn no_number_of_things_is_read_laxer_than_it_is() {
    family("blast");
}

#[test]
fn no_name_is_read_laxer_than_it_is() {
    family("names");
}

#[test]
fn every_file_of_the_folder_is_run() {
    let mut expected: BTreeSet<String> = ["README.md", "setup.json"].map(str::to_owned).into();
    for (family, ..) in FAMILIES {
        expected.extend([format!("{family}.jsonl"), format!("{family}.benign.jsonl")]);
    }
    let names = std::fs::read_dir(folder()).expect("the folder").map(|entry| entry.expect("an entry").file_name());
    assert_eq!(names.map(|name| name.to_string_lossy().into_owned()).collect::<BTreeSet<_>>(), expected);
}
