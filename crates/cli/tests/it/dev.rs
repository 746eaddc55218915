//! `dev`: what it prints works as printed, and it says where its keys come from.

use crate::binary::{Installation, runplane, stderr, terminate};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running `dev` and everything it printed.
struct Dev {
    child: Child,
    said: String,
}

impl Dev {
    fn start(data: &Path) -> Self {
        let child = runplane(&["dev", "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut dev = Self { child, said: String::new() };
        let mut lines = BufReader::new(dev.child.stdout.take().unwrap()).lines();
        while !dev.said.contains("Stop with") {
            let line = lines.next().unwrap_or_else(|| panic!("it ended early: {}", dev.said)).unwrap();
            dev.said.push_str(&line);
            dev.said.push('\n');
        }
        dev
    }

    /// The lines from the first that starts with `from` to the next empty one.
    fn printed(&self, from: &str) -> String {
        let lines = self.said.lines().skip_while(|line| !line.starts_with(from));
        lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    }

    fn stop(mut self) {
        terminate(&self.child);
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // Gone already if the test stopped it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn word_after<'a>(text: &'a str, label: &str) -> &'a str {
    text.split_once(label).unwrap().1.split_whitespace().next().unwrap()
}

#[test]
fn what_dev_prints_works_and_is_printed_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let first = Dev::start(&data);
    assert!(first.said.contains("made now"), "{}", first.said);
    let key = word_after(&first.said, "agent key").to_owned();
    assert!(key.starts_with("rpk_"), "{key}");
    let mode = std::fs::metadata(data.join("dev-keys.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let curl = Command::new("sh").args(["-c", &first.printed("curl ")]).output().unwrap();
    let answer: serde_json::Value =
        serde_json::from_slice(&curl.stdout).unwrap_or_else(|_| panic!("{}", stderr(&curl)));
    assert_eq!(answer["decision"], "ALLOW", "{answer}");
    // The printed commands find the keys by themselves.
    let binary = env!("CARGO_BIN_EXE_runplane");
    let list = first.said.lines().find(|line| line.ends_with("approvals list")).unwrap();
    assert!(list.starts_with(binary), "{list}");
    let listed = Command::new("sh").args(["-c", list]).output().unwrap();
    assert!(listed.status.success(), "{}", stderr(&listed));
    first.stop();

    let second = Dev::start(&data);
    assert!(second.said.contains("made by an earlier `runplane dev`"), "{}", second.said);
    assert_eq!(word_after(&second.said, "agent key"), key);
    assert!(!second.said.contains("no longer works"), "{}", second.said);
    second.stop();
}

#[test]
fn dev_does_not_claim_keys_it_never_saw() {
    let installation = Installation::embedded();
    let dev = Dev::start(&installation.data);
    assert!(dev.said.contains("`runplane init`, which showed its keys once"), "{}", dev.said);
    assert!(!dev.said.contains("rpk_"), "{}", dev.said);
    dev.stop();
}

#[test]
fn dev_says_that_a_kept_key_was_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let first = Dev::start(&data);
    let url = word_after(&first.said, "LISTENING").trim_end_matches(',').to_owned();
    let run = |args: &[&str]| {
        let at = ["--url", &url, "--data", data.to_str().unwrap(), "--json"];
        let output = runplane(&[args, &at].concat()).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", stderr(&output));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let agents = run(&["agents", "list"]);
    let keys = run(&["keys", "list", agents["agents"][0]["id"].as_str().unwrap()]);
    run(&["keys", "revoke", keys["keys"][0]["id"].as_str().unwrap()]);
    first.stop();
    let second = Dev::start(&data);
    assert!(second.said.contains("the agent key no longer works"), "{}", second.said);
    assert!(!second.said.contains("the admin token no longer works"), "{}", second.said);
    second.stop();
}
