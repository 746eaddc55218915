//! `doctor`: what could be wrong here, one line each, with what to do about it.
//!
//! Changes nothing, and makes no data folder where there is none.

use crate::args::{DEFAULT_LISTEN, Global};
use crate::exit::Exit;
use crate::output::{Output, Tone};
use crate::remote::Remote;
use crate::{config, installed, times};
use runplane_core::time::{Micros, Span};
use runplane_server::options::{DATABASE, LEDGER_KEY, PERMIT_KEY};
use runplane_server::{Place, keyfile};
use runplane_store::StoreError;
use runplane_store::postgres::standing::{self, Standing};
use serde::Serialize;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Before this program was written.
const EARLIEST: &str = "2026-01-01T00:00:00Z";
/// How far a ledger may be ahead of this machine's clock.
const SKEW: Span = Span::seconds(5);

/// Seconds after which a snapshot that somebody keeps is worth knowing of.
const OLD_SNAPSHOT: i64 = 300;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The address a server here would listen on.
    #[arg(long, value_name = "ADDR", default_value = DEFAULT_LISTEN)]
    listen: SocketAddr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Status {
    Good,
    /// Nothing wrong, but worth knowing.
    Remark,
    Bad,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Check {
    what: &'static str,
    status: Status,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    todo: Option<String>,
}

/// What a look found: good news, or something and what to do about it.
type Found = Result<String, (Status, String, String)>;

fn bad(found: impl Into<String>, todo: impl Into<String>) -> Found {
    Err((Status::Bad, found.into(), todo.into()))
}

fn remark(found: impl Into<String>, todo: impl Into<String>) -> Found {
    Err((Status::Remark, found.into(), todo.into()))
}

pub fn run(args: &Args, global: &Global, out: &Output) -> anyhow::Result<Exit> {
    let data = &global.data;
    let server = server(global);
    let runs = server.is_ok();
    let mut checks = Vec::new();
    let mut note = |what, found: Found| {
        let (status, found, todo) = match found {
            Ok(found) => (Status::Good, found, None),
            Err((status, found, todo)) => (status, found, Some(todo)),
        };
        checks.push(Check { what, status, found, todo });
    };
    let place = global.place()?;
    let standing = place.database.as_ref().map(standing::look).transpose();
    let initialised = match &standing {
        // To open a database of before would bring it up to date.
        Ok(Some(standing)) if standing.version != Some(standing.known) && !standing.is_newer() => Ok(false),
        Ok(_) => place.is_initialised(),
        Err(error) => Err(error.clone()),
    };
    let is_in_use = if place.database.is_some() { data.exists() } else { matches!(initialised, Ok(true)) };
    note("data folder", folder(data, is_in_use));
    match &standing {
        Ok(Some(standing)) => schema(standing).into_iter().for_each(|found| note("schema", found)),
        Ok(None) => {}
        Err(error @ StoreError::Newer { .. }) => note("database", bad(error.to_string(), "use a newer program")),
        Err(error) => {
            note(
                "database",
                bad(error.to_string(), "correct --database or RUNPLANE_DATABASE_URL, or start PostgreSQL"),
            );
        }
    }
    if matches!(initialised, Ok(true)) {
        if place.database.is_none() {
            note("database file", private(&data.join(DATABASE)));
        }
        note("ledger key", key(&data.join(LEDGER_KEY)));
        note("permit key", key(&data.join(PERMIT_KEY)));
        let (database, newest) = database(&place);
        note("database", database);
        note("clock", clock(newest));
    } else {
        note("clock", clock(None));
    }
    if installed::path(data).exists() {
        note("kept keys", kept(data));
    }
    note("port", port(args.listen, runs));
    note("server", server);
    if runs {
        note("agent key", credential(global, config::API_KEY));
        note("admin token", credential(global, config::ADMIN_TOKEN));
        if let Some(found) = mode(global) {
            note("mode", found);
        }
    }
    let sound = checks.iter().all(|check| check.status != Status::Bad);
    out.answer(&serde_json::json!({ "sound": sound, "checks": checks }), |out| {
        checks.iter().for_each(|check| print(check, out));
    });
    Ok(if sound { Exit::Ok } else { Exit::Findings })
}

/// The shared database, as far as it can be seen without opening it.
fn schema(standing: &Standing) -> Vec<Found> {
    let Standing { version, known, room, oldest_snapshot } = standing;
    let mut found = vec![match version {
        None => remark("the database holds no installation", "run `runplane init` or `runplane copy`"),
        Some(version) if version < known => remark(
            format!("the schema has version {version}, this program brings it to {known}"),
            "run `runplane migrate`, or start a node; old nodes go on as docs/guide/scale.md says",
        ),
        Some(version) if version > known => {
            remark(format!("the schema has version {version}, of a newer program"), "bring this node up to date, too")
        }
        Some(version) => Ok(format!("the schema has version {version}, the newest this program knows")),
    }];
    if room.is_some_and(|room| room <= 0) {
        found.push(remark("no partition was made ahead", "look at the log of a node: it says why"));
    }
    if let Some(seconds) = oldest_snapshot.filter(|seconds| *seconds > OLD_SNAPSHOT) {
        found.push(remark(
            format!("somebody has kept a snapshot open for {seconds} s, which makes every turn slower"),
            "look for old `xact_start` in pg_stat_activity",
        ));
    }
    found
}

fn print(check: &Check, out: &Output) {
    let (tone, word) = match check.status {
        Status::Good => (Tone::Good, "ok  "),
        Status::Remark => (Tone::Waiting, "note"),
        Status::Bad => (Tone::Bad, "BAD "),
    };
    let todo = check.todo.as_ref().map_or_else(String::new, |todo| format!(": {todo}"));
    out.toned(tone, word, format_args!("{:13}  {}{todo}", check.what, check.found));
}

fn folder(data: &Path, is_initialised: bool) -> Found {
    let shown = data.display();
    if !is_initialised {
        return remark(format!("`{shown}` is not initialised"), "run `runplane init`, or name the folder with --data");
    }
    private(data)
}

/// Whether nobody but its owner can get at it.
fn private(path: &Path) -> Found {
    let shown = path.display();
    match fs::metadata(path) {
        Err(error) => bad(format!("`{shown}` cannot be looked at: {error}"), "run this as the user that owns it"),
        Ok(found) if found.permissions().mode() & 0o077 != 0 => {
            let mode = if found.is_dir() { "700" } else { "600" };
            bad(format!("`{shown}` is open to others"), format!("run `chmod {mode} {shown}`"))
        }
        Ok(_) => Ok(format!("`{shown}` is closed to others")),
    }
}

fn key(path: &Path) -> Found {
    match keyfile::load(path) {
        Ok(_) => Ok(format!("`{}` is there and closed to others", path.display())),
        Err(error) => bad(error.to_string(), "restore it from your backup; without it nothing can be signed"),
    }
}

/// The database, and the newest time on its ledgers.
fn database(place: &Place) -> (Found, Option<Micros>) {
    let store = match place.open() {
        Ok(store) => store,
        Err(StoreError::InUse(_)) => return (Ok("in use by a running server".to_owned()), None),
        Err(error) => return (bad(error.to_string(), "restore the database from your backup"), None),
    };
    let looked = store.health().and_then(|()| {
        let workspaces = store.list_workspaces()?;
        let heads = workspaces.iter().map(|workspace| store.load_head(&workspace.id)).collect::<Result<Vec<_>, _>>()?;
        Ok((workspaces.len(), heads))
    });
    match looked {
        Err(error) => (bad(error.to_string(), "look at the disk: free space, permissions, health"), None),
        Ok((0, _)) => (bad("there is no workspace", "the `init` of this folder did not finish: make a new one"), None),
        Ok((workspaces, heads)) => {
            let entries: u64 = heads.iter().map(|head| head.size).sum();
            let newest = heads.iter().map(|head| Micros(head.time_us)).max();
            (Ok(format!("writes and reads; {workspaces} workspaces, {entries} ledger entries")), newest)
        }
    }
}

fn clock(newest: Option<Micros>) -> Found {
    const ADVICE: &str = "set the clock, and keep it set (NTP)";
    let now = times::now();
    if EARLIEST.parse::<Micros>().is_ok_and(|earliest| now < earliest) {
        return bad(format!("the clock says {now}"), ADVICE);
    }
    match newest {
        Some(newest) if newest > now.after(SKEW) => {
            bad(format!("the ledger is at {newest}, the clock says {now}"), ADVICE)
        }
        _ => Ok(format!("{now}")),
    }
}

fn kept(data: &Path) -> Found {
    let shown = installed::path(data).display().to_string();
    match installed::kept(data) {
        Ok(_) => remark(format!("`{shown}` holds the keys of `runplane dev`"), "fine for trying; not for production"),
        Err(error) => bad(error.to_string(), "see above"),
    }
}

fn port(listen: SocketAddr, server_runs: bool) -> Found {
    match TcpListener::bind(listen) {
        Ok(_) => Ok(format!("{listen} is free")),
        Err(_) if server_runs => Ok(format!("{listen} is in use, and a server answers")),
        Err(error) => bad(format!("{listen} cannot be listened on: {error}"), "choose another with --listen"),
    }
}

fn server(global: &Global) -> Found {
    let remote = match Remote::anonymous(global) {
        Ok(remote) => remote,
        Err(error) => return bad(error.to_string(), "correct --url or RUNPLANE_URL"),
    };
    let url = remote.url();
    match remote.probe("/readyz") {
        Ok(status) if status.is_success() => Ok(format!("{url} is ready")),
        Ok(status) => bad(format!("{url} answers {status}"), "look at the server's log"),
        Err(_) => remark(format!("no server answers at {url}"), "start one with `runplane serve`, or correct --url"),
    }
}

/// Whether the server enforces; nothing if this person may not know.
fn mode(global: &Global) -> Option<Found> {
    let remote = Remote::admin(global).ok()?;
    let until = super::observe::until(&remote).ok()?;
    Some(match until {
        None => Ok("the workspace enforces its policies".to_owned()),
        Some(until) => remark(
            format!("the workspace only observes until {until}: nothing is stopped"),
            "end it with `runplane observe off`",
        ),
    })
}

/// Whether the server takes the credential in this variable.
fn credential(global: &Global, variable: &str) -> Found {
    let Some(credential) = config::secret(variable) else {
        return remark(format!("{variable} is not set"), "commands that need it will say so");
    };
    let asked = Remote::anonymous(global)
        .and_then(|remote| remote.with_credential(credential).get(&["approvals"], &[("limit", "1")]));
    match asked {
        Ok(_) => Ok(format!("{variable} is good")),
        Err(error) => bad(format!("{variable} is refused: {error}"), "set a key that is active"),
    }
}
