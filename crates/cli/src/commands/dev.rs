//! `dev`: a server to try things with, in one command.
//!
//! Unlike `init`, it keeps the keys it makes (see `installed`), so that it can print them again. It says where
//! each key comes from, and does not show one as good that the server refuses.

use super::init;
use super::serve::{self, Listening};
use crate::args::{DEFAULT_LISTEN, Global};
use crate::exit::Exit;
use crate::installed::{self, Keys};
use crate::output::{Output, Tone};
use crate::remote::Remote;
use anyhow::Context;
use runplane_server::{Place, Ready};
use serde::Serialize;
use std::path::{Path, PathBuf};
use tokio::sync::oneshot;

#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    listening: Listening,
    /// What to log to standard error.
    #[arg(long, value_name = "FILTER", env = "RUNPLANE_LOG", hide_env_values = true, default_value = "warn")]
    log: String,
}

/// Where the keys that are shown come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Origin {
    /// Made by this very start.
    New,
    /// Made by an earlier one, read from the file it left.
    Kept,
    /// Made by `runplane init`, which keeps none.
    NotKept,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Announcement {
    url: String,
    /// A link that works once and makes the first owner; absent when there are accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    setup_url: Option<String>,
    data_dir: PathBuf,
    keys_from: Origin,
    #[serde(flatten)]
    keys: Option<ShownKeys>,
    /// Why a kept key is of no use any more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused: Vec<String>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownKeys {
    workspace: String,
    agent_id: String,
    agent_key: String,
    admin_token: String,
}

pub fn run(args: &Args, global: &Global, out: &Output) -> anyhow::Result<Exit> {
    serve::log(&args.log, global.json)?;
    let (origin, keys) = prepare(&global.place()?)?;
    let options = args.listening.options(global)?;
    serve::runtime()?.block_on(async {
        let (ready, listening) = oneshot::channel();
        // If nobody waits any more, there is nobody to tell.
        let serving = runplane_server::serve(options, |listens| _ = ready.send(listens), serve::stop_signal()?);
        let announcing = async {
            if let Ok(listens) = listening.await {
                announce(listens, global, origin, keys, out).await;
            }
        };
        let (served, ()) = tokio::join!(serving, announcing);
        served.context("the server ended")
    })?;
    Ok(Exit::Ok)
}

/// Initialises the data folder if need be, and finds the keys to show.
fn prepare(place: &Place) -> anyhow::Result<(Origin, Option<Keys>)> {
    let data = &place.data;
    if place.is_initialised()? {
        let kept = installed::kept(data)?;
        return Ok((if kept.is_some() { Origin::Kept } else { Origin::NotKept }, kept));
    }
    let keys = init::install(place, "agent", "production")?;
    installed::keep(data, &keys)?;
    Ok((Origin::New, Some(keys)))
}

async fn announce(listens: Ready, global: &Global, origin: Origin, keys: Option<Keys>, out: &Output) {
    let url = format!("http://{}", listens.address);
    let setup = listens.setup.map(|link| format!("{url}{}", link.path()));
    let refused = match (&keys, origin) {
        (Some(keys), Origin::Kept) => refused(&url, global, keys).await,
        _ => Vec::new(),
    };
    let keys = keys.map(|keys| ShownKeys {
        workspace: keys.workspace,
        agent_id: keys.agent_id,
        agent_key: keys.agent_key,
        admin_token: keys.admin_token,
    });
    let announcement =
        Announcement { url, setup_url: setup, data_dir: global.data.clone(), keys_from: origin, keys, refused };
    out.answer(&announcement, |out| print(&announcement, global, out));
}

/// Asks the server itself which of the kept keys it no longer takes.
async fn refused(url: &str, global: &Global, keys: &Keys) -> Vec<String> {
    let here =
        Global { url: url.to_owned(), workspace: None, data: global.data.clone(), database: None, json: global.json };
    let tried = [("agent key", keys.agent_key.clone()), ("admin token", keys.admin_token.clone())];
    let asked = tokio::task::spawn_blocking(move || {
        let is_refused = |key: String| -> anyhow::Result<()> {
            Remote::anonymous(&here)?.with_credential(key).get(&["approvals"], &[("limit", "1")]).map(drop)
        };
        tried
            .into_iter()
            .filter_map(|(name, key)| is_refused(key).err().map(|error| format!("the {name} no longer works: {error}")))
            .collect()
    });
    asked.await.unwrap_or_default()
}

