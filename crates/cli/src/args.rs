//! The command line: what can be asked for, and what is said when it was asked for wrongly.

use crate::commands::{
    agents, approvals, audit, contain, copy, dev, doctor, guard, init, keys, migrate, observe, policy, receipt, risk,
    serve, users,
};
use crate::exit::Exit;
use anyhow::bail;
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};
use runplane_server::Place;
use runplane_store::Address;
use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where a server listens and clients look for it unless told otherwise.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:7070";
const COMMON: &str = "Options of every command";

#[derive(Debug, Parser)]
#[command(
    name = "runplane",
    version,
    about = "A governed execution control plane for AI agents",
    after_help = "Exit codes: 0 ok, 1 failure, 2 blocked, 3 findings, 4 held.\n\
                  Secrets come from the environment, never from arguments: RUNPLANE_API_KEY (an agent's key), \
                  RUNPLANE_ADMIN_TOKEN (yours). Without them, and against a server on this machine, the keys that \
                  `runplane dev` keeps in the data folder are used.",
    max_term_width = 100,
    arg_required_else_help = true
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Args, Clone, Debug)]
pub struct Global {
    /// Print one JSON document instead of text.
    #[arg(long, global = true, help_heading = COMMON)]
    pub json: bool,
    /// Folder of the database and the signing keys.
    #[arg(long, global = true, value_name = "DIR", env = "RUNPLANE_DATA", default_value = ".runplane", hide_env_values = true, help_heading = COMMON)]
    pub data: PathBuf,
    /// PostgreSQL database to use in the place of the embedded one: postgres://USER@HOST/NAME. Its password
    /// belongs into RUNPLANE_DATABASE_URL, which others cannot see.
    #[arg(long, global = true, value_name = "URL", env = "RUNPLANE_DATABASE_URL", hide_env_values = true, help_heading = COMMON)]
    pub database: Option<Secret>,
    /// The server to talk to.
    #[arg(long, global = true, env = "RUNPLANE_URL", default_value = "http://127.0.0.1:7070", hide_env_values = true, help_heading = COMMON)]
    pub url: String,
    /// The workspace you mean [default: the one named `default`].
    #[arg(long, global = true, value_name = "NAME", env = "RUNPLANE_WORKSPACE", hide_env_values = true, help_heading = COMMON)]
    pub workspace: Option<String>,
}

impl Global {
    /// Where this installation keeps what it knows.
    pub fn place(&self) -> anyhow::Result<Place> {
        let database = match &self.database {
            Some(Secret(url)) if Address::is_one(url) => Some(Address::parse(url)?),
            Some(Secret(url)) if url.is_empty() => None,
            Some(_) => bail!("--database and RUNPLANE_DATABASE_URL name a database as postgres://USER@HOST/NAME"),
            None => None,
        };
        Ok(Place { data: self.data.clone(), database })
    }
}

/// SECURITY: any text is taken, because a refusal of the argument parser would print it.
#[derive(Clone)]
pub struct Secret(String);

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a data folder: database, signing keys, admin token, first agent and its key.
    Init(init::Args),
    /// Run the server on an initialised data folder.
    Serve(serve::Args),
    /// Initialise if need be, run the server, and print what to try.
    Dev(dev::Args),
    /// Ask whether an action may run.
    Guard(guard::Args),
    /// Held actions: list, show, approve, deny.
    Approvals(approvals::Args),
    /// Policies: check and test files, manage those of a server.
    Policy(policy::Args),
    /// Observe mode, in which nothing is stopped: status, on, off.
    Observe(observe::Args),
    /// Risk: explain the score of a call.
    Risk(risk::Args),
    /// Agents: list, create, suspend, resume.
    Agents(agents::Args),
    /// API keys of agents: list, create, rotate, revoke.
    Keys(keys::Args),
    /// Accounts of people: list, add, role, disable, reset.
    Users(users::Args),
    /// The ledger: verify, export.
    Audit(audit::Args),
    /// Receipts: the proof that one entry is on the ledger.
    Receipt(receipt::Args),
    /// Containment switches: list, on, off.
    Contain(contain::Args),
    /// Bring the database up to date; every start does that, too.
    Migrate(migrate::Args),
    /// Copy an installation into a PostgreSQL database, and verify it there.
    Copy(copy::Args),
    /// Look for what could be wrong with this installation.
    Doctor(doctor::Args),
}

/// Help and version are answers; everything else is a failure, and never the code of a decision.
pub fn refuse(refusal: &clap::Error) -> Exit {
    // Nothing is left to say it with if this cannot be printed.
    let _ = refusal.print();
    match refusal.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Ok,
        _ => Exit::Failure,
    }
}
