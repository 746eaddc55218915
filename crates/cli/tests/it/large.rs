//! An installation with many entries moves to PostgreSQL, dies on the way, arrives, and is brought up to date there.
//!
//! As many entries as `RUNPLANE_ENTRIES` says (`make large` says a million), otherwise some thousands. What the programs took at most of memory is read
//! from the system, where it says so.

use crate::binary::{Installation, code, json, stderr, stdout};
use runplane_core::time::Micros;
use runplane_ledger::checkpoint::origin;
use runplane_ledger::{Checkpoint, Frontier, SigningKey};
use runplane_server::keyfile;
use runplane_server::record::{DecisionBody, Entry, Frame, Kind};
use runplane_store::postgres::testing::Database;
use runplane_store::{Batch, EntryRow, Head, NewPayload, Options, Payload, Request, Retention, SqliteStore, Store};
use std::fmt::Write as _;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::Instant;

/// Entries of one commit.
const COMMIT: u64 = 500;
/// MiB. Far above what a step needs, far below what all of the ledger would take.
const MOST_MEMORY: u64 = 160;

#[allow(clippy::disallowed_methods)] // tests have no config.rs
fn entries() -> u64 {
    std::env::var("RUNPLANE_ENTRIES").map_or(7_000, |text| text.parse().unwrap())
}

/// Repeats a real decision until the ledger has so many entries: signed, with payloads, with ids of clients.
fn grow(installation: &Installation, to: u64) {
    let store = SqliteStore::open(&installation.data, &Options::default()).unwrap();
    let workspace = store.list_workspaces().unwrap().remove(0).id;
    let seed = keyfile::load(&installation.data.join("ledger.key")).unwrap();
    let key = SigningKey::from_seed(&origin(&workspace), &seed).unwrap();
    let mut head = store.load_head(&workspace).unwrap();
    let rows = store.read_entries(&workspace, 0, 4_096).unwrap();
    let is_kept = |index| matches!(store.load_payload(&workspace, index), Ok(Payload::Present(_)));
    let template =
        rows.iter().rev().find(|row| is_kept(row.index) && text(&row.bytes).contains("create_charge")).unwrap();
    let Payload::Present(kept) = store.load_payload(&workspace, template.index).unwrap() else { panic!("it has none") };
    let mut body: DecisionBody = Entry::parse(&template.bytes).unwrap().body().unwrap();
    let mut last = rows.last().unwrap().leaf_hash;
    let mut frontier = Frontier::from_bytes(&head.frontier).unwrap();
    while head.size < to {
        let (from, until) = (head.size, (head.size + COMMIT).min(to));
        let at = Micros(head.time_us + 1_000);
        let (mut made, mut payloads, mut requests) = (Vec::new(), Vec::new(), Vec::new());
        for index in from..until {
            body.request_id = format!("bulk-{index}");
            let bytes = Frame::new(at, &body, head.epoch, index, Kind::Decision, &last).to_bytes(true).unwrap();
            let leaf = runplane_ledger::leaf_hash(&bytes);
            frontier.append(leaf);
            last = leaf.to_bytes();
            made.push(runplane_store::Entry { bytes, leaf_hash: last });
            let (salt, bytes, retention) = (kept.salt, kept.bytes.clone(), kept.retention);
            payloads.push(NewPayload { index, salt, bytes, retention, erase_after_us: kept.erase_after_us });
            let (agent, request_id) = (body.agent.clone(), body.request_id.clone());
            requests.push(Request { agent, request_id, index, digest: [7; 32], at_us: at.0 });
        }
        let root = frontier.root();
        let mut nonce = [1; 16];
        nonce[..8].copy_from_slice(&until.to_be_bytes());
        let next = Head {
            size: until,
            root: root.to_bytes(),
            frontier: frontier.to_bytes(),
            time_us: at.0,
            epoch: head.epoch,
            nonce,
            checkpoint: Checkpoint::sign(&key, until, root, Some(at.0)).unwrap(),
        };
        let mut batch = Batch::of_entries(from, head.nonce, next, made);
        (batch.payloads, batch.requests) = (payloads, requests);
        store.commit_batch(&workspace, &batch).unwrap();
        head = batch.head;
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// MiB that a process took at most so far, where the system tells.
fn peak(child: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib / 1_024)
}

/// Runs it to its good end, and says what it took at most.
#[allow(clippy::disallowed_methods)] // tests have no clock.rs
fn watched(installation: &Installation, args: &[&str]) -> (String, u64) {
    let began = Instant::now();
    let mut child = installation.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        most = most.max(peak(&child).unwrap_or(0));
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 0, "{args:?}: {}{}", stdout(&output), stderr(&output));
    println!("{}: {:.1} s, {most} MiB", args[0], began.elapsed().as_secs_f32());
    assert!(most < MOST_MEMORY, "{args:?} took {most} MiB");
    (stdout(&output) + &stderr(&output), most)
}

/// A new process goes on with the ledger, which then verifies with one more entry.
fn goes_on(installation: &Installation, entries: u64) {
    let server = installation.serve();
    let answer = json(&server.run(&["guard", "read_balance", "stripe", "--json"]));
    assert_eq!((&answer["decision"], &answer["ledger"]["index"]), (&"ALLOW".into(), &entries.into()), "{answer}");
    assert_eq!(server.stop(), 0);
    let (said, _) = watched(installation, &["audit", "verify"]);
    assert!(said.contains(&format!("{} entries", entries + 1)), "{said}");
}