fn print(shown: &Announcement, global: &Global, out: &Output) {
    let url = &shown.url;
    out.toned(Tone::Good, "LISTENING", format_args!("{url}, data in {}", global.data.display()));
    out.line("");
    let kept = installed::path(&global.data);
    if let Some(keys) = &shown.keys {
        out.field("agent key", 11, &keys.agent_key);
        out.field("admin token", 11, &keys.admin_token);
    }
    match shown.keys_from {
        Origin::New => out.line(format_args!(
            "  made now, and kept in {} (readable by you alone) for the next `runplane dev`",
            kept.display()
        )),
        Origin::Kept => out.line(format_args!("  made by an earlier `runplane dev`, read from {}", kept.display())),
        Origin::NotKept => out.line(
            "  this folder was made by `runplane init`, which showed its keys once and kept none: set RUNPLANE_API_KEY and RUNPLANE_ADMIN_TOKEN",
        ),
    }
    for refusal in &shown.refused {
        out.toned(Tone::Bad, "!", refusal);
    }
    out.line("");
    match &shown.setup_url {
        Some(setup) => {
            out.line("Make yourself an account for the dashboard (works once, for an hour):");
            out.line("");
            out.line(setup);
        }
        None => out.line(format_args!("The dashboard is at {url}")),
    }
    print_trials(shown, global, out);
}

/// Everything printed here works as it stands.
fn print_trials(shown: &Announcement, global: &Global, out: &Output) {
    let url = &shown.url;
    let key = shown.keys.as_ref().map_or("$RUNPLANE_API_KEY", |keys| &keys.agent_key);
    let runplane = program(shown, global);
    out.line("");
    out.line("Ask whether a refund may run:");
    out.line("");
    out.line(format_args!("curl -sS {url}/api/v1/guard \\"));
    out.line(format_args!("  -H \"Authorization: Bearer {key}\" -H \"Content-Type: application/json\" \\"));
    out.line(
        r#"  -d '{"action":{"type":"process_refund","target":"stripe","context":{"amount":120,"currency":"usd"}}}'"#,
    );
    out.line("");
    out.line("Ask for one that a person must approve, and approve it from another terminal:");
    out.line("");
    out.line(format_args!(r#"{runplane} guard process_refund stripe '{{"amount":800,"currency":"usd"}}' --wait"#));
    out.line(format_args!("{runplane} approvals list"));
    out.line(format_args!("{runplane} approvals approve ID"));
    out.line("");
    out.line("Guard a call in a program (try.mjs, with the package of sdks/typescript installed):");
    out.line("");
    let key =
        shown.keys.as_ref().map_or("process.env.RUNPLANE_API_KEY".to_owned(), |keys| format!("\"{}\"", keys.agent_key));
    out.line("import { Runplane } from \"runplane\";");
    out.line(format_args!("const runplane = new Runplane({{ baseUrl: \"{url}\", apiKey: {key} }});"));
    out.line("const refund = { amount: 120, currency: \"usd\" };");
    out.line("console.log(await runplane.guard(\"process_refund\", \"stripe\", refund, async () => \"refunded\"));");
    out.line("");
    out.line("Stop with Ctrl-C.");
}

/// This program as it was called, with what a second terminal needs to reach this server.
fn program(shown: &Announcement, global: &Global) -> String {
    let mut words = vec![std::env::args().next().unwrap_or_else(|| "runplane".to_owned())];
    if shown.url != format!("http://{DEFAULT_LISTEN}") {
        words.extend(["--url".to_owned(), shown.url.clone()]);
    }
    if global.data != Path::new(".runplane") {
        words.extend(["--data".to_owned(), global.data.display().to_string()]);
    }
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=@%+,".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted("/opt/run-plane"), "/opt/run-plane");
        assert_eq!(quoted("my data"), "'my data'");
        assert_eq!(quoted("it's $x"), r"'it'\''s $x'");
        assert_eq!(quoted(""), "''");
    }
}
