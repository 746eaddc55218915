//! The nodes: real processes, killed where they stand and started again.

use crate::cluster::free_port;
use serde_json::Value;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use tempfile::TempDir;

pub struct Nodes {
    folder: TempDir,
    database: String,
    pub keys: Value,
    nodes: Vec<Mutex<Node>>,
}

struct Node {
    data: PathBuf,
    port: u16,
    process: Child,
}

impl Nodes {
    pub fn start(database: &str, count: usize) -> Self {
        let (folder, database) = (tempfile::tempdir().unwrap(), database.to_owned());
        let first = folder.path().join("0");
        let made = runplane(&database).args(["init", "--json", "--data"]).arg(&first).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let keys = serde_json::from_slice(&made.stdout).unwrap();
        let nodes = (0..count).map(|number| {
            let data = folder.path().join(number.to_string());
            if number > 0 {
                std::fs::create_dir(&data).unwrap();
                for key in ["ledger.key", "permit.key"] {
                    std::fs::copy(first.join(key), data.join(key)).unwrap();
                }
            }
            let port = free_port();
            Mutex::new(Node { process: serve(&database, &data, port), data, port })
        });
        let nodes = nodes.collect();
        Self { folder, database, keys, nodes }
    }

    pub fn ports(&self) -> Vec<u16> {
        self.nodes.iter().map(|node| node.lock().unwrap().port).collect()
    }

    pub fn key(&self, name: &str) -> String {
        self.keys[name].as_str().unwrap().to_owned()
    }

    /// `kill -9`.
    pub fn kill(&self, number: usize) {
        let mut node = self.nodes[number].lock().unwrap();
        let _ = node.process.kill();
    }

    /// Any other signal, by its name.
    pub fn signal(&self, number: usize, name: &str) {
        let id = self.nodes[number].lock().unwrap().process.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    /// Starts whatever does not run.
    pub fn revive(&self) {
        for node in &self.nodes {
            let mut node = node.lock().unwrap();
            if node.process.try_wait().unwrap().is_some() {
                node.process = serve(&self.database, &node.data, node.port);
            }
        }
    }

    pub fn stop(&self) {
        for node in &self.nodes {
            let mut node = node.lock().unwrap();
            let _ = node.process.kill();
            node.process.wait().unwrap();
        }
    }

    /// The whole ledger, against its signed checkpoints, by the program that people use.
    pub fn verify(&self) {
        let data = self.folder.path().join("0");
        let verified = runplane(&self.database).args(["audit", "verify", "--data"]).arg(data).output().unwrap();
        let said = String::from_utf8_lossy(&verified.stdout);
        assert!(verified.status.success(), "{said}{}", String::from_utf8_lossy(&verified.stderr));
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        for node in &self.nodes {
            let mut node = node.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let _ = node.process.kill();
            let _ = node.process.wait();
            if std::thread::panicking() {
                let log = std::fs::read_to_string(node.data.with_extension("log")).unwrap_or_default();
                let from = log.len().saturating_sub(4_000);
                println!("node {}: …{}", node.port, log.get(from..).unwrap_or(&log));
            }
        }
    }
}

fn runplane(database: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runplane"));
    for name in ["URL", "DATA", "WORKSPACE", "API_KEY", "ADMIN_TOKEN", "LOG"] {
        command.env_remove(format!("RUNPLANE_{name}"));
    }
    command.env("RUNPLANE_DATABASE_URL", database).stdin(Stdio::null());
    command
}

fn serve(database: &str, data: &Path, port: u16) -> Child {
    let log = File::options().append(true).create(true).open(data.with_extension("log")).unwrap();
    runplane(database)
        .args(["serve", "--log", "warn", "--listen", &format!("127.0.0.1:{port}"), "--data"])
        .arg(data)
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap()
}