#[test]
fn a_large_installation_is_copied_in_spite_of_a_kill_and_brought_up_to_date() {
    let mut installation = Installation::embedded();
    let server = installation.serve();
    for args in [
        &["guard", "create_charge", "stripe", r#"{"amount":5}"#][..],
        &["guard", "process_refund", "stripe", r#"{"amount":800,"currency":"usd"}"#],
        &["guard", "create_charge", "stripe", r#"{"amount":7}"#],
    ] {
        assert!([0, 4].contains(&code(&server.run(args))));
    }
    assert_eq!(server.stop(), 0);
    let size = entries();
    grow(&installation, size);

    let target = Database::create();
    let url = target.url();
    let from = format!("sqlite://{}", installation.data());
    let copy = ["copy", "--from", &from, "--to", &url];
    let mut child = installation.command(&copy).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let copied = || -> u64 {
        let made = "SELECT count(*) FROM pg_class WHERE relname = 'kept_always'";
        let sql = "SELECT coalesce(max(size), 0) FROM runplane.heads";
        if target.execute(made) == Some("1".into()) { target.execute(sql).unwrap().parse().unwrap() } else { 0 }
    };
    while copied() < size / 3 {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let reached = copied();
    assert!(reached < size, "there was nothing left to copy");
    let half = installation.command(&["serve", "--listen", "127.0.0.1:0"]).env("RUNPLANE_DATABASE_URL", &url).output();
    assert_eq!(code(&half.unwrap()), 1, "no server starts on half a copy");
    let (said, _) = watched(&installation, &copy);
    assert!(said.contains(&format!("{size} entries")), "{said}");
    for doing in ["copied", "verified"] {
        assert!(said.contains(&format!("of {size} entries of `default`")) && said.contains(doing), "{said}");
    }
    assert_eq!(code(&installation.command(&copy).output().unwrap()), 1, "it is done once");

    installation.database = Some(Arc::new(target));
    let payloads = |sql: &str| installation.database.as_ref().unwrap().execute(sql).unwrap().parse::<u64>().unwrap();
    let kept = payloads("SELECT sum(CASE WHEN heads IS NULL THEN 1 ELSE length(heads) / 37 END) FROM runplane.kept");
    assert!(size - kept < 20, "{kept} payloads of {size} entries arrived");
    goes_on(&installation, size);

    as_version_4_had_it(installation.database.as_ref().unwrap());
    let (said, _) = watched(&installation, &["migrate"]);
    assert!(said.contains("UP TO DATE"), "{said}");
    assert_eq!(payloads("SELECT count(*) FROM runplane.payloads"), kept + 1);
    goes_on(&installation, size + 1);
}

/// The same installation in the tables of before there were partitions.
fn as_version_4_had_it(database: &Database) {
    unpack(database);
    database.execute("ALTER SCHEMA runplane RENAME TO later");
    database.raise_to(4);
    database.execute("INSERT INTO runplane.workspaces OVERRIDING SYSTEM VALUE SELECT * FROM later.workspaces");
    for table in [
        "installation",
        "heads",
        "checkpoints",
        "requests",
        "executions",
        "approvals",
        "documents",
        "snapshots",
        "snapshot_parts",
        "shared",
    ] {
        database.execute(&format!("INSERT INTO runplane.{table} SELECT * FROM later.{table}"));
    }
    database.execute(
        "INSERT INTO runplane.entries SELECT * FROM rows.entries;
         INSERT INTO runplane.payloads SELECT * FROM rows.payloads;
         DROP SCHEMA later CASCADE; DROP SCHEMA rows CASCADE",
    );
}

/// A row for each entry and each payload, as that version wrote them.
fn unpack(database: &Database) {
    database.execute(
        "CREATE SCHEMA rows;
         CREATE TABLE rows.entries (workspace bigint, entry_index bigint, leaf_hash bytea, bytes bytea);
         CREATE TABLE rows.payloads (workspace bigint, entry_index bigint, retention smallint, erase_after_us bigint, salt bytea, bytes bytea)",
    );
    let number = database.execute("SELECT number FROM runplane.workspaces").unwrap();
    let store = database.open();
    let workspace = store.list_workspaces().unwrap().remove(0).id;
    let mut from = 0;
    loop {
        let rows = store.read_entries(&workspace, from, 1_000).unwrap();
        if rows.is_empty() {
            return;
        }
        let entry = |row: &EntryRow| format!("({number}, {}, {}, {})", row.index, hex(&row.leaf_hash), hex(&row.bytes));
        insert(database, "entries", rows.iter().map(entry).collect());
        let payloads = store.read_payloads(&workspace, from, rows.len()).unwrap();
        let payload = |(index, payload): &(u64, Payload)| {
            let Payload::Present(kept) = payload else { return None };
            let retention = if kept.retention == Retention::Replay { 1 } else { 2 };
            let at = kept.erase_after_us.map_or("NULL".to_owned(), |at| at.to_string());
            Some(format!("({number}, {index}, {retention}, {at}, {}, {})", hex(&kept.salt), hex(&kept.bytes)))
        };
        insert(database, "payloads", payloads.iter().filter_map(payload).collect());
        from += u64::try_from(rows.len()).unwrap();
    }
}

fn insert(database: &Database, table: &str, rows: Vec<String>) {
    if !rows.is_empty() {
        database.execute(&format!("INSERT INTO rows.{table} VALUES {}", rows.join(", ")));
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len() + 4);
    text.push_str("'\\x");
    bytes.iter().for_each(|byte| write!(text, "{byte:02x}").unwrap());
    text + "'"
}
