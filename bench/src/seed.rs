//! A ledger of any size, written through the real store in large batches: real records of a real call, each in its
//! place in the hash chain, with its payload, under signed checkpoints. The server cannot tell it from its own.

use crate::load::closed_loop;
use crate::rules;
use crate::subject::Folder;
use anyhow::{Context, Result, bail};
use runplane_core::time::Micros;
use runplane_ledger::checkpoint::origin;
use runplane_ledger::{Checkpoint, Frontier, SigningKey, leaf_hash};
use runplane_server::{Place, id};
use runplane_store::{Batch, Entry, Head, NewPayload, Options, Payload, SqliteStore, Store, StoredPayload};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Entries of one commit.
const AT_ONCE: u64 = 1_024;

/// Commits between two copies of the write-ahead log into the database.
const COPY_EVERY: u64 = 16;

/// A recorded decision, cut open where each entry differs from the next.
struct Template {
    at: i64,
    epoch: u64,
    /// The body before and after the request id.
    body: (String, String),
    payload: StoredPayload,
}

#[derive(Deserialize)]
struct Frame<'e> {
    at: i64,
    #[serde(borrow)]
    body: &'e RawValue,
    epoch: u64,
    kind: &'e str,
}

/// A folder with 1,000 rules in force and `entries` decisions on its ledger.
pub async fn folder(runplane: &Path, path: PathBuf, entries: u64) -> Result<Folder> {
    let folder = Folder::init(runplane, path)?;
    let (server, _) = folder.serve(runplane, "seed")?;
    folder.publish(server.address, &rules::policy(crate::guard::RULES, 0)?)?;
    closed_loop(server.address, &server.request, 1, Duration::from_millis(50), None).await?;
    server.stop()?;
    write(&folder.path, entries)?;
    Ok(folder)
}

fn write(path: &Path, entries: u64) -> Result<()> {
    let store = SqliteStore::open(path, &Options::default())?;
    let workspace = store.list_workspaces()?.into_iter().next().context("there is no workspace")?.id;
    let key = SigningKey::from_seed(&origin(&workspace), &Place::embedded(path.to_owned()).seeds()?.ledger)?;
    let mut head = store.load_head(&workspace)?;
    let mut frontier = Frontier::from_bytes(&head.frontier)?;
    let last = head.size.checked_sub(1).context("the ledger is empty")?;
    let row = store.read_entries(&workspace, last, 1)?.pop().context("the last entry is missing")?;
    let mut previous = row.leaf_hash;
    let template = template(&store, &workspace, last, &row.bytes)?;
    let (to, mut commits) = (head.size + entries, 0u64);
    while head.size < to {
        let (mut batch_entries, mut payloads) = (Vec::new(), Vec::new());
        let (from, until) = (head.size, to.min(head.size + AT_ONCE));
        let at = |index: u64| Micros(template.at + i64::try_from(index - last).unwrap_or(0));
        for index in from..until {
            let bytes = template.entry(at(index), index, &previous);
            let leaf = leaf_hash(&bytes);
            frontier.append(leaf);
            previous = leaf.to_bytes();
            batch_entries.push(Entry { bytes, leaf_hash: previous });
            let StoredPayload { salt, bytes, retention, erase_after_us } = template.payload.clone();
            payloads.push(NewPayload { index, salt, bytes, retention, erase_after_us });
        }
        let (root, time) = (frontier.root(), at(until - 1));
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&until.to_be_bytes());
        let next = Head {
            size: until,
            root: root.to_bytes(),
            frontier: frontier.to_bytes(),
            time_us: time.0,
            epoch: head.epoch,
            nonce,
            checkpoint: Checkpoint::sign(&key, until, root, Some(time.0))?,
        };
        let mut batch = Batch::of_entries(from, head.nonce, next.clone(), batch_entries);
        batch.payloads = payloads;
        store.commit_batch(&workspace, &batch)?;
        commits += 1;
        if commits % COPY_EVERY == 0 {
            store.checkpoint_wal()?;
        }
        head = next;
    }
    Ok(())
}

fn template(store: &dyn Store, workspace: &str, index: u64, bytes: &[u8]) -> Result<Template> {
    let frame: Frame<'_> = serde_json::from_slice(bytes)?;
    if frame.kind != "decision" {
        bail!("the last entry is a {}, not a decision", frame.kind);
    }
    let (before, rest) = frame.body.get().split_once("\"requestId\":\"").context("the body has no request id")?;
    let (_, after) = rest.split_once('"').context("the request id does not end")?;
    let Payload::Present(payload) = store.load_payload(workspace, index)? else { bail!("the payload is gone") };
    let body = (format!("{before}\"requestId\":\""), format!("\"{after}"));
    Ok(Template { at: frame.at, epoch: frame.epoch, body, payload })
}

impl Template {
    fn entry(&self, at: Micros, index: u64, previous: &[u8; 32]) -> Vec<u8> {
        let request = id::for_request(at, index, &[7; 10]);
        let (before, after) = &self.body;
        let (epoch, previous) = (self.epoch, hex::encode(previous));
        format!(
            "{{\"at\":{},\"body\":{before}{request}{after},\"epoch\":{epoch},\"index\":{index},\"kind\":\"decision\",\
             \"prev\":\"{previous}\",\"v\":1}}",
            at.0
        )
        .into_bytes()
    }
}
