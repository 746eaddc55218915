//! The peer over HTTP, with policies that ask the same, in turns with Runplane. The peer makes nothing durable.
//!
//! Fetched from the npm registry into a scratch folder by `bench/fetch-cerbos`; left out, and said so, if it is not
//! there.

use crate::guard::{self, Row};
use crate::rules::{self, TYPES};
use crate::subject::{self, Folder, Subject};
use anyhow::{Context, Result};
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

const SIZES: [usize; 2] = [10, 1_000];
const CONNECTIONS: [usize; 1] = [64];

/// The question of `subject::BODY`, as the peer takes it.
const CHECK: &str = r#"{"requestId":"bench","principal":{"id":"agent","roles":["agent"]},"resources":[{"actions":["run"],"resource":{"kind":"process_refund","id":"cus_9s6XKzkNRiz8i3","attr":{"target":"stripe","amount":0.0001,"currency":"usd","customer":"cus_9s6XKzkNRiz8i3","chargeId":"ch_3MmlLrLkdIwHu7ix0snN0B15","reason":"requested_by_customer","note":"customer returned the item within the return window of thirty days"}}}]}"#;

pub async fn measure(runplane: &Path, cerbos: &Path, folder: &Path, seconds: u64, rounds: usize) -> Result<Vec<Row>> {
    let mut subjects = vec![subject::floor(None)?, subject::floor(Some(&folder.join("peers.log")))?];
    for size in SIZES {
        subjects.push(start_cerbos(cerbos, &folder.join(format!("cerbos-{size}")), size)?);
        let own = Folder::init(runplane, folder.join(format!("peer-{size}")))?;
        let (server, _) = own.serve(runplane, &format!("runplane, {size} rules + packs"))?;
        own.publish(server.address, &rules::policy(size, 0)?)?;
        subjects.push(server);
    }
    guard::closed(&subjects, &CONNECTIONS, seconds, rounds).await
}

/// The same rules: a fiftieth of them about the measured action, each with a target and an amount, and one that allows.
fn start_cerbos(binary: &Path, folder: &Path, size: usize) -> Result<Subject> {
    let policies = folder.join("policies");
    std::fs::create_dir_all(&policies)?;
    for kind in 0..TYPES {
        let mut yaml = format!(
            "apiVersion: api.cerbos.dev/v1\nresourcePolicy:\n  resource: {}\n  version: default\n  rules:\n\
             \x20   - actions: [\"run\"]\n      effect: EFFECT_ALLOW\n      roles: [\"agent\"]\n",
            if kind == 0 { "process_refund".to_owned() } else { format!("type_{kind}") }
        );
        for rule in (1..size).filter(|rule| rule % TYPES == kind) {
            write!(
                yaml,
                "    - actions: [\"run\"]\n      effect: EFFECT_DENY\n      roles: [\"agent\"]\n      condition:\n        match:\n\
                 \x20         expr: request.resource.attr.target == \"target-{rule}\" && request.resource.attr.amount > {}\n",
                1_000 + rule
            )?;
        }
        std::fs::write(policies.join(format!("kind_{kind}.yaml")), yaml)?;
    }
    let (http, grpc) = (subject::free_address()?, subject::free_address()?);
    let config = folder.join("config.yaml");
    std::fs::write(
        &config,
        format!(
            "server:\n  httpListenAddr: \"{http}\"\n  grpcListenAddr: \"{grpc}\"\nstorage:\n  driver: disk\n  disk:\n\
             \x20   directory: \"{}\"\n    watchForChanges: false\ntelemetry:\n  disabled: true\n",
            policies.canonicalize().context("the policies' folder")?.display()
        ),
    )?;
    let mut command = Command::new(binary);
    command.args(["server", "--log-level=error", "--config"]).arg(&config);
    let request = format!(
        "POST /api/check/resources HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{CHECK}",
        CHECK.len()
    );
    subject::other(&format!("cerbos, {size} rules"), command, http, "/_cerbos/health", request.into_bytes())
}
