//! What `deploy/` says about the binary is so: commands, flags, variables, ports, paths, the user.
//!
//! The files are also checked by the programs they are written for: `make check-deploy`, `scripts/check-image`.

use crate::binary::{code, json, root, runplane, stdout};
use regex::Regex;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::tempdir;

/// Every file below `deploy/`, with its text.
fn files() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join("deploy"), &mut found);
    assert!(found.len() > 10, "only {} files in deploy", found.len());
    found
}

fn file(name: &str) -> String {
    fs::read_to_string(root().join("deploy").join(name)).unwrap()
}

fn all<'t>(pattern: &str, text: &'t str) -> Vec<&'t str> {
    let pattern = Regex::new(pattern).unwrap();
    pattern.captures_iter(text).map(|found| found.get(found.len() - 1).unwrap().as_str()).collect()
}

fn help(command: &str) -> String {
    let output = runplane(&[command, "--help"]).output().unwrap();
    assert_eq!(code(&output), 0, "there is no command `{command}`");
    stdout(&output)
}

/// The commands that the files give to the binary, each with its arguments.
fn commands() -> Vec<(String, Vec<String>)> {
    let words = |text: &str| -> Vec<String> { all(r#"[^\s,"\[\]]+"#, text).into_iter().map(str::to_owned).collect() };
    let mut found = Vec::new();
    let mut add = |name: &str, mut words: Vec<String>| {
        let command = words.remove(0);
        found.push((format!("{name}: {command}"), [vec![command], words].concat()));
    };
    for line in all(r"(?m)^CMD \[(.*)\]$", &file("Dockerfile")) {
        add("Dockerfile", words(line));
    }
    for line in all(r"(?m)^    command: \[((?:serve|init).*)\]$", &file("compose.yaml")) {
        add("compose.yaml", words(line));
    }
    for line in all(r"(?m)(?:^ExecStart=|--pipe )\S*runplane (.*)$", &file("runplane.service")) {
        add("runplane.service", words(line));
    }
    let chart = file("helm/runplane/templates/deployment.yaml");
    let args = all(r"(?s)\n          args:\n(.*?)\n          env:", &chart);
    for args in args {
        add("chart", all(r"(?m)^            - (\S+)", args).into_iter().map(str::to_owned).collect());
    }
    assert_eq!(found.len(), 7, "{found:?}");
    found
}

#[test]
fn deployed_commands_and_flags_exist() {
    for (place, words) in commands() {
        let help = help(&words[0]);
        for flag in words.iter().filter(|word| word.starts_with("--")) {
            let name = flag.split('=').next().unwrap();
            let is_there = Regex::new(&format!(r"(?m)^ +(-\w, )?{name}( |$)")).unwrap().is_match(&help);
            assert!(is_there, "{place} has no {name}");
        }
    }
}

#[test]
fn deployed_variables_are_read() {
    let known: BTreeSet<String> = all(r"\[env:\s+(RUNPLANE_[A-Z_]+)\]", &(help("serve") + &help("init")))
        .into_iter()
        .map(str::to_owned)
        .collect();
    let mut seen = 0;
    for (path, text) in files() {
        for name in all(r"\bRUNPLANE_[A-Z_]+", &text) {
            assert!(known.contains(name), "{}: nothing reads {name}", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 4, "{seen}");
}

#[test]
fn deployed_ports_and_paths_are_those_of_the_server() {
    let help = help("serve");
    let port = all(r"\[default: 127\.0\.0\.1:(\d+)\]", &help)[0];
    for (name, pattern) in [
        ("Dockerfile", r"EXPOSE (\d+)"),
        ("Dockerfile", r"0\.0\.0\.0:(\d+)"),
        ("compose.yaml", r"0\.0\.0\.0:(\d+)"),
        ("Caddyfile", r"(?:one|two):(\d+)"),
        ("runplane.service", r"127\.0\.0\.1:(\d+)"),
        ("helm/runplane/templates/deployment.yaml", r"(?:containerPort: |0\.0\.0\.0:)(\d+)"),
    ] {
        let text = file(name);
        let found = all(pattern, &text);
        assert!(!found.is_empty() && found.iter().all(|found| *found == port), "{name}: {found:?}, not {port}");
    }
    let described: Value = serde_json::from_slice(&fs::read(root().join("contracts/openapi.json")).unwrap()).unwrap();
    let mut seen = 0;
    for (path, text) in files() {
        for asked in all(r"(?:path: |health_uri |curl \S*?)(/[a-z]+z)\b", &text) {
            assert!(described["paths"].get(asked).is_some(), "{}: there is no {asked}", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 4, "{seen}");
}

#[test]
fn one_user_owns_the_keys_wherever_it_runs() {
    let dockerfile = file("Dockerfile");
    let user = all(r"(?m)^USER (\d+):\d+$", &dockerfile)[0];
    assert_ne!(user, "0");
    let made = fs::read_to_string(root().join("scripts/image-root")).unwrap();
    for (text, pattern) in [
        (&dockerfile, r"--chown=(\d+)"),
        (&made, r"runplane:x:(\d+)"),
        (&file("helm/runplane/templates/deployment.yaml"), r"(?:runAsUser|runAsGroup|fsGroup): (\d+)"),
    ] {
        let found = all(pattern, text);
        assert!(!found.is_empty() && found.iter().all(|found| *found == user), "{found:?}, not {user}");
    }
}

#[test]
fn the_keys_of_the_chart_are_those_that_init_makes() {
    let folder = tempdir().unwrap();
    let data = folder.path().join("data");
    let made = runplane(&["init", "--data"]).arg(&data).output().unwrap();
    assert_eq!(code(&made), 0);
    let chart = file("helm/runplane/templates/deployment.yaml");
    let keys = all(r"path: (\w+\.key)", &chart);
    assert_eq!(keys.len(), 2);
    assert!(keys.iter().all(|key| data.join(key).exists()), "{keys:?}");
    // A compose file is started again and again.
    let again = runplane(&["init", "--if-missing", "--json", "--data"]).arg(&data).output().unwrap();
    assert_eq!((code(&again), &json(&again)["isInitialised"]), (0, &Value::Bool(true)));
    let refused = runplane(&["init", "--data"]).arg(&data).output().unwrap();
    assert_eq!(code(&refused), 1, "without the flag a second init is a mistake");
}

/// The chart's values: every one that a template reads has a default, is described, and is checked.
#[test]
fn values_of_the_chart_are_complete() {
    let values: Value = serde_saphyr::from_str(&file("helm/runplane/values.yaml")).unwrap();
    let schema: Value = serde_json::from_str(&file("helm/runplane/values.schema.json")).unwrap();
    let mut read = BTreeSet::new();
    for (path, text) in files() {
        if path.parent().is_some_and(|folder| folder.ends_with("templates")) {
            let names = all(r"\.Values\.([A-Za-z]+)", &text);
            read.extend(names.into_iter().map(str::to_owned));
        }
    }
    let names = |value: &Value| -> BTreeSet<String> { value.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(names(&values), read, "values that no template reads, or the other way round");
    let described: BTreeSet<String> =
        names(&schema["properties"]).into_iter().filter(|name| name != "global").collect();
    assert_eq!(names(&values), described);
    for (name, value) in values.as_object().unwrap() {
        let members = schema["properties"][name]["properties"].as_object();
        for member in value.as_object().into_iter().flatten().map(|(member, _)| member) {
            let is_described = members.is_none_or(|members| members.contains_key(member));
            assert!(is_described, "{name}.{member} is not in the schema");
        }
    }
    let version = env!("CARGO_PKG_VERSION");
    assert!(file("helm/runplane/Chart.yaml").contains(&format!("appVersion: {version}\n")), "not {version}");
}
